//! Away for good.

use decide::roles;
use serde::{Deserialize, Serialize};
use store::{CommitError, Kept, Refusal};

use super::{because, kept};
use crate::operate::{Context, OperateError, Operation, Progress, Unit, manager};
use crate::quarantine;

/// `POST /quarantine/purge`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurgeQuarantined {
    pub ids: Vec<String>,
    /// The manager who decides.
    pub by: String,
    pub because: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purged {
    pub messages: u64,
}

impl Operation for PurgeQuarantined {
    type Response = Purged;
    const PATH: &'static str = "/quarantine/purge";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::PurgeQuarantined
    }

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<Purged, OperateError> {
        let service = context.server.as_ref().ok_or(OperateError::NoServer)?;
        let decider = manager::decider(context, &self, Some(&self.by))?;
        let because = because(&self.because)?;
        // All of them are there, or nothing is done.
        let kinds = [Kept::Quarantine, Kept::Recalled];
        let all = self.ids.iter().map(|id| kept(context, id, &kinds)).collect::<Result<Vec<_>, _>>()?;
        let (total, mut purged) = (Some(all.len() as u64), Purged::default());
        for one in all {
            context.go_on()?;
            let said = format!("by {}: {because}", decider.name());
            let audited = decider.audited(&format!("purged {} from quarantine: {because}", one.id));
            match quarantine::purge(service, &one, &said, vec![audited]) {
                Ok(()) => purged.messages += 1,
                Err(CommitError::Refused { why: Refusal::NoSuchQuarantined, .. }) => {}
                Err(error) => return Err(error.into()),
            }
            tell(Progress { on: "purge".to_owned(), done: purged.messages, total, unit: Unit::Messages });
        }
        Ok(purged)
    }
}
