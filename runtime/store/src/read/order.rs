//! What messages are ordered by (`mail::order`): from the search index, which has it at hand, and of messages it does not know
//! yet from their summaries, which costs more.

use mail::order::{KeyParts, Keys, MessageKeys, Source};
use rusqlite::types::ValueRef;
use rusqlite::{Row, Transaction};

use crate::error::ReadError;
use crate::id::{MailboxId, UidSet};
use crate::schema::{message_key, uid_of};
use crate::store::Store;

/// Summaries read in one transaction.
const SLICE: usize = 4_096;

impl Store {
    /// Of those of the messages that exist. `uids` ascend.
    pub fn order_keys(&self, mailbox: MailboxId, uids: &[u32], parts: KeyParts) -> Result<Keys, ReadError> {
        let known = self.search_of(mailbox).map(|search| search.order_keys(mailbox, uids, parts)).unwrap_or_default();
        if known.len() == uids.len() {
            return Ok(known);
        }
        let mut there = known.uids().iter().peekable();
        let missing: Vec<u32> =
            uids.iter().filter(|uid| there.next_if(|known| known == uid).is_none()).copied().collect();
        let mut others = Keys::default();
        for slice in missing.chunks(SLICE) {
            let slice: UidSet = slice.iter().copied().collect();
            let found = self.read_in(mailbox.shard(), |tx| {
                let ranges = slice.ranges().iter().map(|(first, last)| (*first, *last));
                Ok(keys_in(tx, mailbox.0, ranges, parts, SLICE)?)
            })?;
            found.iter().for_each(|(uid, keys)| others.push(*uid, keys, parts));
        }
        Ok(known.merged(&others))
    }
}

/// Made of the summaries of at most `limit` messages of these ranges of UIDs, ascending; only these parts.
pub(crate) fn keys_in(
    tx: &Transaction,
    mailbox: u32,
    ranges: impl IntoIterator<Item = (u32, u32)>,
    parts: KeyParts,
    limit: usize,
) -> rusqlite::Result<Vec<(u32, MessageKeys)>> {
    let mut query = tx.prepare_cached(&query(parts))?;
    let mut found = Vec::new();
    for (first, last) in ranges {
        let left = i64::try_from(limit - found.len()).unwrap_or(i64::MAX);
        let mut rows = query.query((message_key(mailbox, first), message_key(mailbox, last), left))?;
        while let Some(row) = rows.next()? {
            found.push((uid_of(row.get(0)?), keys_of(row, parts)?));
        }
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}

/// What no part needs is NULL.
fn query(parts: KeyParts) -> String {
    let threads = parts.contains(KeyParts::THREAD);
    let columns = [
        (parts.of_addresses(), "envelope"),
        (parts.of_subject(), "subject"),
        (threads, "message_id"),
        (threads, "in_reply_to"),
        (threads, "refs"),
    ];
    let columns = columns.map(|(asked, column)| if asked { column } else { "NULL" }).join(", ");
    format!("SELECT id, sent, {columns} FROM summary WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3")
}

fn keys_of(row: &Row, parts: KeyParts) -> rusqlite::Result<MessageKeys> {
    let source = Source {
        sent_s: row.get(1)?,
        envelope: octets(row.get_ref(2)?),
        subject: text(row.get_ref(3)?),
        message_id: text(row.get_ref(4)?),
        in_reply_to: text(row.get_ref(5)?),
        references: text(row.get_ref(6)?),
    };
    Ok(MessageKeys::some_of(&source, parts))
}

fn octets(value: ValueRef<'_>) -> &[u8] {
    value.as_blob().unwrap_or_default()
}

fn text(value: ValueRef<'_>) -> &str {
    value.as_str().unwrap_or_default()
}
