//! Dates of mail: RFC 5322 3.3 and 4.3 (the Date field), RFC 9051 9 `date-time` (INTERNALDATE) and `date` (search keys).
//!
//! No clock is read here; whoever needs the time passes it in.

use std::fmt;

const SECONDS_PER_DAY: i64 = 86_400;

/// The English names of RFC 5322 3.3, in order.
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A point in time and the offset east of UTC in which somebody wrote it down.
///
/// Every value is legal: formatting clamps the year to 0..=9999 and the offset to less than a hundred hours, which is all
/// the two formats can express.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DateTime {
    pub unix_seconds: i64,
    pub offset_minutes: i16,
}

/// A calendar day without time and zone, as the search keys compare it (RFC 9051 6.4.4). Between the years 0 and 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl DateTime {
    /// A time in UTC.
    pub fn utc(unix_seconds: i64) -> Self {
        Self { unix_seconds, offset_minutes: 0 }
    }

    /// The Date field of RFC 5322 3.3 with the obsolete forms of 4.3 and what old programs wrote: two-digit years, named
    /// zones, no seconds, no time, no zone, `asctime` order, hyphens between day, month and year. `None` for nonsense.
    pub fn parse_rfc5322(value: &[u8]) -> Option<Self> {
        let text = without_comments(value)?;
        let mut found = Found::default();
        for (index, word) in text.split_ascii_whitespace().enumerate() {
            found.word(index, word)?;
        }
        found.finish()
    }

    /// The text of `date-time` without its quotes: `17-Jul-1996 02:44:25 -0700`, the day as `1`, `01` or ` 1`.
    pub fn parse_imap(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let mut words = text.strip_prefix(' ').unwrap_or(text).split(' ');
        let (date, time, zone) = (words.next()?, words.next()?, words.next()?);
        if words.next().is_some() || time.len() != 8 || zone.len() != 5 {
            return None;
        }
        let day = Day::parse_imap(date.as_bytes())?;
        Some(Self::assemble(day, clock(time)?, numeric_zone(zone)?))
    }

    /// The text of INTERNALDATE without its quotes; the day is two characters wide (`date-day-fixed`).
    pub fn to_imap(self) -> String {
        self.to_imap_octets().iter().copied().map(char::from).collect()
    }

    /// The same in octets, for a listing of many messages.
    pub fn to_imap_octets(self) -> [u8; 26] {
        let (day, time, offset) = self.local();
        let (year, month, date) = day.civil();
        let (year, time, zone) = (year.unsigned_abs(), time.unsigned_abs() as u32, u32::from(offset.unsigned_abs()));
        let mut text = *b" 1-Jan-1970 00:00:00 +0000";
        for (at, number) in [(0, date), (7, year / 100), (9, year % 100)] {
            text[at..at + 2].copy_from_slice(&two_digits(number));
        }
        if date < 10 {
            text[0] = b' ';
        }
        text[3..6].copy_from_slice(month_name(month).as_bytes());
        for (at, number) in [(12, time / 3600), (15, time / 60 % 60), (18, time % 60), (22, zone / 60), (24, zone % 60)]
        {
            text[at..at + 2].copy_from_slice(&two_digits(number));
        }
        if offset < 0 {
            text[21] = b'-';
        }
        text
    }

    /// A Date field's value (RFC 5322 3.3).
    pub fn to_rfc5322(self) -> String {
        let (day, time, offset) = self.local();
        let (year, month, date) = day.civil();
        let weekday = WEEKDAYS[day.0.wrapping_add(3).rem_euclid(7) as usize];
        format!("{weekday}, {date} {} {year:04} {} {}", month_name(month), Clock(time), Zone(offset))
    }

    /// The day on the calendar of the writer, disregarding time and zone (RFC 9051 6.4.4: BEFORE, ON, SINCE, SENTBEFORE…).
    pub fn day(self) -> Day {
        self.local().0
    }

    fn assemble(day: Day, second_of_day: i64, offset_minutes: i16) -> Self {
        let local = i64::from(day.0) * SECONDS_PER_DAY + second_of_day;
        Self { unix_seconds: local - i64::from(offset_minutes) * 60, offset_minutes }
    }

    /// Day, second of the day and offset, clamped to what can be written.
    fn local(self) -> (Day, i64, i16) {
        let offset = self.offset_minutes.clamp(-5999, 5999);
        let local = self.unix_seconds.saturating_add(i64::from(offset) * 60);
        let local = local.clamp(Day::FIRST * SECONDS_PER_DAY, (Day::LAST + 1) * SECONDS_PER_DAY - 1);
        // The clamp above keeps the day count far inside i32.
        (Day(local.div_euclid(SECONDS_PER_DAY) as i32), local.rem_euclid(SECONDS_PER_DAY), offset)
    }
}

impl Day {
    /// 0000-01-01 and 9999-12-31 in days since 1970-01-01.
    const FIRST: i64 = -719_528;
    const LAST: i64 = 2_932_896;

    /// A day of the Gregorian calendar; month from 1 to 12. `None` if there is no such day.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days_of_month = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        if !(0..=9999).contains(&year) || day == 0 || day > days_of_month {
            return None;
        }
        // Count from March, so that the leap day is the last of its year (Hinnant, "chrono-compatible date algorithms").
        let year_of_march = year - i32::from(month <= 2);
        let era = year_of_march.div_euclid(400);
        let year_of_era = year_of_march.rem_euclid(400);
        let month_of_march = (month as i32 + 9) % 12;
        let day_of_year = (153 * month_of_march + 2) / 5 + day as i32 - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Some(Self(era * 146_097 + day_of_era - 719_468))
    }

    /// The text of `date`: `1-Feb-1994` (RFC 9051 9, `date-text`), without the optional quotes.
    pub fn parse_imap(text: &[u8]) -> Option<Self> {
        let mut pieces = std::str::from_utf8(text).ok()?.split('-');
        let (day, month, year) = (pieces.next()?, pieces.next()?, pieces.next()?);
        if pieces.next().is_some() || day.len() > 2 || month.len() != 3 || year.len() != 4 {
            return None;
        }
        Self::new(digits(year)? as i32, month_number(month)?, digits(day)?)
    }

    /// `1994-02-01` (ISO 8601), nothing else.
    pub fn parse_iso(text: &str) -> Option<Self> {
        let mut pieces = text.splitn(3, '-');
        let (year, month, day) = (pieces.next()?, pieces.next()?, pieces.next()?);
        if (year.len(), month.len(), day.len()) != (4, 2, 2) {
            return None;
        }
        Self::new(digits(year)? as i32, digits(month)?, digits(day)?)
    }

    /// `1994-02-01`.
    pub fn to_iso(self) -> String {
        let (year, month, day) = self.civil();
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// So many days later, or earlier; the first or last day that can be written where there is none.
    #[must_use]
    pub fn plus(self, days: i64) -> Self {
        let day = i64::from(self.0).saturating_add(days).clamp(Day::FIRST, Day::LAST);
        // The clamp keeps it far inside i32.
        Self(day as i32)
    }

    /// `1-Feb-1994`.
    pub fn to_imap(self) -> String {
        let (year, month, day) = self.civil();
        format!("{day}-{}-{year:04}", month_name(month))
    }

    /// Days since 1970-01-01, negative before it.
    pub fn days_since_epoch(self) -> i32 {
        self.0
    }

    /// Year, month from 1, day from 1.
    pub fn civil(self) -> (i32, u32, u32) {
        let shifted = self.0 + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_of_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_of_march + 2) / 5 + 1;
        let month = (month_of_march + 2) % 12 + 1;
        let year = year_of_era + era * 400 + i32::from(month <= 2);
        (year, month as u32, day as u32)
    }
}

/// What the words of a Date field have told so far.
#[derive(Default)]
struct Found {
    day: Option<u32>,
    month: Option<u32>,
    year: Option<i32>,
    second_of_day: Option<i64>,
    offset_minutes: Option<i16>,
}

impl Found {
    /// Takes one word. `None` when the word makes the whole field nonsense.
    fn word(&mut self, index: usize, word: &str) -> Option<()> {
        let first = word.bytes().next()?;
        if first == b'+' || (first == b'-' && self.second_of_day.is_some()) {
            // An impossible offset is read as "unknown", like the zones of RFC 5322 4.3 that nobody knows.
            self.offset_minutes.get_or_insert(numeric_zone(word).unwrap_or(0));
        } else if word.contains(':') {
            self.second_of_day = Some(self.second_of_day.or(clock(word))?);
        } else if first.is_ascii_digit() && word.contains('-') {
            for piece in word.split('-') {
                self.word(index, piece)?;
            }
        } else if first.is_ascii_digit() {
            self.number(word)?;
        } else if let Some(month) = month_number(word).filter(|_| self.month.is_none()) {
            self.month = Some(month);
        } else if self.second_of_day.is_some() {
            self.offset_minutes.get_or_insert(named_zone(word));
        } else if index > 0 && self.year.is_none() {
            return None;
        }
        Some(())
    }

    fn number(&mut self, word: &str) -> Option<()> {
        if self.day.is_none() && word.len() <= 2 {
            self.day = Some(digits(word)?);
        } else if self.year.is_none() {
            let year = digits(word).filter(|year| *year <= 9999)? as i32;
            // RFC 5322 4.3: two digits up to 49 are of this century, the other two and all three count from 1900.
            self.year = Some(match word.len() {
                1 | 2 if year < 50 => year + 2000,
                1..=3 => year + 1900,
                _ => year,
            });
        }
        Some(())
    }

    fn finish(self) -> Option<DateTime> {
        let day = Day::new(self.year?, self.month?, self.day?)?;
        Some(DateTime::assemble(day, self.second_of_day.unwrap_or(0), self.offset_minutes.unwrap_or(0)))
    }
}

/// The field without comments (RFC 5322 3.2.2) and commas, at most 256 octets of it: no real date is longer.
fn without_comments(value: &[u8]) -> Option<String> {
    let mut depth = 0_u32;
    let mut text = String::new();
    for &byte in value.iter().take(256) {
        match byte {
            b'(' => depth += 1,
            b')' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            b',' => text.push(' '),
            _ if byte.is_ascii() => text.push(char::from(byte)),
            _ => return None,
        }
    }
    Some(text)
}

fn digits(text: &str) -> Option<u32> {
    let all_digits = !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits { text.parse().ok() } else { None }
}

/// `h:mm` or `h:mm:ss` as seconds of the day. Second 60 is the leap second of RFC 5322 3.3.
fn clock(text: &str) -> Option<i64> {
    let mut pieces = text.split(':');
    let (hour, minute) = (digits(pieces.next()?)?, digits(pieces.next()?)?);
    let second = match pieces.next() {
        // Some programs write a fraction.
        Some(second) => digits(second.split('.').next()?)?,
        None => 0,
    };
    let legal = hour < 24 && minute < 60 && second <= 60 && pieces.next().is_none();
    legal.then(|| i64::from(hour * 3600 + minute * 60 + second))
}

/// `+hhmm`, `-hhmm`, and `+hh:mm` as some programs write it.
fn numeric_zone(text: &str) -> Option<i16> {
    let negative = text.starts_with('-');
    let number = digits(&text.get(1..)?.replace(':', ""))?;
    let (hours, minutes) = (number / 100, number % 100);
    if !text.starts_with(['+', '-']) || hours > 23 || minutes > 59 {
        return None;
    }
    let offset = (hours * 60 + minutes) as i16;
    Some(if negative { -offset } else { offset })
}

/// RFC 5322 4.3. Military letters were used with both signs and are read as unknown, like every other name.
fn named_zone(word: &str) -> i16 {
    match word.to_ascii_uppercase().as_str() {
        "EDT" => -4 * 60,
        "EST" | "CDT" => -5 * 60,
        "CST" | "MDT" => -6 * 60,
        "MST" | "PDT" => -7 * 60,
        "PST" => -8 * 60,
        _ => 0,
    }
}

/// By the first three letters, so that `August` is understood.
fn month_number(word: &str) -> Option<u32> {
    let start = word.get(..3).filter(|_| word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'.'))?;
    let index = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(start))?;
    Some(index as u32 + 1)
}

fn month_name(month: u32) -> &'static str {
    MONTHS[(month as usize - 1) % 12]
}

/// Of a number below 100.
fn two_digits(number: u32) -> [u8; 2] {
    [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]
}

struct Clock(i64);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.0 / 3600, self.0 / 60 % 60, self.0 % 60)
    }
}

struct Zone(i16);

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { '-' } else { '+' };
        write!(f, "{sign}{:02}{:02}", self.0.abs() / 60, self.0.abs() % 60)
    }
}

/// The law of dates: what any of the three forms says comes back from what is written of it.
pub fn fuzz(octets: &[u8]) {
    for date in [DateTime::parse_rfc5322(octets), DateTime::parse_imap(octets)].into_iter().flatten() {
        assert_eq!(DateTime::parse_imap(date.to_imap().as_bytes()), Some(date), "INTERNALDATE does not come back");
        assert_eq!(DateTime::parse_rfc5322(date.to_rfc5322().as_bytes()), Some(date), "Date does not come back");
    }
    if let Some(day) = Day::parse_imap(octets) {
        assert_eq!(Day::parse_imap(day.to_imap().as_bytes()), Some(day), "a day does not come back");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let found = DateTime::parse_rfc5322(text.as_bytes());
        assert_eq!(found.map(DateTime::to_rfc5322).as_deref(), expected, "{text:?}");
    }

    #[test]
    fn date_fields_of_the_rfc_and_of_old_programs_are_read() {
        check("Fri, 21 Nov 1997 09:55:06 -0600", Some("Fri, 21 Nov 1997 09:55:06 -0600"));
        check(
            "Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)",
            Some("Thu, 13 Feb 1969 23:32:00 -0330"),
        );
        check("21 Nov 97 09:55:06 GMT", Some("Fri, 21 Nov 1997 09:55:06 +0000"));
        check("1 Jan 49 00:00 PDT", Some("Fri, 1 Jan 2049 00:00:00 -0700"));
        check("1 Jan 100 00:00 A", Some("Sat, 1 Jan 2000 00:00:00 +0000"));
        check("Fri Nov 21 09:55:06 1997", Some("Fri, 21 Nov 1997 09:55:06 +0000"));
        check("Fri, 21-Nov-97 09:55:06 EST", Some("Fri, 21 Nov 1997 09:55:06 -0500"));
        check("21 November 1997", Some("Fri, 21 Nov 1997 00:00:00 +0000"));
        check("29 Feb 2000 23:59:60 +9999", Some("Wed, 1 Mar 2000 00:00:00 +0000"));
        check("Tue, 1 Jul 2003 10:52:37.123 +02:00 (CEST)", Some("Tue, 1 Jul 2003 10:52:37 +0200"));
    }

    #[test]
    fn nonsense_is_no_date() {
        for text in
            ["", "now", "31 Feb 2000", "1 Foo 2000", "12:00:00", "99999999999 Jan 2000", "1 Jan 2000 25:00", "été"]
        {
            check(text, None);
        }
    }

    #[test]
    fn internal_dates_come_back_as_they_went() {
        for text in [
            "17-Jul-1996 02:44:25 -0700",
            " 1-Feb-1994 00:00:00 +0000",
            "31-Dec-9999 23:59:59 +2359",
            "01-Jan-0001 00:00:00 -2359",
        ] {
            let parsed = DateTime::parse_imap(text.as_bytes()).expect(text);
            assert_eq!(parsed.to_imap(), text.replacen("01-", " 1-", 1));
            assert_eq!(DateTime::parse_imap(parsed.to_imap().as_bytes()), Some(parsed));
        }
        assert_eq!(
            DateTime::parse_imap(b"17-Jul-1996 02:44:25 -0700").map(|date| date.unix_seconds),
            Some(837_596_665)
        );
        for bad in [
            "17-Jul-1996",
            "17-Jul-1996 2:44:25 -0700",
            "17-Jul-96 02:44:25 -0700",
            "17-Jul-1996 02:44:25 GMT",
            "17-Jul-1996 02:44:25 -0700 ",
        ] {
            assert_eq!(DateTime::parse_imap(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn a_day_is_the_writers_day_whatever_the_zone() {
        let late = DateTime::parse_rfc5322(b"1 Feb 1994 23:30:00 -0800").expect("legal");
        assert_eq!(Some(late.day()), Day::parse_imap(b"1-Feb-1994"));
        assert_eq!(Some(DateTime::utc(late.unix_seconds).day()), Day::parse_imap(b"2-Feb-1994"));
        assert!(Day::parse_imap(b"1-Feb-1994") < Day::parse_imap(b"02-Feb-1994"));
    }

    #[test]
    fn every_day_of_eight_centuries_comes_back_and_follows_its_forerunner() {
        let first = Day::new(1600, 1, 1).expect("legal").days_since_epoch();
        for number in first..first + 2 * 146_097 {
            let (year, month, day) = Day(number).civil();
            assert_eq!(Day::new(year, month, day), Some(Day(number)));
        }
        assert_eq!(Day::new(0, 1, 1).map(|day| i64::from(day.0)), Some(Day::FIRST));
        assert_eq!(Day::new(9999, 12, 31).map(|day| i64::from(day.0)), Some(Day::LAST));
        assert_eq!(Day::parse_imap(b"1-Feb-1994").map(Day::to_imap).as_deref(), Some("1-Feb-1994"));
    }

    #[test]
    fn extreme_values_are_written_without_panic() {
        for unix_seconds in [i64::MIN, -1, 0, i64::MAX] {
            for offset_minutes in [i16::MIN, 0, i16::MAX] {
                let date = DateTime { unix_seconds, offset_minutes };
                assert!(DateTime::parse_imap(date.to_imap().as_bytes()).is_some() || offset_minutes != 0);
                assert!(!date.to_rfc5322().is_empty());
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_keeps_the_law(
            text in "( ?[0-9]{1,2}|Mon,|(Jan|Feb|Dec)|-|:|[0-9]{4}| |[-+][0-9]{4}|\\(x\\)|GMT|[A-Z]){0,12}",
            noise in ".{0,20}",
        ) {
            fuzz(text.as_bytes());
            fuzz(noise.as_bytes());
        }
    }
}
