//! Messages put back from a snapshot into the store that works. A restored message is a new message: it has the next UID and
//! MODSEQ of its mailbox, and keeps its own INTERNALDATE, flags and EMAILID.

use std::collections::HashSet;

use mail::mime::SummaryParts;
use mail::{Login, MailboxName};

use crate::error::{CommitError, PutError, ReadError};
use crate::id::{ObjectId, UidSet};
use crate::op::{Import, Imported, Op, OpResult};
use crate::progress::Progress;
use crate::read::MailboxInfo;
use crate::store::Store;

/// Messages of one commit, and their octets.
const BATCH_MESSAGES: usize = 200;
const BATCH_BYTES: u64 = 16 << 20;

/// What is to come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub login: Login,
    /// This mailbox of then; all of them when absent.
    pub mailbox: Option<MailboxName>,
    /// This Message-ID (with its brackets) or EMAILID; all messages when absent.
    pub message: Option<String>,
    /// Where to; the mailbox it was in when absent.
    pub into: Option<MailboxName>,
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    pub messages: u64,
    pub octets: u64,
    /// Those of then that are still there.
    pub present: u64,
    /// Those that were taken out of the account's mailboxes since ([`Op::TakeOut`]): they stay away.
    pub taken: u64,
    /// By mailbox they went to.
    pub mailboxes: Vec<(MailboxName, u64)>,
}

/// Why nothing more came back; what came back until then stays.
#[derive(Debug)]
pub enum RestoreError {
    /// Nobody had this login then.
    NoSuchLogin(Login),
    /// There was no such mailbox then.
    NoSuchMailbox(MailboxName),
    /// A message of the snapshot cannot be read.
    Old(ReadError),
    Read(ReadError),
    Write(PutError),
    Commit(CommitError),
}

impl std::fmt::Display for RestoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RestoreError::NoSuchLogin(login) => write!(f, "the snapshot has no account {login}"),
            RestoreError::NoSuchMailbox(name) => write!(f, "the snapshot has no mailbox {name} of this account"),
            RestoreError::Old(error) => write!(f, "in the snapshot: {error}"),
            RestoreError::Read(error) => error.fmt(f),
            RestoreError::Write(error) => error.fmt(f),
            RestoreError::Commit(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RestoreError {}

impl Store {
    /// Puts back from `old`, a snapshot opened as a store of its own, what `wanted` says and the account has no more.
    /// Doing it twice adds nothing. The quota is not asked: the administrator was. `dry_run` only counts.
    pub fn restore(
        &self,
        old: &Store,
        wanted: &Wanted,
        dry_run: bool,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Restored, RestoreError> {
        let mailboxes = old.mailboxes(&wanted.login).map_err(RestoreError::Old)?;
        if mailboxes.is_empty() {
            return Err(RestoreError::NoSuchLogin(wanted.login.clone()));
        }
        let chosen: Vec<&MailboxInfo> = mailboxes
            .iter()
            .filter(|mailbox| wanted.mailbox.as_ref().is_none_or(|name| *name == mailbox.name))
            .collect();
        if let (Some(name), true) = (&wanted.mailbox, chosen.is_empty()) {
            return Err(RestoreError::NoSuchMailbox(name.clone()));
        }
        let mut present = self.emails_of(&wanted.login).map_err(RestoreError::Read)?;
        let away = self.emails_taken(&wanted.login).map_err(RestoreError::Read)?;
        let total = chosen.iter().map(|mailbox| u64::from(mailbox.counts.messages)).sum();
        let mut restored = Restored::default();
        let mut done = 0;
        for mailbox in chosen {
            let into = match &wanted.into {
                Some(into) => into.clone(),
                None => self.name_now(mailbox).map_err(RestoreError::Read)?,
            };
            let before = restored.messages;
            let uids: Vec<u32> = old
                .messages(mailbox.id, &UidSet::all())
                .map_err(RestoreError::Old)?
                .iter()
                .map(|message| message.uid)
                .collect();
            for slice in uids.chunks(BATCH_MESSAGES) {
                let batch = Batch { old, mailbox, away: &away, uids: slice.iter().copied().collect() };
                self.restore_batch(&batch, wanted, &into, &mut present, dry_run, &mut restored)?;
                done += slice.len() as u64;
                progress(Progress { what: "messages", done, total });
            }
            if restored.messages > before {
                restored.mailboxes.push((into, restored.messages - before));
            }
        }
        Ok(restored)
    }

    fn restore_batch(
        &self,
        batch: &Batch<'_>,
        wanted: &Wanted,
        into: &MailboxName,
        present: &mut HashSet<ObjectId>,
        dry_run: bool,
        restored: &mut Restored,
    ) -> Result<(), RestoreError> {
        let (mut messages, mut octets) = (Vec::new(), 0);
        for found in batch.read(wanted)? {
            if batch.away.contains(&found.email) {
                restored.taken += 1;
                continue;
            }
            if !present.insert(found.email) {
                restored.present += 1;
                continue;
            }
            restored.messages += 1;
            restored.octets += found.body.len();
            if dry_run {
                continue;
            }
            let content = batch.old.read_body(&found.body).map_err(RestoreError::Old)?;
            let body = self.segments().put_as(found.email, &content).map_err(RestoreError::Write)?;
            octets += body.len();
            messages.push(Imported { body, ..found.message });
            if octets >= BATCH_BYTES {
                octets = 0;
                self.bring_in(&wanted.login, into, std::mem::take(&mut messages))?;
            }
        }
        if messages.is_empty() { Ok(()) } else { self.bring_in(&wanted.login, into, messages) }
    }

    fn bring_in(&self, login: &Login, into: &MailboxName, messages: Vec<Imported>) -> Result<(), RestoreError> {
        let import = Import { login: login.clone(), mailbox: into.clone(), messages, within_quota: false };
        let results = self.commit_wait(vec![Op::Import(Box::new(import))]).map_err(RestoreError::Commit)?;
        debug_assert!(matches!(results[..], [OpResult::Imported { .. }]));
        Ok(())
    }

    /// EMAILIDs of everything an account holds.
    fn emails_of(&self, login: &Login) -> Result<HashSet<ObjectId>, ReadError> {
        let mut emails = HashSet::new();
        for mailbox in self.mailboxes(login)? {
            emails.extend(self.identities(mailbox.id, &UidSet::all())?.into_iter().map(|message| message.email));
        }
        Ok(emails)
    }

    /// The name a mailbox of then has now, when it was renamed; else its name of then.
    fn name_now(&self, then: &MailboxInfo) -> Result<MailboxName, ReadError> {
        let now = self.mailbox_by_id(then.id)?;
        let same = now.filter(|now| now.uidvalidity == then.uidvalidity);
        Ok(same.map_or_else(|| then.name.clone(), |now| now.name))
    }
}

/// Some messages of an old mailbox.
struct Batch<'a> {
    old: &'a Store,
    mailbox: &'a MailboxInfo,
    away: &'a HashSet<ObjectId>,
    uids: UidSet,
}

/// A message of then, with its old body.
struct Found {
    email: ObjectId,
    body: crate::body::BodyRef,
    message: Imported,
}

impl Batch<'_> {
    fn read(&self, wanted: &Wanted) -> Result<Vec<Found>, RestoreError> {
        let (old, id) = (self.old, self.mailbox.id);
        let rows = old.messages(id, &self.uids).map_err(RestoreError::Old)?;
        let summaries = old.summaries(id, &self.uids, SummaryParts::ALL, BATCH_MESSAGES).map_err(RestoreError::Old)?;
        let identities = old.identities(id, &self.uids).map_err(RestoreError::Old)?;
        let bodies = old.bodies_of(id, &self.uids).map_err(RestoreError::Old)?;
        let mut found = Vec::new();
        // Nobody writes into an old store, so the four go together.
        for (((row, (_, summary)), identity), (_, body)) in rows.into_iter().zip(summaries).zip(identities).zip(bodies)
        {
            let asked = |id: &str| summary.message_id == id || identity.email.to_string() == id;
            if wanted.message.as_deref().is_none_or(asked) {
                let message =
                    Imported { body: body.clone(), summary, flags: row.flags, internal_date: row.internal_date };
                found.push(Found { email: identity.email, body, message });
            }
        }
        Ok(found)
    }
}
