//! A delivered message is taken out of every mailbox it is in, and put back as it was.
//!
//! Copies are found by where the delivery put them and, those that were moved or copied since, by the body they share. A
//! message an owner brought in again (APPEND, REPLACE) has another body and stays.
//!
//! INVARIANT (sealed-first): the one sealed body that is kept is durable before the first copy goes.
//! INVARIANT (exact): a copy goes in the commit that puts down what it was, and comes back in the commit that crosses that out
//! (`store`, `Op::TakeOut`, `Op::PutBackTaken`). Whenever the process ends, each copy is in its mailbox or on the list, and the
//! same call again does what is left.

mod back;
mod held;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mail::{Address, ReversePath, header};
use serde::{Deserialize, Serialize};
use store::{
    BodyRef, CommitError, CopyOf, DeliveryId, Kept, MailboxId, Op, OpResult, PutError, Quarantined, QueueId, ReadError,
    RecordEnvelope, TakeOut, UidSet,
};

use crate::clock;
use crate::quarantine::{self, told};
use crate::sealed::{self, OpenError, Plain};
use crate::service::Service;

pub use back::{put_back, released};
pub use held::{hold_back, is_held, let_go, let_go_op};

/// Messages one commit takes away: few enough that nobody waits long behind it.
const TAKEN_AT_ONCE: usize = 200;
/// Sealed bodies that are made durable together.
const SEALED_AT_ONCE: usize = 100;
/// How often copies are looked for again that were moved while others were taken.
const ROUNDS_MAX: usize = 8;
/// Octets of a message its Return-Path is looked for in.
const START_OCTETS: u64 = 8 * 1024;

/// One at a time takes, puts back or forgets: each asks first what is kept, and acts on that.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the store keeps beside a message that was taken out, as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The delivery, as 32 hexadecimal digits.
    pub delivery: String,
    /// Octets of the message before it was sealed.
    pub octets: u64,
    /// Why, and who decided it.
    pub why: String,
    pub by: String,
}

/// What is written down of a message that is taken out.
#[derive(Clone, Debug, Default)]
pub struct Cause<'a> {
    /// For the story of the message, with who decided it.
    pub why: &'a str,
    pub by: &'a str,
    /// What a scanner found: the message is in quarantine then, and not recalled.
    pub found: Option<Found<'a>>,
}

#[derive(Clone, Debug)]
pub struct Found<'a> {
    pub engine: &'a str,
    pub signature: &'a str,
    /// In the closed list of reasons, and the rule.
    pub reason: &'a str,
    pub rule: &'a str,
    /// The people who had it.
    pub recipients: Vec<Address>,
}

/// What was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Messages that went, in how many mailboxes of how many accounts.
    pub messages: u64,
    pub mailboxes: u64,
    pub accounts: u64,
    /// Messages of the spool that nobody tries any more; [`let_go`] ends that.
    pub held: Vec<QueueId>,
}

/// Why not, or not all.
#[derive(Debug)]
pub enum TakenError {
    Read(ReadError),
    Put(PutError),
    Commit(CommitError),
    /// What is kept does not open.
    Sealed(OpenError),
    /// Clients moved them about faster than they were taken.
    Restless {
        left: usize,
    },
}

impl fmt::Display for TakenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TakenError::Read(error) => error.fmt(f),
            TakenError::Put(error) => error.fmt(f),
            TakenError::Commit(error) => error.fmt(f),
            TakenError::Sealed(error) => error.fmt(f),
            TakenError::Restless { left } => {
                write!(f, "{left} copies were moved about meanwhile and are still there; the same again takes them")
            }
        }
    }
}

impl std::error::Error for TakenError {}

impl From<ReadError> for TakenError {
    fn from(error: ReadError) -> TakenError {
        TakenError::Read(error)
    }
}

impl From<CommitError> for TakenError {
    fn from(error: CommitError) -> TakenError {
        TakenError::Commit(error)
    }
}

/// What a delivery is kept under once it was taken out: another id than its own, which other rows may have. The time in front
/// is the same.
pub fn item_of(delivery: DeliveryId) -> QueueId {
    let mut item = delivery;
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"taken out").update(&delivery);
    item[6..].copy_from_slice(&hasher.finalize().as_bytes()[..10]);
    QueueId(item)
}

/// Takes these deliveries out of all mailboxes, and holds back what of them waits in the spool. IMAP clients see an EXPUNGE. Not
/// for async threads. What is gone already is no error, so that the same call goes on where one was cut short.
pub fn take(service: &Service, deliveries: &[DeliveryId], why: &str, by: &str) -> Result<Taken, TakenError> {
    take_for(service, deliveries, &Cause { why, by, found: None })
}

/// The same, for whatever cause.
pub fn take_for(service: &Service, deliveries: &[DeliveryId], cause: &Cause<'_>) -> Result<Taken, TakenError> {
    let _turn = turn();
    let mut taken = Taken { held: hold_back(service, deliveries)?, ..Taken::default() };
    let (mut mailboxes, mut accounts) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..ROUNDS_MAX {
        let copies = service.store.copies_of(deliveries)?;
        if copies.is_empty() {
            (taken.mailboxes, taken.accounts) = (mailboxes.len() as u64, accounts.len() as u64);
            return Ok(taken);
        }
        seal_first(service, &copies, cause)?;
        for some in copies.chunks(TAKEN_AT_ONCE) {
            let gone = take_some(service, some)?;
            service.metrics.taken.inc_by(gone.len() as u64);
            taken.messages += gone.len() as u64;
            for copy in some.iter().filter(|copy| gone.contains(&(copy.mailbox, copy.uid))) {
                mailboxes.insert(copy.mailbox);
                accounts.insert(copy.login.clone());
            }
        }
    }
    match service.store.copies_of(deliveries)?.len() {
        0 => {
            (taken.mailboxes, taken.accounts) = (mailboxes.len() as u64, accounts.len() as u64);
            Ok(taken)
        }
        left => Err(TakenError::Restless { left }),
    }
}

/// One sealed body for each delivery that has none yet.
// INVARIANT (sealed-first)
fn seal_first(service: &Service, copies: &[CopyOf], cause: &Cause<'_>) -> Result<(), TakenError> {
    let first: BTreeMap<DeliveryId, &CopyOf> = copies.iter().rev().map(|copy| (copy.delivery, copy)).collect();
    let mut ops = Vec::new();
    for (delivery, copy) in first {
        let item = item_of(delivery);
        if service.store.kept_one(item)?.is_some() {
            continue;
        }
        // The copy may be moved this very moment; then there is another round.
        let uids: UidSet = [copy.uid].into_iter().collect();
        let Some((_, body)) = service.store.bodies_of(copy.mailbox, &uids)?.pop() else { continue };
        let quarantined = sealed(service, item, delivery, &body, cause)?;
        let Cause { why, by, .. } = cause;
        ops.push(told(service, "taken", QueueId(delivery), "", &format!("out of all mailboxes by {by}: {why}")));
        ops.push(Op::Quarantine(Box::new(quarantined)));
        if ops.len() >= 2 * SEALED_AT_ONCE {
            service.store.commit_wait(std::mem::take(&mut ops))?;
        }
    }
    if !ops.is_empty() {
        service.store.commit_wait(ops)?;
    }
    Ok(())
}

fn sealed(
    service: &Service,
    item: QueueId,
    delivery: DeliveryId,
    body: &BodyRef,
    cause: &Cause<'_>,
) -> Result<Quarantined, TakenError> {
    let reverse_path = reverse_path(service, body)?;
    let envelope = RecordEnvelope { delivery_id: item.0, accepted_at_s: clock::unix_s(), ..RecordEnvelope::default() };
    let seal = &service.signing.seal;
    let sealed = sealed::put(&service.store, seal, item, &envelope, b"", &mut Plain::of(&service.store, body));
    let (text, octets) = (QueueId(delivery).to_string(), body.len());
    let row = Quarantined {
        id: item,
        kind: Kept::Recalled,
        body: sealed.map_err(TakenError::Put)?,
        why: String::new(),
        engine: String::new(),
        signature: String::new(),
        reverse_path,
        recipients: Vec::new(),
        facts: Vec::new(),
        at_s: clock::unix_s(),
    };
    let Some(found) = &cause.found else {
        let facts = Facts { delivery: text, octets, why: cause.why.to_owned(), by: cause.by.to_owned() };
        return Ok(Quarantined { facts: queue::facts::written(&facts), ..row });
    };
    let reason = found.reason.to_owned();
    let facts = quarantine::Facts { reason, octets, taken: Some(text), ..quarantine::Facts::default() };
    Ok(Quarantined {
        kind: Kept::Quarantine,
        why: found.rule.to_owned(),
        engine: found.engine.to_owned(),
        signature: found.signature.to_owned(),
        recipients: found.recipients.clone(),
        facts: facts.written(),
        ..row
    })
}

/// The reverse-path of a delivered message, as its Return-Path says it.
pub fn reverse_path(service: &Service, body: &BodyRef) -> Result<ReversePath, ReadError> {
    let start = service.store.read_body_range(body, 0, body.len().min(START_OCTETS))?;
    let path = header::text_of(&start, "return-path");
    let address = path.trim().trim_matches(['<', '>']).parse::<Address>();
    Ok(address.map_or(ReversePath::Null, ReversePath::Address))
}

/// Mailbox and UID of what went. Copies whose body is not kept yet stay for the next round.
fn take_some(service: &Service, copies: &[CopyOf]) -> Result<BTreeSet<(MailboxId, u32)>, TakenError> {
    let mut of: BTreeMap<DeliveryId, BTreeMap<MailboxId, Vec<u32>>> = BTreeMap::new();
    for copy in copies {
        of.entry(copy.delivery).or_default().entry(copy.mailbox).or_default().push(copy.uid);
    }
    let mut ops = Vec::new();
    for (delivery, mailboxes) in of {
        let item = item_of(delivery);
        if service.store.kept_one(item)?.is_none() {
            continue;
        }
        let messages = mailboxes.into_iter().map(|(mailbox, uids)| (mailbox, uids.into_iter().collect())).collect();
        ops.push(Op::TakeOut(Box::new(TakeOut { item, messages })));
    }
    if ops.is_empty() {
        return Ok(BTreeSet::new());
    }
    let results = service.store.commit_wait(ops)?;
    let taken = results.into_iter().filter_map(|result| match result {
        OpResult::Taken(taken) => Some(taken),
        _ => None,
    });
    Ok(taken.flatten().flat_map(|(mailbox, uids)| uids.into_iter().map(move |uid| (mailbox, uid))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_delivery_has_an_id_of_its_own_in_the_same_time() {
        let (one, other) = (item_of([7; 16]), item_of([8; 16]));
        assert_ne!(one.0[6..], [7; 10]);
        assert_eq!(one.0[..6], [7; 6]);
        assert_ne!(one, other);
        assert_eq!(one, item_of([7; 16]));
    }
}
