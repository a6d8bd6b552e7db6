//! The changes the store knows. A `Vec<Op>` is one transaction.

use std::collections::BTreeSet;

use mail::{
    Address, Alias, Flags, Identifier, Login, MailboxName, Person, ReversePath, Rights, RightsChange, SpecialUse,
    SystemFlags,
};

use crate::body::BodyRef;
use crate::given::{Access, Given, Origin};
use crate::id::{DeliveryId, InternalDate, MailboxId, Modseq, QueueId, UidSet};
use crate::spool::{Enqueue, Settled};
use crate::summary::Summary;

/// One change. Each refuses before it writes, see [`crate::Refusal`].
#[derive(Clone, Debug)]
pub enum Op {
    Deliver(Box<Deliver>),
    Append(Box<Append>),
    /// REPLACE (RFC 8508): the new message comes and the old one goes in one step.
    Replace(Box<Replace>),
    /// Messages that were in a mailbox before: restored, or from another shard.
    Import(Box<Import>),
    SetFlags(Box<SetFlags>),
    /// INTERNALDATE comes along, and so do those of `flags`; OVERQUOTA is exact.
    Copy {
        from: MailboxId,
        uids: UidSet,
        to: MailboxId,
        flags: FlagScope,
    },
    /// RFC 6851.
    Move {
        from: MailboxId,
        uids: UidSet,
        to: MailboxId,
        flags: FlagScope,
    },
    Expunge {
        mailbox: MailboxId,
        which: Expunged,
    },
    /// Missing parents are created too.
    CreateMailbox {
        login: Login,
        name: MailboxName,
        special_use: Option<SpecialUse>,
    },
    /// Children stay (RFC 9051 6.3.5).
    DeleteMailbox {
        login: Login,
        name: MailboxName,
    },
    /// Children move along. INBOX gives its messages to the new name and stays, empty (RFC 9051 6.3.6).
    RenameMailbox {
        login: Login,
        from: MailboxName,
        to: MailboxName,
    },
    /// A name needs no mailbox to be subscribed (RFC 9051 6.3.7).
    Subscribe {
        login: Login,
        name: MailboxName,
    },
    Unsubscribe {
        login: Login,
        name: MailboxName,
    },
    /// Another mailbox may not be for that already.
    SetSpecialUse {
        login: Login,
        name: MailboxName,
        special_use: Option<SpecialUse>,
    },
    /// METADATA (RFC 5464) of a mailbox, or of the account when none is named. `None` removes the entry.
    SetAnnotation {
        login: Login,
        mailbox: Option<MailboxName>,
        entry: String,
        value: Option<Vec<u8>>,
    },
    /// An entry of the list of a mailbox (RFC 4314).
    SetRights(Box<SetRights>),
    /// The owner is told in the same commit that the account is `fill_permille` full. Refused when that was said since the
    /// account last fell below it, so that each crossing is told once.
    Warned {
        login: Login,
        fill_permille: u32,
    },
    /// Creates the person with INBOX and `mailboxes`, all subscribed; or changes who exists and leaves mailboxes alone.
    /// `verifier` is what the password is checked against; `None` keeps it. Login and address are the person's from now on,
    /// see [`Given`].
    UpsertPerson {
        person: Box<Person>,
        verifier: Option<String>,
        mailboxes: Vec<DefaultMailbox>,
        /// Where they come from; `None` keeps it. With other days than before they are due to be looked at.
        origin: Option<Origin>,
    },
    /// Whom the address leads to. Members it has by way of another address, see [`Op::LeadAlias`], stay by that way.
    UpsertAlias(Box<Alias>),
    /// An address that is there leads to `own` and to whoever `follows` lead to, at any time. Refused where it would follow
    /// itself.
    LeadAlias {
        address: Address,
        own: Vec<Login>,
        follows: Vec<Address>,
    },
    RemoveAlias(Address),
    /// Refused when the login was ever given.
    ClaimLogin {
        login: Login,
        at_s: i64,
    },
    SetVerifier {
        login: Login,
        verifier: String,
    },
    /// How the account stands, opaque; nothing is the usual. `due_s` is when somebody has to look at it again.
    SetStanding {
        login: Login,
        standing: Vec<u8>,
        due_s: Option<i64>,
    },
    /// Facts about the password, opaque.
    SetSecret {
        login: Login,
        secret: Vec<u8>,
    },
    /// The person with the account and all it holds, the addresses that led to nobody else and the rights others gave. What
    /// was given stays on the ledger, freed. Large mailboxes hold up everybody else: expunge them first.
    ErasePerson {
        login: Login,
    },
    /// Logins that succeeded; those known are counted on.
    NoteAccesses(Vec<Access>),
    /// Forgets accesses whose last was before a moment, some thousand at a time; [`OpResult::Trimmed`] says how many went.
    TrimAccesses {
        before_s: i64,
    },
    /// Replaces rows of the ledger.
    NoteGiven(Vec<Given>),
    Enqueue(Box<Enqueue>),
    /// Replaces the facts of a spooled message, for instance the steps still to do.
    Progress {
        queue_id: QueueId,
        facts: Vec<u8>,
    },
    /// A try that decided nothing: the recipient waits until `due_at_s`.
    Attempt {
        queue_id: QueueId,
        recipient: u32,
        at_s: i64,
        due_at_s: i64,
        reply: String,
    },
    /// All recipients of the message that wait are due then; no try is counted.
    Reschedule {
        queue_id: QueueId,
        due_at_s: i64,
    },
    /// The recipient is done. The message leaves the spool with its last recipient.
    Settle {
        queue_id: QueueId,
        recipient: u32,
        outcome: Settled,
    },
    Quarantine(Box<Quarantined>),
    /// A message that is kept apart is so for another reason from now on.
    Recast {
        id: QueueId,
        kind: Kept,
        facts: Vec<u8>,
    },
    /// Forgets a message that is kept apart, of any kind; its body goes unless a mailbox has it.
    ReleaseQuarantined {
        id: QueueId,
    },
    /// Takes messages out of mailboxes and remembers what each was.
    TakeOut(Box<TakeOut>),
    /// The way back, some thousand at a time; [`OpResult::Delivered`] says where they are.
    PutBackTaken(Box<PutBackTaken>),
    /// Forgets what was taken out under `item`; [`OpResult::Trimmed`] says how many there were.
    ForgetTaken {
        item: QueueId,
    },
    RecordLoss(Box<Loss>),
    /// One row of the decision log, opaque; the oldest rows go, see [`crate::Options::decision_rows_max`].
    LogDecision {
        at_s: i64,
        row: String,
    },
    /// Replaces the rings of these keys; a ring without ticks is removed.
    FlushRings(Vec<Ring>),
    /// A value by name: sealed secrets, the last tick. `None` removes it.
    Setting {
        key: String,
        value: Option<Vec<u8>>,
    },
    /// Adds to what the spam filter learned. `bucket` names whose statistics; counts never fall below 0.
    CountTokens {
        bucket: u32,
        tokens: Vec<TokenCount>,
    },
    /// Who changed what, for the audit.
    Audit {
        at_s: i64,
        who: String,
        what: String,
    },
    /// Forgets the delivery index before a moment, some thousand rows at a time; [`OpResult::Trimmed`] says how many went.
    TrimDeliveries {
        before_ms: u64,
    },
    /// Forgets losses before a moment, some thousand at a time; [`OpResult::Trimmed`] says how many went.
    TrimLosses {
        before_s: i64,
    },
    /// The same for the decision log.
    TrimDecisions {
        before_s: i64,
    },
    /// The same for the audit.
    TrimAudit {
        before_s: i64,
    },
    /// What the store asks of one of its shards.
    Part(Box<Part>),
}

impl Op {
    /// The bodies this op makes durable.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = &BodyRef> {
        let (one, many) = match self {
            Op::Deliver(deliver) => (Some(&deliver.body), None),
            Op::Append(append) => (Some(&append.body), None),
            Op::Replace(replace) => (Some(&replace.append.body), None),
            Op::Enqueue(enqueue) => (Some(&enqueue.body), None),
            Op::Quarantine(quarantined) => (Some(&quarantined.body), None),
            Op::PutBackTaken(back) => (Some(&back.body), None),
            Op::Import(import) => (None, Some(import.messages.iter().map(|message| &message.body))),
            _ => (None, None),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    pub(crate) fn bodies_mut(&mut self) -> Vec<&mut BodyRef> {
        match self {
            Op::Deliver(deliver) => vec![&mut deliver.body],
            Op::Append(append) => vec![&mut append.body],
            Op::Replace(replace) => vec![&mut replace.append.body],
            Op::Enqueue(enqueue) => vec![&mut enqueue.body],
            Op::Quarantine(quarantined) => vec![&mut quarantined.body],
            Op::PutBackTaken(back) => vec![&mut back.body],
            Op::Import(import) => import.messages.iter_mut().map(|message| &mut message.body).collect(),
            _ => Vec::new(),
        }
    }

    /// Goes through on a full device: it frees room, or ends work that was accepted.
    pub(crate) fn frees_room(&self) -> bool {
        matches!(
            self,
            Op::SetFlags(_)
                | Op::Expunge { .. }
                | Op::DeleteMailbox { .. }
                | Op::SetRights(_)
                | Op::Unsubscribe { .. }
                | Op::Attempt { .. }
                | Op::Reschedule { .. }
                | Op::Settle { .. }
                | Op::ReleaseQuarantined { .. }
                | Op::TakeOut(_)
                | Op::ForgetTaken { .. }
                | Op::FlushRings(_)
                | Op::TrimDeliveries { .. }
                | Op::TrimLosses { .. }
                | Op::TrimDecisions { .. }
                | Op::TrimAccesses { .. }
                | Op::TrimAudit { .. }
                | Op::ErasePerson { .. }
                | Op::Part(_)
        )
    }
}

/// See [`Op::Part`]; made by the store alone.
#[derive(Clone, Debug)]
pub enum Part {
    #[doc(hidden)]
    Account { login: Login, quota_octets: u64, mailboxes: Vec<DefaultMailbox> },
    #[doc(hidden)]
    Alias(Alias),
    #[doc(hidden)]
    Directory { person: Box<Person>, verifier: Option<String>, origin: Option<Origin>, shard: u8 },
    /// What a person had in this shard.
    #[doc(hidden)]
    EraseAccount { login: Login },
    #[doc(hidden)]
    EraseDirectory { login: Login },
    /// Rows of bodies that lie elsewhere now: row, old and new body. A row that moved or went meanwhile stays as it is.
    #[doc(hidden)]
    Moved(Vec<(i64, BodyRef, BodyRef)>),
    /// Removes rows of bodies freed before `before_s`, up to a bound.
    #[doc(hidden)]
    Sweep { segments: Vec<u32>, before_s: i64 },
}

/// How often a token was seen in spam and in other mail since; negative to unlearn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenCount {
    pub token: u64,
    pub spam: i32,
    pub ham: i32,
}

/// What an op answers, in the order of the ops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpResult {
    /// `duplicate`: this delivery id was committed before and nothing was done now.
    Delivered {
        duplicate: bool,
        placed: Vec<Placed>,
    },
    Appended {
        mailbox: MailboxId,
        uidvalidity: u32,
        uid: u32,
    },
    /// `rows`: each message of the set that exists and passed `unchanged_since`, as it is now, ascending.
    /// `modified`: those that did not pass (RFC 7162 MODIFIED), ascending.
    Flagged {
        rows: Vec<FlagRow>,
        modified: Vec<u32>,
    },
    /// For Copy and Move: UIDVALIDITY of the target and (old, new) UIDs, both ascending (RFC 4315 COPYUID).
    Copied {
        uidvalidity: u32,
        uids: Vec<(u32, u32)>,
    },
    Expunged {
        uids: Vec<u32>,
        modseq: Modseq,
    },
    Created(MailboxId),
    /// UIDs in the order of the messages.
    Imported {
        mailbox: MailboxId,
        uidvalidity: u32,
        uids: Vec<u32>,
    },
    /// Rows that went.
    Trimmed(u64),
    /// What was taken out of each mailbox, ascending.
    Taken(Vec<(MailboxId, Vec<u32>)>),
    Done,
}

/// Mail that was accepted goes into mailboxes, quota or not.
#[derive(Clone, Debug)]
pub struct Deliver {
    pub delivery_id: DeliveryId,
    /// Two that name one mailbox deliver once.
    pub recipients: Vec<(Login, Target)>,
    pub body: BodyRef,
    pub summary: Summary,
    pub internal_date: InternalDate,
    pub flags: Flags,
    /// What the message can be found by later, in the words of the caller; see [`crate::Store::deliveries_marked`].
    pub marks: Vec<u64>,
}

/// Where in an account. A mailbox that does not exist (any more) means INBOX: accepted mail has to go somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Inbox,
    Mailbox(MailboxName),
    Special(SpecialUse),
}

/// Where a delivery went, per recipient, without doubles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pub login: Login,
    pub mailbox: MailboxId,
    pub uidvalidity: u32,
    pub uid: u32,
}

/// APPEND (RFC 9051 6.3.12): exact quota.
#[derive(Clone, Debug)]
pub struct Append {
    pub login: Login,
    pub mailbox: MailboxName,
    pub body: BodyRef,
    pub summary: Summary,
    pub flags: Flags,
    pub internal_date: InternalDate,
}

/// REPLACE (RFC 8508): the quota is judged as if the old message had gone first.
#[derive(Clone, Debug)]
pub struct Replace {
    pub append: Append,
    pub mailbox: MailboxId,
    pub uid: u32,
}

/// Messages for one mailbox, which is created when it is missing. They get the next UIDs and one MODSEQ, and keep their
/// INTERNALDATE and EMAILID.
#[derive(Clone, Debug)]
pub struct Import {
    pub login: Login,
    pub mailbox: MailboxName,
    pub messages: Vec<Imported>,
    /// Refuse what does not fit; else put it there all the same, as an administrator's restore does.
    pub within_quota: bool,
}

#[derive(Clone, Debug)]
pub struct Imported {
    pub body: BodyRef,
    pub summary: Summary,
    pub flags: Flags,
    pub internal_date: InternalDate,
}

/// STORE. Long sets hold up everybody else: give some thousand messages at a time.
#[derive(Clone, Debug)]
pub struct SetFlags {
    pub mailbox: MailboxId,
    pub uids: UidSet,
    pub mode: FlagMode,
    pub flags: Flags,
    /// RFC 7162 UNCHANGEDSINCE.
    pub unchanged_since: Option<Modseq>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagMode {
    Add,
    Remove,
    Replace,
    /// Flags outside the scope stay as they are: the rights of who asks do not reach them (RFC 4314 4).
    ReplaceWithin(FlagScope),
}

/// Which flags a change may touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlagScope {
    pub seen: bool,
    pub deleted: bool,
    /// All others, keywords included.
    pub others: bool,
}

impl FlagScope {
    pub const ALL: FlagScope = FlagScope { seen: true, deleted: true, others: true };

    /// The flags in it.
    #[must_use]
    pub fn among(self, flags: &Flags) -> Flags {
        let keywords = if self.others { flags.keywords.clone() } else { BTreeSet::new() };
        Flags { system: self.system(flags.system), keywords }
    }

    /// The same of flags that are no keywords.
    #[must_use]
    pub fn system(self, flags: SystemFlags) -> SystemFlags {
        let of = |flag, inside| if inside { flags.bits() & SystemFlags::bits(flag) } else { 0 };
        let named = SystemFlags::SEEN.with(SystemFlags::DELETED);
        let others = if self.others { flags.without(named).bits() } else { 0 };
        SystemFlags::from_bits(of(SystemFlags::SEEN, self.seen) | of(SystemFlags::DELETED, self.deleted) | others)
    }

    /// The flags this one leaves out.
    #[must_use]
    pub fn outside(self) -> FlagScope {
        FlagScope { seen: !self.seen, deleted: !self.deleted, others: !self.others }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagRow {
    pub uid: u32,
    pub flags: Flags,
    pub modseq: Modseq,
}

/// Who may do what with a mailbox. An entry without rights goes, and with it those of the mailbox that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetRights {
    /// Whose account the mailbox is in.
    pub login: Login,
    pub mailbox: MailboxName,
    pub identifier: Identifier,
    pub change: RightsChange,
    pub rights: Rights,
    pub until: Until,
    /// Now, in Unix seconds: an entry that ended before is as good as none.
    pub at_s: i64,
}

/// How long an entry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// As long as the entry there was; without end where there was none.
    AsBefore,
    /// Until this moment in Unix seconds; `None` is without end.
    Given(Option<i64>),
}

/// What an expunge takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expunged {
    /// EXPUNGE: all that are `\Deleted`.
    Deleted,
    /// UID EXPUNGE: those of the set that are `\Deleted`.
    DeletedAmong(UidSet),
    /// All of the set, whatever their flags.
    Exactly(UidSet),
}

/// A mailbox every new account starts with, named in the institution's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultMailbox {
    pub name: MailboxName,
    pub special_use: Option<SpecialUse>,
}

/// Why a message is kept apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kept {
    /// Not delivered: a scanner stopped it.
    #[default]
    Quarantine,
    /// Taken out of the mailboxes it was delivered to.
    Recalled,
    /// Somebody says it was judged wrongly, and nobody decided yet.
    Proposal,
    /// What the spam filter learned from, to learn or forget it again.
    Taught,
    /// Delivered, or on its way, before a scanner could look at it: the body stays until it did, wherever the message goes.
    Owed,
}

impl Kept {
    pub const ALL: [Kept; 5] = [Kept::Quarantine, Kept::Recalled, Kept::Proposal, Kept::Taught, Kept::Owed];

    pub(crate) fn number(self) -> i64 {
        self as i64
    }

    pub(crate) fn of_number(number: i64) -> Option<Kept> {
        Kept::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// Messages to take out of mailboxes, whatever their flags. What is not there any more is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeOut {
    /// What they are remembered under.
    pub item: QueueId,
    pub messages: Vec<(MailboxId, UidSet)>,
}

/// Puts messages that were taken out where they were: with their flags, INTERNALDATE, saved date, EMAILID and THREADID, quota or
/// not; into the mailbox of that name when theirs is gone, and into INBOX when there is none.
#[derive(Clone, Debug)]
pub struct PutBackTaken {
    pub item: QueueId,
    /// Each shard has its own.
    pub shard: u8,
    pub body: BodyRef,
    pub summary: Summary,
    /// Messages at most; the others wait for the next.
    pub limit: u32,
}

/// A message kept apart. `why`, `engine`, `signature` and `envelope` are words of the caller.
#[derive(Clone, Debug)]
pub struct Quarantined {
    pub id: QueueId,
    pub kind: Kept,
    pub body: BodyRef,
    pub why: String,
    pub engine: String,
    pub signature: String,
    pub reverse_path: ReversePath,
    pub recipients: Vec<Address>,
    /// Further facts, opaque.
    pub facts: Vec<u8>,
    pub at_s: i64,
}

/// A message or recipient that did not arrive, on the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// A word of the plan's `losses.record`.
    pub kind: String,
    pub queue_id: QueueId,
    pub reverse_path: ReversePath,
    /// As given by the client, which need not be an address we could parse.
    pub recipient: String,
    pub reason: String,
    pub at_s: i64,
}

/// The timestamps of one limit and one subject; both opaque here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    pub key: Vec<u8>,
    pub ticks: Vec<u8>,
}
