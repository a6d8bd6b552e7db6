//! Commands as values (RFC 9051 6 and 9; RFC 3501 where it had more).

use std::fmt;
use std::num::NonZeroU32;
use std::ops::{Range, RangeInclusive};

use super::event::{Mailboxes, Notify};
use super::question::FlagChange;
use mail::date::{DateTime, Day};
use mail::mime::SectionKind;
use mail::order::Criterion;
use mail::thread::Algorithm;
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

/// Commands by the state they need (RFC 9051 3); APPEND and REPLACE are apart, because their content streams.
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
    Select {
        name: Name,
        read_only: bool,
        parameters: SelectParameters,
    },
    Create {
        name: Name,
        given: String,
        uses: Uses,
    },
    Delete(Name),
    Rename {
        from: Name,
        to: Name,
    },
    Subscribe {
        name: Name,
        on: bool,
    },
    List(List),
    Lsub {
        reference: String,
        pattern: String,
    },
    Status {
        name: Name,
        items: Vec<StatusItem>,
    },
    /// ESEARCH (RFC 7377).
    MultiSearch(MultiSearch),
    GetQuota {
        root: Vec<u8>,
    },
    GetQuotaRoot(Name),
    SetQuota,
    Acl(OnAcl),
    GetMetadata {
        of: MetadataOf,
        entries: Vec<String>,
        options: MetadataOptions,
    },
    SetMetadata {
        of: MetadataOf,
        values: Vec<MetadataValue>,
    },
    Idle,
    Notify(Notify),
    Compress,
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
    pub qresync: Option<Known>,
}

/// What the client of QRESYNC kept of the mailbox (RFC 7162 3.2.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub uid_validity: u32,
    pub mod_seq: u64,
    /// The messages it kept; all that there were without.
    pub uids: Option<SequenceSet>,
    /// Some numbers and the UIDs they had.
    pub pairs: Option<(SequenceSet, SequenceSet)>,
}

/// What needs a selected mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnSelected {
    Check,
    Close,
    Unselect,
    Expunge,
    UidExpunge(Messages),
    Fetch {
        messages: Messages,
        items: Vec<FetchItem>,
        modifiers: FetchModifiers,
    },
    Store {
        messages: Messages,
        change: FlagChange,
        silent: bool,
        flags: Flags,
        unchanged_since: Option<u64>,
    },
    Copy {
        messages: Messages,
        to: Name,
    },
    Move {
        messages: Messages,
        to: Name,
    },
    Search(Search),
    /// CANCELUPDATE (RFC 5267 4.3.5): the tags of searches, as strings.
    CancelUpdate(Vec<Vec<u8>>),
    /// RFC 10022: batches of so many messages, all of them or those from one to another, counted from the newest on.
    UidBatches {
        size: u32,
        batches: Option<(u32, u32)>,
    },
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

/// APPEND and REPLACE (RFC 9051 6.3.12, RFC 8508) up to the first octets that stream, or to their end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    pub tag: Tag,
    pub name: Name,
    /// The one message that goes, for REPLACE.
    pub replaces: Option<Messages>,
    pub stretch: Stretch,
}

/// What APPEND says between two literals that stream, or from the last of them to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub pieces: Vec<Piece>,
    pub end: End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Another message begins (RFC 3502).
    Message { flags: Flags, internal_date: Option<DateTime> },
    /// Its next octets are in another message (RFC 4469); the URL as it stood there.
    Url(Vec<u8>),
}

/// Where a stretch ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With the line, and so the command.
    Command,
    /// The next octets of the message come.
    Literal(Literal, Inside),
}

/// What a literal that streams is part of: it says what may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inside {
    /// It is the message.
    Message,
    /// It is the message, and a parenthesis follows (RFC 6855 4).
    Utf8,
    /// Others may follow (RFC 4469).
    Catenate,
}

/// An APPEND with arguments that are none, up to its literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadAppend {
    pub tag: Tag,
    pub what: &'static str,
    pub literal: Literal,
}

/// A stretch that is none, up to the literal its line may end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadStretch {
    pub literal: Option<Literal>,
}

/// A part of a message that is there already, as CATENATE names it (RFC 5092).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// None: the selected one.
    pub mailbox: Option<MailboxName>,
    pub uid_validity: Option<u32>,
    pub uid: u32,
    pub section: Section,
    pub partial: Option<Partial>,
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
    /// RFC 8474.
    MailboxId,
    /// RFC 7889.
    AppendLimit,
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

    /// Every number in the order written, `4:2` as `2:4`.
    pub fn numbers(&self, last: u32) -> impl Iterator<Item = u32> + use<'_> {
        let pairs = self.0.iter().map(move |(a, b)| (a.resolve(last), b.resolve(last)));
        pairs.flat_map(|(a, b)| a.min(b)..=a.max(b))
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
    /// Those of the set that are gone are told first.
    pub vanished: bool,
    /// Only these of the messages (RFC 9394 3.3).
    pub partial: Option<Window>,
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
    /// RFC 8970. With LAZY or without: previews are made when messages arrive.
    Preview,
    /// RFC 8514.
    SaveDate,
    /// RFC 8474.
    EmailId,
    /// RFC 8474.
    ThreadId,
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
    pub purpose: Purpose,
    pub charset: Option<String>,
    pub key: Key,
    /// What UPDATE has fetched of new messages that are found (RFC 5465 updates RFC 5267).
    pub update_items: Vec<FetchItem>,
}

/// A search through several mailboxes (RFC 7377 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultiSearch {
    /// Where; without IN the selected mailbox.
    pub sources: Vec<Source>,
    pub returns: Option<Returns>,
    pub charset: Option<String>,
    pub key: Key,
}

/// `source-mbox` (RFC 7377 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Of(Mailboxes),
    /// These and what is directly below them.
    SubtreeOne(Vec<Name>),
}

/// What becomes of the messages that are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `RETURN (…)` of RFC 4731; `None` without RETURN.
    Search(Option<Returns>),
    /// RFC 5256, with the RETURN of RFC 5267.
    Sort {
        returns: Option<Returns>,
        criteria: Vec<Criterion>,
    },
    Thread(Algorithm),
}

impl Purpose {
    pub fn returns(&self) -> Option<Returns> {
        match self {
            Purpose::Search(returns) | Purpose::Sort { returns, .. } => *returns,
            Purpose::Thread(_) => None,
        }
    }
}

/// Result options; `RETURN ()` means ALL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Returns {
    pub min: bool,
    pub max: bool,
    pub all: bool,
    pub count: bool,
    pub save: bool,
    pub partial: Option<Window>,
    /// RFC 5267 4.3: what changes is told until the client cancels it or leaves the mailbox.
    pub update: bool,
}

/// `partial-range` of RFC 9394 4: places in a result, from 1 on, as they were written. Neither is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Counted from the last one back: `-1:-100`.
    pub from_end: bool,
    pub one: u32,
    pub other: u32,
}

impl Window {
    /// The places of a result of so many, from 0 on.
    pub fn places(self, count: usize) -> Range<usize> {
        let (low, high) = (self.one.min(self.other) as usize, self.one.max(self.other) as usize);
        match self.from_end {
            false => (low - 1).min(count)..high.min(count),
            true => count.saturating_sub(high)..(count + 1).saturating_sub(low),
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.from_end { "-" } else { "" };
        write!(f, "{sign}{}:{sign}{}", self.one, self.other)
    }
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
    /// SAVEDBEFORE, SAVEDON, SAVEDSINCE (RFC 8514 4.3).
    Saved(When, Day),
    /// OLDER and YOUNGER, in seconds (RFC 5032 3).
    Older(u32),
    Younger(u32),
    /// Changed with this MODSEQ or a later one (RFC 7162 3.1.5).
    ModSeq(u64),
    /// RFC 8474 6: as the client spelled them.
    EmailId(String),
    ThreadId(String),
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

    #[test]
    fn a_window_is_a_part_of_a_result_from_either_end() {
        let places = |from_end, one, other, count| Window { from_end, one, other }.places(count);
        assert_eq!(places(false, 1, 3, 10), 0..3);
        assert_eq!(places(false, 3, 2, 10), 1..3);
        assert_eq!(places(false, 9, u32::MAX, 10), 8..10);
        assert!(places(false, 11, 12, 10).is_empty() && places(true, 11, 12, 10).is_empty());
        assert_eq!(places(true, 1, 3, 10), 7..10);
        assert_eq!(places(true, 10, 99, 10), 0..1);
        assert!(places(true, 1, 1, 0).is_empty());
        assert_eq!(Window { from_end: true, one: 1, other: 100 }.to_string(), "-1:-100");
    }

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
