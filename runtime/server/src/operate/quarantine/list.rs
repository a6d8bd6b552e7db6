//! What is in quarantine.

use decide::roles;
use serde::{Deserialize, Serialize};
use store::{Kept, Quarantined};

use super::{InQuarantine, RECIPIENTS_MAX, listed};
use crate::operate::{Context, OperateError, Operation, Progress};

const MESSAGES_MAX: usize = 10_000;
/// Messages read at a time.
const PAGE: usize = 500;

/// Which messages; all conditions that are given hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuarantineFilter {
    /// Unix seconds.
    pub since_s: Option<i64>,
    /// A scanner of the plan.
    pub engine: Option<String>,
    /// An address it was for, or what its domain is.
    pub recipient: Option<String>,
    /// In the closed list of reasons.
    pub reason: Option<String>,
}

/// `POST /quarantine/list`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuarantineList {
    pub filter: QuarantineFilter,
    /// Those that were taken out of mailboxes instead.
    pub recalled: bool,
    /// How many messages are named, the newest.
    pub limit: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineListed {
    /// The newest first.
    pub messages: Vec<InQuarantine>,
    /// Messages in quarantine, their octets, and those the filter lets through.
    pub total: u64,
    pub octets: u64,
    pub matching: u64,
}

impl Operation for QuarantineList {
    type Response = QuarantineListed;
    const PATH: &'static str = "/quarantine/list";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::SeeQuarantine
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<QuarantineListed, OperateError> {
        let kind = if self.recalled { Kept::Recalled } else { Kept::Quarantine };
        let amounts = context.store.kept_amounts(kind)?;
        let mut found =
            QuarantineListed { total: amounts.messages, octets: amounts.octets, ..QuarantineListed::default() };
        let (mut after, limit) = (None, self.limit.min(MESSAGES_MAX));
        loop {
            context.go_on()?;
            let page = context.store.kept(kind, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for kept in &page {
                let shown = listed(kept, RECIPIENTS_MAX);
                if self.filter.has(kept, &shown) {
                    found.matching += 1;
                    found.messages.push(shown);
                }
            }
            // Ids begin with the time: the newest are at the end.
            let over = found.messages.len().saturating_sub(limit);
            found.messages.drain(..over);
        }
        found.messages.reverse();
        Ok(found)
    }
}

impl QuarantineFilter {
    fn has(&self, kept: &Quarantined, shown: &InQuarantine) -> bool {
        let is =
            |wanted: &Option<String>, of: &str| wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(of));
        let to = |wanted: &String| {
            kept.recipients.iter().any(|address| {
                address.to_string().eq_ignore_ascii_case(wanted)
                    || address.domain().as_str().eq_ignore_ascii_case(wanted.trim_start_matches('@'))
            })
        };
        self.since_s.is_none_or(|since_s| kept.at_s >= since_s)
            && is(&self.engine, &shown.engine)
            && is(&self.reason, &shown.reason)
            && self.recipient.as_ref().is_none_or(to)
    }
}
