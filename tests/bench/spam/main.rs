//! Measures the spam filter on labelled mail, beside SpamAssassin and bogofilter: `cargo bench -p tests --bench spam`.
//! `tests/bench/README.md` says what the figures are. It prints them and judges none.

mod corpus;
mod judge;
mod ours;
mod peers;
mod report;

use corpus::{Corpus, FOLDS};
use report::Contestant;

const USAGE: &str = "cargo bench -p tests --bench spam -- [--kept | PEER...]
  judges labelled mail in five folds: what is taught on four is asked about the fifth
  --kept  asks no peer anything: what they said before
  PEER    SpamAssassin, bogofilter, SpamAssassin-blind, bogofilter-blind: asks these, if they have not said it before";

fn main() {
    // Cargo adds `--bench` to what it is given.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let is_known = |word: &String| word == "--kept" || peers::PEERS.iter().any(|peer| peer.name == *word);
    if !words.iter().all(is_known) {
        return println!("{USAGE}");
    }
    let Some(corpus) = Corpus::read() else {
        return println!("no corpus here (FACTEUR_CORPUS)");
    };
    let ours = ours::judge(&corpus);
    println!(
        "{} messages; {} tokens in {} octets of memory, {:.1} each",
        corpus.messages.len(),
        ours.tokens,
        ours.memory,
        ours.memory as f64 / ours.tokens as f64
    );
    let mut contestants = vec![
        Contestant::new("form", &corpus, ours.form, ours.seconds, 0),
        Contestant::new("learned", &corpus, ours.learned, ours.seconds, ours.memory as u64),
        Contestant::new("form + learned", &corpus, ours.sum, ours.seconds, ours.memory as u64),
    ];
    for peer in peers::PEERS {
        let may_run = words.is_empty() || words.iter().any(|word| word == peer.name);
        let Some(said) = peer.say(&corpus, may_run) else {
            println!("{}: nothing said (tests/packages/spam)", peer.name);
            continue;
        };
        let folds = peer.folds(&corpus);
        if folds < FOLDS {
            println!("{}: {folds} of {FOLDS} folds; the line behind it is ours on the same", peer.name);
            let same = contestants[2].where_asked(&said.scores, &corpus);
            contestants.push(Contestant::new(peer.name, &corpus, said.scores, said.seconds, said.memory));
            contestants.push(same);
        } else {
            contestants.push(Contestant::new(peer.name, &corpus, said.scores, said.seconds, said.memory));
        }
    }
    report::print(&corpus, &contestants);
}
