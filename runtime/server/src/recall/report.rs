//! Where the copies of deliveries are: in mailboxes, taken out of them, in the spool, or gone.

use std::collections::{BTreeMap, BTreeSet};

use mail::{Flags, SystemFlags};
use serde::{Deserialize, Serialize};
use store::{DeliveryId, QueueId, ReadError, Store};

use crate::left;
use crate::taken;

/// Losses read of one message.
const LOSSES_MAX: usize = 1_000;
/// Forwarded (RFC 9051 2.3.2).
const FORWARDED: &str = "$forwarded";
/// Deliveries whose placed copies are looked up at a time.
const PAGE: usize = 1_000;

/// A copy in a mailbox. The time is in Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    pub login: String,
    pub mailbox: String,
    pub uid: u32,
    /// The delivery it came with.
    pub delivery: String,
    pub at_s: i64,
    pub read: bool,
    pub answered: bool,
    pub forwarded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GoneState {
    /// It is in the spool; a take holds it back.
    Waits,
    /// It is in the spool, and nobody tries it.
    Held,
    /// A next hop has it: nobody here can bring it back.
    HandedOver,
    /// It never arrived.
    Failed,
}

/// A copy that is not in a mailbox here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    pub queue_id: String,
    pub at_s: i64,
    pub to: String,
    /// The address of ours that leads there.
    pub behind: Option<String>,
    pub state: GoneState,
}

/// All of it, with the first of the copies by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub deliveries: u64,
    /// Mailboxes these were delivered to.
    pub delivered: u64,
    /// Copies there are now, in how many mailboxes of how many people.
    pub copies: u64,
    pub mailboxes: u64,
    pub people: u64,
    /// Copies that are read, answered and forwarded.
    pub read: u64,
    pub answered: u64,
    pub forwarded: u64,
    /// Copies that were taken out and can be put back.
    pub taken: u64,
    /// Recipients elsewhere, by what became of their copies.
    pub waiting: u64,
    pub held: u64,
    pub handed_over: u64,
    pub failed: u64,
    pub named: Vec<Copy>,
    pub gone: Vec<Gone>,
}

/// The report of these deliveries and messages of the spool; at most `limit` copies of each kind are named.
pub fn of(store: &Store, ids: &[DeliveryId], limit: usize) -> Result<Report, ReadError> {
    let placed = placed(store, ids)?;
    let (deliveries, delivered) = (placed.len() as u64, placed.values().sum());
    let mut report = Report { deliveries, delivered, ..Report::default() };
    mailboxes(store, ids, limit, &mut report)?;
    for id in ids {
        report.taken += store.taken(taken::item_of(*id))?.len() as u64;
        spool(store, QueueId(*id), limit, &mut report)?;
    }
    Ok(report)
}

/// Into how many mailboxes each of those that are in the delivery index went.
fn placed(store: &Store, ids: &[DeliveryId]) -> Result<BTreeMap<DeliveryId, u64>, ReadError> {
    let (wanted, mut placed) = (ids.iter().copied().collect::<BTreeSet<_>>(), BTreeMap::new());
    let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else { return Ok(placed) };
    for shard in store.shard_numbers() {
        let mut after = before(*first);
        while after < *last {
            let page = store.deliveries(shard, after, PAGE)?;
            let Some(end) = page.last() else { break };
            after = end.id;
            for row in page.iter().filter(|row| wanted.contains(&row.id)) {
                *placed.entry(row.id).or_insert(0) += row.placed.len() as u64;
            }
        }
    }
    Ok(placed)
}

/// The id before this one.
fn before(id: DeliveryId) -> DeliveryId {
    u128::from_be_bytes(id).saturating_sub(1).to_be_bytes()
}

fn mailboxes(store: &Store, ids: &[DeliveryId], limit: usize, report: &mut Report) -> Result<(), ReadError> {
    let (mut mailboxes, mut people) = (BTreeSet::new(), BTreeSet::new());
    for copy in store.copies_of(ids)? {
        let is = |flag: SystemFlags| copy.flags.system.bits() & flag.bits() != 0;
        let named = Copy {
            login: copy.login.to_string(),
            mailbox: copy.name.to_string(),
            uid: copy.uid,
            delivery: QueueId(copy.delivery).to_string(),
            at_s: at_s(&copy.delivery),
            read: is(SystemFlags::SEEN),
            answered: is(SystemFlags::ANSWERED),
            forwarded: has_forwarded(&copy.flags),
        };
        report.copies += 1;
        report.read += u64::from(named.read);
        report.answered += u64::from(named.answered);
        report.forwarded += u64::from(named.forwarded);
        mailboxes.insert(copy.mailbox);
        people.insert(copy.login);
        if report.named.len() < limit {
            report.named.push(named);
        }
    }
    (report.mailboxes, report.people) = (mailboxes.len() as u64, people.len() as u64);
    Ok(())
}

fn has_forwarded(flags: &Flags) -> bool {
    flags.keywords.iter().any(|keyword| keyword.as_str().eq_ignore_ascii_case(FORWARDED))
}

/// Who of a message of the spool waits, and what became of the others.
fn spool(store: &Store, id: QueueId, limit: usize, report: &mut Report) -> Result<(), ReadError> {
    let Some(left) = left::of(store, id)? else { return Ok(()) };
    let item = store.queue_item(id)?;
    let held = item.as_ref().is_some_and(|item| queue::facts::read::<queue::MessageFacts>(&item.facts).held);
    let waiting: BTreeSet<String> =
        item.iter().flat_map(|item| &item.recipients).map(|recipient| recipient.forward_path.folded()).collect();
    let lost: BTreeSet<String> =
        store.losses_of(id, LOSSES_MAX)?.into_iter().map(|loss| loss.recipient.to_lowercase()).collect();
    for to in left.to {
        let folded = to.address.to_lowercase();
        let state = match (waiting.contains(&folded), lost.contains(&folded)) {
            (true, _) if held => GoneState::Held,
            (true, _) => GoneState::Waits,
            // The mailboxes have it.
            (false, _) if to.here => continue,
            (false, true) => GoneState::Failed,
            (false, false) => GoneState::HandedOver,
        };
        match state {
            GoneState::Waits => report.waiting += 1,
            GoneState::Held => report.held += 1,
            GoneState::HandedOver => report.handed_over += 1,
            GoneState::Failed => report.failed += 1,
        }
        if report.gone.len() < limit {
            let (queue_id, at_s) = (id.to_string(), at_s(&id.0));
            report.gone.push(Gone { queue_id, at_s, to: to.address, behind: to.behind, state });
        }
    }
    Ok(())
}

/// When a delivery was made: its id begins with the milliseconds.
fn at_s(id: &DeliveryId) -> i64 {
    let [a, b, c, d, e, f, ..] = *id;
    i64::from_be_bytes([0, 0, a, b, c, d, e, f]) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_a_time_and_one_before() {
        let mut id = [0; 16];
        id[..6].copy_from_slice(&1_795_996_800_123_u64.to_be_bytes()[2..]);
        assert_eq!(at_s(&id), 1_795_996_800);
        assert!(before(id) < id && before([0; 16]) == [0; 16]);
    }
}
