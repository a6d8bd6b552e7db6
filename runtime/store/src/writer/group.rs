//! The transaction of one group: its commits one after another, each whole or not at all.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::Connection;

use super::queue::Queued;
use super::tally::Tallies;
use super::{Answer, Stop};
use crate::body::{BodyRef, Place};
use crate::error::CommitError;
use crate::id::ObjectId;
use crate::op::{Op, OpResult, Part};

/// Groups the change log remembers. Whoever follows it and falls further behind reads all mailboxes again.
const CHANGELOG_GROUPS: u64 = 1_000_000;
/// The oldest of them go so many rows at a time, every so many groups.
const CHANGELOG_TRIM: (u64, i64) = (64, 1_000);

/// What a group is told from outside.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) shard: u8,
    pub(super) seq: u64,
    pub(super) decision_rows_max: u64,
}

/// State of a group while its transaction is open.
pub(super) struct Group<'a> {
    pub(super) db: &'a Connection,
    pub(super) tallies: &'a mut Tallies,
    pub(super) shard: u8,
    pub(super) seq: u64,
    pub(super) now_s: i64,
    pub(super) decision_rows_max: u64,
    /// Bodies this group gave a row, and which row.
    pub(super) blobs: HashMap<(Place, Option<ObjectId>), i64>,
    /// The same in order, with the bodies; those of the commit that runs are at the end.
    pub(super) taken: Vec<(BodyRef, i64)>,
    pub(super) delivered: u64,
}

/// What a group wrote, not yet committed.
pub(super) struct Written {
    pub(super) answers: Vec<Answer>,
    pub(super) taken: Vec<(BodyRef, i64)>,
    /// Commits that hold.
    pub(super) held: usize,
    pub(super) delivered: u64,
}

impl Group<'_> {
    /// Leaves the transaction open; an error means it has to be rolled back.
    pub(super) fn run(
        db: &Connection,
        tallies: &mut Tallies,
        bounds: Bounds,
        commits: &[Queued],
    ) -> rusqlite::Result<Written> {
        execute(db, "BEGIN IMMEDIATE")?;
        let first_blob = tallies.counters.next_blob;
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        let (blobs, taken) = (HashMap::new(), Vec::new());
        let Bounds { shard, seq, decision_rows_max } = bounds;
        let mut group = Group { db, tallies, shard, seq, now_s, decision_rows_max, blobs, taken, delivered: 0 };
        let mut answers = Vec::with_capacity(commits.len());
        for queued in commits {
            answers.push(group.commit(&queued.ops)?);
        }
        group.close(first_blob)?;
        let held = answers.iter().filter(|answer| answer.is_ok()).count();
        Ok(Written { answers, taken: group.taken, held, delivered: group.delivered })
    }

    // INVARIANT (one-commit). A single op needs no savepoint: an op refuses before it writes, unless a body it names from a
    // row turns out to be gone.
    fn commit(&mut self, ops: &[Op]) -> rusqlite::Result<Answer> {
        let protected = ops.len() > 1 || ops.iter().flat_map(Op::bodies).any(|body| body.row().is_some());
        if protected {
            self.tallies.write_rows(self.db, self.seq)?;
            execute(self.db, "SAVEPOINT one")?;
        }
        let (counters, taken, delivered) = (self.tallies.mark(), self.taken.len(), self.delivered);
        let mut results = Vec::with_capacity(ops.len());
        for (op, change) in ops.iter().enumerate() {
            match self.apply(change) {
                Ok(result) => results.push(result),
                Err(Stop::Sql(error)) => return Err(error),
                Err(Stop::Refused(why)) => {
                    if protected {
                        execute(self.db, "ROLLBACK TO one")?;
                        execute(self.db, "RELEASE one")?;
                    }
                    self.tallies.take_back(counters);
                    self.delivered = delivered;
                    for (body, _) in self.taken.drain(taken..) {
                        self.blobs.remove(&body.identity());
                    }
                    return Ok(Err(CommitError::Refused { op, why }));
                }
            }
        }
        if protected {
            execute(self.db, "RELEASE one")?;
        }
        Ok(Ok(results))
    }

    fn apply(&mut self, op: &Op) -> Result<OpResult, Stop> {
        match op {
            Op::Deliver(deliver) => self.deliver(deliver),
            Op::Append(append) => self.append(append),
            Op::Replace(replace) => self.replace(replace),
            Op::Import(import) => self.import(import),
            Op::SetFlags(set) => self.set_flags(set),
            Op::Copy { from, uids, to, flags } => self.copy(*from, uids, *to, *flags),
            Op::Move { from, uids, to, flags } => self.move_messages(*from, uids, *to, *flags),
            Op::Expunge { mailbox, which } => self.expunge(*mailbox, which),
            Op::CreateMailbox { login, name, special_use } => self.create_mailbox(login, name, *special_use),
            Op::DeleteMailbox { login, name } => self.delete_mailbox(login, name),
            Op::RenameMailbox { login, from, to } => self.rename_mailbox(login, from, to),
            Op::Subscribe { login, name } => self.subscribe(login, name),
            Op::Unsubscribe { login, name } => self.unsubscribe(login, name),
            Op::SetSpecialUse { login, name, special_use } => self.set_special_use(login, name, *special_use),
            Op::SetAnnotation { login, mailbox, entry, value } => {
                self.set_annotation(login, mailbox.as_ref(), entry, value.as_deref())
            }
            Op::SetRights(set) => self.set_rights(set),
            Op::Warned { login, fill_permille } => self.warned(login, *fill_permille),
            Op::UpsertPerson { person, verifier, mailboxes, origin } => {
                self.upsert_person(person, verifier.as_deref(), mailboxes, origin.as_ref())
            }
            Op::UpsertAlias(alias) => self.upsert_alias(alias),
            Op::LeadAlias { address, own, follows } => self.lead_alias(address, own, follows),
            Op::RemoveAlias(address) => self.remove_alias(address),
            Op::ClaimLogin { login, at_s } => self.claim_login(login, *at_s),
            Op::SetVerifier { login, verifier } => self.set_verifier(login, verifier),
            Op::SetStanding { login, standing, due_s } => self.set_standing(login, standing, *due_s),
            Op::SetSecret { login, secret } => self.set_secret(login, secret),
            Op::ErasePerson { login } => self.erase_person(login),
            Op::NoteAccesses(accesses) => self.note_accesses(accesses),
            Op::TrimAccesses { before_s } => self.trim_accesses(*before_s),
            Op::NoteGiven(given) => self.note_given(given),
            Op::Enqueue(enqueue) => self.enqueue(enqueue),
            Op::Progress { queue_id, facts } => self.progress(*queue_id, facts),
            Op::Attempt { queue_id, recipient, at_s: _, due_at_s, reply } => {
                self.attempt(*queue_id, *recipient, *due_at_s, reply)
            }
            Op::Reschedule { queue_id, due_at_s } => self.reschedule(*queue_id, *due_at_s),
            Op::Settle { queue_id, recipient, outcome } => self.settle(*queue_id, *recipient, *outcome),
            Op::Quarantine(quarantined) => self.quarantine(quarantined),
            Op::Recast { id, kind, facts } => self.recast(*id, *kind, facts),
            Op::ReleaseQuarantined { id } => self.release_quarantined(*id),
            Op::TakeOut(take) => self.take_out(take),
            Op::PutBackTaken(back) => self.put_back_taken(back),
            Op::ForgetTaken { item } => self.forget_taken(*item),
            Op::RecordLoss(loss) => self.record_loss(loss),
            Op::LogDecision { at_s, row } => self.log_decision(*at_s, row),
            Op::FlushRings(rings) => self.flush_rings(rings),
            Op::Setting { key, value } => self.set_setting(key, value.as_deref()),
            Op::CountTokens { bucket, tokens } => self.count_tokens(*bucket, tokens),
            Op::Audit { at_s, who, what } => self.record_audit(*at_s, who, what),
            Op::TrimLosses { before_s } => self.trim_losses(*before_s),
            Op::TrimAudit { before_s } => self.trim_audit(*before_s),
            Op::TrimDecisions { before_s } => self.trim_decisions(*before_s),
            Op::TrimDeliveries { before_ms } => self.trim_deliveries(*before_ms),
            Op::Part(part) => self.apply_part(part),
        }
    }

    fn apply_part(&mut self, part: &Part) -> Result<OpResult, Stop> {
        match part {
            Part::Account { login, quota_octets, mailboxes } => self.upsert_account(login, *quota_octets, mailboxes),
            Part::Alias(alias) => self.upsert_address(alias),
            Part::Directory { person, verifier, origin, shard } => {
                self.upsert_directory(person, verifier.as_deref(), origin.as_ref(), *shard)
            }
            Part::EraseAccount { login } => self.erase_account(login),
            Part::EraseDirectory { login } => self.erase_directory(login),
            Part::Moved(moves) => self.moved(moves),
            Part::Sweep { segments, before_s } => self.sweep(segments, *before_s),
        }
    }

    /// The counters, and where the bodies of this group begin: recovery checks those.
    fn close(&mut self, first_blob: i64) -> rusqlite::Result<()> {
        self.tallies.write_rows(self.db, self.seq)?;
        self.tallies.threads.settle(self.db)?;
        let counters = self.tallies.counters;
        let mut update = self.db.prepare_cached("UPDATE meta SET value = ?2 WHERE key = ?1 AND value <> ?2")?;
        for (key, value) in [
            ("seq", self.seq as i64),
            ("tail_blob", first_blob),
            ("next_blob", counters.next_blob),
            ("next_account", counters.next_account),
            ("next_mailbox", i64::from(counters.next_mailbox)),
            ("uidvalidity", i64::from(counters.uidvalidity)),
        ] {
            update.execute((key, value))?;
        }
        self.log_changes()
    }

    fn log_changes(&mut self) -> rusqlite::Result<()> {
        let mut insert = self.db.prepare_cached("INSERT INTO changelog(seq, mailbox) VALUES(?1, ?2)")?;
        for mailbox in self.tallies.changed() {
            insert.execute((self.seq as i64, mailbox))?;
        }
        let (every, rows) = CHANGELOG_TRIM;
        if self.seq > CHANGELOG_GROUPS && self.seq.is_multiple_of(every) {
            self.db
                .prepare_cached(
                    "DELETE FROM changelog WHERE (seq, mailbox) IN
                     (SELECT seq, mailbox FROM changelog WHERE seq < ?1 LIMIT ?2)",
                )?
                .execute(((self.seq - CHANGELOG_GROUPS) as i64, rows))?;
            self.db
                .prepare_cached(
                    "INSERT INTO meta(key, value) VALUES('log_begins', ?1)
                     ON CONFLICT(key) DO UPDATE SET value = excluded.value",
                )?
                .execute([(self.seq - CHANGELOG_GROUPS) as i64])?;
        }
        Ok(())
    }
}

pub(super) fn execute(db: &Connection, sql: &str) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute([]).map(|_| ())
}
