//! Answers that change something: each is one commit, and is told when it is durable.

use mail::date::DateTime;
use mail::{Flags, MailboxName, SpecialUse};
use proto::imap::{Answer, Copied, FlagChange, Flagged, MailboxId, Trouble};
use store::{
    CommitError, Expunged, FlagMode, FlagRow, FlagScope, InternalDate, Op, OpResult, PutError, Refusal, SetFlags,
    Summary, UidSet,
};

use super::place::Place;
use super::{Append, Imap, rights};
use crate::content::Content;
use crate::{clock, durable};

impl Imap {
    pub(super) async fn store(
        &mut self,
        mailbox: MailboxId,
        uids: &[u32],
        change: FlagChange,
        flags: Flags,
    ) -> Result<Answer, Trouble> {
        let id = self.store_id(mailbox)?;
        let uids: UidSet = uids.iter().copied().collect();
        let scope = rights::scope(self.rights_on_selected().await?);
        let flags = self.reachable(scope, flags)?;
        let mode = match change {
            FlagChange::Replace if scope == FlagScope::ALL => FlagMode::Replace,
            FlagChange::Replace => FlagMode::ReplaceWithin(scope),
            FlagChange::Add => FlagMode::Add,
            FlagChange::Remove => FlagMode::Remove,
        };
        let change = SetFlags { mailbox: id, uids, mode, flags, unchanged_since: None };
        match self.commit(Op::SetFlags(Box::new(change))).await? {
            OpResult::Flagged { rows, .. } => {
                let flagged = |row: FlagRow| Flagged { uid: row.uid, mod_seq: row.modseq, flags: row.flags };
                Ok(Answer::Stored(rows.into_iter().map(flagged).collect()))
            }
            other => Err(unexpected(&other)),
        }
    }

    pub(super) async fn copy(&mut self, mailbox: MailboxId, uids: &[u32], to: &MailboxName) -> Result<Answer, Trouble> {
        let (from, (to, scope)) = (self.store_id(mailbox)?, self.target(to).await?);
        let copied = self.commit(Op::Copy { from, uids: uids.iter().copied().collect(), to }).await?;
        self.leave_flags(to, scope, &copied).await?;
        pairs(copied)
    }

    pub(super) async fn move_to(
        &mut self,
        mailbox: MailboxId,
        uids: &[u32],
        to: &MailboxName,
    ) -> Result<Answer, Trouble> {
        let (from, (to, scope)) = (self.store_id(mailbox)?, self.target(to).await?);
        let moved = self.commit(Op::Move { from, uids: uids.iter().copied().collect(), to }).await?;
        self.leave_flags(to, scope, &moved).await?;
        pairs(moved)
    }

    /// Those of `flags` a STORE may change (RFC 4314 4): none at all is no permission, unless none were named.
    fn reachable(&self, scope: FlagScope, flags: Flags) -> Result<Flags, Trouble> {
        let within = scope.among(&flags);
        let lost = flags != Flags::default() && within == Flags::default();
        if lost { Err(Trouble::NoPermission) } else { Ok(within) }
    }

    /// RFC 4314 4: flags that may not be changed in a mailbox do not come into it with a copy.
    async fn leave_flags(
        &mut self,
        mailbox: store::MailboxId,
        scope: FlagScope,
        copied: &OpResult,
    ) -> Result<(), Trouble> {
        let OpResult::Copied { uids, .. } = copied else { return Ok(()) };
        if scope == FlagScope::ALL || uids.is_empty() {
            return Ok(());
        }
        let (uids, mode) = (uids.iter().map(|(_, new)| *new).collect(), FlagMode::ReplaceWithin(scope.outside()));
        let change = SetFlags { mailbox, uids, mode, flags: Flags::default(), unchanged_since: None };
        self.commit(Op::SetFlags(Box::new(change))).await.map(|_| ())
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
        let place = self.place(&name).await?.ok_or(Trouble::NotPersonal)?;
        let inherited = self.inherited(&place).await?;
        // What a mailbox of another account is for, its owner says.
        let special_use = special_use.filter(|_| place.is_own());
        let create = Op::CreateMailbox { login: place.account, name: place.name, special_use };
        self.commit_all([create].into_iter().chain(inherited).collect()).await.map(|_| Answer::Done)
    }

    pub(super) async fn delete(&mut self, name: MailboxName) -> Result<Answer, Trouble> {
        let Place { account: login, name, .. } = self.place(&name).await?.ok_or(Trouble::NoSuchMailbox)?;
        if name.is_inbox() {
            return Err(Trouble::NoPermission);
        }
        let op = Op::DeleteMailbox { login, name };
        self.commit(op).await.map(|_| Answer::Done)
    }

    pub(super) async fn rename(&mut self, from: MailboxName, to: MailboxName) -> Result<Answer, Trouble> {
        let from = self.place(&from).await?.ok_or(Trouble::NoSuchMailbox)?;
        let to = self.place(&to).await?.ok_or(Trouble::NotPersonal)?;
        if from.name.is_inbox() && !from.is_own() {
            return Err(Trouble::NoPermission);
        }
        let op = Op::RenameMailbox { login: from.account, from: from.name, to: to.name };
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
        if size_octets > self.service.tables.plan().mailboxes.message_size_octets {
            return Err(Trouble::TooBig);
        }
        let (_, scope) = self.target(&mailbox).await?;
        let place = self.place(&mailbox).await?.ok_or(Trouble::NoSuchMailbox)?;
        let account = place.account.clone();
        let usage = self.look_up(move |store| store.usage(&account)).await?;
        if usage.used_octets.saturating_add(size_octets) > usage.quota_octets {
            return Err(Trouble::OverQuota);
        }
        // RFC 4314 4: the others are left out without a word.
        let flags = scope.among(&flags);
        let content = Content::new(self.service.store.clone(), self.service.held.clone());
        self.append = Some(Append { place, flags, internal_date, content, lost: false });
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
            login: append.place.account,
            mailbox: append.place.name,
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

    /// Where messages go, and which flags may come along.
    async fn target(&mut self, name: &MailboxName) -> Result<(store::MailboxId, FlagScope), Trouble> {
        let place = self.place(name).await?.ok_or(Trouble::NoSuchMailbox)?;
        let found = self.find(place).await?.ok_or(Trouble::NoSuchMailbox)?;
        Ok((found.mailbox.id, rights::scope(found.rights)))
    }

    async fn commit(&mut self, op: Op) -> Result<OpResult, Trouble> {
        self.commit_all(vec![op]).await?.into_iter().next().ok_or(Trouble::Bug)
    }

    pub(super) async fn commit_all(&mut self, ops: Vec<Op>) -> Result<Vec<OpResult>, Trouble> {
        durable::commit(&self.service.store, ops).await.map_err(trouble)
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
        Refusal::TooManyMailboxes | Refusal::TooManyGrants | Refusal::BadName | Refusal::InboxStays => Trouble::Limit,
        Refusal::TooManyAnnotations => Trouble::TooManyEntries,
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
