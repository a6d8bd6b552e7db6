//! What is said of messages that were found: `* SEARCH`, `* SORT`, `* ESEARCH` (RFC 9051 7.3.4, RFC 5256 4, RFC 4731 3, RFC 5267 3,
//! RFC 9394 3).

use std::ops::Range;

use super::view::View;
use crate::imap::command::{Returns, Tag, Window};
use crate::imap::response::{Out, set};

/// Messages in the order of the answer, by their indexes in the view.
pub struct Answering<'a> {
    pub view: &'a View,
    pub found: &'a [usize],
    pub by_uid: bool,
    /// The highest MODSEQ of what is told is told too (RFC 7162 3.1.5).
    pub mod_seq: bool,
}

/// The messages that these result options speak of: all of them, or only the first, the last, those of the window.
fn spoken_of(returns: Returns, found: &[usize]) -> Vec<usize> {
    let some = returns.min || returns.max || returns.partial.is_some();
    if returns.all || returns.count || !some {
        return found.to_vec();
    }
    let first = found.first().filter(|_| returns.min);
    let last = found.last().filter(|_| returns.max);
    let window = returns.partial.map_or(&[][..], |window| &found[window.places(found.len())]);
    first.into_iter().chain(last).chain(window).copied().collect()
}

/// What `$` is from now on (RFC 5182 2.4, RFC 9394 3.2).
pub fn saved(returns: Returns, view: &View, found: &[usize]) -> Vec<u32> {
    let places = spoken_of(returns, found).into_iter();
    let mut uids: Vec<u32> = places.filter_map(|index| view.rows().get(index)).map(|row| row.uid).collect();
    uids.sort_unstable();
    uids.dedup();
    uids
}

/// Of the messages in these ranges, which ascend, those in the window; the ones that are gone do not count (RFC 9394 3.3).
pub fn part_of(view: &View, ranges: Vec<Range<usize>>, window: Window) -> Vec<Range<usize>> {
    let there: Vec<usize> = ranges
        .into_iter()
        .flat_map(|range| view.rows().runs(range))
        .flat_map(|run| run.entries().filter(|(_, _, row)| !view.is_gone(row.uid)).map(|(index, _, _)| index))
        .collect();
    let mut parts: Vec<Range<usize>> = Vec::new();
    for index in &there[window.places(there.len())] {
        match parts.last_mut() {
            Some(last) if last.end == *index => last.end += 1,
            _ => parts.push(*index..index + 1),
        }
    }
    parts
}

impl Answering<'_> {
    fn number(&self, index: usize) -> u32 {
        match self.by_uid {
            true => self.view.rows().get(index).map_or(0, |row| row.uid),
            false => u32::try_from(index + 1).unwrap_or(u32::MAX),
        }
    }

    fn numbers(&self, found: &[usize]) -> Vec<u32> {
        found.iter().map(|index| self.number(*index)).collect()
    }

    fn highest_mod_seq(&self, found: &[usize]) -> Option<u64> {
        let rows = found.iter().filter_map(|index| self.view.rows().get(*index));
        rows.map(|row| row.mod_seq).max().filter(|_| self.mod_seq)
    }

    /// `* SEARCH 2 84 882`, with `(MODSEQ 917162500)` behind them.
    pub fn plain(&self, word: &str, out: &mut Out) {
        out.text("* ");
        out.text(word);
        for index in self.found {
            out.text(" ");
            out.number(self.number(*index));
        }
        if let Some(mod_seq) = self.highest_mod_seq(self.found) {
            out.text(&format!(" (MODSEQ {mod_seq})"));
        }
        out.end_line();
    }

    /// `esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)`. MIN, MAX and ALL say nothing when
    /// nothing was found; with SAVE alone nothing is answered at all (RFC 5182 2.1).
    pub fn esearch(&self, tag: &Tag, returns: Returns, out: &mut Out) {
        let tells = returns.min || returns.max || returns.all || returns.count || returns.partial.is_some();
        if returns.save && !tells {
            return;
        }
        out.text("* ESEARCH (TAG ");
        out.string(tag.as_str().as_bytes());
        out.text(")");
        if self.by_uid {
            out.text(" UID");
        }
        self.return_data(returns, out);
        out.end_line();
    }

    /// `*(SP search-return-data)`
    pub fn return_data(&self, returns: Returns, out: &mut Out) {
        if let (Some(first), Some(last)) = (self.found.first(), self.found.last()) {
            if returns.min {
                out.text(&format!(" MIN {}", self.number(*first)));
            }
            if returns.max {
                out.text(&format!(" MAX {}", self.number(*last)));
            }
            if returns.all {
                out.text(" ALL ");
                out.text(&set(&self.numbers(self.found)));
            }
        }
        if returns.count {
            out.text(&format!(" COUNT {}", self.found.len()));
        }
        if let Some(window) = returns.partial {
            let numbers = set(&self.numbers(&self.found[window.places(self.found.len())]));
            let numbers = if numbers.is_empty() { "NIL" } else { &numbers };
            out.text(&format!(" PARTIAL ({window} {numbers})"));
        }
        if let Some(mod_seq) = self.highest_mod_seq(&spoken_of(returns, self.found)) {
            out.text(&format!(" MODSEQ {mod_seq}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::imap::session::tests::Client;

    #[test]
    fn a_fetch_tells_a_window_of_its_messages() {
        let mut client = Client::with_inbox(&["Subject: a\n\nx\n"; 6]);
        let mut check = |command: &str, numbers: &[u32]| {
            let lines = numbers.iter().map(|n| format!("* {n} FETCH (UID {n})\n")).collect::<String>();
            client.check(&format!("a {command}"), &format!("{lines}a OK FETCH done\n"));
        };
        check("UID FETCH 1:* (UID) (PARTIAL 1:2)", &[1, 2]);
        check("UID FETCH 2:3,5:* (UID) (PARTIAL -1:-3)", &[3, 5, 6]);
        check("UID FETCH 2:3,5:* (UID) (PARTIAL 3:9)", &[5, 6]);
        check("FETCH 1:3 UID (PARTIAL 4:5)", &[]);
        client.check("a FETCH 1 UID (PARTIAL 0:1)", "a BAD FETCH does not take that\n");
        client.check("a FETCH 1 UID (PARTIAL 1:-1)", "a BAD FETCH does not take that\n");
    }
}
