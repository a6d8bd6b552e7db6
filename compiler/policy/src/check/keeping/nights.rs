//! E0908: a nightly time that a change of clocks takes away or gives twice. No clock is read: the changes of the years
//! from 2026 to 2036 are looked at, by the rules of the bundled time zone database.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

use crate::check::{Subject, mending};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::literal::TimeOfDay;
use crate::model::retention::{Backup, Every};

/// 2026-01-01 and 2037-01-01, UTC.
const FROM_S: i64 = 1_767_225_600;
const UNTIL_S: i64 = 2_114_380_800;
/// More changes than any zone has in these years.
const CHANGES_MAX: usize = 200;
/// Times to suggest, in this order.
const QUIET_MIN: [u32; 4] = [3 * 60 + 30, 4 * 60 + 30, 5 * 60 + 30, 12 * 60];

/// Days on which a time is missing or double; the first of each.
#[derive(Debug, Default, PartialEq, Eq)]
struct Odd {
    missing: Option<Date>,
    twice: Option<Date>,
}

pub(super) fn check(subject: &Subject<'_>, backup: &Backup, sink: &mut Vec<Diagnostic>) {
    let Some(institution) = subject.policy.institution.seen() else { return };
    let name = institution.time_zone.0.as_str();
    let Ok(zone) = TimeZoneDatabase::bundled().get(name) else { return };
    let Every::Night(time) = backup.every;
    let days = match odd(&zone, time) {
        Odd { missing: Some(missing), twice: Some(twice) } => {
            format!("does not exist on {missing} and happens twice on {twice}")
        }
        Odd { missing: Some(missing), twice: None } => format!("does not exist on {missing}"),
        Odd { missing: None, twice: Some(twice) } => format!("happens twice on {twice}"),
        Odd { missing: None, twice: None } => return,
    };
    let path = "backup.every";
    let place = if subject.is_written(path) { path } else { "institution.time_zone" };
    let quiet = QUIET_MIN.into_iter().map(TimeOfDay).find(|time| odd(&zone, *time) == Odd::default());
    let help = match quiet {
        Some(quiet) => format!("choose a time outside the change, e.g. \"{}\"", shown(quiet)),
        None => "choose a time outside the change".to_owned(),
    };
    let report = Diagnostic::new(Code::E0908, format!("{} {days} in {name}", shown(time)))
        .help(help)
        .at(subject.place(place), "")
        .rule(path);
    sink.push(match quiet {
        Some(quiet) => mending::value(subject, report, path, &format!("Night(\"{}\")", shown(quiet))),
        None => report,
    });
}

fn shown(time: TimeOfDay) -> String {
    format!("{:02}:{:02}", time.0 / 60, time.0 % 60)
}

fn odd(zone: &TimeZone, time: TimeOfDay) -> Odd {
    let mut odd = Odd::default();
    let Ok(from) = Timestamp::from_second(FROM_S) else { return odd };
    for change in zone.following(from).take(CHANGES_MAX) {
        let at = change.timestamp();
        if at.as_second() >= UNTIL_S || (odd.missing.is_some() && odd.twice.is_some()) {
            break;
        }
        // The clock before and after the change may show different days.
        let after = zone.to_datetime(at).date();
        let days = [after.yesterday().ok(), Some(after), after.tomorrow().ok()];
        for day in days.into_iter().flatten() {
            let (hour, minute) = (time.0 / 60, time.0 % 60);
            let (Ok(hour), Ok(minute)) = (i8::try_from(hour), i8::try_from(minute)) else { continue };
            match zone.to_ambiguous_timestamp(day.at(hour, minute, 0, 0)).offset() {
                AmbiguousOffset::Unambiguous { .. } => {}
                AmbiguousOffset::Gap { .. } => odd.missing = odd.missing.or(Some(day)),
                AmbiguousOffset::Fold { .. } => odd.twice = odd.twice.or(Some(day)),
            }
        }
    }
    odd
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(zone: &str, time: u32, missing: Option<&str>, twice: Option<&str>) {
        let zone = TimeZoneDatabase::bundled().get(zone).unwrap();
        let day = |text: &str| text.parse::<Date>().unwrap();
        let expected = Odd { missing: missing.map(day), twice: twice.map(day) };
        assert_eq!(odd(&zone, TimeOfDay(time)), expected, "{} at {time}", zone.iana_name().unwrap());
    }

    #[test]
    fn an_hour_in_spring_is_missing_and_one_in_autumn_comes_twice() {
        check("Europe/Paris", 2 * 60, Some("2026-03-29"), Some("2026-10-25"));
        check("Europe/Paris", 2 * 60 + 59, Some("2026-03-29"), Some("2026-10-25"));
        check("Europe/Paris", 60 + 59, None, None);
        check("Europe/Paris", 3 * 60, None, None);
        check("Etc/UTC", 2 * 60 + 30, None, None);
        check("Asia/Tokyo", 2 * 60 + 30, None, None);
        // Clocks change at midnight: the hour that comes twice is of the day before.
        check("Asia/Beirut", 30, Some("2026-03-29"), None);
        check("Asia/Beirut", 23 * 60 + 30, None, Some("2026-10-24"));
        check("America/New_York", 60 + 30, None, Some("2026-11-01"));
    }
}
