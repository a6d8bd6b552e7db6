//! Lists of people into the store, and the addresses that lead to them, as a server with the plan of Nantes takes them.

use std::sync::Arc;

use decide::Tables;
use mail::{Address, Login};
use store::Resolution;

use super::super::{
    AddAlias, AddPerson, ChangeMembers, ChangePerson, ImportPeople, ImportedPeople, ListAddresses, ListPeople, Live,
    OperateError, PersonState, RemoveAddress, RemovePerson, SetFunction, ShowPerson, WantedPerson, people_of_csv,
    people_of_ldif, people_to_csv, people_to_ldif,
};
use super::House;
use crate::redirects::Redirects;

const LIST: &str = "\
id,last,first,registered,unit,former,quota
1,Toto,Jean,2001-09-01,physique,jtoto,
2,Toto,Jean-Pierre,2003-09-01,,,2 GiB
3,Le Gall,Anne-Laure,2005-09-01,,,
";

/// A house whose handlers know a plan.
fn served() -> House {
    let mut house = House::new();
    let path = format!("{}/../../policies/nantes/policy.plan.ron", env!("CARGO_MANIFEST_DIR"));
    let plan = plan::read(&std::fs::read_to_string(path).unwrap()).unwrap().0;
    house.context.live = Some(Live {
        tables: Arc::new(Tables::new(plan).unwrap()),
        redirects: Arc::new(Redirects::load(&house.context.store).unwrap()),
        today: "2026-11-30".to_owned(),
    });
    house
}

fn import(house: &House, csv: &str, with: impl FnOnce(&mut ImportPeople)) -> ImportedPeople {
    let mut request = ImportPeople { people: people_of_csv(csv).unwrap(), ..ImportPeople::default() };
    with(&mut request);
    house.run(request).unwrap_or_else(|error| panic!("{error}"))
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn everybody(house: &House) -> Vec<WantedPerson> {
    let listed = house.run(ListPeople { limit: 1_000, ..ListPeople::default() }).unwrap();
    listed.into_iter().filter(|listed| listed.source != "built-in").map(|listed| listed.person).collect()
}

fn refused(answer: Result<impl Sized, OperateError>, what: &str) {
    match answer {
        Err(OperateError::Refused { why, .. }) => assert!(why.contains(what), "{what}: {why}"),
        Err(other) => panic!("{what}: {other}"),
        Ok(_) => panic!("{what}: it was done"),
    }
}

#[test]
fn a_list_is_told_before_it_is_written_and_written_twice_changes_nothing() {
    let house = served();
    let told = import(&house, LIST, |request| request.dry_run = true);
    let logins: Vec<&str> = told.people.iter().map(|person| person.login.as_str()).collect();
    assert_eq!((logins, told.new, told.is_written), (vec!["toto-j", "toto-jp", "legall-al"], 3, false));
    assert_eq!(everybody(&house), []);
    assert!(import(&house, LIST, |_| ()).is_written);
    let jean = Login::new("toto-j").unwrap();
    let row = house.store().person(&jean).unwrap().unwrap();
    assert_eq!((row.origin.foreign_id.as_str(), row.origin.registered.as_str()), ("1", "2001-09-01"));
    assert!(house.store().mailboxes(&jean).unwrap().len() > 1, "a new account has its folders");
    let again = import(&house, LIST, |_| ());
    assert_eq!((again.new, again.changed, again.same), (0, 0, 3), "{again:?}");
    // What is written out is what is here, whatever the file.
    let (all, csv) = (everybody(&house), people_to_csv(&everybody(&house)));
    assert_eq!(all.len(), 3);
    for people in [people_of_csv(&csv).unwrap(), people_of_ldif(&people_to_ldif(&all)).unwrap()] {
        let again = house.run(ImportPeople { people, ..ImportPeople::default() }).unwrap();
        assert_eq!((again.new, again.changed, again.same, &again.mistakes[..]), (0, 0, 3, &[][..]), "{again:?}");
    }
}

#[test]
fn one_mistake_keeps_all_of_a_list_out() {
    let house = served();
    let told = import(&house, &format!("{LIST}4,Toto,Jean,2006-09-01,,,\n"), |_| ());
    let [mistake] = &told.mistakes[..] else { panic!("{told:?}") };
    assert_eq!((mistake.line, told.is_written, everybody(&house).len()), (5, false, 0), "{mistake:?}");
}

#[test]
fn who_is_missing_stays_unless_they_are_to_leave_and_many_need_a_word() {
    let house = served();
    let list = "id,last,first\n1,Seul,Anne\n";
    let twenty_five: String = ('a'..='y').map(|c| format!("{c},Nom{c},Jean\n")).collect();
    assert!(import(&house, &format!("id,last,first\n{twenty_five}"), |_| ()).is_written);
    let told = import(&house, list, |_| ());
    assert_eq!((told.is_written, told.missing.len(), told.more_than), (true, 25, None), "nobody leaves unasked");
    let leave =
        |allow| import(&house, list, |request| (request.missing_leave, request.allow_mass_change) = (true, allow));
    let stopped = leave(None);
    assert_eq!((stopped.is_written, stopped.more_than), (false, Some(20)));
    assert_eq!(leave(Some(24)).more_than, Some(20));
    assert!(leave(Some(25)).is_written);
    let row = house.store().person(&Login::new("noma-j").unwrap()).unwrap().unwrap();
    assert_eq!((row.origin.until.as_str(), row.due_s), ("2026-11-30", Some(0)), "they leave, and nobody is erased");
    assert_eq!(leave(None).missing, [], "once is enough");
}

#[test]
fn a_person_is_added_changed_shown_and_leaves() {
    let house = served();
    let person = |first: &str| WantedPerson { first: first.into(), last: "Toto".into(), ..WantedPerson::default() };
    let added = house.run(AddPerson { person: person("Jean") }).unwrap();
    assert_eq!((added.login.as_str(), added.state), ("toto-j", PersonState::New));
    refused(house.run(AddPerson { person: person("Jean") }), "is here already");
    assert_eq!(house.run(AddPerson { person: person("Jérôme") }).unwrap().login, "toto-j-1");
    let change = |address: &str| ChangePerson {
        login: "toto-j".into(),
        first: None,
        last: Some("Tata".into()),
        address: Some(address.into()),
        profile: None,
        unit: None,
        home: None,
        quota_octets: None,
        registered: None,
        until: None,
        former: vec!["jt@univ-nantes.fr".into()],
    };
    refused(house.run(change("Jerome.Toto@univ-nantes.fr")), "somebody else's");
    let changed = house.run(change("Jean.Tata@univ-nantes.fr")).unwrap();
    assert_eq!(changed.changes, ["last name", "address", "former addresses"]);
    house.run(RemovePerson { login: "toto-j".into(), on: Some("2027-08-31".into()) }).unwrap();
    let shown = house.run(ShowPerson { login: "toto-j".into() }).unwrap();
    assert_eq!(shown.listed.person.until.as_deref(), Some("2027-08-31"));
    assert_eq!(shown.listed.person.former, ["Jean.Toto@univ-nantes.fr", "jt@univ-nantes.fr"]);
    let like =
        |text: &str| house.run(ListPeople { like: Some(text.into()), limit: 9, ..ListPeople::default() }).unwrap();
    assert_eq!((like("jean tat").len(), like("jerome").len(), like("toto j").len()), (1, 1, 2));
}

#[test]
fn addresses_lead_to_people_and_neither_nowhere_nor_in_a_circle() {
    let house = served();
    import(&house, LIST, |_| ());
    let to = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let (info, team) = (address("info@univ-nantes.fr"), address("equipe@univ-nantes.fr"));
    let set = |members: &[&str]| SetFunction { address: team.clone(), members: to(members), quota_octets: None };
    house.run(set(&["toto-j", "Jean-Pierre.Toto@univ-nantes.fr"])).unwrap();
    let alias = |targets: &[&str]| house.run(AddAlias { address: info.clone(), to: to(targets) });
    assert_eq!(alias(&["equipe@univ-nantes.fr", "legall-al"]).unwrap().members, ["legall-al", "toto-j", "toto-jp"]);
    refused(alias(&["info@univ-nantes.fr"]), "back to itself");
    refused(alias(&["nobody"]), "leads to nobody");
    refused(alias(&["x@elsewhere.example"]), "leads to nobody");
    let of = |text: &str| house.run(AddAlias { address: address(text), to: to(&["toto-j"]) });
    refused(of("x@elsewhere.example"), "not held here");
    refused(of("Anne-Laure.Le-Gall@univ-nantes.fr"), "is the address of legall-al");
    refused(of("equipe@univ-nantes.fr"), "a function already");
    let members = |add: &[&str], remove: &[&str]| {
        house.run(ChangeMembers { address: team.clone(), add: to(add), remove: to(remove) })
    };
    assert_eq!(members(&["legall-al", "toto-j"], &["toto-jp"]).unwrap().members, ["toto-j", "legall-al"]);
    refused(members(&[], &["toto-jp"]), "no member");
    refused(members(&[], &["toto-j", "legall-al"]), "would lead nowhere");
    let listed = house.run(ListAddresses { after: String::new() }).unwrap();
    assert!(listed.iter().any(|it| it.address == "equipe@univ-nantes.fr" && it.kind == "function"), "{listed:?}");
    refused(house.run(RemoveAddress { address: info.clone(), is_function: true }), "no function");
    let remove = || house.run(RemoveAddress { address: info.clone(), is_function: false });
    assert_eq!((remove(), remove()), (Ok(true), Ok(false)));
    assert_eq!(house.store().resolve(&info).unwrap(), Resolution::Unknown);
}

const SSHA: &str = "{SSHA}0jrj1dmvjcQiIGGzqh0vwSBl1b1zYWx0c2FsdA==";

#[test]
fn hashes_of_a_list_are_for_who_has_no_password_and_are_shown_to_nobody() {
    let house = served();
    let list = format!("id,last,first,password\n1,Toto,Jean,{SSHA}\n2,Gall,Anne,!{SSHA}\n3,Roy,Paul,rl.3StKT.4T8M\n");
    let told = import(&house, &list, |request| request.dry_run = true);
    let left: Vec<u32> = told.passwords_left.iter().map(|left| left.line).collect();
    assert_eq!((told.passwords, told.passwords_kept, left), (1, 0, vec![3, 4]), "{:?}", told.passwords_left);
    assert!(import(&house, &list, |_| ()).is_written);
    let verifier = || house.store().person(&Login::new("toto-j").unwrap()).unwrap().unwrap().verifier;
    assert_eq!(verifier().as_deref(), Some(SSHA));
    let password = "a sentence nobody guesses".to_owned();
    house.run(super::super::SetPassword { login: "toto-j".into(), password }).unwrap();
    let own = verifier();
    let again = import(&house, &list, |_| ());
    assert_eq!((again.passwords, again.passwords_kept, again.changed, verifier()), (0, 1, 0, own), "{again:?}");
    let damaged = import(&house, "last,first,password\nVide,Zoé,{SSHA}AAAA\n", |_| ());
    assert!(!damaged.is_written && damaged.mistakes[0].what.contains("damaged"), "{damaged:?}");
    let people = people_of_ldif(&format!("dn: uid=x\nsn: X\nuserPassword: {SSHA}\n")).unwrap();
    let shown = format!(
        "{people:?}{told:?}{again:?}{damaged:?}{:?}{}{}{:?}",
        everybody(&house),
        people_to_csv(&people),
        people_to_ldif(&people),
        house.store().audit(100).unwrap()
    );
    assert!(!shown.contains("0jrj1") && !shown.contains("AAAA") && !shown.contains("rl.3"), "{shown}");
}

#[test]
fn aliases_and_functions_of_a_list_gain_members_and_lose_none() {
    let house = served();
    let list = "\
id,last,first,aliases,functions
1,Toto,Jean,jt j.toto@univ-nantes.fr,accueil@univ-nantes.fr
2,Gall,Anne,,accueil secretariat
";
    let told = import(&house, list, |request| request.dry_run = true);
    assert_eq!((told.aliases, told.functions, told.new, told.mistakes.len()), (2, 2, 2, 0), "{told:?}");
    assert_eq!(house.store().resolve(&address("jt@univ-nantes.fr")).unwrap(), Resolution::Unknown);
    assert!(import(&house, list, |_| ()).is_written);
    let members = |text: &str| match house.store().resolve(&address(text)).unwrap() {
        Resolution::Alias(alias) => alias.members.iter().map(Login::to_string).collect::<Vec<_>>(),
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(members("j.toto@univ-nantes.fr"), ["toto-j"]);
    assert_eq!(members("accueil@univ-nantes.fr"), ["toto-j", "gall-a"]);
    let again = import(&house, list, |_| ());
    assert_eq!((again.same, again.aliases, again.functions), (2, 0, 0), "{again:?}");
    let fewer = "id,last,first,functions\n1,Toto,Jean,\n3,Roy,Paul,accueil\n";
    assert!(import(&house, fewer, |_| ()).is_written);
    assert_eq!(members("accueil@univ-nantes.fr"), ["toto-j", "gall-a", "roy-p"]);
    // What is written out is what is here.
    let people = people_of_ldif(&people_to_ldif(&everybody(&house))).unwrap();
    let whole = house.run(ImportPeople { people, ..ImportPeople::default() }).unwrap();
    assert_eq!((whole.same, whole.changed, whole.functions, whole.mistakes.len()), (3, 0, 0, 0), "{whole:?}");
    for (column, value, what) in [
        ("aliases", "Jean.Toto", "is or was the address of toto-j"),
        ("aliases", "accueil", "is a function already"),
        ("functions", "jt", "is an alias already"),
        ("aliases", "x@elsewhere.example", "not held here"),
        ("functions", "a@b@c", "is no address"),
    ] {
        let told = import(&house, &format!("id,last,first,{column}\n4,Neuf,Zoé,{value}\n"), |_| ());
        assert!(!told.is_written && told.mistakes.iter().any(|it| it.what.contains(what)), "{value}: {told:?}");
    }
    assert_eq!(everybody(&house).len(), 3);
}
