//! `facteur quarantine`: what scanners stopped, and what was taken out of mailboxes; what managers do with it.

mod list;
mod purge;
mod release;
mod safe;
mod show;
mod take;

use serde::{Deserialize, Serialize};
use store::{Kept, Quarantined, QueueId};

use super::queue::parse_id;
use super::{Context, OperateError};
use crate::quarantine::Facts;
use crate::signing::Seal;
use crate::taken;

pub use list::{QuarantineFilter, QuarantineList, QuarantineListed};
pub use purge::{PurgeQuarantined, Purged};
pub use release::{ReleaseQuarantined, ReleasedTo};
pub use show::{QuarantineShow, QuarantineShown, ShownPart};
pub use take::{PutBackAgain, PutMessageBack, TakeMessage, TakenOut};

/// Recipients named in a list.
const RECIPIENTS_MAX: usize = 20;

/// A message in quarantine. Times are Unix seconds; what came from outside has no control characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InQuarantine {
    pub id: String,
    /// `quarantine` or `recalled`.
    pub kind: String,
    pub at_s: i64,
    /// In the closed list of reasons; why it was taken out of the mailboxes.
    pub reason: String,
    /// Path in the policy.
    pub rule: String,
    pub engine: String,
    pub signature: String,
    /// Empty for the null reverse-path.
    pub sender: String,
    pub login: Option<String>,
    pub recipients: Vec<String>,
    /// Recipients that are not named.
    pub more: usize,
    pub size_octets: u64,
}

fn listed(kept: &Quarantined, recipients_max: usize) -> InQuarantine {
    let facts = Facts::read(&kept.facts);
    let (kind, reason, octets) = match kept.kind {
        Kept::Recalled => {
            let facts: taken::Facts = queue::facts::read(&kept.facts);
            ("recalled", facts.why, facts.octets)
        }
        _ => ("quarantine", facts.reason, facts.octets),
    };
    InQuarantine {
        id: kept.id.to_string(),
        kind: kind.to_owned(),
        at_s: kept.at_s,
        reason: safe::line(&reason),
        rule: kept.why.clone(),
        engine: safe::line(&kept.engine),
        signature: safe::line(&kept.signature),
        // Local parts outside ASCII may turn the writing (RFC 6531).
        sender: kept.reverse_path.address().map(|it| safe::line(&it.to_string())).unwrap_or_default(),
        login: facts.message.login,
        recipients: kept.recipients.iter().take(recipients_max).map(|it| safe::line(&it.to_string())).collect(),
        more: kept.recipients.len().saturating_sub(recipients_max),
        size_octets: if octets == 0 { kept.body.len() } else { octets },
    }
}

fn id(text: &str) -> Result<QueueId, OperateError> {
    parse_id(text).ok_or_else(|| OperateError::NotKept { id: text.to_owned() })
}

/// A message that is kept apart for one of these reasons.
fn kept(context: &Context, text: &str, kinds: &[Kept]) -> Result<Quarantined, OperateError> {
    let found = context.store.kept_one(id(text)?)?;
    found.filter(|kept| kinds.contains(&kept.kind)).ok_or_else(|| OperateError::NotKept { id: text.to_owned() })
}

/// The key bodies were sealed with.
fn with_seal<T>(context: &Context, work: impl FnOnce(&Seal) -> Result<T, OperateError>) -> Result<T, OperateError> {
    if let Some(service) = &context.server {
        return work(&service.signing.seal);
    }
    let seal = Seal::of(&context.data).map_err(|error| OperateError::file(&context.data, error))?;
    work(&seal)
}

/// Text from outside without what could work a terminal.
pub(crate) fn shown_line(text: &str) -> String {
    safe::line(text)
}

/// What a manager says of a decision is one line, and says something.
pub(crate) fn because(text: &str) -> Result<String, OperateError> {
    let line = safe::line(text.trim());
    if line.is_empty() || line.chars().count() > 500 {
        return Err(OperateError::BadRequest { why: "say why in one line, of 500 characters at most".to_owned() });
    }
    Ok(line)
}
