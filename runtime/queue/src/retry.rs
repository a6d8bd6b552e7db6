//! When to try again (RFC 5321 4.5.4.1): quickly at first, for what heals itself, then ever more rarely.

/// Between the first two tries, in seconds.
const FIRST_S: i64 = 60;
/// The longest interval, in seconds.
const LONGEST_S: i64 = 4 * 3_600;

/// The due time, in Unix seconds, of a recipient that a next hop refused for good: no try comes by itself.
pub const NEVER_S: i64 = i64::MAX;

/// The time of the next try after `attempts` tries that decided nothing, the last of them at `now_s`. Times are Unix
/// seconds. `spread` is any number: up to an eighth of the interval is added by it, so that a thousand messages for one
/// dead host do not come back in one moment.
pub fn next_attempt_s(attempts: u32, now_s: i64, spread: u64) -> i64 {
    let interval_s = FIRST_S.saturating_mul(1 << attempts.min(16)).min(LONGEST_S);
    let more_s = i64::try_from(spread % (interval_s as u64 / 8).max(1)).unwrap_or(0);
    now_s.saturating_add(interval_s).saturating_add(more_s)
}

/// How a waiting message stands against the plan's `retention.queue`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Waiting,
    /// It should have been given up and its sender told.
    Overdue,
}

/// `accepted_at_s` and `now_s` are Unix seconds.
pub fn life(keep: plan::Life, accepted_at_s: i64, now_s: i64) -> Life {
    match keep {
        plan::Life::For { s } => {
            let end_s = accepted_at_s.saturating_add(i64::try_from(s).unwrap_or(i64::MAX));
            if now_s >= end_s { Life::Overdue } else { Life::Waiting }
        }
        plan::Life::WhileAccountLives | plan::Life::Forever => Life::Waiting,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tries_become_rarer_up_to_four_hours() {
        let waits: Vec<i64> = (0..10).map(|attempts| next_attempt_s(attempts, 1_000, 0) - 1_000).collect();
        assert_eq!(waits, [60, 120, 240, 480, 960, 1_920, 3_840, 7_680, 14_400, 14_400]);
    }

    #[test]
    fn a_message_is_overdue_at_the_end_of_its_life_and_not_before() {
        let keep = plan::Life::For { s: 100 };
        assert_eq!(life(keep, 1_000, 1_099), Life::Waiting);
        assert_eq!(life(keep, 1_000, 1_100), Life::Overdue);
        assert_eq!(life(plan::Life::Forever, 0, i64::MAX), Life::Waiting);
    }

    proptest! {
        #[test]
        fn the_next_try_is_in_the_future_and_within_four_and_a_half_hours(
            attempts in any::<u32>(), now_s in 0i64..1 << 40, spread in any::<u64>(),
        ) {
            let wait_s = next_attempt_s(attempts, now_s, spread) - now_s;
            prop_assert!((FIRST_S..=LONGEST_S / 8 * 9).contains(&wait_s));
        }
    }
}
