//! `facteur probe mail`: a message from end to end.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use tests::program::{self, Ran};
use tests::{Facteur, Imap, Options, Outcome};

use super::house::{House, Serving};

fn probe(house: &House, serving: &Serving, password: &str, mode: u32) -> Ran {
    let file = house.scratch.join("probe.ron");
    let who = &house.people[0];
    let text = format!(
        "ProbeMail(sending: (at: {:?}, name: \"mail.example.org\", tls: StartTls),\n\
         reading: (at: {:?}, name: \"mail.example.org\"),\n\
         login: {:?}, password: {password:?}, from: {:?}, to: {:?}, authority: {:?})\n",
        serving.address("subm"),
        serving.address("imaps"),
        who.login,
        who.address,
        who.address,
        house.scratch.join("ca.pem")
    );
    fs::write(&file, text).expect("the scratch folder is ours");
    fs::set_permissions(&file, Permissions::from_mode(mode)).expect("the file is ours");
    program::run(
        Command::new(program::facteur())
            .args(["probe", "mail", "--with"])
            .arg(&file)
            .args(["--warn", "1000", "--crit", "1000"]),
    )
}

#[test]
fn a_probe_is_sent_read_and_removed() -> Outcome {
    let house = House::new();
    let serving = house.serve("", &[]);
    let password = house.people[0].password.clone();
    let went = probe(&house, &serving, &password, 0o600).ends(0);
    assert!(went.out.starts_with("MAIL OK - sent and read in ") && went.out.contains("'total'="), "{}", went.out);
    let stats = program::run(
        Command::new(program::facteur()).args(["store", "stats", "--format", "json", "--data"]).arg(&house.data),
    );
    assert!(stats.out.contains("\"messages\":0"), "nothing is left: {}", stats.out);
    // It is on the record as what it is.
    let refused = probe(&house, &serving, "unlike-it-9912", 0o600).ends(2);
    assert!(refused.out.starts_with("MAIL CRITICAL - ") && refused.out.contains("535"), "{}", refused.out);
    assert!(!refused.out.contains("unlike-it-9912"), "{}", refused.out);
    let open = probe(&house, &serving, &password, 0o644).ends(3);
    assert!(open.out.contains("others may read it"), "{}", open.out);
    serving.stop();
    Ok(())
}

#[test]
fn what_probes_left_that_gave_up_is_removed_by_the_next_one() -> Outcome {
    let house = House::new();
    let who = house.people[0].clone();
    let options = Options { data: Some(house.data.clone()), people: 2, ..Options::default() };
    let server = Facteur::start_with(&program::top().join("policies/bench"), options);
    let mut imap = Imap::person(&server, "outside", &who)?;
    for (subject, id, date) in [
        ("facteur probe", "probe.00112233445566778899aabb", "\"01-Nov-2026 10:00:00 +0000\" "),
        ("[spam] facteur probe", "probe.00112233445566778899aabc", "\"02-Nov-2026 10:00:00 +0000\" "),
        // Another probe waits for this one, and these are no probes.
        ("facteur probe", "probe.00112233445566778899aabd", ""),
        ("facteur probe", "not-a-probe", "\"01-Nov-2026 10:00:00 +0000\" "),
        ("lunch", "probe.lunch", "\"01-Nov-2026 10:00:00 +0000\" "),
    ] {
        let message =
            format!("From: <{}>\r\nSubject: {subject}\r\nMessage-ID: <{id}@example.org>\r\n\r\nx\r\n", who.address);
        imap.command(&format!("APPEND INBOX {date}{{{}+}}\r\n{message}", message.len()))?.ok()?;
    }
    assert_eq!(imap.count("INBOX")?, 5);
    drop(imap);
    server.stop();
    let serving = house.serve("", &[]);
    probe(&house, &serving, &who.password, 0o600).ends(0);
    let stats = program::run(
        Command::new(program::facteur()).args(["store", "stats", "--format", "json", "--data"]).arg(&house.data),
    );
    assert!(stats.out.contains("\"messages\":3"), "{}", stats.out);
    serving.stop();
    Ok(())
}
