//! Numbers, sizes, times and lists in words.

use plan::Language;

use crate::typography::NARROW_NO_BREAK;

/// Between a number and its unit.
const NO_BREAK: char = '\u{a0}';

/// One of the two.
pub fn pick<T>(language: Language, french: T, english: T) -> T {
    match language {
        Language::French => french,
        Language::English => english,
    }
}

/// Thousands are parted from five digits on: `1000`, `20 000`.
pub fn number(language: Language, number: u64) -> String {
    let digits = number.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut parted = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            parted.push(pick(language, NARROW_NO_BREAK, ','));
        }
        parted.push(digit);
    }
    parted
}

/// `20 Mo`, `14,6 Mo`, `20 Mio`: the largest unit that says it with at most one decimal; else rounded down to one.
pub fn size(language: Language, octets: u64) -> String {
    const UNITS: [(u64, &str, &str); 6] = [
        (1_000_000_000, "Go", "GB"),
        (1_000_000, "Mo", "MB"),
        (1_000, "ko", "kB"),
        (1 << 30, "Gio", "GiB"),
        (1 << 20, "Mio", "MiB"),
        (1 << 10, "Kio", "KiB"),
    ];
    let said = |(unit, french, english): (u64, &str, &str)| {
        let tenths = u128::from(octets) * 10 / u128::from(unit);
        let whole = number(language, u64::try_from(tenths / 10).unwrap_or(u64::MAX));
        let name = pick(language, french, english);
        match tenths % 10 {
            0 => format!("{whole}{NO_BREAK}{name}"),
            tenth => format!("{whole}{}{tenth}{NO_BREAK}{name}", pick(language, ',', '.')),
        }
    };
    let exact = |unit: u64| octets >= unit && (u128::from(octets) * 10).is_multiple_of(u128::from(unit));
    if let Some(unit) = UNITS.into_iter().find(|(unit, ..)| exact(*unit)) {
        return said(unit);
    }
    match UNITS[..3].iter().find(|(unit, ..)| octets >= *unit) {
        Some(unit) => said(*unit),
        None => format!("{octets}{NO_BREAK}{}", pick(language, "octets", "bytes")),
    }
}

/// `30 jours`, `4 heures`, `15 minutes`: the largest unit that is whole.
pub fn duration(language: Language, seconds: u64) -> String {
    const UNITS: [(u64, &str, &str); 4] =
        [(86_400, "jour", "day"), (3_600, "heure", "hour"), (60, "minute", "minute"), (1, "seconde", "second")];
    let whole = UNITS.into_iter().find(|(unit, ..)| seconds >= *unit && seconds.is_multiple_of(*unit));
    let (unit, french, english) = whole.unwrap_or(UNITS[3]);
    let count = seconds / unit;
    let plural = if count >= 2 || count == 0 && language == Language::English { "s" } else { "" };
    format!("{}{NO_BREAK}{}{plural}", number(language, count), pick(language, french, english))
}

/// The span of a window after "per": `heure`, `quart d'heure`, `jour`, `10 minutes`.
pub fn window(language: Language, seconds: u32) -> String {
    match seconds {
        900 => pick(language, "quart d'heure", "quarter of an hour").to_owned(),
        3_600 => pick(language, "heure", "hour").to_owned(),
        86_400 => pick(language, "jour", "day").to_owned(),
        60 => "minute".to_owned(),
        other => duration(language, u64::from(other)),
    }
}

/// The same for the head of a column: `h`, `¼ h`, `jour`, `10 min`.
pub fn short_window(language: Language, seconds: u32) -> String {
    match seconds {
        900 => format!("¼{NO_BREAK}h"),
        86_400 => pick(language, "jour", "day").to_owned(),
        3_600 => "h".to_owned(),
        other if other.is_multiple_of(3_600) => format!("{}{NO_BREAK}h", other / 3_600),
        other if other.is_multiple_of(60) => format!("{}{NO_BREAK}min", other / 60),
        other => format!("{other}{NO_BREAK}s"),
    }
}

/// Minutes after midnight: `3 h 30`, `3:30`.
pub fn time_of_day(language: Language, minutes: u32) -> String {
    let (hour, minute) = (minutes / 60, minutes % 60);
    match language {
        Language::French if minute == 0 => format!("{hour}{NO_BREAK}h"),
        Language::French => format!("{hour}{NO_BREAK}h{NO_BREAK}{minute:02}"),
        Language::English => format!("{hour}:{minute:02}"),
    }
}

pub fn percent(language: Language, share: u8) -> String {
    match language {
        Language::French => format!("{share}{NO_BREAK}%"),
        Language::English => format!("{share}%"),
    }
}

/// `a, b et c`.
pub fn all_of(language: Language, items: &[String]) -> String {
    joined(items, pick(language, "et", "and"))
}

/// `a, b ou c`.
pub fn one_of(language: Language, items: &[String]) -> String {
    joined(items, pick(language, "ou", "or"))
}

fn joined(items: &[String], last: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., end] => format!("{} {last} {end}", most.join(", ")),
    }
}

/// `31 mars 2027` from `2027-03-31`; another text stays as it is.
pub fn date(language: Language, iso: &str) -> String {
    const FRENCH: [&str; 12] = [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ];
    const ENGLISH: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let mut parts = iso.splitn(3, '-');
    let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) else {
        return iso.to_owned();
    };
    let month = month.parse::<usize>().ok().and_then(|month| month.checked_sub(1));
    let name = month.and_then(|month| pick(language, FRENCH, ENGLISH).get(month).copied());
    let (Some(name), Ok(day)) = (name, day.parse::<u32>()) else { return iso.to_owned() };
    let day = if day == 1 && language == Language::French { "1er".to_owned() } else { day.to_string() };
    format!("{day}{NO_BREAK}{name}{NO_BREAK}{year}")
}

#[cfg(test)]
mod tests {
    use plan::Language::{English, French};

    use super::*;

    #[test]
    fn numbers_and_sizes_are_written_as_each_language_does() {
        assert_eq!((number(French, 1000), number(French, 45_000)), ("1000".into(), "45\u{202f}000".into()));
        assert_eq!(number(English, 1_234_567), "1,234,567");
        for (octets, french, english) in [
            (20_000_000, "20 Mo", "20 MB"),
            (14_600_000, "14,6 Mo", "14.6 MB"),
            (2_500_000_000, "2,5 Go", "2.5 GB"),
            (20 << 20, "20 Mio", "20 MiB"),
            (999, "999 octets", "999 bytes"),
            (123_456_789, "123,4 Mo", "123.4 MB"),
        ] {
            let plain = |text: String| text.replace('\u{a0}', " ");
            assert_eq!((plain(size(French, octets)), plain(size(English, octets))), (french.into(), english.into()));
        }
        assert!(size(French, u64::MAX).ends_with("Go"));
    }

    #[test]
    fn times_are_written_in_their_largest_whole_unit() {
        let plain = |text: String| text.replace('\u{a0}', " ");
        assert_eq!(plain(duration(French, 2_592_000)), "30 jours");
        assert_eq!(plain(duration(English, 86_400)), "1 day");
        assert_eq!(plain(duration(English, 0)), "0 seconds");
        assert_eq!(plain(time_of_day(French, 210)), "3 h 30");
        assert_eq!(plain(date(French, "2027-03-31")), "31 mars 2027");
        assert_eq!(plain(date(English, "soon")), "soon");
        assert_eq!(one_of(French, &["25".into(), "465".into(), "587".into()]), "25, 465 ou 587");
    }
}
