//! Another plan for a server that runs: what a trial does to those who are connected, and what is left of it when nobody confirms.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tests::scratch::Scratch;
use tests::smtp::{Smtp, letter};
use tests::{Facteur, Imap, Options, policy_copy, program, wait};

use crate::outbound::site::Site;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A loaded machine is slow; this is generous.
const WITHIN: Duration = Duration::from_secs(90);
/// Of a trial that ends by itself: as the appliance promises it with FACTEUR_LONG, else shorter. With it, and within what time the
/// plan before has to be back.
fn trial(short: &'static str) -> (&'static str, Option<Duration>) {
    match std::env::var_os("FACTEUR_LONG") {
        Some(_) => ("1 min", Some(Duration::from_secs(70))),
        None => (short, None),
    }
}

/// What an account may send in the bench policy, and what these tests let it send.
const UNLIMITED: &str = "messages_accepted: Unlimited";
const THREE_AN_HOUR: &str = "messages_accepted: [\"3 / 1 h\"]";
/// The block people send through, and one nobody from outside has.
const EVERYBODY: &str = "connecting_to: [\"subm\"], from: Everywhere";
const NOBODY: &str = "connecting_to: [\"subm\"], from: [\"nearby\"]";

/// The bench policy with other texts in it, as a folder of its own.
fn policy(scratch: &Scratch, name: &str, changes: &[(&str, &str)]) -> PathBuf {
    let made = Scratch::new(name);
    let folder = policy_copy::changed(&made, "bench", changes);
    let kept = scratch.join(name);
    std::fs::rename(folder, &kept).expect("both are in the scratch folder");
    kept
}

fn facteur(data: &Path, words: &[&str]) -> program::Ran {
    program::run(Command::new(program::facteur()).args(words).arg("--data").arg(data))
}

fn deploy(data: &Path, policy: &Path, confirm: &str, more: &[&str]) -> program::Ran {
    let policy = policy.to_string_lossy();
    let words = [&["deploy", &policy, "--confirm", confirm, "--reason", "a test"], more].concat();
    facteur(data, &words)
}

fn serve(policy: &Path, data: &Path) -> Facteur {
    Facteur::start_with(policy, Options { data: Some(data.to_path_buf()), ..Options::default() })
}

/// The line of the metric that says which plan runs.
fn running(server: &Facteur) -> String {
    let page = server.metrics();
    page.lines().find(|line| line.starts_with("mail_plan_info{")).unwrap_or_default().to_owned()
}

#[test]
fn a_plan_that_refuses_everybody_goes_by_itself_and_nobody_is_cut() -> Outcome {
    let scratch = Scratch::new("deploy");
    let data = scratch.join("data");
    let before = policy(&scratch, "before", &[(UNLIMITED, THREE_AN_HOUR)]);
    let after = policy(&scratch, "after", &[(UNLIMITED, THREE_AN_HOUR), (EVERYBODY, NOBODY)]);
    let server = serve(&before, &data);
    let people = server.describe.people.clone();
    let (sender, reader) = (&people[0], &people[1]);
    let text = letter(&sender.address, &reader.address, "trial");
    let mut idle = Imap::person(&server, "outside", reader)?;
    idle.command("SELECT INBOX")?.ok()?;
    idle.send(b"i IDLE\r\n")?;
    assert!(idle.read()?.starts_with(b"+"), "IDLE is taken up");
    let mut other = Smtp::person(&server, "subm", "outside", sender)?;
    other.message(&sender.address, &[&reader.address], &text)?.expect(250)?;
    let mut slow = Smtp::person(&server, "subm", "outside", sender)?;
    slow.mail(&sender.address)?.expect(250)?;
    slow.rcpt(&reader.address)?.expect(250)?;
    slow.command("DATA")?.expect(354)?;
    slow.send(&text.as_bytes()[..text.len() / 2])?;

    let (confirm, promised) = trial("20 s");
    let began = Instant::now();
    let deployed = deploy(&data, &after, confirm, &[]).ends(0);
    assert!(deployed.out.contains("serial 2") && deployed.out.contains("unless `facteur confirm`"), "{}", deployed.out);
    assert!(running(&server).contains("serial=\"2\",state=\"trial\""), "{}", running(&server));
    // A connection of before: its next transaction is judged by the plan on trial, the one under way is not.
    let refused = other.mail(&sender.address)?;
    assert!(!refused.is_ok(), "{refused:?}");
    slow.send(format!("{}\r\n.\r\n", text[text.len() / 2..].trim_end()).as_bytes())?;
    slow.reply()?.expect(250)?;

    wait::until(WITHIN, "the plan before is back", || {
        running(&server).contains("serial=\"1\",state=\"confirmed\"").then_some(())
    });
    within(began, promised);
    assert!(server.metrics().contains("mail_plan_rollbacks_total{cause=\"timeout\"} 1"), "{}", server.metrics());
    let late = facteur(&data, &["confirm"]).ends(7);
    assert!(late.err.contains("rolled back: timeout"), "{}", late.err);
    let told = facteur(&data, &["history"]).ends(0).out;
    // A line of names and one for each.
    assert!(told.lines().count() == 3 && told.contains("rolled back: timeout") && told.contains("a test"), "{told}");

    // Two of three were sent before and during the trial.
    other.message(&sender.address, &[&reader.address], &text)?.expect(250)?;
    let over = slow.mail(&sender.address)?;
    assert!(!over.is_ok(), "counters are kept: {over:?}");
    // IDLE told of all three on the connection it began on.
    while !idle.read()?.starts_with(b"* 3 EXISTS") {}
    idle.send(b"DONE\r\n")?;
    while !idle.read()?.starts_with(b"i OK") {}
    idle.command("NOOP")?.ok()?;
    server.stop();
    Ok(())
}

/// Says how long it took, and holds the promise where there is one.
fn within(began: Instant, promised: Option<Duration>) {
    let took = began.elapsed();
    if let Some(promised) = promised {
        eprintln!("the plan before was back after {:.1} s", took.as_secs_f64());
        assert!(took <= promised, "{took:?}");
    }
}

#[test]
fn a_kill_during_the_trial_is_the_end_of_it() -> Outcome {
    let scratch = Scratch::new("deploy");
    let data = scratch.join("data");
    let before = policy(&scratch, "before", &[]);
    let after = policy(&scratch, "after", &[(EVERYBODY, NOBODY)]);
    let server = serve(&before, &data);
    let (confirm, promised) = trial("1 h");
    let began = Instant::now();
    deploy(&data, &after, confirm, &[]).ends(0);
    assert!(running(&server).contains("state=\"trial\""), "{}", running(&server));
    server.kill();
    let server = serve(&before, &data);
    within(began, promised);
    assert!(running(&server).contains("serial=\"1\",state=\"confirmed\""), "{}", running(&server));
    let sender = server.describe.people[0].clone();
    Smtp::person(&server, "subm", "outside", &sender)?.mail(&sender.address)?.expect(250)?;
    let told = facteur(&data, &["history"]).ends(0).out;
    assert!(told.contains("rolled back: restart"), "{told}");
    facteur(&data, &["confirm"]).ends(7);
    Ok(())
}

#[test]
fn a_limit_holds_from_the_next_mail_of_an_open_connection_and_not_inside_a_transaction() -> Outcome {
    let scratch = Scratch::new("deploy");
    let data = scratch.join("data");
    let before = policy(&scratch, "before", &[]);
    let one = ("each_account: (recipients_in_one_message: 1000", "each_account: (recipients_in_one_message: 1");
    let after = policy(&scratch, "after", &[one]);
    let server = serve(&before, &data);
    let people = server.describe.people.clone();
    let (sender, first, second) = (&people[0], &people[1].address, &people[0].address);
    let mut smtp = Smtp::person(&server, "subm", "outside", sender)?;
    smtp.mail(&sender.address)?.expect(250)?;
    smtp.rcpt(first)?.expect(250)?;
    deploy(&data, &after, "1 h", &[]).ends(0);
    smtp.rcpt(second)?.expect(250)?;
    smtp.data(&letter(&sender.address, first, "one"))?.expect(250)?;
    smtp.mail(&sender.address)?.expect(250)?;
    smtp.rcpt(first)?.expect(250)?;
    let over = smtp.rcpt(second)?;
    assert!(!over.is_ok(), "{over:?}");
    facteur(&data, &["confirm"]).ends(0);
    assert!(running(&server).contains("serial=\"2\",state=\"confirmed\""), "{}", running(&server));
    // The transaction goes on, and so does the connection.
    smtp.data(&letter(&sender.address, first, "two"))?.expect(250)?;
    let same =
        program::run(Command::new(program::facteur()).args(["diff", "deployed"]).arg(&after).arg("--data").arg(&data));
    same.ends(0);
    facteur(&data, &["rollback", "--reason", "enough"]).ends(0);
    assert!(running(&server).contains("serial=\"3\",state=\"confirmed\""), "{}", running(&server));
    smtp.mail(&sender.address)?.expect(250)?;
    smtp.rcpt(first)?.expect(250)?;
    smtp.rcpt(second)?.expect(250)?;
    Ok(())
}

#[test]
fn what_loosens_or_restarts_has_to_be_said() -> Outcome {
    let scratch = Scratch::new("deploy");
    let data = scratch.join("data");
    let before = policy(&scratch, "before", &[(EVERYBODY, NOBODY)]);
    let looser = policy(&scratch, "looser", &[]);
    let renamed = ("\"subm\":  (host: \"mail.example.org\"", "\"subm\":  (host: \"send.example.org\"");
    let other = policy(&scratch, "other", &[(EVERYBODY, NOBODY), renamed]);
    let server = serve(&before, &data);
    let sender = server.describe.people[0].clone();
    let first = running(&server);
    let said = deploy(&data, &looser, "1 h", &[]).ends(7);
    assert!(said.err.contains("L1007"), "{}", said.err);
    let said = deploy(&data, &other, "1 h", &[]).ends(7);
    assert!(said.err.contains("E1005") && said.err.contains("subm"), "{}", said.err);
    deploy(&data, &before, "1 h", &[]).ends(7);
    deploy(&data, &other, "1 s", &["--restart", "subm"]).ends(7);
    assert_eq!(running(&server), first, "nothing changed");

    let mut old = Smtp::person(&server, "subm", "nearby", &sender)?;
    deploy(&data, &other, "1 h", &["--restart", "subm"]).ends(0);
    let new = Smtp::person(&server, "subm", "nearby", &sender)?;
    assert!(new.greeting.text().contains("send.example.org"), "{:?}", new.greeting);
    old.mail(&sender.address)?.expect(250)?;
    deploy(&data, &looser, "1 h", &["--ack", "loosen"]).ends(7);
    facteur(&data, &["rollback"]).ends(0);
    let again = Smtp::person(&server, "subm", "nearby", &sender)?;
    assert!(again.greeting.text().contains("mail.example.org"), "{:?}", again.greeting);
    deploy(&data, &looser, "1 h", &["--ack", "loosen"]).ends(0);
    Smtp::person(&server, "subm", "outside", &sender)?.mail(&sender.address)?.expect(250)?;
    Ok(())
}

#[test]
fn a_start_serves_what_was_confirmed_and_not_what_a_file_says() -> Outcome {
    let site = Site::new(9);
    let variant = |recipients: &str| -> std::io::Result<String> {
        let folder = site.scratch().join(&format!("of{recipients}"));
        fs::create_dir_all(&folder)?;
        let text = fs::read_to_string(site.scratch().join("bench").join("policy.ron"))?;
        let most = "recipients_in_one_message: ";
        fs::write(folder.join("policy.ron"), text.replace(&format!("{most}1000"), &format!("{most}{recipients}")))?;
        Ok(folder.to_string_lossy().into_owned())
    };
    let (confirmed, tried) = (variant("500")?, variant("400")?);
    let serving = site.serve();
    site.run(&["deploy", &confirmed, "--confirm", "1 h", "--reason", "fewer"]).ends(0);
    site.run(&["confirm"]).ends(0);
    site.run(&["deploy", &tried, "--confirm", "1 h", "--reason", "fewer still"]).ends(0);
    serving.kill();
    // Nothing serves: what a start would serve.
    site.run(&["diff", "deployed", &confirmed]).ends(0);
    let serving = site.serve();
    site.run(&["diff", "deployed", &confirmed]).ends(0);
    let told = site.run(&["history"]).ends(0).out;
    assert!(told.contains("rolled back: restart") && told.contains("replaced"), "{told}");
    serving.stop();
    Ok(())
}

#[test]
fn port_25_stays_closed_until_the_machine_is_healthy() -> Outcome {
    let site = Site::new(9);
    let facts = site.scratch().join("site.ron");
    let one = "listeners: {\"subm\": [\"127.0.0.1:0\"]}";
    let two = "listeners: {\"subm\": [\"127.0.0.1:0\"], \"mx\": [\"127.0.0.1:0\"]}";
    let text = fs::read_to_string(&facts)?;
    assert!(text.contains(one), "{text}");
    fs::write(&facts, text.replace(one, two))?;
    let serving = site.serve_with(&["--wait-for-health"]);
    let listens = |line: &str| line.contains("listening") && line.contains("mx");
    assert!(!serving.log().lines().any(listens), "{}", serving.log());
    let healthy = |plan: &str| -> std::io::Result<String> {
        let mut control = UnixStream::connect(site.data().join("control.sock"))?;
        let body = format!("{{\"plan\":\"{plan}\"}}");
        let length = body.len();
        write!(control, "POST /healthy HTTP/1.1\r\nHost: control\r\nContent-Length: {length}\r\n\r\n{body}")?;
        let mut answer = String::new();
        control.read_to_string(&mut answer)?;
        Ok(answer)
    };
    assert!(healthy("00000000")?.contains("failed"), "another plan than this one was found healthy");
    let opened = healthy("")?;
    let address = opened.split('"').find(|word| word.starts_with("127.0.0.1:")).ok_or("it says where")?;
    let mut greeting = [0; 4];
    TcpStream::connect(address)?.read_exact(&mut greeting)?;
    assert_eq!(&greeting, b"220 ");
    assert!(!healthy("")?.contains("127.0.0.1:"), "it is open already");
    serving.stop();
    Ok(())
}

#[test]
fn a_machine_comes_up_with_the_newest_whole_plan_and_says_what_is_damaged() -> Outcome {
    let site = Site::new(9);
    let text = fs::read_to_string(site.scratch().join("bench").join("policy.ron"))?;
    let most = "recipients_in_one_message: ";
    let mut policies = Vec::new();
    let serving = site.serve();
    for number in ["500", "400"] {
        let folder = site.scratch().join(&format!("of{number}"));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("policy.ron"), text.replace(&format!("{most}1000"), &format!("{most}{number}")))?;
        let folder = folder.to_string_lossy().into_owned();
        site.run(&["deploy", &folder, "--confirm", "1 h", "--reason", "fewer"]).ends(0);
        site.run(&["confirm"]).ends(0);
        policies.push(folder);
    }
    serving.stop();
    let plans = site.data().join("plans");
    let state = fs::read_to_string(plans.join("state.ron"))?;
    fs::write(plans.join("state.ron"), &state[..state.len() / 2])?;
    let serving = site.serve();
    assert!(serving.log().contains("state.ron"), "{}", serving.log());
    site.run(&["diff", "deployed", &policies[1]]).ends(0);
    let status = site.run(&["status"]).ends(1).out;
    assert!(status.contains("plans were damaged"), "{status}");
    serving.stop();

    let named = state.split('"').nth(1).ok_or("the state names a plan")?;
    let file = plans.join(format!("{named}.plan.ron"));
    fs::write(&file, fs::read_to_string(&file)?.replacen("400", "4000", 1))?;
    let serving = site.serve();
    assert!(serving.log().contains(named), "the file that is damaged is named: {}", serving.log());
    site.run(&["diff", "deployed", &policies[0]]).ends(0);
    // It stands until somebody says that this plan is to stay.
    site.run(&["confirm"]).ends(0);
    let status = site.run(&["status"]).out;
    assert!(!status.contains("damaged"), "{status}");
    serving.stop();
    Ok(())
}

#[test]
fn a_connection_of_before_is_told_and_bound_by_the_plan_of_each_command() -> Outcome {
    let scratch = Scratch::new("deploy");
    let data = scratch.join("data");
    let before = policy(&scratch, "before", &[]);
    let smaller = ("message_size: \"100 MB\"", "message_size: \"1 MB\"");
    let after = policy(&scratch, "after", &[(EVERYBODY, NOBODY), smaller]);
    let server = serve(&before, &data);
    let sender = server.describe.people[0].clone();
    let mut imap = Imap::person(&server, "outside", &sender)?;
    let mut stranger = Smtp::connect(&server, "subm", "outside")?;
    stranger.ehlo()?;
    let mut stranger = stranger.starttls()?;
    stranger.ehlo()?;
    let long = format!("Subject: long\r\n\r\n{}", format!("{}\r\n", "x".repeat(70)).repeat(30_000));
    imap.append("INBOX", long.as_bytes())?.ok()?;
    deploy(&data, &after, "1 h", &[]).ends(0);
    let told = imap.command("CAPABILITY")?.ok()?.lines().join(" ");
    let limit = told.split_once("APPENDLIMIT=").and_then(|(_, limit)| limit.split(' ').next()).unwrap_or_default();
    assert!(limit.parse::<usize>()? < long.len(), "{told}");
    assert!(
        imap.append("INBOX", long.as_bytes()).and_then(|answer| answer.ok()).is_err(),
        "it is bound by what it is told"
    );
    let size = stranger.ehlo()?;
    assert!(size.lines.contains(&format!("SIZE {limit}")), "{size:?}");
    // Nobody comes in from there any more.
    let refused = stranger.login(&sender.login, &sender.password)?;
    assert!(!refused.is_ok(), "{refused:?}");
    Ok(())
}
