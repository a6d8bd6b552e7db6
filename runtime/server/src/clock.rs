//! The clock of limits (policy-language 3): ticks of 0.1 s since the store's epoch, started from the wall clock and
//! carried on by the monotonic one, never backwards. And the wall clock, for what people read.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use decide::Tick;

/// Ticks per second.
const TICKS_PER_SECOND: u64 = 10;

/// A clock that never goes back. Jumps of the wall clock and suspends under way are ignored.
#[derive(Debug)]
pub struct Clock {
    started: Instant,
    first: u32,
}

impl Clock {
    /// Starts at wall time, and at least at `newest`, the newest tick the store has seen. `epoch_s` is the store's epoch
    /// in Unix seconds.
    pub fn start(epoch_s: i64, newest: Tick) -> Clock {
        let since_epoch_ms = unix_ms().saturating_sub(epoch_s.max(0) as u64 * 1000);
        let wall = u32::try_from(since_epoch_ms / (1000 / TICKS_PER_SECOND)).unwrap_or(u32::MAX);
        Clock { started: Instant::now(), first: wall.max(newest.0) }
    }

    pub fn now(&self) -> Tick {
        let elapsed = self.started.elapsed().as_millis() / u128::from(1000 / TICKS_PER_SECOND);
        Tick(self.first.saturating_add(u32::try_from(elapsed).unwrap_or(u32::MAX)))
    }
}

/// Unix time in milliseconds; 0 for a clock set before 1970.
pub fn unix_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// Unix time in seconds.
pub fn unix_s() -> i64 {
    (unix_ms() / 1000) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_starts_at_the_newest_tick_when_the_wall_is_behind_it() {
        let ahead = Tick(4_000_000_000);
        assert!(Clock::start(unix_s(), ahead).now() >= ahead);
        let fresh = Clock::start(unix_s() - 100, Tick(0)).now();
        assert!((1_000..1_100).contains(&fresh.0), "100 s are 1,000 ticks: {fresh:?}");
    }

    #[test]
    fn an_epoch_in_the_future_is_tick_zero() {
        assert!(Clock::start(unix_s() + 1_000, Tick(0)).now().0 < 10);
    }
}
