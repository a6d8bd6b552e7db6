//! Gathers a command with its literals (RFC 9051 2.2, 4.3; RFC 7888) from what arrives in any pieces.
//!
//! INVARIANT (bounded): at most `Limits::command_octets` of a command are held. What is longer is dropped as it arrives and
//! refused at its end; what is much longer ends the connection.

use crate::imap::command::{Append, BadAppend, BadStretch, Inside, Literal, Stretch, Tag};
use crate::imap::grammar::{Coding, append, literal_at_end, stretch, tag_of, whole_append};
use crate::line::{Inbox, Line};

/// How much a client may send in one command, APPEND's content apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub command_octets: usize,
    /// Octets of a line or literal that are still dropped quietly; beyond it the connection ends.
    pub swallowed_octets: u64,
}

/// Nobody is logged in: LOGIN and AUTHENTICATE are short.
pub const STRANGER: Limits = Limits { command_octets: 16 * 1024, swallowed_octets: 64 * 1024 };
/// RFC 9051 4: clients may send long sequence sets; 8,192 octets are the least to take.
pub const LOGGED_IN: Limits = Limits { command_octets: 64 * 1024, swallowed_octets: 1024 * 1024 };

/// What has arrived.
#[derive(Debug)]
pub enum Read {
    NeedInput,
    /// A whole command with its line end.
    Command(Vec<u8>),
    /// An APPEND or REPLACE; the octets of its literal come next, if it ends with one.
    Append(Append),
    /// An APPEND whose arguments are wrong; the octets of its literal come next when it does not wait.
    BadAppend(BadAppend),
    /// An APPEND goes on.
    Stretch(Stretch),
    BadStretch(BadStretch),
    /// Say `+`: the client waits to send a literal.
    Continue,
    /// A command that was too long is over.
    TooLong(Option<Tag>),
    /// More than anybody sends in good faith.
    Endless,
}

/// What is to come.
#[derive(Clone, Copy)]
enum Expected {
    Command(Coding),
    /// What stands behind a literal that streamed.
    Stretch(Inside),
}

#[derive(Debug, Default)]
pub struct Reader {
    /// The command so far.
    command: Vec<u8>,
    /// Octets of a literal still to come.
    literal_left: u64,
    /// The command is too long; its octets are dropped.
    dropping: bool,
    dropped_octets: u64,
    /// Kept of a command whose octets are dropped.
    tag: Option<Tag>,
}

impl Reader {
    /// Nothing of a command has come.
    pub fn is_empty(&self) -> bool {
        self.command.is_empty() && self.literal_left == 0 && !self.dropping
    }

    pub fn read(&mut self, inbox: &mut Inbox, limits: Limits, coding: Coding) -> Read {
        self.gather(inbox, limits, Expected::Command(coding))
    }

    /// The same behind a literal that streamed.
    pub fn resume(&mut self, inbox: &mut Inbox, limits: Limits, inside: Inside) -> Read {
        self.gather(inbox, limits, Expected::Stretch(inside))
    }

    fn gather(&mut self, inbox: &mut Inbox, limits: Limits, expected: Expected) -> Read {
        loop {
            if self.literal_left > 0 {
                if !self.literal(inbox) {
                    return Read::NeedInput;
                }
                continue;
            }
            if self.command.is_empty() && self.tag.is_none() {
                // A tag stands in the first octets or nowhere; later the line may be gone.
                self.tag = tag_of(&inbox.rest()[..inbox.rest().len().min(256)]);
            }
            let room = limits.command_octets.saturating_sub(self.command.len());
            match inbox.line(room, limits.swallowed_octets) {
                Line::Incomplete => return Read::NeedInput,
                Line::Endless => return Read::Endless,
                Line::TooLong => return self.too_long(),
                Line::Whole(line) => {
                    if let Some(read) = self.line(&line, limits, expected) {
                        return read;
                    }
                }
            }
        }
    }

    /// Takes what has come of a literal. Is it whole?
    fn literal(&mut self, inbox: &mut Inbox) -> bool {
        let waiting = inbox.rest();
        let count = usize::try_from(self.literal_left).unwrap_or(usize::MAX).min(waiting.len());
        if !self.dropping {
            self.command.extend_from_slice(&waiting[..count]);
        }
        inbox.consume(count);
        self.literal_left -= count as u64;
        self.literal_left == 0
    }

    /// A line has come; it may go on with a literal.
    fn line(&mut self, line: &[u8], limits: Limits, expected: Expected) -> Option<Read> {
        let literal = literal_at_end(line);
        if !self.dropping {
            self.command.extend_from_slice(line);
            self.command.extend_from_slice(b"\r\n");
        }
        let Some(literal) = literal else {
            return Some(match self.dropping {
                true => self.too_long(),
                false => {
                    let command = std::mem::take(&mut self.command);
                    *self = Reader::default();
                    whole(command, expected)
                }
            });
        };
        if !self.dropping
            && let Some(found) = streamed(&self.command, literal, expected)
        {
            *self = Reader::default();
            return Some(found);
        }
        self.expect(literal, limits)
    }

    fn expect(&mut self, literal: Literal, limits: Limits) -> Option<Read> {
        let room = limits.command_octets.saturating_sub(self.command.len()) as u64;
        if literal.size_octets > room {
            self.dropping = true;
            self.command = Vec::new();
        }
        if self.dropping {
            if literal.synchronizing {
                // The client waits and will send nothing of it.
                return Some(self.too_long());
            }
            self.dropped_octets = self.dropped_octets.saturating_add(literal.size_octets);
            if self.dropped_octets > limits.swallowed_octets {
                return Some(Read::Endless);
            }
        }
        self.literal_left = literal.size_octets;
        literal.synchronizing.then_some(Read::Continue)
    }

    fn too_long(&mut self) -> Read {
        Read::TooLong(std::mem::take(self).tag)
    }
}

/// A command, or the rest of one, that ended with its line.
fn whole(octets: Vec<u8>, expected: Expected) -> Read {
    match expected {
        Expected::Command(coding) => whole_append(&octets, coding).map_or_else(|| Read::Command(octets), Read::Append),
        Expected::Stretch(inside) => {
            let read = stretch(&octets, inside, None).unwrap_or(Err(BadStretch { literal: None }));
            read.map_or_else(Read::BadStretch, Read::Stretch)
        }
    }
}

/// One whose literal streams; `None` when the literal belongs in it.
fn streamed(octets: &[u8], literal: Literal, expected: Expected) -> Option<Read> {
    match expected {
        Expected::Command(coding) => {
            append(octets, literal, coding).map(|found| found.map_or_else(Read::BadAppend, Read::Append))
        }
        Expected::Stretch(inside) => {
            stretch(octets, inside, Some(literal)).map(|found| found.map_or_else(Read::BadStretch, Read::Stretch))
        }
    }
}
