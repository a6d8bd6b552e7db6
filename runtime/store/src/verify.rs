//! Recounts what the store keeps as sums, and reads every body.

mod steps;

use rusqlite::Transaction;

use crate::body::BodyRef;
use crate::error::ReadError;
use crate::id::MailboxId;
use crate::progress::Progress;
use crate::read::body_row;
use crate::store::Store;
pub use steps::{Holder, Interrupt, VerifyPart, VerifyPlace};

/// Bodies read between two transactions.
const SLICE: i64 = 1_000;
/// Pages of 4 KiB of a database that is checked in moments: 1 GiB.
const PAGES_AT_ONCE: i64 = 1 << 18;
/// Newest bodies that are read in moments, and octets after which no more are.
const NEWEST: i64 = 200;
const NEWEST_OCTETS: u64 = 64 << 20;

/// What a verification looked at and what was wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub accounts: u64,
    pub mailboxes: u64,
    pub messages: u64,
    pub bodies: u64,
    pub body_bytes: u64,
    pub findings: Vec<Finding>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A person without an account, where the person's row says it lies.
    NoAccount { login: String },
    /// Messages, unseen, deleted or octets of a mailbox are not what its messages add up to.
    Counters { mailbox: MailboxId },
    /// A message has a UID, MODSEQ or birth its mailbox has not given yet.
    Ahead { mailbox: MailboxId },
    /// Rows without a summary, or summaries without a row.
    Summaries { mailbox: MailboxId },
    /// Body `blob` of `shard` has another number of references than rows that point at it.
    References { shard: u8, blob: i64 },
    /// Body `blob` of `shard` does not match its checksum, or its record is gone.
    Body { shard: u8, blob: i64 },
    /// SQLite finds its file damaged.
    Database { shard: u8, what: String },
}

impl Store {
    /// Reads everything once; meant for operators and tests. Writes go on meanwhile, each check sees one moment.
    pub fn verify(&self) -> Result<Report, ReadError> {
        self.verify_with(&mut |_| ())
    }

    /// The same, telling how far it is.
    pub fn verify_with(&self, progress: &mut dyn FnMut(Progress)) -> Result<Report, ReadError> {
        let mut report = Report::default();
        let mut bodies = 0;
        for shard in self.shard_numbers() {
            self.read_in(shard, |tx| {
                let count = |sql: &str| tx.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|n| n as u64);
                report.accounts += count("SELECT count(*) FROM account")?;
                report.mailboxes += count("SELECT count(*) FROM mailbox")?;
                report.messages += count("SELECT count(*) FROM msg")?;
                bodies += count("SELECT count(*) FROM blob WHERE refs > 0")?;
                database(tx, shard, &mut report)?;
                counters(tx, None, &mut report)?;
                references(tx, shard, &mut report)
            })?;
        }
        self.accounts(&mut report)?;
        for shard in self.shard_numbers() {
            self.bodies(shard, bodies, &mut report, progress)?;
        }
        Ok(report)
    }

    /// What can be looked at in moments: SQLite's own check of databases that are not large, and the newest bodies. Also tells
    /// how many databases were not checked.
    pub fn verify_newest(&self) -> Result<(Report, u64), ReadError> {
        let (mut report, mut unchecked) = (Report::default(), 0);
        for shard in self.shard_numbers() {
            let newest: Vec<BodyRef> = self.read_in(shard, |tx| {
                let pages: i64 = tx.query_row("PRAGMA page_count", [], |row| row.get(0))?;
                match pages <= PAGES_AT_ONCE {
                    true => database(tx, shard, &mut report)?,
                    false => unchecked += 1,
                }
                let mut query = tx.prepare_cached(
                    "SELECT id, seg, off, skip, len, crc, email FROM blob WHERE refs > 0 ORDER BY id DESC LIMIT ?1",
                )?;
                Ok(query.query_map([NEWEST], |row| body_row(shard, row, 0))?.collect::<Result<_, _>>()?)
            })?;
            for body in &newest {
                report.bodies += 1;
                report.body_bytes += body.len();
                let blob = body.row_in(shard).unwrap_or_default();
                if !self.is_sound(shard, blob, body)? {
                    report.findings.push(Finding::Body { shard, blob });
                }
                if report.body_bytes > NEWEST_OCTETS {
                    break;
                }
            }
        }
        Ok((report, unchecked))
    }

    /// Everybody's account lies where the person's row says.
    fn accounts(&self, report: &mut Report) -> Result<(), ReadError> {
        let people: Vec<(String, u8)> = self.read(|tx| {
            let mut query = tx.prepare("SELECT login, shard FROM person")?;
            Ok(query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
        })?;
        for (login, shard) in people {
            let there = self.read_in(shard, |tx| {
                let mut query = tx.prepare_cached("SELECT EXISTS(SELECT 1 FROM account WHERE login = ?1)")?;
                Ok(query.query_row([&login], |row| row.get::<_, bool>(0))?)
            })?;
            if !there {
                report.findings.push(Finding::NoAccount { login });
            }
        }
        Ok(())
    }

    fn bodies(
        &self,
        shard: u8,
        total: u64,
        report: &mut Report,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), ReadError> {
        let mut after = 0;
        loop {
            let slice: Vec<BodyRef> = self.read_in(shard, |tx| {
                let mut query = tx.prepare_cached(
                    "SELECT id, seg, off, skip, len, crc, email FROM blob WHERE id > ?1 AND refs > 0 ORDER BY id LIMIT ?2",
                )?;
                Ok(query.query_map([after, SLICE], |row| body_row(shard, row, 0))?.collect::<Result<_, _>>()?)
            })?;
            if slice.is_empty() {
                return Ok(());
            }
            for body in &slice {
                let Some(blob) = body.row_in(shard) else { continue };
                after = blob;
                report.bodies += 1;
                report.body_bytes += body.len();
                if !self.is_sound(shard, blob, body)? {
                    report.findings.push(Finding::Body { shard, blob });
                }
            }
            progress(Progress { what: "bodies", done: report.bodies.min(total), total });
        }
    }

    /// A body that moved since its row was read is looked at where it lies now; one that went is no finding.
    fn is_sound(&self, shard: u8, blob: i64, body: &BodyRef) -> Result<bool, ReadError> {
        if self.segments().is_sound(&body.0.place)? {
            return Ok(true);
        }
        let now = self.read_in(shard, |tx| {
            let mut query =
                tx.prepare_cached("SELECT id, seg, off, skip, len, crc, email FROM blob WHERE id = ?1 AND refs > 0")?;
            let mut rows = query.query([blob])?;
            Ok(rows.next()?.map(|row| body_row(shard, row, 0)).transpose()?)
        })?;
        match now {
            Some(now) if now.0.place != body.0.place => self.segments().is_sound(&now.0.place),
            Some(_) => Ok(false),
            None => Ok(true),
        }
    }
}

fn database(tx: &Transaction, shard: u8, report: &mut Report) -> Result<(), ReadError> {
    let mut query = tx.prepare("PRAGMA quick_check(20)")?;
    let lines = query.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    report.findings.extend(lines.into_iter().filter(|line| line != "ok").map(|what| Finding::Database { shard, what }));
    Ok(())
}

/// Compares what mailboxes count with what they have: all, or so many behind one. Tells which was the last of these.
fn counters(tx: &Transaction, some: Option<(i64, i64)>, report: &mut Report) -> Result<Option<i64>, ReadError> {
    let mut query = tx.prepare_cached(
        "SELECT m.id,
            m.messages = count(g.id) AND m.unseen = count(g.id) FILTER (WHERE g.flags & 1 = 0)
              AND m.deleted = count(g.id) FILTER (WHERE g.flags & 8 <> 0) AND m.octets = ifnull(sum(g.size), 0),
            ifnull(max(g.id & 0xffffffff) < m.uidnext AND max(g.modseq) <= m.modseq AND max(g.born) <= m.modseq, 1),
            (SELECT count(*) FROM summary s WHERE s.id BETWEEN m.id << 32 AND (m.id << 32) + 0xffffffff) = count(g.id)
         FROM (SELECT * FROM mailbox WHERE id > ?1 ORDER BY id LIMIT ?2) m
         LEFT JOIN msg g ON g.id BETWEEN m.id << 32 AND (m.id << 32) + 0xffffffff GROUP BY m.id ORDER BY m.id",
    )?;
    let mut last = None;
    let mut rows = query.query(some.unwrap_or((-1, -1)))?;
    while let Some(row) = rows.next()? {
        let mailbox = MailboxId(row.get(0)?);
        last = Some(i64::from(mailbox.0));
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
    Ok(last)
}

fn references(tx: &Transaction, shard: u8, report: &mut Report) -> Result<(), ReadError> {
    let mut query = tx.prepare(
        "SELECT blob FROM (
            SELECT blob, sum(held) AS held, sum(refs) AS refs FROM (
                SELECT blob, 1 AS held, 0 AS refs FROM msg UNION ALL SELECT blob, 1, 0 FROM spool
                UNION ALL SELECT blob, 1, 0 FROM quarantine UNION ALL SELECT id, 0, refs FROM blob)
            GROUP BY blob) WHERE held <> refs",
    )?;
    let wrong = query.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    report.findings.extend(wrong.into_iter().map(|blob| Finding::References { shard, blob }));
    Ok(())
}
