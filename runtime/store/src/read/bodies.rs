//! Bodies of messages, and what RFC 8474 and RFC 8514 say of them.

use rusqlite::{OptionalExtension, Row, Transaction};

use crate::body::{BodyRef, Place, own_email};
use crate::error::ReadError;
use crate::id::{MailboxId, ObjectId, UidSet};
use crate::schema::{message_key, uid_of};
use crate::store::Store;

/// What clients ask of a message now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageIdentity {
    pub uid: u32,
    /// RFC 8474 EMAILID.
    pub email: ObjectId,
    /// RFC 8474 THREADID; none for mail of before threads were kept.
    pub thread: Option<ObjectId>,
    /// RFC 8514 SAVEDATE: when it came into this mailbox, in seconds since 1970.
    pub saved_s: i64,
}

impl Store {
    /// The body of a message; `None` when the message is gone.
    pub fn body_of(&self, mailbox: MailboxId, uid: u32) -> Result<Option<BodyRef>, ReadError> {
        let found = self.bodies_of(mailbox, &[uid].into_iter().collect())?;
        Ok(found.into_iter().next().map(|(_, body)| body))
    }

    /// The bodies of those messages of the set that exist, ascending.
    pub fn bodies_of(&self, mailbox: MailboxId, uids: &UidSet) -> Result<Vec<(u32, BodyRef)>, ReadError> {
        self.read_in(mailbox.shard(), |tx| Ok(bodies_in(tx, mailbox, uids)?))
    }

    /// Identifiers and saved dates of those messages of the set that exist, ascending.
    pub fn identities(&self, mailbox: MailboxId, uids: &UidSet) -> Result<Vec<MessageIdentity>, ReadError> {
        let shard = mailbox.shard();
        self.read_in(shard, |tx| {
            let mut query = tx.prepare_cached(
                "SELECT msg.id, msg.blob, b.email, msg.thread, msg.saved FROM msg CROSS JOIN blob b ON b.id = msg.blob
                 WHERE msg.id BETWEEN ?1 AND ?2 ORDER BY msg.id",
            )?;
            let mut found = Vec::new();
            for (first, last) in uids.ranges() {
                let bounds = (message_key(mailbox.0, *first), message_key(mailbox.0, *last));
                for row in query.query_map(bounds, |row| identity_row(row, shard))? {
                    found.push(row?);
                }
            }
            Ok(found)
        })
    }
}

fn identity_row(row: &Row, shard: u8) -> rusqlite::Result<MessageIdentity> {
    let (blob, email): (i64, Option<i64>) = (row.get(1)?, row.get(2)?);
    Ok(MessageIdentity {
        uid: uid_of(row.get(0)?),
        email: ObjectId(email.unwrap_or_else(|| own_email(shard, blob))),
        thread: row.get::<_, Option<i64>>(3)?.map(ObjectId),
        saved_s: row.get(4)?,
    })
}

pub(crate) fn bodies_in(tx: &Transaction, mailbox: MailboxId, uids: &UidSet) -> rusqlite::Result<Vec<(u32, BodyRef)>> {
    let mut query = tx.prepare_cached(
        "SELECT msg.id, b.id, b.seg, b.off, b.skip, b.len, b.crc, b.email FROM msg CROSS JOIN blob b ON b.id = msg.blob
         WHERE msg.id BETWEEN ?1 AND ?2 ORDER BY msg.id",
    )?;
    let mut found = Vec::new();
    for (first, last) in uids.ranges() {
        let bounds = (message_key(mailbox.0, *first), message_key(mailbox.0, *last));
        for row in query.query_map(bounds, |row| Ok((uid_of(row.get(0)?), body_row(mailbox.shard(), row, 1)?)))? {
            found.push(row?);
        }
    }
    Ok(found)
}

/// The body of a row, as it lies now.
pub(crate) fn body(tx: &Transaction, shard: u8, blob: i64) -> Result<Option<BodyRef>, ReadError> {
    let mut query = tx.prepare_cached("SELECT id, seg, off, skip, len, crc, email FROM blob WHERE id = ?1")?;
    Ok(query.query_row([blob], |row| body_row(shard, row, 0)).optional()?)
}

/// Columns id, seg, off, skip, len, crc and email, from `first` on.
pub(crate) fn body_row(shard: u8, row: &Row, first: usize) -> rusqlite::Result<BodyRef> {
    let place = Place {
        segment: row.get(first + 1)?,
        offset: row.get::<_, i64>(first + 2)? as u64,
        skip: row.get(first + 3)?,
        len: row.get(first + 4)?,
        crc: row.get(first + 5)?,
    };
    Ok(BodyRef::from_row(shard, row.get(first)?, place, row.get(first + 6)?))
}
