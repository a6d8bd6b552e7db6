//! One line of log per outcome, always with the same keys; the same facts for the counters and for whoever watches.
//! Addresses are facts for the operator; content and secrets never come here.

use std::fmt;
use std::net::IpAddr;

use decide::{Reason, Refusal};
use mail::Code;

/// A longer Message-ID is kept nowhere.
const MESSAGE_ID_OCTETS_MAX: usize = 512;

/// Where a connection comes from and what it speaks to, as logs name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    pub listener: String,
    pub class: String,
    /// The socket's address.
    pub client: IpAddr,
    /// The address the session believes; differs where the site says so.
    pub seen_as: IpAddr,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    TurnedAway,
    LoggedIn,
    LoginRefused,
    MailRefused,
    RecipientRefused,
    ContentRefused,
    Accepted,
    /// A sender came to `warn_at` of a limit.
    NearLimit,
    /// A limit that only watches would have refused it.
    WouldRefuse,
    Quarantined,
    Delivered,
    Sunk,
    Deferred,
    /// A next hop refused it for good.
    NotDelivered,
}

impl Event {
    pub fn word(self) -> &'static str {
        match self {
            Event::TurnedAway => "turned-away",
            Event::LoggedIn => "logged-in",
            Event::LoginRefused => "login-refused",
            Event::MailRefused => "mail-refused",
            Event::RecipientRefused => "recipient-refused",
            Event::ContentRefused => "content-refused",
            Event::Accepted => "accepted",
            Event::NearLimit => "near-limit",
            Event::WouldRefuse => "would-refuse",
            Event::Quarantined => "quarantined",
            Event::Delivered => "delivered",
            Event::Sunk => "sunk",
            Event::Deferred => "deferred",
            Event::NotDelivered => "not-delivered",
        }
    }
}

impl Event {
    /// May strangers make it happen as often as they please? Then its lines are bounded.
    pub(crate) fn is_loud(self) -> bool {
        match self {
            Event::TurnedAway | Event::LoginRefused | Event::MailRefused | Event::RecipientRefused => true,
            Event::LoggedIn
            | Event::ContentRefused
            | Event::Accepted
            | Event::NearLimit
            | Event::WouldRefuse
            | Event::Quarantined
            | Event::Delivered
            | Event::Sunk
            | Event::Deferred
            | Event::NotDelivered => false,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One outcome. `rule` and `reason` are empty when nothing refused.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub event: Event,
    pub queue_id: String,
    pub reason: Option<Reason>,
    pub code: Option<Code>,
    pub rule: String,
    /// The reverse-path, forward-path or login it is about.
    pub about: String,
    /// Of an accepted message; empty where it is not known.
    pub message_id: String,
    /// What a next hop answered, or why it was not asked.
    pub said: String,
    /// Absent for what the server does by itself.
    pub peer: Option<Peer>,
}

impl Outcome {
    pub fn refused(event: Event, refusal: &Refusal, about: impl fmt::Display) -> Outcome {
        Outcome {
            event,
            queue_id: String::new(),
            reason: Some(refusal.reason),
            code: Some(refusal.code),
            rule: refusal.rule.clone(),
            about: about.to_string(),
            message_id: String::new(),
            said: String::new(),
            peer: None,
        }
    }

    pub fn done(event: Event, about: impl fmt::Display) -> Outcome {
        Outcome {
            event,
            queue_id: String::new(),
            reason: None,
            code: None,
            rule: String::new(),
            about: about.to_string(),
            message_id: String::new(),
            said: String::new(),
            peer: None,
        }
    }

    #[must_use]
    pub fn saying(self, said: &str) -> Outcome {
        Outcome { said: said.to_owned(), ..self }
    }

    /// The Message-ID of `header`.
    #[must_use]
    pub fn with_message_id(self, header: &[u8]) -> Outcome {
        let found = mail::header::find(header, "message-id").map(|field| field.text()).unwrap_or_default();
        let message_id = if found.len() <= MESSAGE_ID_OCTETS_MAX { found } else { String::new() };
        Outcome { message_id, ..self }
    }

    #[must_use]
    pub fn of(self, queue_id: impl fmt::Display) -> Outcome {
        Outcome { queue_id: queue_id.to_string(), ..self }
    }

    #[must_use]
    pub fn from_peer(self, peer: &Peer) -> Outcome {
        Outcome { peer: Some(peer.clone()), ..self }
    }

    /// Writes the line.
    pub(crate) fn log(&self, plan: &str) {
        let reason = self.reason.map_or("", Reason::word);
        let enhanced = self.code.and_then(|code| code.enhanced).map(|code| code.to_string()).unwrap_or_default();
        let peer = self.peer.as_ref();
        tracing::info!(
            queue_id = self.queue_id,
            reason,
            enhanced,
            listener = peer.map_or("", |peer| peer.listener.as_str()),
            class = peer.map_or("", |peer| peer.class.as_str()),
            client = peer.map(|peer| tracing::field::display(peer.client)),
            seen_as = peer.map(|peer| tracing::field::display(peer.seen_as)),
            rule = self.rule,
            plan,
            about = self.about,
            said = self.said,
            "{}",
            self.event
        );
    }
}
