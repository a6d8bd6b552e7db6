//! What becomes of a message that a second look stops: out of the mailboxes and the spool into quarantine, loss records for
//! everybody who had it, and word to the managers of what is out of reach.

use std::collections::BTreeSet;

use decide::Fate;
use mail::{Address, Login, ReversePath};
use queue::MessageFacts;
use store::{CommitError, Kept, Op, Quarantined, QueueId, ReadError, RecordEnvelope, Settled};

use super::{Way, kept_under, key};
use crate::clock;
use crate::outcome::{Event, Outcome};
use crate::quarantine::{Facts, told};
use crate::sealed::{self, Plain};
use crate::service::Service;
use crate::taken::{self, Cause, TakenError};

/// Who decides, in the story of a message.
const BY: &str = "this server";

/// A message, and why it is stopped now.
pub struct Case {
    /// Of the delivery, or of the message in the spool; both may have the same.
    pub id: QueueId,
    pub way: Way,
    pub reverse_path: ReversePath,
    /// Whose mailboxes it was put into.
    pub logins: Vec<String>,
    /// Who got it, or still gets it, from the spool.
    pub away: Vec<Address>,
    pub fate: Fate,
    /// What made the engines look again, for people.
    pub why: &'static str,
}

/// What came of it.
pub struct ShutAway {
    /// For the commit that ends the case.
    pub ops: Vec<Op>,
    /// Recipients who have a copy nobody can take back, or had one and deleted it.
    pub out_of_reach: Vec<String>,
}

/// Takes it out of mailboxes and spool. The same again, after it was cut short, does what is left and says the same. Not for
/// async threads.
pub fn shut_away(service: &Service, case: &Case) -> Result<ShutAway, TakenError> {
    let here = out_of_mailboxes(service, case)?;
    let waited = out_of_spool(service, case)?;
    let had: BTreeSet<Address> = case.logins.iter().filter_map(|login| address_of(service, login)).collect();
    let mut out_of_reach: Vec<String> = Vec::new();
    let folded = |all: &[Address]| all.iter().map(Address::folded).collect::<BTreeSet<_>>();
    let (here_folded, waited_folded) = (folded(&here), folded(&waited));
    out_of_reach.extend(had.iter().filter(|it| !here_folded.contains(&it.folded())).map(ToString::to_string));
    out_of_reach.extend(case.away.iter().filter(|it| !waited_folded.contains(&it.folded())).map(ToString::to_string));
    let everybody: BTreeSet<String> =
        here.iter().chain(&waited).map(ToString::to_string).chain(out_of_reach.iter().cloned()).collect();
    let Fate { loss, reason, rule, found, .. } = &case.fate;
    let record = |recipient: String| service.records.op(*loss, case.id, &case.reverse_path, recipient, reason.word());
    let mut ops: Vec<Op> = everybody.into_iter().filter_map(record).collect();
    if !out_of_reach.is_empty() {
        let said = format!("{}: {found}; out of reach: {}", case.why, out_of_reach.len());
        ops.push(told(service, "found-too-late", case.id, rule, &said));
    }
    if here.len() + waited.len() > 0 {
        service.metrics.quarantined.inc();
        let outcome = Outcome::done(Event::Quarantined, &case.reverse_path).of(case.id);
        service.outcome(Outcome { reason: Some(*reason), rule: rule.clone(), ..outcome });
    }
    tracing::warn!(queue_id = %case.id, found, why = case.why, out_of_reach = out_of_reach.len(), "a second look stopped it");
    Ok(ShutAway { ops, out_of_reach })
}

/// The ops that take the mark and the body that was kept for the look away.
pub fn ended(service: &Service, id: QueueId) -> Result<Vec<Op>, ReadError> {
    let mut ops = Vec::new();
    if service.store.setting(&key(id))?.is_some() {
        ops.push(Op::Setting { key: key(id), value: None });
    }
    if service.store.kept_one(kept_under(id))?.is_some() {
        ops.push(Op::ReleaseQuarantined { id: kept_under(id) });
    }
    Ok(ops)
}

/// Addresses of the people whose copies are in quarantine now.
fn out_of_mailboxes(service: &Service, case: &Case) -> Result<Vec<Address>, TakenError> {
    let item = taken::item_of(case.id.0);
    let copies = service.store.copies_of(&[case.id.0])?;
    let logins: BTreeSet<&Login> = copies.iter().map(|copy| &copy.login).collect();
    let recipients: Vec<Address> = logins.iter().filter_map(|login| address_of(service, login.as_str())).collect();
    let (engine, signature) = parted(&case.fate.found);
    let found = taken::Found {
        engine,
        signature,
        reason: case.fate.reason.word(),
        rule: &case.fate.rule,
        recipients: recipients.clone(),
    };
    let why = format!("{} ({}, {})", case.fate.found, case.fate.rule, case.why);
    // Also what waits in the spool: nobody tries it from now on.
    taken::take_for(service, &[case.id.0], &Cause { why: &why, by: BY, found: Some(found) })?;
    let Some(kept) = service.store.kept_one(item)? else { return Ok(Vec::new()) };
    if kept.kind == Kept::Recalled {
        // Somebody recalled it before: it does not come back by an undo any more without this being said.
        let recalled: taken::Facts = queue::facts::read(&kept.facts);
        let facts = Facts {
            reason: case.fate.reason.word().to_owned(),
            octets: recalled.octets,
            taken: Some(case.id.to_string()),
            ..Facts::default()
        };
        service.store.commit_wait(vec![Op::Recast { id: item, kind: Kept::Quarantine, facts: facts.written() }])?;
        let logins: BTreeSet<Login> = service.store.taken(item)?.into_iter().map(|copy| copy.login).collect();
        return Ok(logins.iter().filter_map(|login| address_of(service, login.as_str())).collect());
    }
    let known = kept.recipients.iter().cloned();
    Ok(known.chain(recipients).collect::<BTreeSet<_>>().into_iter().collect())
}

/// Recipients who waited for it in the spool, where it is in quarantine now.
fn out_of_spool(service: &Service, case: &Case) -> Result<Vec<Address>, TakenError> {
    let id = case.id;
    // Nobody is at it meanwhile.
    let _turn = service.spool.blocking_turn(id);
    let Some(item) = service.store.queue_item(id)? else {
        let before = service.store.kept_one(id)?.filter(|kept| kept.kind == Kept::Quarantine);
        return Ok(before.map(|kept| kept.recipients).unwrap_or_default());
    };
    let recipients: Vec<Address> = item.recipients.iter().map(|waiting| waiting.forward_path.clone()).collect();
    let envelope = RecordEnvelope {
        delivery_id: id.0,
        reverse_path: Some(item.reverse_path.clone()),
        recipients: recipients.clone(),
        accepted_at_s: item.accepted_at_s,
    };
    let seal = &service.signing.seal;
    let body = sealed::put(&service.store, seal, id, &envelope, b"", &mut Plain::of(&service.store, &item.body));
    let message: MessageFacts = queue::facts::read(&item.facts);
    let facts = Facts {
        reason: case.fate.reason.word().to_owned(),
        octets: item.body.len(),
        sent: case.way != Way::Inbound,
        message: MessageFacts { held: false, ..message },
        taken: None,
    };
    let (engine, signature) = parted(&case.fate.found);
    let kept = Quarantined {
        id,
        kind: Kept::Quarantine,
        body: body.map_err(TakenError::Put)?,
        why: case.fate.rule.clone(),
        engine: engine.to_owned(),
        signature: signature.to_owned(),
        reverse_path: item.reverse_path.clone(),
        recipients: recipients.clone(),
        facts: facts.written(),
        at_s: clock::unix_s(),
    };
    let said = format!("out of the spool by {BY}: {} ({})", case.fate.found, case.why);
    let mut ops = vec![Op::Quarantine(Box::new(kept)), told(service, "taken", id, &case.fate.rule, &said)];
    ops.push(taken::let_go_op(id));
    let settle = |number| Op::Settle { queue_id: id, recipient: number, outcome: Settled::Removed };
    ops.extend(item.recipients.iter().map(|waiting| settle(waiting.number)));
    service.store.commit_wait(ops)?;
    service.spool.changed([id]);
    Ok(recipients)
}

fn address_of(service: &Service, login: &str) -> Option<Address> {
    let row = service.store.person(&Login::new(login)?);
    Some(row.ok().flatten()?.person.address)
}

/// Engine and signature of what was found.
fn parted(found: &str) -> (&str, &str) {
    found.split_once(": ").unwrap_or(("", found))
}

/// The end of a case nobody is told of.
pub fn end(service: &Service, id: QueueId) -> Result<(), CommitError> {
    let ops = match ended(service, id) {
        Ok(ops) => ops,
        Err(error) => {
            tracing::error!("a second look cannot end: {error}");
            return Ok(());
        }
    };
    if ops.is_empty() { Ok(()) } else { service.store.commit_wait(ops).map(drop) }
}
