//! Whom a bundle for support takes out of its texts.

use mail::{Alias, AliasKind, Login, Person};
use store::Op;

use super::House;
use crate::operate::bundle::{Scrub, learn};

#[test]
fn everybody_of_the_directory_and_who_had_an_address_goes() {
    let house = House::new();
    let login = || Login::new("one").unwrap();
    let person = |address: &str, first: &str, last: &str| {
        let person = Person {
            login: login(),
            first: first.to_owned(),
            last: last.to_owned(),
            address: address.parse().unwrap(),
            profile: String::new(),
            unit: String::new(),
            home: None,
            quota_octets: 1 << 30,
        };
        Op::UpsertPerson { person: Box::new(person), verifier: None, mailboxes: Vec::new(), origin: None }
    };
    let alias = |address: &str, kind| {
        Op::UpsertAlias(Box::new(Alias { address: address.parse().unwrap(), members: vec![login()], kind }))
    };
    // An address they had until they married, and one each of the other kinds.
    for ops in [
        vec![person("agnes.petitjean@example.org", "Agnès", "Petitjean")],
        vec![person("agnes.le-guenn@example.org", "Agnès", "Le Guenn")],
        vec![alias("apj@example.org", AliasKind::Former), alias("agnesfan@example.org", AliasKind::Alias)],
        vec![alias("helpdesk@example.org", AliasKind::Function)],
    ] {
        house.store().commit_wait(ops).unwrap();
    }
    let mut scrub = Scrub::new(std::iter::empty());
    learn(&house.context, &mut scrub).unwrap();
    for (line, expected) in [
        ("about=one is AGNES Le Guenn", "about=<person-1> is <person-2> Le <person-3>"),
        (
            "mailbox of agnes.le-guenn, of agnes.petitjean, apj and AgnesFan",
            "mailbox of <person-1>, of <person-2>, <person-3> and <person-4>",
        ),
        ("Agne\u{300}s\tguenn", "<person-1>\t<person-2>"),
        ("helpdesk has 2 messages of two.", "helpdesk has 2 messages of <person-1>."),
    ] {
        let mut scrub = Scrub::clone(&scrub);
        assert_eq!(scrub.text(line), expected);
    }
}
