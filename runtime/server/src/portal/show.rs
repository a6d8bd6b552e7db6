//! Figures as people read them: amounts, days and moments in the language of the page and the institution's time zone.

use jiff::Timestamp;
use plan::Language;

use super::Visit;
use super::words::Words;

const MONTHS: [Words; 12] = [
    Words("janvier", "January"),
    Words("février", "February"),
    Words("mars", "March"),
    Words("avril", "April"),
    Words("mai", "May"),
    Words("juin", "June"),
    Words("juillet", "July"),
    Words("août", "August"),
    Words("septembre", "September"),
    Words("octobre", "October"),
    Words("novembre", "November"),
    Words("décembre", "December"),
];

/// Octets, with three digits at most: `1,25 Go`, `640 kB`.
pub(crate) fn octets(language: Language, octets: u64) -> String {
    let units = match language {
        Language::French => ["o", "ko", "Mo", "Go", "To"],
        Language::English => ["B", "kB", "MB", "GB", "TB"],
    };
    let (mut amount, mut unit) = (octets as f64, 0);
    while amount >= 999.5 && unit + 1 < units.len() {
        amount /= 1_000.0;
        unit += 1;
    }
    let digits = match amount {
        _ if unit == 0 || amount >= 99.95 => 0,
        amount if amount >= 9.995 => 1,
        _ => 2,
    };
    let mut figure = format!("{amount:.digits$}");
    if language == Language::French {
        figure = figure.replace('.', ",");
    }
    format!("{figure}\u{a0}{}", units[unit])
}

/// A day `YYYY-MM-DD` as `30 novembre 2026`; what is no day as it is.
pub(crate) fn day(language: Language, iso: &str) -> String {
    let Ok(date) = iso.parse::<jiff::civil::Date>() else { return iso.to_owned() };
    let month = MONTHS[usize::from(date.month().unsigned_abs()) - 1].in_language(language);
    let first = if language == Language::French && date.day() == 1 { "er" } else { "" };
    format!("{}{first}\u{a0}{month} {}", date.day(), date.year())
}

/// Unix seconds as day and time of day.
pub(crate) fn moment(visit: &Visit, unix_s: i64) -> String {
    let Ok(at) = Timestamp::from_second(unix_s) else { return String::new() };
    let at = at.to_zoned(visit.portal.service.time_zone.clone());
    let day = day(visit.language, &at.date().to_string());
    format!("{day}, {:02}:{:02}", at.hour(), at.minute())
}

/// Unix seconds as a day.
pub(crate) fn day_of(visit: &Visit, unix_s: i64) -> String {
    let Ok(at) = Timestamp::from_second(unix_s) else { return String::new() };
    day(visit.language, &at.to_zoned(visit.portal.service.time_zone.clone()).date().to_string())
}

/// A text as the value of a query (RFC 3986 2.1).
pub(crate) fn in_query(text: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~/".contains(&octet);
    text.bytes().map(|o| if plain(o) { char::from(o).to_string() } else { format!("%{o:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_three_digits_at_most() {
        for (amount, french, english) in [
            (0, "0\u{a0}o", "0\u{a0}B"),
            (999, "999\u{a0}o", "999\u{a0}B"),
            (1_000, "1,00\u{a0}ko", "1.00\u{a0}kB"),
            (1_254_000_000, "1,25\u{a0}Go", "1.25\u{a0}GB"),
            (999_999, "1,00\u{a0}Mo", "1.00\u{a0}MB"),
            (54_321_000, "54,3\u{a0}Mo", "54.3\u{a0}MB"),
            (640_000, "640\u{a0}ko", "640\u{a0}kB"),
        ] {
            assert_eq!(
                (octets(Language::French, amount).as_str(), octets(Language::English, amount).as_str()),
                (french, english)
            );
        }
    }

    #[test]
    fn days_are_written_out() {
        assert_eq!(day(Language::French, "2026-12-01"), "1er\u{a0}décembre 2026");
        assert_eq!(day(Language::English, "2026-11-30"), "30\u{a0}November 2026");
        assert_eq!(day(Language::English, "soon"), "soon");
    }

    #[test]
    fn a_query_holds_any_text() {
        assert_eq!(in_query("Été & co#1+2%"), "%C3%89t%C3%A9%20%26%20co%231%2B2%25");
        assert_eq!(in_query("/storage?x=1"), "/storage%3Fx%3D1");
    }
}
