//! The content after 354 (RFC 5321 4.1.1.4). What is too large or malformed is read to its end and dropped, so that the
//! connection goes on; ten times too large is cut.

use mail::reply::{self, Reply};

use super::connection::Connection;
use super::state::{Progress, Ready, State, Waiting};
use super::{ContentFault, EndedBy, Question, Step};
use crate::line::Inbox;
use crate::smtp::content::Unstuffer;

/// A client that sends this many times the allowed size does not listen.
pub(super) const PATIENCE_TIMES: u64 = 10;

#[derive(Debug)]
pub(super) struct Data {
    pub ready: Ready,
    /// Replies the content gets.
    replies: u64,
    unstuffer: Unstuffer,
}

impl Data {
    pub fn begin(ready: Ready, replies: u64) -> Data {
        Data { ready, replies, unstuffer: Unstuffer::default() }
    }

    pub fn advance(mut self, connection: &mut Connection, inbox: &mut Inbox) -> Progress {
        if inbox.is_empty() {
            return Progress::Stuck(State::Data(self), Step::NeedInput);
        }
        let size_octets_max = connection.config.size_octets_max;
        let mut content = Vec::with_capacity(inbox.rest().len() + 1);
        let decoded = self.unstuffer.decode(inbox.rest(), &mut content);
        inbox.consume(decoded.consumed);
        let octets = self.unstuffer.octets();
        if octets > size_octets_max.saturating_mul(PATIENCE_TIMES) {
            let reply = Reply::new(reply::CUT_OFF, "The message is far larger than SIZE allows");
            return Progress::Moved(connection.cut(reply, State::Data(self)));
        }
        let body = self.unstuffer.fault().map(ContentFault::Body);
        let fault = body.or((octets > size_octets_max).then_some(ContentFault::TooLarge));
        if fault.is_none() && !content.is_empty() {
            connection.steps.push_back(Step::Content(content));
        }
        if !decoded.ended {
            return Progress::Moved(State::Data(self));
        }
        connection.ask(Question::ContentEnd { octets, ended_by: EndedBy::Dot, fault });
        Progress::Moved(State::Waiting(Waiting::ContentEnd { ready: self.ready, fault, replies: self.replies }))
    }
}
