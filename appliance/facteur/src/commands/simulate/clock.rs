//! The clock of a simulation: it moves when somebody says so.

use decide::Tick;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Longest a simulation may last: ten years, so that ticks never end.
const ELAPSED_S_MAX: u64 = 10 * 366 * 86_400;
/// Any moment does: windows know differences only.
const START: u32 = 1_000_000;

pub struct Clock {
    start: Timestamp,
    zone: TimeZone,
    elapsed_s: u64,
}

impl Clock {
    /// `at`: a local time of the institution, else now.
    pub fn new(at: Option<&str>, zone: &str) -> Result<Clock, String> {
        let zone = jiff::tz::TimeZoneDatabase::bundled().get(zone).unwrap_or(TimeZone::UTC);
        let Some(at) = at else { return Ok(Clock { start: Timestamp::now(), zone, elapsed_s: 0 }) };
        let local = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", at)
            .or_else(|_| jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M", at))
            .map_err(|_| format!("`{at}` is no local time such as \"2026-11-23 10:00:00\""))?;
        let start = zone.to_ambiguous_timestamp(local).unambiguous();
        let start = start.map_err(|_| format!("{at} does not exist or happens twice"))?;
        Ok(Clock { start, zone, elapsed_s: 0 })
    }

    pub fn now(&self) -> Tick {
        Tick(START).after_s(u32::try_from(self.elapsed_s).unwrap_or(u32::MAX))
    }

    fn timestamp(&self) -> Timestamp {
        let passed = SignedDuration::from_secs(i64::try_from(self.elapsed_s).unwrap_or(i64::MAX));
        self.start.checked_add(passed).unwrap_or(self.start)
    }

    /// `YYYY-MM-DD` where the institution is.
    pub fn today(&self) -> String {
        self.timestamp().to_zoned(self.zone.clone()).date().to_string()
    }

    /// The time where the institution is, for a person.
    pub fn shown(&self) -> String {
        self.timestamp().to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    pub fn unix_ms(&self) -> u64 {
        u64::try_from(self.timestamp().as_millisecond()).unwrap_or(0)
    }

    pub fn wait(&mut self, s: u64) -> Result<(), String> {
        let elapsed_s = self.elapsed_s.saturating_add(s);
        if elapsed_s > ELAPSED_S_MAX {
            return Err("a simulation lasts at most ten years".to_owned());
        }
        self.elapsed_s = elapsed_s;
        Ok(())
    }
}

/// The span of `wait 15 min` or `+15 min`; `None` for another command.
pub fn wait(command: &str) -> Option<Result<u64, String>> {
    command.strip_prefix("wait ").or_else(|| command.strip_prefix('+')).map(seconds)
}

/// `15 min` as the policy language reads it.
pub fn seconds(text: &str) -> Result<u64, String> {
    policy::model::literal::span_s(text.trim()).ok_or_else(|| format!("`{text}` is no duration such as \"15 min\""))
}
