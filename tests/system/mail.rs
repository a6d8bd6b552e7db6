//! Mail goes in by SMTP and out by IMAPS; what must vanish, vanishes.

use std::process::Command;
use std::time::{Duration, Instant};

use tests::smtp::letter;
use tests::{Facteur, Imap, Options, Outcome, Smtp, program, wait};

/// The EICAR test string in two halves, so that no scanner of this machine takes our source for it.
pub const EICAR: [&str; 2] = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD", "-ANTIVIRUS-TEST-FILE!$H+H*"];

/// Under 2 s on an idle machine; a test has a debug build and company.
const MANY_PEOPLE_WITHIN: Duration = Duration::from_secs(15);

pub fn inbox_subjects(imap: &mut Imap) -> std::io::Result<Vec<String>> {
    imap.command("EXAMINE INBOX")?.ok()?;
    let response = imap.command("UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])")?.ok()?;
    let lines = response.lines();
    Ok(lines
        .iter()
        .filter_map(|line| Some(line.split_once("Subject: ")?.1.split("\r\n").next()?.to_string()))
        .collect())
}

#[test]
fn a_strangers_message_reaches_its_reader_under_every_address_of_hers() -> Outcome {
    let server = Facteur::start("nantes");
    let who = server.describe.person("toto-j").clone();
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    let addresses = ["Jean.Toto@univ-nantes.fr", "jean.toto@UNIV-NANTES.FR", "jtoto@sciences.univ-nantes.fr"];
    for (number, address) in addresses.iter().enumerate() {
        let subject = format!("way{number}");
        smtp.message("a@client.example", &[address], &letter("a@client.example", address, &subject))?.expect(250)?;
    }
    let mut imap = Imap::person(&server, "outside", &who)?;
    assert_eq!(inbox_subjects(&mut imap)?, ["way0", "way1", "way2"]);
    let body = imap.command("FETCH 1 (BODY.PEEK[])")?.ok()?;
    let body = String::from_utf8_lossy(&body.untagged[0]).into_owned();
    assert!(body.contains("Good day.\r\n"), "{body}");
    assert!(body.contains("Return-Path: <a@client.example>\r\n"), "{body}");
    assert!(body.contains("\r\nReceived: "), "{body}");
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn a_virus_vanishes_without_a_word_and_the_next_message_does_not() -> Outcome {
    let server = Facteur::start("nantes");
    let who = server.describe.person("toto-j").clone();
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    let virus = format!("Subject: virus\r\n\r\n{}\r\n", EICAR.concat());
    smtp.message("a@client.example", &[&who.address], &virus)?.expect(250)?;
    smtp.message("a@client.example", &[&who.address], &letter("a@client.example", &who.address, "clean"))?
        .expect(250)?;
    let mut imap = Imap::person(&server, "outside", &who)?;
    assert_eq!(inbox_subjects(&mut imap)?, ["clean"]);
    Ok(())
}

#[test]
fn a_colleague_reads_what_a_colleague_sent_and_nothing_leaves() -> Outcome {
    let server = Facteur::start("nantes");
    let (from, to) = (server.describe.person("toto-j").clone(), server.describe.person("toto-jp").clone());
    let mut smtp = Smtp::person(&server, "subm", "inside", &from)?;
    let message = letter(&from.address, &to.address, "colleague");
    smtp.message(&from.address, &[&to.address, "someone@elsewhere.example"], &message)?.expect(250)?;
    let mut imap = Imap::person(&server, "inside", &to)?;
    assert_eq!(inbox_subjects(&mut imap)?, ["colleague"]);
    // Nobody sends as somebody else.
    let refused = smtp.mail(&to.address)?;
    assert!((500..600).contains(&refused.code), "{refused:?}");
    // Nor in the header, which is what people read.
    let posing = letter(&to.address, "someone@elsewhere.example", "posing");
    let refused = smtp.message(&from.address, &["someone@elsewhere.example"], &posing)?.expect(550)?;
    assert!(refused.text().contains("[may_send.person-inside.as "), "{refused:?}");
    Ok(())
}

#[test]
fn idle_tells_of_new_mail() -> Outcome {
    let server = Facteur::start("nantes");
    let who = server.describe.person("toto-j").clone();
    let mut imap = Imap::person(&server, "outside", &who)?;
    imap.command("SELECT INBOX")?.ok()?;
    imap.send(b"i IDLE\r\n")?;
    assert!(imap.read()?.starts_with(b"+"), "IDLE is taken up");
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    smtp.message("a@client.example", &[&who.address], &letter("a@client.example", &who.address, "news"))?
        .expect(250)?;
    let told = imap.read()?;
    assert_eq!(told, b"* 1 EXISTS", "{}", String::from_utf8_lossy(&told));
    Ok(())
}

#[test]
fn mail_survives_a_restart_asked_for() -> Outcome {
    let scratch = tests::scratch::Scratch::new("restart");
    let policy = program::top().join("policies/nantes");
    let options = || Options { data: Some(scratch.join("data")), ..Options::default() };
    let server = Facteur::start_with(&policy, options());
    let who = server.describe.person("toto-j").clone();
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    smtp.message("a@client.example", &[&who.address], &letter("a@client.example", &who.address, "kept"))?
        .expect(250)?;
    server.stop();
    let server = Facteur::start_with(&policy, options());
    let who = server.describe.person("toto-j").clone();
    let mut imap = Imap::person(&server, "outside", &who)?;
    assert_eq!(inbox_subjects(&mut imap)?, ["kept"]);
    Ok(())
}

#[test]
fn ten_thousand_people_more_are_there_in_moments_and_can_log_in() -> Outcome {
    let options = Options { people: 10_000, ..Options::default() };
    let begun = Instant::now();
    let server = Facteur::start_with(&program::top().join("policies/bench"), options);
    println!("{:?} to the description", begun.elapsed());
    assert!(begun.elapsed() < MANY_PEOPLE_WITHIN, "10,000 people took {:?}", begun.elapsed());
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    let last = "user10000@example.org";
    smtp.message("a@client.example", &[last], &letter("a@client.example", last, "last"))?.expect(250)?;
    let mut imap = Imap::connect(&server, "imaps", "outside")?;
    imap.command("LOGIN user10000 pass")?.ok()?;
    let count = wait::until(Duration::from_secs(5), "the message is there", || imap.count("INBOX").ok());
    assert_eq!(count, 1);
    Ok(())
}

#[test]
fn a_second_server_on_the_same_folder_is_told_who_holds_it() {
    let scratch = tests::scratch::Scratch::new("twice");
    let (data, policy) = (scratch.join("data"), program::top().join("policies/bench"));
    let server = Facteur::start_with(&policy, Options { data: Some(data.clone()), ..Options::default() });
    let mut second = Command::new(program::facteur());
    let ran = program::run(second.arg("try").arg(&policy).arg("--once").arg("--data").arg(&data)).ends(2);
    assert!(ran.err.contains(&server.describe.pid.to_string()), "{}", ran.err);
}

#[test]
fn health_and_metrics_answer_over_http() {
    let server = Facteur::start("bench");
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    assert!(server.metrics().contains("# HELP "), "metrics explain themselves");
    assert!(server.page("healthz").starts_with("HTTP/1.1 200"));
    assert!(server.page("nothing-here").starts_with("HTTP/1.1 404"));
}
