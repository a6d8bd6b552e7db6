//! What an IMAP session asks the store, and what it may be told.
//!
//! Each question has one kind of answer, or `Answer::Failed`. Times are Unix seconds, sizes octets, message lists ascending
//! by UID. The session asks for many messages in slices, so that neither side holds more than one slice.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use super::command::{Partial, Section};
use super::response::places;
use crate::sasl::{Claim, LoginFailure, Salt};
use mail::date::DateTime;
use mail::index::{Entry, Index};
use mail::mime::{SectionKind, Structure, SummaryParts};
use mail::order::{KeyParts, Keys};
use mail::{Flags, Identifier, Keyword, MailboxName, Rights, RightsChange, SpecialUse};

/// The entry of METADATA that says what a mailbox is for, as LIST does (RFC 6154 4). It is no annotation.
pub const SPECIAL_USE: &str = "/private/specialuse";

/// A mailbox of the account that logged in, as the store numbers it. It stays the same across RENAME, but an
/// INBOX that is renamed is gone for those who selected it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxId(pub u64);

/// MAILBOXID (RFC 8474 4.1).
impl fmt::Display for MailboxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "F{:x}", self.0)
    }
}

/// EMAILID (RFC 8474 5.1): messages with the same have the same octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailId(pub u64);

impl fmt::Display for EmailId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "M{:x}", self.0)
    }
}

/// THREADID (RFC 8474 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadId(pub u64);

impl fmt::Display for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "T{:x}", self.0)
    }
}

/// What the session wants. Everything but `Authenticate` concerns the account of the last `Answer::Authenticated`.
#[derive(Debug)]
pub enum Question {
    /// LOGIN or AUTHENTICATE. Answer: `Authenticated`, with the server's signature of SCRAM, or `NotAuthenticated`.
    Authenticate(Claim),
    /// How is the verifier of this login salted? Answer: `Salt`, also for logins nobody has, or `NotAuthenticated`.
    Salt { login: String },
    /// From now on `Session::changed` is said of every mailbox of the account, until it is switched off. Answer: `Done`;
    /// `Failed(Limit)` when there are too many.
    Watch { on: bool },
    /// All mailboxes, subscribed names without a mailbox included. Answer: `Mailboxes`.
    Mailboxes,
    /// One mailbox by its name. Answer: `Mailbox`; `Failed(NoSuchMailbox)`.
    Status { name: MailboxName },
    /// Opens a mailbox; the driver watches it from now on until `Unselect` or another `Select`, also when it fails.
    /// Answer: `Selected`; `Failed(NoSuchMailbox)`.
    Select { name: MailboxName, read_only: bool },
    /// The selected mailbox is left; the driver stops watching it. Answer: `Done`.
    Unselect,
    /// What happened in the selected mailbox behind `since`, a MODSEQ, whatever this session was told it did included. Asked
    /// at each command, so a driver whose watcher bit is clear answers at once with `Changes::none(since)`, unless all `rows`
    /// are wanted. Answer: `Changed`; `Failed(NoSuchMailbox)` when deleted.
    Refresh { mailbox: MailboxId, since: u64, rows: bool },
    /// Contents of the messages with these UIDs, a slice the session keeps small. Answer: `Messages`, those that still
    /// exist, in the same order.
    Fetch { mailbox: MailboxId, uids: Vec<u32>, need: Need },
    /// So many octets of a message from a place in it, so that a long one is never held whole. The driver keeps its place in
    /// the message asked last, so that one that is expunged meanwhile is read to its end. Answer: `Octets`, all of them;
    /// `Failed(Expunged)`.
    Octets { mailbox: MailboxId, uid: u32, from: u64, count: usize },
    /// What was rendered of the messages with these UIDs when they were stored. Answer: `Rendered`: those that still exist,
    /// or as many of them, from the first on, as make one slice.
    Renderings { mailbox: MailboxId, uids: Vec<u32>, parts: SummaryParts },
    /// Identifiers and saved dates of the messages with these UIDs, a slice the session keeps small. Answer: `Identities`, of
    /// those that still exist.
    Identities { mailbox: MailboxId, uids: Vec<u32> },
    /// What the messages with these UIDs are ordered or threaded by. Answer: `Keys`, of those that still exist.
    Keys { mailbox: MailboxId, uids: Vec<u32>, parts: KeyParts },
    /// Opens a mailbox to search it beside the selected one, which stays what it is. Questions that only read may name it until
    /// the next `Open`, `Select` or `Unselect`. Answer: `Opened`; `Failed(NoSuchMailbox)`.
    Open { name: MailboxName },
    /// What time is it? Answer: `Now`.
    Now,
    /// Which messages may hold these texts, folded (`mail::fold`) and not empty, anywhere in them? Asked once in a SEARCH.
    /// Answer: `Candidates`, one for each text; `Candidates::UNKNOWN` where nothing is known. The answer may name too many
    /// messages and never too few.
    Candidates { mailbox: MailboxId, texts: Vec<String> },
    /// Which messages went behind `since`, a MODSEQ, from the selected mailbox? Answer: `Vanished`.
    Vanished { mailbox: MailboxId, since: u64 },
    /// Changes flags, only those of messages whose MODSEQ is not above `unchanged_since`: one decision for each message, and
    /// nobody comes between it and the change. Answer: `Stored`.
    Store { mailbox: MailboxId, uids: Vec<u32>, change: FlagChange, flags: Flags, unchanged_since: Option<u64> },
    /// All or nothing (RFC 9051 6.4.7). Answer: `Copied`; `Failed(NoSuchMailbox)` makes TRYCREATE.
    Copy { mailbox: MailboxId, uids: Vec<u32>, to: MailboxName },
    /// Copies and expunges, each message in one step (RFC 6851). Answer: `Copied`: the pairs are what moved.
    Move { mailbox: MailboxId, uids: Vec<u32>, to: MailboxName },
    /// Removes those of these UIDs that have `\Deleted` now. Answer: `Expunged`.
    Expunge { mailbox: MailboxId, uids: Vec<u32> },
    /// A message begins, the first or the next of a command; the one before is complete. `replaces` is the same for all: its
    /// octets do not count against the quota. After `Failed` to this and the three questions below the driver forgets all
    /// messages of the command. Answer: `Done`; `Failed(NoSuchMailbox | NoPermission)`.
    AppendStart { mailbox: MailboxName, flags: Flags, internal_date: Option<DateTime>, replaces: Option<Replaced> },
    /// So many octets of the message are about to come by `Step::AppendChunk`. Answer: `Done`; `Failed(OverQuota)`, and
    /// `TooBig` or `Limit` when the message or all of them are too long.
    AppendMore { size_octets: u64 },
    /// The next octets of the message are a part of another (RFC 4469). Answer: `Done`; `Failed` as for `AppendMore`, and
    /// `NoSuchMailbox` when the URL leads to nothing.
    AppendPart(Box<Source>),
    /// All messages are complete: make them durable in one commit, in which the one they replace goes. Answer: `Appended`;
    /// `Failed(Expunged)` when that is gone already.
    AppendEnd,
    /// Answer: `Created`; `Failed(AlreadyExists | SpecialUseTaken)`. Missing parents are created too.
    Create { name: MailboxName, special_use: Option<SpecialUse> },
    /// Answer: `Done`; `Failed(NoSuchMailbox | HasChildren)`. The session refuses INBOX itself.
    Delete { name: MailboxName },
    /// Answer: `Done`; `Failed(NoSuchMailbox | AlreadyExists)`. Children move along. INBOX keeps existing and is emptied
    /// into the new name (RFC 9051 6.3.6).
    Rename { from: MailboxName, to: MailboxName },
    /// Answer: `Done`. A name without a mailbox may be subscribed.
    Subscribe { name: MailboxName, on: bool },
    /// The quota of the account a mailbox is in. Answer: `Quota`; `Failed(NoSuchMailbox)`.
    QuotaOf { name: MailboxName },
    /// A quota by the name of its root; the empty one is that of who logged in. Answer: `Quota`; `Failed(NoSuchMailbox)`.
    Quota { root: String },
    /// Octets of the messages with `\Deleted` in each of these mailboxes, 0 for one that is not there. Answer: `Sizes`.
    DeletedOctets { names: Vec<MailboxName> },
    /// Who may do what with a mailbox, as it holds now, the owner first. Answer: `Acl`.
    Acl { name: MailboxName },
    /// Changes an entry; without rights it goes. Answer: `Done`.
    SetAcl { name: MailboxName, identifier: Identifier, change: RightsChange, rights: Rights },
    /// Rights of who logged in. Answer: `Rights`.
    MyRights { name: MailboxName },
    /// Rights this identifier has on a mailbox whatever its list says. Answer: `Rights`.
    FixedRights { name: MailboxName, identifier: Identifier },
    /// METADATA of a mailbox, or of the server: all entries with their values, in order, `SPECIAL_USE` among them. Answer:
    /// `Metadata`.
    Metadata { name: Option<MailboxName> },
    /// Sets or removes entries, all or none. Answer: `Done`.
    SetMetadata { name: Option<MailboxName>, values: Vec<(String, Option<Vec<u8>>)> },
    /// Which entries of METADATA changed behind `since`, a number of the last such answer? Without one only the number is wanted.
    /// Answer: `Annotated`.
    Annotated { since: Option<u64> },
    /// May everything be compressed from here on? Answer: `Done`, and there is room for it until the connection ends;
    /// `Failed(Limit)`.
    Compress,
}

/// The message that REPLACE takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    pub mailbox: MailboxId,
    pub uid: u32,
}

/// Where octets of a new message come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub mailbox: SourceMailbox,
    pub uid: u32,
    pub section: Section,
    pub partial: Option<Partial>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceMailbox {
    Named { name: MailboxName, uid_validity: Option<u32> },
    Selected(MailboxId),
}

impl Source {
    /// The octets in the message, as ranges to be taken one after the other; `None` when it has no such part.
    pub fn places(&self, message: &[u8]) -> Option<Vec<Range<usize>>> {
        let is_all = self.section.part.is_empty() && self.section.kind == SectionKind::All;
        let structure = (!is_all).then(|| Structure::parse(message));
        let (places, _) = places(message, message.len(), structure.as_ref(), &self.section, self.partial)?;
        Some(places.into())
    }
}

/// Which parts of messages a `Fetch` needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    pub summary: SummaryParts,
    pub content: Content,
}

impl Need {
    pub const NOTHING: Need = Need { summary: SummaryParts::NONE, content: Content::None };
}

/// How much of the octets of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Content {
    None,
    /// The header with the blank line behind it; more does no harm.
    Header,
    Whole,
}

/// How flags change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagChange {
    Replace,
    Add,
    Remove,
}

impl FlagChange {
    /// The flags of a message that had `before`.
    pub fn applied(self, before: &Flags, given: &Flags) -> Flags {
        match self {
            FlagChange::Replace => given.clone(),
            FlagChange::Add => before.with(given),
            FlagChange::Remove => before.without(given),
        }
    }
}

/// An entry of METADATA, of a mailbox or of the server.
pub type Annotation = (Option<MailboxName>, String);

/// What the driver says.
#[derive(Debug)]
pub enum Answer {
    Authenticated {
        server_signature: Option<Vec<u8>>,
    },
    Salt(Salt),
    NotAuthenticated(LoginFailure),
    Mailboxes(Vec<MailboxRow>),
    Mailbox(MailboxRow),
    Selected(Selection),
    Changed(Changes),
    Messages(Vec<Message>),
    Octets(Vec<u8>),
    Rendered(Renderings),
    Identities(Vec<Identity>),
    Keys(Box<Keys>),
    /// The mailbox with its messages, of one moment; all their keywords are among its keywords.
    Opened(Box<(Selection, Index)>),
    /// Seconds since 1970.
    Now(i64),
    Candidates(Vec<Candidates>),
    Vanished(Vanished),
    Stored(Stored),
    Copied(Copied),
    Expunged(Vec<u32>),
    /// UIDs in the order the messages came; `uid_validity` as in `Copied`.
    Appended {
        uid_validity: Option<u32>,
        uids: Vec<u32>,
    },
    Quota(Quota),
    Created(MailboxId),
    Sizes(Vec<u64>),
    Acl(Vec<(String, Rights)>),
    Rights(Rights),
    Metadata(Vec<(String, Vec<u8>)>),
    /// Entries by mailbox, those of the server without one, as far as who logged in may read them; each at least once.
    Annotated {
        number: u64,
        changed: Vec<Annotation>,
    },
    Done,
    Failed(Trouble),
}

/// Why the store did not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    NoSuchMailbox,
    AlreadyExists,
    /// Another mailbox of the account has that special use.
    SpecialUseTaken,
    HasChildren,
    OverQuota,
    TooBig,
    /// A bound of ours: too many mailboxes, too many keywords.
    Limit,
    /// The name belongs to other people's mailboxes, or the mailbox would leave its account.
    NotPersonal,
    /// RFC 5464: METADATA has as many entries as it may.
    TooManyEntries,
    /// The rights on the mailbox do not allow it (RFC 4314, RFC 5530).
    NoPermission,
    /// A message went away meanwhile and the command is all or nothing.
    Expunged,
    /// Temporary: the store is read-only or overloaded.
    Unavailable,
    /// A contradiction inside the server.
    Bug,
}

/// A mailbox, or a subscribed name that has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxRow {
    pub name: MailboxName,
    /// False for a subscribed name without a mailbox; then the counts mean nothing.
    pub exists: bool,
    pub subscribed: bool,
    pub special_use: Option<SpecialUse>,
    /// What who logged in may do with it.
    pub rights: Rights,
    pub counts: Counts,
}

/// What STATUS tells (RFC 9051 6.3.11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub mailbox: MailboxId,
    pub messages: u32,
    pub unseen: u32,
    pub deleted: u32,
    pub uid_next: u32,
    pub uid_validity: u32,
    pub highest_mod_seq: u64,
    pub size_octets: u64,
}

/// The mailbox that was opened, as of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    pub mailbox: MailboxId,
    pub special_use: Option<SpecialUse>,
    pub subscribed: bool,
    /// What who logged in may do with it.
    pub rights: Rights,
    pub uid_validity: u32,
    pub uid_next: u32,
    /// `Refresh` goes on from here.
    pub highest_mod_seq: u64,
    pub messages: u32,
    /// Those its messages have, as far as that is known without reading their rows.
    pub keywords: BTreeSet<Keyword>,
    /// The number of the first message without `\Seen`, when there is one and that is known without much work.
    pub first_unseen: Option<u32>,
}

/// What changes about a message, and the numbers that go with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub uid: u32,
    pub mod_seq: u64,
    pub flags: Flags,
    pub size_octets: u64,
    /// INTERNALDATE in the zone it is shown in.
    pub internal_date: DateTime,
}

impl Row {
    /// The same as it stands in an index.
    pub fn entry(&self) -> Entry<'_> {
        let Row { uid, mod_seq, ref flags, size_octets, internal_date } = *self;
        Entry { uid, mod_seq, flags, size_octets, internal_date }
    }
}

/// The flags of a message after a STORE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flagged {
    pub uid: u32,
    pub mod_seq: u64,
    pub flags: Flags,
}

/// Which messages went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vanished {
    /// Ascending.
    Uids(Vec<u32>),
    /// More than the driver wants to name.
    Many,
}

/// What a STORE did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Messages that still exist, also those that already were as wanted.
    pub flagged: Vec<Flagged>,
    /// UIDs that somebody else changed before: their flags stay. Ascending.
    pub modified: Vec<u32>,
}

/// What happened in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// New messages and messages with other flags, whichever is newer than asked.
    pub rows: Vec<Row>,
    /// UIDs that are gone. Ones the session never heard of do no harm.
    pub vanished: Vec<u32>,
    /// The next `Refresh` asks from here.
    pub highest_mod_seq: u64,
    /// All messages as of `highest_mod_seq`, when they were asked for.
    pub index: Option<Index>,
}

impl Changes {
    pub fn none(since: u64) -> Changes {
        Changes { rows: Vec::new(), vanished: Vec::new(), highest_mod_seq: since, index: None }
    }
}

/// A message as asked: `summary` and `content` are there when needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub uid: u32,
    pub summary: Option<Summary>,
    /// Empty when `Content::None` was asked.
    pub content: Vec<u8>,
}

/// Renderings of some messages, side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renderings {
    /// Of each message in turn: ENVELOPE, BODY, BODYSTRUCTURE, PREVIEW (as text), as far as they were asked.
    pub octets: Vec<u8>,
    /// UID, and where each of the four ends in `octets`; one that was not asked ends where it begins. Ascending.
    pub messages: Vec<(u32, [usize; 4])>,
    /// The messages asked about from this UID on are still to come.
    pub more_from: Option<u32>,
}

/// What RFC 8474 and RFC 8514 say of a message. Lists of them ascend by UID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub uid: u32,
    pub email: EmailId,
    /// None for mail of before threads were kept.
    pub thread: Option<ThreadId>,
    /// When the message came into this mailbox, in Unix seconds (SAVEDATE).
    pub saved_s: i64,
}

/// Messages that may hold a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Messages up to this UID are known: of them only those in `maybe` may hold the text. 0 when none is known.
    pub known_to: u32,
    /// Ascending UIDs. Ones that do not exist do no harm.
    pub maybe: Vec<u32>,
}

impl Candidates {
    /// Every message may hold the text.
    pub const UNKNOWN: Candidates = Candidates { known_to: 0, maybe: Vec::new() };

    /// Is it certain that this message does not hold the text?
    pub fn exclude(&self, uid: u32) -> bool {
        uid <= self.known_to && self.maybe.binary_search(&uid).is_err()
    }
}

/// What was kept when the message was stored (`mail::mime::summarize`); parts that were not asked are empty. The first three
/// were rendered then and are sent as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub envelope: Vec<u8>,
    /// `BODYSTRUCTURE`, with extension data.
    pub body_structure: Vec<u8>,
    /// `BODY`, without.
    pub body: Vec<u8>,
    /// RFC 8970, not rendered.
    pub preview: String,
    /// Of the fields asked, those whose text below says all there is in the message.
    pub whole: SummaryParts,
    pub subject: String,
    pub from: String,
    pub to: String,
    pub cc: String,
    pub bcc: String,
    pub message_id: String,
    /// `Date` in seconds since 1970; its zone is not kept.
    pub sent_s: Option<i64>,
}

/// Where copies went (RFC 4315 COPYUID).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Of the mailbox there; `None` when who copied may not read it, so that its UIDs are not told (RFC 4315 3).
    pub uid_validity: Option<u32>,
    /// UID here, UID there; ascending.
    pub pairs: Vec<(u32, u32)>,
}

/// Storage of an account (RFC 9208 STORAGE).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Empty for the account of who logged in.
    pub root: String,
    pub used_octets: u64,
    pub limit_octets: u64,
}

/// What an answer holds, or why it does not. A driver that answers another question than the one asked contradicts itself.
impl Answer {
    fn trouble(&self) -> Trouble {
        match self {
            Answer::Failed(trouble) => *trouble,
            Answer::Authenticated { .. }
            | Answer::Salt(_)
            | Answer::NotAuthenticated(_)
            | Answer::Mailboxes(_)
            | Answer::Mailbox(_)
            | Answer::Selected(_)
            | Answer::Changed(_)
            | Answer::Messages(_)
            | Answer::Octets(_)
            | Answer::Rendered(_)
            | Answer::Identities(_)
            | Answer::Keys(_)
            | Answer::Opened(_)
            | Answer::Now(_)
            | Answer::Candidates(_)
            | Answer::Vanished(_)
            | Answer::Stored(_)
            | Answer::Copied(_)
            | Answer::Expunged(_)
            | Answer::Appended { .. }
            | Answer::Quota(_)
            | Answer::Created(_)
            | Answer::Sizes(_)
            | Answer::Acl(_)
            | Answer::Rights(_)
            | Answer::Metadata(_)
            | Answer::Annotated { .. }
            | Answer::Done => Trouble::Bug,
        }
    }

    pub(super) fn mailboxes(self) -> Result<Vec<MailboxRow>, Trouble> {
        if let Answer::Mailboxes(rows) = self { Ok(rows) } else { Err(self.trouble()) }
    }

    pub(super) fn mailbox(self) -> Result<MailboxRow, Trouble> {
        if let Answer::Mailbox(row) = self { Ok(row) } else { Err(self.trouble()) }
    }

    pub(super) fn selected(self) -> Result<Selection, Trouble> {
        if let Answer::Selected(selection) = self { Ok(selection) } else { Err(self.trouble()) }
    }

    pub(super) fn changed(self) -> Result<Changes, Trouble> {
        if let Answer::Changed(changes) = self { Ok(changes) } else { Err(self.trouble()) }
    }

    pub(super) fn messages(self) -> Result<Vec<Message>, Trouble> {
        if let Answer::Messages(messages) = self { Ok(messages) } else { Err(self.trouble()) }
    }

    pub(super) fn octets(self) -> Result<Vec<u8>, Trouble> {
        if let Answer::Octets(octets) = self { Ok(octets) } else { Err(self.trouble()) }
    }

    pub(super) fn candidates(self) -> Result<Vec<Candidates>, Trouble> {
        if let Answer::Candidates(candidates) = self { Ok(candidates) } else { Err(self.trouble()) }
    }

    pub(super) fn identities(self) -> Result<Vec<Identity>, Trouble> {
        if let Answer::Identities(identities) = self { Ok(identities) } else { Err(self.trouble()) }
    }

    pub(super) fn keys(self) -> Result<Keys, Trouble> {
        if let Answer::Keys(keys) = self { Ok(*keys) } else { Err(self.trouble()) }
    }

    pub(super) fn opened(self) -> Result<(Selection, Index), Trouble> {
        if let Answer::Opened(opened) = self { Ok(*opened) } else { Err(self.trouble()) }
    }

    pub(super) fn now(self) -> Result<i64, Trouble> {
        if let Answer::Now(unix_s) = self { Ok(unix_s) } else { Err(self.trouble()) }
    }

    pub(super) fn rendered(self) -> Result<Renderings, Trouble> {
        if let Answer::Rendered(renderings) = self { Ok(renderings) } else { Err(self.trouble()) }
    }

    pub(super) fn vanished(self) -> Result<Vanished, Trouble> {
        if let Answer::Vanished(vanished) = self { Ok(vanished) } else { Err(self.trouble()) }
    }

    pub(super) fn stored(self) -> Result<Stored, Trouble> {
        if let Answer::Stored(stored) = self { Ok(stored) } else { Err(self.trouble()) }
    }

    pub(super) fn copied(self) -> Result<Copied, Trouble> {
        if let Answer::Copied(copied) = self { Ok(copied) } else { Err(self.trouble()) }
    }

    pub(super) fn expunged(self) -> Result<Vec<u32>, Trouble> {
        if let Answer::Expunged(uids) = self { Ok(uids) } else { Err(self.trouble()) }
    }

    pub(super) fn quota(self) -> Result<Quota, Trouble> {
        if let Answer::Quota(quota) = self { Ok(quota) } else { Err(self.trouble()) }
    }

    pub(super) fn created(self) -> Result<MailboxId, Trouble> {
        if let Answer::Created(mailbox) = self { Ok(mailbox) } else { Err(self.trouble()) }
    }

    pub(super) fn sizes(self) -> Result<Vec<u64>, Trouble> {
        if let Answer::Sizes(sizes) = self { Ok(sizes) } else { Err(self.trouble()) }
    }

    pub(super) fn acl(self) -> Result<Vec<(String, Rights)>, Trouble> {
        if let Answer::Acl(entries) = self { Ok(entries) } else { Err(self.trouble()) }
    }

    pub(super) fn rights(self) -> Result<Rights, Trouble> {
        if let Answer::Rights(rights) = self { Ok(rights) } else { Err(self.trouble()) }
    }

    pub(super) fn metadata(self) -> Result<Vec<(String, Vec<u8>)>, Trouble> {
        if let Answer::Metadata(entries) = self { Ok(entries) } else { Err(self.trouble()) }
    }

    pub(super) fn annotated(self) -> Result<(u64, Vec<Annotation>), Trouble> {
        if let Answer::Annotated { number, changed } = self { Ok((number, changed)) } else { Err(self.trouble()) }
    }

    pub(super) fn done(self) -> Result<(), Trouble> {
        if let Answer::Done = self { Ok(()) } else { Err(self.trouble()) }
    }
}
