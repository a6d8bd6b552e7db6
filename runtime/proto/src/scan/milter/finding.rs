//! What an outcome says of a message: as an antivirus, and as a scorer.

use nom::bytes::complete::{tag_no_case, take_till1, take_until};
use nom::character::complete::char;
use nom::sequence::preceded;
use nom::{IResult, Parser};

use super::{Outcome, Saw, Verdict};
use crate::scan::report::{Report, figure};

/// What a filter that looks for viruses found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Infection {
    Clean,
    /// Its words, or the name it gave; never empty.
    Found(String),
    /// It did not look, or not at all of it. Why.
    NotLooked(String),
    /// It says later.
    NoVerdict(String),
}

/// What a filter that scores found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Score {
    Figures(Report),
    /// It calls it spam, or not, and says no figure.
    Word {
        is_spam: bool,
    },
    NoVerdict(String),
}

impl Outcome {
    /// A refusal, a quarantine or a field `X-Virus-Status: Infected…` is a find once it saw some of the content. It is clean
    /// only where it was shown all of it and let it pass.
    pub fn infection(&self) -> Infection {
        if self.saw == Saw::Envelope {
            return Infection::NotLooked("it decided before it saw the content".to_owned());
        }
        let named = |text: &str, otherwise: &str| {
            let text = text.trim();
            Infection::Found(if text.is_empty() { otherwise } else { text }.to_owned())
        };
        if let Verdict::TempFail(text) = &self.verdict {
            return Infection::NoVerdict(format!("it says later: {text}"));
        }
        if let Some(name) = self.fields.iter().find_map(|(name, value)| infected(name, value)) {
            return named(name, "infected");
        }
        match (&self.verdict, &self.quarantine) {
            (_, Some(reason)) => named(reason, "quarantined"),
            (Verdict::Reject(text), None) => named(text, "refused"),
            (Verdict::Discard, None) => named("", "discarded"),
            (Verdict::Accept, None) if self.saw == Saw::Whole => Infection::Clean,
            (Verdict::Accept | Verdict::TempFail(_), None) => {
                Infection::NotLooked("it did not look at all of it".to_owned())
            }
        }
    }

    /// Figures of `X-Spam-Status` (`Yes, score=7.5 required=5.0 tests=A,B`) or `X-Spam-Score`; else its word, in
    /// `X-Spam-Flag`, `X-Spam` or what it wants done.
    pub fn score(&self) -> Score {
        if let Verdict::TempFail(text) = &self.verdict {
            return Score::NoVerdict(format!("it says later: {text}"));
        }
        if self.saw == Saw::Envelope {
            return Score::NoVerdict("it decided before it saw the content".to_owned());
        }
        let mut report = Report::default();
        let mut score = None;
        for (name, value) in &self.fields {
            match name.to_ascii_lowercase().as_str() {
                "x-spam-status" => score = status(value, &mut report).or(score),
                "x-spam-score" => score = score.or(figure(value.trim()).ok().map(|(_, score)| score)),
                "x-spam-flag" | "x-spam" => report.is_spam = word(value).or(report.is_spam),
                _ => {}
            }
        }
        if self.verdict != Verdict::Accept || self.quarantine.is_some() {
            report.is_spam = Some(true);
        }
        match (score, report.is_spam) {
            (Some(score), _) => Score::Figures(Report { score, ..report }),
            (None, is_spam) => Score::Word { is_spam: is_spam.unwrap_or_default() },
        }
    }
}

/// The name in `Infected (Eicar)`, `INFECTED: Eicar`; empty where there is none.
fn infected<'a>(name: &str, value: &'a str) -> Option<&'a str> {
    if !name.to_ascii_lowercase().starts_with("x-virus") {
        return None;
    }
    let (rest, _) = tag_no_case::<_, _, nom::error::Error<&str>>("infected")(value.trim_start()).ok()?;
    let rest = rest.trim_start_matches([':', ' ', ',']);
    Some(rest.strip_prefix('(').and_then(|rest| rest.split(')').next()).unwrap_or(rest))
}

fn word(value: &str) -> Option<bool> {
    let word = value.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    match word.to_ascii_lowercase().as_str() {
        "yes" | "true" | "spam" => Some(true),
        "no" | "false" | "ham" => Some(false),
        _ => None,
    }
}

/// Notes what a status says and gives its score.
fn status(value: &str, report: &mut Report) -> Option<i64> {
    fn behind<'a>(name: &str, value: &'a str) -> Option<&'a str> {
        let after: IResult<&str, &str> =
            preceded((take_until(name), tag_no_case(name)), nom::combinator::rest).parse(value);
        after.ok().map(|(_, rest)| rest)
    }
    report.is_spam = word(value).or(report.is_spam);
    report.threshold = behind("required=", value).and_then(|rest| figure(rest).ok()).map(|(_, threshold)| threshold);
    if let Some(tests) = behind("tests=", value) {
        let name = take_till1::<_, &str, nom::error::Error<&str>>(|c: char| c == ',' || c.is_whitespace());
        let mut names = nom::multi::separated_list1((char(','), nom::character::complete::space0), name);
        let names: Vec<&str> = names.parse(tests).map(|(_, names)| names).unwrap_or_default();
        names.into_iter().filter(|name| *name != "none").for_each(|name| report.rule(name, 0));
    }
    behind("score=", value).and_then(|rest| figure(rest).ok()).map(|(_, score)| score)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(verdict: Verdict, saw: Saw, quarantine: &str, fields: &[(&str, &str)]) -> Outcome {
        let fields = fields.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let quarantine = (!quarantine.is_empty()).then(|| quarantine.to_owned());
        Outcome { verdict, saw, quarantine, fields }
    }

    #[test]
    fn viruses() {
        let reject = |text: &str| Verdict::Reject(text.into());
        let found = |name: &str| Infection::Found(name.into());
        for (outcome, expected) in [
            (outcome(Verdict::Accept, Saw::Whole, "", &[("X-Virus-Status", "Clean")]), Infection::Clean),
            (outcome(Verdict::Accept, Saw::Whole, "", &[]), Infection::Clean),
            (outcome(Verdict::Accept, Saw::Whole, "", &[("X-Virus-Status", "Infected (Eicar)")]), found("Eicar")),
            (outcome(Verdict::Accept, Saw::Whole, "", &[("x-virus-status", " INFECTED: Eicar")]), found("Eicar")),
            (outcome(Verdict::Accept, Saw::Whole, "", &[("X-Virus-Status", "Infected")]), found("infected")),
            (outcome(Verdict::Accept, Saw::Whole, "Eicar found", &[]), found("Eicar found")),
            (outcome(reject("5.7.1 Eicar"), Saw::Part, "", &[]), found("5.7.1 Eicar")),
            (outcome(reject(" "), Saw::Whole, "", &[]), found("refused")),
            (outcome(Verdict::Discard, Saw::Whole, "", &[]), found("discarded")),
        ] {
            assert_eq!(outcome.infection(), expected, "{outcome:?}");
        }
        for outcome in [
            outcome(Verdict::Accept, Saw::Part, "", &[]),
            outcome(Verdict::Accept, Saw::Envelope, "", &[]),
            outcome(reject("go away"), Saw::Envelope, "", &[]),
        ] {
            assert!(matches!(outcome.infection(), Infection::NotLooked(_)), "{outcome:?}");
        }
        let later = outcome(Verdict::TempFail("busy".into()), Saw::Whole, "", &[("X-Virus-Status", "Clean")]);
        assert!(matches!(later.infection(), Infection::NoVerdict(_)), "{later:?}");
    }

    #[test]
    fn scores() {
        let figures = |is_spam, score, threshold, rules: &[&str]| {
            let rules = rules.iter().map(|rule| (rule.to_string(), 0)).collect();
            Score::Figures(Report { is_spam, score, threshold, rules })
        };
        let accept = |fields: &[(&str, &str)]| outcome(Verdict::Accept, Saw::Whole, "", fields);
        let long = "Yes, score=7.5 required=5.0 tests=GTUBE, HTML_MESSAGE autolearn=no version=4.0";
        for (outcome, expected) in [
            (accept(&[("X-Spam-Status", long)]), figures(Some(true), 7_500, Some(5_000), &["GTUBE", "HTML_MESSAGE"])),
            (
                accept(&[("X-Spam-Status", "No, score=-0.1 required=5.0 tests=none")]),
                figures(Some(false), -100, Some(5_000), &[]),
            ),
            (accept(&[("X-Spam-Score", "3.2 / 15")]), figures(None, 3_200, None, &[])),
            (accept(&[("X-Spam-Flag", "YES"), ("X-Spam-Score", "9")]), figures(Some(true), 9_000, None, &[])),
            (accept(&[("X-Spam", "Yes")]), Score::Word { is_spam: true }),
            (accept(&[("X-Spam-Score", "high")]), Score::Word { is_spam: false }),
            (accept(&[]), Score::Word { is_spam: false }),
            (outcome(Verdict::Reject("5.7.1 Spam".into()), Saw::Whole, "", &[]), Score::Word { is_spam: true }),
            (outcome(Verdict::Accept, Saw::Whole, "spam", &[("X-Spam-Flag", "NO")]), Score::Word { is_spam: true }),
        ] {
            assert_eq!(outcome.score(), expected, "{outcome:?}");
        }
        for outcome in [
            outcome(Verdict::TempFail("busy".into()), Saw::Whole, "", &[]),
            outcome(Verdict::Reject("unknown".into()), Saw::Envelope, "", &[]),
        ] {
            assert!(matches!(outcome.score(), Score::NoVerdict(_)), "{outcome:?}");
        }
    }
}
