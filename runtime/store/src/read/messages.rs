//! Messages of a mailbox: rows, changes, summaries, bodies.

use std::collections::BTreeSet;

use mail::mime::SummaryParts;
use mail::{Flags, Keyword, Login, MailboxName, SystemFlags};
use rusqlite::{Row, Transaction};

use super::mailboxes::{mailbox_named, mailbox_with_id};
use super::{Changes, MailboxInfo, MessageRow, Selected, Vanished};
use crate::error::ReadError;
use crate::id::{InternalDate, MailboxId, Modseq, UidSet};
use crate::schema::{message_key, uid_of};
use crate::store::Store;
use crate::summary::Summary;

pub(super) const MESSAGE: &str = "SELECT id, modseq, flags, kw, size, idate, zone FROM msg";

impl Store {
    /// A mailbox by name with the rows of all its messages, at one moment. `None` when there is none.
    pub fn select(&self, login: &Login, name: &MailboxName) -> Result<Option<Selected>, ReadError> {
        self.read_of(login, |tx, _| {
            let Some(mailbox) = mailbox_named(tx, login, name)? else { return Ok(None) };
            let messages = rows_in(tx, mailbox.id, &UidSet::all(), mailbox.counts.messages as usize)?;
            Ok(Some(Selected { mailbox, messages }))
        })
    }

    /// Rows of those messages of the set that exist, ascending.
    pub fn messages(&self, mailbox: MailboxId, uids: &UidSet) -> Result<Vec<MessageRow>, ReadError> {
        self.read_in(mailbox.shard(), |tx| Ok(rows_in(tx, mailbox, uids, 0)?))
    }

    /// What changed after `since`; the work grows with the changes, not with the mailbox. `None` when it is deleted.
    pub fn changes_since(&self, mailbox: MailboxId, since: Modseq) -> Result<Option<Changes>, ReadError> {
        self.read_in(mailbox.shard(), |tx| match mailbox_with_id(tx, mailbox)? {
            Some(info) => changes_in(tx, &info, since).map(Some),
            None => Ok(None),
        })
    }

    /// UIDs that went after `since`, if they are not more than `limit`: a mailbox remembers each as long as it exists
    /// (RFC 7162 3.2.7). `None` when it is deleted.
    pub fn vanished_since(
        &self,
        mailbox: MailboxId,
        since: Modseq,
        limit: usize,
    ) -> Result<Option<Vanished>, ReadError> {
        self.read_in(mailbox.shard(), |tx| {
            if mailbox_with_id(tx, mailbox)?.is_none() {
                return Ok(None);
            }
            let uids = vanished_in(tx, mailbox, since, limit.saturating_add(1))?;
            Ok(Some(if uids.len() > limit { Vanished::Many } else { Vanished::Uids(uids) }))
        })
    }

    /// Summaries of at most `limit` messages of the set, ascending; go on after the last UID for more. Only the parts asked
    /// are read, the others are empty.
    pub fn summaries(
        &self,
        mailbox: MailboxId,
        uids: &UidSet,
        parts: SummaryParts,
        limit: usize,
    ) -> Result<Vec<(u32, Summary)>, ReadError> {
        self.read_in(mailbox.shard(), |tx| Ok(summaries_in(tx, mailbox, uids, parts, limit)?))
    }
}

/// What changed in a mailbox after `since`.
pub(super) fn changes_in(tx: &Transaction, mailbox: &MailboxInfo, since: Modseq) -> Result<Changes, ReadError> {
    let (highestmodseq, uidnext) = (mailbox.highestmodseq, mailbox.uidnext);
    if since >= highestmodseq {
        return Ok(Changes { highestmodseq, uidnext, messages: Vec::new(), vanished: Vec::new() });
    }
    let vanished = vanished_in(tx, mailbox.id, since, usize::MAX)?;
    let messages = changed_rows(tx, mailbox.id, i64::try_from(since).unwrap_or(i64::MAX))?;
    Ok(Changes { highestmodseq, uidnext, messages, vanished })
}

/// At most `limit` UIDs, ascending.
fn vanished_in(tx: &Transaction, mailbox: MailboxId, since: Modseq, limit: usize) -> Result<Vec<u32>, ReadError> {
    let (since, limit) = (i64::try_from(since).unwrap_or(i64::MAX), i64::try_from(limit).unwrap_or(i64::MAX));
    let mut vanished: Vec<u32> = tx
        .prepare_cached("SELECT uid FROM vanished WHERE mailbox = ?1 AND modseq > ?2 LIMIT ?3")?
        .query_map((mailbox.0, since, limit), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    vanished.sort_unstable();
    Ok(vanished)
}

/// Arrivals from the end of the mailbox, changed ones from the index. `born` grows with the UID.
fn changed_rows(tx: &Transaction, mailbox: MailboxId, since: i64) -> Result<Vec<MessageRow>, ReadError> {
    let mut changed = Vec::new();
    let mut arrivals = tx.prepare_cached(
        "SELECT id, modseq, flags, kw, size, idate, zone, born FROM msg WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC",
    )?;
    let mut rows = arrivals.query((message_key(mailbox.0, 0), message_key(mailbox.0, u32::MAX)))?;
    let mut first_arrival = u32::MAX;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(7)? <= since {
            break;
        }
        let message = message_row(row)?;
        first_arrival = message.uid;
        changed.push(message);
    }
    drop(rows);
    let mut touched = tx.prepare_cached(&format!("{MESSAGE} WHERE id >> 32 = ?1 AND modseq > ?2 AND modseq > born"))?;
    for message in touched.query_map((mailbox.0, since), message_row)? {
        let message = message?;
        if message.uid < first_arrival {
            changed.push(message);
        }
    }
    changed.sort_unstable_by_key(|message| message.uid);
    Ok(changed)
}

pub(crate) fn rows_in(
    tx: &rusqlite::Connection,
    mailbox: MailboxId,
    uids: &UidSet,
    expected: usize,
) -> rusqlite::Result<Vec<MessageRow>> {
    let mut query = tx.prepare_cached(&format!("{MESSAGE} WHERE id BETWEEN ?1 AND ?2 ORDER BY id"))?;
    let mut found = Vec::with_capacity(expected);
    for (first, last) in uids.ranges() {
        let bounds = (message_key(mailbox.0, *first), message_key(mailbox.0, *last));
        for row in query.query_map(bounds, message_row)? {
            found.push(row?);
        }
    }
    Ok(found)
}

fn message_row(row: &Row) -> rusqlite::Result<MessageRow> {
    Ok(MessageRow {
        uid: uid_of(row.get(0)?),
        modseq: row.get::<_, i64>(1)? as u64,
        flags: flags_from(row.get(2)?, row.get_ref(3)?.as_str_or_null()?),
        size_octets: row.get::<_, i64>(4)? as u64,
        internal_date: InternalDate { seconds: row.get(5)?, offset_minutes: row.get(6)? },
    })
}

/// Flags from their columns: bits, and keywords joined by spaces.
pub(crate) fn flags_from(bits: u8, keywords: Option<&str>) -> Flags {
    let keywords: BTreeSet<Keyword> =
        keywords.map(|text| text.split(' ').filter_map(Keyword::new).collect()).unwrap_or_default();
    Flags { system: SystemFlags::from_bits(bits), keywords }
}

/// The columns of a summary, in the order `summary_row` reads them.
const SUMMARY: [(SummaryParts, &str); 13] = [
    (SummaryParts::ENVELOPE, "envelope"),
    (SummaryParts::BODYSTRUCTURE, "bodystructure"),
    (SummaryParts::BODY, "body"),
    (SummaryParts::PREVIEW, "preview"),
    (SummaryParts::SUBJECT, "subject"),
    (SummaryParts::FROM, "sender"),
    (SummaryParts::TO, "recipient"),
    (SummaryParts::CC, "cc"),
    (SummaryParts::BCC, "bcc"),
    (SummaryParts::MESSAGE_ID, "message_id"),
    (SummaryParts::IN_REPLY_TO, "in_reply_to"),
    (SummaryParts::REFERENCES, "refs"),
    (SummaryParts::DATE, "sent"),
];

pub(crate) fn summaries_in(
    tx: &Transaction,
    mailbox: MailboxId,
    uids: &UidSet,
    parts: SummaryParts,
    limit: usize,
) -> rusqlite::Result<Vec<(u32, Summary)>> {
    let mut query = tx.prepare_cached(&summary_query())?;
    let mut found = Vec::with_capacity(limit.min(4096));
    for (first, last) in uids.ranges() {
        let (first, last) = (message_key(mailbox.0, *first), message_key(mailbox.0, *last));
        let left = i64::try_from(limit - found.len()).unwrap_or(i64::MAX);
        for row in query.query_map((first, last, left, parts.bits()), |row| summary_row(row, parts))? {
            found.push(row?);
        }
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}

/// One statement for all choices, so that it is planned once. SQLite does not read a column whose bit is not in ?4.
fn summary_query() -> String {
    let asked = |(part, column): &(SummaryParts, &str)| format!("iif(?4 & {}, {column}, NULL)", part.bits());
    let columns: Vec<String> = SUMMARY.iter().map(asked).collect();
    let columns = columns.join(", ");
    format!("SELECT id, whole, {columns} FROM summary WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3")
}

fn summary_row(row: &Row, parts: SummaryParts) -> rusqlite::Result<(u32, Summary)> {
    let octets = |index| row.get::<_, Option<Vec<u8>>>(index).map(Option::unwrap_or_default);
    let text = |index| row.get::<_, Option<String>>(index).map(Option::unwrap_or_default);
    let summary = Summary {
        whole: SummaryParts::from_bits(row.get(1)?).among(parts),
        envelope_imap: octets(2)?,
        bodystructure_imap: octets(3)?,
        body_imap: octets(4)?,
        preview: text(5)?,
        subject: text(6)?,
        from: text(7)?,
        to: text(8)?,
        cc: text(9)?,
        bcc: text(10)?,
        message_id: text(11)?,
        in_reply_to: text(12)?,
        references: text(13)?,
        sent_date: row.get(14)?,
    };
    Ok((uid_of(row.get(0)?), summary))
}
