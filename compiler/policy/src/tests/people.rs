//! `people.ron`: what is derived, and what is wrong with it.

use mail::{Address, AliasKind, Login};

use super::*;

#[test]
fn the_guides_three_totos_get_their_logins() {
    let directory = check_with(NANTES, NANTES_PEOPLE).people.expect("people");
    let login = |first: &str, last: &str| {
        let person = directory.people.iter().find(|p| p.first == first && p.last == last).expect("a person");
        (person.login.as_str().to_owned(), person.address.to_string())
    };
    assert_eq!(login("Jean", "Toto"), ("toto-j".into(), "Jean.Toto@univ-nantes.fr".into()));
    assert_eq!(login("Jean-Pierre", "Toto"), ("toto-jp".into(), "Jean-Pierre.Toto@univ-nantes.fr".into()));
    assert_eq!(login("Jérôme", "Toto"), ("toto-j-1".into(), "Jerome.Toto@univ-nantes.fr".into()));
    assert_eq!(login("Lucie", "Martin").0, "martin-l-2");
    assert_eq!(login("Charles-Henri", "de La Tour").0, "delatour-ch");
    let profiles: std::collections::BTreeSet<&str> = directory.people.iter().map(|p| p.profile.as_str()).collect();
    assert_eq!(profiles.into_iter().collect::<Vec<_>>(), ["director", "standard", "visitor"]);
    let quota = |login: &str| directory.people.iter().find(|p| p.login.as_str() == login).expect("them").quota_octets;
    assert_eq!((quota("toto-j"), quota("toto-j-1"), quota("lhostis-c")), (1_000_000_000, 2_000_000_000, 4_000_000_000));
}

#[test]
fn former_addresses_functions_and_aliases_lead_to_people() {
    let directory = check_with(NANTES, NANTES_PEOPLE).people.expect("people");
    let members = |address: &str| {
        let alias = directory.aliases.iter().find(|a| a.address.to_string() == address).expect(address);
        (alias.kind, alias.members.iter().map(|login| login.as_str().to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(members("jtoto@sciences.univ-nantes.fr"), (AliasKind::Former, vec!["toto-j".to_owned()]));
    assert_eq!(members("Directeur.Sciences@univ-nantes.fr"), (AliasKind::Function, vec!["leguennec-m".to_owned()]));
    assert_eq!(members("accueil@univ-nantes.fr"), (AliasKind::Alias, vec!["toto-jp".to_owned()]), "through an alias");
    assert_eq!(members("postmaster@univ-nantes.fr").1, ["dupont-p", "dupont-a"]);
}

#[test]
fn postmaster_and_abuse_reach_the_first_person_where_nobody_says_otherwise() {
    let people = OFFICE_PEOPLE.replace("mail-managers@", "managers@");
    let directory = check_with(OFFICE, &people).people.expect("people");
    for role in ["postmaster@cabinet-martin.example", "abuse@cabinet-martin.example"] {
        let alias = directory.aliases.iter().find(|a| a.address.to_string() == role).expect(role);
        assert_eq!(alias.members, [directory.people[0].login.clone()]);
    }
}

#[test]
fn each_address_says_its_ways_behind_those_it_follows_also_where_it_follows_none() {
    let people = OFFICE_PEOPLE
        .replace("[\"martin-c\", \"lefevre-i\"]", "[\"martin-c\", \"facturation@cabinet-martin.example\"]")
        .replace("to: [\"lefevre-i\"]", "to: [\"lefevre-i\", \"martin-c\"]");
    let leads = |people: &str| -> Vec<(String, String, String)> {
        let leads = check_with(OFFICE, people).people.expect("people").leads.into_iter();
        leads
            .map(|lead| {
                let own: Vec<&str> = lead.own.iter().map(Login::as_str).collect();
                let follows: Vec<&str> = lead.follows.iter().map(Address::local).collect();
                (lead.address.local().to_owned(), own.join(" "), follows.join(" "))
            })
            .collect()
    };
    let owned = |all: [(&str, &str, &str); 6]| all.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
    let managed = [("postmaster", "", "mail-managers"), ("abuse", "", "mail-managers")];
    let [postmaster, abuse] = managed;
    let (managers, administrators) = (("mail-managers", "martin-c", ""), ("mail-administrators", "martin-c", ""));
    let (facturation, contact) = (("facturation", "lefevre-i martin-c", ""), ("contact", "martin-c", "facturation"));
    let expected = owned([managers, administrators, facturation, contact, postmaster, abuse]);
    assert_eq!(leads(&people), expected);
    let unmanaged = leads(&OFFICE_PEOPLE.replace("mail-managers@", "managers@"));
    let postmaster = ("postmaster".to_owned(), "martin-c".to_owned(), String::new());
    assert!(unmanaged.contains(&postmaster), "{unmanaged:?}");
}

#[test]
fn a_function_may_have_mailboxes_of_its_own_with_a_quota_of_its_own() {
    let with = |line: &str| OFFICE_PEOPLE.replace("members: [\"martin-c\", \"lefevre-i\"])", line);
    let members = "members: [\"martin-c\"]";
    for (line, quota_octets) in [
        (format!("{members}, mailbox: Own)"), 1_000_000_000),
        (format!("{members}, mailbox: Own, quota: \"20 GB\")"), 20_000_000_000),
    ] {
        let directory = check_with(OFFICE, &with(&line)).people.expect("people");
        let contact = directory.aliases.iter().find(|a| a.address.local() == "contact").expect("contact");
        assert_eq!(contact.kind, AliasKind::FunctionMailbox { quota_octets }, "{line}");
        assert!(contact.account().is_some());
    }
    let mistakes = [
        (format!("{members}, quota: \"20 GB\")"), "expected no quota for \"contact@cabinet-martin.example\""),
        (format!("{members}, mailbox: Own, profile: \"x\")"), "has unknown profile \"x\""),
        (format!("{members}, mailbox: Mine)"), "Mine"),
    ];
    for (line, message) in mistakes {
        let checked = check_with(OFFICE, &with(&line));
        let found = checked.diagnostics.iter().any(|diagnostic| diagnostic.message.contains(message));
        assert!(found, "{line}: {:?}", checked.diagnostics);
    }
}

const GOOD: &str = r#"People(
    people: [
        (first: "Jean", last: "Toto", profile: "standard", unit: "sciences", registered: "2004-09-01", former: ["jtoto"]),
        (first: "Anne", last: "Dupont", registered: "2005-01-01"),
    ],
    functions: [
        (address: "Secretariat.Droit@univ-nantes.fr", members: ["toto-j"]),
        (address: "traitementspam@univ-nantes.fr", members: ["dupont-a"]),
    ],
    aliases: [(address: "a@univ-nantes.fr", to: ["dupont-a"])],
)"#;

#[test]
fn each_mistake_about_people_has_its_code_and_line() {
    assert_eq!(errors(&check_with(NANTES, GOOD)), []);
    for (code, from, to) in [
        (Code::E0811, "last: \"Dupont\",", "last: \"Dupont\", login: \"toto-j\","),
        (Code::E0811, "a@univ-nantes.fr", "jean.toto@univ-nantes.fr"),
        (Code::E0812, "profile: \"standard\"", "profile: \"standart\""),
        (Code::E0812, "last: \"Dupont\",", "last: \"Dupont\", home: \"old-store\","),
        (Code::E0812, "last: \"Dupont\",", "last: \"Dupont\", former: [\"adupont\"],"),
        (Code::E0813, "members: [\"toto-j\"]", "members: []"),
        (Code::E0813, "to: [\"dupont-a\"]", "to: [\"dupond-a\"]"),
        (Code::E0814, "a@univ-nantes.fr", "a@elsewhere.example"),
        (Code::E0814, "last: \"Dupont\",", "last: \"Dupont\", address: \"x@sciences.univ-nantes.fr\","),
        (Code::E0815, "to: [\"dupont-a\"]", "to: [\"a@univ-nantes.fr\"]"),
        (Code::E0816, "2005-01-01", "2003-01-01"),
        (Code::E0104, "2005-01-01", "01/01/2005"),
        (Code::E0002, "last: \"Dupont\",", "last: \"Dupont\", nick: \"Nana\","),
    ] {
        let text = with(GOOD, from, to);
        let compiled = check_with(NANTES, &text);
        assert_eq!(errors(&compiled).first(), Some(&(code, line_of(&text, to))), "{to}: {:?}", compiled.diagnostics);
        assert!(compiled.people.is_none());
        assert!(compiled.plan.is_some());
    }
}

#[test]
fn a_long_chain_of_aliases_is_no_deep_recursion() {
    let links: String = (0..20_000)
        .map(|n| format!("(address: \"a{n}@univ-nantes.fr\", to: [\"a{}@univ-nantes.fr\"]),\n", n + 1))
        .take(400)
        .collect();
    let text = GOOD
        .replace("aliases: [", &format!("aliases: [{links}(address: \"a400@univ-nantes.fr\", to: [\"toto-j\"]),\n"));
    let directory = check_with(NANTES, &text).people.expect("people");
    let first = directory.aliases.iter().find(|a| a.address.to_string() == "a0@univ-nantes.fr").expect("the first");
    assert_eq!(first.members[0].as_str(), "toto-j");
}

#[test]
fn two_people_of_one_name_are_told_apart_by_the_file_or_not_at_all() {
    let twice = "(first: \"Anne\", last: \"Dupont\", registered: \"2005-01-01\"),";
    let text = with(GOOD, twice, &format!("{twice}\n{}", twice.replace("2005", "2006")));
    let compiled = check_with(NANTES, &text);
    assert_eq!(errors(&compiled), [(Code::E0801, line_of(&text, "2006-01-01"))]);
    assert!(compiled.people.is_none() && compiled.plan.is_some());
    // The same, where nothing says who gets which: the policy has the error, and the people who show it.
    let careless = with(NANTES, "            homonyms: AskDirectory,", "");
    let codes: Vec<Code> = errors(&check_with(&careless, &text)).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, [Code::E0801, Code::E0801]);
    let numbered = with(NANTES, "homonyms: AskDirectory", "homonyms: Append(suffix: \".{n}\", first: 2)");
    let directory = check_with(&numbered, &text).people.expect("people");
    let addresses: Vec<String> = directory.people.iter().map(|person| person.address.to_string()).collect();
    assert_eq!(addresses[1..], ["Anne.Dupont@univ-nantes.fr", "Anne.Dupont.2@univ-nantes.fr"]);
}

#[test]
fn a_login_that_two_people_can_have_is_shown_with_those_who_are_there() {
    let policy = with(NANTES, "form: \"{last}-{initials}\"", "form: \"{initials}-{last}\"");
    let policy = with(&policy, "(\"Jean\", \"Toto\", \"toto-j\")", "(\"Jean\", \"Toto\", \"j-toto\")");
    let policy = with(&policy, "(\"Jean-Pierre\", \"Toto\", \"toto-jp\")", "(\"Jean-Pierre\", \"Toto\", \"jp-toto\")");
    let policy = with(&policy, "\"toto-j-1\")", "\"j-toto-1\")");
    let people = r#"People(people: [
        (first: "Jean", last: "Toto", registered: "2004-09-01"),
        (first: "Jérôme", last: "Toto", registered: "2005-09-01"),
        (first: "Jacques", last: "Toto-1", registered: "2006-09-01"),
    ])"#;
    let compiled = check_with(&policy, people);
    let found: Vec<(Code, &str)> = compiled
        .diagnostics
        .iter()
        .filter(|found| found.code == Code::E0803)
        .map(|found| (found.code, found.message.as_str()))
        .collect();
    let there = "login `j-toto-1` can come from two different people: Jacques Toto-1 plain, Jérôme Toto with suffix";
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].0 == Code::E0803 && found[0].1.ends_with(" with suffix"), "{found:?}");
    assert_eq!(found[1], (Code::E0803, there));
    // With a suffix no name can have, nobody is mistaken.
    let apart = with(&policy, "suffix: \"-{n}\"", "suffix: \".{n}\"");
    let apart = with(&apart, "\"j-toto-1\")", "\"j-toto.1\")");
    assert!(!check_with(&apart, people).diagnostics.iter().any(|found| found.code == Code::E0803));
}
