//! A stolen password, and what looks like one: detected within the first fifty recipients, held, told to the managers, lifted
//! by one command; nothing of the owner's own mail is lost.

use std::time::Duration;

use serde_json::Value;
use store::Op;
use tests::describe::Person;
use tests::smtp::letter;
use tests::{Facteur, Imap, Outcome, Smtp, wait};

use crate::quarantine::{House, json};

/// Whose mailbox stands for the Internet: what leaves the house is put there.
const INTERNET: &str = "toto-jp";
const VICTIM: &str = "kerguelen-y";
const MANAGER: &str = "durand-e";
const PHISH: &str = "Votre boite expire";
/// New recipients a spammer writes to, and of one message.
const SPAMMED: usize = 250;
const AT_ONCE: usize = 5;
const WITHIN: Duration = Duration::from_secs(120);

fn house(name: &str) -> House {
    let internet = "remote: Capture(\"Jean-Pierre.Toto@univ-nantes.fr\")";
    House::new(name, "nantes", &[("remote: DirectMx", internet)], "")
}

impl House {
    /// The lines of `facteur compromise WORDS`.
    #[track_caller]
    fn compromise(&self, words: &[&str]) -> Vec<Value> {
        json(&self.run(&[&["compromise"], words, &["--format", "json"]].concat()).ends(0))
    }

    /// Lets the time of every lock and case go by, while nobody serves.
    #[track_caller]
    fn age(&self, login: &str) {
        let store = crate::outbound::site::open(&self.data());
        let over = |octets: &[u8]| {
            let mut value: Value = serde_json::from_slice(octets).expect("it is JSON");
            let ended = ended(&mut value);
            assert!(ended > 0, "{value} has an end");
            serde_json::to_vec(&value).expect("it stays JSON")
        };
        let cases = store.settings("compromise/case/", "", 9).expect("the store is sound");
        let mut ops: Vec<Op> =
            cases.into_iter().map(|(key, octets)| Op::Setting { key, value: Some(over(&octets)) }).collect();
        let login = mail::Login::new(login).expect("a login");
        let standing = over(&store.person(&login).expect("the store is sound").expect("they are there").standing);
        ops.push(Op::SetStanding { login, standing, due_s: Some(0) });
        store.commit_wait(ops).expect("the store takes it");
    }

    #[track_caller]
    fn case(&self) -> String {
        let cases = self.compromise(&["list"]);
        assert_eq!(cases.len(), 1, "{cases:?}");
        cases[0]["id"].as_str().expect("an id").to_owned()
    }

    #[track_caller]
    fn lift(&self, case: &str, words: &[&str]) -> Value {
        let lift = ["lift", case, "--by", MANAGER, "--because", "a test asks"];
        self.compromise(&[&lift, words].concat()).pop().expect("a line")["case"].clone()
    }
}

/// Puts each `until_s` into the past, and says how many there were.
fn ended(value: &mut Value) -> usize {
    match value {
        Value::Object(fields) => fields
            .iter_mut()
            .map(|(name, value)| match name == "until_s" && value.is_number() {
                true => {
                    *value = 1_000_000_000.into();
                    1
                }
                false => ended(value),
            })
            .sum(),
        Value::Array(values) => values.iter_mut().map(ended).sum(),
        _ => 0,
    }
}

/// Messages with these words in the Subject that somebody has.
fn has(server: &Facteur, login: &str, subject: &str) -> std::io::Result<usize> {
    let who = server.describe.person(login).clone();
    let mut imap = Imap::person(server, "inside", &who)?;
    imap.command("EXAMINE INBOX")?.ok()?;
    let found = imap.command(&format!("SEARCH SUBJECT \"{subject}\""))?.ok()?;
    Ok(found.lines().iter().flat_map(|line| line.split(' ')).filter(|word| word.parse::<u32>().is_ok()).count())
}

#[track_caller]
fn until_has(server: &Facteur, login: &str, subject: &str, many: usize) {
    wait::until(WITHIN, &format!("{login} has {many} of `{subject}`"), || {
        (has(server, login, subject).ok()? >= many).then_some(())
    });
}

fn sends(server: &Facteur, network: &str, who: &Person, to: &[String], subject: &str) -> std::io::Result<()> {
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let mut smtp = Smtp::person(server, "subs", network, who)?;
    smtp.message(&who.address, &to, &letter(&who.address, to[0], subject))?.expect(250).map(drop)
}

fn partners(name: &str, many: usize) -> Vec<String> {
    (0..many).map(|number| format!("{name}{number}@partner.example")).collect()
}

/// A message of somebody else leaves after everything that may leave has.
fn everything_left(server: &Facteur, subject: &str) -> Outcome {
    let other = server.describe.person("legoff-m").clone();
    sends(server, "inside", &other, &partners("other", 1), subject)?;
    until_has(server, INTERNET, subject, 1);
    Ok(())
}

#[test]
fn a_spammer_with_the_right_password_is_held_within_fifty_recipients_and_the_owner_loses_nothing() -> Outcome {
    let house = house("stolen");
    let server = house.serve(0);
    let victim = server.describe.person(VICTIM).clone();
    sends(&server, "inside", &victim, &partners("colleague", 3), "Reunion un")?;
    until_has(&server, INTERNET, "Reunion un", 1);

    let recipients = partners("stranger", SPAMMED);
    let mut smtp = Smtp::person(&server, "subs", "outside", &victim)?;
    let mut detected_at = None;
    for (number, some) in recipients.chunks(AT_ONCE).enumerate() {
        let to: Vec<&str> = some.iter().map(String::as_str).collect();
        // Nothing tells the spammer.
        smtp.message(&victim.address, &to, &letter(&victim.address, to[0], PHISH))?.expect(250)?;
        if detected_at.is_none() && server.metric("facteur_compromise_cases_total{detector=\"first-time\"}") == 1.0 {
            detected_at = Some((number + 1) * AT_ONCE);
        }
    }
    let detected_at = detected_at.expect("it is detected");
    assert!(detected_at <= 50, "detected after {detected_at} recipients");
    everything_left(&server, "Autre un")?;
    let left = has(&server, INTERNET, PHISH)? * AT_ONCE;
    println!("detected at recipient {detected_at}; {left} recipients were sent to before");
    assert!(left < detected_at, "not one message leaves that was accepted since");

    // The owner writes on, and a kill loses neither the hold nor what is held.
    sends(&server, "inside", &victim, &partners("colleague", 3), "Reunion deux")?;
    server.kill();
    let server = house.serve(0);
    everything_left(&server, "Autre deux")?;
    assert_eq!(has(&server, INTERNET, PHISH)? * AT_ONCE, left);
    assert_eq!(has(&server, INTERNET, "Reunion deux")?, 0);

    let id = house.case();
    until_has(&server, MANAGER, &id, 1);
    let shown = house.compromise(&["show", &id]).pop().expect("a line");
    assert_eq!((&shown["case"]["login"], &shown["case"]["rule"]), (&VICTIM.into(), &"compromise.first-time".into()));
    let held = shown["held"].as_array().expect("a list");
    assert_eq!(held.len(), (SPAMMED - left) / AT_ONCE + 1);
    assert!(held.iter().any(|message| message["subject"] == "Reunion deux"), "{held:?}");
    assert!(shown["case"]["from"].as_array().is_some_and(|from| !from.is_empty()), "{shown}");
    let listed = house.run(&["queue", "list", "--login", VICTIM]).ends(0).out;
    assert!(listed.contains("HELD: ") && listed.contains("compromise.first-time"), "{listed}");

    let stranger = house.run(&["compromise", "lift", &id, "--by", "toto-j", "--because", "a test asks"]);
    assert!(stranger.code != Some(0), "{}", stranger.out);
    let case = house.lift(&id, &["--discard-subject", PHISH]);
    assert_eq!((&case["released"], &case["discarded"]), (&1.into(), &((SPAMMED - left) / AT_ONCE).into()));
    until_has(&server, INTERNET, "Reunion deux", 1);
    until_has(&server, VICTIM, "Vos envois repartent", 1);
    sends(&server, "inside", &victim, &partners("colleague", 3), "Reunion trois")?;
    until_has(&server, INTERNET, "Reunion trois", 1);
    assert_eq!(has(&server, INTERNET, PHISH)? * AT_ONCE, left, "what was discarded never goes");
    assert!(house.compromise(&["list"]).is_empty());
    let again = house.run(&["compromise", "lift", &id, "--because", "a test asks"]);
    assert!(again.code != Some(0), "{}", again.out);
    let ways = house.run(&["person", "accesses", VICTIM]).ends(0).out;
    assert!(ways.contains("smtp") && ways.contains("outside") && ways.contains("inside"), "{ways}");
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    server.stop();
    let store = crate::outbound::site::open(&house.data());
    let lost = store.losses(1_000)?.iter().filter(|loss| loss.reason.contains("compromise.first-time")).count();
    assert_eq!(lost, SPAMMED - left, "each recipient that got nothing is on the record");
    Ok(())
}

#[test]
fn writing_to_colleagues_is_no_sign_and_a_mailing_to_new_partners_waits_for_a_word() -> Outcome {
    let house = house("mailing");
    let server = house.serve(60);
    let teacher = server.describe.person(VICTIM).clone();
    let colleagues: Vec<String> = server.describe.people.iter().map(|who| who.address.clone()).take(60).collect();
    for some in colleagues.chunks(30) {
        sends(&server, "inside", &teacher, some, "Examens")?;
    }
    assert!(house.compromise(&["list"]).is_empty());
    // Whom one wrote to before is no news.
    for round in ["Un", "Deux", "Trois"] {
        sends(&server, "inside", &teacher, &partners("known", 30), round)?;
    }
    assert!(house.compromise(&["list"]).is_empty());
    let new = partners("new", 45);
    sends(&server, "inside", &teacher, &new, "Invitation")?;
    let id = house.case();
    sends(&server, "inside", &teacher, &colleagues[..1], "Interne")?;
    everything_left(&server, "Autre")?;
    assert_eq!(has(&server, INTERNET, "Invitation")?, 0, "it waits");
    let case = house.lift(&id, &["--release"]);
    assert_eq!((&case["released"], &case["discarded"]), (&2.into(), &0.into()));
    until_has(&server, INTERNET, "Invitation", 1);
    let first = server.describe.people.iter().find(|who| who.address == colleagues[0]).expect("they are there");
    until_has(&server, &first.login.clone(), "Interne", 1);
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn a_locked_account_reads_on_and_sends_nothing_until_its_case_is_over() -> Outcome {
    let detector = "compromise: {\"spree\": (when: FirstTimeRecipients(\"5 / 15 min\"), \
                    then: [Alert, LockSending(for: \"1 h\"), EndSessions])},\n    backup: (";
    let internet = "remote: Capture(\"Jean-Pierre.Toto@univ-nantes.fr\")";
    let house = House::new("locked", "nantes", &[("remote: DirectMx", internet), ("backup: (", detector)], "");
    let server = house.serve(0);
    let victim = server.describe.person(VICTIM).clone();
    let mut reader = Imap::person(&server, "inside", &victim)?;
    let mut writer = Smtp::person(&server, "subs", "inside", &victim)?;
    let mut colleague = Imap::person(&server, "inside", &server.describe.person("legoff-m").clone())?;
    // The session that writes ends with the others, so that its last message may be cut off.
    let _ = sends(&server, "inside", &victim, &partners("stranger", 6), "Invitation");
    let id = wait::until(WITHIN, "there is a case", || {
        Some(house.compromise(&["list"]).first()?["id"].as_str()?.to_owned())
    });
    wait::until(WITHIN, "its sessions are over", || reader.command("NOOP").map_or(Some(()), |_| None));
    assert!(writer.mail(&victim.address).and_then(|reply| reply.expect(250)).is_err(), "the session is over");
    colleague.command("NOOP")?.ok()?;
    // The password opens the account as before, which reads and gets mail.
    let mut smtp = Smtp::person(&server, "subs", "inside", &victim)?;
    let refused = smtp.mail(&victim.address)?;
    assert!(!refused.is_ok(), "{}", refused.text());
    let other = server.describe.person("legoff-m").clone();
    sends(&server, "inside", &other, std::slice::from_ref(&victim.address), "Bonjour")?;
    until_has(&server, VICTIM, "Bonjour", 1);
    // The lock outlives a kill, and its end needs nobody.
    server.kill();
    let server = house.serve(0);
    let mut smtp = Smtp::person(&server, "subs", "inside", &victim)?;
    assert!(!smtp.mail(&victim.address)?.is_ok());
    until_has(&server, MANAGER, &id, 1);
    server.stop();
    house.age(VICTIM);
    let server = house.serve(0);
    wait::until(WITHIN, "the case ends", || house.compromise(&["list"]).is_empty().then_some(()));
    sends(&server, "inside", &victim, &partners("colleague", 1), "Reunion")?;
    until_has(&server, INTERNET, "Reunion", 1);
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}

#[test]
fn a_hold_nobody_looks_at_ends_by_itself_and_what_was_held_goes() -> Outcome {
    let house = house("expired");
    let server = house.serve(0);
    let victim = server.describe.person(VICTIM).clone();
    sends(&server, "inside", &victim, &partners("new", 45), "Invitation")?;
    let id = house.case();
    everything_left(&server, "Autre")?;
    assert_eq!(has(&server, INTERNET, "Invitation")?, 0, "it waits");
    server.stop();
    house.age(VICTIM);
    let server = house.serve(0);
    until_has(&server, INTERNET, "Invitation", 1);
    wait::until(WITHIN, "the case ends", || house.compromise(&["list"]).is_empty().then_some(()));
    let shown = house.compromise(&["show", &id]).pop().expect("a line");
    assert_eq!((&shown["case"]["ended_by"], &shown["case"]["discarded"]), (&"policy".into(), &0.into()), "{shown}");
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    Ok(())
}
