//! What must stay true whoever edits the policy, and what was waived.

use serde::{Deserialize, Serialize};

/// A promise the compiler proves or refutes (`policy-language` 6.5). Lists are as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Guarantee {
    NoOpenRelay,
    NobodyPosesAsUs { from: Vec<String> },
    NoClearPassword { from: Vec<String> },
    NotReachable { what: Vec<Reach>, from: Vec<String> },
    OnlyFrom(Vec<String>),
    EveryMessageScanned { by: Vec<String>, on: Vec<Direction>, before: crate::ReceptionStep, late: u32 },
    VirusIsSilent { on: Vec<Direction> },
    SpamIsAlwaysDelivered,
    EveryLossIsRecorded,
    RedirectsStayProfessional,
    SameServiceForAll { except: Vec<EqualityExcept> },
    AtMost { recipients: crate::Window, of: Of, via: Via },
    NoMailLeaves,
}

impl Guarantee {
    /// The name as the policy writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Guarantee::NoOpenRelay => "NoOpenRelay",
            Guarantee::NobodyPosesAsUs { .. } => "NobodyPosesAsUs",
            Guarantee::NoClearPassword { .. } => "NoClearPassword",
            Guarantee::NotReachable { .. } => "NotReachable",
            Guarantee::OnlyFrom(_) => "OnlyFrom",
            Guarantee::EveryMessageScanned { .. } => "EveryMessageScanned",
            Guarantee::VirusIsSilent { .. } => "VirusIsSilent",
            Guarantee::SpamIsAlwaysDelivered => "SpamIsAlwaysDelivered",
            Guarantee::EveryLossIsRecorded => "EveryLossIsRecorded",
            Guarantee::RedirectsStayProfessional => "RedirectsStayProfessional",
            Guarantee::SameServiceForAll { .. } => "SameServiceForAll",
            Guarantee::AtMost { .. } => "AtMost",
            Guarantee::NoMailLeaves => "NoMailLeaves",
        }
    }
}

/// Services a ceiling can bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Reach {
    Imap,
    Imaps,
    Mx,
    Pop,
    Pops,
    Portal,
    Relay,
    Submission,
    Webmail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Direction {
    Inbound,
    Outbound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EqualityExcept {
    Quota,
    Limits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Of {
    Account,
    ClientAddress,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Via {
    AnyBlock,
    Block(String),
}

/// One lint that somebody decided to live with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    pub lint: String,
    pub at: String,
    pub because: String,
    pub until: String,
}
