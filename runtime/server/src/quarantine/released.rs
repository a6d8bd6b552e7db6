//! The way out of quarantine: to the recipients as they are routed now, in the commit that forgets the row.
//!
//! INVARIANT (once): the delivery's id is the row's, and the row goes in the same commit, so a message is released once.

use std::collections::BTreeSet;
use std::sync::Arc;

use decide::{AntivirusVerdict, ContentDirection};
use mail::{Address, Flags, Login, ReversePath};
use queue::{MessageFacts, RecipientFacts, Route};
use spam::view::View;
use store::{
    BodyRef, CommitError, Deliver, Enqueue, InternalDate, NextHop, Op, PutError, Quarantined, QueueId, QueueRecipient,
    ReadError, RecordEnvelope, Refusal, Target,
};

use super::{Facts, told};
use crate::content::Content;
use crate::drive::SPREAD_AT_ONCE;
use crate::sealed::{self, OpenError};
use crate::service::Service;
use crate::taken::{self, TakenError};
use crate::{clock, durable, marks, scan, signing, trace};

/// What a manager wants.
pub struct Release {
    /// Instead of the recipients it had.
    pub to: Vec<Address>,
    /// The engines look again first.
    pub rescan: bool,
    /// For the story of the message.
    pub said: String,
    /// In the same commit.
    pub audited: Op,
}

/// Where it went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Released {
    pub mailboxes: u64,
    /// Recipients elsewhere, in the spool.
    pub queued: u64,
    /// Recipients that lead nowhere any more.
    pub nowhere: Vec<String>,
}

/// Why it stays where it is.
#[derive(Debug)]
pub enum NotReleased {
    /// No recipient leads anywhere now.
    Nowhere,
    /// The engines stop it again: what they found, and the rule.
    StillStopped {
        found: String,
        rule: String,
    },
    /// Somebody else released or purged it meanwhile.
    Gone,
    Sealed(OpenError),
    /// Not into all mailboxes it was taken out of; the same again does the rest.
    NotBack(TakenError),
    Put(PutError),
    Commit(CommitError),
}

/// Everywhere a message goes.
#[derive(Default)]
struct Ways {
    mailboxes: Vec<(Login, Target)>,
    away: Vec<QueueRecipient>,
    forwards: Vec<QueueRecipient>,
    nowhere: Vec<String>,
}

/// Delivers a quarantined message and forgets it here.
pub async fn release(service: &Arc<Service>, kept: &Quarantined, wanted: Release) -> Result<Released, NotReleased> {
    let facts = Facts::read(&kept.facts);
    let content = Arc::new(opened(service, kept).await?);
    if wanted.rescan {
        rescanned(service, &content, &facts).await?;
    }
    if let (Some(delivery), true) = (&facts.taken, wanted.to.is_empty()) {
        return put_back(service, kept, delivery, wanted).await;
    }
    let recipients = if wanted.to.is_empty() { &kept.recipients } else { &wanted.to };
    let at_s = clock::unix_s();
    let ways = ways(service, &kept.reverse_path, recipients, at_s);
    if ways.mailboxes.is_empty() && ways.away.is_empty() && ways.forwards.is_empty() {
        return Err(NotReleased::Nowhere);
    }
    let released = Released {
        mailboxes: ways.mailboxes.len() as u64,
        queued: (ways.away.len() + ways.forwards.len()) as u64,
        nowhere: ways.nowhere.clone(),
    };
    let (mut ops, queued) = placed(service, kept, &facts, &content, ways).await?;
    ops.push(told(service, "released", kept.id, &kept.why, &wanted.said));
    ops.push(wanted.audited);
    ops.push(Op::ReleaseQuarantined { id: kept.id });
    durable::commit(&service.store, ops).await.map_err(|error| match error {
        CommitError::Refused { why: Refusal::NoSuchQuarantined, .. } => NotReleased::Gone,
        error => NotReleased::Commit(error),
    })?;
    queued.into_iter().for_each(|id| service.spool.arrived(id));
    if facts.taken.is_some() {
        // Its copies do not come back any more; what remembers them is of no use, and goes at the latest with the next of it.
        let forgotten = durable::commit(&service.store, vec![Op::ForgetTaken { item: kept.id }]).await;
        forgotten.map_err(NotReleased::Commit)?;
    }
    Ok(released)
}

/// Into the mailboxes it was taken out of, as it was there.
async fn put_back(
    service: &Arc<Service>,
    kept: &Quarantined,
    delivery: &str,
    wanted: Release,
) -> Result<Released, NotReleased> {
    let delivery = crate::operate::parse_id(delivery).ok_or(NotReleased::Gone)?;
    // On the record first: the way back ends with the row.
    let asked = vec![told(service, "released", delivery, &kept.why, &wanted.said), wanted.audited];
    durable::commit(&service.store, asked).await.map_err(NotReleased::Commit)?;
    let (worker, said) = (service.clone(), wanted.said);
    let back = durable::blocking(move || taken::released(&worker, &[delivery.0], &said, "a manager")).await;
    let back = back.unwrap_or(Err(TakenError::Read(ReadError::Poisoned))).map_err(NotReleased::NotBack)?;
    if !back.unknown.is_empty() {
        return Err(NotReleased::Gone);
    }
    Ok(Released { mailboxes: back.messages, ..Released::default() })
}

/// The message as it was before it was sealed, in memory or in an unlinked file.
async fn opened(service: &Arc<Service>, kept: &Quarantined) -> Result<Content, NotReleased> {
    let (worker, kept) = (service.clone(), kept.clone());
    let read = move || {
        let mut content = Content::new(worker.store.clone(), worker.held.clone());
        let mut opening = sealed::Opening::of(&worker.store, &worker.signing.seal, kept.id, &kept.body)?;
        while let Some(piece) = opening.next_piece()? {
            content.append(&piece).map_err(|error| OpenError::Read(ReadError::Io(error)))?;
        }
        Ok(content)
    };
    let read = durable::blocking(read).await.unwrap_or(Err(OpenError::Read(ReadError::Poisoned)));
    read.map_err(NotReleased::Sealed)
}

async fn rescanned(service: &Arc<Service>, content: &Arc<Content>, facts: &Facts) -> Result<(), NotReleased> {
    let direction = match (facts.sent, &facts.message.login) {
        (false, _) => ContentDirection::Inbound,
        (true, Some(_)) => ContentDirection::FromPerson,
        (true, None) => ContentDirection::FromMachine,
    };
    let results = scan::all(service, content).await;
    match decide::antivirus(&service.tables, direction, &results) {
        AntivirusVerdict::Stop(fate) => Err(NotReleased::StillStopped { found: fate.found, rule: fate.rule }),
        AntivirusVerdict::Pass { .. } => Ok(()),
    }
}

/// Recipients as they are routed now. Who is full gets it all the same: a manager decided that.
fn ways(service: &Service, from: &ReversePath, recipients: &[Address], at_s: i64) -> Ways {
    let (tables, store) = (&service.tables, &service.store);
    let mut ways = Ways::default();
    let mut seen = BTreeSet::new();
    for recipient in recipients {
        let found = service.directory.find(tables, store, from, recipient, 0);
        if found.leads_nowhere() && found.left_out.is_empty() {
            ways.nowhere.push(recipient.to_string());
            continue;
        }
        let full = found.left_out.into_iter().map(|(login, _)| login);
        ways.mailboxes.extend(found.logins.into_iter().chain(full).map(|login| (login, Target::Inbox)));
        let mut due = |address: &Address, next_hop, parts| {
            let behind = (address.folded() != recipient.folded()).then(|| recipient.clone());
            let facts = queue::facts::written(&RecipientFacts { behind, parts, ..RecipientFacts::default() });
            let first = seen.insert((address.folded(), parts));
            first.then(|| QueueRecipient { forward_path: address.clone(), next_hop, due_at_s: at_s, facts })
        };
        if let Some(members) = found.many {
            let parts = members.div_ceil(SPREAD_AT_ONCE).clamp(1, 1 << 15) as u16;
            ways.away.extend(due(&found.address, NextHop::Local, parts));
        }
        ways.away.extend(found.away.iter().filter_map(|(address, route)| due(address, route.next_hop(), 0)));
        ways.forwards.extend(found.forwards.iter().filter_map(|it| due(&it.to, Route::Remote.next_hop(), 0)));
    }
    ways
}

/// The ops that put it where it goes, and the ids of what is in the spool then.
async fn placed(
    service: &Arc<Service>,
    kept: &Quarantined,
    facts: &Facts,
    content: &Arc<Content>,
    ways: Ways,
) -> Result<(Vec<Op>, Vec<QueueId>), NotReleased> {
    let (mut ops, mut queued) = (Vec::new(), Vec::new());
    if !ways.mailboxes.is_empty() {
        ops.push(delivered(service, kept, content, ways.mailboxes).await?);
    }
    let from = &kept.reverse_path;
    let under_ours = service.directory.goes_on_under(&service.tables, from, clock::unix_s());
    for (forwarded, recipients, reverse_path) in [(false, ways.away, from.clone()), (true, ways.forwards, under_ours)] {
        if recipients.is_empty() {
            continue;
        }
        let message = MessageFacts { forwarded, ..facts.message.clone() };
        let head = match (facts.sent, forwarded) {
            (true, _) => signing::head(service, b"", content).await,
            (false, true) => signing::forwarded_head(service, &message, b"", content).await,
            (false, false) => Vec::new(),
        };
        let mut id = kept.id;
        // The last octets of an id are random.
        id.0[15] ^= u8::from(forwarded);
        queued.push(id);
        ops.push(Op::Enqueue(Box::new(Enqueue {
            queue_id: id,
            body: put(kept, content, head).await?,
            reverse_path,
            recipients,
            plan: service.plan_full.clone(),
            accepted_at_s: clock::unix_s(),
            facts: queue::facts::written(&message),
        })));
    }
    Ok((ops, queued))
}

async fn delivered(
    service: &Arc<Service>,
    kept: &Quarantined,
    content: &Arc<Content>,
    recipients: Vec<(Login, Target)>,
) -> Result<Op, NotReleased> {
    let mut head = String::new();
    trace::return_path(&kept.reverse_path, &mut head);
    let body = put(kept, content, head.clone().into_bytes()).await?;
    let permit = service.long_contents.acquire().await;
    let (whole, from) = (content.clone(), kept.reverse_path.clone());
    let read = move || {
        let whole = [head.as_bytes(), &whole.start(usize::MAX)?].concat();
        Ok::<_, std::io::Error>((crate::drive::summary(&whole), marks::of(&View::read(&whole), &from)))
    };
    let read = durable::blocking(read).await.unwrap_or_else(|| Err(std::io::ErrorKind::Other.into()));
    drop(permit);
    let (summary, marks) = read.map_err(|error| NotReleased::Put(PutError::Io(error)))?;
    Ok(Op::Deliver(Box::new(Deliver {
        delivery_id: kept.id.0,
        recipients,
        body,
        summary,
        internal_date: InternalDate { seconds: clock::unix_s(), offset_minutes: 0 },
        flags: Flags::default(),
        marks,
    })))
}

async fn put(kept: &Quarantined, content: &Arc<Content>, head: Vec<u8>) -> Result<BodyRef, NotReleased> {
    let envelope = RecordEnvelope {
        delivery_id: kept.id.0,
        reverse_path: Some(kept.reverse_path.clone()),
        recipients: kept.recipients.clone(),
        accepted_at_s: kept.at_s,
    };
    let content = content.clone();
    let put = durable::blocking(move || content.put(&envelope, &head)).await;
    put.unwrap_or(Err(PutError::Poisoned)).map_err(NotReleased::Put)
}
