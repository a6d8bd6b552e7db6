//! Several messages in one APPEND, messages put together from parts of others, and REPLACE: all of it or nothing, durable
//! once it is said, and within the quota.

use std::io;

use tests::scratch::Scratch;
use tests::{Facteur, Imap, Options, Outcome, policy_copy, program};

/// A server that may be started again on the same data.
fn serve(scratch: &Scratch) -> Facteur {
    let options = Options { people: 1, data: Some(scratch.join("data")), ..Options::default() };
    Facteur::start_with(&program::top().join("policies/bench"), options)
}

fn log_in(server: &Facteur) -> io::Result<Imap> {
    let mut imap = Imap::connect(server, "imaps", "outside")?;
    imap.command("LOGIN user0001 pass")?.ok()?;
    Ok(imap)
}

/// ` {n+}` and the message.
fn literal(message: &str) -> String {
    format!(" {{{}+}}\r\n{message}", message.len())
}

/// The octets of a message, headers and all.
fn content(imap: &mut Imap, uid: u32) -> io::Result<String> {
    let response = imap.command(&format!("UID FETCH {uid} BODY.PEEK[]"))?.ok()?;
    let whole = response.lines().into_iter().find(|line| line.contains("BODY[]")).unwrap_or_default();
    let (_, octets) = whole.split_once("}\r\n").unwrap_or_default();
    Ok(octets.trim_end_matches(')').to_owned())
}

#[test]
fn what_was_appended_together_or_replaced_survives_a_kill() -> Outcome {
    let scratch = Scratch::new("append");
    let server = serve(&scratch);
    let mut imap = log_in(&server)?;
    let long = format!("Subject: two\r\n\r\n{}", "0123456789abcdef\r\n".repeat(40_000));
    let several = ["Subject: one\r\n\r\nfirst\r\n", &long, "Subject: three\r\n\r\nlast\r\n"];
    let literals: String = several.iter().map(|message| literal(message)).collect();
    let response = imap.command(&format!("APPEND INBOX{literals}"))?.ok()?;
    assert!(response.text.contains("[APPENDUID ") && response.text.contains(" 1:3]"), "{response:?}");
    imap.command("SELECT INBOX")?.ok()?;
    // The draft is put together from the text of the first message and replaces the third.
    let draft =
        "UID REPLACE 3 INBOX (\\Draft) CATENATE (TEXT {16+}\r\nSubject: draft\r\n URL \"/INBOX/;UID=1/;SECTION=TEXT\")";
    let said = imap.command(draft)?.ok()?.lines();
    let told = |what: &str| said.iter().position(|line| line.contains(what));
    assert!(told("APPENDUID").is_some() && told("APPENDUID") < told("3 EXPUNGE"), "RFC 8508 3.3: {said:?}");
    server.kill();
    let server = serve(&scratch);
    let mut imap = log_in(&server)?;
    assert_eq!(imap.command("SELECT INBOX")?.ok()?.number("EXISTS"), Some(3));
    assert_eq!(content(&mut imap, 1)?, several[0]);
    assert_eq!(content(&mut imap, 2)?, long);
    assert_eq!(content(&mut imap, 4)?, "Subject: draft\r\nfirst\r\n");
    let flags = imap.command("UID FETCH 1:* (FLAGS EMAILID SAVEDATE PREVIEW)")?.ok()?.lines();
    assert!(flags.len() == 3 && flags[2].contains("\\Draft") && flags[0].contains("PREVIEW \"first\""), "{flags:?}");
    Ok(())
}

#[test]
fn when_one_of_several_cannot_be_kept_none_is() -> Outcome {
    let scratch = Scratch::new("append");
    let server = serve(&scratch);
    let mut imap = log_in(&server)?;
    let one = literal("Subject: one\r\n\r\nfirst\r\n");
    imap.command(&format!("APPEND INBOX{one}"))?.ok()?;
    for (rest, code) in [
        (" CATENATE (URL \"/INBOX/;UID=9\")", "[BADURL /INBOX/;UID=9]"),
        (" CATENATE (URL \"/INBOX/;UID=1/;SECTION=7\" TEXT {4+}\r\nabcd)", "[BADURL "),
        (" {200000000}", "[TOOBIG]"),
        (" ~{1+}\r\n\0", "[UNKNOWN-CTE]"),
    ] {
        let response = imap.command(&format!("APPEND INBOX{one}{one}{rest}"))?;
        assert!(response.status == "NO" && response.text.contains(code), "{rest}: {response:?}");
    }
    // The connection goes away within the second message.
    imap.send(format!("x APPEND INBOX{one} {{100+}}\r\nSubject: ").as_bytes())?;
    drop(imap);
    assert_eq!(log_in(&server)?.count("INBOX")?, 1);
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn the_quota_is_for_all_of_them_and_a_replaced_message_makes_room() -> Outcome {
    let scratch = Scratch::new("append");
    let policy = policy_copy::changed(
        &scratch,
        "bench",
        &[("quota: Fixed(\"1 TB\")", "quota: Fixed(\"1 MB\")"), ("message_size: \"100 MB\"", "message_size: \"1 MB\"")],
    );
    let server = Facteur::start_with(&policy, Options { people: 1, ..Options::default() });
    let mut imap = log_in(&server)?;
    let large = format!("Subject: large\r\n\r\n{}", "0123456789abcdef\r\n".repeat(22_000));
    let large = literal(&large);
    let response = imap.command(&format!("APPEND INBOX{large}{large}{large}"))?;
    assert!(response.status == "NO" && response.text.contains("[OVERQUOTA]"), "{response:?}");
    imap.command(&format!("APPEND INBOX{large}{large}"))?.ok()?;
    imap.command("SELECT INBOX")?.ok()?;
    let parts = "APPEND INBOX CATENATE (URL ;UID=1)";
    assert!(imap.command(parts)?.text.contains("[OVERQUOTA]"));
    let response = imap.command(&format!("UID REPLACE 1 INBOX{large}"))?.ok()?;
    assert_eq!(response.number("EXISTS"), Some(3), "{response:?}");
    assert_eq!(log_in(&server)?.count("INBOX")?, 2);
    Ok(())
}
