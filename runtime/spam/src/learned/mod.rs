//! The learned pass: what the words and traits of a message meant in mail that managers taught (guide 4, second pass).
//!
//! State is nothing but counts: how many messages of either kind were taught, and in how many of them each token was. So
//! teaching adds and forgetting subtracts, in any order, and leaves no trace.
//!
//! Each token speaks by its log odds after Robinson ("A Statistical Approach to the Spam Problem", 2003): rates in spam and in
//! other mail, so that it does not matter how much of either was taught, drawn to nothing where few messages had the token.
//! Words are compared with the messages of their language alone. Tokens that hardly tell the classes apart are left out. The
//! sum is divided by a power of the number of tokens, because words that stand together say much of the same: a long message
//! must not be surer than its words.

mod logarithm;
mod table;
#[cfg(test)]
mod tests;

pub use table::Table;

use crate::tokens::{Kind, Said};
use crate::{Contribution, PassScore, shown};
use logarithm::ln;

/// Under this, where counts of tokens are kept, stands how many messages were taught. No token of a message is 0.
pub const MESSAGES: u64 = 0;
/// With fewer messages of either kind the pass says nothing.
pub const TAUGHT_MIN: u32 = 20;
/// Messages that one token must outweigh before it is believed. Small, as in bogofilter: what was in one message alone is
/// mostly a name, and names come back.
const STRENGTH: f64 = 0.05;
/// Messages of each kind that are supposed to have had a token as often as all together. It matters where few messages of a
/// language, or of one kind, were taught.
const POOLED: f64 = 2.0;
/// Log odds that a token must have to be heard: seven times as often in one kind as in the other.
const HEARD_MIN: f64 = 1.95;
/// Traits of the build come in groups that say one thing, and two words beside each other were heard one by one.
const REPEATED_WEIGHT: f64 = 0.5;
/// Tokens that say nothing, as if each message had them: a few words are no proof.
const SILENT: f64 = 20.0;
/// Thousandths for a nat.
const SCALE: f64 = 1_000.0;
/// The pass may outweigh what the form says, and not by any amount.
pub const SCORE_MAX: i64 = 12_000;
/// Words named in an explanation.
const NAMED_MAX: usize = 20;

/// In how many taught messages of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub spam: u32,
    pub ham: u32,
}

/// What was taught.
pub trait Counts {
    /// All messages.
    fn messages(&self) -> Count;
    /// Those with this token.
    fn of(&self, token: u64) -> Count;
}

/// Judges by the tokens of [`crate::tokens::tokens`].
pub fn score(tokens: &[u64], counts: &impl Counts) -> PassScore {
    let Some(judge) = Judge::of(tokens.iter().copied(), counts) else { return nothing_taught() };
    let (mut sum, mut heard) = (0.0, 0usize);
    for token in tokens {
        let odds = judge.odds(*token);
        sum += odds;
        heard += usize::from(odds != 0.0);
    }
    let about = format!("{heard} of {} tokens known to tell", tokens.len());
    PassScore::of(vec![Contribution { rule: "learned", thousandths: thousandths(sum, heard), about }])
}

/// The same score with the words that moved it most.
pub fn explain(said: &[Said], counts: &impl Counts) -> PassScore {
    let Some(judge) = Judge::of(said.iter().map(|each| each.token), counts) else { return nothing_taught() };
    let heard: Vec<(f64, &Said)> =
        said.iter().map(|each| (judge.odds(each.token), each)).filter(|(odds, _)| *odds != 0.0).collect();
    let total = thousandths(heard.iter().map(|(odds, _)| odds).sum(), heard.len());
    let mut named = heard.clone();
    named.sort_by(|one, other| other.0.abs().total_cmp(&one.0.abs()).then(one.1.token.cmp(&other.1.token)));
    named.truncate(NAMED_MAX);
    let mut contributions: Vec<Contribution> = named
        .into_iter()
        .map(|(odds, each)| {
            let count = judge.counts.of(each.token);
            Contribution {
                rule: each.kind.name(),
                thousandths: thousandths(odds, heard.len()),
                about: format!("{} (in {} spam, {} other)", shown(&each.words), count.spam, count.ham),
            }
        })
        .collect();
    // What is left makes the sum right, the bound of the score included.
    let rest = total - contributions.iter().map(|each| each.thousandths).sum::<i64>();
    let others = heard.len().saturating_sub(contributions.len());
    contributions.push(Contribution { rule: "learned", thousandths: rest, about: format!("{others} other tokens") });
    PassScore::of(contributions)
}

fn nothing_taught() -> PassScore {
    PassScore::of(vec![Contribution { rule: "learned", thousandths: 0, about: "nothing was taught yet".into() }])
}

/// Counts, with what the tokens of one message are compared to.
struct Judge<'a, C> {
    counts: &'a C,
    messages: Count,
    /// Messages of the same language.
    language: Count,
}

impl<'a, C: Counts> Judge<'a, C> {
    fn of(mut tokens: impl Iterator<Item = u64>, counts: &'a C) -> Option<Judge<'a, C>> {
        let messages = counts.messages();
        if messages.spam < TAUGHT_MIN || messages.ham < TAUGHT_MIN {
            return None;
        }
        let language = tokens.find(|token| Kind::Language.has(*token)).map(|token| counts.of(token));
        Some(Judge { counts, messages, language: language.unwrap_or_default() })
    }

    /// Log odds for other mail, below 0 for spam; 0 where a token is not heard.
    fn odds(&self, token: u64) -> f64 {
        let count = self.counts.of(token);
        if count.spam == 0 && count.ham == 0 {
            return 0.0;
        }
        let odds = log_odds(count, if Kind::is_language(token) { self.language } else { self.messages });
        if odds.abs() < HEARD_MIN {
            0.0
        } else if Kind::repeats(token) {
            odds * REPEATED_WEIGHT
        } else {
            odds
        }
    }
}

fn log_odds(count: Count, of: Count) -> f64 {
    let (spam, ham) = (f64::from(count.spam), f64::from(count.ham));
    // Counts taken over from elsewhere may not fit together.
    let (all_spam, all_ham) = (f64::from(of.spam).max(spam), f64::from(of.ham).max(ham));
    let pooled = POOLED * (spam + ham) / (all_spam + all_ham);
    let in_spam = (spam + pooled) / (all_spam + POOLED);
    let in_ham = (ham + pooled) / (all_ham + POOLED);
    let seen = (spam + ham) / (in_spam + in_ham);
    let doubt = STRENGTH / 2.0;
    ln((doubt + seen * in_ham) / (doubt + seen * in_spam))
}

/// The sum of log odds of so many tokens as a score, rounded to the nearest.
fn thousandths(sum: f64, heard: usize) -> i64 {
    // x^(3/4) of roots alone: these are exact to the last bit on every machine, powers are not.
    let root = (heard as f64 + SILENT).sqrt();
    let score = SCALE * sum / (root * root.sqrt());
    (score.round() as i64).clamp(-SCORE_MAX, SCORE_MAX)
}
