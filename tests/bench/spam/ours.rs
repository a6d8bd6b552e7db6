//! Our passes on the same folds.

use mail::date::DateTime;
use spam::form::{self, Facts, Reported};
use spam::learned::{self, Table};
use spam::tokens;
use spam::view::View;

use crate::corpus::{Corpus, FOLDS, Message};
use crate::judge::Scores;

/// Who the French messages were sent to, as their own servers say.
const OWN: [&str; 2] = ["univ-loire.example", "labo-meca.example"];

pub struct Ours {
    pub form: Scores,
    pub learned: Scores,
    pub sum: Scores,
    /// Processor time of one message for both passes, reading included, in seconds.
    pub seconds: f64,
    /// Octets of the largest model, and its tokens.
    pub memory: usize,
    pub tokens: usize,
}

/// Nanoseconds this thread was on a processor.
fn on_processor() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("the kernel counts");
    stat.split(' ').next().and_then(|number| number.parse().ok()).expect("the kernel counts in numbers")
}

pub fn judge(corpus: &Corpus) -> Ours {
    let tokens: Vec<Vec<u64>> =
        corpus.messages.iter().map(|message| tokens::tokens(&View::read(&message.octets))).collect();
    let models: Vec<Table> = (0..FOLDS).map(|fold| taught(corpus, &tokens, fold)).collect();
    let started = on_processor();
    let (mut form, mut learned) = (Vec::new(), Vec::new());
    for message in &corpus.messages {
        let view = View::read(&message.octets);
        form.push(of_form(message, &view) as f64);
        let tokens = tokens::tokens(&view);
        learned.push(learned::score(&tokens, &models[message.fold]).thousandths as f64);
    }
    let seconds = (on_processor() - started) as f64 / 1e9 / corpus.messages.len() as f64;
    let sum = form.iter().zip(&learned).map(|(form, learned)| form + learned).collect();
    let largest = models.iter().max_by_key(|model| model.octets()).expect("there are folds");
    Ours { form, learned, sum, seconds, memory: largest.octets(), tokens: largest.len() }
}

/// What all other folds teach.
fn taught(corpus: &Corpus, tokens: &[Vec<u64>], fold: usize) -> Table {
    let mut table = Table::default();
    for (message, tokens) in corpus.messages.iter().zip(tokens).filter(|(message, _)| message.fold != fold) {
        table.add(tokens, i32::from(message.spam), i32::from(!message.spam));
    }
    table
}

/// With the facts that the message carries: who handed it over and what their checks said.
fn of_form(message: &Message, view: &View<'_>) -> i64 {
    let reported = Reported::read(view, |host| OWN.iter().any(|own| host.ends_with(own)));
    let signed = reported.as_ref().map(Reported::signed).unwrap_or_default();
    let reverse_path = view.field("Return-Path").map(|field| field.text());
    let facts = Facts {
        now: received(view),
        reverse_path: reverse_path.as_deref().map(|path| path.trim_matches(['<', '>', ' '])),
        authentication: reported.as_ref().map(|it| it.authentication(&signed)),
        own_domains: if message.french { &OWN } else { &[] },
        ..Facts::default()
    };
    form::score(view, &facts).thousandths
}

fn received(view: &View<'_>) -> Option<i64> {
    let value = view.field("Received")?.text();
    DateTime::parse_rfc5322(value.rsplit_once(';')?.1.as_bytes()).map(|date| date.unix_seconds)
}
