//! Between shards: copies and moves of messages, and ops that name a body of another shard. One op after the other, each
//! durable before the next begins.

use std::sync::mpsc;

use mail::mime::SummaryParts;
use mail::{Login, MailboxName};
use rusqlite::OptionalExtension;

use crate::body::{BodyRef, Segments};
use crate::error::{CommitError, ReadError, Refusal};
use crate::id::{MailboxId, UidSet};
use crate::op::{Expunged, FlagScope, Import, Imported, Op, OpResult};
use crate::read;
use crate::route::Table;

/// How often rows are read again because compaction moved what they point at.
const TRIES: u32 = 100;

pub(crate) fn commit(table: &Table, ops: Vec<Op>) -> Result<Vec<OpResult>, CommitError> {
    let mut results = Vec::with_capacity(ops.len());
    for (index, op) in ops.into_iter().enumerate() {
        let result = one(table, op).map_err(|error| match error {
            CommitError::Refused { why, .. } => CommitError::Refused { op: index, why },
            error => error,
        })?;
        results.push(result);
    }
    Ok(results)
}

fn one(table: &Table, op: Op) -> Result<OpResult, CommitError> {
    match op {
        Op::Copy { from, uids, to, flags } if from.shard() != to.shard() => copy(table, from, &uids, (to, flags)),
        Op::Move { from, uids, to, flags } if from.shard() != to.shard() => {
            let copied = copy(table, from, &uids, (to, flags))?;
            if let OpResult::Copied { uids, .. } = &copied {
                let went = uids.iter().map(|(old, _)| *old).collect();
                plain(table, Op::Expunge { mailbox: from, which: Expunged::Exactly(went) })?;
            }
            Ok(copied)
        }
        Op::Replace(replace) if !table.targets(&Op::Replace(replace.clone())).contains(&replace.mailbox.shard()) => {
            let uids: UidSet = [replace.uid].into_iter().collect();
            if !exists(table, replace.mailbox, &uids)? {
                return Err(CommitError::Refused { op: 0, why: Refusal::NoSuchMessage });
            }
            let appended = one(table, Op::Append(Box::new(replace.append)))?;
            plain(table, Op::Expunge { mailbox: replace.mailbox, which: Expunged::Exactly(uids) })?;
            Ok(appended)
        }
        op if table.is_slow(&op) => with_bodies_here(table, op),
        op => plain(table, op),
    }
}

/// Is a message of the set there? One that goes a moment later was there when the op came.
fn exists(table: &Table, mailbox: MailboxId, uids: &UidSet) -> Result<bool, CommitError> {
    let Some(shard) = table.shards.get(usize::from(mailbox.shard())) else { return Ok(false) };
    shard.pool.read(|tx| Ok(!read::rows_in(tx, mailbox, uids, 1)?.is_empty())).map_err(unread)
}

fn plain(table: &Table, op: Op) -> Result<OpResult, CommitError> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let done = move |result| {
        let _ = sender.send(result);
    };
    table.commit(vec![op], Box::new(done));
    let results = receiver.recv().unwrap_or(Err(CommitError::Closed))?;
    Ok(results.into_iter().next().unwrap_or(OpResult::Done))
}

/// Compaction leaves these segments alone until this goes.
struct Pins<'a> {
    segments: &'a Segments,
    pinned: Vec<u32>,
}

impl Pins<'_> {
    /// `false` when one of them is being compacted: its rows must be read again.
    fn hold<'b>(&mut self, mut bodies: impl Iterator<Item = &'b BodyRef>) -> bool {
        bodies.all(|body| {
            let held = self.segments.pin(body.segment());
            self.pinned.extend(held.then_some(body.segment()));
            held
        })
    }
}

impl Drop for Pins<'_> {
    fn drop(&mut self) {
        self.pinned.iter().for_each(|segment| self.segments.unpin(*segment));
    }
}

/// The op once more with its body as it lies now, held until the op is durable.
fn with_bodies_here(table: &Table, op: Op) -> Result<OpResult, CommitError> {
    for _ in 0..TRIES {
        let mut op = op.clone();
        let mut pins = Pins { segments: &table.segments, pinned: Vec::new() };
        let mut all = true;
        for body in op.bodies_mut() {
            let Some((shard, blob)) = body.row() else { continue };
            let fresh = table.shards[usize::from(shard)].pool.read(|tx| read::body(tx, shard, blob)).map_err(unread)?;
            *body = fresh.ok_or(CommitError::Refused { op: 0, why: Refusal::BodyGone })?;
            all &= pins.hold(std::iter::once(&*body));
        }
        if all {
            return plain(table, op);
        }
        std::thread::yield_now();
    }
    Err(CommitError::Busy)
}

/// What a message takes into another shard.
struct Leaving {
    to: (Login, MailboxName),
    uids: Vec<u32>,
    messages: Vec<Imported>,
}

fn copy(table: &Table, from: MailboxId, uids: &UidSet, to: (MailboxId, FlagScope)) -> Result<OpResult, CommitError> {
    for _ in 0..TRIES {
        let Leaving { to: (login, mailbox), uids, messages } = leaving(table, from, uids, to)?;
        let mut pins = Pins { segments: &table.segments, pinned: Vec::new() };
        if !pins.hold(messages.iter().map(|message| &message.body)) {
            std::thread::yield_now();
            continue;
        }
        // Nothing fits everywhere.
        let within_quota = !messages.is_empty();
        let import = Import { login, mailbox, messages, within_quota };
        let OpResult::Imported { uidvalidity, uids: new, .. } = plain(table, Op::Import(Box::new(import)))? else {
            return Err(CommitError::Failed);
        };
        return Ok(OpResult::Copied { uidvalidity, uids: uids.into_iter().zip(new).collect() });
    }
    Err(CommitError::Busy)
}

fn leaving(
    table: &Table,
    from: MailboxId,
    uids: &UidSet,
    (to, scope): (MailboxId, FlagScope),
) -> Result<Leaving, CommitError> {
    let gone = || CommitError::Refused { op: 0, why: Refusal::NoSuchMailbox };
    let shard = |mailbox: MailboxId| table.shards.get(usize::from(mailbox.shard())).ok_or_else(gone);
    let named = shard(to)?.pool.read(|tx| named(tx, to)).map_err(unread)?.ok_or_else(gone)?;
    let (there, rows, summaries, bodies) = shard(from)?
        .pool
        .read(|tx| {
            let rows = read::rows_in(tx, from, uids, 0)?;
            let summaries = read::summaries_in(tx, from, uids, SummaryParts::ALL, usize::MAX)?;
            Ok((named_exists(tx, from)?, rows, summaries, read::bodies_in(tx, from, uids)?))
        })
        .map_err(unread)?;
    if !there {
        return Err(gone());
    }
    let mut leaving = Leaving { to: named, uids: Vec::new(), messages: Vec::new() };
    // One transaction read all three, so they go together.
    for ((row, (_, summary)), (_, body)) in rows.into_iter().zip(summaries).zip(bodies) {
        leaving.uids.push(row.uid);
        let flags = scope.among(&row.flags);
        leaving.messages.push(Imported { body, summary, flags, internal_date: row.internal_date });
    }
    Ok(leaving)
}

fn named(tx: &rusqlite::Transaction, mailbox: MailboxId) -> Result<Option<(Login, MailboxName)>, ReadError> {
    let row: Option<(String, String)> = tx
        .prepare_cached("SELECT a.login, m.name FROM mailbox m JOIN account a ON a.id = m.account WHERE m.id = ?1")?
        .query_row([mailbox.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((login, name)) = row else { return Ok(None) };
    let login = Login::new(&login).ok_or(ReadError::Damaged)?;
    Ok(Some((login, MailboxName::new(&name).map_err(|_| ReadError::Damaged)?)))
}

fn named_exists(tx: &rusqlite::Transaction, mailbox: MailboxId) -> Result<bool, ReadError> {
    Ok(named(tx, mailbox)?.is_some())
}

/// Trouble while reading what a commit needs.
fn unread(error: ReadError) -> CommitError {
    tracing::error!("a copy between shards could not read: {error}");
    match error {
        ReadError::Busy => CommitError::Busy,
        ReadError::Poisoned => CommitError::Poisoned,
        _ => CommitError::Failed,
    }
}
