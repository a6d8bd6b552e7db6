//! When a certificate is renewed, and when an order that failed is tried again. Pure.

use serde::{Deserialize, Serialize};

/// Renewal begins after two thirds of a certificate's life, and up to a twentieth of it later, so that what was made on one day
/// is not renewed on one day for ever.
const LIFE: (i64, i64) = (2, 3);
const SPREAD: i64 = 20;
/// First waits: an authority that was not reached may be back in a minute. One that refused counts what it refuses.
const UNREACHED_S: i64 = 60;
const REFUSED_S: i64 = 15 * 60;
/// Longest wait.
const WAIT_MAX_S: i64 = 12 * 3_600;
/// A certificate that lacks hosts the authority refused is good: the rest is asked for once a day.
const INCOMPLETE_S: i64 = 24 * 3_600;

/// Something drawn between 0 and 1,000, so that not all servers come at once.
pub(crate) type Jitter = u16;

/// When the certificate that holds from `from_s` until `until_s`, Unix seconds, is renewed.
pub(crate) fn renewal_s(from_s: i64, until_s: i64, jitter: Jitter) -> i64 {
    let life = until_s.saturating_sub(from_s).max(0);
    let spread = life / SPREAD * i64::from(jitter.min(1_000)) / 1_000;
    from_s.saturating_add(life / LIFE.1 * LIFE.0).saturating_add(spread).min(until_s)
}

/// Why an order brought nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The authority did not answer, or we could not be asked.
    Unreached,
    Refused,
    /// It brought something, without some of the hosts.
    Incomplete,
}

/// How the orders of one certificate went. Kept over restarts: a server that starts again and again must not order each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Course {
    /// Failures in a row.
    failed: u32,
    /// Unix seconds; nothing is ordered before.
    not_before_s: i64,
}

impl Course {
    pub fn may_order(self, now_s: i64) -> bool {
        // A clock that was set back must not stop orders for years.
        now_s >= self.not_before_s || self.not_before_s > now_s.saturating_add(2 * INCOMPLETE_S)
    }

    /// After a failure at `now_s`.
    pub fn after(self, failure: Failure, jitter: Jitter, now_s: i64) -> Course {
        let doubled = |first: i64| first.saturating_mul(1_i64 << self.failed.min(20)).min(WAIT_MAX_S);
        let wait = match failure {
            Failure::Unreached => doubled(UNREACHED_S),
            Failure::Refused => doubled(REFUSED_S),
            Failure::Incomplete => INCOMPLETE_S,
        };
        let wait = wait + wait / 4 * i64::from(jitter.min(1_000)) / 1_000;
        Course { failed: self.failed.saturating_add(1), not_before_s: now_s.saturating_add(wait) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_renewed_after_two_thirds_of_its_life_and_before_its_end() {
        for (from, until, jitter, expected) in [
            (0, 90 * 86_400, 0, 60 * 86_400),
            (0, 90 * 86_400, 1_000, 60 * 86_400 + 90 * 86_400 / 20),
            (0, 90 * 86_400, 9_999, 60 * 86_400 + 90 * 86_400 / 20),
            (1_000, 1_000 + 6 * 86_400, 500, 1_000 + 4 * 86_400 + 12_960),
            // Nothing that can be read is due at once.
            (0, 0, 700, 0),
            (500, 100, 700, 100),
        ] {
            assert_eq!(renewal_s(from, until, jitter), expected, "{from} {until} {jitter}");
        }
    }

    #[test]
    fn waits_double_up_to_half_a_day() {
        for (failure, expected) in [
            (Failure::Unreached, [60, 120, 240, 480]),
            (Failure::Refused, [900, 1_800, 3_600, 7_200]),
            (Failure::Incomplete, [86_400; 4]),
        ] {
            let (mut course, mut now_s) = (Course::default(), 1_000_000);
            assert!(course.may_order(now_s));
            for wait in expected {
                course = course.after(failure, 0, now_s);
                assert!(!course.may_order(now_s + wait - 1), "{failure:?}");
                now_s += wait;
                assert!(course.may_order(now_s), "{failure:?}");
            }
        }
        let long = (0..100).fold(Course::default(), |course, _| course.after(Failure::Refused, 1_000, 0));
        assert_eq!(long.not_before_s, WAIT_MAX_S + WAIT_MAX_S / 4);
        assert_eq!(long.failed, 100);
    }

    #[test]
    fn a_clock_that_was_set_back_stops_no_orders() {
        let course = Course::default().after(Failure::Refused, 0, 2_000_000_000);
        assert!(!course.may_order(2_000_000_000));
        assert!(course.may_order(1_700_000_000));
    }
}
