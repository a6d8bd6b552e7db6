//! Commands as values (RFC 9051 6 and 9; RFC 3501 where it had more).

use std::num::NonZeroU32;
use std::ops::RangeInclusive;

use super::question::FlagChange;
use mail::date::{DateTime, Day};
use mail::mime::SectionKind;
use mail::{BadMailboxName, Flags, Identifier, Keyword, MailboxName, Rights, RightsChange, SpecialUse, SystemFlags};

/// A command and the tag its answer carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged {
    pub tag: Tag,
    pub command: Command,
}

/// What the client calls a command: one or more octets that need no quoting (RFC 9051 9 `tag`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(String);

impl Tag {
    /// The grammar alone makes tags.
    pub(super) fn new(octets: &[u8]) -> Tag {
        Tag(String::from_utf8_lossy(octets).into_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name as the client gave it. A name that no mailbox can have is no syntax error: the answer is NO, not BAD.
pub type Name = Result<MailboxName, BadMailboxName>;

/// Commands by the state they need (RFC 9051 3); APPEND is apart, because its content streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Capability,
    Noop,
    Logout,
    /// RFC 2971. Of what the client says of itself its name is kept, all else forgotten.
    Id {
        client: Option<String>,
    },
    StartTls,
    Login {
        login: Vec<u8>,
        secret: Vec<u8>,
    },
    /// The initial response as it stood there, base64 or `=` (RFC 4959).
    Authenticate {
        mechanism: String,
        initial: Option<String>,
    },
    OnAccount(OnAccount),
    OnSelected(OnSelected),
}

/// What somebody may do who is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnAccount {
    Enable(Vec<String>),
    Namespace,
    Select { name: Name, read_only: bool, parameters: SelectParameters },
    Create { name: Name, given: String, uses: Uses },
    Delete(Name),
    Rename { from: Name, to: Name },
    Subscribe { name: Name, on: bool },
    List(List),
    Lsub { reference: String, pattern: String },
    Status { name: Name, items: Vec<StatusItem> },
    GetQuota { root: Vec<u8> },
    GetQuotaRoot(Name),
    SetQuota,
    Acl(OnAcl),
    GetMetadata { of: MetadataOf, entries: Vec<String>, options: MetadataOptions },
    SetMetadata { of: MetadataOf, values: Vec<MetadataValue> },
    Idle,
}

/// Rights (RFC 4314 3). An identifier that names nobody, and rights there are not, are no syntax errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnAcl {
    Get(Name),
    MyRights(Name),
    ListRights(Name, Option<Identifier>),
    Set { name: Name, identifier: Option<Identifier>, change: RightsChange, rights: Option<Rights> },
    Delete(Name, Option<Identifier>),
}

impl From<OnAcl> for Command {
    fn from(command: OnAcl) -> Command {
        OnAccount::Acl(command).into()
    }
}

/// Whose METADATA (RFC 5464 4): a mailbox, or the server, which the empty name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataOf {
    Server,
    Mailbox(Name),
}

/// An entry and what it is set to; without a value it goes.
pub type MetadataValue = (String, Option<Vec<u8>>);

/// RFC 5464 4.2.1 and 4.2.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MetadataOptions {
    /// Longer values are left out.
    pub octets_max: Option<u64>,
    pub depth: Depth,
}

/// How far below the entries asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    #[default]
    Zero,
    One,
    Infinity,
}

/// What CREATE says a mailbox is for (RFC 6154 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uses {
    Nothing,
    One(SpecialUse),
    /// A use this server does not have, or several at once.
    NotServed,
}

/// What stands behind the name in SELECT and EXAMINE (RFC 4466, RFC 7162).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelectParameters {
    pub condstore: bool,
}

/// What needs a selected mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnSelected {
    Check,
    Close,
    Unselect,
    Expunge,
    UidExpunge(Messages),
    Fetch { messages: Messages, items: Vec<FetchItem>, modifiers: FetchModifiers },
    Store { messages: Messages, change: FlagChange, silent: bool, flags: Flags, unchanged_since: Option<u64> },
    Copy { messages: Messages, to: Name },
    Move { messages: Messages, to: Name },
    Search(Search),
}

impl From<OnAccount> for Command {
    fn from(command: OnAccount) -> Command {
        Command::OnAccount(command)
    }
}

impl From<OnSelected> for Command {
    fn from(command: OnSelected) -> Command {
        Command::OnSelected(command)
    }
}

/// What stands before the content in APPEND (RFC 9051 6.3.12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    pub tag: Tag,
    pub name: Name,
    pub flags: Flags,
    pub internal_date: Option<DateTime>,
    pub literal: Literal,
}

/// An APPEND with arguments that are none, up to its literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadAppend {
    pub tag: Tag,
    pub what: &'static str,
    pub literal: Literal,
}

/// The announcement of a literal (RFC 9051 4.3, RFC 7888).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Literal {
    pub size_octets: u64,
    /// The client waits for `+` before it sends.
    pub synchronizing: bool,
}

/// LIST with the extensions of RFC 5258, RFC 5819 and RFC 6154.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    pub reference: String,
    /// At least one.
    pub patterns: Vec<String>,
    pub only_subscribed: bool,
    pub only_special_use: bool,
    pub recursive_match: bool,
    pub return_subscribed: bool,
    pub return_special_use: bool,
    pub return_status: Option<Vec<StatusItem>>,
    /// RFC 8440.
    pub return_rights: bool,
    /// RFC 9590.
    pub return_metadata: Option<(Vec<String>, MetadataOptions)>,
    /// The extended form was used, so LIST has the rules of RFC 5258.
    pub extended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusItem {
    Messages,
    Recent,
    UidNext,
    UidValidity,
    Unseen,
    Deleted,
    /// RFC 9208 4.1.4.
    DeletedStorage,
    Size,
    /// RFC 7162.
    HighestModSeq,
}

/// Which messages, by number or by UID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Messages {
    pub uid: bool,
    pub set: Set,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Set {
    Numbers(SequenceSet),
    /// `$`, what the last SEARCH RETURN (SAVE) found (RFC 5182).
    Saved,
}

/// RFC 9051 9 `sequence-set`; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequenceSet(pub(super) Vec<(Bound, Bound)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    Number(NonZeroU32),
    /// `*`
    Last,
}

impl Bound {
    fn resolve(self, last: u32) -> u32 {
        match self {
            Bound::Number(number) => number.get(),
            Bound::Last => last,
        }
    }
}

impl SequenceSet {
    /// Ascending ranges that neither touch nor overlap, with `*` read as `last`. `4:2` is `2:4`.
    pub fn ranges(&self, last: u32) -> Vec<RangeInclusive<u32>> {
        let mut pairs: Vec<(u32, u32)> =
            self.0.iter().map(|(a, b)| (a.resolve(last), b.resolve(last))).map(|(a, b)| (a.min(b), a.max(b))).collect();
        pairs.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(pairs.len());
        for (low, high) in pairs {
            match merged.last_mut() {
                Some(previous) if low <= previous.1.saturating_add(1) => previous.1 = previous.1.max(high),
                _ => merged.push((low, high)),
            }
        }
        merged.into_iter().map(|(low, high)| low..=high).collect()
    }

    /// The largest number written, `last` where `*` stands.
    pub fn largest(&self, last: u32) -> u32 {
        self.0.iter().flat_map(|(a, b)| [a.resolve(last), b.resolve(last)]).max().unwrap_or(0)
    }
}

/// What stands behind the items of FETCH (RFC 4466, RFC 7162).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchModifiers {
    pub changed_since: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchItem {
    Flags,
    Uid,
    /// RFC 7162.
    ModSeq,
    InternalDate,
    Size,
    Envelope,
    Body,
    BodyStructure,
    Content(ContentItem),
    /// RFC 3516, decoded octets of a part.
    Binary {
        part: Vec<u32>,
        partial: Option<Partial>,
        peek: bool,
    },
    BinarySize {
        part: Vec<u32>,
    },
}

/// `BODY[section]<partial>` and its older spellings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentItem {
    pub spelling: Spelling,
    pub section: Section,
    pub partial: Option<Partial>,
    /// Reading it leaves `\Seen` alone.
    pub peek: bool,
}

/// How the client named it; the answer uses the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    Body,
    Rfc822,
    Rfc822Header,
    Rfc822Text,
}

/// RFC 9051 6.4.5.1. `part` is empty for the message itself; `Mime` always has a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub part: Vec<u32>,
    pub kind: SectionKind,
}

/// `<origin.length>`; the length is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partial {
    pub origin: u64,
    pub length: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    pub uid: bool,
    /// `RETURN (…)` of RFC 4731; `None` without RETURN.
    pub returns: Option<Returns>,
    pub charset: Option<String>,
    pub key: Key,
}

/// Result options; `RETURN ()` means ALL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Returns {
    pub min: bool,
    pub max: bool,
    pub all: bool,
    pub count: bool,
    pub save: bool,
}

/// RFC 9051 6.4.4 and what RFC 3501 had beside it. Texts are octets in the command's charset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    All,
    Flag {
        flag: SystemFlags,
        set: bool,
    },
    Keyword {
        keyword: Keyword,
        set: bool,
    },
    /// Also NEW, which implies it: no message is ever `\Recent` here.
    Recent,
    /// FROM, TO, CC, BCC, SUBJECT are fields too.
    Header {
        field: String,
        text: Vec<u8>,
    },
    Body(Vec<u8>),
    Text(Vec<u8>),
    Larger(u64),
    Smaller(u64),
    Arrived(When, Day),
    Sent(When, Day),
    Messages(Messages),
    Not(Box<Key>),
    Or(Box<Key>, Box<Key>),
    And(Vec<Key>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Before,
    On,
    Since,
}

impl When {
    pub fn holds(self, day: Day, bound: Day) -> bool {
        match self {
            When::Before => day < bound,
            When::On => day == bound,
            When::Since => day >= bound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pairs: &[(u32, u32)]) -> SequenceSet {
        let bound = |n: u32| NonZeroU32::new(n).map_or(Bound::Last, Bound::Number);
        SequenceSet(pairs.iter().map(|(a, b)| (bound(*a), bound(*b))).collect())
    }

    #[test]
    fn ranges_are_sorted_and_merged_and_star_is_the_last() {
        assert_eq!(set(&[(4, 2), (3, 7), (9, 9), (8, 8)]).ranges(20), [2..=9]);
        assert_eq!(set(&[(5, 0)]).ranges(3), [3..=5]);
        assert_eq!(set(&[(1, u32::MAX), (u32::MAX, 0)]).ranges(3), [1..=u32::MAX]);
        assert_eq!(set(&[(0, 0), (1, 1)]).ranges(9), [1..=1, 9..=9]);
        assert_eq!(set(&[(0, 2)]).largest(9), 9);
    }
}
