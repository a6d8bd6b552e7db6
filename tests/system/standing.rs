//! Where accounts stand, over the wire: what each state lets happen, who is told of what, and an account somebody else uses.

use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use mail::date::DateTime;
use serde_json::Value;
use tests::describe::Person;
use tests::program::{self, Ran};
use tests::scratch::Scratch;
use tests::smtp::letter;
use tests::wire::{self, Wire};
use tests::{Facteur, Imap, Options, Outcome, Smtp, wait};

/// A loaded machine.
const WITHIN: Duration = Duration::from_secs(60);

struct House {
    _scratch: Scratch,
    data: PathBuf,
}

impl House {
    fn new() -> House {
        let scratch = Scratch::new("standing");
        let data = scratch.join("data");
        House { _scratch: scratch, data }
    }

    #[track_caller]
    fn serve(&self) -> Facteur {
        let options = Options { people: 3, data: Some(self.data.clone()), ..Options::default() };
        Facteur::start_with(&program::top().join("policies/bench"), options)
    }

    /// `facteur person WORDS --data …`.
    fn person(&self, words: &[&str]) -> Ran {
        program::run(Command::new(program::facteur()).arg("person").args(words).arg("--data").arg(&self.data))
    }

    #[track_caller]
    fn state(&self, login: &str) -> Value {
        let out = self.person(&["state", login, "--format", "json"]).ends(0).out;
        serde_json::from_str(out.lines().last().expect("a line")).expect("JSON")
    }
}

fn who(server: &Facteur, login: &str) -> Person {
    server.describe.person(login).clone()
}

/// So many days from today, in UTC as the policy has it.
fn day(from_today: i64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    DateTime::utc(now.as_secs() as i64).day().plus(from_today).to_iso()
}

fn imap(server: &Facteur, who: &Person) -> io::Result<String> {
    let response =
        Imap::connect(server, "imaps", "outside")?.command(&format!("LOGIN {} {}", who.login, who.password))?;
    let code =
        response.text.split(']').next().filter(|_| response.text.starts_with('[')).map(|code| format!(" {code}]"));
    Ok(if response.status == "OK" {
        response.status
    } else {
        format!("{}{}", response.status, code.unwrap_or_default())
    })
}

fn pop(server: &Facteur, who: &Person) -> io::Result<String> {
    let (listener, network) = (server.describe.listener("pops"), server.describe.network("outside"));
    let mut wire = Wire::plain(wire::connect(listener.addr, network.source)?).tls(&server.tls)?;
    wire.line()?;
    wire.send(format!("USER {}\r\n", who.login).as_bytes())?;
    wire.line()?;
    wire.send(format!("PASS {}\r\n", who.password).as_bytes())?;
    let said = wire.line()?;
    Ok(if said.starts_with("+OK") {
        "OK".to_owned()
    } else {
        said.split(']').next().unwrap_or_default().to_owned() + "]"
    })
}

/// What SMTP says to AUTH, and then to MAIL.
fn submits(server: &Facteur, who: &Person) -> io::Result<String> {
    let mut smtp = Smtp::stranger(server, "subm", "outside")?.starttls()?;
    smtp.ehlo()?.expect(250)?;
    let auth = smtp.login(&who.login, &who.password)?;
    if !auth.is_ok() {
        return Ok(auth.codes());
    }
    Ok(format!("{}, {}", auth.codes(), smtp.mail(&who.address)?.codes()))
}

fn receives(server: &Facteur, who: &Person) -> io::Result<String> {
    let mut smtp = Smtp::stranger(server, "mx", "outside")?;
    smtp.mail("a@client.example")?.expect(250)?;
    Ok(smtp.rcpt(&who.address)?.codes())
}

#[test]
fn each_state_is_enforced_at_login_at_mail_and_at_rcpt() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let user = who(&server, "user0001");
    let sends = "235 2.7.0, 250 2.1.0";
    let (no_imap, no_pop, no_auth) = ("NO [CONTACTADMIN]", "-ERR [SYS/PERM]", "525 5.7.13");
    let (taken, closed) = ("250 2.1.5", "550 5.2.1");
    let leaves = |days: i64| vec!["leave".to_owned(), "user0001".to_owned(), "--on".to_owned(), day(days)];
    let command = |act: &str| {
        let words = [act, "user0001", "--because", "a test asks"];
        words.map(str::to_owned).to_vec()
    };
    let stays = || ["leave", "user0001", "--stays"].map(str::to_owned).to_vec();
    for (words, state, on_imap, on_pop, on_smtp, at_rcpt) in [
        (stays(), "active", "OK", "OK", sends, taken),
        (command("suspend"), "suspended", no_imap, no_pop, no_auth, taken),
        (command("resume"), "active", "OK", "OK", sends, taken),
        (command("hold"), "held", no_imap, no_pop, no_auth, closed),
        (command("release"), "active", "OK", "OK", sends, taken),
        (command("close"), "closed", no_imap, no_pop, no_auth, closed),
        (command("resume"), "active", "OK", "OK", sends, taken),
        (leaves(-1), "grace", "OK", "OK", sends, taken),
        (leaves(-31), "receive-only", "OK", "OK", "235 2.7.0, 550 5.7.1", taken),
        (leaves(-61), "auto-reply", no_imap, no_pop, no_auth, taken),
        (leaves(-121), "closed", no_imap, no_pop, no_auth, closed),
        (stays(), "active", "OK", "OK", sends, taken),
    ] {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        house.person(&words).ends(0);
        assert_eq!(house.state("user0001")["state"], state, "{words:?}");
        assert_eq!(imap(&server, &user)?, on_imap, "{state}");
        assert_eq!(pop(&server, &user)?, on_pop, "{state}");
        assert_eq!(submits(&server, &user)?, on_smtp, "{state}");
        assert_eq!(receives(&server, &user)?, at_rcpt, "{state}");
    }
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn sessions_end_when_an_account_does_and_a_crash_opens_nothing() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let user = who(&server, "user0001");
    let mut reading = Imap::person(&server, "outside", &user)?;
    reading.command("SELECT INBOX")?.ok()?;
    let mut sending = Smtp::person(&server, "subm", "outside", &user)?;
    sending.mail(&user.address)?.expect(250)?;
    let mut other = Imap::person(&server, "outside", &who(&server, "user0002"))?;
    assert_eq!(house.state("user0001")["sessions"].as_array().map(Vec::len), Some(2));
    house.person(&["suspend", "user0001", "--because", "a test asks"]).ends(0);
    assert!(String::from_utf8_lossy(&reading.read()?).starts_with("* BYE"), "IMAP says goodbye");
    sending.reply()?.expect(421)?;
    assert!(sending.is_closed());
    other.command("NOOP")?.ok()?;
    wait::until(WITHIN, "the sessions are forgotten", || {
        house.state("user0001")["sessions"].as_array().is_some_and(Vec::is_empty).then_some(())
    });
    server.kill();

    let server = house.serve();
    assert_eq!(imap(&server, &user)?, "NO [CONTACTADMIN]", "after a crash");
    house.person(&["resume", "user0001", "--because", "a test asks"]).ends(0);
    assert_eq!(imap(&server, &user)?, "OK");
    house.person(&["resume", "user0001", "--because", "twice"]).ends(2);
    Ok(())
}

#[test]
fn who_wrote_to_somebody_who_left_is_told_once_and_the_mail_is_kept() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let (gone, writes) = (who(&server, "user0001"), who(&server, "user0002"));
    house.person(&["leave", "user0001", "--on", &day(-61)]).ends(0);
    let mut smtp = Smtp::person(&server, "subm", "outside", &writes)?;
    for subject in ["one", "two"] {
        smtp.message(&writes.address, &[&gone.address], &letter(&writes.address, &gone.address, subject))?
            .expect(250)?;
    }
    let list = letter(&writes.address, &gone.address, "three").replacen("From:", "List-Id: <l.example>\r\nFrom:", 1);
    smtp.message(&writes.address, &[&gone.address], &list)?.expect(250)?;
    let mut inbox = Imap::person(&server, "outside", &writes)?;
    wait::until(WITHIN, "the reply comes", || (inbox.count("INBOX").ok()? == 1).then_some(()));
    let fetched = inbox.command("UID FETCH 1:* (BODY.PEEK[])")?.ok()?.lines().join("\n");
    for expected in
        ["Auto-Submitted: auto-replied", "Return-Path: <>", "In-Reply-To: <one@client.example>", "Auto: one"]
    {
        assert!(fetched.contains(expected), "{expected}: {fetched}");
    }
    // A crash tells nobody twice.
    server.kill();
    let server = house.serve();
    let mut smtp = Smtp::person(&server, "subm", "outside", &writes)?;
    smtp.message(&writes.address, &[&gone.address], &letter(&writes.address, &gone.address, "four"))?.expect(250)?;
    assert_eq!(Imap::person(&server, "outside", &writes)?.count("INBOX")?, 1);
    house.person(&["leave", "user0001", "--stays"]).ends(0);
    assert_eq!(Imap::person(&server, "outside", &gone)?.count("INBOX")?, 4, "nothing of it is lost");
    Ok(())
}

#[test]
fn a_change_is_told_before_it_comes_and_only_once() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let user = who(&server, "user0001");
    house.person(&["leave", "user0001", "--on", &day(4)]).ends(0);
    let mut inbox = Imap::person(&server, "outside", &user)?;
    assert_eq!(inbox.count("INBOX")?, 1, "of two notices that are due, the later says it all");
    let subject = inbox.command("UID FETCH 1 (BODY.PEEK[HEADER.FIELDS (SUBJECT)])")?.ok()?.lines().join("");
    assert!(subject.contains("user0001") && subject.contains(&day(5)), "{subject}");
    server.kill();
    let server = house.serve();
    house.person(&["leave", "user0001", "--on", &day(4)]).ends(0);
    assert_eq!(Imap::person(&server, "outside", &user)?.count("INBOX")?, 1);
    house.person(&["leave", "user0001", "--on", &day(3)]).ends(0);
    assert_eq!(Imap::person(&server, "outside", &user)?.count("INBOX")?, 2, "another day is news");
    Ok(())
}

#[test]
fn only_a_closed_account_is_erased_and_its_login_stays_given() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let user = who(&server, "user0001");
    Smtp::stranger(&server, "mx", "outside")?
        .message("a@client.example", &[&user.address], &letter("a@client.example", &user.address, "kept"))?
        .expect(250)?;
    house.person(&["erase", "user0001", "--yes"]).ends(2);
    house.person(&["hold", "user0001", "--because", "a judge asks"]).ends(0);
    house.person(&["erase", "user0001", "--yes"]).ends(2);
    house.person(&["close", "user0001", "--because", "not while it is held"]).ends(2);
    house.person(&["release", "user0001", "--because", "the judge is done"]).ends(0);
    house.person(&["close", "user0001", "--because", "left"]).ends(0);
    house.person(&["erase", "user0001", "--yes"]).ends(0);
    assert_eq!(receives(&server, &user)?, "550 5.1.1");
    assert_eq!(imap(&server, &user)?, "NO [AUTHENTICATIONFAILED]");
    house.person(&["state", "user0001"]).ends(2);
    server.stop();
    let store = store::Store::open(&house.data, store::Options::default())?;
    let given = store.given("user0001")?.expect("the ledger keeps it");
    assert!(given.freed_at_s.is_some());
    Ok(())
}

#[test]
fn a_stolen_account_is_contained_and_put_back_as_it_was() -> Outcome {
    let house = House::new();
    let server = house.serve();
    let (user, friend) = (who(&server, "user0001"), who(&server, "user0002"));
    let mut stolen = Smtp::person(&server, "subm", "outside", &user)?;
    stolen.message(&user.address, &[&friend.address], &letter(&user.address, &friend.address, "bait"))?.expect(250)?;
    let secret = house.person(&["app-password", "user0001", "add", "phone"]).ends(0).out.trim().to_owned();
    let phone = Person { password: secret, ..user.clone() };
    assert_eq!(imap(&server, &phone)?, "OK");
    stolen.mail(&user.address)?.expect(250)?;
    stolen.rcpt(&friend.address)?.expect(250)?;

    let out = house.person(&["contain", "user0001", "--because", "phished", "--format", "json"]).ends(0).out;
    let done: Value = serde_json::from_str(out.lines().last().expect("a line"))?;
    assert!(done["sessions"].as_u64() >= Some(1) && done["sent"][0]["subject"] == "bait", "{done}");
    stolen.reply()?.expect(421)?;
    for who in [&user, &phone] {
        assert_eq!(imap(&server, who)?, "NO [AUTHENTICATIONFAILED]");
        assert_eq!(submits(&server, who)?, "535 5.7.8");
    }
    assert_eq!(receives(&server, &user)?, "250 2.1.5", "mail comes in");
    house.person(&["contain", "user0001", "--undo"]).ends(0);
    assert_eq!(imap(&server, &user)?, "NO [AUTHENTICATIONFAILED]", "the old password is what was stolen");
    house.person(&["contain", "user0001", "--undo"]).ends(2);
    house.person(&["contain", "user0001", "--because", "again"]).ends(0);
    house.person(&["contain", "user0001", "--undo", "--old-password"]).ends(0);
    for who in [&user, &phone] {
        assert_eq!(imap(&server, who)?, "OK", "as it was");
    }
    assert_eq!(submits(&server, &user)?, "235 2.7.0, 250 2.1.0");
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn a_server_that_dies_while_it_contains_has_done_all_of_it_or_nothing() -> Outcome {
    let house = House::new();
    let mut server = house.serve();
    let user = who(&server, "user0001");
    for round in 0..3_u64 {
        let mut command = Command::new(program::facteur());
        command.args(["person", "contain", "user0001", "--because", "phished"]).arg("--data").arg(&house.data);
        let mut contains = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn()?;
        // Before, in the middle, and behind it: where the kill falls is the machine's matter.
        let begun = Instant::now();
        let some_time = || (begun.elapsed() >= Duration::from_millis(round * 60)).then_some(());
        wait::until(Duration::from_secs(5), "the command is on its way", some_time);
        server.kill();
        // Without a server the command does it itself: it may come after the kill.
        contains.wait()?;
        server = house.serve();
        let state = house.state("user0001");
        let is_contained = !state["contained"].is_null();
        let expected = if is_contained { "NO [AUTHENTICATIONFAILED]" } else { "OK" };
        assert_eq!(imap(&server, &user)?, expected, "{state}");
        assert_eq!(!state["sending_locked"].is_null(), is_contained, "{state}");
        if is_contained {
            house.person(&["contain", "user0001", "--undo", "--old-password"]).ends(0);
        }
        assert_eq!(imap(&server, &user)?, "OK");
    }
    Ok(())
}
