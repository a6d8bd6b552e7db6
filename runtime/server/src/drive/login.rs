//! A login, the same for SMTP and IMAP: limits on guessing, the password, limits again.

use decide::{Account, ClassId, Guess, Guesses, Reason, Refusal, address_key};
use mail::{Login, reply};
use proto::sasl::Credentials;
use store::PersonRow;

use crate::outcome::{Event, Outcome, Peer};
use crate::passwords::{Attempt, Checked};
use crate::service::Service;

/// Who logs in with these credentials. A refusal is logged and counted here.
pub async fn authenticate(
    service: &Service,
    peer: &Peer,
    class: ClassId,
    credentials: &Credentials,
) -> Result<Account, Refusal> {
    match judge(service, peer, class, credentials).await {
        Ok(account) => {
            service.metrics.logins.with_label_values(&["good"]).inc();
            service.outcome(Outcome::done(Event::LoggedIn, &account.login).from_peer(peer));
            Ok(account)
        }
        Err(refusal) => {
            let result = if refusal.reason == Reason::LoginFailed { "failed" } else { "later" };
            service.metrics.logins.with_label_values(&[result]).inc();
            // What was typed as a login may be a password: only what names somebody is told.
            let typed = Login::new(&credentials.login).map(|login| login.to_string()).unwrap_or_default();
            service.outcome(Outcome::refused(Event::LoginRefused, &refusal, typed).from_peer(peer));
            Err(refusal)
        }
    }
}

async fn judge(service: &Service, peer: &Peer, class: ClassId, credentials: &Credentials) -> Result<Account, Refusal> {
    let guess = Guess { login: &credentials.login, class, address: peer.seen_as };
    let guesses = Guesses::of(&service.tables, guess);
    let allowed = || guesses.check(&service.tables, &service.rings(), service.clock.now());
    allowed()?;
    let person = person(service, &credentials.login)?;
    let attempt = Attempt {
        login: &credentials.login,
        secret: &credentials.secret,
        verifier: person.as_ref().and_then(|row| row.verifier.as_deref()),
        address: &address_key(peer.seen_as),
    };
    let checked = service.passwords.check(attempt, allowed).await?;
    // Many logins at once all passed the first looks: whoever comes back to a full window is not told.
    allowed()?;
    match (checked, person) {
        (Checked::Right, Some(row)) => Ok(Account { login: row.person.login, profile: row.person.profile }),
        (Checked::Busy, _) => Err(later("the server has many logins to check, try later")),
        (Checked::Right | Checked::Wrong, _) => {
            let hash = service.passwords.guess_of(&credentials.login, &credentials.secret);
            guesses.failed(&service.tables, &mut service.rings(), hash, service.clock.now());
            Err(Refusal::new(reply::AUTH_FAILED, Reason::LoginFailed, "logins", "wrong login or password"))
        }
    }
}

fn person(service: &Service, typed: &str) -> Result<Option<PersonRow>, Refusal> {
    let Some(login) = Login::new(typed) else { return Ok(None) };
    service.store.person(&login).map_err(|error| {
        tracing::error!("the directory cannot be read: {error}");
        later("logins cannot be checked now, try later")
    })
}

fn later(text: &str) -> Refusal {
    Refusal::new(reply::AUTH_LATER, Reason::StoreTrouble, "", text)
}
