//! Measures the spam filter on labelled mail, beside SpamAssassin and bogofilter: `cargo bench -p tests --bench spam`.
//! `tests/bench/README.md` says what the figures are. It prints them and judges none.

mod corpus;
mod judge;
mod peers;
mod report;

use corpus::Corpus;
use report::Contestant;

const USAGE: &str = "cargo bench -p tests --bench spam -- [--without-peers]
  judges labelled mail in five folds: what is taught on four is asked about the fifth";

fn main() {
    // Cargo adds `--bench` to what it is given.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if words.iter().any(|word| word != "--without-peers") {
        return println!("{USAGE}");
    }
    let Some(corpus) = Corpus::read() else {
        return println!("no corpus here (FACTEUR_CORPUS)");
    };
    let mut contestants = Vec::new();
    if words.is_empty() {
        for peer in peers::PEERS {
            match peer.say(&corpus) {
                Some(said) => contestants.push(Contestant::new(peer.name, said.scores, said.seconds, said.memory)),
                None => println!("{}: not here (tests/packages/spam)", peer.name),
            }
        }
    }
    report::print(&corpus, &contestants);
}
