//! Roundcube on PHP's own web server: what it asks of the server is in the log it keeps.

use std::fs;
use std::process::Command;

use tests::{Facteur, Outcome, program};

use super::asked_for;
use crate::clients::found;

#[test]
fn roundcube_sorts_threads_shows_the_quota_shares_a_mailbox_and_sends() -> Outcome {
    let test = "roundcube_sorts_threads";
    let roundcube = "/var/lib/roundcube/index.php";
    if !asked_for() || ["php", roundcube].iter().any(|name| found(test, name).is_none()) {
        return Ok(());
    }
    let server = Facteur::start("nantes");
    let folder = server.scratch().join("roundcube");
    fs::create_dir_all(&folder)?;
    let mut script = Command::new("python3");
    script.arg("-B").arg(program::top().join("tests/clients/roundcube.py")).arg(server.scratch().join("describe.json"));
    program::run(script.arg(&folder).args(["toto-j", "dupont-p"])).ends(0);
    let log = String::from_utf8_lossy(&fs::read(folder.join("imap.log"))?).into_owned();
    for command in [
        "UID SORT (SUBJECT) US-ASCII ALL",
        "UID THREAD REFERENCES US-ASCII ALL",
        "GETQUOTAROOT INBOX",
        "MYRIGHTS Projets",
        "SETACL Projets dupont-p lrs",
        "DELETEACL Projets dupont-p",
        "SETMETADATA Projets (/private/specialuse ",
        "UID MOVE ",
    ] {
        assert!(log.lines().any(|line| line.contains(" C: ") && line.contains(command)), "{command} is not in\n{log}");
    }
    let refused: Vec<&str> = log.lines().filter(|line| is_refusal(line)).collect();
    assert_eq!(refused, [""; 0], "Roundcube was told that it is wrong");
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

/// `… S: A0003 BAD …`
fn is_refusal(line: &str) -> bool {
    let Some((_, said)) = line.split_once(" S: A") else { return false };
    matches!(said.split(' ').nth(1), Some("NO" | "BAD"))
}
