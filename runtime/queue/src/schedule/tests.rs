use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn toward(domain: &str) -> Toward {
    Toward { destination: Destination::Mx, domain: Some(domain.to_owned()) }
}

fn id(n: u32) -> QueueId {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&n.to_be_bytes());
    QueueId(id)
}

fn number(id: QueueId) -> u32 {
    u32::from_be_bytes([id.0[0], id.0[1], id.0[2], id.0[3]])
}

fn schedule(at_once: usize, per_destination: u32) -> Schedule {
    Schedule::new(Bounds { at_once, per_destination, retry_s: vec![60, 300] }, Vec::new())
}

fn alive() -> Said {
    Said::Alive { host: None }
}

fn unreachable() -> Said {
    Said::Unreachable { why: "no route".to_owned() }
}

fn take(schedule: &mut Schedule, now_s: i64) -> Taken {
    schedule.take(now_s).expect("there is work")
}

#[test]
fn destinations_take_turns_and_inside_one_the_longest_due_goes_first() {
    let mut schedule = schedule(100, 100);
    for n in 0..30 {
        schedule.put(&toward("large.example"), id(n), i64::from(30 - n), 50);
    }
    schedule.put(&toward("one.example"), id(100), 49, 50);
    schedule.put(&toward("two.example"), id(101), 50, 50);
    let mut order = Vec::new();
    while let Some(taken) = schedule.take(50) {
        order.push(number(taken.queue_id));
        assert!(!schedule.finish(&taken, None, alive(), 50));
    }
    assert_eq!(order.len(), 32);
    let place = |n| order.iter().position(|one| *one == n).unwrap();
    assert!(place(100) < 6 && place(101) < 6, "{order:?}");
    let large: Vec<u32> = order.into_iter().filter(|n| *n < 100).collect();
    assert_eq!(large, (0..30).rev().collect::<Vec<_>>());
    assert_eq!((schedule.waiting(), schedule.in_flight()), (0, 0));
}

#[test]
fn a_destination_gets_more_connections_as_it_takes_mail_and_never_more_than_the_plan_says() {
    let mut schedule = schedule(100, 3);
    for n in 0..20 {
        schedule.put(&toward("a.example"), id(n), 0, 0);
    }
    let mut at_once = Vec::new();
    let mut taken: Vec<Taken> = Vec::new();
    for _ in 0..5 {
        taken.extend(std::iter::from_fn(|| schedule.take(0)));
        at_once.push(taken.len());
        let first = taken.remove(0);
        assert!(!schedule.finish(&first, None, alive(), 0));
    }
    assert_eq!(at_once, [1, 2, 3, 3, 3]);
}

#[test]
fn what_waits_for_a_destination_that_is_down_shares_its_outcome_and_one_message_probes_it() {
    let mut schedule = schedule(100, 10);
    for n in 0..5 {
        schedule.put(&toward("dead.example"), id(n), 0, 0);
    }
    let first = take(&mut schedule, 0);
    assert!(schedule.take(0).is_none(), "one try until it answers");
    assert!(!schedule.finish(&first, Some(60), unreachable(), 0));
    let mut shared = 0;
    while let Some(taken) = schedule.take(1) {
        assert!(matches!(&taken.go, Go::Share(down) if down.until_s == 60), "{taken:?}");
        shared += 1;
        assert!(!schedule.finish(&taken, Some(61), Said::Nothing, 1));
    }
    assert_eq!((shared, schedule.next_s()), (4, Some(60)));
    let probe = take(&mut schedule, 61);
    assert_eq!((probe.queue_id, &probe.go), (id(0), &Go::Try));
    assert!(schedule.take(61).is_none(), "the others wait for the probe");
    assert!(!schedule.finish(&probe, Some(700), unreachable(), 61));
    assert!(matches!(take(&mut schedule, 61).go, Go::Share(down) if down.until_s == 361 && down.failures == 2));
}

#[test]
fn a_block_is_probed_after_four_hours_or_when_an_operator_says_so() {
    let mut schedule = schedule(100, 10);
    let there = toward("blocks.example");
    for n in 0..2 {
        schedule.put(&there, id(n), 0, 0);
    }
    let first = take(&mut schedule, 0);
    let blocked = Said::Blocked { why: "550 5.7.1 blocked".to_owned() };
    assert!(!schedule.finish(&first, Some(PROBE_AFTER_S), blocked.clone(), 0));
    let shares = take(&mut schedule, 1);
    assert!(matches!(shares.go, Go::Share(_)));
    assert!(!schedule.finish(&shares, Some(PROBE_AFTER_S + 1), Said::Nothing, 1));
    let [(name, down, 2)] = &schedule.down()[..] else { panic!("{:?}", schedule.down()) };
    assert_eq!((name, down.trouble, down.why.as_str()), (&there, Trouble::Blocked, "550 5.7.1 blocked"));
    assert_eq!(take(&mut schedule, PROBE_AFTER_S).go, Go::Try);
    let mut schedule = self::schedule(100, 10);
    let remembered = Down { trouble: Trouble::Blocked, why: String::new(), since_s: 0, until_s: 100, failures: 1 };
    schedule.remember_blocked(&there, remembered, 0);
    schedule.put(&there, id(1), 0, 0);
    assert_eq!(schedule.revive(|toward| *toward == there, 1), 1);
    assert_eq!(take(&mut schedule, 1).go, Go::Try);
}

#[test]
fn destinations_that_do_not_answer_leave_half_of_all_places_to_those_that_do() {
    let mut schedule = schedule(10, 10);
    schedule.put(&toward("good.example"), id(1_000), 0, 0);
    let good = take(&mut schedule, 0);
    schedule.put(&toward("good.example"), id(1_001), 0, 0);
    assert!(!schedule.finish(&good, None, alive(), 0));
    for n in 0..100 {
        schedule.put(&toward(&format!("silent{n}.example")), id(n), 0, 0);
    }
    let taken: Vec<Taken> = std::iter::from_fn(|| schedule.take(0)).collect();
    assert_eq!(taken.len(), 6, "five that are not known to answer, and the one that is");
    assert!(taken.iter().any(|one| one.queue_id == id(1_001)));
}

#[test]
fn a_provider_has_its_pace_once_a_host_of_its_spoke() {
    let rules = plan::Provider {
        mx: vec![plan::DomainPattern::Suffix("big.example".parse().unwrap())],
        connections_at_once: 10,
        messages: plan::Windows::Within(vec![plan::Window { max: 2, width_s: 100 }]),
    };
    let bounds = Bounds { at_once: 100, per_destination: 10, retry_s: vec![60] };
    let mut schedule = Schedule::new(bounds, vec![Provider::new("big", &rules)]);
    let spoke = || Said::Alive { host: Some("mx1.big.example".to_owned()) };
    for n in 0..5 {
        schedule.put(&toward("customer.example"), id(n), 0, 0);
    }
    for now_s in [0, 0, 0] {
        let taken = take(&mut schedule, now_s);
        assert!(!schedule.finish(&taken, None, spoke(), now_s));
    }
    assert!(schedule.take(99).is_none(), "two in 100 s, and the first of all was not known to be its");
    assert_eq!(schedule.next_s(), Some(100));
    assert!(schedule.take(100).is_some());
}

#[test]
fn a_message_that_changed_while_it_was_tried_is_read_again() {
    let mut schedule = schedule(100, 10);
    schedule.put(&toward("a.example"), id(1), 0, 0);
    let taken = take(&mut schedule, 0);
    schedule.forget(&HashSet::from([id(1)]), 0);
    assert!(schedule.finish(&taken, Some(60), alive(), 0));
    assert_eq!((schedule.waiting(), schedule.take(1_000).is_none()), (0, true));
}

proptest! {
    /// Whatever comes and however tries end, no message is worked on twice at a time at one destination, none is
    /// forgotten, and in the end all are done.
    #[test]
    fn every_message_is_taken_until_it_is_done_and_by_one_at_a_time(
        acts in proptest::collection::vec((0u8..6, 0u32..4, 0u32..12), 1..300),
    ) {
        let mut schedule = schedule(4, 2);
        let mut now_s = 0;
        let mut waits: BTreeMap<(Toward, QueueId), ()> = BTreeMap::new();
        let mut flying: Vec<Taken> = Vec::new();
        for (act, domain, n) in acts {
            let there = toward(&format!("d{domain}.example"));
            let key = (there.clone(), id(n));
            match act {
                0 | 1 if !waits.contains_key(&key) => {
                    schedule.put(&there, id(n), now_s + i64::from(n % 3), now_s);
                    waits.insert(key, ());
                }
                2 | 3 => if let Some(taken) = schedule.take(now_s) {
                    prop_assert!(flying.iter().all(|one| (&one.toward, one.queue_id) != (&taken.toward, taken.queue_id)));
                    prop_assert!(waits.contains_key(&(taken.toward.clone(), taken.queue_id)));
                    flying.push(taken);
                    prop_assert!(flying.len() <= 4);
                },
                4 if !flying.is_empty() => {
                    let taken = flying.swap_remove(n as usize % flying.len());
                    let (next, said) = match n % 3 {
                        0 => (None, alive()),
                        1 => (Some(now_s + 5), unreachable()),
                        _ => (Some(now_s + 3), Said::Blocked { why: String::new() }),
                    };
                    if next.is_none() {
                        waits.remove(&(taken.toward.clone(), taken.queue_id));
                    }
                    prop_assert!(!schedule.finish(&taken, next, said, now_s));
                }
                _ => now_s += i64::from(n),
            }
            prop_assert_eq!(schedule.waiting() + schedule.in_flight(), waits.len());
        }
        for taken in flying {
            waits.remove(&(taken.toward.clone(), taken.queue_id));
            prop_assert!(!schedule.finish(&taken, None, alive(), now_s));
        }
        while !waits.is_empty() {
            match schedule.take(now_s) {
                Some(taken) => {
                    waits.remove(&(taken.toward.clone(), taken.queue_id));
                    prop_assert!(!schedule.finish(&taken, None, alive(), now_s));
                }
                None => {
                    let next_s = schedule.next_s();
                    prop_assert!(next_s.is_some_and(|next_s| next_s > now_s), "{next_s:?} at {now_s}");
                    now_s = next_s.unwrap_or(now_s);
                }
            }
        }
        prop_assert_eq!((schedule.waiting(), schedule.in_flight(), schedule.unproven_in_flight), (0, 0, 0));
    }
}
