//! A snapshot is named by when it was taken, in UTC: `2026-11-30T03-30-00Z`. Names sort as the times do.

use std::fmt;
use std::str::FromStr;

/// The name of a snapshot: whole seconds since 1970, in the years 1970 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotName(i64);

const DAY_S: i64 = 86_400;
/// 9999-12-31T23-59-59Z.
const LAST_S: i64 = 253_402_300_799;

/// Not of the form `2026-11-30T03-30-00Z`, or no such date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSnapshotName;

impl fmt::Display for NoSnapshotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a snapshot has a name like 2026-11-30T03-30-00Z")
    }
}

impl std::error::Error for NoSnapshotName {}

impl SnapshotName {
    /// Times outside of the years that can be named become the nearest that can.
    pub fn at(seconds: i64) -> SnapshotName {
        SnapshotName(seconds.clamp(0, LAST_S))
    }

    /// Seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// Of a file named `….snapshot`; `None` for other files.
    pub(super) fn of_file(name: &str) -> Option<SnapshotName> {
        name.strip_suffix(".snapshot")?.parse().ok()
    }

    pub(super) fn file(self) -> String {
        format!("{self}.snapshot")
    }
}

impl fmt::Display for SnapshotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date(self.0 / DAY_S);
        let s = self.0 % DAY_S;
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}-{:02}-{:02}Z", s / 3600, s / 60 % 60, s % 60)
    }
}

impl FromStr for SnapshotName {
    type Err = NoSnapshotName;

    fn from_str(text: &str) -> Result<SnapshotName, NoSnapshotName> {
        let bytes = text.as_bytes();
        if bytes.len() != 20 || !text.is_ascii() {
            return Err(NoSnapshotName);
        }
        let number = |from: usize, to: usize| text[from..to].parse::<i64>().map_err(|_| NoSnapshotName);
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let seconds = number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)?;
        let name = SnapshotName(days(year, month, day) * DAY_S + seconds);
        // Whatever does not come back the same was no date, had signs for digits or other separators.
        if (0..=LAST_S).contains(&name.0) && name.to_string() == text { Ok(name) } else { Err(NoSnapshotName) }
    }
}

/// Year, month and day of a day since 1970, not negative. Years are counted from March here, so that the leap day is
/// the last of its year, and in eras of 400 years, which have 146,097 days each.
fn date(day: i64) -> (i64, i64, i64) {
    let since_0000 = day + 719_468;
    let (era, day_of_era) = (since_0000 / 146_097, since_0000 % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// The inverse.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_utc_and_read_back() {
        let check = |seconds, text: &str| {
            assert_eq!(SnapshotName::at(seconds).to_string(), text);
            assert_eq!(text.parse(), Ok(SnapshotName(seconds)));
        };
        check(0, "1970-01-01T00-00-00Z");
        check(951_782_400, "2000-02-29T00-00-00Z");
        check(1_796_009_400, "2026-11-30T03-30-00Z");
        check(LAST_S, "9999-12-31T23-59-59Z");
        for day in 0..60_000 {
            let name = SnapshotName::at(day * DAY_S + day % DAY_S);
            assert_eq!(name.to_string().parse(), Ok(name));
        }
    }

    #[test]
    fn what_is_no_date_is_no_name() {
        for bad in ["", "2026-02-29T00-00-00Z", "2026-11-30T24-00-00Z", "2026-11-30T03-30-60Z", "2026-11-30 03-30-00Z"]
        {
            assert_eq!(bad.parse::<SnapshotName>(), Err(NoSnapshotName), "{bad}");
        }
        for bad in ["1969-12-31T23-59-59Z", "+026-11-30T03-30-00Z", "2026-11-30T03-30-00É", "2026-00-30T03-30-00Z"] {
            assert_eq!(bad.parse::<SnapshotName>(), Err(NoSnapshotName), "{bad}");
        }
        assert_eq!(SnapshotName::of_file("2026-11-30T03-30-00Z.snapshot.new"), None);
    }
}
