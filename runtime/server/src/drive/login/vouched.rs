//! A sign-in at the portal by the word of somebody else (`identity.sign_in`), under the limits of all logins.

use std::sync::Arc;

use decide::{Account, ClassId, Reason, Refusal, address_key};
use mail::reply;

use super::{LoggedIn, delayed, enter, guesses, hash, is_barred, later, person, refused, told};
use crate::outcome::Peer;
use crate::passwords;
use crate::service::Service;
use crate::vouch::{Brought, NotVouched, Outing, Ways};

/// Who comes back with a code or a ticket. Like a token without a name it is limited by the address it comes from, and only
/// asked about while that may try. That nobody vouches, that nobody here has the login, and that it is barred look the same.
pub async fn vouched(
    service: &Arc<Service>,
    peer: &Peer,
    class: ClassId,
    ways: &Ways,
    outing: &Outing,
    brought: &Brought,
) -> Result<LoggedIn, Refusal> {
    let judged = judge(service, peer, class, ways, outing, brought).await;
    match judged.and_then(|found| enter(service, peer, found)) {
        Ok(logged_in) => Ok(told(service, peer, logged_in, ways.word(outing)).await),
        Err(refusal) => {
            let refusal = refused(service, peer, "", refusal);
            if refusal.reason == Reason::LoginFailed {
                delayed(service, peer, class, None).await;
            }
            Err(refusal)
        }
    }
}

async fn judge(
    service: &Service,
    peer: &Peer,
    class: ClassId,
    ways: &Ways,
    outing: &Outing,
    brought: &Brought,
) -> Result<LoggedIn, Refusal> {
    let guesses = guesses(service, peer, class, &address_key(peer.seen_as));
    let allowed = || guesses.check(&service.tables, &service.rings(), service.clock.now());
    allowed()?;
    let row = match ways.login(service, outing, brought).await {
        Ok(login) => person(service, &login)?,
        Err(NotVouched::Bad(why)) => {
            tracing::info!("nobody is vouched for by {}: {why}", ways.word(outing));
            None
        }
        Err(NotVouched::Down(why)) => {
            tracing::warn!("{} cannot be asked: {why}", ways.word(outing));
            return Err(later("who signs in cannot be asked about now, try later"));
        }
    };
    allowed()?;
    let Some(row) = row.filter(|row| !is_barred(row)) else {
        let shown = hash([&outing.id[..], brought.code.as_bytes(), brought.ticket.as_bytes()].concat().as_slice());
        guesses.failed(&service.tables, &mut service.rings(), shown, service.clock.now());
        return Err(Refusal::new(reply::AUTH_FAILED, Reason::LoginFailed, "logins", "nobody here is vouched for"));
    };
    let age = passwords::expiry::age(service, &row);
    let account = Account { login: row.person.login, profile: row.person.profile };
    Ok(LoggedIn { account, server_signature: None, age, entered: None })
}
