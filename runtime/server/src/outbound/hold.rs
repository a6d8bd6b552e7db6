//! What keeps a message in the spool: what is written beside it, or a hold on everything its sender's account sends. The
//! second is asked of the account at each try, so that a hold begins at once for all that waits, whatever a crash cuts short.

use mail::Login;
use queue::MessageFacts;

use crate::clock;
use crate::service::Service;

/// Why nobody tries it now: for people. `None` when it may go.
pub fn held_because(service: &Service, facts: &MessageFacts) -> Option<String> {
    if facts.held {
        let because = facts.held_because.as_str();
        return Some(if because.is_empty() { "held by an operator".to_owned() } else { because.to_owned() });
    }
    let login = facts.login.as_deref().filter(|_| !facts.let_go).and_then(Login::new)?;
    let standing = service.standings.of(&login);
    if let Some(contained) = &standing.contained {
        return Some(format!("{login} is contained: {}", contained.because));
    }
    standing.outgoing_hold(clock::unix_s()).map(|lock| format!("what {login} sends is held: {}", lock.because))
}

/// Does anything keep it?
pub fn is_held(service: &Service, facts: &MessageFacts) -> bool {
    held_because(service, facts).is_some()
}
