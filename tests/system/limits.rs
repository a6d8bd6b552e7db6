//! The limits of the guide over the wire, counted as `policy-language.md` 3 says.

use tests::smtp::letter;
use tests::{Facteur, Outcome, Smtp};

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
