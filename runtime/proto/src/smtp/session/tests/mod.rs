//! Tests of the session against a scripted responder: one place of work with one mailbox and one login.

mod content;
mod extensions;
mod limits;
mod lmtp;
mod login;
mod order;
mod splits;
mod xclient;

use mail::reply::{self, Reply};

use super::*;
use crate::sasl::Secret;

pub(super) fn mx() -> Config {
    Config {
        host: "mx.example".parse().unwrap(),
        tls: TlsMode::Offered,
        auth: AuthMode::Never,
        mechanisms: Vec::new(),
        size_octets_max: 1_000,
        rcpt_max: 100,
        smtputf8: true,
        dsn: false,
        lmtp: false,
        xclient: false,
    }
}

pub(super) fn submission() -> Config {
    Config {
        tls: TlsMode::Required,
        auth: AuthMode::Required,
        mechanisms: vec![Mechanism::Plain, Mechanism::Login],
        rcpt_max: 50,
        ..mx()
    }
}

pub(super) fn submission_under_tls() -> Config {
    Config { tls: TlsMode::Active, ..submission() }
}

/// What a connection led to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Talk {
    /// One word or code a step: replies by their code, other steps by name.
    pub steps: Vec<String>,
    /// All lines of all replies.
    pub text: String,
    /// Contents that were accepted.
    pub messages: Vec<Vec<u8>>,
}

/// The answers of a small place: `a@here.example` exists, `full@here.example` is full, `toto-j` has the password
/// `secret`, `refused@there.example` may send nothing.
fn respond(question: &Question) -> Reply {
    match question {
        Question::Salt { .. } => panic!("answered by itself"),
        Question::Authenticate { claim, .. } => {
            let right = match claim {
                Claim::Password(it) => it.login == "toto-j" && it.secret == Secret::new("secret"),
                Claim::Scram(proof) => proof.proof == [7; 32],
                Claim::Token(bearer) => bearer.token == Secret::new("secret"),
            };
            Reply::new(if right { reply::AUTHENTICATED } else { reply::AUTH_FAILED }, "said")
        }
        Question::Told(_) => Reply::new(reply::GREETING, "again"),
        Question::Mail { reverse_path, .. } => {
            let refused = reverse_path.to_string().starts_with("<refused@");
            Reply::new(if refused { reply::WINDOW_FULL } else { reply::SENDER_OK }, "said")
        }
        Question::Recipient { forward_path, .. } => {
            let code = match forward_path {
                ForwardPath::Postmaster => reply::RECIPIENT_OK,
                ForwardPath::Malformed(_) => reply::MAILBOX_MALFORMED,
                ForwardPath::Address(address) => match address.local() {
                    "a" | "é" => reply::RECIPIENT_OK,
                    "full" => reply::MAILBOX_FULL_NOW,
                    "cut" => reply::CUT_OFF,
                    _ => reply::MAILBOX_UNKNOWN,
                },
            };
            Reply::new(code, "said")
        }
        Question::ContentStart { .. } => Reply::new(reply::START_INPUT, "Go on"),
        Question::ContentEnd { octets, .. } => Reply::new(reply::CONTENT_OK, format!("{octets} octets")),
    }
}

/// Feeds `input` in the pieces whose lengths `pieces` gives, over and over.
pub(super) fn talk(mut session: Session, input: &[u8], pieces: &[usize]) -> Talk {
    let mut talk = Talk::default();
    let mut content = Vec::new();
    let mut rest = input;
    let mut lengths = pieces.iter().cycle();
    loop {
        match session.next() {
            Step::NeedInput if rest.is_empty() => return talk,
            Step::NeedInput => {
                let length = lengths.next().map_or(1, |length| (*length).clamp(1, rest.len()));
                session.feed(&rest[..length]);
                rest = &rest[length..];
            }
            Step::Send(reply) => {
                assert!(is_enhanced(&reply), "{reply:?}");
                talk.steps.push(reply.code.to_string());
                let mut wire = Vec::new();
                reply.render(&mut wire);
                talk.text.push_str(std::str::from_utf8(&wire).unwrap());
            }
            Step::Ask(Question::Salt { .. }) => {
                session.answer_salt(&Salt { octets: vec![1; 16], iterations: 4_096, nonce: "s".into() });
            }
            Step::Ask(question) => {
                assert!(session.is_waiting() && session.next() == Step::NeedAnswer);
                let reply = respond(&question);
                let sound = matches!(question, Question::ContentEnd { fault: None, .. });
                if let Question::ContentEnd { octets, fault, .. } = question {
                    let whole = std::mem::take(&mut content);
                    if fault.is_none() {
                        assert_eq!(octets, whole.len() as u64, "octets are those given out");
                        talk.messages.push(whole);
                    }
                }
                if session.connection.config.lmtp && sound {
                    // Whoever comes second has no room.
                    session.answer_each(vec![reply, Reply::new(reply::MAILBOX_FULL_NOW, "said")]);
                } else {
                    session.answer(reply);
                }
            }
            Step::Content(piece) => {
                assert!(!piece.is_empty());
                content.extend_from_slice(&piece);
            }
            Step::Abandoned(why) => {
                content.clear();
                talk.steps.push(format!("{why:?}"));
            }
            Step::StartTls => {
                talk.steps.push("TLS".into());
                session.tls_started();
            }
            Step::Close => {
                assert_eq!(session.next(), Step::Close);
                talk.steps.push("close".into());
                return talk;
            }
            Step::NeedAnswer => panic!("every question is answered"),
        }
    }
}

/// Runs `script`, one command a line, and compares the steps after the greeting.
#[track_caller]
pub(super) fn check(config: Config, script: &[&str], expected: &[&str]) -> Talk {
    let input: String = script.iter().map(|line| format!("{line}\r\n")).collect();
    let found = talk(Session::new(config), input.as_bytes(), &[usize::MAX]);
    assert_eq!(found.steps[0], "220", "the greeting");
    assert_eq!(found.steps[1..], *expected, "\n{}", found.text);
    found
}
