//! The learned pass: what the words and traits of a message meant in mail that managers taught (guide 4, second pass).
//!
//! State is nothing but counts: how many messages of either kind were taught, and in how many of them each token was. So
//! teaching adds and forgetting subtracts, in any order, and leaves no trace.
//!
//! Each token speaks by its log odds after Robinson ("A Statistical Approach to the Spam Problem", 2003): rates in spam and in
//! other mail, so that it does not matter how much of either was taught, drawn to nothing where few messages had the token.
//! Words are compared with the messages of their language alone, and links and traits of the build with those of their layout:
//! most spam has HTML and most other mail has none, which each of a hundred traits of HTML would say again, against every
//! honest newsletter. Tokens that hardly tell the classes apart are left out.
//!
//! Tokens that stand together say much of the same, so a long message must not be surer than its words: a sum is divided by a
//! power of the number of its tokens. That is done for each voice apart (what is written, who wrote it, how it is built), for
//! they know little of each other, and many words must not drown the rest.

mod logarithm;
mod table;
#[cfg(test)]
mod tests;

pub use table::Table;

use crate::tokens::{Kind, Said, VOICES};
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
const POOLED: f64 = 0.5;
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
    let Some(judge) = Judge::of(tokens, counts) else { return nothing_taught() };
    let mut heard = Heard::default();
    for token in tokens {
        heard.add(*token, judge.odds(*token));
    }
    let about = format!("{} of {} tokens known to tell", heard.count(), tokens.len());
    PassScore::of(vec![Contribution { rule: "learned", thousandths: heard.score(), about }])
}

/// The same score with the words that moved it most.
pub fn explain(said: &[Said], counts: &impl Counts) -> PassScore {
    let tokens: Vec<u64> = said.iter().map(|each| each.token).collect();
    let Some(judge) = Judge::of(&tokens, counts) else { return nothing_taught() };
    let mut heard = Heard::default();
    let mut named: Vec<(f64, &Said)> = Vec::new();
    for each in said {
        let odds = judge.odds(each.token);
        heard.add(each.token, odds);
        if odds != 0.0 {
            named.push((odds, each));
        }
    }
    let total = heard.score();
    let mut named: Vec<(f64, &Said)> =
        named.into_iter().map(|(odds, each)| (odds * heard.scale(Kind::voice(each.token)), each)).collect();
    named.sort_by(|one, other| other.0.abs().total_cmp(&one.0.abs()).then(one.1.token.cmp(&other.1.token)));
    named.truncate(NAMED_MAX);
    let mut contributions: Vec<Contribution> = named
        .into_iter()
        .map(|(thousandths, each)| {
            let count = judge.counts.of(each.token);
            Contribution {
                rule: each.kind.name(),
                thousandths: thousandths.round() as i64,
                about: format!("{} (in {} spam, {} other)", shown(&each.words), count.spam, count.ham),
            }
        })
        .collect();
    // What is left makes the sum right, the bound of the score included.
    let rest = total - contributions.iter().map(|each| each.thousandths).sum::<i64>();
    let others = heard.count().saturating_sub(contributions.len());
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
    /// Messages of the same layout.
    layout: Count,
}

impl<'a, C: Counts> Judge<'a, C> {
    fn of(tokens: &[u64], counts: &'a C) -> Option<Judge<'a, C>> {
        let messages = counts.messages();
        if messages.spam < TAUGHT_MIN || messages.ham < TAUGHT_MIN {
            return None;
        }
        let of = |kind: Kind| {
            let found = tokens.iter().find(|token| kind.has(**token));
            found.map(|token| counts.of(*token)).unwrap_or_default()
        };
        Some(Judge { counts, messages, language: of(Kind::Language), layout: of(Kind::Layout) })
    }

    /// Log odds for other mail, below 0 for spam; 0 where a token is not heard.
    fn odds(&self, token: u64) -> f64 {
        let count = self.counts.of(token);
        if count.spam == 0 && count.ham == 0 {
            return 0.0;
        }
        let of = if Kind::is_language(token) {
            self.language
        } else if Kind::is_layout(token) {
            self.layout
        } else {
            self.messages
        };
        let odds = heard(log_odds(count, of));
        if Kind::repeats(token) { odds * REPEATED_WEIGHT } else { odds }
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

/// What is heard of log odds.
fn heard(odds: f64) -> f64 {
    let size = odds.abs();
    if size < HEARD_MIN { 0.0 } else { odds.signum() * (size - HEARD_MIN / 2.0) }
}

/// The sum of log odds of each voice, and of how many tokens.
#[derive(Default)]
struct Heard([(f64, usize); VOICES]);

impl Heard {
    fn add(&mut self, token: u64, odds: f64) {
        let (sum, count) = &mut self.0[Kind::voice(token)];
        *sum += odds;
        *count += usize::from(odds != 0.0);
    }

    fn count(&self) -> usize {
        self.0.iter().map(|voice| voice.1).sum()
    }

    /// Thousandths for a nat of this voice.
    fn scale(&self, voice: usize) -> f64 {
        // x^(3/4) of roots alone: these are exact to the last bit on every machine, powers are not.
        let root = (self.0[voice].1 as f64 + SILENT).sqrt();
        SCALE / (root * root.sqrt())
    }

    /// Rounded to the nearest.
    fn score(&self) -> i64 {
        let score: f64 = (0..VOICES).map(|voice| self.0[voice].0 * self.scale(voice)).sum();
        (score.round() as i64).clamp(-SCORE_MAX, SCORE_MAX)
    }
}
