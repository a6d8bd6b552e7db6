//! `observed`: limits that only watch, from the text to the plan, its difference and what is wrong with them.

use super::*;
use crate::diff::{Class, Side, diff, human};
use crate::explain::{Subject, Would, would};

const LIMITS: &str = "messages_accepted: [\"50 / 1 h\"], recipients_attempted: [\"250 / 15 min\", \"500 / 1 h\"]";

fn watching(observed: &str) -> String {
    with(NANTES, LIMITS, &format!("{LIMITS}, observed: ({observed})"))
}

#[test]
fn a_plan_has_it_only_where_it_is_written() {
    assert!(!plan_text(NANTES).contains("observed"), "a policy without it has the plan it had");
    let text = plan_text(&watching("recipients_in_one_message: 20, recipients_attempted: [\"100 / 1 h\"]"));
    assert_eq!(text.matches("observed").count(), 1);
    let (plan, _) = plan::read(&text).expect("the reader takes what the compiler writes");
    let observed = plan.may_send["person-outside"].limits.row().observed.clone().expect("it is there");
    assert_eq!(observed.recipients_in_one_message, Some(20));
    assert_eq!(observed.recipients_attempted.list(), [plan::Window { max: 100, width_s: 3_600 }]);
    assert_eq!(observed.messages_accepted, plan::Windows::NotCounted);
    crate::verify::verify(text.as_bytes()).expect("the second reader takes it, too");
}

#[test]
fn a_difference_in_it_is_no_decision() {
    let (without, with) = (plan_text(NANTES), plan_text(&watching("recipients_attempted: [\"100 / 1 h\"]")));
    let other = plan_text(&watching("recipients_attempted: [\"80 / 1 h\"]"));
    let side = |text| Side { text, map: None, found: None };
    for (old, new) in [(&without, &with), (&with, &without), (&with, &other)] {
        let difference = diff(side(old), side(new)).expect("both can be read");
        let classes: Vec<Class> = difference.changes.iter().map(|change| change.class).collect();
        assert!(!classes.is_empty() && classes.iter().all(|class| *class == Class::Text), "{difference:#?}");
        assert_eq!(difference.cells.map(|cells| cells.changed()), Some(0));
        assert!(human(&difference, false).contains("refuses nothing"), "{}", human(&difference, false));
    }
}

#[test]
fn mistakes_in_it_are_found_like_those_of_limits() {
    for (observed, code) in [
        ("recipients_attempted: [\"0 / 1 h\"]", Code::E0201),
        ("recipients_in_one_message: 0", Code::E0201),
        ("recipients_attempted: [\"9 / 2 days\"]", Code::E0202),
        ("recipients_attempted: [\"9 / 1 h\", \"8 / 60 min\"]", Code::E0204),
        ("recipients_attempted: []", Code::E0208),
        ("", Code::E0208),
        ("recipient_attempted: [\"9 / 1 h\"]", Code::E0002),
        ("observed: (recipients_attempted: [\"9 / 1 h\"])", Code::E0002),
    ] {
        let found = errors(&check(&watching(observed)));
        assert!(found.iter().any(|(found, _)| *found == code), "{observed}: {found:?}");
    }
}

#[test]
fn what_a_limit_refuses_first_is_not_watched() {
    for (observed, says_nothing) in [
        ("recipients_attempted: [\"250 / 15 min\"]", true),
        ("recipients_attempted: [\"600 / 1 h\"]", true),
        ("recipients_accepted: [\"500 / 30 min\"]", true),
        ("recipients_attempted: [\"249 / 15 min\"]", false),
        // Twice as wide: 250 and 250 more fit into no quarter, and into an hour.
        ("recipients_attempted: [\"500 / 2 h\"]", false),
        ("messages_attempted: [\"50 / 1 h\"]", false),
        ("messages_accepted: [\"50 / 1 h\"]", true),
        ("recipients_in_one_message: 50", true),
        ("recipients_in_one_message: 49", false),
    ] {
        let compiled = check(&watching(observed));
        let told = compiled.diagnostics.iter().any(|found| found.code == Code::L0314);
        assert_eq!((told, errors(&compiled)), (says_nothing, vec![]), "{observed}");
    }
}

#[test]
fn explain_says_what_would_be_refused() {
    let compiled = check(&watching("recipients_in_one_message: 20, recipients_attempted: [\"30 / 1 h\"]"));
    let sealed = compiled.plan.expect("a plan");
    let subject = Subject { plan: &sealed.plan, map: &sealed.map };
    let question =
        Would { block: "person-outside", login: None, recipients: 40, size_octets: None, today: "2026-11-30" };
    let said = would(subject, None, &question).expect("the block is there").human();
    assert!(said.starts_with("accepted"), "{said}");
    let rule = "may_send.person-outside.observed";
    assert!(said.contains(&format!("10 would be refused by {rule}.recipients_attempted/1h (policy.ron:85)")), "{said}");
    assert!(
        said.contains(&format!("10 would be refused by {rule}.recipients_in_one_message (policy.ron:85)")),
        "{said}"
    );
}
