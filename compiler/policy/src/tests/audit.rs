//! What is said of the policies of this repository about limits, clients and waivers, and what changes it.

use super::*;
use crate::diagnostic::Diagnostic;
use crate::model::literal::Date;
use crate::{Inputs, compile_with};

fn is_ours(found: &Diagnostic) -> bool {
    let code = found.code.as_str();
    ["02", "03", "04"].contains(&&code[1..3]) || ["E0115", "L0116", "L0117"].contains(&code)
}

/// Codes with their rules, sorted.
fn said(text: &str) -> Vec<(&'static str, String)> {
    let compiled = check(text);
    let found = compiled.diagnostics.iter().filter(|found| is_ours(found));
    let mut found: Vec<_> = found.map(|found| (found.code.as_str(), found.rule.clone().unwrap_or_default())).collect();
    found.sort();
    found
}

fn expected(rules: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    rules.iter().map(|(code, rule)| (*code, (*rule).to_owned())).collect()
}

fn on(text: &str, today: &str) -> Compiled {
    let files = Files([("policy.ron".to_owned(), text.to_owned())].into());
    let today = Date(today.to_owned());
    compile_with(&files, "policy.ron", Inputs { today: Some(&today), deployed: None }).expect("the file is there")
}

#[test]
fn the_first_page_of_nantes_is_the_audit_of_its_guide() {
    let page = expected(&[
        ("L0305", "may_send.person-inside.recipients_attempted"),
        ("L0305", "may_send.person-outside.recipients_attempted"),
        ("L0305", "may_send.person-webmail.recipients_attempted"),
        ("L0307", "one_account_in_several_blocks"),
        ("L0308", "may_send.machine.recipients_attempted"),
        ("L0309", "may_send.machine.recipients_in_one_message"),
        ("L0312", "may_send"),
        ("L0412", "listeners.relay"),
        ("L0412", "listeners.relay"),
        ("L0412", "listeners.relay"),
        ("L0412", "listeners.smtp"),
        ("L0412", "listeners.subs"),
        ("L0413", "never_reachable_beyond.Imap"),
        ("L0413", "never_reachable_beyond.Pop"),
        ("L0414", "never_reachable_beyond.Imap"),
        ("L0414", "never_reachable_beyond.Pop"),
        ("L0414", "never_reachable_beyond.Pops"),
    ]);
    assert_eq!(said(NANTES), page);
}

#[test]
fn the_figures_of_nantes_are_those_of_its_guide() {
    let compiled = check(NANTES);
    let message = |code: Code| {
        let found = compiled.diagnostics.iter().find(|found| found.code == code).expect("it is found");
        found.message.clone()
    };
    assert_eq!(
        message(Code::L0307),
        "one account can send 2500 per 1 h through 3 blocks at once; the widest alone allows 1000"
    );
    assert_eq!(
        message(Code::L0312),
        "no window of a day: one password can reach 60 000 recipients a day, 36 000 from the Internet alone"
    );
    assert_eq!(message(Code::L0308), "block \"machine\" has no recipient window: 100 messages × 50 = 5000 per 1 h");
    let waits: Vec<&str> = compiled
        .diagnostics
        .iter()
        .filter(|found| found.code == Code::L0305)
        .map(|found| found.message.as_str())
        .collect();
    let wait = |s: &str| format!("a client retrying faster than every {s} s is locked out for ever");
    assert_eq!(waits, [wait("3.6"), wait("3.6"), wait("7.2")]);
}

#[test]
fn the_office_and_the_bench_are_told_what_is_true_of_them() {
    let office = expected(&[
        ("L0305", "may_send.person-inside.recipients_attempted"),
        ("L0305", "may_send.person-outside.recipients_attempted"),
        ("L0312", "may_send"),
    ]);
    assert_eq!(said(OFFICE), office);
    let bench = expected(&[
        ("L0308", "may_send.person.recipients_attempted"),
        ("L0312", "may_send"),
        ("L0313", "may_send.person.from"),
    ]);
    assert_eq!(said(BENCH), bench);
}

#[test]
fn a_waived_lint_is_kept_and_marked() {
    let waivers = "waivers: [\n        (lint: \"L0412\", at: \"listeners\", because: \"closed by the firewall\", until: \"2027-01-31\"),";
    let text = with(NANTES, "waivers: [", waivers);
    let compiled = on(&text, "2026-11-23");
    let pairs: Vec<bool> =
        compiled.diagnostics.iter().filter(|found| found.code == Code::L0412).map(|found| found.waived).collect();
    assert_eq!(pairs, [true; 5]);
    assert!(compiled.diagnostics.iter().any(|found| found.code == Code::L0307 && !found.waived));
    assert!(compiled.plan.is_some());
}

#[test]
fn a_waiver_of_one_place_leaves_its_neighbour() {
    let waivers = "waivers: [\n        (lint: \"L0412\", at: \"listeners.s\", because: \"none\", until: \"2027-01-31\"),\n        (lint: \"L0412\", at: \"listeners.smtp\", because: \"none\", until: \"2027-01-31\"),";
    let compiled = on(&with(NANTES, "waivers: [", waivers), "2026-11-23");
    let waived: Vec<&str> = compiled
        .diagnostics
        .iter()
        .filter(|found| found.waived && found.code == Code::L0412)
        .filter_map(|found| found.rule.as_deref())
        .collect();
    assert_eq!(waived, ["listeners.smtp"]);
    let idle: Vec<&str> = compiled
        .diagnostics
        .iter()
        .filter(|found| found.code == Code::L0116)
        .map(|found| found.message.as_str())
        .collect();
    assert_eq!(idle, ["waiver for L0412 at `listeners.s` no longer matches anything"]);
}

#[test]
fn an_expired_waiver_waives_nothing_and_stops_the_plan() {
    let waivers = "waivers: [\n        (lint: \"L0307\", at: \"one_account_in_several_blocks\", because: \"row per access\", until: \"2026-08-31\"),";
    let text = with(NANTES, "waivers: [", waivers);
    let before = on(&text, "2026-08-31");
    assert!(before.plan.is_some() && before.diagnostics.iter().any(|found| found.code == Code::L0307 && found.waived));
    let after = on(&text, "2026-09-01");
    assert_eq!(errors(&after), [(Code::E0115, line_of(&text, "2026-08-31"))]);
    assert!(after.plan.is_none() && after.diagnostics.iter().all(|found| found.code != Code::L0307 || !found.waived));
}

#[test]
fn an_error_cannot_be_waived() {
    let waivers =
        "waivers: [\n        (lint: \"L0411\", at: \"listeners.subs\", because: \"none\", until: \"2027-01-31\"),";
    let text = with(NANTES, "waivers: [", waivers);
    let text = with(&text, "port: 465, speaks: Smtp, tls: Implicit", "port: 465, speaks: Smtp, tls: None");
    let compiled = on(&text, "2026-11-23");
    assert!(compiled.diagnostics.iter().any(|found| found.code == Code::E0401 && !found.waived));
    assert!(compiled.plan.is_none());
}

#[test]
fn a_limit_ten_times_that_of_the_deployed_plan_is_asked_about() {
    let deployed = check(NANTES).plan.expect("a plan").plan;
    let text = with(NANTES, "\"250 / 15 min\", \"500 / 1 h\"", "\"250 / 15 min\", \"5000 / 1 h\"");
    let files = Files([("policy.ron".to_owned(), text.clone())].into());
    let inputs = Inputs { today: None, deployed: Some(&deployed) };
    let compiled = compile_with(&files, "policy.ron", inputs).expect("the file is there");
    let found: Vec<_> = compiled.diagnostics.iter().filter(|found| found.code == Code::L0310).collect();
    let [found] = found.as_slice() else { panic!("{:?}", compiled.diagnostics) };
    assert_eq!(found.rule.as_deref(), Some("may_send.person-outside.recipients_attempted/1h"));
    assert_eq!(found.fix[0].text, "\"500 / 1 h\"");
    let same = Files([("policy.ron".to_owned(), NANTES.to_owned())].into());
    let compiled = compile_with(&same, "policy.ron", inputs).expect("the file is there");
    assert!(compiled.diagnostics.iter().all(|found| found.code != Code::L0310));
}

#[test]
fn counters_have_the_memory_the_image_has() {
    // 11 400 octets for each account: 512 MiB hold those of 47 093.
    let counters = |accounts: u32| {
        let section = format!("counters: (accounts: {accounts}, memory: \"512 MiB\"),\n    logins: (");
        errors(&check(&with(NANTES, "logins: (", &section)))
    };
    assert_eq!(counters(47_093), []);
    let line = line_of(NANTES, "\"person-webmail\": (") + 2;
    assert_eq!(counters(47_094), [(Code::E0207, line)]);
}

/// The text with the edits of one diagnostic made.
fn mended(compiled: &Compiled, found: &Diagnostic, text: &str) -> String {
    let mut edits = found.fix.clone();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
    let mut text = text.to_owned();
    for edit in edits {
        assert_eq!(compiled.sources.name(edit.span.file), "policy.ron");
        text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
    }
    text
}

#[test]
fn each_suggested_edit_mends_what_it_is_for_and_breaks_nothing() {
    let neighbours = include_str!("neighbours.ron");
    let mut tried = 0;
    for text in [NANTES, OFFICE, BENCH, neighbours] {
        let compiled = check(text);
        let before: Vec<Code> = compiled.diagnostics.iter().map(|found| found.code).collect();
        for found in compiled.diagnostics.iter().filter(|found| is_ours(found) && !found.fix.is_empty()) {
            let new = mended(&compiled, found, text);
            let after = check(&new);
            let same = |other: &&Diagnostic| other.code == found.code && other.rule == found.rule;
            assert_eq!(after.diagnostics.iter().find(same), None, "{new}");
            let fresh: Vec<&Diagnostic> =
                after.diagnostics.iter().filter(|other| !before.contains(&other.code)).collect();
            assert_eq!(fresh, Vec::<&Diagnostic>::new(), "{} {:?}:\n{new}", found.code, found.rule);
            tried += 1;
        }
    }
    assert!(tried >= 15, "{tried}");
}
