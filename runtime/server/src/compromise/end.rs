//! How a case ends: a manager lifts it, or its time is over. That it ends is written first, with what is not to go; then what
//! is not to go is discarded, the lock is taken away, and what was held goes; the person is told in the commit that closes
//! the case. Cut short, the same is done again.

use std::collections::BTreeSet;
use std::sync::Arc;

use mail::Login;
use store::{QueueId, ReadError};

use super::case::{self, Case, State};
use super::held::{self, HeldMessage};
use crate::notices::{self, Words};
use crate::service::Service;
use crate::standing::{ChangeError, Lock};
use crate::{clock, durable};

/// Which of the held messages are not to go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// All of them.
    pub all: bool,
    pub ids: BTreeSet<QueueId>,
    /// Those with this Subject, compared as search folds text.
    pub subject: Option<String>,
    /// Those with at least so many recipients that wait. Together with a subject both hold.
    pub recipients_at_least: Option<usize>,
}

impl Choice {
    fn has(&self, message: &HeldMessage) -> bool {
        let subject = self.subject.as_ref().map(|wanted| mail::fold(wanted) == mail::fold(&message.subject));
        let many = self.recipients_at_least.map(|least| message.recipients >= least);
        let by_look = match (subject, many) {
            (None, None) => false,
            (subject, many) => subject.unwrap_or(true) && many.unwrap_or(true),
        };
        self.all || by_look || self.ids.contains(&message.queue_id)
    }
}

/// Why a case was not lifted.
#[derive(Debug)]
pub enum NotLifted {
    NoSuchCase,
    /// It ended, or somebody else is at it.
    Over,
    /// One of the messages that are not to go is not held.
    NotHeld(QueueId),
    Trouble(String),
}

impl From<ReadError> for NotLifted {
    fn from(error: ReadError) -> NotLifted {
        NotLifted::Trouble(error.to_string())
    }
}

/// Lifts a case: what `discard` names is discarded, and the other messages go. Gives the case as it is then.
pub async fn lift(
    service: &Arc<Service>,
    id: &str,
    by: &str,
    because: &str,
    discard: &Choice,
) -> Result<Case, NotLifted> {
    let one = service.compromise.changing.lock().await;
    let mut case = case::of(&service.store, id)?.ok_or(NotLifted::NoSuchCase)?;
    if case.state != State::Open {
        return Err(NotLifted::Over);
    }
    let held = held::held_of(&service.store, &case.login)?;
    if let Some(id) = discard.ids.iter().find(|id| !held.iter().any(|message| message.queue_id == **id)) {
        return Err(NotLifted::NotHeld(*id));
    }
    let chosen = held.iter().filter(|message| discard.has(message));
    case.discard = chosen.map(|message| message.queue_id.to_string()).collect();
    (case.state, case.ended_by, case.because) = (State::Ending, by.to_owned(), because.to_owned());
    let kept = durable::commit(&service.store, vec![case::op(id, Some(&case))]).await;
    kept.map_err(|error| NotLifted::Trouble(error.to_string()))?;
    drop(one);
    go_on(service, id).await;
    case::of(&service.store, id)?.ok_or(NotLifted::NoSuchCase)
}

/// Ends a case whose time is over: everything goes.
pub async fn expired(service: &Arc<Service>, id: &str) {
    let one = service.compromise.changing.lock().await;
    let Ok(Some(mut case)) = case::of(&service.store, id) else { return };
    if case.state != State::Open {
        return;
    }
    (case.state, case.ended_by) = (State::Ending, "policy".to_owned());
    "its time is over".clone_into(&mut case.because);
    if let Err(error) = durable::commit(&service.store, vec![case::op(id, Some(&case))]).await {
        return tracing::error!("a case cannot end: {error}");
    }
    drop(one);
    go_on(service, id).await;
}

/// Does what is left of a case that ends.
pub async fn go_on(service: &Arc<Service>, id: &str) {
    let _one = service.compromise.changing.lock().await;
    let Ok(Some(mut case)) = case::of(&service.store, id) else { return };
    let Some(login) = Login::new(&case.login).filter(|_| case.state == State::Ending) else { return };
    let (worker, ending, owner) = (service.clone(), case.clone(), login.clone());
    let done = durable::blocking(move || emptied(&worker, &ending, &owner)).await;
    match done {
        Some(Ok((released, discarded))) => {
            case.released += released;
            case.discarded += discarded;
        }
        Some(Err(why)) => return tracing::error!(case = id, "a case cannot end now: {why}"),
        None => return,
    }
    (case.state, case.ended_s) = (State::Ended, clock::unix_s());
    if closed(service, id, &case, &login).await {
        service.compromise.open().remove(&(case.login.clone(), case.detector.clone()));
        let Case { released, discarded, .. } = case;
        tracing::info!(%login, case = id, released, discarded, by = case.ended_by, "a case ended");
    }
}

/// Discards what is not to go, takes the locks of this case away, and lets the others go where nothing else holds them. How
/// many went, and how many were discarded.
fn emptied(service: &Arc<Service>, case: &Case, login: &Login) -> Result<(u64, u64), String> {
    let discarded = held::discard(service, &case.discards(), &case.rule())?;
    let others = case::all(&service.store).map_err(|error| error.to_string())?;
    let is_other = |other: &Case| other.state == State::Open && other.login == case.login;
    let others: Vec<Case> = others.into_iter().map(|(_, other)| other).filter(is_other).collect();
    let changed = service.standings.change(&service.store, login, |standing| {
        for (what, place) in
            [("HoldOutgoing", &mut standing.outgoing_held), ("LockSending", &mut standing.sending_locked)]
        {
            if place.as_ref().is_some_and(|lock| lock.rule == case.rule()) {
                *place = next_lock(&others, what);
            }
        }
    });
    match changed {
        // Something else holds it.
        Ok(standing) if standing.contained.is_some() || standing.outgoing_hold(clock::unix_s()).is_some() => {
            Ok((0, discarded))
        }
        Ok(_) if case.reactions.iter().all(|reaction| reaction.what != "HoldOutgoing") => Ok((0, discarded)),
        Ok(_) => Ok((held::release(service, login)?, discarded)),
        // Nobody is there any more, and neither is what they sent.
        Err(ChangeError::NoSuchPerson) => Ok((0, discarded)),
        Err(error) => Err(error.to_string()),
    }
}

/// The lock of another case that is still open.
fn next_lock(others: &[Case], what: &str) -> Option<Lock> {
    let holds = |case: &&Case| case.reactions.iter().any(|reaction| reaction.what == what);
    let case = others.iter().filter(holds).max_by_key(|case| case.until_s)?;
    Some(Lock {
        because: case.evidence.clone(),
        rule: case.rule(),
        by: "policy".to_owned(),
        at_s: case.at_s,
        until_s: Some(case.until_s),
    })
}

/// Closes the case in the commit of the message that tells the person; one that locked nothing is no news to them.
async fn closed(service: &Arc<Service>, id: &str, case: &Case, login: &Login) -> bool {
    let ops = vec![case::op(id, Some(case))];
    let locked = case.reactions.iter().any(|reaction| reaction.for_s > 0);
    let (worker, owner) = (service.clone(), login.clone());
    let row = durable::blocking(move || worker.store.person(&owner)).await;
    match row {
        Some(Ok(Some(row))) if locked => notices::tell(service, &row.person.address, words(case), ops).await,
        Some(Ok(_)) => durable::commit(&service.store, ops).await.is_ok(),
        Some(Err(_)) | None => false,
    }
}

fn words(case: &Case) -> Words {
    let (released, discarded) = (case.released, case.discarded);
    Words {
        subject: "Vos envois repartent / your mail goes out again".to_owned(),
        french: format!(
            "l'envoi depuis votre compte était retenu parce qu'il ressemblait à celui d'un compte volé ({}).\r\n\
             C'est fini : {released} message(s) retenu(s) sont partis, {discarded} ont été écartés par un gestionnaire.\r\n\
             Si des messages ne sont pas de vous, changez votre mot de passe maintenant et prévenez le service\r\n\
             informatique.",
            case.rule()
        ),
        english: format!(
            "what your account sends was held, because it looked like an account that was stolen ({}).\r\n\
             That is over: {released} held message(s) have gone, {discarded} were discarded by a manager.\r\n\
             If some of them were not yours, change your password now and tell the IT service.",
            case.rule()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u8, subject: &str, recipients: usize) -> HeldMessage {
        let (queue_id, subject) = (QueueId([number; 16]), subject.to_owned());
        HeldMessage { queue_id, at_s: 0, subject, recipients, to: Vec::new(), octets: 0 }
    }

    #[test]
    fn what_is_not_to_go_is_chosen_by_id_or_by_how_it_looks() {
        let all =
            [message(1, "Votre compte expire", 50), message(2, "Réunion", 3), message(3, "VOTRE COMPTE EXPIRE", 1)];
        let chosen = |choice: &Choice| all.iter().map(|one| choice.has(one)).collect::<Vec<_>>();
        let subject = Some("votre compte expire".to_owned());
        assert_eq!(chosen(&Choice::default()), [false, false, false]);
        assert_eq!(chosen(&Choice { all: true, ..Choice::default() }), [true, true, true]);
        assert_eq!(chosen(&Choice { subject: subject.clone(), ..Choice::default() }), [true, false, true]);
        assert_eq!(chosen(&Choice { recipients_at_least: Some(3), ..Choice::default() }), [true, true, false]);
        assert_eq!(
            chosen(&Choice { subject, recipients_at_least: Some(3), ..Choice::default() }),
            [true, false, false]
        );
        assert_eq!(chosen(&Choice { ids: [QueueId([2; 16])].into(), ..Choice::default() }), [false, true, false]);
    }
}
