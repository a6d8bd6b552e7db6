//! People from directory servers: Debian's slapd with two thousand people, a hundred thousand in the long form. What it says
//! and does not say, when it goes away, and when it says too much at once.

mod house;
mod slapd;

use std::time::Instant;

use mail::Login;
use store::PersonSource;
use tests::Outcome;
use tests::redirects::{Answer, cases};
use tests::skip::{self, Missing};

use self::house::{House, Serving};
use self::slapd::{ASKERS_SECRET, PASSWORD, Slapd, Somebody, people};

/// No bound for the asker.
const ALL: &str = "size=unlimited";

fn is_here(test: &str) -> bool {
    let here = Slapd::is_here();
    if !here {
        skip::skip(test, Missing::Program("slapd"));
    }
    here
}

fn many() -> usize {
    if std::env::var_os("FACTEUR_LONG").is_some() { 100_000 } else { 2_000 }
}

/// A server of the house under TLS from the first octet, and one by StartTLS.
#[track_caller]
fn servers(house: &House, people: &[Somebody]) -> (Slapd, Slapd) {
    let shown = |name: &str| house.authority.certifies(name);
    let first = Slapd::start(&house.scratch, "ldaps", &shown("ldap1.univ.example"), people, ALL);
    let second = Slapd::start(&house.scratch, "starttls", &shown("ldap2.univ.example"), people, ALL);
    house.between(&first, &second);
    (first, second)
}

/// Waits until a sync took over so many entries.
#[track_caller]
fn until_read(house: &House, entries: usize) -> serde_json::Value {
    house.until("everybody was read", |status| status["last"]["entries"].as_u64() == Some(entries as u64))
}

/// People of the directory in the store who have a last day, and all of them.
#[track_caller]
fn left_and_all(house: &House) -> (usize, usize) {
    let store = house.store();
    let (mut after, mut left, mut all) = (None::<Login>, 0, 0);
    loop {
        let page = store.people(after.as_ref(), 1_000).expect("the store can be read");
        let Some(last) = page.last() else { return (left, all) };
        after = Some(last.person.login.clone());
        let theirs: Vec<_> = page.iter().filter(|row| row.origin.source == PersonSource::Ldap).collect();
        all += theirs.len();
        left += theirs.iter().filter(|row| !row.origin.until.is_empty()).count();
    }
}

#[test]
fn who_is_known_keeps_working_while_servers_go_and_nobody_is_unknown_by_guess() -> Outcome {
    if !is_here("who_is_known_keeps_working_while_servers_go") {
        return Ok(());
    }
    let (house, everybody) = (House::new(), people(many()));
    let (mut first, mut second) = servers(&house, &everybody);
    let began = Instant::now();
    let mut serving = house.serve();
    let status = until_read(&house, everybody.len());
    let (now, peak) = serving.memory_kib();
    let took = began.elapsed().as_secs_f64();
    eprintln!(
        "{} people: sync {} ms, {took:.1} s from the start, {now} KiB now, {peak} at most",
        everybody.len(),
        status["last"]["took_ms"]
    );
    assert_eq!((&status["last"]["refused"], &status["is_stale"]), (&0.into(), &false.into()), "{status}");
    let (known, unknown) = (everybody[10].clone(), "nobody@univ.example");
    assert!(serving.receives(&known.address(), "hello"));
    assert_eq!(serving.rcpt(unknown), "550 5.1.1");
    // Somebody who came a minute ago has mail now.
    let newcomer = Somebody { number: 900_000, ..known.clone() };
    first.add(&newcomer);
    assert_eq!(serving.rcpt(&newcomer.address()), "250 2.1.5");
    // One room dark: the other is asked.
    first.kill();
    assert_eq!(serving.rcpt("nobody.else@univ.example"), "550 5.1.1");
    second.kill();
    assert!(serving.receives(&known.address(), "in the dark"), "who is known receives");
    assert_eq!(serving.rcpt("anybody@univ.example"), "451 4.4.3");
    let status = house.status();
    let troubles = status["servers"].as_array().expect("a list").iter().filter(|it| it["trouble"] != "").count();
    assert_eq!((troubles, &status["is_stale"]), (2, &false.into()), "{status}");
    first.run();
    let heals = |serving: &mut Serving<'_>| serving.rcpt("nobody.at.all@univ.example") == "550 5.1.1";
    tests::wait::until(house::WITHIN, "it heals", || heals(&mut serving).then_some(()));
    serving.stop();
    assert_eq!(left_and_all(&house), (0, everybody.len() + 1));
    Ok(())
}

#[test]
fn a_login_is_a_bind_and_what_it_proved_holds_while_no_server_answers() -> Outcome {
    if !is_here("a_login_is_a_bind") {
        return Ok(());
    }
    let (house, everybody) = (House::new(), people(60));
    let (mut first, mut second) = servers(&house, &everybody);
    let mut serving = house.serve();
    until_read(&house, everybody.len());
    let (known, not_yet) = (everybody[10].login(), everybody[30].login());
    assert_eq!(serving.login(&known, PASSWORD), "OK");
    assert_eq!(serving.login(&known, "something-else"), "NO [AUTHENTICATIONFAILED]");
    assert_eq!(
        serving.login(&everybody[11].login(), PASSWORD),
        "NO [AUTHENTICATIONFAILED]",
        "who has no password there"
    );
    first.kill();
    assert_eq!(serving.login(&everybody[20].login(), PASSWORD), "OK", "the other room is asked");
    second.kill();
    // It is written down a moment after the bind.
    let remembered = "what a bind proved is remembered";
    tests::wait::until(house::WITHIN, remembered, || (serving.login(&known, PASSWORD) == "OK").then_some(()));
    assert_eq!(serving.login(&not_yet, PASSWORD), "NO [UNAVAILABLE]", "nobody hears that it is wrong");
    first.run();
    tests::wait::until(house::WITHIN, "it heals", || (serving.login(&not_yet, PASSWORD) == "OK").then_some(()));
    serving.stop();
    Ok(())
}

#[test]
fn too_many_changes_at_once_wait_for_a_word_and_an_answer_cut_short_is_no_change() -> Outcome {
    if !is_here("too_many_changes_at_once_wait_for_a_word") {
        return Ok(());
    }
    let (house, everybody) = (House::new(), people(many()));
    // 3.1 %: more than the policy lets pass.
    let (gone, left) = everybody.split_at(many() * 31 / 1_000);
    let (mut first, mut second) = servers(&house, &everybody);
    let serving = house.serve();
    until_read(&house, everybody.len());
    second.kill();
    let reloaded = |first: &mut Slapd, people: &[Somebody]| {
        first.kill();
        first.load(people);
        first.run();
    };
    // Nobody at all is no answer, whatever an operator says.
    reloaded(&mut first, &[]);
    let ran = house.run(&["directory", "sync"]).ends(2);
    assert!(ran.err.contains("names nobody"), "{}", ran.err);
    reloaded(&mut first, left);
    let ran = house.run(&["directory", "sync"]).ends(4);
    let word = format!("facteur directory allow --changes {}", gone.len());
    assert!(ran.out.contains("STOPPED") && ran.out.contains(&word), "{}", ran.out);
    house.run(&["directory", "allow", "--changes", "7"]).ends(2);
    serving.stop();
    assert_eq!(left_and_all(&house), (0, everybody.len()), "nothing was taken over");
    let serving = house.serve();
    let again = || serving.log_text().contains("changed too much at once").then_some(());
    tests::wait::until(house::WITHIN, "the sync stopped again", again);
    let ran = house.run(&["directory", "allow", "--changes", &gone.len().to_string()]).ends(0);
    assert!(ran.out.contains(&format!("{} gone", gone.len())), "{}", ran.out);
    assert_eq!(house.status()["stopped"], serde_json::Value::Null);
    serving.stop();
    assert_eq!(left_and_all(&house), (gone.len(), everybody.len()), "they have a last day, and are all there");
    Ok(())
}

#[test]
fn an_answer_with_fewer_entries_than_there_are_takes_nobody_away() -> Outcome {
    if !is_here("an_answer_with_fewer_entries_than_there_are") {
        return Ok(());
    }
    let (house, everybody) = (House::new(), people(700));
    let shown = house.authority.certifies("ldap1.univ.example");
    let mut first = Slapd::start(&house.scratch, "ldaps", &shown, &everybody, ALL);
    let short = Slapd::start(&house.scratch, "ldaps-short", &shown, &everybody, "size=300 size.prtotal=300");
    house.between(&first, &short);
    let serving = house.serve();
    until_read(&house, everybody.len());
    serving.stop();
    first.kill();
    house.furnish(&[("ldap1.univ.example:636", short.port), ("ldap2.univ.example:389", first.port)], ASKERS_SECRET);
    let serving = house.serve();
    let ran = house.run(&["directory", "sync"]).ends(2);
    assert!(ran.err.contains("fewer entries than it has") || ran.err.contains("no connection"), "{}", ran.err);
    serving.stop();
    assert_eq!(left_and_all(&house), (0, everybody.len()));
    Ok(())
}

#[test]
fn what_cannot_be_used_is_said_entry_by_entry_and_hurts_nobody_else() -> Outcome {
    if !is_here("what_cannot_be_used_is_said_entry_by_entry") {
        return Ok(());
    }
    let house = House::new();
    let mut everybody = people(30);
    let mut give =
        |number: usize, name: &'static str, value: &str| everybody[number].more.push((name, value.to_owned()));
    give(1, "mail", "u000001@gmail.com");
    give(2, "mail", "postmaster@univ.example");
    give(3, "supannAutreMail", "u000004@univ.example");
    give(4, "schacExpiryDate", "20270831215959Z");
    give(5, "mailForwardingAddress", "somebody@gmail.com");
    give(6, "mailForwardingAddress", "somebody@lab.cnrs.fr");
    give(7, "supannAutreMail", "seven@univ.example");
    give(8, "supannAutreMail", "private@laposte.net");
    let (_first, _second) = servers(&house, &everybody);
    let mut serving = house.serve();
    let status = until_read(&house, everybody.len());
    assert_eq!((&status["last"]["refused"], &status["last"]["left_out"]), (&2.into(), &2.into()), "{status}");
    let says: Vec<String> = status["last"]["reports"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| it["says"].as_str().unwrap_or_default().to_owned())
        .collect();
    for said in [
        "no address of a domain of ours",
        "an address for everybody",
        "u000004@univ.example is",
        "no mail goes on to somebody@gmail.com",
    ] {
        assert!(says.iter().any(|it| it.contains(said)), "{said} in {says:?}");
    }
    assert_eq!(serving.rcpt("seven@univ.example"), "250 2.1.5");
    let redirects = house.run(&["redirect", "list"]).ends(0);
    assert!(redirects.out.contains("somebody@lab.cnrs.fr") && !redirects.out.contains("gmail"), "{}", redirects.out);
    // The next sync finds nothing to do.
    house.run(&["directory", "sync"]).ends(0);
    let status = house.status();
    assert_eq!((&status["last"]["new"], &status["last"]["changed"]), (&0.into(), &0.into()), "{status}");
    serving.stop();
    let store = house.store();
    let row = store.person(&Login::new("u000004").expect("a login"))?.expect("they are here");
    assert_eq!(row.origin.until, "2027-08-31");
    Ok(())
}

#[test]
fn a_redirect_that_stands_in_the_directory_is_judged_as_anybodys() -> Outcome {
    if !is_here("a_redirect_that_stands_in_the_directory") {
        return Ok(());
    }
    let (house, all) = (House::new(), cases("univ.example").collect::<Vec<_>>());
    let mut everybody = people(all.len() + 1);
    for (person, (to, _)) in everybody.iter_mut().zip(&all) {
        person.more.push(("mailForwardingAddress", to.clone()));
    }
    // One of the targets is an alias of ours, of the last of them.
    everybody[all.len()].more.push(("supannAutreMail", "accueil@univ.example".to_owned()));
    let (_first, _second) = servers(&house, &everybody);
    let serving = house.serve();
    let status = until_read(&house, everybody.len());
    let reports: Vec<&str> =
        status["last"]["reports"].as_array().expect("a list").iter().filter_map(|it| it["says"].as_str()).collect();
    let redirects = house.run(&["redirect", "list"]).ends(0);
    for (person, (to, answer)) in everybody.iter().zip(&all) {
        let is_allowed = *answer == Answer::Allowed;
        let line = redirects.out.lines().find(|line| line.contains(&person.login()));
        assert_eq!(line.is_some(), is_allowed, "{to}: {}", redirects.out);
        // Domains are told in small letters.
        let said = format!("no mail goes on to {}", to.to_lowercase());
        let said = reports.iter().find(|says| says.to_lowercase().contains(&format!("{said}:")));
        assert!(is_allowed || said.is_some_and(|says| says.contains(answer.by_command())), "{to}: {reports:?}");
    }
    serving.stop();
    Ok(())
}

#[test]
fn the_doctor_says_what_is_wrong_with_each_server() -> Outcome {
    if !is_here("the_doctor_says_what_is_wrong_with_each_server") {
        return Ok(());
    }
    let (house, everybody) = (House::new(), people(30));
    let first =
        Slapd::start(&house.scratch, "ldaps", &house.authority.certifies("ldap1.univ.example"), &everybody, ALL);
    let second =
        Slapd::start(&house.scratch, "starttls", &house.authority.certifies("another.example"), &everybody, ALL);
    house.between(&first, &second);
    let examined = |house: &House| {
        let (plan, site) = (house.scratch.join("univ.plan.ron"), house.scratch.join("site.ron"));
        let mut command = std::process::Command::new(tests::program::facteur());
        command.args(["doctor", "--online", "--all"]).arg(plan).arg("--site").arg(site);
        tests::program::run(&mut command).out
    };
    let lines =
        |out: &str| out.lines().filter(|line| line.contains("identity.ldap")).map(str::to_owned).collect::<Vec<_>>();
    let said = lines(&examined(&house));
    assert!(said[0].starts_with("ok") && said[0].contains("ldap1.univ.example:636"), "{said:?}");
    assert!(said[1].starts_with("BAD") && said[1].contains("TLS"), "{said:?}");
    house.furnish(&[("ldap1.univ.example:636", first.port), ("ldap2.univ.example:389", second.port)], "not-it");
    let said = lines(&examined(&house));
    assert!(said[0].starts_with("BAD") && said[0].contains("name and password"), "{said:?}");
    Ok(())
}
