//! Scanners, antivirus and antispam (guide §4 and §5).

use serde::Deserialize;

use super::literal::{IcapService, MailAddress, Rate, ScannerPlace, Span};
use crate::syntax::{Items, Spanned};

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scanner {
    pub does: plan::Does,
    pub at: At,
    #[serde(default)]
    pub updates: Option<Updates>,
    #[serde(default)]
    pub says: Option<plan::ScoreSign>,
    /// The longest one message may take: 60 s for an engine, 10 s for a score where nothing is written.
    #[serde(default)]
    pub within: Option<Spanned<Span>>,
    /// Messages at the same time: 20 where nothing is written.
    #[serde(default)]
    pub at_once: Option<Spanned<u32>>,
    /// Only for `Command`.
    #[serde(default)]
    pub exits: Option<Spanned<Items<Exit>>>,
}

/// What an exit code means.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exit {
    pub code: Spanned<u8>,
    pub means: plan::ExitMeans,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub enum Updates {
    AtLeast(Rate),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub enum At {
    Icap(IcapService),
    Clamd(String),
    Command(String),
    Rspamd(ScannerPlace),
    Spamd(ScannerPlace),
    Milter(ScannerPlace),
    BuiltIn(plan::BuiltInPass),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Antivirus {
    pub engines: Items<String>,
    pub on: Items<plan::Direction>,
    pub infected_when: plan::InfectedWhen,
    pub inbound: plan::ScanDirection,
    pub outbound_from_person: plan::ScanDirection,
    pub outbound_from_machine: plan::ScanDirection,
    pub engine_down: EngineDown,
    /// `Never` where nothing is written.
    #[serde(default)]
    pub rescan: Option<Spanned<Rescan>>,
}

/// Whether delivered mail is looked at again once signatures were renewed.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub enum Rescan {
    Never,
    Within(Span),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum EngineDown {
    TryLater {
        #[serde(rename = "for", default)]
        for_: Option<Span>,
        #[serde(default)]
        then: Option<ContinueWith>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContinueWith {
    pub at_least: u32,
    pub rescan: bool,
    pub alarm: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Antispam {
    pub passes: Items<String>,
    pub total: plan::TagTotal,
    pub tag_when: Spanned<TagWhen>,
    pub tag: plan::Tag,
    pub always: plan::SpamAction,
    /// With `always: Refuse`: the total below which spam is refused and no longer only tagged. Default `tag_when`.
    #[serde(default)]
    pub refuse_when: Option<Spanned<TagWhen>>,
    pub taught_by: Items<String>,
    #[serde(default)]
    pub corrections: Option<Corrections>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub enum TagWhen {
    /// Whole points; the plan counts thousandths.
    ScoreBelow(i32),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Corrections {
    pub to: Spanned<MailAddress>,
    pub accepts: plan::CorrectionsAccept,
}
