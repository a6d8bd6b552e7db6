//! Dates, times of day, time zones.

use super::{Literal, literals, not_this};
use crate::codes::Code;
use crate::syntax::{Refusal, near};

/// A day, `YYYY-MM-DD`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub String);

/// A local time of day in minutes after midnight, written `"03:30"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay(pub u32);

/// An IANA time zone of the bundled database, in its own spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(pub String);

impl Date {
    /// A day of the calendar as `YYYY-MM-DD`.
    pub fn of(text: &str) -> Option<Date> {
        Date::from_text(text).ok()
    }
}

literals!(Date, TimeOfDay, Zone);

impl Literal for Date {
    const WANTED: &'static str = "a date";
    const EXAMPLE: &'static str = "\"2027-08-31\"";

    fn from_text(text: &str) -> Result<Date, Refusal> {
        let shaped = text.len() == 10
            && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
        let exists = shaped && text.parse::<jiff::civil::Date>().is_ok();
        if exists {
            return Ok(Date(text.to_owned()));
        }
        let refusal = not_this::<Date>("text", text);
        // Day, month, year: never month first where this is written.
        let parts: Vec<&str> = text.split(['/', '.', '-']).collect();
        Err(match parts.as_slice() {
            [year, month, day] | [day, month, year] if year.len() == 4 => {
                refusal.meant(format!("{year}-{month:0>2}-{day:0>2}"))
            }
            _ => refusal,
        })
    }
}

impl Literal for TimeOfDay {
    const WANTED: &'static str = "a time of day";
    const EXAMPLE: &'static str = "\"03:30\"";

    fn from_text(text: &str) -> Result<TimeOfDay, Refusal> {
        let wrong = || {
            let refusal = not_this::<TimeOfDay>("text", text);
            match text.split_once([':', 'h', 'H']) {
                Some((hours, minutes)) if !hours.is_empty() => refusal.meant(format!("{hours:0>2}:{minutes:0>2}")),
                Some(_) | None => refusal,
            }
        };
        let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
        let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        if !two_digits(hours) || !two_digits(minutes) {
            return Err(wrong());
        }
        let hours: u32 = hours.parse().map_err(|_| wrong())?;
        let minutes: u32 = minutes.parse().map_err(|_| wrong())?;
        if hours > 23 || minutes > 59 { Err(wrong()) } else { Ok(TimeOfDay(hours * 60 + minutes)) }
    }
}

impl Literal for Zone {
    const WANTED: &'static str = "an IANA time zone";
    const EXAMPLE: &'static str = "\"Europe/Paris\"";

    /// The bundled database, so that the same policy compiles alike on every machine.
    fn from_text(text: &str) -> Result<Zone, Refusal> {
        let found = jiff::tz::TimeZoneDatabase::bundled().get(text).ok();
        match found.as_ref().and_then(|zone| zone.iana_name()) {
            Some(name) => Ok(Zone(name.to_owned())),
            None => Err(no_zone(text)),
        }
    }
}

/// E0120, with the nearest zone of that part of the world.
fn no_zone(text: &str) -> Refusal {
    let refusal =
        Refusal::new(Code::E0120, format!("\"{text}\" is not an IANA time zone")).help("for example \"Europe/Paris\"");
    let (area, city) = text.rsplit_once('/').unwrap_or(("", text));
    let database = jiff::tz::TimeZoneDatabase::bundled();
    let zones = database.available().map(|zone| zone.to_string());
    let of_area = |zone: String| {
        let (there, city) = zone.rsplit_once('/').unwrap_or(("", &zone));
        (there == area).then(|| city.to_owned())
    };
    let cities: Vec<String> = zones.filter_map(of_area).collect();
    match near::nearest(city, cities.iter().map(String::as_str)) {
        Some(city) if !area.is_empty() => refusal.meant(format!("{area}/{city}")),
        Some(_) | None => refusal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours_that_do_not_exist_are_refused() {
        assert!(Date::from_text("2028-02-29").is_ok());
        for text in ["2027-02-29", "2027-2-1", "31/08/2027", "2027-08-31 "] {
            assert_eq!(Date::from_text(text).unwrap_err().code, Code::E0104, "{text}");
        }
        assert_eq!(TimeOfDay::from_text("03:30"), Ok(TimeOfDay(210)));
        for text in ["3:30", "24:00", "03:60", "03h30"] {
            assert_eq!(TimeOfDay::from_text(text).unwrap_err().code, Code::E0104, "{text}");
        }
    }

    #[test]
    fn zones_come_from_the_bundled_database() {
        assert_eq!(Zone::from_text("Europe/Paris"), Ok(Zone("Europe/Paris".into())));
        assert_eq!(Zone::from_text("Europe/Nantes").unwrap_err().code, Code::E0120);
    }
}
