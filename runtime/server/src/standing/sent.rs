//! What an account sent lately, as the delivery index and the index of what left know it: by its addresses. Messages that
//! others sent under one of them are among them; subjects are known of copies that are in mailboxes here.

use std::collections::BTreeMap;

use mail::mime::SummaryParts;
use mail::{Address, Login};
use serde::{Deserialize, Serialize};
use store::{QueueId, ReadError, Store, UidSet};

use crate::left;
use crate::marks::Mark;

/// Messages that are listed.
const LISTED_MAX: usize = 2_000;
/// Rows of the index read at a time.
const ROWS: usize = 5_000;

/// A message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentMessage {
    /// Unix seconds.
    pub at_s: i64,
    pub queue_id: String,
    /// Mailboxes here that have it.
    pub here: usize,
    /// Addresses it left for, or waits to.
    pub away: Vec<String>,
    /// It waits and is held.
    pub held: bool,
    /// Empty where no copy is here.
    pub subject: String,
}

/// What `login` sent since `since_s`, oldest first, and whether there was more than is listed.
pub fn sent(store: &Store, login: &Login, since_s: i64) -> Result<(Vec<SentMessage>, bool), ReadError> {
    let marks: Vec<u64> =
        addresses(store, login)?.iter().map(|address| Mark::ReversePath.of(&address.to_string())).collect();
    let since_ms = u64::try_from(since_s).unwrap_or(0).saturating_mul(1_000);
    let mut found: BTreeMap<QueueId, SentMessage> = BTreeMap::new();
    let mut has_more = false;
    left::since(store, since_ms, |id, left| {
        if left.marks.iter().any(|mark| marks.contains(mark)) {
            let to = left.to.iter().map(|to| to.behind.clone().unwrap_or_else(|| to.address.clone()));
            if let Some(sent) = room(&mut found, id, &mut has_more) {
                sent.away.extend(to);
            }
        }
        Ok::<(), ReadError>(())
    })?;
    for mark in &marks {
        delivered(store, *mark, since_ms, &mut found, &mut has_more)?;
    }
    for (id, sent) in &mut found {
        sent.queue_id = id.to_string();
        sent.at_s = time_s(*id);
        if let Some(item) = store.queue_item(*id)? {
            sent.held = queue::facts::read::<queue::MessageFacts>(&item.facts).held;
        }
    }
    Ok((found.into_values().collect(), has_more))
}

fn room<'a>(
    found: &'a mut BTreeMap<QueueId, SentMessage>,
    id: QueueId,
    has_more: &mut bool,
) -> Option<&'a mut SentMessage> {
    if found.len() >= LISTED_MAX && !found.contains_key(&id) {
        *has_more = true;
        return None;
    }
    Some(found.entry(id).or_default())
}

fn delivered(
    store: &Store,
    mark: u64,
    since_ms: u64,
    found: &mut BTreeMap<QueueId, SentMessage>,
    has_more: &mut bool,
) -> Result<(), ReadError> {
    for shard in 0..store.amounts()?.shards {
        let mut after = Some(first_of(since_ms));
        while let Some(from) = after {
            let (rows, next) = store.deliveries_marked(shard, mark, from, ROWS)?;
            for row in rows {
                let Some(sent) = room(found, QueueId(row.id), has_more) else { continue };
                sent.here += row.placed.len();
                if let (true, Some((mailbox, uid))) = (sent.subject.is_empty(), row.placed.first()) {
                    let one: UidSet = [*uid].into_iter().collect();
                    let kept = store.summaries(*mailbox, &one, SummaryParts::SUBJECT, 1)?;
                    sent.subject = kept.into_iter().next().map(|(_, summary)| summary.subject).unwrap_or_default();
                }
            }
            after = next;
        }
    }
    Ok(())
}

/// Official address, aliases and former addresses of a person alone.
fn addresses(store: &Store, login: &Login) -> Result<Vec<Address>, ReadError> {
    let mut all: Vec<Address> = store.person(login)?.map(|row| row.person.address).into_iter().collect();
    let own = store.aliases_of(login)?.into_iter().filter(|alias| alias.members.len() == 1);
    all.extend(own.map(|alias| alias.address));
    Ok(all)
}

fn first_of(ms: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
    id
}

fn time_s(id: QueueId) -> i64 {
    let ms = id.0[..6].iter().fold(0_u64, |ms, octet| ms << 8 | u64::from(*octet));
    i64::try_from(ms / 1_000).unwrap_or(0)
}
