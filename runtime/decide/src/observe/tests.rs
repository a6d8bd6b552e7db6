//! Limits that only watch change no verdict, and say what they would have refused.

use std::net::IpAddr;

use mail::Login;
use plan::{Limits, Plan, Windows};
use proptest::prelude::*;

use super::*;
use crate::class::Account;
use crate::envelope::{RecipientClass, SenderClass};
use crate::reason::Refusal;
use crate::transaction::{Accepted, Transaction};

fn within(max: u32, width_s: u32) -> Windows {
    Windows::Within(vec![Window { max, width_s }])
}

/// Nantes with `max` recipients and messages a width from outside, and what is observed there.
fn tables(max: u32, width_s: u32, observed: Option<Observed>) -> Tables {
    let mut plan: Plan = plan::read(include_str!("../../../../policies/nantes/policy.plan.ron")).unwrap().0;
    for block in plan.may_send.values_mut() {
        let (Limits::EachAccount(row) | Limits::EachClientAddress(row)) = &mut block.limits;
        row.recipients_attempted = within(max, width_s);
        row.messages_accepted = within(max, width_s);
        row.observed.clone_from(&observed);
    }
    Tables::new(plan).unwrap()
}

fn watching(max: u32, width_s: u32) -> Observed {
    Observed {
        recipients_in_one_message: Some(max),
        messages_attempted: within(max, width_s),
        messages_accepted: within(max, width_s),
        recipients_attempted: within(max, width_s),
        recipients_accepted: within(max, width_s),
    }
}

fn client(tables: &Tables, login: &str) -> Client {
    let address: IpAddr = "198.18.4.7".parse().unwrap();
    let account = Some(Account { login: Login::new(login).unwrap(), profile: "standard".to_owned() });
    let listener = tables.listener("subm").unwrap();
    Client { listener, class: tables.class_of(address), address, tls: true, account }
}

/// Verdicts of messages one after another, and what was said to be refused otherwise.
fn verdicts(tables: &Tables, messages: &[(bool, u8, u32, bool)]) -> (Vec<Result<Accepted, Refusal>>, Vec<Would>) {
    let (mut rings, mut now) = (Rings::default(), 0);
    let (mut judged, mut said) = (Vec::new(), Vec::new());
    for (first, recipients, wait, accepted) in messages {
        now += wait;
        let client = client(tables, if *first { "toto-j" } else { "toto-jp" });
        let own = SenderClass::Own;
        let day = "2026-11-30";
        match Transaction::mail(tables, &mut rings, &client, own, None, day, Tick(now)) {
            Err(refusal) => judged.push(Err(refusal)),
            Ok(mut transaction) => {
                said.extend(transaction.would_refuse());
                for number in 0..*recipients {
                    let address = format!("{}@elsewhere.example", number % 5);
                    judged.push(transaction.rcpt(tables, &mut rings, RecipientClass::Remote, &address, Tick(now)));
                    said.extend(transaction.would_refuse());
                }
                transaction.end(&mut rings, *accepted);
            }
        }
    }
    (judged, said)
}

proptest! {
    #[test]
    fn what_is_observed_changes_no_verdict(
        messages in proptest::collection::vec((any::<bool>(), 0u8..8, 0u32..200, any::<bool>()), 1..60),
        enforced in (1u32..12, 1u32..60),
        observed in (1u32..12, 1u32..60),
    ) {
        let (max, width_s) = enforced;
        let plain = verdicts(&tables(max, width_s, None), &messages);
        let watched = verdicts(&tables(max, width_s, Some(watching(observed.0, observed.1))), &messages);
        prop_assert_eq!(plain.0, watched.0);
        prop_assert!(plain.1.is_empty());
    }

    /// What is said is what the same limits would refuse first, if they refused.
    #[test]
    fn the_first_that_is_said_is_the_first_that_would_be_refused(
        messages in proptest::collection::vec((Just(true), 0u8..8, 0u32..200, Just(true)), 1..60),
        max in 1u32..12, width_s in 1u32..60,
    ) {
        let observed = Observed {
            recipients_in_one_message: None,
            messages_attempted: Windows::NotCounted,
            messages_accepted: Windows::NotCounted,
            recipients_attempted: within(max, width_s),
            recipients_accepted: Windows::NotCounted,
        };
        let said = verdicts(&tables(1_000, 60, Some(observed)), &messages).1;
        let refuses = verdicts(&tables(max, width_s, None), &messages).0;
        let refused = refuses.iter().any(|judged| matches!(judged, Err(refusal) if refusal.rule.contains("recipients_attempted")));
        // Messages have a window of their own in the plan that refuses.
        let messages_first = refuses.iter().any(|judged| matches!(judged, Err(refusal) if refusal.rule.contains("messages")));
        prop_assert!(messages_first || refused != said.is_empty(), "{said:?}");
    }
}

#[test]
fn each_window_is_told_of_once_in_its_width_and_counted_each_time() {
    let tables = tables(100, 3_600, Some(watching(3, 60)));
    let message = |wait: u32| (true, 5u8, wait, true);
    let (judged, said) = verdicts(&tables, &[message(0), message(10), message(700)]);
    assert!(judged.iter().all(Result::is_ok));
    let of = |rule: &str| said.iter().filter(|would| would.rule.ends_with(rule)).collect::<Vec<_>>();
    let attempted = of("may_send.person-outside.observed.recipients_attempted/1min");
    assert_eq!(attempted.len(), 2 + 5 + 2, "two of the first message, all of the second, two after a minute");
    assert_eq!(attempted.iter().filter(|would| would.is_first).count(), 2);
}
