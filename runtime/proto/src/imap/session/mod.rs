//! The session: what a driver sees of an IMAP connection.

use super::question::{Answer, MailboxId, Question};

/// What a session needs to know about the place it runs at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Name in the greeting.
    pub host: String,
    /// Largest message APPEND takes, in octets.
    pub append_octets_max: u64,
}

/// What the driver does next. It calls `Session::next` again after each step except `Close`.
#[derive(Debug)]
pub enum Step {
    /// Write all of it to the client before the next step: that is the back-pressure.
    Send(Vec<u8>),
    /// Read from the client, then `feed`. A change of the mailbox is of no interest now.
    NeedInput,
    /// IDLE: read from the client and `feed`, or learn that the selected mailbox changed and say `changed`.
    Idle,
    /// Ask the store, then `answer`.
    Ask(Question),
    /// More octets of the message that `Question::AppendStart` announced.
    AppendChunk(Vec<u8>),
    /// The message will not come: forget it.
    AppendAbort,
    /// Close the connection.
    Close,
}

/// One connection.
pub struct Session {
    config: Config,
}

impl Session {
    /// A connection over TLS that may log in; the greeting is the first step.
    pub fn new(config: Config) -> Session {
        Session { config }
    }

    /// A connection that is turned away: `BYE` with this text and nothing else (RFC 9051 7.1.5).
    pub fn turned_away(text: &str) -> Session {
        let _ = text;
        Session { config: Config { host: String::new(), append_octets_max: 0 } }
    }

    /// Octets from the client. The driver reads only after `NeedInput` and `Idle`.
    pub fn feed(&mut self, octets: &[u8]) {
        let _ = (octets, &self.config);
    }

    pub fn next(&mut self) -> Step {
        Step::Close
    }

    /// The answer to the question of the last step.
    pub fn answer(&mut self, answer: Answer) {
        let _ = answer;
    }

    /// The selected mailbox changed. Matters after `Idle` only; harmless elsewhere.
    pub fn changed(&mut self) {}

    /// The mailbox to watch.
    pub fn selected(&self) -> Option<MailboxId> {
        None
    }

    /// Seconds the client may keep silent now; then the driver says `end`.
    pub fn timeout_s(&self) -> u32 {
        60
    }

    /// Says `BYE` with this text after whatever is still to be sent, and closes. For time-outs and shutdown.
    pub fn end(&mut self, text: &str) {
        let _ = text;
    }
}
