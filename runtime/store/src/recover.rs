//! After a crash: the last group may be in the WAL while its bodies are not on the device. Such messages were never
//! acknowledged, so they go; their UIDs do not come back.

use std::collections::BTreeSet;

use rusqlite::{Connection, Transaction};

use crate::body::Segments;
use crate::error::{OpenError, ReadError};
use crate::read::body_row;
use crate::schema::{message_key, uid_of};

/// Gives the number of the last group and how many of its bodies were bad.
pub(crate) fn recover(db: &mut Connection, shard: u8, segments: &Segments) -> Result<(u64, u64), OpenError> {
    let tx = db.transaction()?;
    let number = |key: &str| tx.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get::<_, i64>(0));
    let (seq, tail_blob) = (number("seq")?, number("tail_blob")?);
    let mut bad = BTreeSet::new();
    {
        // Bodies of earlier groups were flushed before the last group began.
        let mut tail =
            tx.prepare("SELECT id, seg, off, skip, len, crc, email, refs FROM blob WHERE id >= ?1 AND refs > 0")?;
        for body in tail.query_map([tail_blob], |row| body_row(shard, row, 0))? {
            let body = body?;
            match segments.is_sound(&body.0.place) {
                Ok(true) => {}
                Ok(false) => bad.extend(body.row_in(shard)),
                Err(ReadError::Io(error)) => return Err(OpenError::Io { path: "segments".into(), error }),
                Err(error) => {
                    return Err(OpenError::Io {
                        path: "segments".into(),
                        error: std::io::Error::other(error.to_string()),
                    });
                }
            }
        }
    }
    if bad.is_empty() {
        return Ok((seq as u64, 0));
    }
    tracing::warn!("{} unacknowledged messages of the last group are incomplete and go", bad.len());
    let next = seq + 1;
    let changed: Vec<u32> = tx
        .prepare("SELECT id FROM mailbox WHERE seq = ?1")?
        .query_map([seq], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for mailbox in changed {
        expunge(&tx, mailbox, &bad, next)?;
    }
    for blob in &bad {
        tx.execute("DELETE FROM delivery WHERE id = (SELECT delivery FROM blob WHERE id = ?1)", [blob])?;
        tx.execute("DELETE FROM spool_recipient WHERE spool IN (SELECT id FROM spool WHERE blob = ?1)", [blob])?;
        tx.execute("DELETE FROM spool WHERE blob = ?1", [blob])?;
        tx.execute("DELETE FROM quarantine WHERE blob = ?1", [blob])?;
        tx.execute("DELETE FROM blob WHERE id = ?1", [blob])?;
    }
    tx.execute("UPDATE meta SET value = ?1 WHERE key = 'seq'", [next])?;
    tx.execute("UPDATE meta SET value = (SELECT value FROM meta WHERE key = 'next_blob') WHERE key = 'tail_blob'", [])?;
    tx.commit()?;
    Ok((next as u64, bad.len() as u64))
}

fn expunge(tx: &Transaction, mailbox: u32, bad: &BTreeSet<i64>, seq: i64) -> rusqlite::Result<()> {
    let (first, last) = (message_key(mailbox, 0), message_key(mailbox, u32::MAX));
    let gone: Vec<i64> = tx
        .prepare_cached("SELECT id, blob FROM msg WHERE id BETWEEN ?1 AND ?2")?
        .query_map((first, last), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?
        .filter_map(|row| match row {
            Ok((key, blob)) if bad.contains(&blob) => Some(Ok(key)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
        .collect::<Result<_, _>>()?;
    if gone.is_empty() {
        return Ok(());
    }
    tx.execute("UPDATE mailbox SET modseq = modseq + 1, seq = ?2 WHERE id = ?1", (mailbox, seq))?;
    tx.execute("INSERT OR IGNORE INTO changelog(seq, mailbox) VALUES(?2, ?1)", (mailbox, seq))?;
    for key in gone {
        tx.execute("DELETE FROM msg WHERE id = ?1", [key])?;
        tx.execute("DELETE FROM summary WHERE id = ?1", [key])?;
        tx.execute(
            "INSERT INTO vanished(mailbox, modseq, uid) SELECT id, modseq, ?2 FROM mailbox WHERE id = ?1",
            (mailbox, uid_of(key)),
        )?;
    }
    tx.execute(
        "UPDATE mailbox SET (messages, unseen, deleted, octets) =
         (SELECT count(*), count(*) FILTER (WHERE flags & 1 = 0), count(*) FILTER (WHERE flags & 8 <> 0), ifnull(sum(size), 0)
          FROM msg WHERE id BETWEEN ?2 AND ?3) WHERE id = ?1",
        (mailbox, first, last),
    )?;
    Ok(())
}
