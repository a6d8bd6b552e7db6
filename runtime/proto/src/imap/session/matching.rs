//! Does a message match the keys of a SEARCH? (RFC 9051 6.4.4)
//!
//! Texts are compared as substrings after both sides are decoded and their letters made small (i;unicode-casemap in
//! spirit). Keys that look into a message are left open until its octets are there.

use std::ops::Range;

use super::view::View;
use crate::imap::command::{Key, When};
use crate::imap::question::{Content, Row};
use crate::imap::response::Reply;
use mail::date::{DateTime, Day};
use mail::header::{decode_words, fields, find, unfold};
use mail::mime::{Structure, text};
use mail::{Keyword, SystemFlags};

/// What can be said without looking inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Yes,
    No,
    /// So much of the message is needed to say more.
    Look(Content),
}

/// The keys, made ready: sets resolved to indexes, texts folded.
#[derive(Debug)]
pub struct Needles(Needle);

#[derive(Debug)]
enum Needle {
    All,
    Nothing,
    Flag {
        flag: SystemFlags,
        set: bool,
    },
    Keyword {
        keyword: Keyword,
        set: bool,
    },
    Header {
        field: String,
        text: String,
    },
    Body(String),
    Text(String),
    Larger(u64),
    Smaller(u64),
    Arrived(When, Day),
    Sent(When, Day),
    /// Ascending.
    Indexes(Vec<Range<usize>>),
    Not(Box<Needle>),
    Or(Box<Needle>, Box<Needle>),
    And(Vec<Needle>),
}

impl Needles {
    /// Refuses message numbers that do not exist, and texts that are not UTF-8.
    pub fn new(key: &Key, view: &View) -> Result<Needles, Reply> {
        needle(key, view).map(Needles)
    }

    /// What the row and the index say.
    pub fn known(&self, row: &Row, index: usize) -> Verdict {
        known(&self.0, row, index)
    }

    /// What the octets say; `content` is as much as `known` asked for.
    pub fn inside(&self, row: &Row, index: usize, content: &[u8]) -> bool {
        let mut inside = Inside { content, structure: None, body: None, header: None };
        holds(&self.0, row, index, &mut inside)
    }
}

/// Nesting is bounded by the grammar.
fn needle(key: &Key, view: &View) -> Result<Needle, Reply> {
    Ok(match key {
        Key::All => Needle::All,
        Key::Recent => Needle::Nothing,
        Key::Flag { flag, set } => Needle::Flag { flag: *flag, set: *set },
        Key::Keyword { keyword, set } => Needle::Keyword { keyword: keyword.clone(), set: *set },
        Key::Header { field, text } => Needle::Header { field: field.clone(), text: folded(text)? },
        Key::Body(text) => Needle::Body(folded(text)?),
        Key::Text(text) => Needle::Text(folded(text)?),
        Key::Larger(octets) => Needle::Larger(*octets),
        Key::Smaller(octets) => Needle::Smaller(*octets),
        Key::Arrived(when, day) => Needle::Arrived(*when, *day),
        Key::Sent(when, day) => Needle::Sent(*when, *day),
        Key::Messages(messages) => Needle::Indexes(view.resolve(messages)?),
        Key::Not(inner) => Needle::Not(Box::new(needle(inner, view)?)),
        Key::Or(one, other) => Needle::Or(Box::new(needle(one, view)?), Box::new(needle(other, view)?)),
        Key::And(keys) => Needle::And(keys.iter().map(|key| needle(key, view)).collect::<Result<_, _>>()?),
    })
}

fn folded(text: &[u8]) -> Result<String, Reply> {
    let text = std::str::from_utf8(text).map_err(|_| Reply::bad("the text is not UTF-8"))?;
    Ok(text.to_lowercase())
}

fn yes_or_no(holds: bool) -> Verdict {
    if holds { Verdict::Yes } else { Verdict::No }
}

fn known(needle: &Needle, row: &Row, index: usize) -> Verdict {
    match needle {
        Needle::Not(inner) => match known(inner, row, index) {
            Verdict::Yes => Verdict::No,
            Verdict::No => Verdict::Yes,
            look @ Verdict::Look(_) => look,
        },
        Needle::Or(one, other) => match (known(one, row, index), known(other, row, index)) {
            (Verdict::Yes, _) | (_, Verdict::Yes) => Verdict::Yes,
            (Verdict::No, rest) | (rest, Verdict::No) => rest,
            (Verdict::Look(a), Verdict::Look(b)) => Verdict::Look(a.max(b)),
        },
        Needle::And(needles) => {
            let mut verdict = Verdict::Yes;
            for each in needles {
                verdict = match (verdict, known(each, row, index)) {
                    (_, Verdict::No) => return Verdict::No,
                    (Verdict::Look(a), Verdict::Look(b)) => Verdict::Look(a.max(b)),
                    (Verdict::Look(need), _) => Verdict::Look(need),
                    (Verdict::Yes | Verdict::No, other) => other,
                };
            }
            verdict
        }
        Needle::Header { .. } | Needle::Sent(..) => Verdict::Look(Content::Header),
        Needle::Body(_) | Needle::Text(_) => Verdict::Look(Content::Whole),
        Needle::All
        | Needle::Nothing
        | Needle::Flag { .. }
        | Needle::Keyword { .. }
        | Needle::Larger(_)
        | Needle::Smaller(_)
        | Needle::Arrived(..)
        | Needle::Indexes(_) => yes_or_no(row_holds(needle, row, index)),
    }
}

/// Keys about what the row says; the others hold nothing here.
fn row_holds(needle: &Needle, row: &Row, index: usize) -> bool {
    match needle {
        Needle::All => true,
        Needle::Flag { flag, set } => row.flags.system.contains(*flag) == *set,
        Needle::Keyword { keyword, set } => row.flags.keywords.contains(keyword) == *set,
        Needle::Larger(octets) => row.size_octets > *octets,
        Needle::Smaller(octets) => row.size_octets < *octets,
        Needle::Arrived(when, day) => when.holds(DateTime::utc(row.internal_date_s).day(), *day),
        Needle::Indexes(ranges) => {
            let behind = ranges.partition_point(|range| range.end <= index);
            ranges.get(behind).is_some_and(|range| range.contains(&index))
        }
        Needle::Nothing
        | Needle::Header { .. }
        | Needle::Body(_)
        | Needle::Text(_)
        | Needle::Sent(..)
        | Needle::Not(_)
        | Needle::Or(..)
        | Needle::And(_) => false,
    }
}

/// A message's octets, read as far as the keys ask and no further.
struct Inside<'a> {
    content: &'a [u8],
    structure: Option<Structure>,
    /// Folded text of the body, of the header.
    body: Option<String>,
    header: Option<String>,
}

impl Inside<'_> {
    fn body(&mut self) -> &str {
        let structure = self.structure.get_or_insert_with(|| Structure::parse(self.content));
        self.body.get_or_insert_with(|| text::body_text(self.content, structure).to_lowercase())
    }

    fn header(&mut self) -> &str {
        self.header.get_or_insert_with(|| text::header_text(self.content).to_lowercase())
    }

    /// An empty text asks whether the field is there (RFC 9051 6.4.4).
    fn has_field(&self, field: &str, text: &str) -> bool {
        let mut named = fields(self.content).filter(|each| each.is(field));
        named.any(|each| decode_words(&unfold(each.raw_value())).to_lowercase().contains(text))
    }

    /// The day of the Date field as its writer saw it; a message without one was sent on no day.
    fn sent(&self) -> Option<Day> {
        let date = find(self.content, "date")?;
        DateTime::parse_rfc5322(&unfold(date.raw_value())).map(DateTime::day)
    }
}

fn holds(needle: &Needle, row: &Row, index: usize, inside: &mut Inside<'_>) -> bool {
    match needle {
        Needle::Header { field, text } => inside.has_field(field, text),
        Needle::Body(text) => inside.body().contains(text.as_str()),
        Needle::Text(text) => inside.header().contains(text.as_str()) || inside.body().contains(text.as_str()),
        Needle::Sent(when, day) => inside.sent().is_some_and(|sent| when.holds(sent, *day)),
        Needle::Not(inner) => !holds(inner, row, index, inside),
        Needle::Or(one, other) => holds(one, row, index, inside) || holds(other, row, index, inside),
        Needle::And(needles) => needles.iter().all(|each| holds(each, row, index, inside)),
        Needle::All
        | Needle::Nothing
        | Needle::Flag { .. }
        | Needle::Keyword { .. }
        | Needle::Larger(_)
        | Needle::Smaller(_)
        | Needle::Arrived(..)
        | Needle::Indexes(_) => row_holds(needle, row, index),
    }
}
