//! Entries into a real store: compared, judged and taken over, without a server that gives them.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use decide::Tables;
use jiff::tz::TimeZone;
use mail::{Address, Alias, AliasKind, Login, Person};
use store::{Op, Options, Origin, PersonRow, PersonSource, Resolution};

use super::apply::{self, Applied};
use super::compare::{Comparison, compare};
use super::entry::Entry;
use super::step::Desk;
use super::*;
use crate::redirects::Redirects;

type Attributes = Vec<(&'static str, String)>;

/// A desk over an empty store of its own, which goes with it.
struct House {
    desk: Desk,
    folder: std::path::PathBuf,
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl House {
    fn new() -> House {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("facteur-ldap-{}-{number}", std::process::id()));
        let store = Arc::new(Store::open(&folder, Options::default()).unwrap());
        let path = format!("{}/../../policies/university/policy.plan.ron", env!("CARGO_MANIFEST_DIR"));
        let mut plan = plan::read(&std::fs::read_to_string(path).unwrap()).unwrap().0;
        let names = &mut plan.identity.ldap.as_mut().unwrap().attributes;
        names.redirect = "forward".into();
        names.registered = "registered".into();
        let redirects = Arc::new(Redirects::load(&store).unwrap());
        let tables = Arc::new(Tables::new(plan).unwrap());
        let today = "2026-11-30".to_owned();
        let desk = Desk { store, tables, redirects, today, at_s: 1_796_000_000, mailboxes: Vec::new() };
        House { desk, folder }
    }

    fn compare(&self, people: &[Attributes]) -> Comparison {
        let (sender, receiver) = tokio::sync::mpsc::channel(1_000);
        for attributes in people {
            let values: Vec<(&str, [&str; 1])> =
                attributes.iter().map(|(name, value)| (*name, [value.as_str()])).collect();
            let all: Vec<(&str, &[&str])> = values.iter().map(|(name, values)| (*name, &values[..])).collect();
            sender.try_send(Entry::of(&attributes[0].1, &all)).unwrap();
        }
        drop(sender);
        let names = &self.desk.tables.plan().identity.ldap.as_ref().unwrap().attributes;
        compare(&self.desk, names, &TimeZone::UTC, receiver).unwrap()
    }

    fn sync(&self, people: &[Attributes]) -> (Applied, Vec<String>) {
        let mut comparison = self.compare(people);
        let applied = apply::apply(&self.desk, &mut comparison, &AtomicBool::new(false)).unwrap();
        (applied, comparison.reports.into_iter().map(|report| report.says).collect())
    }

    fn person(&self, login: &str) -> PersonRow {
        self.desk.store.person(&Login::new(login).unwrap()).unwrap().unwrap()
    }

    fn leads_to(&self, text: &str) -> String {
        match self.desk.store.resolve(&address(text)).unwrap() {
            Resolution::Person(row) => row.person.login.to_string(),
            Resolution::Alias(alias) => alias.members.iter().map(Login::to_string).collect::<Vec<_>>().join(" "),
            Resolution::Unknown => String::new(),
        }
    }

    fn has(&self, login: &str, first: &str, last: &str, source: PersonSource) {
        let person = Person {
            login: Login::new(login).unwrap(),
            first: first.into(),
            last: last.into(),
            address: address(&format!("{login}@u-ambre.example")),
            profile: "staff".into(),
            unit: String::new(),
            home: None,
            quota_octets: 7,
        };
        let origin = Some(Origin { source, ..Origin::default() });
        let op =
            Op::UpsertPerson { person: Box::new(person), verifier: Some("v".into()), mailboxes: Vec::new(), origin };
        self.desk.store.commit_wait(vec![op]).unwrap();
    }
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn entry(id: &str, first: &str, last: &str, more: &[(&'static str, &str)]) -> Attributes {
    let own = [("entryUUID", id), ("givenName", first), ("sn", last)];
    own.iter().chain(more).map(|(name, value)| (*name, (*value).to_owned())).collect()
}

fn anne(more: &[(&'static str, &str)]) -> Attributes {
    let own = [("uid", "benali.a"), ("mail", "Anne.Benali@u-ambre.example")];
    entry("1", "Anne", "Benali", &[&own[..], more].concat())
}

fn counts(applied: Applied) -> (u64, u64, u64) {
    (applied.new, applied.changed, applied.gone)
}

#[test]
fn people_come_change_leave_and_come_back() {
    let house = House::new();
    assert_eq!(counts(house.sync(&[anne(&[])]).0), (1, 0, 0));
    let row = house.person("benali.a");
    assert_eq!((row.origin.source, row.origin.foreign_id.as_str()), (PersonSource::Ldap, "1"));
    assert_eq!((row.person.profile.as_str(), row.person.quota_octets), ("staff", 5_000_000_000));
    assert_eq!(counts(house.sync(&[anne(&[])]).0), (0, 0, 0), "nothing to do");
    let unit = [("supannEntiteAffectationPrincipale", "dsi")];
    assert_eq!(counts(house.sync(&[anne(&unit)]).0), (0, 1, 0));
    assert_eq!(house.person("benali.a").person.unit, "dsi");
    let other = entry("2", "Yann", "Le Goff", &[("uid", "legoff.y"), ("mail", "y@u-ambre.example")]);
    let (applied, _) = house.sync(std::slice::from_ref(&other));
    assert_eq!(counts(applied), (1, 0, 1));
    assert_eq!(house.person("benali.a").origin.until, "2026-11-30", "today is the last day, and nothing is erased");
    assert_eq!(counts(house.sync(std::slice::from_ref(&other)).0), (0, 0, 0), "who left leaves once");
    assert_eq!(counts(house.sync(&[anne(&unit), other]).0), (0, 1, 0));
    assert_eq!(house.person("benali.a").origin.until, "");
}

#[test]
fn an_entry_that_is_refused_or_without_an_id_takes_nobody_away() {
    let house = House::new();
    let yann = |id: &str, last: &str| entry(id, "Yann", last, &[("uid", "legoff.y"), ("mail", "y@u-ambre.example")]);
    house.sync(&[anne(&[]), yann("2", "Le Goff")]);
    let (applied, reports) = house.sync(&[anne(&[]), yann("2", "Le\u{7}Goff")]);
    assert_eq!((counts(applied), reports.len()), ((0, 0, 0), 1));
    let (applied, _) = house.sync(&[anne(&[]), yann("", "Le Goff")]);
    assert_eq!(counts(applied), (0, 0, 0), "it could be anybody who is missed");
    let extent = house.compare(&[anne(&[])]).extent;
    assert_eq!((extent.gone, extent.changed, extent.known, extent.entries), (1, 0, 2, 1));
}

#[test]
fn logins_and_addresses_the_directory_lacks_are_made_whatever_the_order() {
    let people = [
        entry("c", "Anne", "Benali", &[("registered", "2026-09-01")]),
        entry("b", "Aïcha", "Benali", &[("registered", "2026-09-01")]),
        entry("a", "Anne", "Benali", &[("registered", "2025-09-01")]),
    ];
    let mut reversed = people.clone();
    reversed.reverse();
    for order in [people, reversed] {
        let house = House::new();
        assert_eq!(counts(house.sync(&order).0), (3, 0, 0));
        let of = |id: &str| {
            let row = house.desk.store.person_by_foreign(id).unwrap().unwrap();
            (row.person.login.to_string(), row.person.address.to_string())
        };
        assert_eq!(of("a"), ("benali.a".into(), "Anne.Benali@u-ambre.example".into()), "who registered first");
        assert_eq!(of("c"), ("benali.a-2".into(), "Anne.Benali.2@u-ambre.example".into()));
        assert_eq!(of("b"), ("benali.a-3".into(), "Aicha.Benali@u-ambre.example".into()));
    }
}

#[test]
fn nobody_gets_what_is_somebody_elses() {
    let house = House::new();
    house.has("admin", "Ad", "Min", PersonSource::BuiltIn);
    let function = Alias {
        address: address("contact@u-ambre.example"),
        members: vec![Login::new("admin").unwrap()],
        kind: AliasKind::Function,
    };
    house.desk.store.commit_wait(vec![Op::UpsertAlias(Box::new(function))]).unwrap();
    let thief = entry("9", "Eve", "Il", &[("uid", "admin"), ("mail", "eve@u-ambre.example")]);
    let mail = entry("8", "Eve", "Il", &[("uid", "eve"), ("mail", "admin@u-ambre.example")]);
    let contact = anne(&[("supannAutreMail", "contact@u-ambre.example")]);
    let (applied, reports) = house.sync(&[thief, mail, contact]);
    assert_eq!((counts(applied), reports.len()), ((1, 0, 0), 3), "{reports:?}");
    assert_eq!(house.leads_to("admin@u-ambre.example"), "admin");
    assert_eq!(house.leads_to("contact@u-ambre.example"), "admin");
    assert_eq!(house.person("admin").origin.foreign_id, "");
    assert_eq!(house.leads_to("anne.benali@u-ambre.example"), "benali.a", "the rest of her entry holds");
}

#[test]
fn an_alias_is_never_the_own_address_of_somebody_who_comes_with_it() {
    let house = House::new();
    let greedy = anne(&[("supannAutreMail", "y@u-ambre.example"), ("registered", "2020-01-01")]);
    let yann = entry("2", "Yann", "Le Goff", &[("uid", "legoff.y"), ("mail", "y@u-ambre.example")]);
    let (applied, reports) = house.sync(&[greedy, yann]);
    assert_eq!((counts(applied), reports.len()), ((2, 0, 0), 1), "{reports:?}");
    assert_eq!(house.leads_to("y@u-ambre.example"), "legoff.y");
}

#[test]
fn who_was_here_before_the_directory_is_the_same_person_if_name_and_login_are() {
    let house = House::new();
    house.has("benali.a", "anne", "BENALI", PersonSource::File);
    let comparison = house.compare(&[anne(&[])]);
    assert_eq!((comparison.extent.changed, comparison.new.len()), (1, 0), "it counts as a change");
    house.sync(&[anne(&[])]);
    let row = house.person("benali.a");
    assert_eq!((row.origin.foreign_id.as_str(), row.verifier.as_deref()), ("1", Some("v")));
    assert_eq!(house.leads_to("benali.a@u-ambre.example"), "benali.a", "the old address stays");
}

#[test]
fn an_entry_made_anew_is_the_same_person_and_a_second_one_is_not() {
    let house = House::new();
    house.sync(&[anne(&[])]);
    let own = [("uid", "benali.a"), ("mail", "Anne.Benali@u-ambre.example")];
    let anew = entry("other", "Anne", "Benali", &own);
    let (applied, reports) = house.sync(&[anne(&[]), anew.clone()]);
    assert_eq!((counts(applied), reports.len()), ((0, 0, 0), 1), "{reports:?}");
    assert_eq!(counts(house.sync(&[anew]).0), (0, 1, 0));
    let row = house.person("benali.a");
    assert_eq!((row.origin.foreign_id.as_str(), row.origin.until.as_str()), ("other", ""));
}

#[test]
fn a_new_address_keeps_the_old_one_and_a_new_login_changes_nothing() {
    let house = House::new();
    house.sync(&[anne(&[("supannAutreMail", "anne@u-ambre.example")])]);
    let own = [("uid", "martin.a"), ("mail", "Anne.Martin@u-ambre.example")];
    let (applied, reports) = house.sync(&[entry("1", "Anne", "Martin", &own)]);
    assert_eq!(counts(applied), (0, 1, 0));
    assert!(reports.iter().any(|says| says.contains("here it stays benali.a")), "{reports:?}");
    for text in ["anne.martin@u-ambre.example", "anne.benali@u-ambre.example", "anne@u-ambre.example"] {
        assert_eq!(house.leads_to(text), "benali.a", "{text}");
    }
    assert_eq!(house.person("benali.a").person.last, "Martin");
    // What was hers is given to nobody else.
    let taker = entry("7", "Anne", "Benali", &[("uid", "benali.b"), ("mail", "anne.benali@u-ambre.example")]);
    let (applied, _) = house.sync(&[entry("1", "Anne", "Martin", &own), taker]);
    assert_eq!(counts(applied), (0, 0, 0));
}

#[test]
fn a_redirect_of_the_directory_is_judged_and_ends_with_it() {
    let house = House::new();
    let to = |text: &str| house.desk.redirects.of(&Login::new(text).unwrap()).map(|it| it.to.to_string());
    house.sync(&[anne(&[("forward", "a@lab.cnrs.fr")])]);
    assert_eq!(to("benali.a").as_deref(), Some("a@lab.cnrs.fr"));
    assert_eq!(counts(house.sync(&[anne(&[("forward", "a@lab.cnrs.fr")])]).0), (0, 0, 0));
    let (_, reports) = house.sync(&[anne(&[("forward", "a@gmail.com")])]);
    assert_eq!(to("benali.a"), None, "what the policy refuses ends what it allowed");
    assert!(reports.iter().any(|says| says.contains("public mailbox providers")), "{reports:?}");
    house.sync(&[anne(&[("forward", "a@lab.cnrs.fr")])]);
    house.sync(&[anne(&[])]);
    assert_eq!(to("benali.a"), None);
}

#[test]
fn who_left_long_ago_or_comes_long_from_now_gets_no_account() {
    let house = House::new();
    let (past, future) = ([("schacExpiryDate", "20200101000000Z")], [("registered", "2029-09-01")]);
    for more in [&past, &future] {
        let (applied, reports) = house.sync(&[anne(more)]);
        assert_eq!((counts(applied), reports), ((0, 0, 0), Vec::<String>::new()), "{more:?}");
    }
    house.sync(&[anne(&[])]);
    assert_eq!(counts(house.sync(&[anne(&past)]).0), (0, 1, 0), "who is here has their last day");
}
