//! What a message that was handed in is to us: delivered here and unaltered, altered since, or unknown.

use mail::original::{self, Ours, Undone};
use mail::{Login, header, mime};
use store::{Delivery, DeliveryId, ReadError, Store};

use super::facts::Integrity;

/// Days of the delivery index that are looked through for a Message-ID, and rows of it at a time and in all.
const DAYS: i64 = 60;
const PAGE: usize = 1_000;
const ROWS_MAX: usize = 3_000_000;
/// Deliveries of one Message-ID that are compared, and copies of one that are looked for.
const DELIVERIES_MAX: usize = 20;
const COPIES_MAX: usize = 50;

/// A message as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Located {
    pub integrity: Integrity,
    /// `octets` are those that were delivered.
    pub ours: bool,
    pub octets: Vec<u8>,
    pub delivery: Option<DeliveryId>,
    /// Mailboxes that delivery put it into.
    pub received: u32,
    /// The copy that was handed in, or ours, has the tag.
    pub tagged: bool,
}

/// Who handed it in, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub enum Asker<'a> {
    /// Only a copy that is the same is found.
    Anybody,
    /// A copy of theirs is compared, too.
    Person(&'a Login),
    /// The same of a message in a mailbox of theirs: its own trace says which delivery it came with, and no other is looked
    /// for.
    Owner(&'a Login),
}

/// Looks a message up.
///
/// INVARIANT (no-oracle): a message that is not the same is compared with our copy only where who hands it in has received
/// that one. Else naming a Message-ID would show a manager the mail of others.
pub fn locate(
    store: &Store,
    ours: &Ours,
    handed_in: &[u8],
    asker: Asker<'_>,
    now_s: i64,
) -> Result<Located, ReadError> {
    let tagged = original::is_tagged(handed_in, ours);
    let undone = [false, true].map(|programs| original::undo(handed_in, ours, programs));
    let hashes = hashes(&undone);
    let mut candidates = match original::delivery_id(handed_in, ours) {
        Some(id) => with_id(store, id)?,
        None => Vec::new(),
    };
    if candidates.is_empty()
        && let Asker::Person(_) = asker
        && let Some(message_id) = message_id(handed_in)
    {
        candidates = with_message_id(store, &message_id, now_s)?;
    }
    for (_, delivery) in &candidates {
        let same = hashes.iter().find(|(hash, _)| delivery.hash.as_ref() == Some(hash));
        if let Some((_, octets)) = same {
            let received = received(&candidates, delivery.id);
            let (delivery, octets) = (Some(delivery.id), octets.to_vec());
            return Ok(Located { integrity: Integrity::Intact, ours: true, octets, delivery, received, tagged });
        }
    }
    if let Asker::Person(login) | Asker::Owner(login) = asker {
        for (_, delivery) in &candidates {
            if let Some(located) = compared(store, ours, &undone[1], delivery, login)? {
                return Ok(Located { received: received(&candidates, delivery.id), ..located });
            }
        }
    }
    let octets = undone[1].octets().to_vec();
    Ok(Located { octets, tagged, ..Located::default() })
}

/// Both forms with the hash the delivery index has of a content.
fn hashes(undone: &[Undone; 2]) -> Vec<([u8; 16], &[u8])> {
    let forms = undone.iter().flat_map(Undone::forms);
    forms.map(|form| (hash(form), form)).collect()
}

/// The first 16 octets of BLAKE3, as the delivery index has them.
pub fn hash(content: &[u8]) -> [u8; 16] {
    let whole = blake3::hash(content);
    std::array::from_fn(|at| whole.as_bytes()[at])
}

type Candidate = (u8, Delivery);

fn received(candidates: &[Candidate], id: DeliveryId) -> u32 {
    let placed = candidates.iter().filter(|(_, delivery)| delivery.id == id).map(|(_, delivery)| delivery.placed.len());
    u32::try_from(placed.sum::<usize>()).unwrap_or(u32::MAX)
}

/// The delivery of this id; each shard has its part of it.
pub fn with_id(store: &Store, id: DeliveryId) -> Result<Vec<Candidate>, ReadError> {
    let Some(before) = u128::from_be_bytes(id).checked_sub(1) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for shard in 0..store.amounts()?.shards {
        let rows = store.deliveries(shard, before.to_be_bytes(), 1)?;
        found.extend(rows.into_iter().filter(|row| row.id == id).map(|row| (shard, row)));
    }
    Ok(found)
}

fn message_id(handed_in: &[u8]) -> Option<String> {
    let field = header::find(handed_in, "message-id")?;
    mime::message_ids(&field).first().map(|id| format!("<{id}>"))
}

/// The newest deliveries of this Message-ID, with its brackets.
pub fn with_message_id(store: &Store, message_id: &str, now_s: i64) -> Result<Vec<Candidate>, ReadError> {
    let since_ms = u64::try_from(now_s - DAYS * 86_400).unwrap_or(0).saturating_mul(1_000);
    let since = (u128::from(since_ms) << 80).to_be_bytes();
    let (mut found, mut looked) = (Vec::new(), 0);
    for shard in 0..store.amounts()?.shards {
        let mut after = since;
        while looked < ROWS_MAX {
            let page = store.deliveries(shard, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.id;
            looked += page.len();
            let same = page.into_iter().filter(|row| row.message_id.as_deref() == Some(message_id));
            found.extend(same.map(|row| (shard, row)));
        }
    }
    found.sort_by_key(|(_, row)| std::cmp::Reverse(row.id));
    found.truncate(DELIVERIES_MAX);
    Ok(found)
}

/// The delivery of this Message-ID that the person has received, as it was delivered.
pub fn received_by(
    store: &Store,
    ours: &Ours,
    message_id: &str,
    login: &Login,
    now_s: i64,
) -> Result<Option<Located>, ReadError> {
    let candidates = with_message_id(store, message_id, now_s)?;
    for (_, delivery) in &candidates {
        if let Some(copy) = copy_of(store, delivery, login)? {
            return locate(store, ours, &copy, Asker::Person(login), now_s).map(Some);
        }
    }
    Ok(None)
}

/// `None` where the person has not received it, or has no copy of it any more.
fn compared(
    store: &Store,
    ours: &Ours,
    handed_in: &Undone,
    delivery: &Delivery,
    login: &Login,
) -> Result<Option<Located>, ReadError> {
    let Some(copy) = copy_of(store, delivery, login)? else { return Ok(None) };
    let delivered = original::undo(&copy, ours, true);
    let differences = original::compare(&delivered, handed_in);
    let integrity = match differences.as_slice() {
        [] => Integrity::Intact,
        some => Integrity::Altered(some.iter().map(ToString::to_string).collect()),
    };
    let tagged = original::is_tagged(&copy, ours);
    let exact = original::undo(&copy, ours, false);
    let octets = exact.forms().find(|form| delivery.hash == Some(hash(form))).unwrap_or(exact.octets()).to_vec();
    Ok(Some(Located { integrity, ours: true, octets, delivery: Some(delivery.id), received: 0, tagged }))
}

/// A copy of a delivery in a mailbox of that person, wherever they put it.
fn copy_of(store: &Store, delivery: &Delivery, login: &Login) -> Result<Option<Vec<u8>>, ReadError> {
    let copies = store.copies_of(&[delivery.id])?;
    for copy in copies.into_iter().filter(|copy| copy.login == *login).take(COPIES_MAX) {
        if let Some((_, body)) = store.bodies_of(copy.mailbox, &[copy.uid].into_iter().collect())?.into_iter().next() {
            return store.read_body(&body).map(Some);
        }
    }
    Ok(None)
}
