//! The learned pass on real mail, with the form pass beside it: taught one half, it finds the spam of the other and leaves the
//! rest alone. `tests/bench/spam` says it exactly, by source, and beside other filters.

use std::fs;
use std::path::{Path, PathBuf};

use spam::form::{self, Facts};
use spam::learned::{self, Table};
use spam::tokens::tokens;
use spam::view::View;
use tests::corpus;
use tests::scratch::Scratch;
use tests::skip::{Missing, skip};

/// One message of so many is looked at: the whole corpus takes a minute without optimisation.
const EVERY: usize = 3;
/// In 200, of the spam that must be found where 1 in 200 of the ham may be lost.
const FOUND_MIN: usize = 170;

struct Judged {
    is_spam: bool,
    is_taught: bool,
    form: i64,
    tokens: Vec<u64>,
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).expect("the archive was unpacked");
    for path in entries.map(|entry| entry.expect("the folder can be read").path()) {
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Every third message of an archive, by turns to teach and to judge.
fn read(archive: &str, is_spam: bool, into: &mut Vec<Judged>) {
    let scratch = Scratch::new("learned");
    let mut found = Vec::new();
    files(&corpus::unpack(archive, &scratch), &mut found);
    found.sort();
    for (number, path) in found.iter().step_by(EVERY).enumerate() {
        let octets = fs::read(path).expect("it was unpacked");
        let view = View::read(&octets);
        let form = form::score(&view, &Facts::default()).thousandths;
        into.push(Judged { is_spam, is_taught: number % 2 == 0, form, tokens: tokens(&view) });
    }
}

#[test]
fn what_was_taught_finds_spam_and_leaves_other_mail_alone() {
    if corpus::folder().is_none() {
        return skip("what_was_taught_finds_spam_and_leaves_other_mail_alone", Missing::Corpus);
    }
    let mut messages = Vec::new();
    read("spam-train/ham.tar.zst", false, &mut messages);
    read("spam-train/spam.tar.zst", true, &mut messages);
    let mut table = Table::default();
    for message in messages.iter().filter(|message| message.is_taught) {
        table.add(&message.tokens, i32::from(message.is_spam), i32::from(!message.is_spam));
    }
    let scores = |spam: bool| -> Vec<i64> {
        let of = messages.iter().filter(|message| !message.is_taught && message.is_spam == spam);
        let mut scores: Vec<i64> =
            of.map(|message| message.form + learned::score(&message.tokens, &table).thousandths).collect();
        scores.sort_unstable();
        scores
    };
    let (ham, spam) = (scores(false), scores(true));
    assert!(ham.len() > 500 && spam.len() > 200, "{} and {}", ham.len(), spam.len());
    let below = |scores: &[i64], limit: i64| scores.partition_point(|score| *score < limit);
    let limit = ham[ham.len() / 200];
    let found = below(&spam, limit);
    assert!(found * 200 >= spam.len() * FOUND_MIN, "{found} of {} below {limit}", spam.len());
    assert!(below(&ham, 0) * 100 <= ham.len(), "{} of {} lost", below(&ham, 0), ham.len());
    assert!(below(&spam, 0) * 4 >= spam.len() * 3, "{} of {} found", below(&spam, 0), spam.len());
}
