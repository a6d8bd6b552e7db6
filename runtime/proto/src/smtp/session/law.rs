//! What must hold of a session whatever a client sends.

use mail::reply::{self, REPLY_LINE_OCTETS_MAX, Reply};

use super::{Config, Question, Session, Step};
use crate::smtp::content::LineEnds;

/// Everything a session did. What is said may not depend on how the octets arrive.
#[derive(Debug, Default, PartialEq, Eq)]
struct Transcript {
    wire: Vec<u8>,
    asked: Vec<Question>,
    /// Contents that are whole and without a fault.
    contents: Vec<Vec<u8>>,
    /// Of the content that comes. How much is given out in front of a fault depends on the pieces.
    content: Vec<u8>,
    abandoned: usize,
    /// The client may start TLS: what it sent before in the same piece is thrown away, so that splits differ.
    secured: bool,
    closed: bool,
}

/// Talks with a session in pieces of `size` and in one piece. A `moody` driver refuses every third question.
pub(super) fn check(config: &Config, moody: bool, size: usize, input: &[u8]) {
    let split = talk(config, moody, size.max(1), input);
    let whole = talk(config, moody, input.len().max(1), input);
    if !split.secured && !whole.secured {
        assert_eq!(split, whole, "in pieces of {size}");
    }
}

fn talk(config: &Config, moody: bool, size: usize, input: &[u8]) -> Transcript {
    let mut session = Session::new(config.clone());
    let mut transcript = Transcript::default();
    for piece in input.chunks(size) {
        if transcript.closed {
            break;
        }
        session.feed(piece);
        loop {
            match session.next() {
                Step::NeedInput => break,
                step => transcript.take(step, config, moody, &mut session),
            }
            if transcript.closed {
                break;
            }
        }
    }
    transcript.content.clear();
    transcript
}

impl Transcript {
    fn take(&mut self, step: Step, config: &Config, moody: bool, session: &mut Session) {
        match step {
            Step::Send(reply) => self.reply(&reply),
            Step::StartTls => {
                self.secured = true;
                session.tls_started();
                // RFC 3207 6: nothing that came in the clear is answered.
                assert_eq!(session.next(), Step::NeedInput, "what came before TLS is believed");
            }
            Step::Ask(question) => {
                self.content(&question, config);
                self.asked.push(question);
                let refused = moody && self.asked.len().is_multiple_of(3);
                let question = self.asked.last().expect("just pushed");
                session.answer(if refused { Reply::new(reply::TROUBLE, "Not now") } else { agreeable(question) });
            }
            Step::Content(octets) => {
                assert!(!octets.is_empty(), "content that is none");
                self.content.extend_from_slice(&octets);
                assert!(self.content.len() as u64 <= most(config), "{} octets given out", self.content.len());
            }
            Step::Abandoned(_) => {
                self.content.clear();
                self.abandoned += 1;
            }
            Step::Close => self.closed = true,
            Step::NeedInput | Step::NeedAnswer => panic!("every question was answered"),
        }
    }

    /// A reply is lines of its code within their length, and nothing a client sent ends one early.
    fn reply(&mut self, reply: &Reply) {
        let mut wire = Vec::new();
        reply.render(&mut wire);
        let text = String::from_utf8(wire.clone()).expect("replies are text");
        assert!(text.ends_with("\r\n"), "{text:?}");
        for line in text.trim_end_matches("\r\n").split("\r\n") {
            assert!(line.len() + 2 <= REPLY_LINE_OCTETS_MAX, "{} octets", line.len());
            assert!(line.starts_with(&reply.code.basic.to_string()) && !line.contains(char::is_control), "{line:?}");
        }
        self.wire.extend(wire);
    }

    /// A content without a fault is whole, within its size, and safe to hand on.
    fn content(&mut self, question: &Question, config: &Config) {
        match question {
            Question::ContentStart { .. } => self.content.clear(),
            Question::ContentEnd { octets, fault: None, .. } => {
                assert_eq!(self.content.len() as u64, *octets, "content was lost");
                assert!(*octets <= most(config), "{octets} octets");
                let mut ends = LineEnds::default();
                ends.look(&self.content);
                ends.finish();
                assert_eq!(ends.fault(), None, "{}", self.content.escape_ascii());
                self.contents.push(std::mem::take(&mut self.content));
            }
            _ => {}
        }
    }
}

/// Octets of the largest content: behind the last chunk of BDAT a line end may be ours.
fn most(config: &Config) -> u64 {
    config.size_octets_max + 2
}

/// The reply that accepts.
fn agreeable(question: &Question) -> Reply {
    let code = match question {
        Question::Authenticate { .. } => reply::AUTHENTICATED,
        Question::Mail { .. } => reply::SENDER_OK,
        Question::Recipient { .. } => reply::RECIPIENT_OK,
        Question::ContentStart { .. } => reply::START_INPUT,
        Question::ContentEnd { .. } => reply::CONTENT_OK,
    };
    Reply::new(code, "OK")
}
