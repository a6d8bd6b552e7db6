//! What the writer keeps in memory: the counters of mailboxes and accounts, and those of the shard. The rows follow at the
//! end of each group.
//!
//! INVARIANT (sum): what an account uses is the sum of its mailboxes, in memory too: it changes only in `set` and `remove`.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension};

use super::Stop;
use super::threads::Threads;
use crate::error::Refusal;
use crate::read::{USAGE, Usage, usage_row};

/// Mailboxes and accounts remembered; past it all are forgotten between two groups.
const REMEMBERED_MAX: usize = 200_000;

/// The changing part of a mailbox's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) account: i64,
    pub(crate) uidvalidity: u32,
    pub(crate) uidnext: u32,
    pub(crate) modseq: u64,
    pub(crate) messages: u32,
    pub(crate) unseen: u32,
    pub(crate) deleted: u32,
    pub(crate) octets: u64,
}

/// An account and its INBOX.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    pub(super) id: i64,
    pub(super) inbox: u32,
}

/// Numbers that only grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) next_blob: i64,
    pub(super) next_account: i64,
    pub(super) next_mailbox: u32,
    /// The last one given.
    pub(super) uidvalidity: u32,
}

pub(super) struct Tallies {
    pub(super) counters: Counters,
    pub(super) threads: Threads,
    known: HashMap<u32, Tally>,
    accounts: HashMap<String, Account>,
    usages: HashMap<i64, Usage>,
    /// Changed and not yet in their rows: of an account that is quota and warning alone.
    dirty: BTreeSet<u32>,
    dirty_usages: BTreeSet<i64>,
    /// Accounts this group changed, and as they are at its end.
    changed_usages: BTreeSet<i64>,
    filled: Vec<Usage>,
    /// Changed in this group, for watchers and the change log.
    changed: BTreeSet<u32>,
    /// How things were before the commit that runs, newest last.
    undo: Vec<Undo>,
}

/// What one change replaced.
enum Undo {
    Mailbox(u32, Option<Tally>),
    Usage(i64, Option<Usage>),
}

impl Tallies {
    pub(super) fn load(db: &Connection) -> rusqlite::Result<Tallies> {
        let number =
            |key: &str| db.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get::<_, i64>(0));
        let counters = Counters {
            next_blob: number("next_blob")?,
            next_account: number("next_account")?,
            next_mailbox: number("next_mailbox")? as u32,
            uidvalidity: number("uidvalidity")? as u32,
        };
        Ok(Tallies {
            counters,
            threads: Threads::load(db)?,
            known: HashMap::new(),
            accounts: HashMap::new(),
            usages: HashMap::new(),
            dirty: BTreeSet::new(),
            dirty_usages: BTreeSet::new(),
            changed_usages: BTreeSet::new(),
            filled: Vec::new(),
            changed: BTreeSet::new(),
            undo: Vec::new(),
        })
    }

    pub(super) fn mailbox(&mut self, db: &Connection, id: u32) -> Result<Tally, Stop> {
        if let Some(tally) = self.known.get(&id) {
            return Ok(*tally);
        }
        let tally = db
            .prepare_cached(
                "SELECT account, uidvalidity, uidnext, modseq, messages, unseen, deleted, octets FROM mailbox WHERE id = ?1",
            )?
            .query_row([id], |row| {
                Ok(Tally {
                    account: row.get(0)?,
                    uidvalidity: row.get(1)?,
                    uidnext: row.get(2)?,
                    modseq: row.get::<_, i64>(3)? as u64,
                    messages: row.get(4)?,
                    unseen: row.get(5)?,
                    deleted: row.get(6)?,
                    octets: row.get::<_, i64>(7)? as u64,
                })
            })
            .optional()?
            .ok_or(Refusal::NoSuchMailbox)?;
        self.known.insert(id, tally);
        Ok(tally)
    }

    /// The counters of a mailbox that was read before, and with them those of its account.
    pub(super) fn set(&mut self, db: &Connection, id: u32, tally: Tally) -> Result<(), Stop> {
        let before = self.mailbox(db, id)?;
        let mut usage = self.usage(db, tally.account)?;
        if (before.octets, before.messages) != (tally.octets, tally.messages) {
            usage.used_octets = usage.used_octets.saturating_sub(before.octets).saturating_add(tally.octets);
            usage.messages =
                usage.messages.saturating_sub(u64::from(before.messages)).saturating_add(u64::from(tally.messages));
            self.set_usage(tally.account, usage);
        }
        self.known.insert(id, tally);
        self.undo.push(Undo::Mailbox(id, Some(before)));
        self.dirty.insert(id);
        self.changed.insert(id);
        Ok(())
    }

    /// A mailbox whose row was just written.
    pub(super) fn add_new(&mut self, id: u32, tally: Tally) {
        self.undo.push(Undo::Mailbox(id, self.known.insert(id, tally)));
        self.changed.insert(id);
    }

    /// A mailbox whose row is about to go, with all its messages.
    pub(super) fn remove(&mut self, db: &Connection, id: u32, tally: Tally) -> Result<(), Stop> {
        let mut usage = self.usage(db, tally.account)?;
        usage.used_octets = usage.used_octets.saturating_sub(tally.octets);
        usage.messages = usage.messages.saturating_sub(u64::from(tally.messages));
        self.set_usage(tally.account, usage);
        self.undo.push(Undo::Mailbox(id, self.known.remove(&id)));
        self.dirty.remove(&id);
        self.changed.insert(id);
        Ok(())
    }

    pub(super) fn usage(&mut self, db: &Connection, account: i64) -> Result<Usage, Stop> {
        if let Some(usage) = self.usages.get(&account) {
            return Ok(*usage);
        }
        // The rows agree with the tallies: no mailbox of the account was changed since they were forgotten, see `set`.
        let mut query = db.prepare_cached(&format!("{USAGE} WHERE a.id = ?1 GROUP BY a.id"))?;
        let usage = query.query_row([account], usage_row)?;
        self.usages.insert(account, usage);
        Ok(usage)
    }

    /// What was warned of is never above how full the account is, so that each crossing of a level is told once.
    pub(super) fn set_usage(&mut self, account: i64, mut usage: Usage) {
        usage.warned_permille = usage.warned_permille.min(usage.fill_permille());
        let before = self.usages.insert(account, usage);
        self.undo.push(Undo::Usage(account, before));
        self.changed_usages.insert(account);
        let row = |usage: &Usage| (usage.quota_octets, usage.warned_permille);
        if before.as_ref().map(row) != Some(row(&usage)) {
            self.dirty_usages.insert(account);
        }
    }

    /// For watchers only: the mailbox has another name.
    pub(super) fn mark_changed(&mut self, id: u32) {
        self.changed.insert(id);
    }

    pub(super) fn account(&mut self, db: &Connection, login: &str) -> Result<Option<Account>, Stop> {
        if let Some(account) = self.accounts.get(login) {
            return Ok(Some(*account));
        }
        // Two queries, because SQLite plans a join again for each new login.
        let id: Option<i64> = db
            .prepare_cached("SELECT id FROM account WHERE login = ?1")?
            .query_row([login], |row| row.get(0))
            .optional()?;
        let Some(id) = id else { return Ok(None) };
        let inbox = db
            .prepare_cached("SELECT id FROM mailbox WHERE account = ?1 AND name = ?2")?
            .query_row((id, "INBOX"), |row| row.get(0))?;
        let account = Account { id, inbox };
        self.accounts.insert(login.to_owned(), account);
        Ok(Some(account))
    }

    /// An account whose row is gone.
    pub(super) fn remove_account(&mut self, account: i64) {
        self.undo.push(Undo::Usage(account, self.usages.remove(&account)));
        self.dirty_usages.remove(&account);
        self.changed_usages.remove(&account);
        self.accounts.clear();
    }

    pub(super) fn forget_accounts(&mut self) {
        self.accounts.clear();
    }

    /// Writes what changed into the rows, so that SQL sees it.
    pub(super) fn write_rows(&mut self, db: &Connection, seq: u64) -> rusqlite::Result<()> {
        self.write_usages(db)?;
        if self.dirty.is_empty() {
            return Ok(());
        }
        let mut update = db.prepare_cached(
            "UPDATE mailbox SET uidvalidity = ?2, uidnext = ?3, modseq = ?4, messages = ?5, unseen = ?6, deleted = ?7,
             octets = ?8, seq = ?9 WHERE id = ?1",
        )?;
        for id in std::mem::take(&mut self.dirty) {
            let Some(tally) = self.known.get(&id) else { continue };
            update.execute((
                id,
                tally.uidvalidity,
                tally.uidnext,
                tally.modseq as i64,
                tally.messages,
                tally.unseen,
                tally.deleted,
                tally.octets as i64,
                seq as i64,
            ))?;
        }
        Ok(())
    }

    fn write_usages(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let changed = std::mem::take(&mut self.changed_usages);
        self.filled.extend(changed.iter().filter_map(|id| self.usages.get(id)));
        if self.dirty_usages.is_empty() {
            return Ok(());
        }
        let mut update = db.prepare_cached("UPDATE account SET quota = ?2, warned = ?3 WHERE id = ?1")?;
        for id in std::mem::take(&mut self.dirty_usages) {
            let Some(usage) = self.usages.get(&id) else { continue };
            update.execute((id, usage.quota_octets as i64, usage.warned_permille))?;
        }
        Ok(())
    }

    /// From here on `take_back` returns to this moment. What earlier commits changed must be in the rows already when a
    /// savepoint protects them: rolling back to it would undo rows whose dirty mark is gone.
    pub(super) fn mark(&mut self) -> Counters {
        self.undo.clear();
        self.threads.mark();
        self.counters
    }

    /// Undoes what was set after `mark`. Dirty marks stay: writing a row again is harmless.
    pub(super) fn take_back(&mut self, counters: Counters) {
        self.counters = counters;
        self.threads.take_back();
        self.accounts.clear();
        while let Some(undo) = self.undo.pop() {
            match undo {
                Undo::Mailbox(id, Some(tally)) => {
                    self.known.insert(id, tally);
                    self.dirty.insert(id);
                }
                Undo::Mailbox(id, None) => {
                    self.known.remove(&id);
                    self.dirty.remove(&id);
                }
                Undo::Usage(id, Some(usage)) => {
                    self.usages.insert(id, usage);
                    self.dirty_usages.insert(id);
                }
                Undo::Usage(id, None) => {
                    self.usages.remove(&id);
                    self.dirty_usages.remove(&id);
                }
            }
        }
    }

    /// The accounts of this group; the next group starts afresh.
    pub(super) fn take_filled(&mut self) -> impl Iterator<Item = Usage> {
        std::mem::take(&mut self.filled).into_iter()
    }

    /// The mailboxes changed in this group so far.
    pub(super) fn changed(&self) -> &BTreeSet<u32> {
        &self.changed
    }

    /// The mailboxes changed in this group; the next group starts afresh.
    pub(super) fn take_changed(&mut self) -> BTreeSet<u32> {
        if self.known.len() + self.accounts.len() + self.usages.len() > REMEMBERED_MAX {
            self.known.clear();
            self.accounts.clear();
            self.usages.clear();
        }
        std::mem::take(&mut self.changed)
    }
}
