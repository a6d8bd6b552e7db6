//! When to try again (RFC 5321 4.5.4.1): quickly at first, for what heals itself, then ever more rarely.

/// Where a plan says nothing.
const USUAL_S: u64 = 900;

/// The time of the next try after `attempts` tries that decided nothing, the last of them at `now_s`. Times are Unix
/// seconds. `retry_s` are the plan's intervals, the last one repeats. `spread` is any number: up to an eighth of the
/// interval is added by it, so that a thousand messages for one dead host do not come back in one moment.
pub fn next_attempt_s(retry_s: &[u64], attempts: u32, now_s: i64, spread: u64) -> i64 {
    let nth = usize::try_from(attempts).unwrap_or(usize::MAX);
    let interval_s = retry_s.get(nth).or(retry_s.last()).copied().unwrap_or(USUAL_S).clamp(1, i64::MAX as u64);
    let more_s = spread % (interval_s / 8).max(1);
    let later = |s: u64| i64::try_from(s).unwrap_or(i64::MAX);
    now_s.saturating_add(later(interval_s)).saturating_add(later(more_s))
}

/// When a message accepted at `accepted_at_s` is given up; `None` is never. Unix seconds.
pub fn end_s(keep: plan::Life, accepted_at_s: i64) -> Option<i64> {
    match keep {
        plan::Life::For { s } => Some(accepted_at_s.saturating_add(i64::try_from(s).unwrap_or(i64::MAX))),
        plan::Life::WhileAccountLives | plan::Life::Forever => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tries_become_rarer_as_the_plan_says_and_the_last_interval_repeats() {
        let waits: Vec<i64> = (0..5).map(|tries| next_attempt_s(&[60, 300, 900], tries, 1_000, 0) - 1_000).collect();
        assert_eq!(waits, [60, 300, 900, 900, 900]);
        assert_eq!(next_attempt_s(&[], 7, 0, 0), 900, "a plan without intervals spins no queue");
        assert_eq!(end_s(plan::Life::For { s: 100 }, 1_000), Some(1_100));
        assert_eq!(end_s(plan::Life::Forever, 1_000), None);
    }

    proptest! {
        #[test]
        fn the_next_try_is_in_the_future_and_an_eighth_late_at_most(
            retry_s in proptest::collection::vec(0u64..1 << 40, 0..5), attempts in any::<u32>(), now_s in 0i64..1 << 40,
            spread in any::<u64>(),
        ) {
            let wait_s = next_attempt_s(&retry_s, attempts, now_s, spread) - now_s;
            let longest = retry_s.iter().copied().max().unwrap_or(0).max(USUAL_S) as i64;
            prop_assert!(wait_s >= 1 && wait_s <= longest / 8 * 9 + 9);
        }
    }
}
