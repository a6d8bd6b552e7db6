//! Who has it.

use decide::roles;
use serde::{Deserialize, Serialize};

use super::{NAMED_MAX, cleaned, searched, server};
use crate::clock;
use crate::operate::{Context, OperateError, Operation, Progress, manager};
use crate::recall::{self, Recall, Report, Sought};

/// `POST /recall/find`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindRecall {
    pub sought: Sought,
    /// The manager who looks.
    pub by: Option<String>,
    /// How many copies are named.
    pub limit: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundRecall {
    /// What was found can be taken by it for a day; empty when nothing was found.
    pub id: String,
    #[serde(flatten)]
    pub report: Report,
    /// Old deliveries nobody looked at: the index does not say what they can be found by, and there are too many.
    pub unlooked: u64,
}

impl Operation for FindRecall {
    type Response = FoundRecall;
    const PATH: &'static str = "/recall/find";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::SeeRecalls
    }

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<FoundRecall, OperateError> {
        let service = server(context)?;
        let decider = manager::decider(context, &self, self.by.as_deref())?;
        let sought = cleaned(service, self.sought)?;
        let audited = decider.audited(&format!("looked who has mail with {}", sought.words()));
        context.store.commit_wait(vec![audited])?;
        let found = searched(context, service, &sought, tell)?;
        let ids: Vec<_> = found.ids.iter().copied().collect();
        let report = recall::report_of(&context.store, &ids, self.limit.min(NAMED_MAX))?;
        if ids.is_empty() {
            return Ok(FoundRecall { id: String::new(), report, unlooked: found.unlooked });
        }
        let mut kept = Recall { sought, at_s: clock::unix_s(), by: decider.name(), ..Recall::default() };
        kept.keep(found.ids);
        let id = recall::new_id();
        context.store.commit_wait(vec![recall::op(&id, Some(&kept))])?;
        Ok(FoundRecall { id, report, unlooked: found.unlooked })
    }
}
