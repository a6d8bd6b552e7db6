//! What cases get.

use super::{NANTES, NANTES_PEOPLE, Recorded, case, nantes, neighbours, play, played, ready};
use crate::suite::Verdict;

#[test]
fn every_case_of_nantes_passes() {
    let (report, found) = play(nantes(), super::NANTES_TESTS, None);
    assert!(found.is_empty(), "{found:#?}");
    let failed: Vec<String> = report.cases.iter().filter(|case| !case.passed()).map(|case| case.human()).collect();
    assert!(failed.is_empty() && report.cases.len() >= 60, "{}", failed.join("\n"));
}

#[test]
fn a_wrong_expectation_fails_with_what_came_and_where_the_rule_stands() {
    let said = played(
        nantes(),
        "block: \"person-outside\", login: \"toto-j\"",
        "Attempts(recipients: 251)",
        "FirstAccepted(251)",
    );
    assert!(said.contains("expected  FirstAccepted(251)"), "{said}");
    assert!(said.contains("got       All([FirstAccepted(250), Refused(at: Rcpt, code: 451"), "{said}");
    assert!(said.contains("  policy.ron:85"), "{said}");
    for expect in [
        "AllAccepted",
        "FirstAccepted(249)",
        "Nothing",
        "Delivered()",
        "Refused(at: Mail, code: 451, by: \"may_send.person-outside.recipients_attempted/15min\")",
        "Refused(at: Rcpt, code: 452, by: \"may_send.person-outside.recipients_attempted/15min\")",
        "Refused(at: Rcpt, code: 451, by: \"may_send.person-outside.recipients_attempted/1h\")",
        "Refused(at: Rcpt, code: 451, by: \"may_send.person-outside.recipients_attempted/15min\", times: 2)",
        "All([FirstAccepted(250), Nothing])",
    ] {
        let given = "block: \"person-outside\", login: \"toto-j\"";
        assert!(!played(nantes(), given, "Attempts(recipients: 251)", expect).is_empty(), "{expect}");
    }
}

#[test]
fn what_is_quarantined_or_tagged_is_told_apart_from_what_is_delivered() {
    let given = "listener: \"mx\", client: \"203.0.113.9\", clamav: Infected(\"Eicar\")";
    let when = "Mail(from: \"x@evil.example\", to: [\"Jean.Toto@univ-nantes.fr\"])";
    assert_eq!(played(nantes(), given, when, "Quarantined(told: Nobody, reply: 250)"), "");
    for expect in [
        "AllAccepted",
        "Delivered()",
        "Quarantined(told: Sender, reply: 250)",
        "Quarantined(told: Nobody, reply: 554)",
        "Quarantined(told: Nobody, reply: 250, recorded: TooLarge)",
        "Dropped(told: Nobody, reply: 250)",
    ] {
        assert!(!played(nantes(), given, when, expect).is_empty(), "{expect}");
    }
}

#[test]
fn profiles_grants_and_applications_have_rows_of_their_own() {
    let people = "Tests(people: { \"anna\": (profile: \"student\"), \"elections\": (profile: \"staff\"), \"staff\": (profile: \"staff\") }, cases: [";
    let text = format!(
        "{people}
        Case(name: \"student\", given: (block: \"person\", login: \"anna\"),
            when: [Attempts(recipients: 101)],
            expect: [All([FirstAccepted(100), Refused(at: Rcpt, code: 451, by: \"may_send.person.by_profile.student.recipients_attempted/1h\")])]),
        Case(name: \"grant\", given: (block: \"person\", login: \"elections\", at: \"2027-03-31 10:00\"),
            when: [Attempts(recipients: 2001)], expect: [AllAccepted]),
        Case(name: \"grant that ended overnight\", given: (block: \"person\", login: \"elections\", at: \"2027-03-31 23:59\"),
            when: [Wait(\"1 min\"), Attempts(recipients: 501)],
            expect: [Nothing, All([FirstAccepted(500), Refused(at: Rcpt, code: 451, by: \"may_send.person.recipients_attempted/1h\")])]),
        Case(name: \"application\", given: (listener: \"relay\", network: \"moodle\"),
            when: [Mail(to: [\"y@other.example\"]), Mail(from: \"root@univ.example\", to: [\"y@other.example\"])],
            expect: [AllAccepted, AllAccepted]),
        Case(name: \"an unknown machine\", given: (listener: \"relay\", client: \"10.9.3.5\"), when: [Connects()],
            expect: [Refused(at: Banner, code: 554, by: \"listeners.relay\")]),
        Case(name: \"round the filter\", given: (listener: \"mx\", client: \"203.0.113.9\"), when: [Connects()],
            expect: [Refused(at: Banner, code: 554, by: \"listeners.mx\")]),
        Case(name: \"a day\", given: (block: \"person\", login: \"staff\"),
            when: [
                Attempts(recipients: 500), Wait(\"1 h\"), Attempts(recipients: 500), Wait(\"1 h\"), Attempts(recipients: 500),
                Wait(\"1 h\"), Attempts(recipients: 500), Wait(\"1 h\"), Attempts(recipients: 1),
            ],
            expect: [
                AllAccepted, Nothing, AllAccepted, Nothing, AllAccepted, Nothing, AllAccepted, Nothing,
                Refused(at: Rcpt, code: 451, by: \"may_send.person.recipients_attempted/1day\"),
            ]),
        Each(name: \"rows\", columns: [\"block\", \"profile\", \"rcpt_per_msg\", \"rcpt_per_hour\", \"rcpt_per_day\"],
            rows: [(\"person\", \"staff\", 100, 500, 2000), (\"person\", \"student\", 20, 100, 300)]),
        ])"
    );
    let (report, found) = play(neighbours(), &text, None);
    assert!(found.is_empty(), "{found:#?}");
    let failed: Vec<String> = report.cases.iter().filter(|case| !case.passed()).map(|case| case.human()).collect();
    assert!(failed.is_empty() && report.cases.len() == 8, "{}", failed.join("\n"));
}

#[test]
fn recorded_cases_compare_with_what_was_written_down() {
    let text = case("block: \"machine\"", "Attempts(recipients: 51), Wait(\"1 min\")", "").replace("[]", "Recorded");
    let (report, found) = play(nantes(), &text, None);
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(report.cases[0].verdict, Verdict::NotRecorded);
    let got = report.cases[0].recorded.clone().expect("it is to be recorded");
    assert_eq!(got, ["Delivered()", "Nothing"].map(str::to_owned));
    let recorded = Recorded { cases: [("it".to_owned(), got)].into() };
    let mut sources = crate::diagnostic::Sources::new();
    let mut sink = Vec::new();
    let back = Recorded::read(&mut sources, "t.test.expected.ron", &recorded.text(), &mut sink);
    assert_eq!((&back, sink.len()), (&recorded, 0));
    assert!(play(nantes(), &text, Some(&back)).0.cases[0].passed());
    let other =
        Recorded { cases: [("it".to_owned(), vec!["AllAccepted".to_owned(), "AllAccepted".to_owned()])].into() };
    assert!(!play(nantes(), &text, Some(&other)).0.cases[0].passed());
}

#[test]
fn a_name_cannot_steer_a_terminal() {
    let text = "Tests(cases: [Case(name: \"a\\u{1b}b\", when: [Wait(\"1 s\")], expect: [Nothing])])";
    let (report, _) = play(nantes(), text, None);
    assert!(report.cases.iter().all(|case| !case.human().contains('\u{1b}')));
}

#[test]
fn what_the_policy_blocks_is_refused_and_complaints_come_through() {
    let entries = "    blocked: [
        (what: SenderDomain(\"phish.example\"), because: \"phish of November\"),
        (what: Client(\"203.0.113.0/28\"), because: \"a worm\"),
    ],
    filters: (on";
    let policy = NANTES.replacen("    filters: (on", entries, 1).leak();
    let blocks = ready(policy, NANTES_PEOPLE);
    let (near, far) = ("203.0.113.9", "203.0.113.99");
    let to = "to: [\"jean.toto@univ-nantes.fr\"]";
    let cases = [
        (far, format!("Mail(from: \"a@b.example\", {to})"), "Delivered()"),
        (far, format!("Mail(from: \"a@mail.phish.example\", {to})"), "Refused(at: Rcpt, code: 550, by: \"blocked.0\")"),
        (far, "Mail(from: \"a@phish.example\", to: [\"abuse@univ-nantes.fr\"])".to_owned(), "Delivered()"),
        (
            far,
            format!("Mail(from: \"a@b.example\", from_header: \"a@phish.example\", {to})"),
            "Refused(at: Data, code: 550, by: \"blocked.0\")",
        ),
        (near, format!("Mail(from: \"a@b.example\", {to})"), "Refused(at: Rcpt, code: 550, by: \"blocked.1\")"),
    ];
    for (client, mail, expect) in cases {
        let given = format!("listener: \"mx\", client: \"{client}\"");
        assert_eq!(played(blocks.clone(), &given, &mail, expect), "", "{mail}");
    }
}
