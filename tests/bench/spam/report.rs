//! The tables.

use crate::corpus::{Corpus, Message};
use crate::judge::{self, LOSS, Part, Scores};

/// Who scored all messages.
pub struct Contestant {
    name: String,
    scores: Scores,
    /// The score below which [`LOSS`] of the mixed ham is lost.
    limit: f64,
    seconds: f64,
    memory: u64,
}

impl Contestant {
    /// `seconds` of processor time each message, `memory` in octets.
    pub fn new(name: &str, corpus: &Corpus, scores: Scores, seconds: f64, memory: u64) -> Contestant {
        Contestant { name: name.into(), limit: judge::limit(corpus, &scores, LOSS, mixed), scores, seconds, memory }
    }

    /// The same where somebody else was asked, too.
    pub fn where_asked(&self, other: &[f64], corpus: &Corpus) -> Contestant {
        let scores = self.scores.iter().zip(other).map(|(own, other)| if other.is_nan() { f64::NAN } else { *own });
        Contestant::new(&format!("{} there", self.name), corpus, scores.collect(), self.seconds, self.memory)
    }
}

fn mixed(message: &Message) -> bool {
    !message.french
}

fn french(message: &Message) -> bool {
    message.french
}

/// List mail and easy ham: what must hardly ever be lost.
fn easy(message: &Message) -> bool {
    mixed(message) && (message.source.starts_with("list-") || message.source.starts_with("sa-easy-"))
}

pub fn print(corpus: &Corpus, contestants: &[Contestant]) {
    totals(corpus, contestants);
    for contestant in contestants {
        sources(corpus, contestant);
    }
}

fn totals(corpus: &Corpus, contestants: &[Contestant]) {
    println!(
        "All: spam found where this part of the ham is lost; then at each one's own limit (0) ham lost and spam found."
    );
    println!(
        "{:<22}{:>8}{:>8}{:>8}{:>8} |{:>8}{:>8}{:>8} |{:>9}{:>9}{:>9} |{:>10}{:>9}",
        "", "0.1 %", "0.5 %", "1 %", "limit", "ham", "easy", "spam", "fr ham", "fr spam", "fr 0.5 %", "us each", "MiB"
    );
    for it in contestants {
        let at = |loss: f64| {
            let limit = judge::limit(corpus, &it.scores, loss, mixed);
            judge::called(corpus, &it.scores, limit, true, mixed).percent()
        };
        let own = |spam: bool, judged: fn(&Message) -> bool| judge::called(corpus, &it.scores, 0.0, spam, judged);
        println!(
            "{:<22}{:>8.2}{:>8.2}{:>8.2}{:>8.2} |{:>8.2}{:>8.2}{:>8.2} |{:>9}{:>9}{:>9} |{:>10.0}{:>9.1}",
            it.name,
            at(0.001),
            at(LOSS),
            at(0.01),
            it.limit,
            own(false, mixed).percent(),
            own(false, easy).percent(),
            own(true, mixed).percent(),
            short(own(false, french)),
            short(own(true, french)),
            short(judge::called(corpus, &it.scores, it.limit, true, french)),
            it.seconds * 1e6,
            it.memory as f64 / 1_048_576.0,
        );
    }
}

fn short(part: Part) -> String {
    format!("{}/{}", part.count, part.of)
}

fn sources(corpus: &Corpus, contestant: &Contestant) {
    println!("\n{}: called spam, in percent, at its own limit and at 0.5 % of ham lost", contestant.name);
    for ((spam, source), (own, equal)) in judge::by_source(corpus, &contestant.scores, contestant.limit) {
        println!(
            "  {:<5}{:<26}{:>6}{:>9.2}{:>9.2}",
            if spam { "spam" } else { "ham" },
            source,
            own.of,
            own.percent(),
            equal.percent()
        );
    }
}
