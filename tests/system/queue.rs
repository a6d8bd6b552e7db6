//! The life of the spool over the wire: notifications, expiry, destinations that are down or block us, what operators do,
//! and many messages at once.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use store::{Enqueue, NextHop, Op, QueueId, QueueRecipient};
use tests::random::Random;
use tests::smtp::{letter, read_reply};
use tests::wire::{self, Wire};
use tests::{Outcome, program, wait};

use crate::clients::found;
use crate::outbound::site::{Site, WITHIN};
use crate::outbound::smart_host::{Script, SmartHost};

/// What a machine of two processors takes for 100,000 messages, with room.
const LONG_WITHIN: Duration = Duration::from_secs(1_800);

fn elsewhere(subject: &str) -> Vec<u8> {
    letter("alice.bench@example.org", "reader@elsewhere.example", subject).into_bytes()
}

/// One that answers every recipient so.
fn refusing(reply: &'static str) -> SmartHost {
    SmartHost::start(Script { greets: true, everybody: Some(reply), ..Script::default() })
}

/// All of a plan's `retention` but for the queue.
const RETENTION: &str = "mail: WhileAccountLives, trash: WhileAccountLives, junk: WhileAccountLives, \
    closed_accounts: \"180 days\", quarantine: \"30 days\", losses: \"365 days\", decisions: \"180 days\", \
    accesses: \"180 days\", audit: \"365 days\", training: \"365 days\", statistics: \"365 days\", limits: \"1 day\", \
    ledger: Forever";
const HASTY: &str = "delivery: (retry: [\"1 s\"], warn_after: \"1 s\", connections_at_once: 10, dane: true, mta_sts: true, tls_reports: Nothing),";

/// A site that tries each second, tells of a delay after one and gives up after `queue`.
fn hasty(port: u16, queue: &str, others: &[(&str, &str)]) -> Site {
    Site::with(port, &format!("{HASTY}\n    retention: ({RETENTION}, queue: \"{queue}\"),"), others, &[])
}

/// What Python's parser makes of a notification; `None` without Python.
fn parsed(notice: &str) -> Option<Value> {
    let python = found("notifications", "python3")?;
    let script = program::top().join("tests/clients/dsn.py");
    let mut command = Command::new(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("python starts");
    child.stdin.take().expect("it is piped").write_all(notice.as_bytes()).expect("the script reads");
    let output = child.wait_with_output().expect("the script ends");
    assert!(output.status.success(), "{output:?}\n{notice}");
    Some(serde_json::from_slice(&output.stdout).expect("the script says JSON"))
}

#[test]
fn what_never_gets_through_is_told_as_late_once_and_then_as_failed_in_both_languages() -> Outcome {
    for (language, late, failed, first) in [
        ("English", "Message delayed", "Message not delivered", "Your message of"),
        ("French", "Message retardé", "Message non remis", "Votre message du"),
    ] {
        let host = refusing("451 4.2.1 not now");
        let pages = format!("pages: {language}");
        let site = hasty(host.port, "6 s", &[("pages: English", &pages)]);
        let serving = site.serve();
        serving.submit(&["a@elsewhere.example", "b@elsewhere.example"], &elsewhere("late"))?;
        serving.until_told("not-delivered", 2);
        serving.stop();
        assert!(site.spool().is_empty());
        let notices = site.inbox();
        let [delay, failure] = notices.as_slice() else { panic!("{notices:#?}") };
        let losses = site.store().losses(10)?;
        assert!(losses.len() == 2 && losses[0].reason == "expired; 451 4.2.1 not now", "{losses:?}");
        let (Some(delay), Some(failure)) = (parsed(delay), parsed(failure)) else { return Ok(()) };
        assert_eq!((&delay["subject"], &failure["subject"]), (&late.into(), &failed.into()));
        for (notice, action, status) in [(&delay, "delayed", "4.2.1"), (&failure, "failed", "4.4.7")] {
            assert_eq!(notice["defects"], Value::Array(Vec::new()));
            let to = format!("<{}>", site.sender.address);
            assert!(
                notice["report"] == "delivery-status"
                    && (notice["to"] == to || notice["to"] == site.sender.address.as_str())
            );
            assert_eq!(notice["message"]["Reporting-MTA"], "dns; example.org");
            let recipients = notice["recipients"].as_array().expect("a list");
            assert_eq!(recipients.len(), 2, "one notification for both");
            for (recipient, address) in recipients.iter().zip(["a", "b"]) {
                assert_eq!(recipient["Final-Recipient"], format!("rfc822; {address}@elsewhere.example"));
                assert_eq!((&recipient["Action"], &recipient["Status"]), (&action.into(), &status.into()));
                assert_eq!(recipient["Diagnostic-Code"], "smtp; 451 4.2.1 not now");
                assert_eq!(recipient.get("Will-Retry-Until").is_some(), action == "delayed");
            }
            let text = notice["text"].as_str().unwrap_or_default();
            assert!(text.starts_with(first), "{text}");
            assert!(text.contains("Your message of") && text.contains("Votre message du"), "{text}");
            assert_eq!(text.contains("retention.queue"), action == "failed");
        }
    }
    Ok(())
}

#[test]
fn who_asks_for_it_hears_of_success_and_who_asks_not_to_hears_of_nothing() -> Outcome {
    let host = SmartHost::willing(&[]);
    host.script().refused.insert("never@elsewhere.example", "550 5.1.1 nobody");
    host.script().refused.insert("fails@elsewhere.example", "550 5.1.1 nobody");
    let site = Site::new(host.port);
    let serving = site.serve();
    let own = site.sender.address.clone();
    let to = [
        (own.as_str(), "NOTIFY=SUCCESS ORCPT=rfc822;own+2Bname@example.org"),
        ("goes@elsewhere.example", "NOTIFY=SUCCESS,FAILURE"),
        ("fails@elsewhere.example", "NOTIFY=FAILURE ORCPT=rfc822;first+40elsewhere.example"),
        ("never@elsewhere.example", "NOTIFY=NEVER"),
    ];
    let message = elsewhere("asked");
    serving.login()?.message_asking(&own, "RET=FULL ENVID=QQ+2B314", &to, &message)?;
    serving.until_told("delivered", 1);
    serving.until_told("not-delivered", 2);
    serving.stop();
    assert!(site.spool().is_empty());
    let losses = site.store().losses(10)?;
    assert!(losses.iter().any(|loss| loss.reason.ends_with("(the sender asked not to be told)")), "{losses:?}");
    let notices: Vec<String> = site.inbox().into_iter().filter(|one| one.contains("multipart/report")).collect();
    let mut told = Vec::new();
    for notice in &notices {
        let Some(notice) = parsed(notice) else { return Ok(()) };
        assert_eq!(notice["message"]["Original-Envelope-Id"], "QQ+314");
        let returned = notice["parts"][2].as_str().unwrap_or_default().to_string();
        for recipient in notice["recipients"].as_array().into_iter().flatten() {
            let field = |name: &str| recipient[name].as_str().unwrap_or_default().to_string();
            told.push((field("Final-Recipient"), field("Action"), field("Original-Recipient"), returned.clone()));
        }
    }
    told.sort();
    let line = |to: &str, action: &str, original: &str, returned: &str| {
        (format!("rfc822; {to}"), action.to_string(), original.to_string(), returned.to_string())
    };
    let mut expected = [
        line(&own, "delivered", "rfc822; own+name@example.org", "text/rfc822-headers"),
        line("goes@elsewhere.example", "relayed", "", "text/rfc822-headers"),
        line("fails@elsewhere.example", "failed", "rfc822; first@elsewhere.example", "message/rfc822"),
    ];
    expected.sort();
    assert_eq!(told, expected);
    Ok(())
}

#[test]
fn an_operator_watches_a_session_without_its_secrets_and_content() -> Outcome {
    let host = SmartHost::willing(&[]);
    let site = Site::new(host.port);
    let serving = site.serve();
    let login = site.sender.login.clone();
    let mut watching = site.command(&["trace", "session", "--login", &login, "--for", "4 s"]);
    let watching = watching.stdout(Stdio::piped()).spawn()?;
    wait::until(WITHIN, "somebody watches", || serving.log_text().contains("watched the sessions").then_some(()));
    serving.submit(&["a@elsewhere.example"], &elsewhere("watched"))?;
    let watched = String::from_utf8(watching.wait_with_output()?.stdout)?;
    for word in
        ["C: MAIL FROM:<", "C: RCPT TO:<a@elsewhere.example>", "S: 354", "(content of ", "S: 250 2.6.0 OK, kept as"]
    {
        assert!(watched.contains(word), "{word}: {watched}");
    }
    assert!(!watched.contains("Subject") && !watched.contains(&site.sender.password), "{watched}");
    site.run(&["trace", "session", "--login", "nobody-here", "--for", "1 s"]).ends(2);
    site.run(&["trace", "session", "--login", &login, "--for", "long"]).ends(2);
    serving.stop();
    Ok(())
}

#[test]
fn however_often_the_server_is_killed_each_message_that_fails_is_told_of_once() -> Outcome {
    const MESSAGES: usize = 40;
    let host = SmartHost::start(Script { everybody: Some("550 5.1.1 nobody"), ..Script::default() });
    let site = Site::new(host.port);
    let serving = site.serve();
    let mut submission = serving.login()?;
    for number in 0..MESSAGES {
        let message = elsewhere(&format!("failing{number}"));
        submission.message(&site.sender.address, "", &["reader@elsewhere.example"], &message)?;
    }
    serving.kill();
    host.script().greets = true;
    let mut random = Random::seeded("told-once");
    for round in 0.. {
        let left = site.spool().len();
        if left == 0 {
            break;
        }
        assert!(round < 2 * MESSAGES, "every round settles something");
        let wanted = (1 + random.below(8) as usize).min(left);
        let serving = site.serve();
        serving.until_told("not-delivered", wanted);
        serving.kill();
        assert_eq!(site.inbox().len() + site.spool().len(), MESSAGES, "told and settled are one");
    }
    let notices = site.inbox();
    for number in 0..MESSAGES {
        let subject = format!("\r\nSubject: failing{number}\r\n");
        assert_eq!(notices.iter().filter(|notice| notice.contains(&subject)).count(), 1, "{number}");
    }
    assert_eq!(site.store().losses(1_000)?.len(), MESSAGES);
    Ok(())
}

#[test]
fn a_destination_that_blocks_us_is_left_alone_shown_and_tried_when_an_operator_says_so() -> Outcome {
    let host = refusing("550 5.7.1 [192.0.2.1] is on our block list, write to postmaster");
    let site = Site::new(host.port);
    let serving = site.serve();
    serving.submit(&["a@elsewhere.example"], &elsewhere("first"))?;
    serving.until_told("deferred", 1);
    serving.submit(&["b@elsewhere.example"], &elsewhere("second"))?;
    serving.until_told("deferred", 2);
    assert_eq!((host.asked("a@elsewhere.example"), host.asked("b@elsewhere.example")), (1, 0));
    let listed = site.run(&["queue", "list"]).ends(0);
    assert!(listed.out.contains("BLOCKS US") && listed.out.contains("is on our block list"), "{}", listed.out);
    // A restart remembers it.
    serving.kill();
    let serving = site.serve();
    serving.submit(&["c@elsewhere.example"], &elsewhere("third"))?;
    serving.until_told("deferred", 1);
    assert_eq!(host.asked("c@elsewhere.example"), 0);
    host.script().everybody = None;
    let released = site.run(&["queue", "release", "--domain", "elsewhere.example"]).ends(0);
    assert!(released.out.contains("3 messages released") && released.out.contains("1 destination"), "{}", released.out);
    serving.until_told("delivered", 3);
    serving.stop();
    assert!(site.spool().is_empty() && site.inbox().is_empty());
    Ok(())
}

#[test]
fn operators_hold_release_bounce_and_remove_and_the_audit_knows_who() -> Outcome {
    let host = refusing("451 4.3.0 later");
    let site = Site::new(host.port);
    let serving = site.serve();
    let mut ids = Vec::new();
    for subject in ["held", "bounced", "removed"] {
        ids.push(serving.submit(&["a@elsewhere.example"], &elsewhere(subject))?);
    }
    serving.until_told("deferred", 3);
    site.run(&["queue", "hold", &ids[0]]).ends(0);
    let shown = site.run(&["queue", "show", &ids[0]]).ends(0);
    for word in ["HELD", "451 4.3.0 later", "Subject: held", &*site.sender.address] {
        assert!(shown.out.contains(word), "{word}: {}", shown.out);
    }
    site.run(&["queue", "bounce", &ids[1]]).ends(0);
    site.run(&["queue", "remove", &ids[2]]).ends(0);
    let gone = site.run(&["queue", "show", &ids[2]]).ends(2);
    assert!(gone.err.contains("waits in the queue"), "{}", gone.err);
    site.run(&["queue", "retry"]).ends(2);
    host.script().everybody = None;
    // What is held is not tried, whoever else is.
    site.run(&["queue", "retry", "--sender", &site.sender.address]).ends(0);
    let listed = site.run(&["queue", "list", "--format", "json"]).ends(0);
    assert_eq!(listed.out.lines().count(), 1, "{}", listed.out);
    assert_eq!(host.seen().len(), 0);
    site.run(&["queue", "release", &ids[0]]).ends(0);
    serving.until_told("delivered", 1);
    serving.stop();
    assert!(site.spool().is_empty());
    let notices = site.inbox();
    assert!(notices.len() == 1 && notices[0].contains("Subject: bounced"), "{notices:?}");
    let store = site.store();
    let reasons: Vec<String> = store.losses(10)?.into_iter().map(|loss| loss.reason).collect();
    assert_eq!(reasons, ["removed by an operator", "returned by an operator; the last answer was: 451 4.3.0 later"]);
    let audit: Vec<String> = store.audit(20)?.into_iter().map(|(_, who, what)| format!("{who}: {what}")).collect();
    for (id, act) in [(&ids[0], "hold"), (&ids[1], "bounce"), (&ids[2], "remove"), (&ids[0], "release")] {
        let line = format!("queue {act}: {id}");
        assert!(audit.iter().any(|entry| entry.starts_with("uid ") && entry.ends_with(&line)), "{line}: {audit:#?}");
    }
    Ok(())
}

#[test]
fn why_tells_the_story_by_either_id_and_ends_with_4_when_it_knows_none() -> Outcome {
    let host = SmartHost::willing(&[]);
    host.script().refused.insert("b@elsewhere.example", "550 5.1.1 nobody");
    let site = Site::new(host.port);
    let serving = site.serve();
    let message = [b"Message-ID: <story@client.example>\r\n".as_slice(), &elsewhere("story")].concat();
    let to = ["a@elsewhere.example", "b@elsewhere.example", &*site.sender.address];
    let id = serving.submit(&to, &message)?;
    serving.until_told("delivered", 1);
    serving.until_told("not-delivered", 1);
    wait::until(WITHIN, "the decisions are written", || {
        let told = site.run(&["why", &id]);
        (told.out.matches("decision").count() >= 3).then_some(())
    });
    for asked in [id.as_str(), "<story@client.example>", "story@client.example"] {
        let told = site.run(&["why", asked]).ends(0);
        for word in ["accepted", "delivered", "in mailbox", "b@elsewhere.example did not get it", "550 5.1.1 nobody"] {
            assert!(told.out.contains(word), "{asked}, {word}: {}", told.out);
        }
    }
    site.run(&["why", "<never@client.example>"]).ends(4);
    serving.stop();
    // The decisions name nobody.
    let rows = site.store().decisions(100)?;
    assert!(rows.iter().all(|(_, row)| !row.contains("elsewhere.example")), "{rows:#?}");
    Ok(())
}

#[test]
fn a_drained_server_takes_nothing_new_until_the_drain_ends() -> Outcome {
    let host = refusing("451 4.3.0 later");
    let site = Site::new(host.port);
    let serving = site.serve();
    serving.submit(&["a@elsewhere.example"], &elsewhere("left"))?;
    serving.until_told("deferred", 1);
    let drained = site.run(&["drain"]).ends(0);
    assert!(drained.out.contains("1 message is left"), "{}", drained.out);
    let mut wire = Wire::plain(wire::connect(serving.address(), Ipv4Addr::LOCALHOST)?);
    read_reply(&mut wire)?.expect(421)?;
    site.run(&["drain", "--end"]).ends(0);
    serving.submit(&["a@elsewhere.example"], &elsewhere("taken"))?;
    serving.stop();
    assert_eq!(site.spool().len(), 2);
    let without = site.run(&["drain"]).ends(2);
    assert!(without.err.contains("no server runs"), "{}", without.err);
    Ok(())
}

/// Destinations: of three one takes mail, one defers it, one takes it; the last ones do not even answer.
struct Crowd {
    takes: SmartHost,
    defers: SmartHost,
    site: Site,
    destinations: usize,
}

const DEAD: usize = 3;

impl Crowd {
    fn new(destinations: usize) -> Crowd {
        let (takes, defers) = (SmartHost::willing(&["PIPELINING"]), refusing("451 4.2.0 later"));
        let dead = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let port = |number: usize| match number {
            number if number < DEAD => dead,
            number if number % 3 == 0 => defers.port,
            _ => takes.port,
        };
        let host = |number: usize| format!("h{number}.example");
        let domain = |number: usize| {
            let next_hop = format!("Smtp(\"{}:{}\")", host(number), port(number));
            format!("\"d{number}.example\": PassOn(next_hop: {next_hop}, recipients: Any),")
        };
        let domains: String = (0..destinations).map(domain).collect();
        let more = format!("domains: {{ \"example.org\": Held(), {domains} }},");
        let hosts: Vec<String> = (0..destinations).map(host).collect();
        let site = Site::with(takes.port, &more, &[], &hosts);
        Crowd { takes, defers, site, destinations }
    }

    fn is_taken(&self, number: usize) -> bool {
        let destination = number % self.destinations;
        destination >= DEAD && !destination.is_multiple_of(3)
    }

    /// Puts messages into the spool while nothing serves.
    fn fill(&self, messages: usize) {
        let store = self.site.store();
        let sender: mail::Address = self.site.sender.address.parse().expect("an address");
        for number in 0..messages {
            let mut id = [0; 16];
            id[8..].copy_from_slice(&(number as u64).to_be_bytes());
            let body = store.put_body(&[&elsewhere(&format!("crowd{number}"))]).expect("there is room");
            let domain = format!("d{}.example", number % self.destinations);
            let recipient = QueueRecipient {
                forward_path: format!("r@{domain}").parse().expect("an address"),
                next_hop: NextHop::Route(format!("domain:{domain}")),
                due_at_s: 0,
                facts: Vec::new(),
            };
            let now_s = std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs() as i64;
            let enqueue = Enqueue {
                queue_id: QueueId(id),
                body,
                reverse_path: mail::ReversePath::Address(sender.clone()),
                recipients: vec![recipient],
                plan: String::new(),
                accepted_at_s: now_s,
                facts: Vec::new(),
            };
            let last = number + 1 == messages;
            match last || number % 100 == 0 {
                true => drop(store.commit_wait(vec![Op::Enqueue(Box::new(enqueue))]).expect("the spool takes it")),
                false => {
                    store.commit(vec![Op::Enqueue(Box::new(enqueue))], Box::new(|done| drop(done.expect("taken"))))
                }
            }
        }
    }

    /// Each message for a destination that takes mail is there once, but for those a kill hit between the next hop's 250
    /// and its commit; all others still wait.
    fn run(&self, messages: usize, within: Duration) {
        let begun = std::time::Instant::now();
        let expected = (0..messages).filter(|number| self.is_taken(*number)).count();
        let serving = self.site.serve();
        wait::until(within, "a third is handed over", || (self.takes.contents() >= expected / 3).then_some(()));
        serving.kill();
        let handed = self.takes.contents();
        let serving = self.site.serve();
        let left = messages - expected;
        wait::until(within, "all that can be is handed over", || {
            let status = serving.page("status").ok()?;
            let at = status.find("\"queue_messages\":")? + "\"queue_messages\":".len();
            let waiting: usize = status[at..].split([',', '}']).next()?.parse().ok()?;
            (waiting == left).then_some(())
        });
        let took = begun.elapsed();
        let peak_kib = serving.peak_kib();
        serving.stop();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for one in self.takes.seen() {
            *seen.entry(one.subject()).or_default() += 1;
        }
        let copies: usize = seen.values().sum();
        let twice = copies - seen.len();
        println!("{messages} messages in {took:?}, {handed} before the kill, {twice} twice, {peak_kib} KiB at most");
        assert_eq!(seen.len(), expected, "none is lost");
        assert!(copies - expected <= 200, "{copies} copies of {expected}: no more than were under way at the kill");
        assert_eq!(self.site.spool_count(), left as u64);
        assert_eq!(self.defers.seen().len(), 0);
        // An early message of each willing destination was not behind the whole of another one.
        let mut first: BTreeMap<String, usize> = BTreeMap::new();
        for (place, one) in self.takes.seen().iter().enumerate() {
            first.entry(one.subject()).or_insert(place);
        }
        let willing = (0..self.destinations).filter(|number| self.is_taken(*number));
        let latest_first = willing.filter_map(|number| first.get(&format!("crowd{number}")));
        let latest_first = *latest_first.max().expect("some are willing");
        assert!(latest_first < expected / 2, "the last destination had its first message as number {latest_first}");
    }
}

/// 2,000 messages for 100 destinations; in a long run 100,000 for 5,000.
#[test]
fn many_messages_for_many_destinations_of_which_a_third_defers_all_arrive_in_fair_order() {
    let long = std::env::var("FACTEUR_LONG").is_ok();
    let (messages, destinations, within) = if long { (100_000, 5_000, LONG_WITHIN) } else { (2_000, 100, WITHIN) };
    let crowd = Crowd::new(destinations);
    crowd.fill(messages);
    crowd.run(messages, within);
}
