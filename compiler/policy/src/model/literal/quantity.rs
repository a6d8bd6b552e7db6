//! Quantities: sizes, durations, calendar spans, rates, shares.

use super::{Literal, literals, not_this};
use crate::codes::Code;
use crate::figures::grouped;
use crate::syntax::Refusal;

/// A size in octets: `"20 MB"` is decimal, `"20 MiB"` binary; French `Mo` and `Mio` mean the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl Size {
    /// A size as a policy writes it.
    pub fn of(text: &str) -> Option<Size> {
        Size::from_text(text).ok()
    }
}

/// A duration in seconds: `"15 min"`, `"1 h"`, `"30 days"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub u64);

/// A calendar span in months: `"6 months"`, `"1 year"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Months(pub u32);

/// `"500 / 15 min"`. Any width up to `WIDTH_S_MAX`: the check on windows narrows it to a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(pub plan::Window);

/// A share in whole percent, 0 to 100: `"80 %"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(pub u8);

literals!(Size, Span, Months, Rate, Share);

/// A hundred years: longer than anything a policy means.
const SPAN_S_MAX: u64 = 100 * 366 * 86_400;
/// A ring holds this many times at most.
const RATE_MAX: u64 = 10_000_000;
/// An exabyte.
const SIZE_OCTETS_MAX: u64 = 1_000_000_000_000_000_000;

/// Number and unit of `"20 MB"`: digits, then at most some spaces, then the rest.
fn split(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number = text.get(..digits)?;
    // Nineteen digits always fit.
    if number.is_empty() || number.len() > 19 {
        return None;
    }
    Some((number.parse().ok()?, text.get(digits..)?.trim_start_matches([' ', '\u{a0}', '\u{202f}'])))
}

fn out_of_range(text: &str, what: &str, lowest: u64, highest: u64) -> Refusal {
    Refusal::new(Code::E0108, format!("{text} is out of range for {what} ({lowest}–{highest})"))
}

/// E0107. `unit` is what such numbers mostly have.
fn no_unit(example: &str, number: impl std::fmt::Display, unit: &str) -> Refusal {
    Refusal::new(Code::E0107, "a number without a unit")
        .help(format!("write {example}, not {number}"))
        .meant(format!("{number} {unit}"))
}

impl Literal for Size {
    const WANTED: &'static str = "a size";
    const EXAMPLE: &'static str = "\"20 MB\"";

    fn from_text(text: &str) -> Result<Size, Refusal> {
        let Some((number, unit)) = split(text) else { return Err(not_this::<Size>("text", text)) };
        let factor: u64 = match unit {
            "B" | "o" => 1,
            "kB" | "KB" | "ko" | "Ko" => 1_000,
            "MB" | "Mo" => 1_000_000,
            "GB" | "Go" => 1_000_000_000,
            "TB" | "To" => 1_000_000_000_000,
            "KiB" | "kiB" | "Kio" | "kio" => 1 << 10,
            "MiB" | "Mio" => 1 << 20,
            "GiB" | "Gio" => 1 << 30,
            "TiB" | "Tio" => 1 << 40,
            "" => return Err(no_unit(Self::EXAMPLE, number, "MB")),
            _ if matches!(unit.to_ascii_lowercase().as_str(), "k" | "m" | "g" | "t" | "kb" | "mb" | "gb" | "tb") => {
                return Err(ambiguous_size(text, number, unit));
            }
            _ => return Err(not_this::<Size>("text", text)),
        };
        let octets = number.checked_mul(factor).filter(|octets| *octets <= SIZE_OCTETS_MAX);
        octets.map(Size).ok_or_else(|| out_of_range(text, "a size in bytes", 0, SIZE_OCTETS_MAX))
    }

    fn from_number(number: i128) -> Result<Size, Refusal> {
        Err(no_unit(Self::EXAMPLE, number, "MB"))
    }
}

/// E0105: `M` may be a million or 2²⁰, `Mb` may be bits.
fn ambiguous_size(text: &str, number: u64, unit: &str) -> Refusal {
    let (letter, power) = match unit.to_ascii_uppercase().as_bytes() {
        [b'K', ..] => ("k", 1),
        [b'G', ..] => ("G", 3),
        [b'T', ..] => ("T", 4),
        _ => ("M", 2),
    };
    let decimal = u128::from(number) * 1_000u128.pow(power);
    let binary = u128::from(number) * 1_024u128.pow(power);
    let binary_letter = letter.to_uppercase();
    Refusal::new(Code::E0105, format!("`{text}` is ambiguous"))
        .help(format!(
            "write \"{number} {letter}B\" ({} bytes) or \"{number} {binary_letter}iB\" ({})",
            grouped(decimal),
            grouped(binary)
        ))
        .meant(format!("{number} {letter}B"))
}

/// Seconds in one `unit`.
fn unit_s(unit: &str) -> Option<u64> {
    match unit {
        "s" => Some(1),
        "min" => Some(60),
        "h" => Some(3_600),
        "day" | "days" => Some(86_400),
        _ => None,
    }
}

/// Other words for units.
fn unit_meant(unit: &str) -> Option<&'static str> {
    match unit.to_ascii_lowercase().as_str() {
        "sec" | "second" | "seconds" | "seconde" | "secondes" => Some("s"),
        "mn" | "mins" | "minute" | "minutes" => Some("min"),
        "hr" | "hrs" | "hour" | "hours" | "heure" | "heures" => Some("h"),
        "d" | "j" | "jour" | "jours" => Some("days"),
        _ => None,
    }
}

fn is_calendar(unit: &str) -> bool {
    matches!(unit, "month" | "months" | "year" | "years" | "mois" | "an" | "ans")
}

impl Literal for Span {
    const WANTED: &'static str = "a duration";
    const EXAMPLE: &'static str = "\"15 min\"";

    fn from_text(text: &str) -> Result<Span, Refusal> {
        let Some((number, unit)) = split(text) else { return Err(not_this::<Span>("text", text)) };
        if unit.is_empty() {
            return Err(no_unit(Self::EXAMPLE, number, "min"));
        }
        if is_calendar(unit) {
            return Err(Refusal::new(Code::E0106, format!("\"{text}\" has no fixed length"))
                .help("a window or retention needs days; only password life may use months")
                .meant(format!("{} days", number.saturating_mul(if unit.starts_with(['m']) { 30 } else { 365 }))));
        }
        if unit == "m" {
            return Err(Refusal::new(Code::E0105, format!("`{text}` is ambiguous"))
                .help(format!("write \"{number} min\" or a number of days"))
                .meant(format!("{number} min")));
        }
        let Some(factor) = unit_s(unit) else {
            let refusal = not_this::<Span>("text", text);
            return Err(match unit_meant(unit) {
                Some(unit) => refusal.meant(format!("{number} {unit}")),
                None => refusal,
            });
        };
        let seconds = number.checked_mul(factor).filter(|seconds| *seconds <= SPAN_S_MAX);
        seconds.map(Span).ok_or_else(|| out_of_range(text, "a duration in seconds", 0, SPAN_S_MAX))
    }

    fn from_number(number: i128) -> Result<Span, Refusal> {
        Err(no_unit(Self::EXAMPLE, number, "min"))
    }
}

impl Literal for Months {
    const WANTED: &'static str = "a calendar span";
    const EXAMPLE: &'static str = "\"6 months\"";

    fn from_text(text: &str) -> Result<Months, Refusal> {
        let Some((number, unit)) = split(text) else { return Err(not_this::<Months>("text", text)) };
        let factor = match unit {
            "month" | "months" => 1,
            "year" | "years" => 12,
            "" => return Err(no_unit(Self::EXAMPLE, number, "months")),
            _ => return Err(not_this::<Months>("text", text)),
        };
        let months = number.checked_mul(factor).filter(|months| (1..=1_200).contains(months));
        let months = months.and_then(|months| u32::try_from(months).ok());
        months.map(Months).ok_or_else(|| out_of_range(text, "a number of months", 1, 1_200))
    }

    fn from_number(number: i128) -> Result<Months, Refusal> {
        Err(no_unit(Self::EXAMPLE, number, "months"))
    }
}

/// What was meant by the width, in a rate. No window is as wide as a month.
fn width_of_rate(max: u64, mut refusal: Refusal) -> Refusal {
    refusal.meant = refusal.meant.filter(|_| refusal.code != Code::E0106).map(|width| format!("{max} / {width}"));
    refusal
}

impl Literal for Rate {
    const WANTED: &'static str = "a rate";
    const EXAMPLE: &'static str = "\"500 / 15 min\"";

    fn from_text(text: &str) -> Result<Rate, Refusal> {
        let Some((max, width)) = text.split_once('/') else {
            return Err(match split(text.trim()) {
                Some((number, "")) => no_unit(Self::EXAMPLE, number, "/ 1 h"),
                _ => not_this::<Rate>("text", text),
            });
        };
        let Some((max, "")) = split(max.trim()) else { return Err(not_this::<Rate>("text", text)) };
        let Span(width_s) = Span::from_text(width.trim()).map_err(|refusal| width_of_rate(max, refusal))?;
        let max = u32::try_from(max).ok().filter(|max| u64::from(*max) <= RATE_MAX);
        let max = max.ok_or_else(|| out_of_range(text, "the count of a rate", 0, RATE_MAX))?;
        let width_s = u32::try_from(width_s).ok().filter(|width_s| *width_s > 0);
        let width_s =
            width_s.ok_or_else(|| out_of_range(text, "the width of a rate in seconds", 1, u32::MAX.into()))?;
        Ok(Rate(plan::Window { max, width_s }))
    }

    fn from_number(number: i128) -> Result<Rate, Refusal> {
        Err(no_unit(Self::EXAMPLE, number, "/ 1 h"))
    }
}

impl Literal for Share {
    const WANTED: &'static str = "a share";
    const EXAMPLE: &'static str = "\"80 %\"";

    fn from_text(text: &str) -> Result<Share, Refusal> {
        let percent = match split(text) {
            Some((percent, "%")) => percent,
            Some((number, "")) => return Err(no_unit(Self::EXAMPLE, number, "%")),
            _ => return Err(not_this::<Share>("text", text)),
        };
        let share = u8::try_from(percent).ok().filter(|percent| *percent <= 100);
        share.map(Share).ok_or_else(|| out_of_range(text, "a share", 0, 100))
    }

    fn from_number(number: i128) -> Result<Share, Refusal> {
        Err(no_unit(Self::EXAMPLE, number, "%"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T: Literal>(text: &str) -> Option<Code> {
        T::from_text(text).err().map(|refusal| refusal.code)
    }

    #[test]
    fn sizes_are_decimal_or_binary_and_may_be_french() {
        for (text, octets) in [
            ("20 MB", 20_000_000),
            ("20 Mo", 20_000_000),
            ("20MB", 20_000_000),
            ("512 KiB", 524_288),
            ("1 GB", 1_000_000_000),
            ("2 Gio", 2 << 30),
            ("7 B", 7),
        ] {
            assert_eq!(Size::from_text(text), Ok(Size(octets)), "{text}");
        }
        for (text, wrong) in [
            ("20", Code::E0107),
            ("20 M", Code::E0105),
            ("20 Mb", Code::E0105),
            ("twenty", Code::E0104),
            ("-1 MB", Code::E0104),
            ("9999999999 GB", Code::E0108),
        ] {
            assert_eq!(code::<Size>(text), Some(wrong), "{text}");
        }
        let help = Size::from_text("20 M").unwrap_err().help;
        assert_eq!(help.as_deref(), Some("write \"20 MB\" (20 000 000 bytes) or \"20 MiB\" (20 971 520)"));
    }

    #[test]
    fn durations_and_calendar_spans_are_different_things() {
        assert_eq!(Span::from_text("15 min"), Ok(Span(900)));
        assert_eq!(Span::from_text("30 days"), Ok(Span(2_592_000)));
        assert_eq!(code::<Span>("6 months"), Some(Code::E0106));
        assert_eq!(code::<Span>("15"), Some(Code::E0107));
        assert_eq!(code::<Span>("15 m"), Some(Code::E0105));
        assert_eq!(Months::from_text("1 year"), Ok(Months(12)));
        assert_eq!(code::<Months>("30 days"), Some(Code::E0104));
    }

    #[test]
    fn rates_and_shares_need_their_units() {
        assert_eq!(Rate::from_text("500 / 15 min"), Ok(Rate(plan::Window { max: 500, width_s: 900 })));
        assert_eq!(Rate::from_text("2000/1 day"), Ok(Rate(plan::Window { max: 2_000, width_s: 86_400 })));
        for (text, wrong) in [
            ("500", Code::E0107),
            ("500 / 15", Code::E0107),
            ("500 / 1 month", Code::E0106),
            ("many / 1 h", Code::E0104),
            ("99999999 / 1 h", Code::E0108),
            ("5 / 0 s", Code::E0108),
        ] {
            assert_eq!(code::<Rate>(text), Some(wrong), "{text}");
        }
        assert_eq!(Share::from_text("80 %"), Ok(Share(80)));
        assert_eq!(code::<Share>("101 %"), Some(Code::E0108));
        assert_eq!(code::<Share>("80"), Some(Code::E0107));
    }
}
