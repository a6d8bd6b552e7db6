//! What a scorer says of a message, whichever protocol it said it in, and how its figures are written.

use nom::character::complete::{char, digit0, one_of};
use nom::combinator::opt;
use nom::sequence::preceded;
use nom::{IResult, Parser};

/// Largest figure that is believed, in thousandths: a million either way.
pub const THOUSANDTHS_MAX: i64 = 1_000_000_000;
/// Rules that are kept of one report.
pub const RULES_MAX: usize = 200;
/// Longest name of a rule in octets; a longer one is cut.
pub const RULE_OCTETS_MAX: usize = 100;

/// A scorer's figures as it gave them: its own sign, its own threshold. In thousandths of a point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Its own word; `None` where it only counts.
    pub is_spam: Option<bool>,
    pub score: i64,
    /// From here on it is spam to the scorer; `None` where that was not said.
    pub threshold: Option<i64>,
    /// Rules that fired, with their share where it was told, else 0. Names are printable ASCII without spaces.
    pub rules: Vec<(String, i64)>,
}

impl Report {
    /// Notes a rule; past the bound it is left out.
    pub fn rule(&mut self, name: &str, thousandths: i64) {
        let name: String = name.chars().filter(char::is_ascii_graphic).take(RULE_OCTETS_MAX).collect();
        if !name.is_empty() && self.rules.len() < RULES_MAX {
            self.rules.push((name, thousandths));
        }
    }
}

/// `-1.25`, `+7`, `.5`, `1000.0`: thousandths, further digits cut off. A figure beyond the bound is none.
pub fn figure(input: &str) -> IResult<&str, i64> {
    let (rest, (sign, whole, part)) = (opt(one_of("+-")), digit0, opt(preceded(char('.'), digit0))).parse(input)?;
    let part: &str = part.unwrap_or_default();
    let none = nom::Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::Digit));
    if whole.is_empty() && part.is_empty() {
        return Err(none);
    }
    let padded: String = part.chars().chain("000".chars()).take(3).collect();
    let thousandths: Option<i64> = format!("{whole}{padded}").parse().ok();
    match thousandths.filter(|thousandths| *thousandths <= THOUSANDTHS_MAX) {
        Some(thousandths) => Ok((rest, if sign == Some('-') { -thousandths } else { thousandths })),
        None => Err(none),
    }
}

/// A floating figure in thousandths, rounded; `None` when it is no number or beyond the bound.
pub fn of_float(figure: f64) -> Option<i64> {
    let thousandths = (figure * 1_000.0).round();
    // The bound is far below what f64 holds exactly.
    (thousandths.abs() <= THOUSANDTHS_MAX as f64).then_some(thousandths as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_in_thousandths() {
        for (text, expected) in [
            ("5", Some(5_000)),
            ("-1.25", Some(-1_250)),
            ("+0.0009", Some(0)),
            (".5", Some(500)),
            ("7.", Some(7_000)),
            ("1000000", Some(1_000_000_000)),
            ("1000001", None),
            ("99999999999999999999999", None),
            ("-", None),
            (".", None),
            ("", None),
            ("nan", None),
        ] {
            let read = figure(text).ok().map(|(rest, thousandths)| (rest.len(), thousandths));
            assert_eq!(read, expected.map(|thousandths| (0, thousandths)), "{text:?}");
        }
    }

    #[test]
    fn floating_figures_are_rounded_and_bounded() {
        assert_eq!(of_float(5.9996), Some(6_000));
        assert_eq!(of_float(-0.1), Some(-100));
        assert_eq!(of_float(1e9), None);
        assert_eq!(of_float(f64::NAN), None);
        assert_eq!(of_float(f64::NEG_INFINITY), None);
    }

    #[test]
    fn rules_are_bounded_in_number_and_length() {
        let mut report = Report::default();
        for number in 0..1_000 {
            report.rule(&format!("R{number}{}", "x".repeat(1_000)), 1);
            report.rule("\r\n\u{e9}", 1);
        }
        assert_eq!(report.rules.len(), RULES_MAX);
        assert!(report.rules.iter().all(|(name, _)| name.len() == RULE_OCTETS_MAX));
    }
}
