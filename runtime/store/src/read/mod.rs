//! Reads: blocking, each in one short read transaction on a connection of a small pool.

mod bodies;
mod directory;
mod index;
mod mailboxes;
mod messages;
mod order;
mod people;
mod pool;
mod records;
mod renderings;
mod rights;
mod spool;
mod statistics;
mod taken;

use mail::index::Index;
use mail::{Address, Alias, Flags, Login, MailboxName, Person, SpecialUse};

use crate::given::Origin;
use crate::id::{InternalDate, MailboxId, Modseq};

pub use bodies::MessageIdentity;
pub(crate) use bodies::{bodies_in, body, body_row};
pub(crate) use directory::fold;
pub(crate) use index::Indexes;
pub(crate) use mailboxes::{USAGE, log_begins, special_number, usage_row};
pub(crate) use messages::{rows_in, summaries_in};
pub(crate) use order::keys_in;
pub(crate) use pool::Pool;
pub use records::{AuditRow, Delivery, KeptAmounts, TokenCounts};
pub use renderings::Renderings;
pub use rights::SharedMailbox;
pub(crate) use rights::grants_in;
pub use taken::{CopyOf, TakenCopy};

/// A person as the directory has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    pub person: Person,
    pub verifier: Option<String>,
    pub origin: Origin,
    /// Opaque; empty is the usual.
    pub standing: Vec<u8>,
    /// When somebody has to look at it again, in Unix seconds.
    pub due_s: Option<i64>,
    /// Facts about the password, opaque.
    pub secret: Vec<u8>,
}

/// The ways of an alias or a functional address: members of its own, and addresses whose members it has, folded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leads {
    pub own: Vec<Login>,
    pub follows: Vec<Address>,
}

/// Where an address leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    Person(Box<PersonRow>),
    /// A former address, an alias or a functional address; `kind` says which.
    Alias(Alias),
    Unknown,
}

/// What an account holds and may hold (RFC 9208), and up to which fill its owner was warned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub used_octets: u64,
    pub messages: u64,
    pub quota_octets: u64,
    pub warned_permille: u32,
}

/// STATUS of a mailbox (RFC 9051 6.3.11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub messages: u32,
    pub unseen: u32,
    pub deleted: u32,
    /// RFC 8438 SIZE, in octets.
    pub size_octets: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxInfo {
    pub id: MailboxId,
    pub name: MailboxName,
    pub special_use: Option<SpecialUse>,
    pub subscribed: bool,
    pub uidvalidity: u32,
    pub uidnext: u32,
    pub highestmodseq: Modseq,
    pub counts: Counts,
}

/// What SELECT and FETCH FLAGS need of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    pub uid: u32,
    pub modseq: Modseq,
    pub flags: Flags,
    /// RFC822.SIZE.
    pub size_octets: u64,
    pub internal_date: InternalDate,
}

/// A mailbox and its messages at one moment, ascending by UID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    pub mailbox: MailboxInfo,
    pub messages: Vec<MessageRow>,
}

/// What happened to a mailbox after a MODSEQ, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    pub highestmodseq: Modseq,
    pub uidnext: u32,
    /// New and changed messages as they are now, ascending by UID.
    pub messages: Vec<MessageRow>,
    /// UIDs that went, ascending.
    pub vanished: Vec<u32>,
}

/// Which messages went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vanished {
    /// Ascending.
    Uids(Vec<u32>),
    /// More than was wanted.
    Many,
}

/// All messages of a mailbox, and what changed after the MODSEQ that was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    pub changes: Changes,
    /// As of `changes.highestmodseq`.
    pub index: Index,
}
