//! The limits of the guide over the wire, counted as `policy-language.md` 3 says.

use tests::scratch::Scratch;
use tests::smtp::letter;
use tests::{Facteur, Imap, Options, Outcome, Smtp, policy_copy};

/// §2.1, from outside.
const RECIPIENTS_IN_ONE_MESSAGE_MAX: usize = 50;
const RECIPIENTS_IN_A_QUARTER_MAX: usize = 250;
/// 20 Mo.
const SIZE_OCTETS_MAX: u64 = 20_000_000;

fn elsewhere(number: usize) -> String {
    format!("reader{number}@elsewhere.example")
}

#[test]
fn the_251st_recipient_in_a_quarter_of_an_hour_is_refused_with_its_rule() -> Outcome {
    let server = Facteur::start("nantes");
    let who = server.describe.person("toto-j").clone();
    let mut smtp = Smtp::person(&server, "subm", "outside", &who)?;
    for message in 0..RECIPIENTS_IN_A_QUARTER_MAX / RECIPIENTS_IN_ONE_MESSAGE_MAX {
        smtp.mail(&who.address)?.expect(250)?;
        for number in 0..RECIPIENTS_IN_ONE_MESSAGE_MAX {
            smtp.rcpt(&elsewhere(message * RECIPIENTS_IN_ONE_MESSAGE_MAX + number))?.expect(250)?;
        }
        smtp.data(&letter(&who.address, "reader@elsewhere.example", &format!("part{message}")))?.expect(250)?;
    }
    smtp.mail(&who.address)?.expect(250)?;
    let refused = smtp.rcpt(&elsewhere(RECIPIENTS_IN_A_QUARTER_MAX))?;
    assert_eq!(refused.codes(), "451 4.7.1", "{refused:?}");
    let rule = format!("[may_send.person-outside.recipients_attempted/15min {}]", server.describe.plan);
    assert!(refused.text().ends_with(&rule), "{refused:?}");
    // Limits come before the recipient: with a full window an unknown address gets the same answer.
    let unknown = smtp.rcpt("nobody.at.all@univ-nantes.fr")?;
    assert_eq!(unknown, refused);
    // Another network has another ring, and the office of the same person still sends.
    let mut inside = Smtp::person(&server, "subm", "inside", &who)?;
    inside.mail(&who.address)?.expect(250)?;
    inside.rcpt(&elsewhere(1))?.expect(250)?;
    Ok(())
}

#[test]
fn refused_attempts_count_and_rset_takes_nothing_back() -> Outcome {
    let server = Facteur::start("nantes");
    let who = server.describe.person("toto-jp").clone();
    let mut smtp = Smtp::person(&server, "subm", "outside", &who)?;
    let mut attempts = 0;
    while attempts < RECIPIENTS_IN_A_QUARTER_MAX {
        smtp.mail(&who.address)?.expect(250)?;
        // Half of them unknown here, all of them counted; the same address twice is two attempts.
        for number in 0..RECIPIENTS_IN_ONE_MESSAGE_MAX {
            let unknown = format!("nobody{number}@univ-nantes.fr");
            let reply = smtp.rcpt(if number % 2 == 0 { "reader@elsewhere.example" } else { &unknown })?;
            assert_eq!(reply.code, if number % 2 == 0 { 250 } else { 550 }, "{reply:?}");
            attempts += 1;
        }
        smtp.command("RSET")?.expect(250)?;
    }
    smtp.mail(&who.address)?.expect(250)?;
    let refused = smtp.rcpt("reader@elsewhere.example")?;
    assert_eq!(refused.codes(), "451 4.7.1", "{refused:?}");
    Ok(())
}

#[test]
fn the_recipient_past_the_limit_of_a_message_gets_452_and_the_others_stand() -> Outcome {
    let server = Facteur::start("nantes");
    let who = server.describe.person("toto-j").clone();
    let mut smtp = Smtp::person(&server, "subs", "outside", &who)?;
    smtp.mail(&who.address)?.expect(250)?;
    for number in 0..RECIPIENTS_IN_ONE_MESSAGE_MAX {
        smtp.rcpt(&elsewhere(number))?.expect(250)?;
    }
    let refused = smtp.rcpt(&elsewhere(RECIPIENTS_IN_ONE_MESSAGE_MAX))?;
    assert_eq!(refused.codes(), "452 4.5.3", "{refused:?}");
    assert!(refused.text().contains("may_send.person-outside.recipients_in_one_message"), "{refused:?}");
    // The same address again is no new recipient.
    smtp.rcpt(&elsewhere(0))?.expect(250)?;
    smtp.data(&letter(&who.address, "reader@elsewhere.example", "stands"))?.expect(250)?;
    Ok(())
}

#[test]
fn limits_are_announced_and_follow_the_block_of_the_connection() -> Outcome {
    let server = Facteur::start("nantes");
    let mx = Smtp::stranger(&server, "mx", "outside")?;
    assert!(mx.announces("LIMITS RCPTMAX=1000"), "{:?}", mx.keywords);
    assert!(mx.announces(&format!("SIZE {SIZE_OCTETS_MAX}")), "{:?}", mx.keywords);
    for (network, max) in [("outside", 50), ("inside", 100), ("webmail-hosts", 50)] {
        let who = server.describe.person("toto-j").clone();
        let mut smtp = Smtp::stranger(&server, "subm", network)?.starttls()?;
        smtp.ehlo()?.expect(250)?;
        smtp.login(&who.login, &who.password)?.expect(235)?;
        smtp.ehlo()?.expect(250)?;
        assert!(smtp.announces(&format!("LIMITS RCPTMAX={max}")), "{network}: {:?}", smtp.keywords);
    }
    Ok(())
}

#[test]
fn size_is_judged_by_declaration_and_by_octets() -> Outcome {
    let server = Facteur::start("nantes");
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    let declared = |octets: u64| format!("MAIL FROM:<a@client.example> SIZE={octets}");
    assert_eq!(smtp.command(&declared(SIZE_OCTETS_MAX + 1))?.codes(), "552 5.3.4");
    smtp.command(&declared(SIZE_OCTETS_MAX))?.expect(250)?;
    smtp.rcpt("Jean.Toto@univ-nantes.fr")?.expect(250)?;
    // One octet more than allowed, undeclared: read to its end, then refused, and the connection goes on.
    smtp.command("DATA")?.expect(354)?;
    let line = [b"x".repeat(998), b"\r\n".to_vec()].concat();
    let whole = SIZE_OCTETS_MAX / line.len() as u64;
    for _ in 0..whole {
        smtp.send(&line)?;
    }
    smtp.send(b"\r\n.\r\n")?;
    let refused = smtp.reply()?;
    assert_eq!(refused.code, 552, "{refused:?}");
    smtp.message(
        "a@client.example",
        &["Jean.Toto@univ-nantes.fr"],
        &letter("a@client.example", "x@univ-nantes.fr", "s"),
    )?
    .expect(250)?;
    Ok(())
}

#[test]
fn a_stranger_relays_nothing() -> Outcome {
    let server = Facteur::start("nantes");
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    smtp.mail("a@client.example")?.expect(250)?;
    for target in [
        "someone@elsewhere.example",
        "someone%elsewhere.example@univ-nantes.fr",
        "@univ-nantes.fr:someone@elsewhere.example",
        "elsewhere.example!someone@univ-nantes.fr",
        "\"someone@elsewhere.example\"@univ-nantes.fr",
    ] {
        let reply = smtp.rcpt(target)?;
        assert!((500..600).contains(&reply.code), "{target}: {reply:?}");
    }
    let refused = smtp.rcpt("someone@elsewhere.example")?;
    assert!(refused.text().contains(&server.describe.plan), "a refusal carries the plan: {refused:?}");
    assert!(!refused.text().contains("may_receive"), "a stranger gets a reason word, no rule: {refused:?}");
    Ok(())
}

/// Messages of at most 60 kB in mailboxes of 100 kB and 10 % for visitors.
const SMALL_MAILBOXES: &[(&str, &str)] =
    &[("message_size: \"20 MB\"", "message_size: \"60 kB\""), ("quota: Fixed(\"2 GB\")", "quota: Fixed(\"100 kB\")")];
const VISITOR: &str = "Jerome.Toto@univ-nantes.fr";

fn large(subject: &str) -> String {
    let line = "0123456789abcdef\r\n";
    letter("a@client.example", VISITOR, subject) + &line.repeat(50_000 / line.len())
}

/// Messages in INBOX that came in; the warnings of a filling mailbox are beside them.
fn received(imap: &mut Imap) -> std::io::Result<usize> {
    imap.command("EXAMINE INBOX")?.ok()?;
    let found = imap.command("SEARCH FROM a@client.example")?.ok()?;
    Ok(found.lines().iter().flat_map(|line| line.split(' ')).filter(|word| word.parse::<u32>().is_ok()).count())
}

#[test]
fn a_content_that_no_mailbox_has_room_for_is_refused_although_size_was_not_told() -> Outcome {
    let scratch = Scratch::new("undeclared");
    let server = Facteur::start_with(&policy_copy::changed(&scratch, "nantes", SMALL_MAILBOXES), Options::default());
    let visitor = server.describe.people.iter().find(|person| person.address == VISITOR).expect("he is there").clone();
    let mut smtp = Smtp::stranger(&server, "mx", "inside")?;
    let mut send = |to: &[&str], text: &str| smtp.message("a@client.example", to, text);
    send(&[VISITOR], &large("one"))?.expect(250)?;
    send(&[VISITOR], &large("two"))?.expect(250)?;
    let refused = send(&[VISITOR], &large("three"))?;
    assert_eq!(refused.codes(), "452 4.2.2", "{refused:?}");
    let mut imap = Imap::person(&server, "outside", &visitor)?;
    assert_eq!(received(&mut imap)?, 2);
    // What fits still comes in; and one reply answers for all, so who was accepted beside others is delivered.
    send(&[VISITOR], &letter("a@client.example", VISITOR, "small"))?.expect(250)?;
    send(&[VISITOR, "Jean.Toto@univ-nantes.fr"], &large("for two"))?.expect(250)?;
    assert_eq!(received(&mut imap)?, 4);
    Ok(())
}

#[test]
fn mail_to_a_function_leaves_the_full_member_out_and_reaches_the_others() -> Outcome {
    let scratch = Scratch::new("function");
    let folder = policy_copy::changed(&scratch, "nantes", SMALL_MAILBOXES);
    let people = folder.join("people.ron");
    let text = std::fs::read_to_string(&people)?;
    let both = text.replacen("members: [\"dupont-a\"]", "members: [\"dupont-a\", \"toto-j-1\"]", 1);
    assert_ne!(both, text);
    std::fs::write(&people, both)?;
    let server = Facteur::start_with(&folder, Options::default());
    let visitor = server.describe.people.iter().find(|person| person.address == VISITOR).expect("he is there").clone();
    let mut smtp = Smtp::stranger(&server, "mx", "inside")?;
    let mut send = |to: &[&str], text: &str| smtp.message("a@client.example", to, text);
    send(&["docmessagerie@univ-nantes.fr"], &large("one"))?.expect(250)?;
    send(&["docmessagerie@univ-nantes.fr"], &large("two"))?.expect(250)?;
    // Behind another recipient it goes past the grace.
    send(&[VISITOR, "Jean.Toto@univ-nantes.fr"], &large("for two"))?.expect(250)?;
    send(&["docmessagerie@univ-nantes.fr"], &large("three"))?.expect(250)?;
    assert_eq!(received(&mut Imap::person(&server, "outside", &visitor)?)?, 3);
    let other = server.describe.person("dupont-a").clone();
    assert_eq!(received(&mut Imap::person(&server, "outside", &other)?)?, 3);
    Ok(())
}
