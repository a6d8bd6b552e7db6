//! Proofs on the policy of Nantes, and policies that break them.

use std::net::IpAddr;

use decide::{ContentCell, EngineState, RecipientClass, Tables};

use super::*;
use crate::prove::Answer;

#[test]
fn nantes_visits_every_cell_and_keeps_its_promises() {
    let compiled = check(NANTES);
    let proofs = &compiled.proofs;
    let cells = proofs.cells;
    assert_eq!((cells.envelope, cells.reachable, cells.content, cells.reading), (4_800, 1_510, 6_750, 24));
    assert_eq!(cells.all(), 11_574);
    let decided: Vec<(&str, bool)> = proofs.decided.iter().map(|decided| (decided.name, decided.holds)).collect();
    let names = [
        "NoOpenRelay",
        "NobodyPosesAsUs",
        "NoClearPassword",
        "NotReachable",
        "EveryMessageScanned",
        "VirusIsSilent",
        "SpamIsAlwaysDelivered",
        "EveryLossIsRecorded",
        "RedirectsStayProfessional",
        "SameServiceForAll",
        "AtMost",
    ];
    assert_eq!(decided, names.map(|name| (name, true)));
    assert_eq!(
        proofs.decided[0].remark,
        "4 accept a remote recipient without a login, all at relay × private (10.44.0.0/16, private use)"
    );
    assert_eq!(proofs.carriers, ["webmail-hosts"]);
    assert_eq!(
        proofs.decided[10].remark,
        "person-inside 1 000 + person-outside 500 + person-webmail 1 000 = 2 500 recipients in 1h"
    );
}

/// Lints of other families may stand before it.
fn first_error(compiled: &Compiled) -> &crate::diagnostic::Diagnostic {
    compiled.diagnostics.iter().find(|found| found.is_error()).expect("an error")
}

#[test]
fn a_reception_for_anyone_is_an_open_relay() {
    let text = with(NANTES, "from: Everywhere, to: OurAddresses", "from: Everywhere, to: Anyone");
    let compiled = check(&text);
    assert_eq!(errors(&compiled), [(Code::E0501, line_of(&text, "from: Everywhere, to: Anyone"))]);
    let found = first_error(&compiled);
    assert_eq!(found.message, "open relay: a stranger at \"outside\" can send to the outside through \"reception\"");
    assert_eq!(compiled.sources.slice(found.labels[0].span), "Anyone");
    assert_eq!(compiled.sources.slice(found.labels[1].span), "NoOpenRelay");
    assert_eq!(
        found.notes,
        [
            "a stranger can do this (24 of 4 800 cases):",
            "    connect 198.18.4.7 → mx.univ-nantes.fr:25, no TLS, no login",
            "    EHLO client.example                  250",
            "    MAIL FROM:<>                         250",
            "    RCPT TO:<someone@elsewhere.example>  250   ← must be refused",
        ]
    );
    let counterexample = &compiled.counterexamples[0];
    assert_eq!((counterexample.cases, counterexample.of), (24, 4_800));
    assert!(compiled.plan.is_none());
    assert!(compiled.plan_unproved.is_some(), "test builds can serve it");
    assert!(!compiled.proofs.decided[0].holds);
}

#[test]
fn a_relay_open_to_another_network_has_another_door() {
    let text = with(
        NANTES,
        "connecting_to: [\"relay\"], from: [\"private\"]",
        "connecting_to: [\"relay\"], from: [\"private\", \"outside\"]",
    );
    let compiled = check(&text);
    assert_eq!(errors(&compiled), [(Code::E0501, line_of(&text, "from: [\"private\", \"outside\"]"))]);
    assert_eq!(compiled.sources.slice(first_error(&compiled).labels[0].span), "\"outside\"");
    let counterexample = &compiled.counterexamples[0];
    assert_eq!(counterexample.cases, 4);
    assert_eq!(counterexample.client, "198.18.4.7".parse::<IpAddr>().expect("an address"));
    assert_eq!((counterexample.host.as_str(), counterexample.port), ("smtp.univ-nantes.prive", 25));
    assert_eq!(counterexample.block, "machine");

    let inside = with(&text, "from: [\"private\", \"outside\"]", "from: [\"inside\", \"private\"]");
    let compiled = check(&inside);
    let counterexample = &compiled.counterexamples[0];
    assert_eq!(counterexample.client.to_string(), "192.0.2.1");
    assert_eq!(counterexample.network, "inside");
    assert_eq!(compiled.sources.slice(first_error(&compiled).labels[0].span), "\"inside\"");
}

#[test]
fn a_submission_without_a_login_points_at_the_listener() {
    let text = with(
        NANTES,
        "port: 587, speaks: Smtp, tls: StartTls(Required), auth: Required",
        "port: 587, speaks: Smtp, tls: StartTls(Required), auth: Never",
    );
    let compiled = check(&text);
    let lines = errors(&compiled);
    let auth = line_of(&text, "port: 587");
    assert!(
        !lines.is_empty() && lines.iter().all(|found| *found == (Code::E0501, auth) || found.0 == Code::E0206),
        "{lines:?}"
    );
    for counterexample in compiled.counterexamples {
        assert!(counterexample.tls, "STARTTLS is required");
        let commands: Vec<&str> = counterexample.lines.iter().map(|line| line.command.as_str()).collect();
        assert_eq!(commands[1..4], ["EHLO client.example", "STARTTLS", "EHLO client.example"]);
    }
}

#[test]
fn every_counterexample_is_what_the_tables_answer() {
    for (from, to) in [
        ("from: Everywhere, to: OurAddresses", "from: Everywhere, to: Anyone"),
        (
            "connecting_to: [\"relay\"], from: [\"private\"]",
            "connecting_to: [\"relay\"], from: [\"outside\", \"webmail-hosts\"]",
        ),
    ] {
        let compiled = check(&with(NANTES, from, to));
        let plan = compiled.plan_unproved.expect("a plan").plan;
        let tables = Tables::new(plan).expect("sound");
        assert!(!compiled.counterexamples.is_empty());
        for counterexample in compiled.counterexamples {
            let listener = tables.listener(&counterexample.listener).expect("a listener");
            let class = tables.class_of(counterexample.client);
            assert_eq!(tables.class_name(class), counterexample.network);
            let cell = decide::Cell {
                listener,
                class,
                tls: counterexample.tls,
                auth: decide::Auth::None,
                sender: decide::SenderClass::Empty,
                recipient: RecipientClass::Remote,
            };
            assert!(tables.envelope(cell).accepts());
            let last = counterexample.lines.last().expect("lines");
            assert_eq!((last.answer, last.fault.as_str()), (Answer::Code(250), "must be refused"));
            let json: serde_json::Value = serde_json::from_str(&counterexample.to_json()).expect("JSON");
            assert_eq!(json["kind"], "counterexample");
            assert_eq!(json["lines"][0]["answer"], 220);
            assert_eq!(json["client"], counterexample.client.to_string());
        }
    }
}

#[test]
fn an_open_relay_is_reported_once() {
    // Every limit of the block is `Unlimited` too: E0205 would say the same again.
    let text = with(NANTES, "from: [\"private\"], to: Anyone", "from: [\"outside\"], to: Anyone");
    let text = with(
        &text,
        "messages_accepted: [\"100 / 1 h\"], recipients_attempted: Unlimited",
        "messages_accepted: Unlimited, recipients_attempted: Unlimited",
    );
    let codes: Vec<Code> = errors(&check(&text)).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, [Code::E0501]);
}

#[test]
fn a_mistake_elsewhere_does_not_stop_the_proof() {
    let text = with(NANTES, "from: Everywhere, to: OurAddresses", "from: Everywhere, to: Anyone");
    let text = with(&text, "message_size: \"20 MB\"", "message_size: \"20\"");
    let codes: Vec<Code> = errors(&check(&text)).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, [Code::E0501, Code::E0107]);
}

#[test]
fn a_mistake_in_what_the_proof_reads_leaves_it_unjudged() {
    let text = with(NANTES, "\"private\":       In([\"10.44.0.0/16\"])", "\"private\":       In([\"10.44.0.1/16\"])");
    let compiled = check(&text);
    assert_eq!(errors(&compiled), [(Code::E0109, line_of(&text, "10.44.0.1/16"))]);
    assert_eq!(compiled.proofs.cells.all(), 0);
    assert_eq!(compiled.proofs.not_judged.len(), 11);
}

#[test]
fn broken_promises_about_reach_are_found() {
    let promised = "        NoOpenRelay,\n";
    for (more, broken) in [
        ("NotReachable(what: [Imaps], from: [\"outside\"])", true),
        ("NotReachable(what: [Relay], from: [\"outside\"])", false),
        ("OnlyFrom([\"inside\", \"private\", \"webmail-hosts\"])", true),
        ("OnlyFrom([\"inside\", \"private\", \"webmail-hosts\", \"outside\"])", false),
        ("AtMost(recipients: \"2499 / 1 h\", of: Account, via: AnyBlock)", true),
        ("AtMost(recipients: \"1250 / 15 min\", of: Account, via: AnyBlock)", false),
    ] {
        let text = with(NANTES, promised, &format!("{promised}        {more},\n"));
        let expected = if broken { vec![(Code::E0901, line_of(&text, more))] } else { Vec::new() };
        assert_eq!(errors(&check(&text)), expected, "{more}");
    }
}

#[test]
fn mistakes_that_leave_the_table_hide_no_open_relay() {
    let text = with(NANTES, "from: Everywhere, to: OurAddresses", "from: Everywhere, to: Anyone");
    let text = with(&text, "[\"250 / 15 min\", \"500 / 1 h\"]", "[\"49 / 15 min\", \"500 / 1 h\"]");
    let text = with(&text, "\"toto-j-1\")", "\"toto-j-2\")");
    let text = with(&text, "port: 465, speaks: Smtp, tls: Implicit", "port: 465, speaks: Smtp, tls: None");
    let codes: Vec<Code> = errors(&check(&text)).into_iter().map(|(code, _)| code).collect();
    assert!([Code::E0501, Code::E0203, Code::E0804, Code::E0401].iter().all(|code| codes.contains(code)), "{codes:?}");
}

#[test]
fn a_policy_too_large_to_decide_is_refused_before_anything_is_enumerated() {
    let networks: String = (0..300).map(|n| format!("\"n{n}\": In([\"10.{}.{}.0/24\"]),", n / 256, n % 256)).collect();
    let listeners: String =
        (0..300).map(|n| format!("\"l{n}\": (host: \"h{n}.example\", port: 25, speaks: Smtp, auth: Never),")).collect();
    let text = with(OFFICE, "networks: {", &format!("networks: {{ {networks}"));
    let text = with(&text, "listeners: {", &format!("listeners: {{ {listeners}"));
    let codes: Vec<Code> = errors(&check(&text)).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, [Code::E0207]);
}

/// What is said of Nantes in policy-language.md 6.1 and 6.5.
#[test]
fn the_content_and_reading_tables_of_nantes_have_the_cells_of_the_specification() {
    let tables = Tables::new(check(NANTES).plan.expect("a plan").plan).expect("sound");
    let cells: Vec<ContentCell> = tables.content_cells().collect();
    let count = |is: &dyn Fn(&[EngineState]) -> bool| {
        let of = |cell: &&ContentCell| is(&tables.engine_states(**cell).map(|(_, state)| state).collect::<Vec<_>>());
        cells.iter().filter(of).count()
    };
    assert_eq!((cells.len(), tables.reading_cells().count(), tables.cells().count()), (6_750, 24, 4_800));
    assert_eq!(count(&|states| states.contains(&EngineState::Infected)), 2_430);
    let one_past = |states: &[EngineState]| {
        states.contains(&EngineState::DownPast)
            && states.iter().any(|state| matches!(state, EngineState::Clean | EngineState::Suspect))
    };
    let none_looked = |states: &[EngineState]| !states.iter().any(|state| state.looked());
    assert_eq!(count(&one_past), 1_080);
    assert_eq!(count(&none_looked), 1_080);
    for cell in cells {
        let states: Vec<EngineState> = tables.engine_states(cell).map(|(_, state)| state).collect();
        let verdict = tables.content(cell);
        if one_past(&states) && verdict.is_delivered() {
            assert!(verdict.rescan, "{cell:?}");
        }
        if none_looked(&states) && cell.fits {
            assert_eq!((verdict.code(), verdict.rule.as_str()), (451, "antivirus.engine_down"), "{cell:?}");
        }
        if !cell.fits {
            assert_eq!((verdict.code(), verdict.loss), (552, Some(plan::Loss::TooLarge)), "{cell:?}");
        }
    }
}

#[test]
fn the_reading_table_lets_in_whoever_logs_in_under_tls() {
    let tables = Tables::new(check(NANTES).plan.expect("a plan").plan).expect("sound");
    for cell in tables.reading_cells() {
        let verdict = tables.reading(cell);
        let reachable = tables.reading_reachable(cell) == decide::Reachable::Yes;
        assert_eq!(reachable, cell.tls, "implicit TLS");
        assert_eq!(verdict.reads(), cell.tls && cell.auth == decide::Auth::Good, "{cell:?}: {verdict:?}");
    }
}
