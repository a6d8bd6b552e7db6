use std::collections::BTreeSet;
use std::sync::LazyLock;

use plan::{Collision, Homonyms, Plan};
use proptest::prelude::*;

use super::*;

const TODAY: &str = "2026-11-30";

fn nantes() -> Plan {
    static READ: LazyLock<Plan> =
        LazyLock::new(|| plan::read(include_str!("../../../../policies/nantes/policy.plan.ron")).unwrap().0);
    READ.clone()
}

fn tables() -> &'static Tables {
    static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables::new(nantes()).unwrap());
    &TABLES
}

/// With addresses that are told apart by a number.
fn numbered() -> &'static Tables {
    static TABLES: LazyLock<Tables> = LazyLock::new(|| {
        let mut plan = nantes();
        plan.identity.address.homonyms = Homonyms::Append { suffix: "-{n}".into(), first: 2 };
        Tables::new(plan).unwrap()
    });
    &TABLES
}

fn wanted(line: u32, id: &str, first: &str, last: &str, registered: &str) -> Wanted {
    Wanted {
        line,
        foreign_id: id.into(),
        first: first.into(),
        last: last.into(),
        registered: registered.into(),
        ..Wanted::default()
    }
}

/// Who is here once everybody of a list is taken over, and the ledger then.
fn taken_over(before: &[Present], outcome: &Outcome, ledger: &Ledger) -> (Vec<Present>, Ledger) {
    let (mut present, mut ledger) = (before.to_vec(), ledger.clone());
    for judged in &outcome.people {
        let Judged { person, foreign_id, registered, until, former, .. } = judged.clone();
        let holder = mail::holder(&person.first, &person.last, &foreign_id, &registered);
        let mut others: BTreeSet<String> = former.iter().map(Address::folded).collect();
        for what in others.iter().cloned().chain([person.login.to_string(), person.address.folded()]) {
            ledger.insert(what, Held { holder: holder.clone(), is_free: false });
        }
        let one = |others| Present { person, foreign_id, registered, until, is_listed: true, others };
        match judged.was {
            Some(index) => {
                others.extend(present[index].others.iter().cloned());
                present[index] = one(others);
            }
            None => present.push(one(others)),
        }
    }
    (present, ledger)
}

fn logins(outcome: &Outcome) -> Vec<&str> {
    outcome.people.iter().map(|judged| judged.person.login.as_str()).collect()
}

#[test]
fn the_three_of_the_guide_get_their_logins_in_whatever_order_they_stand() {
    let list = [
        wanted(1, "1", "Jean", "Toto", "2001-09-01"),
        wanted(2, "2", "Jean-Pierre", "Toto", "2003-09-01"),
        wanted(3, "3", "Jérôme", "Toto", "2005-09-01"),
    ];
    let outcome = judge(tables(), &list, &[], &Ledger::new(), TODAY);
    assert_eq!(outcome.mistakes, []);
    assert_eq!(logins(&outcome), ["toto-j", "toto-jp", "toto-j-1"]);
    assert_eq!(outcome.people[2].settled, [Settled { wanted: "toto-j".into(), given: "toto-j-1".into() }]);
    let reversed: Vec<Wanted> = list.iter().rev().cloned().collect();
    assert_eq!(logins(&judge(tables(), &reversed, &[], &Ledger::new(), TODAY)), ["toto-j-1", "toto-jp", "toto-j"]);
}

#[test]
fn what_cannot_be_is_said_with_its_line_and_the_others_are_judged() {
    let base = || wanted(7, "", "Jean", "Toto", "2001-09-01");
    let some = |text: &str| Some(text.to_owned());
    let cases: [(Wanted, &str); 14] = [
        (Wanted { last: " ".into(), ..base() }, "last name is missing"),
        (Wanted { first: "a\u{1b}[2J".into(), ..base() }, "control characters"),
        (Wanted { last: "x".repeat(129), ..base() }, "more than 128"),
        (Wanted { registered: "2001-02-29".into(), ..base() }, "is no day"),
        (Wanted { until: some("2000-01-01"), ..base() }, "before the first"),
        (Wanted { login: some("$x"), ..base() }, "is no login"),
        (Wanted { login: some("a b"), ..base() }, "is no login"),
        (Wanted { profile: some("guests"), ..base() }, "unknown profile"),
        (Wanted { home: some("mars"), ..base() }, "unknown home"),
        (Wanted { address: some("jean@elsewhere.example"), ..base() }, "not held here"),
        (Wanted { address: some("jean"), ..base() }, "is no address"),
        (Wanted { quota_octets: Some(0), ..base() }, "quota"),
        (Wanted { former: vec!["x@elsewhere.example".into()], ..base() }, "not held here"),
        (Wanted { last: "北京".into(), first: "明".into(), ..base() }, "gives no"),
    ];
    for (bad, what) in cases {
        let list = [wanted(6, "6", "Anne", "Martin", ""), bad];
        let outcome = judge(tables(), &list, &[], &Ledger::new(), TODAY);
        assert_eq!(logins(&outcome), ["martin-a"], "{what}");
        let [mistake] = &outcome.mistakes[..] else { panic!("{what}: {:?}", outcome.mistakes) };
        assert!(mistake.line == 7 && mistake.what.contains(what), "{what}: {mistake:?}");
    }
}

#[test]
fn one_person_is_named_once() {
    let twice = [
        [wanted(1, "9", "Jean", "Toto", ""), wanted(2, "9", "J.", "Toto", "")],
        [wanted(1, "", "Jean", "Toto", "2001-09-01"), wanted(2, "", "JEAN", "Totô", "2001-09-01")],
    ];
    for list in twice {
        let outcome = judge(tables(), &list, &[], &Ledger::new(), TODAY);
        assert_eq!((outcome.people.len(), outcome.mistakes.len()), (1, 1), "{list:?}");
        assert!(outcome.mistakes[0].what.contains("line 1"), "{:?}", outcome.mistakes);
    }
}

#[test]
fn homonyms_get_an_address_only_where_the_policy_has_one_for_them() {
    let list = [wanted(1, "1", "Jean", "Toto", "2001-09-01"), wanted(2, "2", "Jean", "Toto", "2002-09-01")];
    let outcome = judge(tables(), &list, &[], &Ledger::new(), TODAY);
    assert_eq!((logins(&outcome), outcome.mistakes[0].line), (vec!["toto-j"], 2));
    assert!(outcome.mistakes[0].what.contains("give Jean Toto an address of their own"));
    let outcome = judge(numbered(), &list, &[], &Ledger::new(), TODAY);
    let addresses: Vec<&str> = outcome.people.iter().map(|judged| judged.person.address.local()).collect();
    assert_eq!((logins(&outcome), addresses), (vec!["toto-j", "toto-j-1"], vec!["Jean.Toto", "Jean.Toto-2"]));
}

#[test]
fn what_somebody_had_is_theirs_again_and_nobody_elses_before_its_time() {
    let held = |holder: &str, is_free| Held { holder: holder.into(), is_free };
    let ledger = |is_free| -> Ledger {
        let all = ["toto-j", "toto-j-1", "jean.toto@univ-nantes.fr"];
        all.map(|what| (what.to_owned(), held(if what == "toto-j-1" { "old-2" } else { "old-1" }, is_free))).into()
    };
    let login = |id: &str, first: &str, is_free| -> String {
        let outcome = judge(tables(), &[wanted(1, id, first, "Toto", "")], &[], &ledger(is_free), TODAY);
        outcome.people.first().map_or(outcome.mistakes.len().to_string(), |it| it.person.login.to_string())
    };
    assert_eq!(login("new", "Jacques", false), "toto-j-2");
    assert_eq!(login("new", "Jacques", true), "toto-j");
    assert_eq!(login("old-2", "Jacques", false), "toto-j-1");
    assert_eq!(login("new", "Jean", false), "1", "the address is kept for who had it");
    assert_eq!(login("old-1", "Jean", false), "toto-j");
}

#[test]
fn an_address_somebody_had_lately_is_led_to_nobody_else_and_not_to_several() {
    let alias = |one: Wanted| Wanted { aliases: vec!["contact".into()], ..one };
    let (jean, anne) = (wanted(1, "1", "Jean", "Toto", ""), wanted(2, "2", "Anne", "Martin", ""));
    let address = format!("contact@{}", nantes().institution.domain);
    let ledger = |holder: &str, is_free| Ledger::from([(address.clone(), Held { holder: holder.into(), is_free })]);
    let both = [alias(jean.clone()), alias(anne.clone())];
    for (list, ledger, is_good) in [
        (&both[..1], ledger("1", false), true),
        (&both[..1], ledger("9", false), false),
        (&both[..1], ledger("9", true), true),
        (&both[..], ledger("9", false), false),
        (&both[..], ledger("1", false), false),
        (&both[..], ledger("9", true), true),
        (&both[..], ledger(&address, false), true),
        (&both[..1], ledger(&address, false), true),
    ] {
        let outcome = judge(tables(), list, &[], &ledger, TODAY);
        assert_eq!(outcome.mistakes, []);
        let led = led(tables(), list, &outcome, &[], &ledger, &[]);
        assert_eq!(led.mistakes.is_empty(), is_good, "{} people, {ledger:?}: {:?}", list.len(), led.mistakes);
        assert_eq!(led.changed.len(), usize::from(is_good));
        assert_eq!(led.gains.len(), if is_good { list.len() } else { 0 });
    }
}

#[test]
fn who_is_here_keeps_what_they_have_and_what_changes_is_said() {
    let first = [wanted(1, "1", "Jean", "Toto", "2001-09-01"), wanted(2, "2", "Anne", "Martin", "2001-09-01")];
    let outcome = judge(tables(), &first, &[], &Ledger::new(), TODAY);
    let (present, ledger) = taken_over(&[], &outcome, &Ledger::new());
    let some = |text: &str| Some(text.to_owned());
    let changed = Wanted { last: "Martin-Toto".into(), address: some("anne.mt@univ-nantes.fr"), ..first[1].clone() };
    let outcome = judge(tables(), &[changed], &present, &ledger, TODAY);
    let [anne] = &outcome.people[..] else { panic!("{outcome:?}") };
    assert_eq!((anne.person.login.as_str(), anne.was), ("martin-a", Some(1)));
    assert_eq!(anne.changes, ["last name", "address"]);
    assert_eq!(anne.former, ["Anne.Martin@univ-nantes.fr".parse().unwrap()], "what was official still leads to her");
    assert_eq!(outcome.missing, [0]);
    let other = Wanted { login: some("martin-x"), ..first[1].clone() };
    assert!(judge(tables(), &[other], &present, &ledger, TODAY).mistakes[0].what.contains("never becomes"));
    // Somebody whose last day was is not missing again.
    let mut left = present.clone();
    left[0].until = "2026-01-01".into();
    assert_eq!(judge(tables(), &[], &left, &ledger, TODAY).missing, [1]);
}

#[test]
fn ten_thousand_of_one_name_are_told_apart_and_one_more_is_said() {
    let list: Vec<Wanted> = (0..10_002).map(|n| wanted(n + 1, &format!("{n:05}"), "Jean", "Toto", "")).collect();
    let mut plan = nantes();
    plan.identity.address.official = "{First}.{Last}@univ-nantes.fr".into();
    plan.identity.address.homonyms = Homonyms::Append { suffix: ".{n}".into(), first: 1 };
    let outcome = judge(&Tables::new(plan).unwrap(), &list, &[], &Ledger::new(), TODAY);
    let distinct: BTreeSet<&str> = logins(&outcome).into_iter().collect();
    assert_eq!((distinct.len(), logins(&outcome)[10], outcome.mistakes.len()), (10_001, "toto-j-10", 1));
}

#[test]
fn a_mass_change_stops_unless_its_number_is_named() {
    let rules = plan::MassChange { at_most_percent: 5, floor: 20 };
    let extent = |leaving, changed| Extent { leaving, changed, known: 1_000 };
    assert_eq!(too_much(rules, extent(20, 30), None), None);
    assert_eq!(too_much(rules, extent(21, 30), None), Some(50));
    assert_eq!(
        (too_much(rules, extent(21, 30), Some(51)), too_much(rules, extent(21, 30), Some(52))),
        (None, Some(50))
    );
    assert_eq!(too_much(rules, Extent { leaving: 21, changed: 0, known: 30 }, None), Some(20));
}

fn name() -> impl Strategy<Value = String> {
    let part =
        prop::sample::select(vec!["Jean", "J", "Éloïse", "Le", "D'Angelo", "Toto", "1", "Jo-2", "Toto-J", "œ", "x-1"]);
    prop::collection::vec(part, 1..3).prop_map(|parts| parts.join(" "))
}

fn list() -> impl Strategy<Value = Vec<Wanted>> {
    let day = prop::sample::select(vec!["", "2001-09-01", "2002-09-01"]);
    prop::collection::vec((name(), name(), day), 1..40).prop_map(|people| {
        let one = |(n, (first, last, day)): (usize, (String, String, &str))| {
            wanted(n as u32, &format!("id{n}"), &first, &last, day)
        };
        people.into_iter().enumerate().map(one).collect()
    })
}

proptest! {
    /// Nobody shares a login or an address, and the same list in another order, or a second time, gives the same.
    #[test]
    fn an_import_does_not_depend_on_its_order_and_not_on_being_the_first(list in list(), turn in 0usize..40) {
        let tables = numbered();
        let outcome = judge(tables, &list, &[], &Ledger::new(), TODAY);
        let distinct: BTreeSet<String> = outcome.people.iter().flat_map(|it| [it.person.login.to_string(), it.person.address.folded()]).collect();
        prop_assert_eq!(distinct.len(), 2 * outcome.people.len());
        let by_id = |outcome: &Outcome, list: &[Wanted]| -> BTreeSet<(String, String, String)> {
            let one = |it: &Judged| (list[it.row].foreign_id.clone(), it.person.login.to_string(), it.person.address.folded());
            outcome.people.iter().map(one).collect()
        };
        let mut turned = list.clone();
        turned.rotate_left(turn % list.len());
        let again = judge(tables, &turned, &[], &Ledger::new(), TODAY);
        prop_assert_eq!(by_id(&outcome, &list), by_id(&again, &turned));
        let (present, ledger) = taken_over(&[], &outcome, &Ledger::new());
        let second = judge(tables, &turned, &present, &ledger, TODAY);
        prop_assert_eq!(by_id(&outcome, &list), by_id(&second, &turned));
        prop_assert!(second.people.iter().all(|it| it.changes.is_empty() && it.was.is_some()), "{:?}", second.people);
        prop_assert_eq!(second.missing, Vec::<usize>::new());
    }

    /// A plain login of one is never the suffixed login of another: what the compiler proves of this policy (E0803).
    #[test]
    fn a_suffix_is_no_name(list in list()) {
        let tables = numbered();
        let is_numbered = matches!(tables.plan().identity.login.collision, Collision::Append { .. });
        prop_assert!(is_numbered);
        let outcome = judge(tables, &list, &[], &Ledger::new(), TODAY);
        for suffixed in outcome.people.iter().filter(|it| it.settled.iter().any(|it| !it.wanted.contains('@'))) {
            for one in &list {
                let plain = crate::login::candidates(&tables.plan().identity.login, &one.first, &one.last).next();
                prop_assert_ne!(plain.as_deref(), Some(suffixed.person.login.as_str()));
            }
        }
    }
}

#[test]
fn one_person_is_judged_by_what_is_asked_for_as_by_all_there_is() {
    let list: Vec<Wanted> = (1..40)
        .map(|n| wanted(n, if n % 2 == 0 { "" } else { "id" }, "Jean", "Toto", &format!("20{n:02}-09-01")))
        .map(|it| Wanted {
            foreign_id: if it.foreign_id.is_empty() { String::new() } else { format!("id{}", it.line) },
            ..it
        })
        .collect();
    let outcome = judge(numbered(), &list, &[], &Ledger::new(), TODAY);
    let (present, ledger) = taken_over(&[], &outcome, &Ledger::new());
    let namesake = || wanted(1, "", "Jean", "Toto", "2026-10-01");
    let some = |text: &str| Some(text.to_owned());
    for one in [
        namesake(),
        wanted(1, "id7", "Jean", "Titi", "2007-09-01"),
        wanted(1, "", "Jean", "Toto", "2008-09-01"),
        Wanted { login: some("toto-j"), ..namesake() },
        Wanted { login: some("toto-j-3"), last: "Tata".into(), ..namesake() },
        Wanted { login: some("titi"), foreign_id: "id9".into(), ..namesake() },
        Wanted { address: some("jean.toto@univ-nantes.fr"), ..namesake() },
        Wanted { former: vec!["jean.toto-2@univ-nantes.fr".into()], ..namesake() },
        wanted(1, "", "Nobody", "Else", ""),
    ] {
        let all = judge(numbered(), std::slice::from_ref(&one), &present, &ledger, TODAY);
        let holder = mail::holder(&one.first, &one.last, "", &one.registered);
        let is_near = |it: &&Present| {
            (!it.foreign_id.is_empty() && it.foreign_id == one.foreign_id)
                || one.login.as_deref() == Some(it.person.login.as_str())
                || mail::holder(&it.person.first, &it.person.last, &it.foreign_id, &it.registered) == holder
        };
        let near: Vec<Present> = present.iter().filter(is_near).cloned().collect();
        let asked = judge_by(numbered(), std::slice::from_ref(&one), &near, &Whole::new(&ledger), TODAY);
        let told = |outcome: &Outcome| -> Vec<Judged> {
            outcome.people.iter().map(|it| Judged { was: it.was.map(|_| 0), ..it.clone() }).collect()
        };
        assert_eq!((told(&asked), &asked.mistakes), (told(&all), &all.mistakes), "{one:?}");
    }
}
