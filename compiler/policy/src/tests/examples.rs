//! Every code this build judges in a policy: a change to a good policy that gives the code, at its line.

use super::*;

const NEIGHBOURS: &str = include_str!("neighbours.ron");

/// (code, good policy, what stands there, what is written instead, where the caret stands in the bad one).
type Example = (Code, &'static str, &'static str, &'static str, &'static str);

const READING: &[Example] = &[
    (Code::E0001, NANTES, "asked_through: UnitItService,", "asked_through: UnitItService", "allow: {"),
    (Code::E0002, NANTES, "auth: Never, certificate: Internal", "auth: Never, cerificate: Internal", "cerificate"),
    (Code::E0003, NANTES, "always: Deliver,  ", "", "antispam: ("),
    (Code::E0003, NANTES, "    language: 1,\n", "", "Policy("),
    (Code::E0004, NANTES, "\"cnrs\":     Suffix", "\"chu\":     Suffix", "\"chu\":     Suffix"),
    (Code::E0005, NANTES, "language: 1", "language: 2", "language: 2"),
    (Code::E0006, NANTES, "Utilisateur type", "Utilisateur\u{202e} type", "Utilisateur"),
];

const NAMES: &[Example] = &[
    (Code::E0101, NANTES, "from: [\"outside\"], to: Anyone", "from: [\"outsdie\"], to: Anyone", "outsdie"),
    (Code::E0101, NANTES, "connecting_to: [\"mx\"]", "connecting_to: [\"mix\"]", "\"mix\""),
    (Code::E0101, NANTES, "passes: [\"form\"", "passes: [\"from\"", "passes: [\"from\""),
    (Code::E0101, NANTES, "otherwise: \"standard\"", "otherwise: \"standart\"", "standart"),
    (Code::E0101, NANTES, "of: [\"machine\"]", "of: [\"machines\"]", "machines"),
    (Code::E0101, NANTES, "change_from: [\"inside\"]", "change_from: [\"insid\"]", "insid\""),
    (Code::E0101, NANTES, "Relay: [\"private\"]", "Relay: [\"privat\"]", "privat\""),
    (Code::E0101, NANTES, "lint: \"L0502\"", "lint: \"E0501\"", "E0501"),
    (Code::E0101, NANTES, "speaks: Imap", "speaks: Imapp", "Imapp"),
    (Code::E0101, NEIGHBOURS, "block: \"person\", because", "block: \"peron\", because", "peron"),
    (Code::E0101, NEIGHBOURS, "on: [\"mx\"]", "on: [\"mxx\"]", "mxx"),
    (Code::E0104, NANTES, "taught_by: [\"mail-managers\"]", "taught_by: \"mail-managers\"", "taught_by: \"mail"),
    (Code::E0104, NANTES, "until: \"2027-08-31\"),\n    ],", "until: \"31/08/2027\"),\n    ],", "31/08/2027"),
    (Code::E0104, NANTES, "Night(\"03:30\")", "Night(\"3h30\")", "3h30"),
    (Code::E0105, NANTES, "\"20 MB\"", "\"20 M\"", "\"20 M\""),
    (Code::E0106, NANTES, "queue: \"5 days\"", "queue: \"1 month\"", "1 month"),
    (Code::E0107, NANTES, "message_size: \"20 MB\"", "message_size: 20", "message_size: 20"),
    (Code::E0107, NANTES, "grace: \"10 %\"", "grace: \"10\"", "grace: \"10\""),
    (Code::E0108, NANTES, "port: 993", "port: 99300", "99300"),
    (Code::E0108, NANTES, "\"10.44.0.0/16\"", "\"10.44.0.0/36\"", "10.44.0.0/36"),
    (Code::E0108, NANTES, "recipients_in_one_message: 1000", "recipients_in_one_message: 1001", "message: 1001"),
    (Code::E0109, NANTES, "\"10.44.0.0/16\"", "\"10.44.0.5/16\"", "10.44.0.5/16"),
    (Code::E0114, NANTES, "remote: DirectMx", "remote: Smarthost(\"nantes:hunter2@smtp.example:587\")", "hunter2"),
    (Code::E0119, NANTES, "\"reading\": (", "\"relay\": (", "\"relay\": (connecting"),
    (Code::E0120, NANTES, "\"Europe/Paris\"", "\"Europe/Nantes\"", "Europe/Nantes"),
];

const LIMITS: &[Example] = &[
    (Code::E0201, NANTES, "[\"200 / 1 h\"]", "[\"0 / 1 h\"]", "\"0 / 1 h\""),
    (Code::E0201, NANTES, "connections_at_once: 30", "connections_at_once: 0", "at_once: 0"),
    (Code::E0202, NANTES, "\"50 / 1 day\"", "\"50 / 2 days\"", "2 days"),
    (Code::E0203, NANTES, "[\"250 / 15 min\", \"500 / 1 h\"]", "[\"49 / 15 min\", \"500 / 1 h\"]", "\"49 / 15"),
    (Code::E0204, NANTES, "[\"250 / 15 min\", \"500 / 1 h\"]", "[\"250 / 60 min\", \"500 / 1 h\"]", "60 min"),
    (
        Code::E0205,
        NANTES,
        "messages_accepted: [\"100 / 1 h\"], recipients_attempted: Unlimited",
        "messages_accepted: Unlimited, recipients_attempted: Unlimited",
        "messages_accepted: Unlimited",
    ),
    (
        Code::E0206,
        NANTES,
        "each_client_address: (recipients",
        "each_account: (recipients",
        "recipients_attempted: Unlimited",
    ),
    (Code::E0208, NANTES, ", recipients_attempted: Unlimited)", ")", "each_client_address: (recipients"),
    (Code::E0208, NANTES, "[\"120 / 1 min\"]", "[]", "connections_attempted: []"),
    (Code::E0210, NANTES, "recipients_in_one_message: 1000", "recipients_in_one_message: 99", "message: 99"),
];

const CLIENTS: &[Example] = &[
    (Code::E0401, NANTES, "port: 465, speaks: Smtp, tls: Implicit", "port: 465, speaks: Smtp, tls: None", "port: 465"),
    (
        Code::E0402,
        NANTES,
        "In([\"10.44.0.0/16\"])",
        "In([\"10.44.0.0/16\", \"198.51.100.0/24\"])",
        "\"10.44.0.0/16\", \"",
    ),
    (Code::E0402, NANTES, "In([\"10.44.0.0/16\"])", "Rest", "\"outside\":       Rest"),
    (Code::E0403, NANTES, "port: 465", "port: 587", "\"subs\":  ("),
    (
        Code::E0405,
        NANTES,
        "from: [\"outside\"], to: Anyone",
        "from: [\"outside\", \"inside\"], to: Anyone",
        "\"outside\", \"inside\"], to",
    ),
    (Code::E0405, NANTES, "connecting_to: [\"imaps\"]", "connecting_to: [\"imaps\", \"mx\"]", "\"imaps\", \"mx\""),
    (Code::E0408, OFFICE, "\"outside\": Rest", "\"outside\": In([\"0.0.0.0/0\"])", "0.0.0.0/0"),
    (
        Code::E0501,
        NANTES,
        "from: Everywhere, to: OurAddresses",
        "from: Everywhere, to: Anyone",
        "Everywhere, to: Anyone",
    ),
    (Code::E0519, NEIGHBOURS, "AliasOf(\"univ.example\")", "AliasOf(\"uni.example\")", "AliasOf"),
];

const REST: &[Example] = &[
    (Code::E0506, NANTES, "\"20 MB\"", "\"20 GB\"", "20 GB"),
    (Code::E0804, NANTES, "\"toto-j-1\")", "\"toto-j-2\")", "toto-j-2"),
    (Code::E0804, NANTES, "form: \"{last}-{initials}\"", "form: \"{last}.{initials}\"", "(\"Jean\", \"Toto\""),
    (Code::E0805, NANTES, "https://motdepasse", "http://motdepasse", "http://motdepasse"),
    (Code::E0901, NANTES, "AtMost(recipients: \"2500", "AtMost(recipients: \"2499", "2499"),
    (Code::E0902, NANTES, "NobodyPosesAsUs(from: [\"outside\"])", "NobodyPosesAsUs(from: [\"internet\"])", "internet"),
    (Code::E0904, NANTES, "at_most: \"35 days\"", "at_most: \"25 days\"", "25 days"),
    (
        Code::L0411,
        NANTES,
        "port: 587, speaks: Smtp, tls: StartTls(Required)",
        "port: 587, speaks: Smtp, tls: StartTls(Offered)",
        "port: 587",
    ),
];

fn all() -> impl Iterator<Item = &'static Example> {
    [READING, NAMES, LIMITS, CLIENTS, REST].into_iter().flatten()
}

#[test]
fn each_bad_example_gives_its_code_at_its_line_and_each_good_one_compiles() {
    for good in [NANTES, OFFICE, NEIGHBOURS] {
        assert!(check(good).plan.is_some());
    }
    let mut wrong = Vec::new();
    for (code, good, from, to, caret) in all() {
        let bad = with(good, from, to);
        let compiled = check(&bad);
        let first = compiled.diagnostics.iter().find(|found| found.is_error() || found.code == *code);
        let found = first.map(|found| {
            let line = found.place().map_or(0, |span| compiled.sources.position(span.file, span.start).line);
            (found.code, line)
        });
        if found != Some((*code, line_of(&bad, caret))) {
            wrong.push(format!("{code} for {to:?}: line {}, found {:?}", line_of(&bad, caret), compiled.diagnostics));
        }
        if compiled.plan.is_some() == code.as_str().starts_with('E') {
            wrong.push(format!("{code} for {to:?}: plan or no plan"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn one_mistake_is_reported_once() {
    for (code, good, from, to, _) in all() {
        let compiled = check(&with(good, from, to));
        let errors = compiled.diagnostics.iter().filter(|found| found.is_error());
        let found: Vec<Code> = errors.map(|found| found.code).collect();
        assert!(found.iter().all(|other| other == code), "{code} for {to:?}: {found:?}");
    }
}

#[test]
fn every_code_this_build_judges_has_an_example() {
    use crate::codes::Standing;
    let of_people = [Code::E0811, Code::E0812, Code::E0813, Code::E0814, Code::E0815, Code::E0816];
    for code in Code::ALL.iter().filter(|code| code.standing() == Standing::Judged) {
        let explained = crate::examples::of(*code).is_some();
        let shown = explained || all().any(|example| example.0 == *code) || of_people.contains(code);
        assert!(shown, "{code} has an example");
    }
    for (code, ..) in all() {
        assert_eq!(code.standing(), Standing::Judged, "{code}");
    }
}

#[test]
fn diagnostics_are_written_in_the_house_style() {
    for (_, good, from, to, _) in all() {
        for found in check(&with(good, from, to)).diagnostics {
            let texts = [Some(&found.message), found.help.as_ref()];
            for text in texts.into_iter().flatten() {
                assert!(!text.contains('\n') && !text.ends_with('.'), "{text}");
                assert!(!text.contains("::") && !text.contains("Spanned"), "{text}");
            }
            assert!(found.place().is_some(), "{}", found.message);
        }
    }
}
