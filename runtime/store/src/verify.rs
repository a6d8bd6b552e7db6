//! Recounts what the store keeps as sums, and reads every body.

use std::sync::atomic::Ordering;

use rusqlite::Transaction;

use crate::body::BodyRef;
use crate::error::ReadError;
use crate::id::MailboxId;
use crate::read::body_row;
use crate::store::Store;

/// Bodies read between two transactions.
const SLICE: i64 = 1_000;

/// What a verification looked at and what was wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub mailboxes: u64,
    pub messages: u64,
    pub bodies: u64,
    pub body_bytes: u64,
    pub findings: Vec<Finding>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Messages, unseen, deleted or octets of a mailbox are not what its messages add up to.
    Counters { mailbox: MailboxId },
    /// A message has a UID, MODSEQ or birth its mailbox has not given yet.
    Ahead { mailbox: MailboxId },
    /// Rows without a summary, or summaries without a row.
    Summaries { mailbox: MailboxId },
    /// Body `blob` has another number of references than rows that point at it.
    References { blob: i64 },
    /// Body `blob` does not match its checksum, or its record is gone.
    Body { blob: i64 },
}

impl Store {
    /// Reads everything once; meant for operators and tests. Writes go on meanwhile, each check sees one moment.
    pub fn verify(&self) -> Result<Report, ReadError> {
        let mut report = Report::default();
        self.read(|tx| {
            let count = |sql: &str| tx.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|n| n as u64);
            report.mailboxes = count("SELECT count(*) FROM mailbox")?;
            report.messages = count("SELECT count(*) FROM msg")?;
            counters(tx, &mut report)?;
            references(tx, &mut report)
        })?;
        self.bodies(&mut report)?;
        Ok(report)
    }

    fn bodies(&self, report: &mut Report) -> Result<(), ReadError> {
        let mut after = 0;
        loop {
            let slice: Vec<BodyRef> = self.read(|tx| {
                let mut query = tx.prepare_cached(
                    "SELECT id, seg, off, skip, len, crc FROM blob WHERE id > ?1 AND refs > 0 ORDER BY id LIMIT ?2",
                )?;
                Ok(query.query_map([after, SLICE], |row| body_row(row, 0))?.collect::<Result<_, _>>()?)
            })?;
            let Some(last) = slice.last() else { return Ok(()) };
            after = last.0.blob.load(Ordering::Relaxed);
            for body in &slice {
                report.bodies += 1;
                report.body_bytes += body.len();
                if !self.segments().is_sound(&body.0.place)? {
                    report.findings.push(Finding::Body { blob: body.0.blob.load(Ordering::Relaxed) });
                }
            }
        }
    }
}

fn counters(tx: &Transaction, report: &mut Report) -> Result<(), ReadError> {
    let mut query = tx.prepare(
        "SELECT m.id,
            m.messages = count(g.id) AND m.unseen = count(g.id) FILTER (WHERE g.flags & 1 = 0)
              AND m.deleted = count(g.id) FILTER (WHERE g.flags & 8 <> 0) AND m.octets = ifnull(sum(g.size), 0),
            ifnull(max(g.id & 0xffffffff) < m.uidnext AND max(g.modseq) <= m.modseq AND max(g.born) <= m.modseq, 1),
            (SELECT count(*) FROM summary s WHERE s.id BETWEEN m.id << 32 AND (m.id << 32) + 0xffffffff) = count(g.id)
         FROM mailbox m LEFT JOIN msg g ON g.id BETWEEN m.id << 32 AND (m.id << 32) + 0xffffffff GROUP BY m.id",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let mailbox = MailboxId(row.get(0)?);
        if !row.get::<_, bool>(1)? {
            report.findings.push(Finding::Counters { mailbox });
        }
        if !row.get::<_, bool>(2)? {
            report.findings.push(Finding::Ahead { mailbox });
        }
        if !row.get::<_, bool>(3)? {
            report.findings.push(Finding::Summaries { mailbox });
        }
    }
    Ok(())
}

fn references(tx: &Transaction, report: &mut Report) -> Result<(), ReadError> {
    let mut query = tx.prepare(
        "SELECT blob FROM (
            SELECT blob, sum(held) AS held, sum(refs) AS refs FROM (
                SELECT blob, 1 AS held, 0 AS refs FROM msg UNION ALL SELECT blob, 1, 0 FROM spool
                UNION ALL SELECT blob, 1, 0 FROM quarantine UNION ALL SELECT id, 0, refs FROM blob)
            GROUP BY blob) WHERE held <> refs",
    )?;
    let wrong = query.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    report.findings.extend(wrong.into_iter().map(|blob| Finding::References { blob }));
    Ok(())
}
