//! Answers that change something: each is one commit, and is told when it is durable.

use mail::{Flags, MailboxName, Rights, SpecialUse};
use proto::imap::{Answer, Copied, FlagChange, Flagged, MailboxId, Stored, Trouble};
use store::{CommitError, Expunged, FlagMode, FlagRow, FlagScope, Op, OpResult, Refusal, SetFlags, UidSet};

use super::place::Place;
use super::rights::{self, Found};
use super::{Imap, session_id};
use crate::{durable, teaching};

impl Imap {
    pub(super) async fn store(
        &mut self,
        mailbox: MailboxId,
        uids: &[u32],
        (change, flags, unchanged_since): (FlagChange, Flags, Option<u64>),
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
        let change = SetFlags { mailbox: id, uids, mode, flags: flags.clone(), unchanged_since };
        match self.commit(Op::SetFlags(Box::new(change))).await? {
            OpResult::Flagged { rows, modified } => {
                teaching::marked(&self.service, &self.login()?, id, mode, &flags, &rows).await;
                let flagged = |row: FlagRow| Flagged { uid: row.uid, mod_seq: row.modseq, flags: row.flags };
                Ok(Answer::Stored(Stored { flagged: rows.into_iter().map(flagged).collect(), modified }))
            }
            other => Err(unexpected(&other)),
        }
    }

    pub(super) async fn copy(&mut self, mailbox: MailboxId, uids: &[u32], to: &MailboxName) -> Result<Answer, Trouble> {
        let (from, Found { mailbox, rights }) = (self.store_id(mailbox)?, self.target(to).await?);
        let (uids, flags) = (uids.iter().copied().collect(), rights::scope(rights));
        let copied = self.commit(Op::Copy { from, uids, to: mailbox.id, flags }).await?;
        pairs(copied, rights)
    }

    pub(super) async fn move_to(
        &mut self,
        mailbox: MailboxId,
        uids: &[u32],
        to: &MailboxName,
    ) -> Result<Answer, Trouble> {
        let (from, Found { mailbox, rights }) = (self.store_id(mailbox)?, self.target(to).await?);
        let (uids, flags) = (uids.iter().copied().collect(), rights::scope(rights));
        let moved = self.commit(Op::Move { from, uids, to: mailbox.id, flags }).await?;
        pairs(moved, rights)
    }

    /// Those of `flags` a STORE may change (RFC 4314 4): none at all is no permission, unless none were named.
    fn reachable(&self, scope: FlagScope, flags: Flags) -> Result<Flags, Trouble> {
        let within = scope.among(&flags);
        let lost = flags != Flags::default() && within == Flags::default();
        if lost { Err(Trouble::NoPermission) } else { Ok(within) }
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
        let account = place.account.clone();
        let create = Op::CreateMailbox { login: place.account, name: place.name, special_use };
        let results = self.commit_all([create].into_iter().chain(inherited).collect()).await?;
        self.stir(account).await;
        match results.into_iter().next() {
            Some(OpResult::Created(mailbox)) => Ok(Answer::Created(session_id(mailbox))),
            Some(other) => Err(unexpected(&other)),
            None => Err(Trouble::Bug),
        }
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
        let account = login.clone();
        let op = if on { Op::Subscribe { login, name } } else { Op::Unsubscribe { login, name } };
        self.commit(op).await?;
        self.stir(account).await;
        Ok(Answer::Done)
    }

    /// Where messages go.
    pub(super) async fn target(&mut self, name: &MailboxName) -> Result<Found, Trouble> {
        let place = self.place(name).await?.ok_or(Trouble::NoSuchMailbox)?;
        self.find(place).await?.ok_or(Trouble::NoSuchMailbox)
    }

    async fn commit(&mut self, op: Op) -> Result<OpResult, Trouble> {
        self.commit_all(vec![op]).await?.into_iter().next().ok_or(Trouble::Bug)
    }

    pub(super) async fn commit_all(&mut self, ops: Vec<Op>) -> Result<Vec<OpResult>, Trouble> {
        durable::commit(&self.service.store, ops).await.map_err(trouble)
    }
}

/// `rights` are those on the mailbox there.
fn pairs(result: OpResult, rights: Rights) -> Result<Answer, Trouble> {
    match result {
        OpResult::Copied { uidvalidity, uids } => {
            let uid_validity = Some(uidvalidity).filter(|_| rights.contains(Rights::READ));
            Ok(Answer::Copied(Copied { uid_validity, pairs: uids }))
        }
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
        Refusal::TooManyMailboxes | Refusal::TooManyGrants | Refusal::BadName | Refusal::InboxStays => Trouble::Limit,
        Refusal::TooManyAnnotations => Trouble::TooManyEntries,
        Refusal::TooLarge => Trouble::TooBig,
        Refusal::NoSuchMessage => Trouble::Expunged,
        Refusal::NoSuchLogin(_) | Refusal::BodyGone => Trouble::Unavailable,
        Refusal::LoginTaken(_)
        | Refusal::AddressTaken(_)
        | Refusal::Circle(_)
        | Refusal::NoSuchQueueItem
        | Refusal::QueueItemExists
        | Refusal::NoSuchQuarantined
        | Refusal::AlreadyWarned
        | Refusal::NoRecipients => Trouble::Bug,
    }
}
