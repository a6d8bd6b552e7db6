//! A store that passes everything on to a real one, but for one lie.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};

use mail::mime::SummaryParts;
use mail::{Address, Alias, Grant, Grantee, Login, MailboxName};

use crate::compact::{CompactError, Compacted};
use crate::tests::model::lockstep::{Waist, commit_wait};
use crate::{
    Access, AuditRow, BlobStore, BodyRef, Changes, CommitError, CopyOf, Delivery, DeliveryId, Done, Given, Inserted,
    Kept, KeptAmounts, Leads, Listing, Loss, MailboxId, MailboxInfo, MessageIdentity, MessageRow, MetaStore, Modseq,
    ObjectId, Op, OpResult, PersonRow, Progress, PutError, Quarantined, QueueId, QueueItem, ReadError, RecordEnvelope,
    Renderings, Report, Resolution, Ring, Selected, SharedMailbox, Source, Spill, Summary, TakenCopy, TokenCounts,
    UidSet, Usage, Vanished, Waits, Watcher,
};

/// One way to be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    ChangesBeginLate,
    OneVanishedIsLost,
    ExpungeKeepsOctets,
    UidsComeBack,
    DeliversTwice,
    CopyDropsKeywords,
    UnchangedSinceIgnored,
    CommitsInPart,
    ValidityComesBack,
    MoveChangesEmail,
    AttemptsUncounted,
    LastOctetLost,
    WatchersSleep,
    CompactionForgets,
}

impl Defect {
    /// What is wrong with the file of a store that is opened again.
    pub fn before_open(self, folder: &Path) {
        let file = folder.join("meta-00.db");
        if self != Defect::UidsComeBack || !file.exists() {
            return;
        }
        let db = rusqlite::Connection::open(file).unwrap();
        db.execute_batch(
            "UPDATE mailbox SET uidnext =
             (SELECT ifnull(max(id & 0xffffffff), 0) + 1 FROM msg WHERE id >> 32 = mailbox.id)",
        )
        .unwrap();
    }
}

/// What the lies need to remember.
#[derive(Default)]
struct Memory {
    delivered: BTreeSet<DeliveryId>,
    /// Messages that are copies, and those that were moved.
    copied: BTreeSet<(MailboxId, u32)>,
    moved: BTreeSet<(MailboxId, u32)>,
    /// The most each account ever used.
    used_octets: BTreeMap<Login, u64>,
    validities: BTreeMap<(Login, MailboxName), u32>,
}

pub struct Liar<S> {
    inner: S,
    defect: Defect,
    memory: Arc<Mutex<Memory>>,
}

impl<S: Waist> Liar<S> {
    pub fn new(inner: S, defect: Defect) -> Liar<S> {
        Liar { inner, defect, memory: Arc::default() }
    }

    fn lies(&self, defect: Defect) -> bool {
        self.defect == defect
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    /// What is changed of an op on its way in.
    fn twist(&self, op: &mut Op) {
        match op {
            Op::Deliver(deliver) if self.lies(Defect::DeliversTwice) => {
                let mut memory = self.memory();
                let n = memory.delivered.len() as u8;
                if !memory.delivered.insert(deliver.delivery_id) {
                    deliver.delivery_id[8..10].copy_from_slice(&[1, n]);
                    memory.delivered.insert(deliver.delivery_id);
                }
            }
            Op::SetFlags(set) if self.lies(Defect::UnchangedSinceIgnored) => set.unchanged_since = None,
            _ => {}
        }
    }

    /// One after the other.
    fn commit_in_part(&self, ops: Vec<Op>) -> Result<Vec<OpResult>, CommitError> {
        let one = |(index, op)| match commit_wait(&self.inner, vec![op]) {
            Err(CommitError::Refused { why, .. }) => Err(CommitError::Refused { op: index, why }),
            other => other,
        };
        let answers: Result<Vec<Vec<OpResult>>, CommitError> = ops.into_iter().enumerate().map(one).collect();
        Ok(answers?.into_iter().flatten().collect())
    }

    fn rows(&self, mailbox: MailboxId, mut rows: Vec<MessageRow>) -> Vec<MessageRow> {
        let memory = self.memory();
        for row in rows.iter_mut().filter(|row| memory.copied.contains(&(mailbox, row.uid))) {
            if self.lies(Defect::CopyDropsKeywords) {
                row.flags.keywords.clear();
            }
        }
        rows
    }

    fn info(&self, login: &Login, mut info: MailboxInfo) -> MailboxInfo {
        if self.lies(Defect::ValidityComesBack) {
            let key = (login.clone(), info.name.clone());
            info.uidvalidity = *self.memory().validities.entry(key).or_insert(info.uidvalidity);
        }
        info
    }

    fn item(&self, mut item: QueueItem) -> QueueItem {
        if self.lies(Defect::AttemptsUncounted) {
            item.recipients.iter_mut().for_each(|recipient| recipient.attempts = 0);
        }
        item
    }
}

/// Methods that tell the truth.
macro_rules! truthful {
    ($(fn $method:ident(&self $(, $argument:ident: $of:ty)* $(,)?) -> $answer:ty;)*) => {
        $(fn $method(&self $(, $argument: $of)*) -> $answer {
            self.inner.$method($($argument),*)
        })*
    };
}

impl<S: Waist> MetaStore for Liar<S> {
    fn commit(&self, mut ops: Vec<Op>, done: Done) {
        if self.lies(Defect::CommitsInPart) && ops.len() > 1 {
            return done(self.commit_in_part(ops));
        }
        ops.iter_mut().for_each(|op| self.twist(op));
        let targets = ops.iter().map(|op| match op {
            Op::Copy { to, .. } => (Some(*to), false),
            Op::Move { to, .. } => (Some(*to), true),
            _ => (None, false),
        });
        let (targets, memory): (Vec<_>, _) = (targets.collect(), self.memory.clone());
        let heard = move |answer: Result<Vec<OpResult>, CommitError>| {
            for ((to, moved), result) in targets.iter().zip(answer.iter().flatten()) {
                if let (Some(to), OpResult::Copied { uids, .. }) = (to, result) {
                    let mut memory = memory.lock().unwrap();
                    let set = if *moved { &mut memory.moved } else { &mut memory.copied };
                    set.extend(uids.iter().map(|(_, new)| (*to, *new)));
                }
            }
            done(answer);
        };
        self.inner.commit(ops, Box::new(heard));
    }

    fn watch(&self, mailbox: MailboxId, waker: Box<dyn Fn() + Send + Sync>) -> Watcher {
        let nobody = MailboxId(u32::MAX >> 8);
        self.inner.watch(if self.lies(Defect::WatchersSleep) { nobody } else { mailbox }, waker)
    }

    fn usage(&self, login: &Login) -> Result<Usage, ReadError> {
        let mut usage = self.inner.usage(login)?;
        if self.lies(Defect::ExpungeKeepsOctets) {
            let mut memory = self.memory();
            let most = memory.used_octets.entry(login.clone()).or_default();
            *most = usage.used_octets.max(*most);
            usage.used_octets = *most;
        }
        Ok(usage)
    }

    fn mailboxes(&self, login: &Login) -> Result<Vec<MailboxInfo>, ReadError> {
        Ok(self.inner.mailboxes(login)?.into_iter().map(|info| self.info(login, info)).collect())
    }

    fn mailbox(&self, login: &Login, name: &MailboxName) -> Result<Option<MailboxInfo>, ReadError> {
        Ok(self.inner.mailbox(login, name)?.map(|info| self.info(login, info)))
    }

    fn select(&self, login: &Login, name: &MailboxName) -> Result<Option<Selected>, ReadError> {
        let Some(Selected { mailbox, messages }) = self.inner.select(login, name)? else { return Ok(None) };
        let messages = self.rows(mailbox.id, messages);
        Ok(Some(Selected { mailbox: self.info(login, mailbox), messages }))
    }

    fn messages(&self, mailbox: MailboxId, uids: &UidSet) -> Result<Vec<MessageRow>, ReadError> {
        Ok(self.rows(mailbox, self.inner.messages(mailbox, uids)?))
    }

    fn changes_since(&self, mailbox: MailboxId, since: Modseq) -> Result<Option<Changes>, ReadError> {
        let Some(mut changes) = self.inner.changes_since(mailbox, since)? else { return Ok(None) };
        if self.lies(Defect::ChangesBeginLate) && since > 0 {
            changes.messages.retain(|row| row.modseq > since + 1);
        }
        if self.lies(Defect::OneVanishedIsLost) && changes.vanished.len() > 1 {
            changes.vanished.pop();
        }
        changes.messages = self.rows(mailbox, changes.messages);
        Ok(Some(changes))
    }

    fn identities(&self, mailbox: MailboxId, uids: &UidSet) -> Result<Vec<MessageIdentity>, ReadError> {
        let mut found = self.inner.identities(mailbox, uids)?;
        let memory = self.memory();
        for it in found.iter_mut().filter(|it| memory.moved.contains(&(mailbox, it.uid))) {
            if self.lies(Defect::MoveChangesEmail) {
                it.email = ObjectId(it.email.0 + (1 << 40));
            }
        }
        Ok(found)
    }

    fn queue_item(&self, queue_id: QueueId) -> Result<Option<QueueItem>, ReadError> {
        Ok(self.inner.queue_item(queue_id)?.map(|item| self.item(item)))
    }

    fn queue_list(&self, after: Option<QueueId>, limit: usize) -> Result<Vec<QueueItem>, ReadError> {
        Ok(self.inner.queue_list(after, limit)?.into_iter().map(|item| self.item(item)).collect())
    }

    truthful! {
        fn listing(&self, mailbox: MailboxId, since: Modseq) -> Result<Option<Listing>, ReadError>;
        fn vanished_since(&self, mailbox: MailboxId, since: Modseq, limit: usize) -> Result<Option<Vanished>, ReadError>;
        fn renderings(
            &self, mailbox: MailboxId, uids: &UidSet, parts: SummaryParts, octets_max: usize,
        ) -> Result<Renderings, ReadError>;
        fn changed_mailboxes(&self, shard: u8, after: u64, limit: usize) -> Result<Option<Vec<(u64, MailboxId)>>, ReadError>;
        fn search_candidates(&self, mailbox: MailboxId, texts: &[String]) -> Vec<crate::Candidates>;
        fn verify(&self) -> Result<Report, ReadError>;
        fn person(&self, login: &Login) -> Result<Option<PersonRow>, ReadError>;
        fn people(&self, after: Option<&Login>, limit: u32) -> Result<Vec<PersonRow>, ReadError>;
        fn people_count(&self) -> Result<u64, ReadError>;
        fn resolve(&self, address: &Address) -> Result<Resolution, ReadError>;
        fn owns(&self, login: &Login, address: &Address) -> Result<bool, ReadError>;
        fn aliases_of(&self, login: &Login) -> Result<Vec<Alias>, ReadError>;
        fn leads(&self, address: &Address) -> Result<Leads, ReadError>;
        fn followers(&self, address: &Address) -> Result<Vec<Address>, ReadError>;
        fn functions_of(&self, login: &Login) -> Result<Vec<(Address, bool)>, ReadError>;
        fn people_due(&self, before_s: i64, limit: u32) -> Result<Vec<PersonRow>, ReadError>;
        fn people_standing(&self, after: Option<&Login>, limit: u32) -> Result<Vec<(Login, Vec<u8>)>, ReadError>;
        fn person_by_foreign(&self, foreign_id: &str) -> Result<Option<PersonRow>, ReadError>;
        fn people_of_unit(&self, unit: &str, after: Option<&Login>, limit: u32) -> Result<Vec<PersonRow>, ReadError>;
        fn units(&self, limit: u32) -> Result<Vec<String>, ReadError>;
        fn people_like(&self, text: &str, limit: u32) -> Result<Vec<PersonRow>, ReadError>;
        fn given(&self, what: &str) -> Result<Option<Given>, ReadError>;
        fn logins_given_to(&self, holder: &str, limit: u32) -> Result<Vec<String>, ReadError>;
        fn given_list(&self, after: &str, limit: u32) -> Result<Vec<Given>, ReadError>;
        fn aliases(&self, after: &str, limit: u32) -> Result<Vec<Alias>, ReadError>;
        fn accesses_since(&self, since_s: i64, limit: u32) -> Result<Vec<Access>, ReadError>;
        fn accesses_of(&self, login: &Login, limit: u32) -> Result<Vec<Access>, ReadError>;
        fn login_was_given(&self, login: &Login) -> Result<bool, ReadError>;
        fn mailbox_by_id(&self, mailbox: MailboxId) -> Result<Option<MailboxInfo>, ReadError>;
        fn subscriptions(&self, login: &Login) -> Result<Vec<MailboxName>, ReadError>;
        fn annotations(&self, login: &Login, name: Option<&MailboxName>) -> Result<Vec<(String, Vec<u8>)>, ReadError>;
        fn deleted_octets(&self, mailbox: MailboxId) -> Result<u64, ReadError>;
        fn grants(&self, mailbox: MailboxId) -> Result<Vec<Grant>, ReadError>;
        fn shared_with(&self, names: &[Grantee], limit: u32) -> Result<Vec<SharedMailbox>, ReadError>;
        fn account_of(&self, mailbox: MailboxId) -> Result<Option<Login>, ReadError>;
        fn summaries(
            &self, mailbox: MailboxId, uids: &UidSet, parts: SummaryParts, limit: usize,
        ) -> Result<Vec<(u32, Summary)>, ReadError>;
        fn bodies_of(&self, mailbox: MailboxId, uids: &UidSet) -> Result<Vec<(u32, BodyRef)>, ReadError>;
        fn queue_due(&self, now_s: i64, limit: usize) -> Result<Vec<QueueItem>, ReadError>;
        fn queue_next_due(&self) -> Result<Option<i64>, ReadError>;
        fn queue_waits(&self, after: Option<(QueueId, u32)>, limit: usize) -> Result<Vec<Waits>, ReadError>;
        fn queue_count(&self) -> Result<u64, ReadError>;
        fn quarantined(&self, after: Option<QueueId>, limit: usize) -> Result<Vec<Quarantined>, ReadError>;
        fn kept(&self, kind: Kept, after: Option<QueueId>, limit: usize) -> Result<Vec<Quarantined>, ReadError>;
        fn kept_one(&self, id: QueueId) -> Result<Option<Quarantined>, ReadError>;
        fn kept_amounts(&self, kind: Kept) -> Result<KeptAmounts, ReadError>;
        fn copies_of(&self, deliveries: &[DeliveryId]) -> Result<Vec<CopyOf>, ReadError>;
        fn taken(&self, item: QueueId) -> Result<Vec<TakenCopy>, ReadError>;
        fn losses(&self, limit: usize) -> Result<Vec<Loss>, ReadError>;
        fn losses_of(&self, queue_id: QueueId, limit: usize) -> Result<Vec<Loss>, ReadError>;
        fn decisions_with(&self, text: &str, limit: usize) -> Result<Vec<(i64, String)>, ReadError>;
        fn decisions(&self, limit: usize) -> Result<Vec<(i64, String)>, ReadError>;
        fn decisions_page(&self, since_s: i64, after_id: i64, limit: usize) -> Result<Vec<(i64, i64, String)>, ReadError>;
        fn deliveries(&self, shard: u8, after: DeliveryId, limit: usize) -> Result<Vec<Delivery>, ReadError>;
        fn deliveries_before(
            &self, shard: u8, before: DeliveryId, since: DeliveryId, limit: usize,
        ) -> Result<Vec<Delivery>, ReadError>;
        fn deliveries_marked(
            &self, shard: u8, mark: u64, after: DeliveryId, rows: usize,
        ) -> Result<(Vec<Delivery>, Option<DeliveryId>), ReadError>;
        fn load_rings(&self) -> Result<Vec<Ring>, ReadError>;
        fn setting(&self, key: &str) -> Result<Option<Vec<u8>>, ReadError>;
        fn settings(&self, prefix: &str, after: &str, limit: usize) -> Result<Vec<(String, Vec<u8>)>, ReadError>;
        fn token_counts(&self, bucket: u32, tokens: &[u64]) -> Result<Vec<TokenCounts>, ReadError>;
        fn statistics(&self, bucket: u32, after: Option<u64>, limit: usize) -> Result<Vec<(u64, TokenCounts)>, ReadError>;
        fn audit(&self, limit: usize) -> Result<Vec<(i64, String, String)>, ReadError>;
        fn audit_page(
            &self, before_id: Option<i64>, who: Option<&str>, about: Option<&str>, limit: usize,
        ) -> Result<Vec<AuditRow>, ReadError>;
    }
}

impl<S: Waist> BlobStore for Liar<S> {
    fn read_body(&self, body: &BodyRef) -> Result<Vec<u8>, ReadError> {
        let mut octets = self.inner.read_body(body)?;
        if self.lies(Defect::LastOctetLost) {
            octets.pop();
        }
        Ok(octets)
    }

    fn compact(&self, keep_s: u64, progress: &mut dyn FnMut(Progress)) -> Result<Compacted, CompactError> {
        if self.lies(Defect::CompactionForgets) {
            for item in self.inner.quarantined(None, 9)? {
                let gone = commit_wait(&self.inner, vec![Op::ReleaseQuarantined { id: item.id }]);
                gone.map_err(CompactError::Commit)?;
            }
        }
        self.inner.compact(keep_s, progress)
    }

    truthful! {
        fn put_body(&self, content: &[&[u8]]) -> Result<BodyRef, PutError>;
        fn put_body_for(&self, envelope: &RecordEnvelope, head: &[u8], content: &[&[u8]]) -> Result<BodyRef, PutError>;
        fn spill(&self) -> std::io::Result<Spill>;
        fn put_body_from_spill(&self, envelope: &RecordEnvelope, head: &[u8], spill: &Spill) -> Result<BodyRef, PutError>;
        fn put_body_with(
            &self, envelope: &RecordEnvelope, head: &[u8], content: &Source<'_>, inserted: &Inserted<'_>,
        ) -> Result<BodyRef, PutError>;
        fn read_body_range(&self, body: &BodyRef, offset: u64, len: u64) -> Result<Vec<u8>, ReadError>;
    }
}
