//! L0301, L0302 and L0303 against streams of events played one by one (policy-language.md 6.4): a window that is called
//! idle never refuses alone, and one that is not does for some stream.

use plan::Window;
use proptest::prelude::*;

use super::arithmetic::{Counts, Idle, idle};

/// What two windows on one ring said of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Said {
    short: bool,
    long: bool,
}

/// Plays events at these moments; a window refuses when `max` counted events lie in `(t − w, t]`.
fn play(short: Window, long: Window, counts: Counts, moments: &[u32]) -> Vec<Said> {
    let mut counted: Vec<u32> = Vec::new();
    let mut said = Vec::new();
    for t in moments {
        let full = |window: Window| {
            let inside =
                counted.iter().filter(|at| **at <= *t && u64::from(**at) + u64::from(window.width_s) > u64::from(*t));
            inside.count() >= window.max as usize
        };
        let now = Said { short: full(short), long: full(long) };
        if counts == Counts::Attempts || !now.short && !now.long {
            counted.push(*t);
        }
        said.push(now);
    }
    said
}

/// As much as the shorter window lets through, as late as it may, and one more.
fn fullest(short: Window, long: Window) -> Vec<u32> {
    let times = long.width_s.div_ceil(short.width_s);
    let end = times * short.width_s;
    let mut moments = Vec::new();
    for step in (0..times).rev() {
        moments.extend(std::iter::repeat_n(end - step * short.width_s, short.max as usize));
    }
    moments.push(end);
    moments
}

fn two_windows() -> impl Strategy<Value = (Window, Window)> {
    (1u32..8, 1u32..10, 1u32..24, 1u32..30)
        .prop_map(|(m1, w1, m2, more)| (Window { max: m1, width_s: w1 }, Window { max: m2, width_s: w1 + more }))
}

fn stream() -> impl Strategy<Value = Vec<u32>> {
    // Bursts and silences: most events come at once.
    proptest::collection::vec(prop_oneof![4 => Just(0u32), 2 => 1u32..3, 1 => 3u32..20], 0..120).prop_map(|gaps| {
        let mut t = 0;
        gaps.into_iter()
            .map(|gap| {
                t += gap;
                t
            })
            .collect()
    })
}

fn kinds() -> impl Strategy<Value = Counts> {
    prop_oneof![Just(Counts::Attempts), Just(Counts::Accepted)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_window_called_idle_never_refuses_alone((short, long) in two_windows(), counts in kinds(), moments in stream()) {
        let said = play(short, long, counts, &moments);
        match idle(short, long, counts) {
            Some(Idle::Longer { .. }) => prop_assert!(said.iter().all(|now| !now.long || now.short)),
            Some(Idle::Shorter) => prop_assert!(said.iter().all(|now| !now.short || now.long)),
            Some(Idle::LongerWithoutRefusals { .. }) => {
                let first = said.iter().position(|now| now.short || now.long).unwrap_or(said.len());
                prop_assert!(said.iter().take(first + 1).all(|now| !now.long || now.short));
            }
            None => {}
        }
    }

    #[test]
    fn a_window_not_called_idle_refuses_alone_for_some_stream((short, long) in two_windows(), counts in kinds()) {
        let alone_long = |moments: &[u32]| play(short, long, counts, moments).iter().any(|now| now.long && !now.short);
        let alone_short = |moments: &[u32]| play(short, long, counts, moments).iter().any(|now| now.short && !now.long);
        let burst = vec![0u32; short.max as usize + 1];
        // A burst twice as long as the longer window holds, then silence for the shorter one.
        let mut hammering = vec![0u32; 2 * long.max as usize];
        hammering.push(short.width_s);
        match idle(short, long, counts) {
            None => {
                prop_assert!(alone_long(&fullest(short, long)));
                prop_assert!(alone_short(&burst));
            }
            Some(Idle::Longer { .. }) => prop_assert!(alone_short(&burst)),
            Some(Idle::LongerWithoutRefusals { .. }) => prop_assert!(alone_long(&hammering) && alone_short(&burst)),
            Some(Idle::Shorter) => prop_assert!(alone_long(&vec![0; long.max as usize + 1]) || short.max == long.max),
        }
    }
}

#[test]
fn the_windows_of_nantes_bind_and_a_naive_sum_would_be_wrong_of_attempts() {
    let quarter = |max| Window { max, width_s: 900 };
    let hour = |max| Window { max, width_s: 3_600 };
    for counts in [Counts::Attempts, Counts::Accepted] {
        assert_eq!(idle(quarter(500), hour(1_000), counts), None);
        assert_eq!(idle(quarter(250), hour(500), counts), None);
        assert_eq!(idle(quarter(500), hour(500), counts), Some(Idle::Shorter));
    }
    assert_eq!(idle(quarter(250), hour(1_000), Counts::Accepted), Some(Idle::Longer { times: 4 }));
    // 1 001 attempts in a minute shut the hour although the quarter let only 250 through.
    assert_eq!(idle(quarter(250), hour(1_000), Counts::Attempts), Some(Idle::LongerWithoutRefusals { times: 4 }));
    let mut moments = vec![0; 1_001];
    moments.push(1_200);
    let said = play(quarter(250), hour(1_000), Counts::Attempts, &moments);
    assert_eq!(said.last(), Some(&Said { short: false, long: true }));
}

/// Lock-out from outside: 250 in a quarter of an hour, 500 in an hour, attempts counted.
#[test]
fn a_client_that_insists_every_two_seconds_never_gets_in_and_one_every_eight_does() {
    let (quarter, hour) = (Window { max: 250, width_s: 900 }, Window { max: 500, width_s: 3_600 });
    let accepted_after = |every_s: u32| {
        let hammering = std::iter::repeat_n(0, 500);
        let retries = (1..=21_600 / every_s).map(|step| step * every_s);
        let moments: Vec<u32> = hammering.chain(retries).collect();
        let said = play(quarter, hour, Counts::Attempts, &moments);
        said.iter().skip(500).filter(|now| !now.short && !now.long).count()
    };
    assert_eq!(accepted_after(2), 0);
    assert!(accepted_after(8) > 0);
}
