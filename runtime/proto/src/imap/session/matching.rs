//! Does a message match the keys of a SEARCH? (RFC 9051 6.4.4)
//!
//! Texts are compared as substrings after both sides are decoded and their letters made small (i;unicode-casemap in
//! spirit). Keys that look into a message are left open until its summary, and if that does not say, its octets are there.

use std::collections::HashMap;
use std::ops::Range;

use super::view::View;
use crate::imap::command::{Key, When};
use crate::imap::question::{Content, Summary};
use crate::imap::response::{Code, Reply};
use mail::date::{DateTime, Day};
use mail::header::{Field, decode_words, fields, unfold};
use mail::index::Entry;
use mail::mime::{Structure, SummaryParts, text};
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
pub struct Needles {
    needle: Needle,
    summary: SummaryParts,
}

/// No zone is further from UTC (`DateTime::parse_rfc5322`).
const ZONE_MINUTES_MAX: i16 = 24 * 60 - 1;

/// Most keys of one SEARCH that look through whole bodies.
const BODY_KEYS_MAX: usize = 32;
/// So much of a header is searched, in octets and fields; nobody writes more in good faith.
const HEADER_OCTETS_MAX: usize = 1024 * 1024;
const FIELDS_MAX: usize = 10_000;

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
        part: SummaryParts,
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
    /// Refuses message numbers that do not exist, texts that are not UTF-8, and too many keys that look through bodies.
    pub fn new(key: &Key, view: &View) -> Result<Needles, Reply> {
        let needle = needle(key, view)?;
        if body_keys(&needle) > BODY_KEYS_MAX {
            return Err(Reply::no(Code::Limit, "too many BODY and TEXT keys in one SEARCH"));
        }
        Ok(Needles { summary: summary_parts(&needle), needle })
    }

    /// The parts of a summary that may decide what the row leaves open.
    pub fn summary_parts(&self) -> SummaryParts {
        self.summary
    }

    /// What the row, the index and, when it is there, the summary say.
    pub fn known(&self, row: &Entry<'_>, index: usize, summary: Option<&Summary>) -> Verdict {
        known(&self.needle, row, index, summary)
    }

    /// What the octets say; `content` is as much as `known` asked for.
    pub fn inside(&self, row: &Entry<'_>, index: usize, content: &[u8]) -> bool {
        let mut inside = Inside::new(content);
        holds(&self.needle, row, index, &mut inside)
    }
}

/// Nesting is bounded by the grammar.
fn needle(key: &Key, view: &View) -> Result<Needle, Reply> {
    Ok(match key {
        Key::All => Needle::All,
        Key::Recent => Needle::Nothing,
        Key::Flag { flag, set } => Needle::Flag { flag: *flag, set: *set },
        Key::Keyword { keyword, set } => Needle::Keyword { keyword: keyword.clone(), set: *set },
        Key::Header { field, text } => {
            Needle::Header { field: field.clone(), text: folded(text)?, part: text_part(field) }
        }
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

/// The part that holds the text of the field; of dates only the time is kept.
fn text_part(field: &str) -> SummaryParts {
    let part = SummaryParts::of_field(field.as_bytes()).unwrap_or(SummaryParts::NONE);
    part.without(SummaryParts::DATE)
}

fn summary_parts(needle: &Needle) -> SummaryParts {
    match needle {
        Needle::Header { part, .. } => *part,
        Needle::Sent(..) => SummaryParts::DATE,
        Needle::Not(inner) => summary_parts(inner),
        Needle::Or(one, other) => summary_parts(one).with(summary_parts(other)),
        Needle::And(needles) => needles.iter().map(summary_parts).fold(SummaryParts::NONE, SummaryParts::with),
        Needle::All
        | Needle::Nothing
        | Needle::Flag { .. }
        | Needle::Keyword { .. }
        | Needle::Body(_)
        | Needle::Text(_)
        | Needle::Larger(_)
        | Needle::Smaller(_)
        | Needle::Arrived(..)
        | Needle::Indexes(_) => SummaryParts::NONE,
    }
}

fn body_keys(needle: &Needle) -> usize {
    match needle {
        Needle::Body(_) | Needle::Text(_) => 1,
        Needle::Not(inner) => body_keys(inner),
        Needle::Or(one, other) => body_keys(one) + body_keys(other),
        Needle::And(needles) => needles.iter().map(body_keys).sum(),
        Needle::All
        | Needle::Nothing
        | Needle::Flag { .. }
        | Needle::Keyword { .. }
        | Needle::Header { .. }
        | Needle::Larger(_)
        | Needle::Smaller(_)
        | Needle::Arrived(..)
        | Needle::Sent(..)
        | Needle::Indexes(_) => 0,
    }
}

fn yes_or_no(holds: bool) -> Verdict {
    if holds { Verdict::Yes } else { Verdict::No }
}

fn known(needle: &Needle, row: &Entry<'_>, index: usize, summary: Option<&Summary>) -> Verdict {
    let or_look = |said: Option<bool>| said.map_or(Verdict::Look(Content::Header), yes_or_no);
    match needle {
        Needle::Not(inner) => match known(inner, row, index, summary) {
            Verdict::Yes => Verdict::No,
            Verdict::No => Verdict::Yes,
            look @ Verdict::Look(_) => look,
        },
        Needle::Or(one, other) => match (known(one, row, index, summary), known(other, row, index, summary)) {
            (Verdict::Yes, _) | (_, Verdict::Yes) => Verdict::Yes,
            (Verdict::No, rest) | (rest, Verdict::No) => rest,
            (Verdict::Look(a), Verdict::Look(b)) => Verdict::Look(a.max(b)),
        },
        Needle::And(needles) => {
            let mut verdict = Verdict::Yes;
            for each in needles {
                verdict = match (verdict, known(each, row, index, summary)) {
                    (_, Verdict::No) => return Verdict::No,
                    (Verdict::Look(a), Verdict::Look(b)) => Verdict::Look(a.max(b)),
                    (Verdict::Look(need), _) => Verdict::Look(need),
                    (Verdict::Yes | Verdict::No, other) => other,
                };
            }
            verdict
        }
        Needle::Header { text, part, .. } => or_look(summary.and_then(|summary| text_says(summary, *part, text))),
        Needle::Sent(when, day) => or_look(summary.and_then(|summary| date_says(summary, *when, *day))),
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

/// Has the field this text? `None` when the summary cannot know.
fn text_says(summary: &Summary, part: SummaryParts, text: &str) -> Option<bool> {
    let kept = match part {
        SummaryParts::SUBJECT => &summary.subject,
        SummaryParts::FROM => &summary.from,
        SummaryParts::TO => &summary.to,
        SummaryParts::CC => &summary.cc,
        SummaryParts::BCC => &summary.bcc,
        SummaryParts::MESSAGE_ID => &summary.message_id,
        _ => return None,
    };
    // An empty text asks whether the field is there, and one that is there may be empty.
    let says = summary.whole.contains(part) && !(text.is_empty() && kept.is_empty());
    says.then(|| kept.to_lowercase().contains(text))
}

/// Was it sent then? `None` when the summary cannot know: it has no zone, which may move the day.
fn date_says(summary: &Summary, when: When, day: Day) -> Option<bool> {
    if !summary.whole.contains(SummaryParts::DATE) {
        return None;
    }
    let Some(unix_seconds) = summary.sent_s else { return Some(false) };
    let first = DateTime { unix_seconds, offset_minutes: -ZONE_MINUTES_MAX }.day();
    let last = DateTime { unix_seconds, offset_minutes: ZONE_MINUTES_MAX }.day();
    (day < first || day > last).then(|| when.holds(first, day))
}

/// Keys about what the row says; the others hold nothing here.
fn row_holds(needle: &Needle, row: &Entry<'_>, index: usize) -> bool {
    match needle {
        Needle::All => true,
        Needle::Flag { flag, set } => row.flags.system.contains(*flag) == *set,
        Needle::Keyword { keyword, set } => row.flags.keywords.contains(keyword) == *set,
        Needle::Larger(octets) => row.size_octets > *octets,
        Needle::Smaller(octets) => row.size_octets < *octets,
        Needle::Arrived(when, day) => when.holds(row.internal_date.day(), *day),
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
    /// The fields by their names in small letters.
    fields: Option<HashMap<Vec<u8>, Vec<Value<'a>>>>,
    sent: Option<Option<Day>>,
}

impl<'a> Inside<'a> {
    fn new(content: &'a [u8]) -> Inside<'a> {
        Inside { content, structure: None, body: None, header: None, fields: None, sent: None }
    }
}

/// What a field says; read when the first key asks.
enum Value<'a> {
    Raw(Field<'a>),
    Folded(String),
}

impl Value<'_> {
    fn folded(&mut self) -> &str {
        if let Value::Raw(field) = self {
            *self = Value::Folded(decode_words(&unfold(field.raw_value())).to_lowercase());
        }
        match self {
            Value::Folded(text) => text,
            Value::Raw(_) => "",
        }
    }
}

/// As much of the header as is searched. A field that the cut goes through is left out.
fn searched_header(content: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let start = &content[..content.len().min(HEADER_OCTETS_MAX)];
    let whole = move |field: &Field<'_>| start.len() == content.len() || field.lines.end < start.len();
    fields(start).take(FIELDS_MAX).take_while(whole)
}

fn index_fields(content: &[u8]) -> HashMap<Vec<u8>, Vec<Value<'_>>> {
    let mut index: HashMap<Vec<u8>, Vec<Value<'_>>> = HashMap::new();
    for field in searched_header(content) {
        index.entry(field.name().to_ascii_lowercase()).or_default().push(Value::Raw(field));
    }
    index
}

impl Inside<'_> {
    fn body(&mut self) -> &str {
        let structure = self.structure.get_or_insert_with(|| Structure::parse(self.content));
        self.body.get_or_insert_with(|| text::body_text(self.content, structure).to_lowercase())
    }

    fn header(&mut self) -> &str {
        self.header.get_or_insert_with(|| {
            let end = searched_header(self.content).last().map_or(0, |field| field.lines.end);
            text::header_text(&self.content[..end]).to_lowercase()
        })
    }

    /// An empty text asks whether the field is there (RFC 9051 6.4.4).
    fn has_field(&mut self, field: &str, text: &str) -> bool {
        let index = self.fields.get_or_insert_with(|| index_fields(self.content));
        let named = index.get_mut(field.to_ascii_lowercase().as_bytes());
        named.is_some_and(|values| values.iter_mut().any(|value| value.folded().contains(text)))
    }

    /// The day of the Date field as its writer saw it; a message without one was sent on no day.
    fn sent(&mut self) -> Option<Day> {
        *self.sent.get_or_insert_with(|| {
            let date = searched_header(self.content).find(|field| field.is("date"))?;
            DateTime::parse_rfc5322(&unfold(date.raw_value())).map(DateTime::day)
        })
    }
}

fn holds(needle: &Needle, row: &Entry<'_>, index: usize, inside: &mut Inside<'_>) -> bool {
    match needle {
        Needle::Header { field, text, .. } => inside.has_field(field, text),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::question::{MailboxId, Selection};
    use crate::imap::session::tests::{Dice, summary};
    use mail::Flags;

    const MESSAGES: &[&str] = &[
        "",
        "From: =?utf-8?q?Ren=C3=A9?= <r@x.example>\nTo: a@b, \"c, d\" <e@f>\nSubject: =?iso-8859-1?q?=C9t=E9?=\n =?iso-8859-1?q?_deux?=\n\
         Date: Mon, 1 Feb 2021 00:30:00 +0100\nMessage-ID: <1@x.example>\nReferences: <0@x>\n\nSubject: body\n",
        "Subject: one\nTo: a@b\nsubject: two\nTo: r@x.example\nDate: x\nDate: 1 Feb 2021\n\nx\n",
        "Subject:\nCc:\nBcc: \nDate:\nMessage-ID: old words <2@x.example> (mine)\n\nx\n",
        "Subject: long\nstray line\nFrom: r@x.example\nMESSAGE-ID: 3@x.example\nDate: 31 Jan 2021 23:59 -1200\n",
        "From mbox Mon\nSubject : spaced\nMessage-ID: < 4@x.example >\nDate: 2 Feb 2021 00:00 +2359\n\n",
        "SUBJECT: \u{130}\u{3a3} caf\u{e9}\nMessage-ID: =?utf-8?q?<1=40x.example>?=\nFrom: <r@x\n .example>\n\n",
        "\nSubject: not a header\n",
    ];

    fn keys() -> Vec<Key> {
        let header = |field: &str, text: &str| Key::Header { field: field.to_owned(), text: text.as_bytes().to_vec() };
        let mut keys = Vec::new();
        for field in ["subject", "From", "TO", "cc", "bcc", "Message-ID", "References", "date"] {
            for text in ["", "e", "x.example", "<1@x.example>", "\u{c9}t\u{e9}", "two", "body", " ", "\u{3c3}", "old"] {
                keys.push(header(field, text));
            }
        }
        for when in [When::Before, When::On, When::Since] {
            for day in 29..=33 {
                let date = if day > 31 { Day::new(2021, 2, day - 31) } else { Day::new(2021, 1, day) };
                keys.push(Key::Sent(when, date.unwrap()));
            }
        }
        let mixed = vec![
            Key::Or(Box::new(header("subject", "two")), Box::new(Key::Body(b"x".to_vec()))),
            Key::And(vec![header("from", "r@x"), Key::Not(Box::new(header("subject", "long"))), Key::Larger(40)]),
            Key::Not(Box::new(Key::Or(Box::new(header("cc", "")), Box::new(header("to", "a@b"))))),
        ];
        keys.into_iter().chain(mixed).collect()
    }

    /// How many keys the summary decided; panics when it says other than the message.
    fn decided_by_summary(content: &[u8], needles: &[Needles]) -> usize {
        let size_octets = content.len() as u64;
        let flags = Flags::default();
        let row = Entry { uid: 1, mod_seq: 1, flags: &flags, size_octets, internal_date: DateTime::utc(0) };
        let kept = summary(content, SummaryParts::ALL);
        let mut decided = 0;
        for needles in needles {
            let said = match needles.known(&row, 0, Some(&kept)) {
                Verdict::Yes => true,
                Verdict::No => false,
                Verdict::Look(_) => continue,
            };
            decided += 1;
            let inside = needles.inside(&row, 0, content);
            assert_eq!(said, inside, "{needles:?} in {:?}", String::from_utf8_lossy(content));
        }
        decided
    }

    #[test]
    fn a_summary_says_what_the_message_says() {
        let selection = Selection {
            mailbox: MailboxId(1),
            special_use: None,
            subscribed: true,
            uid_validity: 1,
            uid_next: 2,
            highest_mod_seq: 1,
            messages: 0,
            keywords: [].into(),
            first_unseen: None,
        };
        let view = View::new(selection, true);
        let needles: Vec<Needles> = keys().iter().map(|key| Needles::new(key, &view).unwrap()).collect();
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let (mut decided, mut asked) = (0, 0);
        for round in 0..1_500 {
            let mut content = MESSAGES[round % MESSAGES.len()].as_bytes().to_vec();
            if round % 3 > 0 {
                content = String::from_utf8_lossy(&content).replace('\n', "\r\n").into_bytes();
            }
            for _ in 0..(round / MESSAGES.len()).min(dice.roll(5)) {
                let other = MESSAGES[dice.roll(MESSAGES.len())].as_bytes();
                let at = dice.roll(content.len() + 1);
                match dice.roll(3) {
                    0 => content.insert(at, b"\r\n \t:<>?=\0\xe9S"[dice.roll(12)]),
                    1 => drop(content.splice(at..(at + dice.roll(9)).min(content.len()), [])),
                    _ => {
                        let from = dice.roll(other.len());
                        let to = from + dice.roll(other.len() - from);
                        content.splice(at..at, other[from..to].iter().copied());
                    }
                }
            }
            decided += decided_by_summary(&content, &needles);
            asked += needles.len();
        }
        assert!(decided * 2 > asked, "the summary decided {decided} of {asked}");
    }

    #[test]
    fn a_header_without_end_is_searched_up_to_its_bound() {
        let few = format!("b: near\r\n{}", "a:\r\n".repeat(FIELDS_MAX - 1));
        let many = format!("{few}c: far\r\n\r\n");
        assert_eq!(searched_header(many.as_bytes()).count(), FIELDS_MAX);
        assert_eq!(index_fields(many.as_bytes()).len(), 2);
        let long = format!("b: near\r\nx: {}\r\nc: far\r\n\r\n", "x".repeat(HEADER_OCTETS_MAX));
        assert_eq!(searched_header(long.as_bytes()).count(), 1);
        for content in [many.as_bytes(), long.as_bytes()] {
            let mut inside = Inside::new(content);
            assert!(inside.has_field("B", "near") && !inside.has_field("C", "far"));
            assert!(inside.header().contains("near") && !inside.header().contains("far"));
        }
        assert!(Inside::new(few.as_bytes()).has_field("a", ""));
    }
}
