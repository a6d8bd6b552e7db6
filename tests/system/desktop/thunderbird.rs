//! Thunderbird in a house of its own: names, an authority, and the page of autoconfiguration as `facteur` writes it.

use std::path::PathBuf;
use std::process::Command;

use tests::dns::Dns;
use tests::scratch::Scratch;
use tests::{Outcome, program};

use super::asked_for;
use crate::clients::found;
use crate::exchange::house::{House, Plan};
use crate::exchange::net::Net;
use crate::world::authority::{Authority, Web};

const RESOLVER: &str = "127.0.0.53";
const ADDRESS: &str = "Anne.Alpha@univ.example";

#[test]
fn thunderbird_sets_itself_up_reads_moves_searches_sends_and_hears_of_what_is_new() -> Outcome {
    let test = "thunderbird_sets_itself_up";
    if !asked_for() || ["thunderbird", "Xvfb", "certutil"].iter().any(|name| found(test, name).is_none()) {
        return Ok(());
    }
    let Some(net) = Net::new(test, RESOLVER) else { return Ok(()) };
    let (scratch, authority) = (Scratch::new("thunderbird"), Authority::new());
    let dns = net.inside(|| Dns::start_at(&format!("{RESOLVER}:53"), ""));
    std::fs::write(scratch.join("anchors"), &dns.anchors)?;
    dns.set(
        "univ.example MX 10 mail.univ.example\nmail.univ.example A 127.0.1.1\nautoconfig.univ.example A 127.0.1.5\n\
         univ.example UNSIGNED\n",
    );
    let plan = Plan {
        domain: "univ.example",
        host: "mail.univ.example",
        address: "127.0.1.1",
        sections: String::new(),
        people: &[("Anne", "Alpha")],
        keeps: true,
    };
    let site = format!("dns: (servers: [\"{RESOLVER}:53\"], anchors: Some({:?})),", scratch.join("anchors"));
    let house = House::start(&net, &scratch, &plan, &authority, &site);
    let told = program::run(
        Command::new(program::facteur()).args(["autoconfig", "--address", ADDRESS]).arg(scratch.join(plan.domain)),
    );
    let shown = authority.certifies("autoconfig.univ.example");
    let _web = net.inside(|| Web::start_at("127.0.1.5:443", shown.tls, &told.ends(0).out));

    let mut script = net.command("python3");
    script.arg("-B").arg(program::top().join("tests/clients/thunderbird.py")).arg(scratch.path()).arg(ADDRESS);
    script.arg(&house.person("alpha-a").password).arg(plan.host);
    program::run(script.arg(scratch.join(plan.domain).join("authority.pem"))).ends(0);

    let log = imap_log(&scratch);
    for said in [" IDLE", "COMPRESS DEFLATE", "(CHANGEDSINCE ", "ENABLE UTF8=ACCEPT", "UTF8 (~{", "uid move "] {
        assert!(log.lines().any(|line| line.contains("SendData: ") && line.contains(said)), "never said: {said}");
    }
    let refused: Vec<&str> = log.lines().filter(|line| is_refusal(line)).collect();
    assert_eq!(refused, [""; 0], "Thunderbird was told that it is wrong");
    assert!(!house.log().contains("panicked"));
    keep(&scratch.join("thunderbird.png"))
}

/// Mozilla adds endings of its own to the name.
fn imap_log(scratch: &Scratch) -> String {
    let entries = std::fs::read_dir(scratch.path()).into_iter().flatten().flatten();
    let logs = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("imap.log"));
    logs.map(|entry| String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap_or_default()).into_owned()).collect()
}

/// A tagged NO or BAD in the log.
fn is_refusal(line: &str) -> bool {
    let Some((_, said)) = line.split_once("CreateNewLineFromSocket: ") else { return false };
    let mut words = said.split(' ');
    words.next().is_some_and(|tag| tag.parse::<u32>().is_ok()) && matches!(words.next(), Some("NO" | "BAD"))
}

/// `FACTEUR_SHOTS` names a folder where the picture is kept for a person to look at.
fn keep(picture: &std::path::Path) -> Outcome {
    assert!(std::fs::metadata(picture)?.len() > 10_000, "a window with something in it");
    if let Some(folder) = std::env::var_os("FACTEUR_SHOTS").map(PathBuf::from) {
        std::fs::copy(picture, folder.join("thunderbird.png"))?;
    }
    Ok(())
}
