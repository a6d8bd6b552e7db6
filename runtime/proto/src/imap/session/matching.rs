//! Does a message match the keys of a SEARCH? (RFC 9051 6.4.4)
//!
//! Texts are compared as substrings after both sides are decoded and folded (`mail::fold`: no case, no accents). Keys that
//! look into a message are left open until the index, its summary, or if those do not say, its octets are there.

use std::collections::HashMap;
use std::ops::Range;

use super::view::View;
use crate::imap::command::{Key, When};
use crate::imap::question::{Candidates, Content, EmailId, Identity, Summary, ThreadId};
use crate::imap::response::{Code, Reply};
use mail::date::{DateTime, Day};
use mail::header::{Field, unfold};
use mail::index::Entry;
use mail::mime::{Structure, SummaryParts, folded_body, folded_header, folded_value, searched_fields};
use mail::{Keyword, SystemFlags, fold};

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
    /// Identities may decide something.
    identities: bool,
    /// The texts an index may know, each once.
    texts: Vec<String>,
    /// What it said of each of them; empty as long as it was not asked.
    candidates: Vec<Candidates>,
}

/// No zone is further from UTC (`DateTime::parse_rfc5322`).
const ZONE_MINUTES_MAX: i16 = 24 * 60 - 1;

/// Most keys of one SEARCH that look through whole bodies.
const BODY_KEYS_MAX: usize = 32;
/// Most texts of one SEARCH that the index is asked for; messages are looked into for the others.
const TEXTS_MAX: usize = 64;

/// A folded text that is looked for, and which of the needles' texts it is.
#[derive(Debug)]
struct Sought {
    text: String,
    at: usize,
}

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
        sought: Sought,
        part: SummaryParts,
    },
    Body(Sought),
    Text(Sought),
    Larger(u64),
    Smaller(u64),
    Arrived(When, Day),
    Sent(When, Day),
    Saved(When, Day),
    /// INTERNALDATE, in seconds since 1970.
    ArrivedUntil(i64),
    ArrivedFrom(i64),
    ModSeq(u64),
    /// `None` is an identifier that no message has.
    Email(Option<EmailId>),
    Thread(Option<ThreadId>),
    /// Ascending.
    Indexes(Vec<Range<usize>>),
    Not(Box<Needle>),
    Or(Box<Needle>, Box<Needle>),
    And(Vec<Needle>),
}

impl Needles {
    /// Refuses message numbers that do not exist, texts that are not UTF-8, and too many keys that look through bodies. `now_s` is
    /// what `needs_now` asks for, in seconds since 1970.
    pub fn new(key: &Key, view: &View, now_s: i64) -> Result<Needles, Reply> {
        let mut texts = Vec::new();
        let needle = Making { view, now_s, texts: &mut texts }.needle(key)?;
        if count(&needle, &|it| matches!(it, Needle::Body(_) | Needle::Text(_))) > BODY_KEYS_MAX {
            return Err(Reply::no(Code::Limit, "too many BODY and TEXT keys in one SEARCH"));
        }
        let of_identity = |it: &Needle| matches!(it, Needle::Saved(..) | Needle::Email(_) | Needle::Thread(_));
        let identities = count(&needle, &of_identity) > 0;
        Ok(Needles { summary: summary_parts(&needle), identities, needle, texts, candidates: Vec::new() })
    }

    /// Is any message asked for its MODSEQ? The answer tells one then (RFC 7162 3.1.5).
    pub fn ask_mod_seq(&self) -> bool {
        count(&self.needle, &|it| matches!(it, Needle::ModSeq(_))) > 0
    }

    /// May an identity decide what the row leaves open?
    pub fn ask_identities(&self) -> bool {
        self.identities
    }

    /// The texts to ask the index for.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// What the index said of each text, in the order of `texts`.
    pub fn learn(&mut self, candidates: Vec<Candidates>) {
        self.candidates = candidates;
    }

    /// The parts of a summary that may decide what the row leaves open.
    pub fn summary_parts(&self) -> SummaryParts {
        self.summary
    }

    /// What the row, its number, the index of texts if it was asked and, as far as they are there, identity and summary say.
    pub fn known(
        &self,
        row: &Entry<'_>,
        index: usize,
        identity: Option<&Identity>,
        summary: Option<&Summary>,
    ) -> Verdict {
        known(&self.needle, &Known { row, index, identity, summary, candidates: &self.candidates })
    }

    /// What the octets say; `content` is as much as `known` asked for.
    pub fn inside(&self, row: &Entry<'_>, index: usize, identity: Option<&Identity>, content: &[u8]) -> bool {
        let mut inside = Inside::new(content, identity);
        holds(&self.needle, row, index, &mut inside)
    }
}

/// Does a key depend on the time of the search?
pub fn needs_now(key: &Key) -> bool {
    match key {
        Key::Older(_) | Key::Younger(_) => true,
        Key::Not(inner) => needs_now(inner),
        Key::Or(one, other) => needs_now(one) || needs_now(other),
        Key::And(keys) => keys.iter().any(needs_now),
        _ => false,
    }
}

/// What keys are made ready with.
struct Making<'a> {
    view: &'a View,
    now_s: i64,
    texts: &'a mut Vec<String>,
}

impl Making<'_> {
    /// Nesting is bounded by the grammar.
    fn needle(&mut self, key: &Key) -> Result<Needle, Reply> {
        Ok(match key {
            Key::All => Needle::All,
            Key::Recent => Needle::Nothing,
            Key::Flag { flag, set } => Needle::Flag { flag: *flag, set: *set },
            Key::Keyword { keyword, set } => Needle::Keyword { keyword: keyword.clone(), set: *set },
            Key::Header { field, text } => {
                Needle::Header { field: field.clone(), sought: sought(text, self.texts)?, part: text_part(field) }
            }
            Key::Body(text) => Needle::Body(sought(text, self.texts)?),
            Key::Text(text) => Needle::Text(sought(text, self.texts)?),
            Key::Larger(octets) => Needle::Larger(*octets),
            Key::Smaller(octets) => Needle::Smaller(*octets),
            Key::Arrived(when, day) => Needle::Arrived(*when, *day),
            Key::Sent(when, day) => Needle::Sent(*when, *day),
            Key::Saved(when, day) => Needle::Saved(*when, *day),
            Key::Older(seconds) => Needle::ArrivedUntil(self.now_s.saturating_sub(i64::from(*seconds))),
            Key::Younger(seconds) => Needle::ArrivedFrom(self.now_s.saturating_sub(i64::from(*seconds))),
            Key::ModSeq(mod_seq) => Needle::ModSeq(*mod_seq),
            Key::EmailId(id) => Needle::Email(number(id, 'M').map(EmailId)),
            Key::ThreadId(id) => Needle::Thread(number(id, 'T').map(ThreadId)),
            Key::Messages(messages) => Needle::Indexes(self.view.resolve(messages)?),
            Key::Not(inner) => Needle::Not(Box::new(self.needle(inner)?)),
            Key::Or(one, other) => Needle::Or(Box::new(self.needle(one)?), Box::new(self.needle(other)?)),
            Key::And(keys) => Needle::And(keys.iter().map(|key| self.needle(key)).collect::<Result<_, _>>()?),
        })
    }
}

/// The number in an identifier, if it is spelled as this server does: RFC 8474 7 compares octets.
fn number(id: &str, kind: char) -> Option<u64> {
    let number = u64::from_str_radix(id.strip_prefix(kind)?, 16).ok()?;
    (format!("{kind}{number:x}") == id).then_some(number)
}

fn sought(text: &[u8], texts: &mut Vec<String>) -> Result<Sought, Reply> {
    let text = std::str::from_utf8(text).map_err(|_| Reply::bad("the text is not UTF-8"))?;
    let text = fold(text);
    let known = texts.iter().position(|each| *each == text);
    let at = known.unwrap_or(texts.len());
    // An empty text is in every message, or asks for a field that may say nothing.
    if known.is_none() && !text.is_empty() && at < TEXTS_MAX {
        texts.push(text.clone());
        return Ok(Sought { text, at });
    }
    Ok(Sought { text, at: known.unwrap_or(usize::MAX) })
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
        | Needle::Saved(..)
        | Needle::ArrivedUntil(_)
        | Needle::ArrivedFrom(_)
        | Needle::ModSeq(_)
        | Needle::Email(_)
        | Needle::Thread(_)
        | Needle::Indexes(_) => SummaryParts::NONE,
    }
}

/// How many of the needles, those inside others included, are such.
fn count(needle: &Needle, such: &impl Fn(&Needle) -> bool) -> usize {
    let inside = match needle {
        Needle::Not(inner) => count(inner, such),
        Needle::Or(one, other) => count(one, such) + count(other, such),
        Needle::And(needles) => needles.iter().map(|each| count(each, such)).sum(),
        _ => 0,
    };
    inside + usize::from(such(needle))
}

fn yes_or_no(holds: bool) -> Verdict {
    if holds { Verdict::Yes } else { Verdict::No }
}

/// What is known of a message without looking inside.
struct Known<'a> {
    row: &'a Entry<'a>,
    index: usize,
    identity: Option<&'a Identity>,
    summary: Option<&'a Summary>,
    candidates: &'a [Candidates],
}

impl Known<'_> {
    /// The index says that the text is nowhere in the message.
    fn lacks(&self, sought: &Sought) -> bool {
        self.candidates.get(sought.at).is_some_and(|candidates| candidates.exclude(self.row.uid))
    }
}

fn known(needle: &Needle, of: &Known<'_>) -> Verdict {
    let or_look = |said: Option<bool>| said.map_or(Verdict::Look(Content::Header), yes_or_no);
    match needle {
        Needle::Not(inner) => match known(inner, of) {
            Verdict::Yes => Verdict::No,
            Verdict::No => Verdict::Yes,
            look @ Verdict::Look(_) => look,
        },
        Needle::Or(one, other) => match (known(one, of), known(other, of)) {
            (Verdict::Yes, _) | (_, Verdict::Yes) => Verdict::Yes,
            (Verdict::No, rest) | (rest, Verdict::No) => rest,
            (Verdict::Look(a), Verdict::Look(b)) => Verdict::Look(a.max(b)),
        },
        Needle::And(needles) => {
            let mut verdict = Verdict::Yes;
            for each in needles {
                verdict = match (verdict, known(each, of)) {
                    (_, Verdict::No) => return Verdict::No,
                    (Verdict::Look(a), Verdict::Look(b)) => Verdict::Look(a.max(b)),
                    (Verdict::Look(need), _) => Verdict::Look(need),
                    (Verdict::Yes | Verdict::No, other) => other,
                };
            }
            verdict
        }
        Needle::Header { sought, .. } | Needle::Body(sought) | Needle::Text(sought) if of.lacks(sought) => Verdict::No,
        Needle::Header { sought, part, .. } => {
            or_look(of.summary.and_then(|summary| text_says(summary, *part, &sought.text)))
        }
        Needle::Sent(when, day) => or_look(of.summary.and_then(|summary| date_says(summary, *when, *day))),
        Needle::Body(_) | Needle::Text(_) => Verdict::Look(Content::Whole),
        Needle::Saved(..) | Needle::Email(_) | Needle::Thread(_) => {
            of.identity.map_or(Verdict::Look(Content::None), |identity| yes_or_no(identity_holds(needle, identity)))
        }
        Needle::All
        | Needle::Nothing
        | Needle::Flag { .. }
        | Needle::Keyword { .. }
        | Needle::Larger(_)
        | Needle::Smaller(_)
        | Needle::Arrived(..)
        | Needle::ArrivedUntil(_)
        | Needle::ArrivedFrom(_)
        | Needle::ModSeq(_)
        | Needle::Indexes(_) => yes_or_no(row_holds(needle, of.row, of.index)),
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
    says.then(|| fold(kept).contains(text))
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
        Needle::ArrivedUntil(unix_s) => row.internal_date.unix_seconds <= *unix_s,
        Needle::ArrivedFrom(unix_s) => row.internal_date.unix_seconds >= *unix_s,
        Needle::ModSeq(mod_seq) => row.mod_seq >= *mod_seq,
        Needle::Indexes(ranges) => {
            let behind = ranges.partition_point(|range| range.end <= index);
            ranges.get(behind).is_some_and(|range| range.contains(&index))
        }
        Needle::Nothing
        | Needle::Header { .. }
        | Needle::Body(_)
        | Needle::Text(_)
        | Needle::Sent(..)
        | Needle::Saved(..)
        | Needle::Email(_)
        | Needle::Thread(_)
        | Needle::Not(_)
        | Needle::Or(..)
        | Needle::And(_) => false,
    }
}

/// Keys about what the identity says; the others hold nothing here. The saved date is compared in UTC.
fn identity_holds(needle: &Needle, identity: &Identity) -> bool {
    match needle {
        Needle::Saved(when, day) => when.holds(DateTime::utc(identity.saved_s).day(), *day),
        Needle::Email(id) => *id == Some(identity.email),
        Needle::Thread(id) => id.is_some() && *id == identity.thread,
        _ => false,
    }
}

/// A message's octets, read as far as the keys ask and no further.
struct Inside<'a> {
    content: &'a [u8],
    identity: Option<&'a Identity>,
    structure: Option<Structure>,
    /// Folded text of the body, of the header.
    body: Option<String>,
    header: Option<String>,
    /// The fields by their names in small letters.
    fields: Option<HashMap<Vec<u8>, Vec<Value<'a>>>>,
    sent: Option<Option<Day>>,
}

impl<'a> Inside<'a> {
    fn new(content: &'a [u8], identity: Option<&'a Identity>) -> Inside<'a> {
        Inside { content, identity, structure: None, body: None, header: None, fields: None, sent: None }
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
            *self = Value::Folded(folded_value(field));
        }
        match self {
            Value::Folded(text) => text,
            Value::Raw(_) => "",
        }
    }
}

fn index_fields(content: &[u8]) -> HashMap<Vec<u8>, Vec<Value<'_>>> {
    let mut index: HashMap<Vec<u8>, Vec<Value<'_>>> = HashMap::new();
    for field in searched_fields(content) {
        index.entry(field.name().to_ascii_lowercase()).or_default().push(Value::Raw(field));
    }
    index
}

impl Inside<'_> {
    fn body(&mut self) -> &str {
        let structure = self.structure.get_or_insert_with(|| Structure::parse(self.content));
        self.body.get_or_insert_with(|| folded_body(self.content, structure))
    }

    fn header(&mut self) -> &str {
        self.header.get_or_insert_with(|| folded_header(self.content))
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
            let date = searched_fields(self.content).find(|field| field.is("date"))?;
            DateTime::parse_rfc5322(&unfold(date.raw_value())).map(DateTime::day)
        })
    }
}

fn holds(needle: &Needle, row: &Entry<'_>, index: usize, inside: &mut Inside<'_>) -> bool {
    match needle {
        Needle::Header { field, sought, .. } => inside.has_field(field, &sought.text),
        Needle::Body(sought) => inside.body().contains(sought.text.as_str()),
        Needle::Text(Sought { text, .. }) => {
            inside.header().contains(text.as_str()) || inside.body().contains(text.as_str())
        }
        Needle::Sent(when, day) => inside.sent().is_some_and(|sent| when.holds(sent, *day)),
        Needle::Saved(..) | Needle::Email(_) | Needle::Thread(_) => {
            inside.identity.is_some_and(|identity| identity_holds(needle, identity))
        }
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
        | Needle::ArrivedUntil(_)
        | Needle::ArrivedFrom(_)
        | Needle::ModSeq(_)
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
            let said = match needles.known(&row, 0, None, Some(&kept)) {
                Verdict::Yes => true,
                Verdict::No => false,
                Verdict::Look(_) => continue,
            };
            decided += 1;
            let inside = needles.inside(&row, 0, None, content);
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
            rights: mail::Rights::ALL,
            uid_validity: 1,
            uid_next: 2,
            highest_mod_seq: 1,
            messages: 0,
            keywords: [].into(),
            first_unseen: None,
        };
        let view = View::new(selection, true);
        let needles: Vec<Needles> = keys().iter().map(|key| Needles::new(key, &view, 0).unwrap()).collect();
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
}
