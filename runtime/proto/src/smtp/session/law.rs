//! What must hold of a session whatever a client sends.

use mail::Body;
use mail::reply::{self, REPLY_LINE_OCTETS_MAX, Reply};

use super::{Config, EndedBy, Question, Session, Step, TlsMode, is_enhanced};
use crate::sasl::{Bindings, Claim, Salt};
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
    body: Body,
    /// RCPT commands that were accepted since MAIL.
    accepted: usize,
    abandoned: usize,
    /// The client may start TLS, or tells for whom it speaks: what it sent behind that in the same piece is not believed, so
    /// that splits differ.
    alone: bool,
    closed: bool,
}

/// Talks with a session in pieces of `size` and in one piece. A `moody` driver refuses every third question.
pub(super) fn check(config: &Config, moody: bool, size: usize, input: &[u8]) {
    let split = talk(config, moody, size.max(1), input);
    let whole = talk(config, moody, input.len().max(1), input);
    if !split.alone && !whole.alone {
        assert_eq!(split, whole, "in pieces of {size}");
    }
}

fn talk(config: &Config, moody: bool, size: usize, input: &[u8]) -> Transcript {
    let mut session = Session::new(config.clone());
    if config.tls == TlsMode::Active {
        session.set_bindings(bindings());
    }
    let mut transcript = Transcript::default();
    for piece in input.chunks(size) {
        if transcript.closed {
            break;
        }
        session.feed(piece);
        loop {
            match session.next() {
                Step::NeedInput => break,
                Step::Content(octets) => {
                    assert!(octets.len() <= piece.len() + 2, "content comes from the input");
                    transcript.content_came(&octets, config);
                }
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
                self.alone = true;
                session.tls_started();
                session.set_bindings(bindings());
                // RFC 3207 6: nothing that came in the clear is answered.
                assert_eq!(session.next(), Step::NeedInput, "what came before TLS is believed");
            }
            Step::Ask(question) => self.asked(question, config, moody, session),
            Step::Abandoned(_) => {
                self.content.clear();
                self.abandoned += 1;
            }
            Step::Close => self.closed = true,
            Step::NeedInput | Step::NeedAnswer | Step::Content(_) => panic!("every question was answered"),
        }
    }

    fn content_came(&mut self, octets: &[u8], config: &Config) {
        assert!(!octets.is_empty(), "content that is none");
        self.content.extend_from_slice(octets);
        assert!(self.content.len() as u64 <= most(config), "{} octets given out", self.content.len());
    }

    fn asked(&mut self, question: Question, config: &Config, moody: bool, session: &mut Session) {
        self.asked.push(question.clone());
        let refused = moody && self.asked.len().is_multiple_of(3);
        let reply = if refused { Reply::new(reply::TROUBLE, "Not now") } else { agreeable(&question) };
        match &question {
            Question::Salt { login } => {
                assert!(!login.is_empty() && !login.contains('\0'), "{login:?}");
                if !refused {
                    return session.answer_salt(&Salt { octets: vec![7; 16], iterations: 4_096, nonce: "n".into() });
                }
            }
            Question::Authenticate { claim: Claim::Scram(_), .. } if !refused => {
                return session.answer_signed(reply, vec![1; 32]);
            }
            Question::Told(_) => {
                assert!(config.xclient, "a stranger tells for whom it speaks");
                self.alone = true;
            }
            Question::Mail { parameters, .. } => {
                self.body = parameters.body;
                self.accepted = 0;
            }
            Question::Recipient { .. } => self.accepted += usize::from(!refused),
            Question::ContentStart { way } => {
                self.content.clear();
                assert!(self.accepted > 0, "a content for nobody");
                assert!(*way == EndedBy::BdatLast || self.body != Body::BinaryMime, "DATA for octets of any kind");
            }
            Question::ContentEnd { .. } => return self.content_ended(&question, reply, config, session),
            Question::Authenticate { .. } => {}
        }
        session.answer(reply);
    }

    /// A content is judged and gets one reply, under LMTP one for each recipient (RFC 2033 4.2), whichever each of them is.
    fn content_ended(&mut self, question: &Question, reply: Reply, config: &Config, session: &mut Session) {
        self.content(question, config);
        let Question::ContentEnd { fault, ended_by, .. } = question else { return };
        let expected = if config.lmtp { self.accepted } else { 1 };
        let refusal = || Reply::new(reply::TROUBLE, "Not for everybody");
        let replies = (0..expected).map(|at| if at % 3 == 1 { refusal() } else { reply.clone() }).collect();
        session.answer_each(replies);
        for at in 0..expected {
            // A chunk that is not the last is refused at once.
            if at == 1 && fault.is_some() && *ended_by == EndedBy::BdatLast {
                break;
            }
            match session.next() {
                Step::Send(reply) => {
                    assert!(fault.is_none() || !reply.code.is_positive(), "a bad content was taken");
                    self.reply(&reply);
                }
                step => panic!("{step:?} in place of reply {at} of {expected}"),
            }
        }
    }

    /// A reply is lines of its code within their length, and nothing a client sent ends one early.
    fn reply(&mut self, reply: &Reply) {
        assert!(is_enhanced(reply), "{reply:?}");
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

    /// A content without a fault is whole, within its size, and safe to hand on; of a binary one the header is.
    fn content(&mut self, question: &Question, config: &Config) {
        if let Question::ContentEnd { octets, fault: None, .. } = question {
            assert_eq!(self.content.len() as u64, *octets, "content was lost");
            assert!(*octets <= most(config), "{octets} octets");
            let mut ends = LineEnds::of(self.body);
            ends.look(&self.content);
            ends.finish();
            assert_eq!(ends.fault(), None, "{}", self.content.escape_ascii());
            self.contents.push(std::mem::take(&mut self.content));
        }
        self.content.clear();
    }
}

/// Octets of the largest content: behind the last chunk of BDAT a line end may be ours.
fn most(config: &Config) -> u64 {
    config.size_octets_max + 2
}

fn bindings() -> Bindings {
    Bindings { exporter: Some(vec![1; 32]), end_point: None }
}

/// The reply that accepts.
fn agreeable(question: &Question) -> Reply {
    let code = match question {
        Question::Salt { .. } => reply::AUTH_LATER,
        Question::Told(_) => reply::GREETING,
        Question::Authenticate { .. } => reply::AUTHENTICATED,
        Question::Mail { .. } => reply::SENDER_OK,
        Question::Recipient { .. } => reply::RECIPIENT_OK,
        Question::ContentStart { .. } => reply::START_INPUT,
        Question::ContentEnd { .. } => reply::CONTENT_OK,
    };
    Reply::new(code, "OK")
}
