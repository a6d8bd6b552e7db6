//! What scores are worth: ham lost and spam found.

use std::collections::BTreeMap;

use crate::corpus::{Corpus, Message};

/// One score for each message, in the order of the corpus: below 0 is spam, not a number is not asked.
pub type Scores = Vec<f64>;

/// Ham that may be lost where thresholds are compared.
pub const LOSS: f64 = 0.005;

/// How many of how many.
#[derive(Clone, Copy, Default)]
pub struct Part {
    pub count: usize,
    pub of: usize,
}

impl Part {
    fn add(&mut self, counted: bool) {
        self.of += 1;
        self.count += usize::from(counted);
    }

    /// In percent; of nothing, 0.
    pub fn percent(self) -> f64 {
        if self.of == 0 { 0.0 } else { 100.0 * self.count as f64 / self.of as f64 }
    }
}

/// The highest limit that loses at most `loss` of this ham; scores below it are spam.
pub fn limit(corpus: &Corpus, scores: &[f64], loss: f64, judged: impl Fn(&Message) -> bool) -> f64 {
    let mut ham: Vec<f64> = corpus
        .messages
        .iter()
        .zip(scores)
        .filter(|(message, score)| !message.spam && !score.is_nan() && judged(message))
        .map(|(_, score)| *score)
        .collect();
    ham.sort_by(f64::total_cmp);
    let may = (ham.len() as f64 * loss) as usize;
    ham.get(may).copied().unwrap_or(0.0)
}

/// What is called spam below `limit`, of the spam or ham among what is judged.
pub fn called(corpus: &Corpus, scores: &[f64], limit: f64, spam: bool, judged: impl Fn(&Message) -> bool) -> Part {
    let mut part = Part::default();
    for (message, score) in corpus.messages.iter().zip(scores) {
        if message.spam == spam && !score.is_nan() && judged(message) {
            part.add(*score < limit);
        }
    }
    part
}

/// For each source, whether it is spam, what is called spam below 0 and below `limit`.
pub fn by_source(corpus: &Corpus, scores: &[f64], limit: f64) -> BTreeMap<(bool, String), (Part, Part)> {
    let mut sources: BTreeMap<(bool, String), (Part, Part)> = BTreeMap::new();
    for (message, score) in corpus.messages.iter().zip(scores).filter(|(_, score)| !score.is_nan()) {
        let parts = sources.entry((message.spam, message.source.clone())).or_default();
        parts.0.add(*score < 0.0);
        parts.1.add(*score < limit);
    }
    sources
}
