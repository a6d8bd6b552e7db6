//! The store is verified by night without anybody asking: the policy of the test says that it is night.

use std::fs;
use std::process::Command;
use std::time::Duration;

use tests::scratch::Scratch;
use tests::smtp::letter;
use tests::{Facteur, Imap, Options, Outcome, Smtp, policy_copy, wait};

use super::ask;

const WITHIN: Duration = Duration::from_secs(60);
const EVERY: &str = "Night(\"03:30\")";

/// Paris skips an hour of one night in spring, and no backup may be then; this zone has every hour of every night.
const ZONE: (&str, &str) = ("time_zone: \"Europe/Paris\"", "time_zone: \"Etc/UTC\"");

/// An hour and a quarter ago in that zone, as the clock on the wall shows it.
fn an_hour_ago() -> String {
    let date = Command::new("date").env("TZ", "Etc/UTC").args(["-d", "-75 minutes", "+%H:%M"]).output();
    String::from_utf8(date.expect("every Debian has it").stdout).expect("a time").trim().to_owned()
}

/// A stored message whose body is no longer what it was.
fn damage(data: &std::path::Path, marker: &str) -> Outcome {
    for segment in fs::read_dir(data.join("segments"))? {
        let path = segment?.path();
        let mut octets = fs::read(&path)?;
        let place = octets.windows(marker.len()).rposition(|some| some == marker.as_bytes());
        if let Some(place) = place {
            octets[place] ^= 1;
            fs::write(&path, octets)?;
            return Ok(());
        }
    }
    Err("no segment has it".into())
}

#[test]
fn a_damaged_message_is_found_by_night_and_told_with_its_mailbox_and_nothing_else_is_done() -> Outcome {
    let scratch = Scratch::new("verifying");
    let night = EVERY.replace("03:30", &an_hour_ago());
    let folder = policy_copy::changed(&scratch, "nantes", &[(EVERY, &night), ZONE]);
    let data = scratch.join("data");
    let start = || Facteur::start_with(&folder, Options { data: Some(data.clone()), ..Options::default() });
    let server = start();
    let who = server.describe.person("toto-j").clone();
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    for marker in ["marker-one-7731", "marker-two-7731", "marker-three-7731"] {
        smtp.message("a@client.example", &[&who.address], &letter("a@client.example", &who.address, marker))?;
    }
    // A store that is sound is said to be, without anybody asking.
    let verified = |server: &Facteur| ask(server, &["status", "--format", "json"]).out.contains("\"verified_s\":1");
    wait::until(WITHIN, "it was verified", || verified(&server).then_some(()));
    let text = ask(&server, &["status"]).out;
    assert!(text.contains("found sound"), "{text}");
    drop(smtp);
    server.stop();
    damage(&data, "marker-two-7731")?;
    // Tonight's share is done; as of another night.
    let database = data.join("meta-00.db");
    let forgotten =
        Command::new("sqlite3").arg(&database).arg("DELETE FROM setting WHERE key = 'store/verifying'").status();
    if forgotten.is_err() {
        tests::skip::skip("a_damaged_message_is_found_by_night", tests::skip::Missing::Program("sqlite3"));
        return Ok(());
    }
    let server = start();
    wait::until(WITHIN, "it is found", || server.log_text().contains("the store is damaged").then_some(()));
    let log = server.log_text();
    let line = log.lines().find(|line| line.contains("the store is damaged")).unwrap_or_default();
    assert!(line.contains("(INBOX) of toto-j, message UID 2)"), "{line}");
    let status = ask(&server, &["status"]);
    assert!(
        status.out.contains("DAMAGED, 1 finding") && status.out.contains("its verification has 1 finding"),
        "{}",
        status.out
    );
    wait::until(WITHIN, "it is measured", || {
        server.metrics().contains("facteur_store_verify_findings 1").then_some(())
    });
    wait::until(WITHIN, "the managers are told", || {
        server.log_text().contains("Stored mail: damaged data").then_some(())
    });
    // All three are where they were.
    assert_eq!(Imap::person(&server, "outside", &who)?.count("INBOX")?, 3);
    server.stop();
    Ok(())
}
