//! When an engine is asked. After a few failures in a row nobody waits for it any more; one probe at a time finds out
//! whether it is back, with or without mail. Pure: time is what has passed since the server started.

use std::time::Duration;

/// Failures in a row after which messages do not wait for the engine.
const FAILURES_MAX: u32 = 3;
/// The first probe follows a failure by so much; each later one waits twice as long.
const PROBE_FIRST: Duration = Duration::from_secs(2);
const PROBE_LAST: Duration = Duration::from_secs(60);

/// One engine's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    failures: u32,
    down: Option<Down>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Down {
    since: Duration,
    /// Down already for so long when the server started.
    before: Duration,
    probe_at: Duration,
    wait: Duration,
}

impl Breaker {
    /// As the last run of the server left it: down for `before`, or well.
    pub fn kept(before: Option<Duration>, now: Duration) -> Breaker {
        let down = before.map(|before| Down { since: now, before, probe_at: now, wait: PROBE_FIRST });
        Breaker { failures: u32::from(down.is_some()), down }
    }

    /// Is the engine asked about messages?
    pub fn asks(&self) -> bool {
        self.failures < FAILURES_MAX
    }

    /// How long it has given no verdict; `None` while it does.
    pub fn down_for(&self, now: Duration) -> Option<Duration> {
        self.down.as_ref().map(|down| down.before + now.saturating_sub(down.since))
    }

    /// Should it be probed now?
    pub fn is_probe_due(&self, now: Duration) -> bool {
        self.down.as_ref().is_some_and(|down| now >= down.probe_at)
    }

    /// May whoever asks now be the probe? One is, where a message has to be it.
    pub fn takes_probe(&mut self, now: Duration) -> bool {
        let Some(down) = self.down.as_mut().filter(|down| now >= down.probe_at) else { return false };
        down.wait = (down.wait * 2).min(PROBE_LAST);
        down.probe_at = now + down.wait;
        true
    }

    /// It answered as an engine does: how long it had not.
    pub fn worked(&mut self, now: Duration) -> Option<Duration> {
        let was_down = self.down_for(now);
        *self = Breaker::default();
        was_down
    }

    /// It gave nothing that can be believed. True when that is news.
    pub fn failed(&mut self, now: Duration) -> bool {
        self.failures = self.failures.saturating_add(1);
        match &mut self.down {
            None => {
                let probe_at = now + PROBE_FIRST;
                self.down = Some(Down { since: now, before: Duration::ZERO, probe_at, wait: PROBE_FIRST });
                true
            }
            Some(down) => {
                // A failed message does not put a probe off, a failed probe does.
                if now >= down.probe_at {
                    down.wait = (down.wait * 2).min(PROBE_LAST);
                    down.probe_at = now + down.wait;
                }
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn three_failures_in_a_row_and_nobody_waits_any_more() {
        let mut breaker = Breaker::default();
        assert!(breaker.failed(s(10)));
        assert!(!breaker.failed(s(11)));
        assert!(breaker.asks(), "two may be bad luck");
        breaker.failed(s(11));
        assert!(!breaker.asks());
        assert_eq!(breaker.down_for(s(20)), Some(s(10)), "since the first");
        assert_eq!(breaker.worked(s(30)), Some(s(20)));
        assert!(breaker.asks());
        assert_eq!(breaker.down_for(s(31)), None);
        assert_eq!(breaker.worked(s(32)), None, "that is no news");
    }

    #[test]
    fn successes_between_failures_keep_it_asked() {
        let mut breaker = Breaker::default();
        for second in 0..100 {
            breaker.failed(s(second));
            assert!(breaker.asks());
            breaker.worked(s(second));
        }
    }

    #[test]
    fn probes_come_soon_then_seldom_and_never_end() {
        let mut breaker = Breaker::default();
        breaker.failed(s(100));
        let mut probes = Vec::new();
        for second in 100..400 {
            if breaker.is_probe_due(s(second)) {
                probes.push(second - 100);
                breaker.failed(s(second));
            }
        }
        assert_eq!(probes, [2, 6, 14, 30, 62, 122, 182, 242]);
        // A night of errors: each minute one probe, and the outage is as long as the night.
        let night = 100 + 9 * 3_600;
        let fails = (400..night).filter(|second| breaker.is_probe_due(s(*second)) && !breaker.failed(s(*second)));
        assert_eq!(fails.count(), 535);
        assert_eq!(breaker.down_for(s(night)), Some(s(9 * 3_600)));
    }

    #[test]
    fn one_message_at_a_time_is_the_probe() {
        let mut breaker = Breaker::default();
        assert_eq!([(); 3].map(|()| breaker.failed(s(0))), [true, false, false]);
        let asked = |breaker: &mut Breaker, at| (0..100).filter(|_| breaker.takes_probe(s(at))).count();
        assert_eq!((asked(&mut breaker, 1), asked(&mut breaker, 2), asked(&mut breaker, 5)), (0, 1, 0));
        breaker.failed(s(5));
        assert_eq!((asked(&mut breaker, 6), asked(&mut breaker, 13), asked(&mut breaker, 14)), (1, 0, 1));
        breaker.worked(s(14));
        assert!(breaker.asks() && !breaker.takes_probe(s(14)));
    }

    #[test]
    fn messages_that_fail_do_not_put_probes_off() {
        let mut breaker = Breaker::default();
        breaker.failed(s(0));
        breaker.failed(s(1));
        assert!(breaker.is_probe_due(s(2)));
    }

    #[test]
    fn an_outage_goes_on_over_a_restart_until_a_verdict_ends_it() {
        let mut breaker = Breaker::kept(Some(s(3_600)), s(5));
        assert!(breaker.asks() && breaker.is_probe_due(s(5)));
        assert_eq!(breaker.down_for(s(15)), Some(s(3_610)));
        assert!(!breaker.failed(s(15)), "known already");
        assert_eq!(breaker.worked(s(25)), Some(s(3_620)));
        assert_eq!(Breaker::kept(None, s(5)), Breaker::default());
    }
}
