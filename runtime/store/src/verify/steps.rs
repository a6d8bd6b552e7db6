//! A verification in small steps, which may be days apart: each says where the next one begins.

use rusqlite::Transaction;

use super::{Finding, Report, counters, references};
use crate::body::BodyRef;
use crate::error::ReadError;
use crate::id::{MailboxId, QueueId};
use crate::read::body_row;
use crate::store::Store;

/// Bodies of one step, whatever their length, and mailboxes of one.
const BODIES: i64 = 1_000;
const MAILBOXES: i64 = 200;
/// A database has fewer.
const TABLES_MAX: i64 = 1_000;

/// What a step looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyPart {
    /// SQLite's own check, one table a step.
    Tables,
    /// What mailboxes count.
    Mailboxes,
    /// How many messages have a body.
    References,
    Bodies,
}

impl VerifyPart {
    pub const ALL: [VerifyPart; 4] =
        [VerifyPart::Tables, VerifyPart::Mailboxes, VerifyPart::References, VerifyPart::Bodies];

    fn next(self) -> Option<VerifyPart> {
        VerifyPart::ALL.into_iter().skip_while(|part| *part != self).nth(1)
    }
}

/// Where a verification is: what is before was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyPlace {
    pub shard: u8,
    pub part: VerifyPart,
    /// The table's number, the mailbox or the body that was last.
    pub after: i64,
}

impl VerifyPlace {
    pub const START: VerifyPlace = VerifyPlace { shard: 0, part: VerifyPart::Tables, after: 0 };
}

/// Who has a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    Message {
        mailbox: MailboxId,
        uid: u32,
    },
    Spool(QueueId),
    /// Quarantined, proposed or taught.
    Apart(QueueId),
}

/// Ends a step that goes on, as of a large table; it answers with an error.
pub struct Interrupt(rusqlite::InterruptHandle);

impl Interrupt {
    pub fn interrupt(&self) {
        self.0.interrupt();
    }
}

impl Store {
    /// Looks at the next piece: bodies of `octets_max` together, and one more at most. What was found, and where it goes on;
    /// `None` after the last piece. `begun` is given what ends a piece that may take long.
    pub fn verify_step(
        &self,
        place: VerifyPlace,
        octets_max: u64,
        begun: &dyn Fn(Interrupt),
    ) -> Result<(Report, Option<VerifyPlace>), ReadError> {
        let mut report = Report::default();
        let VerifyPlace { shard, part, after } = place;
        let looked = match part {
            VerifyPart::Bodies => self.some_bodies(shard, after, octets_max, &mut report),
            _ => self.read_in(shard, |tx| {
                begun(Interrupt(tx.get_interrupt_handle()));
                rows(tx, place, &mut report)
            }),
        };
        let last = match looked {
            Ok(last) => last,
            // What cannot be read is what is looked for. The next table may be sound.
            Err(error) if is_damage(&error) => {
                report.findings.push(damaged(shard, &error));
                (part == VerifyPart::Tables && after < TABLES_MAX).then_some(after + 1)
            }
            Err(error) => return Err(error),
        };
        let next_shard = || self.shard_numbers().find(|number| *number > shard);
        let next = match (last, part.next()) {
            (Some(after), _) => Some(VerifyPlace { after, ..place }),
            (None, Some(part)) => Some(VerifyPlace { shard, part, after: 0 }),
            (None, None) => next_shard().map(|shard| VerifyPlace { shard, ..VerifyPlace::START }),
        };
        if next.is_none() {
            match self.accounts(&mut report) {
                Err(error @ ReadError::NoSuchShard) => report.findings.push(damaged(0, &error)),
                Err(error) if is_damage(&error) => report.findings.push(damaged(0, &error)),
                looked => looked?,
            }
        }
        Ok((report, next))
    }

    /// Octets of all bodies, in messages or not: what a whole verification reads.
    pub fn body_octets(&self) -> Result<u64, ReadError> {
        let sum = |tx: &Transaction| {
            let octets = tx.query_row("SELECT ifnull(sum(len), 0) FROM blob WHERE refs > 0", [], |row| row.get(0));
            Ok(octets.map(|octets: i64| octets.unsigned_abs())?)
        };
        self.shard_numbers().try_fold(0, |all, shard| Ok(u64::saturating_add(all, self.read_in(shard, sum)?)))
    }

    /// Who has body `blob` of `shard`, `limit` of them at most. Every message of the shard is looked at.
    pub fn holders(&self, shard: u8, blob: i64, limit: usize) -> Result<Vec<Holder>, ReadError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let apart = |id: Vec<u8>| id.try_into().map(QueueId).map_err(|_| ReadError::Damaged);
        self.read_in(shard, |tx| {
            let mut holders = Vec::new();
            let mut query = tx.prepare("SELECT id >> 32, id & 0xffffffff FROM msg WHERE blob = ?1 LIMIT ?2")?;
            let mut rows = query.query((blob, limit))?;
            while let Some(row) = rows.next()? {
                holders.push(Holder::Message { mailbox: MailboxId(row.get(0)?), uid: row.get(1)? });
            }
            for (table, holder) in [("spool", Holder::Spool as fn(QueueId) -> Holder), ("quarantine", Holder::Apart)] {
                let mut query = tx.prepare(&format!("SELECT id FROM {table} WHERE blob = ?1 LIMIT ?2"))?;
                let mut rows = query.query((blob, limit))?;
                while let Some(row) = rows.next()? {
                    holders.push(holder(apart(row.get(0)?)?));
                }
            }
            Ok(holders)
        })
    }

    /// Where it goes on in this shard; `None` behind its last body.
    fn some_bodies(
        &self,
        shard: u8,
        after: i64,
        octets_max: u64,
        report: &mut Report,
    ) -> Result<Option<i64>, ReadError> {
        let slice: Vec<BodyRef> = self.read_in(shard, |tx| {
            let mut query = tx.prepare_cached(
                "SELECT id, seg, off, skip, len, crc, email FROM blob WHERE id > ?1 AND refs > 0 ORDER BY id LIMIT ?2",
            )?;
            Ok(query.query_map([after, BODIES], |row| body_row(shard, row, 0))?.collect::<Result<_, _>>()?)
        })?;
        let mut last = None;
        for body in &slice {
            let Some(blob) = body.row_in(shard) else { continue };
            last = Some(blob);
            report.bodies += 1;
            report.body_bytes += body.len();
            let is_sound = match self.is_sound(shard, blob, body) {
                Err(ReadError::Io(_)) => false,
                looked => looked?,
            };
            if !is_sound {
                report.findings.push(Finding::Body { shard, blob });
            }
            if report.body_bytes >= octets_max {
                break;
            }
        }
        Ok(last)
    }
}

/// Looks at a piece of a database. Where it goes on in this part; `None` behind its last row.
fn rows(tx: &Transaction, place: VerifyPlace, report: &mut Report) -> Result<Option<i64>, ReadError> {
    let VerifyPlace { shard, part, after } = place;
    match part {
        VerifyPart::Tables => table(tx, shard, after, report),
        VerifyPart::Mailboxes => counters(tx, Some((after, MAILBOXES)), report),
        VerifyPart::References => references(tx, shard, report).map(|()| None),
        VerifyPart::Bodies => Ok(None),
    }
}

/// The device or the file says that it cannot be read, or a record is not what was written.
fn is_damage(error: &ReadError) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase, SystemIoFailure};
    match error {
        ReadError::Sqlite(error) => {
            matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase | SystemIoFailure))
        }
        ReadError::Damaged => true,
        _ => false,
    }
}

fn damaged(shard: u8, error: &ReadError) -> Finding {
    let what = match error {
        ReadError::Sqlite(error) => error.to_string(),
        error => error.to_string(),
    };
    Finding::Database { shard, what }
}

/// Checks the table behind `number`, with its indexes. `None` behind the last one.
fn table(tx: &Transaction, shard: u8, number: i64, report: &mut Report) -> Result<Option<i64>, ReadError> {
    let mut query =
        tx.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name LIMIT 1 OFFSET ?1")?;
    let name: Option<String> = query.query_map([number], |row| row.get(0))?.next().transpose()?;
    let Some(name) = name else { return Ok(None) };
    let mut query = tx.prepare(&format!("PRAGMA quick_check(\"{}\")", name.replace('"', "\"\"")))?;
    let lines = query.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    report.findings.extend(lines.into_iter().filter(|line| line != "ok").map(|what| Finding::Database { shard, what }));
    Ok(Some(number + 1))
}
