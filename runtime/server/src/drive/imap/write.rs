//! Answers that change something: each is one commit, and is told when it is durable.

use mail::{Flags, MailboxName, SpecialUse};
use proto::imap::{Answer, Copied, FlagChange, Flagged, MailboxId, Stored, Trouble};
use store::{CommitError, Expunged, FlagMode, FlagRow, Op, OpResult, Refusal, SetFlags, UidSet};

use super::{Imap, session_id};
use crate::durable;

impl Imap {
    pub(super) async fn store(
        &mut self,
        mailbox: MailboxId,
        uids: &[u32],
        (change, flags, unchanged_since): (FlagChange, Flags, Option<u64>),
    ) -> Result<Answer, Trouble> {
        let id = self.store_id(mailbox)?;
        let uids: UidSet = uids.iter().copied().collect();
        let mode = match change {
            FlagChange::Replace => FlagMode::Replace,
            FlagChange::Add => FlagMode::Add,
            FlagChange::Remove => FlagMode::Remove,
        };
        let change = SetFlags { mailbox: id, uids, mode, flags, unchanged_since };
        match self.commit(Op::SetFlags(Box::new(change))).await? {
            OpResult::Flagged { rows, modified } => {
                let flagged = |row: FlagRow| Flagged { uid: row.uid, mod_seq: row.modseq, flags: row.flags };
                Ok(Answer::Stored(Stored { flagged: rows.into_iter().map(flagged).collect(), modified }))
            }
            other => Err(unexpected(&other)),
        }
    }

    pub(super) async fn copy(&mut self, mailbox: MailboxId, uids: &[u32], to: &MailboxName) -> Result<Answer, Trouble> {
        let (from, to) = (self.store_id(mailbox)?, self.target(to).await?);
        let copied = self.commit(Op::Copy { from, uids: uids.iter().copied().collect(), to }).await?;
        pairs(copied)
    }

    pub(super) async fn move_to(
        &mut self,
        mailbox: MailboxId,
        uids: &[u32],
        to: &MailboxName,
    ) -> Result<Answer, Trouble> {
        let (from, to) = (self.store_id(mailbox)?, self.target(to).await?);
        let moved = self.commit(Op::Move { from, uids: uids.iter().copied().collect(), to }).await?;
        pairs(moved)
    }

    pub(super) async fn expunge(&mut self, mailbox: MailboxId, uids: &[u32]) -> Result<Answer, Trouble> {
        let which = Expunged::DeletedAmong(uids.iter().copied().collect());
        match self.commit(Op::Expunge { mailbox: self.store_id(mailbox)?, which }).await? {
            OpResult::Expunged { uids, .. } => Ok(Answer::Expunged(uids)),
            other => Err(unexpected(&other)),
        }
    }

    pub(super) async fn create(
        &mut self,
        name: MailboxName,
        special_use: Option<SpecialUse>,
    ) -> Result<Answer, Trouble> {
        let op = Op::CreateMailbox { login: self.login()?, name, special_use };
        match self.commit(op).await? {
            OpResult::Created(mailbox) => Ok(Answer::Created(session_id(mailbox))),
            other => Err(unexpected(&other)),
        }
    }

    pub(super) async fn delete(&mut self, name: MailboxName) -> Result<Answer, Trouble> {
        let op = Op::DeleteMailbox { login: self.login()?, name };
        self.commit(op).await.map(|_| Answer::Done)
    }

    pub(super) async fn rename(&mut self, from: MailboxName, to: MailboxName) -> Result<Answer, Trouble> {
        let op = Op::RenameMailbox { login: self.login()?, from, to };
        self.commit(op).await.map(|_| Answer::Done)
    }

    pub(super) async fn subscribe(&mut self, name: MailboxName, on: bool) -> Result<Answer, Trouble> {
        let login = self.login()?;
        let op = if on { Op::Subscribe { login, name } } else { Op::Unsubscribe { login, name } };
        self.commit(op).await.map(|_| Answer::Done)
    }

    pub(super) async fn target(&mut self, name: &MailboxName) -> Result<store::MailboxId, Trouble> {
        let (login, name) = (self.login()?, name.clone());
        let found = self.look_up(move |store| store.mailbox(&login, &name)).await?;
        found.map(|mailbox| mailbox.id).ok_or(Trouble::NoSuchMailbox)
    }

    async fn commit(&mut self, op: Op) -> Result<OpResult, Trouble> {
        let results = durable::commit(&self.service.store, vec![op]).await.map_err(trouble)?;
        results.into_iter().next().ok_or(Trouble::Bug)
    }
}

fn pairs(result: OpResult) -> Result<Answer, Trouble> {
    match result {
        OpResult::Copied { uidvalidity, uids } => Ok(Answer::Copied(Copied { uid_validity: uidvalidity, pairs: uids })),
        other => Err(unexpected(&other)),
    }
}

pub(super) fn unexpected(result: &OpResult) -> Trouble {
    tracing::error!("the store answered another question: {result:?}");
    Trouble::Bug
}

pub(super) fn trouble(error: CommitError) -> Trouble {
    let CommitError::Refused { why, .. } = error else {
        tracing::error!("{error}");
        return Trouble::Unavailable;
    };
    match why {
        Refusal::NoSuchMailbox => Trouble::NoSuchMailbox,
        Refusal::MailboxExists(_) => Trouble::AlreadyExists,
        Refusal::SpecialUseTaken => Trouble::SpecialUseTaken,
        Refusal::OverQuota { .. } => Trouble::OverQuota,
        Refusal::TooManyMailboxes | Refusal::TooManyAnnotations | Refusal::BadName | Refusal::InboxStays => {
            Trouble::Limit
        }
        Refusal::TooLarge => Trouble::TooBig,
        Refusal::NoSuchMessage => Trouble::Expunged,
        Refusal::NoSuchLogin(_) | Refusal::BodyGone => Trouble::Unavailable,
        Refusal::LoginTaken(_)
        | Refusal::AddressTaken(_)
        | Refusal::NoSuchQueueItem
        | Refusal::QueueItemExists
        | Refusal::NoSuchQuarantined
        | Refusal::AlreadyWarned
        | Refusal::NoRecipients => Trouble::Bug,
    }
}
