//! What Outlook and Apple's Mail are told, as their readers see it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tests::program;
use tests::scratch::Scratch;
use tests::skip::{Missing, skip};

use crate::{facteur, shipped};

/// A key of this kind with a certificate of its own, and a site that shows it.
fn site(scratch: &Scratch, kind: &[&str]) {
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=mail.cabinet-martin.example"]).args(kind);
    openssl.arg("-keyout").arg(scratch.join("key.pem")).arg("-out").arg(scratch.join("chain.pem"));
    program::run(&mut openssl).ends(0);
    let (data, chain, key) = (scratch.join("data"), scratch.join("chain.pem"), scratch.join("key.pem"));
    let text = format!(
        "Site(data: {data:?}, listeners: {{}}, outbound: Sink, certificates: {{\"default\": File(chain: {chain:?}, key: {key:?})}})"
    );
    fs::write(scratch.join("site.ron"), text).expect("the scratch folder is ours");
}

fn profile(address: &str, site: Option<&Path>, to: &Path) {
    let file = fs::File::create(to).expect("the scratch folder is ours");
    let mut command = Command::new(program::facteur());
    command.arg("mobileconfig").arg(shipped("office")).args(["--address", address]).stdout(Stdio::from(file));
    if let Some(site) = site {
        command.arg("--site").arg(site);
    }
    assert!(command.status().expect("the program runs").success());
}

#[test]
fn a_profile_is_signed_by_every_kind_of_key_and_others_can_verify_it() {
    if program::find("openssl").is_none() {
        return skip("a_profile_is_signed_by_every_kind_of_key_and_others_can_verify_it", Missing::Program("openssl"));
    }
    let scratch = Scratch::new("mobileconfig");
    let plain = scratch.join("plain.mobileconfig");
    profile("claire.martin@cabinet-martin.example", None, &plain);
    let plain = fs::read_to_string(plain).expect("without a site it is text");
    assert!(plain.contains("<string>martin-c</string>") && plain.contains("<string>Claire Martin</string>"), "{plain}");
    for kind in [
        &["-newkey", "rsa:2048"][..],
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
    ] {
        site(&scratch, kind);
        let signed = scratch.join("signed.mobileconfig");
        profile("claire.martin@cabinet-martin.example", Some(&scratch.join("site.ron")), &signed);
        let verified = |signed: &Path| {
            let mut openssl = Command::new("openssl");
            openssl.args(["cms", "-verify", "-inform", "DER", "-purpose", "any", "-binary", "-in"]).arg(signed);
            openssl.arg("-CAfile").arg(scratch.join("chain.pem")).arg("-out").arg(scratch.join("content"));
            openssl.output().expect("openssl runs")
        };
        let ran = verified(&signed);
        assert!(ran.status.success(), "{kind:?}: {}", String::from_utf8_lossy(&ran.stderr));
        assert_eq!(fs::read_to_string(scratch.join("content")).expect("it is text"), plain, "{kind:?}");
        // Another octet, and nobody vouches for it.
        let mut octets = fs::read(&signed).expect("it is there");
        let at = octets.windows(8).position(|part| part == b"martin-c").expect("the login is in it");
        octets[at] = b'n';
        let changed = scratch.join("changed.mobileconfig");
        fs::write(&changed, octets).expect("the scratch folder is ours");
        assert!(!verified(&changed).status.success(), "{kind:?}");
    }
}

#[test]
fn outlook_is_told_imap_over_tls_and_the_first_way_to_send() {
    let said = facteur(&["autodiscover", "--address", "nobody@univ-nantes.fr"], &shipped("nantes")).ends(0).out;
    insta::assert_snapshot!(said);
}

#[test]
fn nothing_is_told_of_other_domains() {
    let run = |command: &str, address: &str| facteur(&[command, "--address", address], &shipped("nantes")).ends(2).err;
    for (command, address, says) in [
        ("autodiscover", "a@cnrs.fr", "has no domain cnrs.fr"),
        ("mobileconfig", "a@cnrs.fr", "nobody here has the address"),
        ("mobileconfig", "nobody@univ-nantes.fr", "nobody here has the address"),
    ] {
        assert!(run(command, address).contains(says), "{command} {address}");
    }
}
