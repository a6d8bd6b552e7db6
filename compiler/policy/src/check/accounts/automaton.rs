//! The logins a form can give, as a regular language, and the shortest text two languages share. Small: a form has at
//! most `mail::Login`'s 64 octets, a number at most ten digits.
//!
//! A language here is never smaller than what the login program gives: names are taken as long as one likes, and a name
//! that stands twice in a form may differ. So "they share nothing" is a proof; a text they share is tried on the
//! program before it is shown.

use std::collections::VecDeque;
use std::ops::Range;

use decide::login::Piece;

/// What one step of a walk reads.
#[derive(Clone, Debug)]
enum Reads {
    One(u8),
    /// What a name of this kind can hold.
    Name(Piece),
    Digits(u8, u8),
}

#[derive(Clone, Debug)]
struct Edge {
    reads: Reads,
    to: usize,
    /// The piece of the form it belongs to; none for a suffix.
    piece: Option<usize>,
}

/// An automaton whose steps may also read nothing. State 0 is the first, the last one accepts.
#[derive(Clone, Debug, Default)]
pub(super) struct Language {
    edges: Vec<Vec<Edge>>,
    silent: Vec<Vec<usize>>,
}

/// A text of two languages, with the pieces that give its octets in each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shared {
    pub text: String,
    pub left: Vec<(Option<usize>, u8)>,
    pub right: Vec<(Option<usize>, u8)>,
}

impl Language {
    fn state(&mut self) -> usize {
        self.edges.push(Vec::new());
        self.silent.push(Vec::new());
        self.edges.len() - 1
    }

    fn last(&self) -> usize {
        self.edges.len().saturating_sub(1)
    }

    fn read(&mut self, from: usize, reads: Reads, piece: Option<usize>) -> usize {
        let to = self.state();
        self.edges[from].push(Edge { reads, to, piece });
        to
    }

    fn text(&mut self, mut at: usize, text: &str, piece: Option<usize>) -> usize {
        for octet in text.bytes() {
            at = self.read(at, Reads::One(octet), piece);
        }
        at
    }

    /// One text alone.
    pub(super) fn word(word: &str) -> Language {
        let mut language = Language::default();
        let first = language.state();
        language.text(first, word, None);
        language
    }

    /// Logins of a form without suffix. With `full`, every name gives at least one octet.
    pub(super) fn plain(form: &[Piece], full: bool) -> Language {
        let mut language = Language::default();
        let mut at = language.state();
        for (index, piece) in form.iter().enumerate() {
            match piece {
                Piece::Text(text) => at = language.text(at, text, Some(index)),
                Piece::Last | Piece::First | Piece::Initials => {
                    let name = Reads::Name(piece.clone());
                    let from = at;
                    at = language.read(from, name.clone(), Some(index));
                    language.edges[at].push(Edge { reads: name, to: at, piece: Some(index) });
                    if !full {
                        language.silent[from].push(at);
                    }
                }
            }
        }
        language
    }

    /// The same with a suffix after it: text, a number of the range, text.
    pub(super) fn with_suffix(mut self, before: &str, numbers: Range<u32>, after: &str) -> Language {
        let at = self.last();
        let at = self.text(at, before, None);
        let mut ends = Vec::new();
        for (digits, free) in blocks(numbers) {
            let mut here = self.text(at, &digits, None);
            for _ in 0..free {
                here = self.read(here, Reads::Digits(b'0', b'9'), None);
            }
            ends.push(here);
        }
        let joined = self.state();
        ends.into_iter().for_each(|end| self.silent[end].push(joined));
        self.text(joined, after, None);
        self
    }

    /// Octets worth trying: those that stand in texts, digits, and one letter for all others.
    fn octets(&self) -> Vec<u8> {
        let mut octets: Vec<u8> = (b'0'..=b'9').chain([b'-']).collect();
        octets.extend(self.edges.iter().flatten().filter_map(|edge| match edge.reads {
            Reads::One(octet) => Some(octet),
            Reads::Name(_) | Reads::Digits(..) => None,
        }));
        octets
    }
}

/// Runs of numbers as fixed digits and a count of free ones: 10..20 is ("1", 1).
fn blocks(numbers: Range<u32>) -> Vec<(String, usize)> {
    let (mut low, end) = (u64::from(numbers.start), u64::from(numbers.end));
    let mut blocks = Vec::new();
    while low < end {
        let mut width = 1_u64;
        let mut free = 0;
        // A block keeps its number of digits: 0 stands alone.
        while low != 0 && low.is_multiple_of(width * 10) && low + width * 10 <= end {
            width *= 10;
            free += 1;
        }
        blocks.push(((low / width).to_string(), free));
        low += width;
    }
    blocks
}

fn reads(edge: &Edge, octet: u8) -> bool {
    match &edge.reads {
        Reads::One(one) => *one == octet,
        Reads::Name(piece) => piece.gives(octet),
        Reads::Digits(low, high) => (*low..=*high).contains(&octet),
    }
}

/// One step of the walk through both automata.
#[derive(Clone, Copy)]
struct Step {
    from: (usize, usize),
    octet: Option<u8>,
    left: Option<usize>,
    right: Option<usize>,
}

/// The shortest text both languages have; `None` proves that they share nothing. Visits each pair of states once.
pub(super) fn meet(left: &Language, right: &Language) -> Option<Shared> {
    let mut octets = left.octets();
    octets.extend(right.octets());
    octets.extend((b'a'..=b'z').find(|letter| !octets.contains(letter)));
    octets.sort_unstable();
    octets.dedup();
    // Letters first: the text is shown to people.
    octets.sort_by_key(|octet| !octet.is_ascii_alphabetic());
    let width = right.edges.len();
    let mut reached: Vec<Option<Step>> = vec![None; left.edges.len() * width];
    let start = Step { from: (0, 0), octet: None, left: None, right: None };
    reached[0] = Some(start);
    let mut pending = VecDeque::from([(0, 0)]);
    while let Some((l, r)) = pending.pop_front() {
        if (l, r) == (left.last(), right.last()) {
            return Some(spelled(&reached, width, (l, r)));
        }
        let mut next: Vec<((usize, usize), Step)> = Vec::new();
        let silent = Step { from: (l, r), ..start };
        next.extend(left.silent[l].iter().map(|to| ((*to, r), silent)));
        next.extend(right.silent[r].iter().map(|to| ((l, *to), silent)));
        for octet in &octets {
            for a in left.edges[l].iter().filter(|edge| reads(edge, *octet)) {
                for b in right.edges[r].iter().filter(|edge| reads(edge, *octet)) {
                    let step = Step { from: (l, r), octet: Some(*octet), left: a.piece, right: b.piece };
                    next.push(((a.to, b.to), step));
                }
            }
        }
        for (to, step) in next {
            let place = &mut reached[to.0 * width + to.1];
            if place.is_none() {
                *place = Some(step);
                pending.push_back(to);
            }
        }
    }
    None
}

fn spelled(reached: &[Option<Step>], width: usize, end: (usize, usize)) -> Shared {
    let mut shared = Shared { text: String::new(), left: Vec::new(), right: Vec::new() };
    let mut at = end;
    while at != (0, 0) {
        let Some(step) = reached.get(at.0 * width + at.1).copied().flatten() else { break };
        if let Some(octet) = step.octet {
            shared.text.insert(0, char::from(octet));
            shared.left.insert(0, (step.left, octet));
            shared.right.insert(0, (step.right, octet));
        }
        at = step.from;
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Vec<Piece> {
        decide::login::pieces(text)
    }

    #[test]
    fn numbers_fall_into_blocks_of_digits() {
        assert_eq!(blocks(1..10_001).len(), 9 * 4 + 1);
        assert_eq!(blocks(8..12), [("8".into(), 0), ("9".into(), 0), ("10".into(), 0), ("11".into(), 0)]);
        for range in [0..1, 0..25, 7..1_234, 99..101, 5..5] {
            let language = |n: u32| {
                meet(&Language::plain(&[], false).with_suffix("", range.clone(), ""), &Language::word(&n.to_string()))
            };
            for n in 0..1_300 {
                assert_eq!(language(n).is_some(), range.contains(&n), "{n} in {range:?}");
            }
        }
    }

    #[test]
    fn initials_cannot_imitate_a_number_and_names_can() {
        let judge = |text: &str, suffix: &str| {
            let plain = Language::plain(&form(text), false);
            meet(&plain, &plain.clone().with_suffix(suffix, 1..10_001, "")).map(|shared| shared.text)
        };
        assert_eq!(judge("{last}-{initials}", "-"), None);
        assert_eq!(judge("{initials}-{last}", "."), None);
        assert!(judge("{initials}-{last}", "-").is_some());
        assert!(judge("{last}", "").is_some());
    }
}
