//! What mail programs are told about a policy's servers.

use std::collections::BTreeSet;

use tests::policy_copy;
use tests::scratch::Scratch;

use crate::{facteur, shipped};

#[test]
fn nantes_advises_imap_over_tls_and_submission_over_tls_first() {
    let said = facteur(&["autoconfig", "--address", "jean.toto@UNIV-NANTES.FR"], &shipped("nantes")).ends(0).out;
    insta::assert_snapshot!(said);
}

#[test]
fn the_login_is_told_where_it_is_known_and_else_what_may_be_one() {
    let user = |arguments: &[&str], policy: &str| {
        let said = facteur(&[&["autoconfig"], arguments].concat(), &shipped(policy)).ends(0).out;
        let names: BTreeSet<&str> = said.lines().map(str::trim).filter(|line| line.starts_with("<username>")).collect();
        names.into_iter().collect::<String>()
    };
    for (arguments, policy, expected) in [
        (&["--address", "Jean-Pierre.Toto@univ-nantes.fr"][..], "nantes", "toto-jp"),
        // A former address.
        (&["--address", "jtoto@sciences.univ-nantes.fr"], "nantes", "toto-j"),
        // Logins look like nothing that an address has.
        (&[], "nantes", "%EMAILADDRESS%"),
        (&["--domain", "UNIV-NANTES.FR"], "nantes", "%EMAILADDRESS%"),
        (&["--domain", "ambre-2.example"], "university", "%EMAILADDRESS%"),
    ] {
        assert_eq!(user(arguments, policy), format!("<username>{expected}</username>"), "{arguments:?}");
    }
}

#[test]
fn imap_comes_before_pop_and_tls_from_the_first_octet_before_starttls() {
    let said = facteur(&["autoconfig"], &shipped("bench")).ends(0).out;
    let words: Vec<&str> = said.split(['<', '>']).filter(|word| word.starts_with("incomingServer type")).collect();
    assert_eq!(words, ["incomingServer type=\"imap\"", "incomingServer type=\"pop3\"", "incomingServer type=\"pop3\""]);
    let ports: Vec<&str> = said.lines().filter_map(|line| line.trim().strip_prefix("<port>")).collect();
    assert_eq!(ports[..3], ["993</port>", "995</port>", "110</port>"]);
}

#[test]
fn nothing_is_told_of_what_is_not_here() {
    for (arguments, policy, expected) in [
        (&["--domain", "cnrs.fr"][..], "nantes", "has no domain cnrs.fr"),
        (&["--address", "nobody@univ-nantes.fr"], "nantes", "nobody here has the address"),
        (&["--domain", "listes.u-ambre.example"], "university", "on another server"),
    ] {
        let said = facteur(&[&["autoconfig"], arguments].concat(), &shipped(policy)).ends(2).err;
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

#[test]
fn words_of_the_policy_are_no_markup() {
    let scratch = Scratch::new("autoconfig");
    let policy = policy_copy::changed(&scratch, "office", &[("Cabinet Martin", "Martin & <Fils>")]);
    let said = facteur(&["autoconfig"], &policy).ends(0).out;
    assert!(said.contains("<displayName>Martin &amp; &lt;Fils&gt;</displayName>"), "{said}");
}
