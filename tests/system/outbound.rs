//! The way out: the sink, the capturing mailbox, and a smart host on a real wire, with everything a smart host can do to
//! us and a server that is killed meanwhile.

pub mod site;
pub mod smart_host;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tests::random::Random;
use tests::scratch::Scratch;
use tests::smtp::letter;
use tests::{Facteur, Imap, Options, Outcome, Smtp, policy_copy, program, wait};

use self::site::{Site, WITHIN};
use self::smart_host::{After, Script, SmartHost};

fn elsewhere(subject: &str) -> Vec<u8> {
    letter("alice.bench@example.org", "reader@elsewhere.example", subject).into_bytes()
}

/// Messages in the spool of a server that has stopped.
fn spooled(data: &Path) -> u64 {
    site::open(data).queue_count().expect("the spool can be read")
}

/// How many recipients ended or waited with `result`, as the metrics of a `try` say.
fn outbound(server: &Facteur, result: &str) -> u64 {
    let (page, label) = (server.metrics(), format!("facteur_outbound_total{{result=\"{result}\"}} "));
    page.lines().find_map(|line| line.strip_prefix(&label)?.parse().ok()).unwrap_or(0)
}

#[test]
fn what_is_bound_for_the_outside_lands_in_the_capturing_mailbox_once() -> Outcome {
    let scratch = Scratch::new("capture");
    let captor = "Jean.Toto@univ-nantes.fr";
    let changes = [("remote: DirectMx", &*format!("remote: Capture(\"{captor}\")"))];
    let policy = policy_copy::changed(&scratch, "nantes", &changes);
    let options = || Options { data: Some(scratch.join("data")), ..Options::default() };
    let server = Facteur::start_with(&policy, options());
    let (from, colleague) = (server.describe.person("toto-jp").clone(), server.describe.person("toto-j").clone());
    let to = ["a@elsewhere.example", "b@elsewhere.example", from.address.as_str()];
    let mut smtp = Smtp::person(&server, "subm", "inside", &from)?;
    for number in 0..5 {
        smtp.message(&from.address, &to, &letter(&from.address, to[0], &format!("out{number}")))?.expect(250)?;
    }
    // Wherever the kill hits, each message is captured once.
    server.kill();
    let server = Facteur::start_with(&policy, options());
    let captured = |server: &Facteur| -> std::io::Result<Vec<String>> {
        let who = server.describe.person(&colleague.login).clone();
        let mut imap = Imap::person(server, "inside", &who)?;
        imap.command("EXAMINE INBOX")?.ok()?;
        let lines = imap.command("UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT RETURN-PATH)])")?.ok()?.lines();
        Ok(lines.into_iter().filter(|line| line.contains("Subject: ")).collect())
    };
    wait::until(WITHIN, "five messages are captured", || (captured(&server).ok()?.len() >= 5).then_some(()));
    server.stop();
    assert_eq!(spooled(&scratch.join("data")), 0, "nothing is left in the queue");
    let server = Facteur::start_with(&policy, options());
    let found = captured(&server)?;
    assert_eq!(found.len(), 5, "{found:?}");
    for number in 0..5 {
        let one = found.iter().filter(|header| header.contains(&format!("Subject: out{number}\r\n")));
        assert_eq!(one.count(), 1, "{found:?}");
    }
    let return_path = format!("Return-Path: <{}>", from.address);
    assert!(found.iter().all(|header| header.contains(&return_path)), "{found:?}");
    // The copy of who is here is not captured, and is no other.
    let own = server.describe.person(&from.login);
    assert_eq!(Imap::person(&server, "inside", own)?.count("INBOX")?, 5);
    Ok(())
}

#[test]
fn the_sink_counts_what_it_takes_and_leaves_nothing_in_the_queue() -> Outcome {
    let scratch = Scratch::new("sink");
    let options = Options { data: Some(scratch.join("data")), ..Options::default() };
    let server = Facteur::start_with(&program::top().join("policies/bench"), options);
    let from = server.describe.people[0].clone();
    let mut smtp = Smtp::person(&server, "subm", "outside", &from)?;
    let to: Vec<String> = (0..250).map(|number| format!("reader{number}@elsewhere.example")).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    smtp.message(&from.address, &to, &letter(&from.address, to[0], "many"))?.expect(250)?;
    smtp.message(&from.address, &to[..1], &letter(&from.address, to[0], "one"))?.expect(250)?;
    wait::until(WITHIN, "all are counted", || (outbound(&server, "sink") >= 251).then_some(()));
    wait::until(WITHIN, "the queue is empty", || (server.metric("facteur_queue_messages") == 0.0).then_some(()));
    assert_eq!(server.metric("facteur_outbound_total"), 251.0, "nothing but the sink had a part in it");
    server.stop();
    assert_eq!(spooled(&scratch.join("data")), 0);
    Ok(())
}

/// A message that tries what a line can do to DATA, long enough for many pieces on the way.
fn thorny(random: &mut Random) -> Vec<u8> {
    let mut message = elsewhere("thorny");
    message.extend_from_slice("Où ? Là-bas.\r\n".as_bytes());
    message.extend_from_slice(b".\r\n..\r\n.\r\n.x\r\n..y\r\n \xe9\xff\x80\r\n\r\n");
    while message.len() < 400_000 {
        let dots = b".".repeat(random.below(4) as usize);
        message.extend_from_slice(&dots);
        message.extend_from_slice(&b"0123456789".repeat(random.below(20) as usize));
        message.extend_from_slice(b"\r\n");
    }
    message.extend_from_slice(b"\r\n.\r\n");
    message
}

#[test]
fn a_smart_host_gets_the_octets_that_were_accepted_behind_our_received_field() -> Outcome {
    let host = SmartHost::willing(&["PIPELINING", "8BITMIME", "SIZE 1000000"]);
    let site = Site::new(host.port);
    let message = thorny(&mut Random::seeded("octets"));
    let serving = site.serve();
    serving.submit(&["reader@elsewhere.example"], &message)?;
    serving.until_told("delivered", 1);
    serving.stop();
    // Without 8BITMIME nothing is rewritten either: the octets are the same, and nothing is announced.
    host.script().keywords = vec!["STARTTLS"];
    let serving = site.serve();
    serving.submit(&["reader@elsewhere.example"], &message)?;
    serving.until_told("delivered", 1);
    serving.stop();
    let seen = host.seen();
    let [first, second] = seen.as_slice() else { panic!("{} contents", seen.len()) };
    for handed in [first, second] {
        let content = handed.content();
        let received = content.strip_suffix(message.as_slice()).expect("what was accepted ends what is handed over");
        let received = std::str::from_utf8(received)?;
        assert!(received.starts_with("Received: from client.example ([127.0.0.1])\r\n\tby "), "{received}");
        let folded = received.trim_end_matches("\r\n").split("\r\n").skip(1).all(|line| line.starts_with('\t'));
        assert!(folded && received.ends_with("\r\n"), "one field and no more: {received}");
        assert_eq!(handed.recipients, ["reader@elsewhere.example"]);
    }
    let size = first.content().len();
    assert_eq!(first.mail, format!("MAIL FROM:<{}> SIZE={size} BODY=8BITMIME", site.sender.address));
    assert_eq!(second.mail, format!("MAIL FROM:<{}>", site.sender.address));
    assert_eq!((first.tls, second.tls), (false, true), "TLS is used where it is offered");
    assert!(site.spool().is_empty());
    Ok(())
}

#[test]
fn of_three_recipients_the_refused_one_is_told_of_and_nobody_is_tried_again() -> Outcome {
    let host = SmartHost::willing(&["PIPELINING"]);
    host.script().refused.insert("b@elsewhere.example", "550 5.1.1 nobody has this name");
    let site = Site::new(host.port);
    let serving = site.serve();
    let to = ["a@elsewhere.example", "b@elsewhere.example", "c@elsewhere.example"];
    let id = serving.submit(&to, &elsewhere("three"))?;
    serving.until_told("delivered", 2);
    serving.until_told("not-delivered", 1);
    serving.kill();
    assert!(site.spool().is_empty(), "all three ended");
    let losses = site.store().losses(10)?;
    let [loss] = losses.as_slice() else { panic!("{losses:?}") };
    assert_eq!((loss.kind.as_str(), loss.recipient.as_str()), ("NotDelivered", to[1]));
    assert_eq!((loss.queue_id.to_string(), loss.reason.as_str()), (id, "550 5.1.1 nobody has this name"));
    let notices = site.inbox();
    let [notice] = notices.as_slice() else { panic!("{notices:?}") };
    assert!(notice.starts_with("Return-Path: <>\r\n"), "{notice}");
    assert!(notice.contains("\r\nFinal-Recipient: rfc822; b@elsewhere.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"));
    // The next server looks at its spool before it hands over what came later.
    let serving = site.serve();
    serving.submit(&["d@elsewhere.example"], &elsewhere("later"))?;
    serving.until_told("delivered", 1);
    serving.stop();
    assert_eq!(to.map(|address| host.asked(address)), [1, 1, 1]);
    let seen = host.seen();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert_eq!(seen[0].recipients, ["a@elsewhere.example", "c@elsewhere.example"]);
    Ok(())
}

#[test]
fn a_deferral_keeps_its_reply_and_its_hour_across_a_restart() -> Outcome {
    let host = SmartHost::willing(&[]);
    host.script().after_content.push_back(After::Reply("451 4.3.0 try later"));
    let site = Site::new(host.port);
    let serving = site.serve();
    serving.submit(&["a@elsewhere.example"], &elsewhere("deferred"))?;
    serving.until_told("deferred", 1);
    serving.kill();
    let spool = site.spool();
    let [item] = spool.as_slice() else { panic!("{spool:?}") };
    let waiting = item.recipients[0].clone();
    assert_eq!((waiting.attempts, waiting.last_reply.as_str()), (1, "451 4.3.0 try later"));
    let wait_s = waiting.due_at_s - item.accepted_at_s;
    assert!((60..600).contains(&wait_s), "the next try comes {wait_s} s after the message");
    let serving = site.serve();
    serving.submit(&["b@elsewhere.example"], &elsewhere("later"))?;
    serving.until_told("delivered", 1);
    serving.stop();
    assert_eq!(site.spool()[0].recipients, [waiting], "a restart tries nothing before its hour");
    assert_eq!(host.asked("a@elsewhere.example"), 1);
    site.let_time_pass();
    let serving = site.serve();
    serving.until_told("delivered", 1);
    serving.stop();
    assert!(site.spool().is_empty());
    let taken: Vec<String> = host.seen().iter().filter(|one| one.taken).map(|one| one.subject()).collect();
    assert_eq!(taken, ["later", "deferred"]);
    Ok(())
}

#[test]
fn a_connection_lost_before_the_last_reply_settles_nothing() -> Outcome {
    let host = SmartHost::willing(&["PIPELINING"]);
    host.script().after_content.push_back(After::Cut);
    let site = Site::new(host.port);
    let serving = site.serve();
    serving.submit(&["a@elsewhere.example", "b@elsewhere.example"], &elsewhere("cut"))?;
    serving.until_told("deferred", 2);
    serving.stop();
    let spool = site.spool();
    let waiting = &spool[0].recipients;
    assert_eq!(waiting.len(), 2, "{spool:?}");
    assert!(waiting.iter().all(|one| one.last_reply == "no connection, or it was lost, at End"), "{waiting:?}");
    site.let_time_pass();
    let serving = site.serve();
    serving.until_told("delivered", 2);
    serving.stop();
    assert!(site.spool().is_empty());
    let seen = host.seen();
    assert_eq!(seen.iter().map(|one| one.taken).collect::<Vec<_>>(), [false, true]);
    assert_eq!(seen[0].wire, seen[1].wire, "the second try hands over the same octets");
    Ok(())
}

#[test]
fn an_address_that_needs_smtputf8_fails_alone_and_on_record_where_it_is_not_offered() -> Outcome {
    let host = SmartHost::willing(&["8BITMIME"]);
    let site = Site::new(host.port);
    let to = ["plain@elsewhere.example", "jérôme@elsewhere.example"];
    let serving = site.serve();
    serving.login()?.message(&site.sender.address, "SMTPUTF8", &to, &elsewhere("wide"))?;
    serving.until_told("delivered", 1);
    serving.until_told("not-delivered", 1);
    serving.stop();
    assert_eq!(to.map(|address| host.asked(address)), [1, 0]);
    assert!(site.spool().is_empty());
    assert_eq!(site.store().losses(10)?.len(), 1);
    let notices = site.inbox();
    assert!(notices[0].contains("Final-Recipient: utf-8; jérôme@elsewhere.example\r\n"), "{notices:?}");
    assert!(notices[0].contains("\r\nStatus: 5.6.7\r\n"), "{notices:?}");
    // A next hop that has the extension gets the address and the keyword.
    host.script().keywords = vec!["8BITMIME", "SMTPUTF8"];
    let serving = site.serve();
    serving.login()?.message(&site.sender.address, "SMTPUTF8", &to[1..], &elsewhere("wide"))?;
    serving.until_told("delivered", 1);
    serving.stop();
    let seen = host.seen();
    assert_eq!(seen[1].recipients, [to[1]]);
    assert!(seen[1].mail.ends_with(" SMTPUTF8"), "{}", seen[1].mail);
    assert!(site.spool().is_empty());
    Ok(())
}

#[test]
fn a_smart_host_that_says_nothing_does_not_keep_the_server_from_ending() -> Outcome {
    let host = SmartHost::willing(&[]);
    host.script().after_content.push_back(After::Silence);
    let site = Site::new(host.port);
    let serving = site.serve();
    serving.submit(&["a@elsewhere.example"], &elsewhere("silent"))?;
    wait::until(WITHIN, "the content is there", || (!host.seen().is_empty()).then_some(()));
    serving.stop();
    // What our own end cut short is due when we are back.
    let serving = site.serve();
    serving.until_told("delivered", 1);
    serving.stop();
    assert!(site.spool().is_empty());
    Ok(())
}

#[test]
fn after_kills_each_queued_message_is_handed_over_and_none_that_was_settled_comes_again() -> Outcome {
    const MESSAGES: usize = 40;
    /// Handovers at a time: so many a kill may hit between the 250 and its commit.
    const AT_ONCE: usize = 10;
    let mut random = Random::seeded("way-out");
    let host = SmartHost::start(Script::default());
    let site = Site::new(host.port);
    let serving = site.serve();
    let mut submission = serving.login()?;
    let mut subjects = BTreeMap::new();
    for number in 0..MESSAGES {
        let subject = format!("queued{number}");
        let message = elsewhere(&subject);
        let id = submission.message(&site.sender.address, "", &["reader@elsewhere.example"], &message)?;
        subjects.insert(id, subject);
    }
    wait::until(WITHIN, "handovers have begun", || (host.connections() > 0).then_some(()));
    serving.kill();
    assert_eq!(site.spool().len(), MESSAGES, "a smart host that greets nobody took nothing");
    host.script().greets = true;
    let mut kills = 0;
    loop {
        let left: BTreeSet<String> = site.spool().iter().map(|item| item.queue_id.to_string()).collect();
        if left.is_empty() {
            break;
        }
        assert!(kills < MESSAGES, "every round settles something");
        let begun = host.seen().len();
        let wanted = begun + 1 + random.below(6) as usize;
        let serving = site.serve();
        wait::until(WITHIN, "more is handed over", || {
            let settled = serving.told("delivered").len();
            (settled == left.len() || (settled > 0 && host.seen().len() >= wanted)).then_some(())
        });
        serving.kill();
        kills += 1;
        // What a commit settled before this round is no longer in the spool, and must not come again.
        for handed in &host.seen()[begun..] {
            let subject = handed.subject();
            let waited = left.iter().any(|id| subjects[id] == subject);
            assert!(waited, "{subject} was settled and came again in round {kills}");
        }
    }
    let taken: Vec<String> = host.seen().iter().filter(|one| one.taken).map(|one| one.subject()).collect();
    let different: BTreeSet<&String> = taken.iter().collect();
    assert_eq!(different.len(), MESSAGES, "none is lost");
    println!("{kills} kills, {} of {MESSAGES} handed over twice", taken.len() - MESSAGES);
    assert!(taken.len() - MESSAGES <= kills * AT_ONCE, "{} copies of {MESSAGES}", taken.len());
    Ok(())
}
