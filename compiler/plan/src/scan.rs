//! Scanners, antivirus and antispam (guide §4 and §5).

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scanner {
    pub does: Does,
    pub at: At,
    /// Signatures are renewed at least `max` times in `width_s` seconds; `None` where nothing is promised.
    pub updates_at_least: Option<crate::Window>,
    /// Which way an external score runs.
    pub says: ScoreSign,
    /// The longest one message may take, with the time it waits for a place.
    pub deadline_s: u64,
    /// Messages it looks at at the same time, never 0.
    pub at_once: u32,
    /// What the exit codes of a `Command` mean, sorted by code; any other code is no verdict. Empty elsewhere.
    pub exits: Vec<Exit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exit {
    pub code: u8,
    pub means: ExitMeans,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ExitMeans {
    Clean,
    Suspect,
    Infected,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Does {
    Antivirus,
    SpamScore,
}

/// How a scanner is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum At {
    /// `host:port` or `host:port/service` of an ICAP server (RFC 3507 4.2); without one the service is `respmod`.
    Icap(String),
    /// `host:port` or `unix:/path` of clamd.
    Clamd(String),
    /// A local program and its arguments, parted by spaces; no shell. The message is on its standard input, or in a file
    /// where an argument has `{file}`.
    Command(String),
    /// `host:port` or `unix:/path`, as the next two.
    Rspamd(String),
    Spamd(String),
    Milter(String),
    BuiltIn(BuiltInPass),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BuiltInPass {
    Form,
    Learned,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScoreSign {
    PositiveIsSpam,
    NegativeIsSpam,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Antivirus {
    /// Keys of `scanners`, sorted, never empty.
    pub engines: Vec<String>,
    pub on: Vec<crate::Direction>,
    pub infected_when: InfectedWhen,
    pub inbound: ScanDirection,
    pub outbound_from_person: ScanDirection,
    pub outbound_from_machine: ScanDirection,
    pub engine_down: EngineDown,
    /// Mail is looked at again for this long after its delivery whenever signatures were renewed.
    pub rescan_within_s: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InfectedWhen {
    AnyEngine,
    EveryEngine,
}

/// Answers in one direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScanDirection {
    pub infected: OnInfection,
    pub suspect: OnInfection,
}

/// What an engine found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Infection {
    Infected,
    Suspect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnInfection {
    pub keep: Keep,
    pub reply: ReplyTo,
    pub tell: Tell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keep {
    Quarantine,
    Deliver,
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplyTo {
    /// 250 as if nothing were; the message goes where `keep` says.
    AcceptSilently,
    Accept,
    Refuse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tell {
    Nobody,
    Sender,
    Recipient,
    Managers,
}

/// While an engine is down: 451 for `for_s`, then what `then` says; without it, 451 for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EngineDown {
    TryLater { for_s: u64, then: Option<ContinueWith> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContinueWith {
    pub at_least: u32,
    pub rescan: bool,
    pub alarm: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Antispam {
    /// Keys of `scanners` in the order they run.
    pub passes: Vec<String>,
    pub total: TagTotal,
    /// Tagged when the total is below this.
    pub tag_below_thousandths: i64,
    pub tag: Tag,
    pub always: SpamAction,
    /// Refused when the total is below this; `None` where spam is always delivered.
    pub refuse_below_thousandths: Option<i64>,
    /// Groups that may teach, sorted.
    pub taught_by: Vec<String>,
    pub corrections: Option<Corrections>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TagTotal {
    Sum,
    Lowest,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    /// Put before the Subject; empty when only a header field of our own says it.
    pub subject: String,
    pub copies: Copies,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Copies {
    All,
    Local,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpamAction {
    Deliver,
    Refuse,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Corrections {
    pub to: mail::Address,
    pub accepts: CorrectionsAccept,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CorrectionsAccept {
    OriginalAsAttachment,
    AnyForward,
}
