//! Answers that change something: each is one commit, and is told when it is durable.

use mail::date::DateTime;
use mail::{Flags, MailboxName, SpecialUse};
use proto::imap::{Answer, Copied, FlagChange, Flagged, MailboxId, Stored, Trouble};
use store::{
    CommitError, Expunged, FlagMode, FlagRow, InternalDate, Op, OpResult, PutError, Refusal, SetFlags, Store, Summary,
    UidSet,
};

use super::{Append, Imap};
use crate::content::Content;
use crate::{clock, durable};

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
        self.commit(op).await.map(|_| Answer::Done)
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

    pub(super) async fn append_start(
        &mut self,
        mailbox: MailboxName,
        flags: Flags,
        internal_date: Option<DateTime>,
        size_octets: u64,
    ) -> Result<Answer, Trouble> {
        let login = self.login()?;
        if size_octets > self.service.tables.plan().mailboxes.message_size_octets {
            return Err(Trouble::TooBig);
        }
        self.target(&mailbox).await?;
        let read = move |store: &Store| Ok((store.person(&login)?, store.usage(&login)?));
        let (person, usage) = self.look_up(read).await?;
        let quota_octets = person.ok_or(Trouble::Unavailable)?.person.quota_octets;
        if usage.used_octets.saturating_add(size_octets) > quota_octets {
            return Err(Trouble::OverQuota);
        }
        let content = Content::new(self.service.store.clone(), self.service.held.clone());
        self.append = Some(Append { mailbox, flags, internal_date, content, lost: false });
        Ok(Answer::Done)
    }

    pub(super) fn append_chunk(&mut self, octets: &[u8]) {
        let Some(append) = &mut self.append else { return };
        if !append.lost
            && let Err(error) = append.content.append(octets)
        {
            tracing::error!("a message cannot be kept: {error}");
            append.lost = true;
        }
    }

    pub(super) async fn append_end(&mut self) -> Result<Answer, Trouble> {
        let append = self.append.take().ok_or(Trouble::Bug)?;
        if append.lost {
            return Err(Trouble::Unavailable);
        }
        let content = append.content;
        let written = if content.is_spilled() {
            let _permit = self.service.long_contents.acquire().await.map_err(|_| Trouble::Unavailable)?;
            durable::blocking(move || put(&content)).await.ok_or(Trouble::Bug)?
        } else {
            put(&content)
        };
        let (body, summary) = written.map_err(unwritable)?;
        let date = append.internal_date.unwrap_or_else(|| DateTime::utc(clock::unix_s()));
        let internal_date = InternalDate { seconds: date.unix_seconds, offset_minutes: date.offset_minutes };
        let op = Op::Append(Box::new(store::Append {
            login: self.login()?,
            mailbox: append.mailbox,
            body,
            summary,
            flags: append.flags,
            internal_date,
        }));
        match self.commit(op).await? {
            OpResult::Appended { uidvalidity, uid, .. } => Ok(Answer::Appended { uid_validity: uidvalidity, uid }),
            other => Err(unexpected(&other)),
        }
    }

    async fn target(&mut self, name: &MailboxName) -> Result<store::MailboxId, Trouble> {
        let (login, name) = (self.login()?, name.clone());
        let found = self.look_up(move |store| store.mailbox(&login, &name)).await?;
        found.map(|mailbox| mailbox.id).ok_or(Trouble::NoSuchMailbox)
    }

    async fn commit(&mut self, op: Op) -> Result<OpResult, Trouble> {
        let results = durable::commit(&self.service.store, vec![op]).await.map_err(trouble)?;
        results.into_iter().next().ok_or(Trouble::Bug)
    }
}

fn put(content: &Content) -> Result<(store::BodyRef, Summary), PutError> {
    let body = content.put(&store::RecordEnvelope::default(), &[])?;
    Ok((body, super::super::summary(&content.start(usize::MAX)?)))
}

fn pairs(result: OpResult) -> Result<Answer, Trouble> {
    match result {
        OpResult::Copied { uidvalidity, uids } => Ok(Answer::Copied(Copied { uid_validity: uidvalidity, pairs: uids })),
        other => Err(unexpected(&other)),
    }
}

fn unexpected(result: &OpResult) -> Trouble {
    tracing::error!("the store answered another question: {result:?}");
    Trouble::Bug
}

fn unwritable(error: PutError) -> Trouble {
    tracing::error!("{error}");
    match error {
        PutError::TooLarge => Trouble::TooBig,
        PutError::Full | PutError::Io(_) | PutError::Poisoned => Trouble::Unavailable,
    }
}

fn trouble(error: CommitError) -> Trouble {
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
        Refusal::NoSuchLogin(_) | Refusal::BodyGone => Trouble::Unavailable,
        Refusal::LoginTaken(_)
        | Refusal::AddressTaken(_)
        | Refusal::NoSuchQueueItem
        | Refusal::QueueItemExists
        | Refusal::NoSuchQuarantined
        | Refusal::NoSuchMessage
        | Refusal::AlreadyWarned
        | Refusal::NoRecipients => Trouble::Bug,
    }
}
