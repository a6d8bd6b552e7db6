//! What the writer keeps in memory: the counters of mailboxes, accounts by login, and the counters of the store. The rows
//! follow at the end of each group.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension};

use super::Stop;
use crate::error::Refusal;

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

#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    pub(super) id: i64,
    pub(super) inbox: u32,
}

/// Numbers that only grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) next_blob: i64,
    pub(super) next_mailbox: u32,
    /// The last one given.
    pub(super) uidvalidity: u32,
}

pub(super) struct Tallies {
    pub(super) counters: Counters,
    known: HashMap<u32, Tally>,
    accounts: HashMap<String, Account>,
    /// Changed and not yet in their rows.
    dirty: BTreeSet<u32>,
    /// Changed in this group, for watchers.
    changed: BTreeSet<u32>,
    /// How things were before the commit that runs, newest last.
    undo: Vec<(u32, Option<Tally>)>,
}

impl Tallies {
    pub(super) fn load(db: &Connection) -> rusqlite::Result<Tallies> {
        let number =
            |key: &str| db.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get::<_, i64>(0));
        let counters = Counters {
            next_blob: number("next_blob")?,
            next_mailbox: number("next_mailbox")? as u32,
            uidvalidity: number("uidvalidity")? as u32,
        };
        Ok(Tallies {
            counters,
            known: HashMap::new(),
            accounts: HashMap::new(),
            dirty: BTreeSet::new(),
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

    pub(super) fn set(&mut self, id: u32, tally: Tally) {
        let before = self.known.insert(id, tally);
        self.undo.push((id, before));
        self.dirty.insert(id);
        self.changed.insert(id);
    }

    /// A mailbox whose row was just written.
    pub(super) fn add_new(&mut self, id: u32, tally: Tally) {
        self.undo.push((id, self.known.insert(id, tally)));
    }

    pub(super) fn remove(&mut self, id: u32) {
        let before = self.known.remove(&id);
        self.undo.push((id, before));
        self.dirty.remove(&id);
        self.changed.insert(id);
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
            .prepare_cached("SELECT id FROM person WHERE login = ?1")?
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

    pub(super) fn forget_accounts(&mut self) {
        self.accounts.clear();
    }

    /// Writes what changed into the rows, so that SQL sees it.
    pub(super) fn write_rows(&mut self, db: &Connection, seq: u64) -> rusqlite::Result<()> {
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

    /// From here on `take_back` returns to this moment. What earlier commits changed must be in the rows already when a
    /// savepoint protects them: rolling back to it would undo rows whose dirty mark is gone.
    pub(super) fn mark(&mut self) -> Counters {
        self.undo.clear();
        self.counters
    }

    /// Undoes what was set after `mark`. Dirty marks stay: writing a row again is harmless.
    pub(super) fn take_back(&mut self, counters: Counters) {
        self.counters = counters;
        self.accounts.clear();
        while let Some((id, before)) = self.undo.pop() {
            match before {
                Some(tally) => {
                    self.known.insert(id, tally);
                    self.dirty.insert(id);
                }
                None => {
                    self.known.remove(&id);
                    self.dirty.remove(&id);
                }
            }
        }
    }

    /// The mailboxes changed in this group; the next group starts afresh.
    pub(super) fn take_changed(&mut self) -> BTreeSet<u32> {
        if self.known.len() + self.accounts.len() > REMEMBERED_MAX {
            self.known.clear();
            self.accounts.clear();
        }
        std::mem::take(&mut self.changed)
    }
}
