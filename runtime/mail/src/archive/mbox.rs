//! mbox as mboxrd: `From ` lines between the messages, a `>` more in front of each line of a message that is `From ` behind
//! any number of `>`.
//!
//! A message written here begins with four header fields of ours, `X-Facteur-Mbox`, `Status`, `X-Status` and `X-Keywords`,
//! in this order; the reader takes away exactly those. From what other programs wrote it takes the fields they keep flags
//! in, wherever they stand in the header, and nothing else.

use std::io::{self, BufRead};

use super::lines;
use crate::date::DateTime;
use crate::header::{self, fields};
use crate::{Flags, Keyword, SystemFlags};

/// Who a `From ` line says it is from: the envelope of a message is not kept here.
const SENDER: &str = "MAILER-DAEMON";
const MARK: &str = "X-Facteur-Mbox";
/// The message ends with a line end.
const ENDED: &str = "ended";
/// It does not; the one in front of the next `From ` line is not its own.
const UNENDED: &str = "unended";
/// Fields other programs put in.
const FOREIGN: [&str; 7] = ["Status", "X-Status", "X-Keywords", "X-UID", "X-IMAP", "X-IMAPbase", "Content-Length"];
/// Longest piece of a line that is looked at as a whole. A longer line is no `From ` line.
const PIECE_OCTETS: usize = 64 * 1024;

/// The letters of `Status` and `X-Status`.
const LETTERS: [(char, SystemFlags); 5] = [
    ('R', SystemFlags::SEEN),
    ('A', SystemFlags::ANSWERED),
    ('D', SystemFlags::DELETED),
    ('F', SystemFlags::FLAGGED),
    ('T', SystemFlags::DRAFT),
];

/// A message and what an mbox says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Lines end with CRLF.
    pub octets: Vec<u8>,
    pub flags: Flags,
    /// INTERNALDATE; `None` where the `From ` line has no date.
    pub date: Option<DateTime>,
}

/// What a reader comes upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Message(Box<Message>),
    /// A message longer than the reader may hold; it was passed over. Counted from 1.
    TooLong {
        number: u64,
    },
}

/// Why an mbox cannot be read (any further).
#[derive(Debug)]
pub enum ReadError {
    /// It does not begin with a `From ` line.
    NotMbox,
    Io(io::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> ReadError {
        ReadError::Io(error)
    }
}

/// Appends one message with its `From ` line and the empty line behind it.
pub fn write(message: &[u8], flags: &Flags, date: DateTime, out: &mut Vec<u8>) {
    let (status, x_status) = letters(flags);
    let keywords: Vec<&str> = flags.keywords.iter().map(Keyword::as_str).collect();
    let ended = message.ends_with(b"\n");
    let head = format!(
        "From {SENDER} {}\n{MARK}: {}\nStatus: {status}\nX-Status: {x_status}\nX-Keywords: {}\n",
        asctime(date),
        if ended { ENDED } else { UNENDED },
        keywords.join(" ")
    );
    out.extend_from_slice(head.as_bytes());
    for line in lines::to_file(message).split_inclusive(|octet| *octet == b'\n') {
        if is_quoted_from(line) {
            out.push(b'>');
        }
        out.extend_from_slice(line);
    }
    out.extend_from_slice(if ended { b"\n" } else { b"\n\n" });
}

/// Reads messages one after the other, holding one at a time.
pub struct Reader<R> {
    source: R,
    message_octets_max: usize,
    /// The date of the `From ` line that was read last; `None` before the first.
    next: Option<Option<DateTime>>,
    number: u64,
    finished: bool,
}

impl<R: BufRead> Reader<R> {
    /// `message_octets_max` bounds the octets of a message as they stand in the file.
    pub fn new(source: R, message_octets_max: usize) -> Reader<R> {
        Reader { source, message_octets_max, next: None, number: 0, finished: false }
    }

    /// The next message; `None` at the end.
    pub fn read(&mut self) -> Result<Option<Entry>, ReadError> {
        let entry = self.entry()?;
        match &entry {
            Some(Entry::Message(message)) if self.number == 1 && is_bookkeeping(&message.octets) => self.entry(),
            _ => Ok(entry),
        }
    }

    fn entry(&mut self) -> Result<Option<Entry>, ReadError> {
        let Some(date) = self.begin()? else { return Ok(None) };
        self.number += 1;
        let (mut octets, mut piece) = (Vec::new(), Vec::new());
        let (mut too_long, mut line_starts) = (false, true);
        while self.piece(&mut piece)? {
            if line_starts && let Some(next) = separator(&piece) {
                self.next = Some(next);
                return Ok(Some(self.finish(octets, date, too_long)));
            }
            let kept = if line_starts && is_quoted(&piece) { &piece[1..] } else { &piece[..] };
            line_starts = piece.ends_with(b"\n");
            too_long |= octets.len() + kept.len() > self.message_octets_max;
            if too_long {
                octets = Vec::new();
            } else {
                octets.extend_from_slice(kept);
            }
        }
        self.finished = true;
        Ok(Some(self.finish(octets, date, too_long)))
    }

    /// The date of the `From ` line in front of the next message; `None` at the end.
    fn begin(&mut self) -> Result<Option<Option<DateTime>>, ReadError> {
        if self.finished {
            return Ok(None);
        }
        if let Some(date) = self.next.take() {
            return Ok(Some(date));
        }
        let mut piece = Vec::new();
        while self.piece(&mut piece)? {
            if header::is_blank(&piece) {
                continue;
            }
            // The first line need not have a date that can be read; those behind it must, for they could be text.
            return if piece.starts_with(b"From ") {
                Ok(Some(separator(&piece).flatten()))
            } else {
                Err(ReadError::NotMbox)
            };
        }
        self.finished = true;
        Ok(None)
    }

    fn finish(&self, mut octets: Vec<u8>, date: Option<DateTime>, too_long: bool) -> Entry {
        if too_long {
            return Entry::TooLong { number: self.number };
        }
        // The empty line in front of the next `From ` line.
        for blank in [&b"\n\r\n"[..], b"\n\n"] {
            if octets.ends_with(blank) {
                octets.truncate(octets.len() - blank.len() + 1);
                break;
            }
        }
        let (octets, flags) = own(&octets).unwrap_or_else(|| foreign(&octets));
        Entry::Message(Box::new(Message { octets: lines::from_file(&octets).into_owned(), flags, date }))
    }

    /// Reads a line into `piece`, or the next part of a long one; false at the end.
    fn piece(&mut self, piece: &mut Vec<u8>) -> io::Result<bool> {
        piece.clear();
        while piece.len() < PIECE_OCTETS {
            let buffer = match self.source.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                break;
            }
            let window = &buffer[..buffer.len().min(PIECE_OCTETS - piece.len())];
            let end = window.iter().position(|octet| *octet == b'\n').map_or(window.len(), |at| at + 1);
            piece.extend_from_slice(&window[..end]);
            self.source.consume(end);
            if piece.ends_with(b"\n") {
                break;
            }
        }
        Ok(!piece.is_empty())
    }
}

/// A message this program wrote: the octets without our fields, and the flags in them.
fn own(octets: &[u8]) -> Option<(Vec<u8>, Flags)> {
    let mut rest = octets;
    let mut value = |name: &str| {
        let (line, behind) = rest.split_at(rest.iter().position(|octet| *octet == b'\n')? + 1);
        let value = std::str::from_utf8(line).ok()?.strip_prefix(name)?.strip_prefix(':')?.trim();
        rest = behind;
        Some(value.to_owned())
    };
    let ended = match value(MARK)?.as_str() {
        ENDED => true,
        UNENDED => false,
        _ => return None,
    };
    let mut flags = Flags::system(system(&(value("Status")? + &value("X-Status")?)));
    flags.keywords = value("X-Keywords")?.split(' ').filter_map(Keyword::new).collect();
    let rest = if ended { rest } else { rest.strip_suffix(b"\n").unwrap_or(rest) };
    Some((rest.to_vec(), flags))
}

/// A message another program wrote.
fn foreign(octets: &[u8]) -> (Vec<u8>, Flags) {
    let (mut kept, mut from) = (Vec::with_capacity(octets.len()), 0);
    let mut flags = Flags::default();
    for field in fields(octets) {
        if !FOREIGN.iter().any(|name| field.is(name)) {
            continue;
        }
        kept.extend_from_slice(&octets[from..field.lines.start]);
        from = field.lines.end;
        let value = String::from_utf8_lossy(&field.value()).into_owned();
        if field.is("Status") || field.is("X-Status") {
            flags.system = flags.system.with(system(&value));
        } else if field.is("X-Keywords") {
            flags.keywords.extend(value.split_ascii_whitespace().filter_map(Keyword::new));
        }
    }
    kept.extend_from_slice(&octets[from..]);
    (kept, flags)
}

/// The first message of an mbox that an IMAP server keeps its own numbers in; it says so itself.
fn is_bookkeeping(message: &[u8]) -> bool {
    header::text_of(message, "Subject").starts_with("DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA")
        && header::text_of(message, "From").contains("Mail System Internal Data")
}

fn system(letters: &str) -> SystemFlags {
    let named = LETTERS.iter().filter(|(letter, _)| letters.contains(*letter));
    named.fold(SystemFlags::NONE, |flags, (_, flag)| flags.with(*flag))
}

/// `Status` and `X-Status`. `O` is "not recent any more", which all mail in a store is.
fn letters(flags: &Flags) -> (String, String) {
    let set = LETTERS.iter().filter(|(_, flag)| flags.system.contains(*flag)).map(|(letter, _)| *letter);
    let (seen, others): (String, String) = set.partition(|letter| *letter == 'R');
    (seen + "O", others)
}

fn is_quoted_from(line: &[u8]) -> bool {
    let quotes = line.iter().take_while(|octet| **octet == b'>').count();
    line[quotes..].starts_with(b"From ")
}

fn is_quoted(line: &[u8]) -> bool {
    line.starts_with(b">") && is_quoted_from(line)
}

/// `Fri Nov 21 09:55:06 1997`, in UTC.
fn asctime(date: DateTime) -> String {
    let text = DateTime::utc(date.unix_seconds).to_rfc5322();
    let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    match words[..] {
        [weekday, day, month, year, time, ..] => format!("{weekday} {month} {day:>2} {time} {year}"),
        _ => text,
    }
}

/// The date of a `From ` line; `None` for every other line. Text may begin with `From `, so what stands behind the sender
/// must be a date as `asctime` writes it, perhaps with a zone.
fn separator(line: &[u8]) -> Option<Option<DateTime>> {
    let text = std::str::from_utf8(line.strip_prefix(b"From ")?).ok()?;
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    // Four words from the weekday on, then the year, and at most two of zone.
    let at = words.iter().position(|word| is_weekday(word)).filter(|at| (5..=7).contains(&(words.len() - at)))?;
    if !words[at + 3].contains(':') {
        return None;
    }
    let date = DateTime::parse_rfc5322(words[at..].join(" ").as_bytes())?;
    Some(Some(date))
}

fn is_weekday(word: &str) -> bool {
    ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].iter().any(|day| day.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests;
