//! Out of quarantine, to whom it was for or to somebody who may look at it.

use decide::roles;
use mail::Address;
use serde::{Deserialize, Serialize};
use store::Kept;

use super::{because, kept};
use crate::operate::{Context, OperateError, Operation, Progress, manager};
use crate::quarantine::{self, NotReleased, Release};

/// `POST /quarantine/release`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseQuarantined {
    pub id: String,
    /// The manager who decides.
    pub by: String,
    pub because: String,
    /// Instead of the recipients it had.
    pub to: Vec<Address>,
    /// The engines look again first.
    pub rescan: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedTo {
    pub mailboxes: u64,
    /// Recipients elsewhere, in the spool.
    pub queued: u64,
    /// Recipients that lead nowhere any more.
    pub nowhere: Vec<String>,
}

impl Operation for ReleaseQuarantined {
    type Response = ReleasedTo;
    const PATH: &'static str = "/quarantine/release";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::ReleaseQuarantined
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<ReleasedTo, OperateError> {
        let service = context.server.as_ref().ok_or(OperateError::NoServer)?;
        let decider = manager::decider(context, &self, Some(&self.by))?;
        let because = because(&self.because)?;
        let _turn = quarantine::turn();
        let kept = kept(context, &self.id, &[Kept::Quarantine])?;
        let to = self.to.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let to = if to.is_empty() { to } else { format!(" to {to}") };
        let wanted = Release {
            rescan: self.rescan,
            said: format!("by {}{to}: {because}", decider.name()),
            audited: decider.audited(&format!("released {} from quarantine{to}: {because}", kept.id)),
            to: self.to,
        };
        // Handlers run on threads that may block.
        let released = tokio::runtime::Handle::current().block_on(quarantine::release(service, &kept, wanted));
        let released = released.map_err(|error| refused(&self.id, &error))?;
        Ok(ReleasedTo { mailboxes: released.mailboxes, queued: released.queued, nowhere: released.nowhere })
    }
}

fn refused(id: &str, why: &NotReleased) -> OperateError {
    let store = |why: String| OperateError::Store { why };
    match why {
        NotReleased::Nowhere => OperateError::BadRequest {
            why: "none of its recipients leads anywhere now; name another with --to".to_owned(),
        },
        NotReleased::StillStopped { found, rule } => {
            OperateError::Refused { why: format!("it would be stopped again: {found}"), rule: rule.clone() }
        }
        NotReleased::Gone => OperateError::NotKept { id: id.to_owned() },
        NotReleased::Sealed(error) => store(error.to_string()),
        NotReleased::NotBack(error) => store(error.to_string()),
        NotReleased::Put(error) => store(error.to_string()),
        NotReleased::Commit(error) => store(error.to_string()),
    }
}
