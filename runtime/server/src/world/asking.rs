//! Asks a next hop whether it knows a recipient (`recipients: AskThere`), and remembers the answer.
//!
//! Several who ask about one address wait for one answer. What a next hop does not know for sure is nobody's "unknown".

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mail::Address;
use plan::NextHop;
use proto::smtp::client::{Outcome, Protocol, Stage};
use tokio::sync::OnceCell;

use crate::outbound;
use crate::service::Service;

/// A client waits for an answer at most so long.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// Trouble is believed for so long.
const TROUBLE_KEPT: Duration = Duration::from_secs(30);
/// Answers remembered.
const KEPT_MAX: usize = 50_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    Yes,
    No,
    /// Ask again later.
    Unsure,
}

struct Entry {
    answer: Arc<OnceCell<Known>>,
    until: Instant,
}

/// Answers by next hop and address.
#[derive(Default)]
pub struct Asked {
    entries: Mutex<HashMap<(String, String), Entry>>,
}

impl Asked {
    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String), Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place of an answer, which may have to be found yet.
    fn place(&self, key: &(String, String)) -> Arc<OnceCell<Known>> {
        let now = Instant::now();
        let mut entries = self.lock();
        if let Some(entry) = entries.get(key).filter(|entry| entry.until > now) {
            return entry.answer.clone();
        }
        if entries.len() >= KEPT_MAX {
            entries.retain(|_, entry| entry.until > now);
        }
        if entries.len() >= KEPT_MAX {
            entries.clear();
        }
        let answer = Arc::new(OnceCell::new());
        entries.insert(key.clone(), Entry { answer: answer.clone(), until: now + ANSWER_MAX });
        answer
    }

    fn keep(&self, key: &(String, String), answer: &Arc<OnceCell<Known>>, kept: Duration) {
        if let Some(entry) = self.lock().get_mut(key).filter(|entry| Arc::ptr_eq(&entry.answer, answer)) {
            entry.until = Instant::now() + kept;
        }
    }
}

/// Does `next_hop` know `address`? Answers are believed for `cache_s` seconds.
pub async fn ask(service: &Arc<Service>, next_hop: &NextHop, address: &Address, cache_s: u64) -> Known {
    let (host, protocol) = match next_hop {
        NextHop::Smtp(host) => (host, Protocol::Smtp),
        NextHop::Lmtp(host) => (host, Protocol::Lmtp),
    };
    let key = (host.clone(), address.folded());
    let place = service.world.asked.place(&key);
    let asking = place.get_or_init(|| async {
        let known = meaning(&outbound::ask(service, host, protocol, address).await);
        let kept = if known == Known::Unsure { TROUBLE_KEPT } else { Duration::from_secs(cache_s) };
        service.world.asked.keep(&key, &place, kept);
        known
    });
    tokio::time::timeout(ANSWER_MAX, asking).await.map_or(Known::Unsure, |known| *known)
}

/// What an answer to RCPT says of the recipient (RFC 3463 3.2: 5.1.z is about the address).
fn meaning(outcome: &Outcome) -> Known {
    match outcome {
        Outcome::Delivered(_) => Known::Yes,
        Outcome::Refused { stage: Stage::Recipient, reply } => match (reply.code.basic, reply.code.enhanced) {
            (500.., Some(mail::EnhancedCode(5, 1, _))) | (550, None) => Known::No,
            // What directories in front of mail stores say of unknown addresses.
            (550, Some(mail::EnhancedCode(5, 4, 1))) => Known::No,
            _ => Known::Unsure,
        },
        Outcome::Refused { .. } | Outcome::Broken { .. } => Known::Unsure,
    }
}

#[cfg(test)]
mod tests {
    use mail::{Code, Reply};

    use super::*;

    #[test]
    fn only_a_refusal_of_the_address_is_an_unknown_recipient() {
        let at = |stage, code| Outcome::Refused { stage, reply: Reply::new(code, "x") };
        let cases = [
            (at(Stage::Recipient, Code::new(550, 5, 1, 1)), Known::No),
            (at(Stage::Recipient, Code { basic: 550, enhanced: None }), Known::No),
            (at(Stage::Recipient, Code::new(550, 5, 7, 1)), Known::Unsure),
            (at(Stage::Recipient, Code::new(451, 4, 1, 1)), Known::Unsure),
            (at(Stage::Recipient, Code::new(552, 5, 2, 2)), Known::Unsure),
            (at(Stage::Mail, Code::new(550, 5, 1, 8)), Known::Unsure),
            (Outcome::Delivered(Reply::new(Code::new(250, 2, 1, 5), "x")), Known::Yes),
        ];
        for (outcome, known) in cases {
            assert_eq!(meaning(&outcome), known, "{outcome:?}");
        }
    }
}
