//! A university's worth of people, drawn as often as their names are in France: nobody shares a login or an address, the
//! order of the list decides nothing, and what the compiler proves of the login rule (E0803) is what happens.

use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use decide::people::{Held, Judged, Ledger, Present, Wanted, judge};
use decide::{Tables, login};
use mail::Address;
use plan::{Homonyms, Plan};
use rustix::time::{ClockId, clock_gettime};
use tests::random::Random;
use tests::{corpus, program, skip};

const TODAY: &str = "2026-11-30";

/// A university has so many: they are drawn in the long form, and where the build is fast.
const UNIVERSITY: usize = 100_000;
/// The processor's time one thread may take for a university.
const JUDGED_WITHIN: Duration = Duration::from_secs(10);

/// Names with how many bear them, the sums so far.
struct Names(Vec<(String, u64)>);

impl Names {
    fn read(file: &str) -> Names {
        let packed = std::fs::read(corpus::folder().expect("asked for before").join("names").join(file)).unwrap();
        let mut unpacking = Command::new("zstd");
        let mut unpacking = unpacking.arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut to = unpacking.stdin.take().unwrap();
        let writing = std::thread::spawn(move || to.write_all(&packed));
        let text = String::from_utf8_lossy(&unpacking.wait_with_output().unwrap().stdout).into_owned();
        writing.join().unwrap().unwrap();
        let mut sum = 0;
        let names = text.lines().filter_map(|line| {
            let (name, count) = line.rsplit_once([',', ';'])?;
            sum += count.trim().parse::<u64>().ok()?;
            Some((name.trim().to_owned(), sum))
        });
        Names(names.collect())
    }

    fn draw(&self, random: &mut Random) -> &str {
        let all = self.0.last().map_or(0, |(_, sum)| *sum);
        let at = random.below(all);
        &self.0[self.0.partition_point(|(_, sum)| *sum <= at)].0
    }
}

/// A tenth has a compound surname; some first names are double.
fn people(count: usize) -> Vec<Wanted> {
    let (first_names, last_names) = (Names::read("insee-prenoms.csv.zst"), Names::read("insee-noms.csv.zst"));
    let mut random = Random::from(7);
    let one = |n: usize| {
        let mut first = first_names.draw(&mut random).to_owned();
        if random.below(12) == 0 {
            first = format!("{first}-{}", first_names.draw(&mut random));
        }
        let mut last = last_names.draw(&mut random).to_owned();
        if random.below(10) == 0 {
            last = format!("{last}-{}", last_names.draw(&mut random));
        }
        let year = 1990 + random.below(36);
        let foreign_id = format!("{n:06}");
        Wanted { line: n as u32 + 1, foreign_id, first, last, registered: format!("{year}-09-01"), ..Wanted::default() }
    };
    (0..count).map(one).collect()
}

fn many() -> usize {
    let long = std::env::var_os("FACTEUR_LONG").is_some() || !cfg!(debug_assertions);
    if long { UNIVERSITY } else { UNIVERSITY / 10 }
}

/// What this thread had of the processor until now: what others do on the machine does not count.
fn spent() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

fn nantes() -> Tables {
    let text = std::fs::read_to_string(program::top().join("policies/nantes/policy.plan.ron")).unwrap();
    let mut plan: Plan = plan::read(&text).unwrap().0;
    plan.identity.address.homonyms = Homonyms::Append { suffix: "-{n}".into(), first: 2 };
    Tables::new(plan).unwrap()
}

fn taken_over(people: &[Judged]) -> (Vec<Present>, Ledger) {
    let mut ledger = Ledger::new();
    let present = people.iter().map(|judged| {
        let Judged { person, foreign_id, registered, until, .. } = judged.clone();
        for what in [person.login.to_string(), person.address.folded()] {
            ledger.insert(what, Held { holder: foreign_id.clone(), is_free: false });
        }
        Present { person, foreign_id, registered, until, is_listed: true, others: BTreeSet::new() }
    });
    (present.collect(), ledger)
}

/// Login and address by id.
fn given(people: &[Judged]) -> HashMap<&str, (&str, &Address)> {
    people.iter().map(|it| (it.foreign_id.as_str(), (it.person.login.as_str(), &it.person.address))).collect()
}

#[test]
fn a_university_of_people_gets_logins_and_addresses_that_differ_and_stay() {
    if corpus::folder().is_none() {
        return skip::skip("a university of people", skip::Missing::Corpus);
    }
    let count = many();
    let (tables, list) = (nantes(), people(count));
    let began = spent();
    let outcome = judge(&tables, &list, &[], &Ledger::new(), TODAY);
    let took = spent() - began;
    let refused: Vec<_> = outcome.mistakes.iter().take(3).collect();
    // A name longer than a login, or without a letter, is said and passed over.
    assert!(outcome.mistakes.len() * 1_000 <= count, "{} mistakes: {refused:?}", outcome.mistakes.len());
    let logins: BTreeSet<&str> = outcome.people.iter().map(|it| it.person.login.as_str()).collect();
    let addresses: BTreeSet<String> = outcome.people.iter().map(|it| it.person.address.folded()).collect();
    assert_eq!((logins.len(), addresses.len()), (outcome.people.len(), outcome.people.len()));
    let most = outcome
        .people
        .iter()
        .flat_map(|it| &it.settled)
        .filter_map(|it| it.given.strip_prefix(it.wanted.as_str())?.strip_prefix('-')?.parse::<u32>().ok());
    let most = most.max().unwrap_or(0);
    // The smaller university has none; `decide` tries ten thousand of one name.
    assert!(most > 9 || count < UNIVERSITY, "homonyms beyond nine: {most}");
    eprintln!("{} people in {took:?} of one processor, up to {most} homonyms of one login", outcome.people.len());
    assert!(took < JUDGED_WITHIN, "{count} people took {took:?} of the processor");

    let mut turned = list.clone();
    turned.reverse();
    turned.rotate_left(count / 3);
    let again = judge(&tables, &turned, &[], &Ledger::new(), TODAY);
    assert!(given(&outcome.people) == given(&again.people), "the order of a list decides something");
    let (present, ledger) = taken_over(&outcome.people);
    let second = judge(&tables, &turned, &present, &ledger, TODAY);
    assert!(given(&outcome.people) == given(&second.people), "a second import changes something");
    assert!(second.people.iter().all(|it| it.changes.is_empty()));

    // E0803 is proved of this policy: no suffixed login is somebody's plain one.
    let rules = &tables.plan().identity.login;
    let plain = |it: &Judged| login::candidates(rules, &list[it.row].first, &list[it.row].last).next();
    let suffixed = |it: &&Judged| plain(it).as_deref() != Some(it.person.login.as_str());
    let suffixed: BTreeSet<&str> = outcome.people.iter().filter(suffixed).map(|it| it.person.login.as_str()).collect();
    for it in &outcome.people {
        let plain = plain(it).unwrap_or_default();
        assert!(!suffixed.contains(plain.as_str()), "{plain} is two people's: {} {}", it.person.first, it.person.last);
    }
}
