//! What is shown of all that was found: a bounded number of findings for each file, in words of bounded length. A policy
//! may be hostile; what is said about it fits a screen all the same.

use std::collections::BTreeMap;

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, FileId, Level, Sources};
use crate::syntax::{ERRORS_MAX, Span};

/// Longer words are cut: the longest thing a real policy names is an address or a path.
const WORD_CHARS_MAX: usize = 80;
/// Longer messages, helps and notes are cut.
const TEXT_CHARS_MAX: usize = 1_000;
/// A dotted policy path is for programs, so it is kept whole up to here.
const RULE_CHARS_MAX: usize = 1_000;
/// Lines under one finding.
const NOTES_MAX: usize = 40;

/// Findings in the order of files and places, at most `ERRORS_MAX` for each file, then one note that says how many more
/// there are. Broken promises are kept before other errors, and errors before lints.
pub(crate) fn bounded(mut found: Vec<Diagnostic>, sources: &Sources) -> Vec<Diagnostic> {
    found.sort_by_key(|one| (file(one), rank(one), one.place()));
    let mut kept: Vec<Diagnostic> = Vec::new();
    let mut left_out: BTreeMap<FileId, LeftOut> = BTreeMap::new();
    let mut count = (FileId(0), 0);
    for one in found {
        let file = file(&one);
        count = if count.0 == file { (file, count.1 + 1) } else { (file, 1) };
        if count.1 <= ERRORS_MAX {
            kept.push(cut(one));
            continue;
        }
        let place = one.place();
        let more = left_out.entry(file).or_insert(LeftOut { code: one.code, place, errors: 0, others: 0 });
        match one.level {
            Level::Error => more.errors += 1,
            Level::Lint | Level::Note => more.others += 1,
        }
    }
    kept.sort_by_key(|one| (file(one), one.place()));
    for (file_id, more) in left_out {
        let end = kept.partition_point(|one| file(one) <= file_id);
        kept.insert(end, more.note(sources.name(file_id)));
    }
    kept
}

/// What is not shown of one file.
struct LeftOut {
    code: Code,
    /// The first of them.
    place: Option<Span>,
    errors: usize,
    others: usize,
}

impl LeftOut {
    fn note(&self, name: &str) -> Diagnostic {
        let errors = match self.errors {
            1 => "1 more error".to_owned(),
            errors => format!("{errors} more errors"),
        };
        let what = match (self.errors, self.others) {
            (_, 0) => errors,
            (0, others) => format!("{others} more lints"),
            (_, others) => format!("{errors} and {others} more lints"),
        };
        let message = cut_text(&format!("and {what} in {name}"), TEXT_CHARS_MAX);
        let note = Diagnostic::new(self.code, message).as_note().help("mend these first, then look again");
        match self.place {
            Some(place) => note.at(place, "the first of them"),
            None => note,
        }
    }
}

fn file(one: &Diagnostic) -> FileId {
    one.place().map_or(FileId(0), |span| span.file)
}

fn rank(one: &Diagnostic) -> u8 {
    match one.level {
        Level::Error if matches!(one.code, Code::E0501 | Code::E0901 | Code::E0902) => 0,
        Level::Error => 1,
        Level::Lint | Level::Note => 2,
    }
}

fn cut(mut one: Diagnostic) -> Diagnostic {
    let words = |text: &str| cut_text(text, TEXT_CHARS_MAX);
    one.message = words(&one.message);
    one.help = one.help.as_deref().map(words);
    one.rule = one.rule.map(|rule| first_chars(&rule, RULE_CHARS_MAX));
    if one.notes.len() > NOTES_MAX {
        let more = one.notes.len() - NOTES_MAX;
        one.notes.truncate(NOTES_MAX);
        one.notes.push(format!("and {more} more"));
    }
    one.notes.iter_mut().for_each(|note| *note = words(note));
    one.labels.iter_mut().for_each(|label| label.text = words(&label.text));
    one
}

/// The text with words cut to `WORD_CHARS_MAX`, and itself to `chars_max`.
fn cut_text(text: &str, chars_max: usize) -> String {
    if text.len() <= WORD_CHARS_MAX {
        return text.to_owned();
    }
    // Quotes and commas after a long word are kept, so that the sentence still reads.
    let words = text.split_inclusive(' ').map(|word| match word.char_indices().nth(WORD_CHARS_MAX) {
        None => word.to_owned(),
        Some((at, _)) => {
            let end = word.trim_end_matches(['"', '`', ',', ';', ':', ')', ' ']).len().max(at);
            format!("{}…{}", &word[..at], first_chars(&word[end..], 4))
        }
    });
    let mut cut = String::new();
    for word in words {
        cut += &word;
        if cut.len() > 4 * chars_max {
            break;
        }
    }
    first_chars(&cut, chars_max)
}

/// The first characters, with a mark where more followed.
pub(crate) fn first_chars(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_are_cut_and_the_sentence_goes_on() {
        let text = format!("unknown network \"{}\", alas", "x".repeat(10_000));
        assert_eq!(cut_text(&text, 1_000), format!("unknown network \"{}…\", alas", "x".repeat(79)));
        assert_eq!(cut_text("short", 1_000), "short");
        assert_eq!(cut_text(&"é ".repeat(5_000), 1_000).chars().count(), 1_001);
    }

    #[test]
    fn broken_promises_are_kept_before_errors_and_errors_before_lints() {
        let mut sources = Sources::new();
        let file = sources.add("p.ron", "x".repeat(300));
        let at = |code, start: u32| Diagnostic::new(code, "m").at(Span::new(file, start, start + 1), "");
        let mut found: Vec<Diagnostic> = (0..60).map(|start| at(Code::L0117, start)).collect();
        found.extend((60..120).map(|start| at(Code::E0101, start)));
        found.push(at(Code::E0501, 200));
        let kept = bounded(found, &sources);
        assert_eq!(kept.len(), ERRORS_MAX + 1);
        assert_eq!(kept.iter().filter(|one| one.code == Code::E0501).count(), 1);
        assert_eq!(kept.iter().filter(|one| one.code == Code::E0101 && one.is_error()).count(), ERRORS_MAX - 1);
        let last = kept.last().expect("a note");
        assert_eq!(last.message, "and 11 more errors and 60 more lints in p.ron");
        assert!(!last.is_error());
    }
}
