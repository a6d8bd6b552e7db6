//! Content in chunks (RFC 3030 2): the chunks of an open message, and those that are refused and thrown away.

use mail::Body;
use mail::reply::{self, Reply};

use super::connection::Connection;
use super::data::PATIENCE_TIMES;
use super::state::{Listening, Progress, Ready, State, Waiting};
use super::{ContentFault, EndedBy, Question, Step};
use crate::line::Inbox;
use crate::smtp::command::Command;
use crate::smtp::content::LineEnds;

/// Between two chunks of a message: only BDAT goes on.
#[derive(Debug)]
pub(super) struct Between {
    pub ready: Ready,
    content: Content,
}

/// What came of a message so far.
#[derive(Debug)]
struct Content {
    /// Replies the whole content gets.
    replies: u64,
    ends: LineEnds,
    /// With the whole of the chunk that is being read.
    octets: u64,
}

/// Within a chunk.
#[derive(Debug)]
pub(super) struct Chunk {
    pub ready: Ready,
    content: Content,
    chunk_octets: u64,
    left_octets: u64,
    last: bool,
}

/// Within a chunk that nobody wants.
#[derive(Debug)]
pub(super) struct Discard {
    left_octets: u64,
    reply: Reply,
    /// Is the reply one for a bad command?
    counted: bool,
    pub then: Box<Listening>,
}

impl Between {
    pub fn begin(ready: Ready, body: Body, replies: u64) -> Between {
        Between { ready, content: Content { replies, ends: LineEnds::of(body), octets: 0 } }
    }

    pub fn command(self, command: Command, connection: &mut Connection) -> State {
        match command {
            Command::Bdat { octets, last } => self.chunk(octets, last, connection),
            _ => {
                let reply = Reply::new(reply::BAD_SEQUENCE, "BDAT or RSET is next");
                connection.bad(reply, State::Listening(Listening::Between(self)))
            }
        }
    }

    pub fn chunk(self, chunk_octets: u64, last: bool, connection: &mut Connection) -> State {
        if far_too_large(chunk_octets, connection) {
            return connection.cut(cut_reply(), State::Listening(Listening::Between(self)));
        }
        let Between { ready, mut content } = self;
        content.octets = content.octets.saturating_add(chunk_octets);
        State::Chunk(Chunk { ready, content, chunk_octets, left_octets: chunk_octets, last })
    }
}

impl Chunk {
    pub fn advance(mut self, connection: &mut Connection, inbox: &mut Inbox) -> Progress {
        let too_large = self.content.octets > connection.config.size_octets_max;
        if self.left_octets == 0 {
            return Progress::Moved(self.end(too_large, connection));
        }
        if inbox.is_empty() {
            return Progress::Stuck(State::Chunk(self), Step::NeedInput);
        }
        let piece = take(inbox, &mut self.left_octets);
        self.content.ends.look(&piece);
        if !too_large && self.content.ends.fault().is_none() {
            connection.steps.push_back(Step::Content(piece));
        }
        Progress::Moved(State::Chunk(self))
    }

    fn end(self, too_large: bool, connection: &mut Connection) -> State {
        let Chunk { ready, mut content, chunk_octets, last, .. } = self;
        let open = last && !content.ends.finish();
        let fault = content.ends.fault().map(ContentFault::Body).or(too_large.then_some(ContentFault::TooLarge));
        if fault.is_none() && !last {
            connection.send(Reply::new(reply::CONTENT_OK, format!("{chunk_octets} octets received")));
            return State::Listening(Listening::Between(Between { ready, content }));
        }
        let Content { replies, mut octets, .. } = content;
        if fault.is_none() && open && octets > 0 {
            // The store, IMAP and DATA know whole lines only; signatures do not see this line end (RFC 6376 3.4.3).
            connection.steps.push_back(Step::Content(b"\r\n".to_vec()));
            octets += 2;
        }
        connection.ask(Question::ContentEnd { octets, ended_by: EndedBy::BdatLast, fault });
        // A chunk that is not the last has one reply whatever it holds.
        let replies = if last { replies } else { 1 };
        State::Waiting(Waiting::ContentEnd { ready, fault, replies })
    }
}

impl Discard {
    /// Skips a chunk, then gives `reply` and goes to `then`.
    pub fn begin(octets: u64, reply: Reply, counted: bool, then: Listening, connection: &mut Connection) -> State {
        if far_too_large(octets, connection) {
            return connection.cut(cut_reply(), State::Listening(then));
        }
        State::Discard(Discard { left_octets: octets, reply, counted, then: Box::new(then) })
    }

    pub fn advance(mut self, connection: &mut Connection, inbox: &mut Inbox) -> Progress {
        if self.left_octets == 0 {
            let state = State::Listening(*self.then);
            if self.counted {
                return Progress::Moved(connection.bad(self.reply, state));
            }
            connection.send(self.reply);
            return Progress::Moved(state);
        }
        if inbox.is_empty() {
            return Progress::Stuck(State::Discard(self), Step::NeedInput);
        }
        take(inbox, &mut self.left_octets);
        Progress::Moved(State::Discard(self))
    }
}

fn take(inbox: &mut Inbox, left_octets: &mut u64) -> Vec<u8> {
    let there = inbox.rest();
    let count = usize::try_from(*left_octets).unwrap_or(usize::MAX).min(there.len());
    let piece = there[..count].to_vec();
    inbox.consume(count);
    *left_octets -= count as u64;
    piece
}

fn far_too_large(octets: u64, connection: &Connection) -> bool {
    octets > connection.config.size_octets_max.saturating_mul(PATIENCE_TIMES)
}

fn cut_reply() -> Reply {
    Reply::new(reply::CUT_OFF, "The chunk is far larger than SIZE allows")
}
