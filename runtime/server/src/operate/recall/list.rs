//! Recalls, and where the copies of one are now.

use decide::roles;
use serde::{Deserialize, Serialize};

use super::{NAMED_MAX, RecallState, kept};
use crate::clock;
use crate::operate::{Context, OperateError, Operation, Progress, audit};
use crate::recall::{self, Report};

/// `POST /recall/list`: the newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListRecalls {}

pub type ListedRecall = RecallState;

/// `POST /recall/show`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowRecall {
    pub id: String,
    /// How many copies are named.
    pub limit: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownRecall {
    pub recall: RecallState,
    pub report: Report,
}

impl Operation for ListRecalls {
    type Response = Vec<ListedRecall>;
    const PATH: &'static str = "/recall/list";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::SeeRecalls
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<Vec<ListedRecall>, OperateError> {
        let now_s = clock::unix_s();
        let all = recall::all(&context.store)?.into_iter();
        let mut listed: Vec<_> = all.map(|(id, recall)| RecallState::of(&id, &recall.now(now_s))).collect();
        listed.sort_by_key(|listed| std::cmp::Reverse(listed.at_s));
        Ok(listed)
    }
}

impl Operation for ShowRecall {
    type Response = ShownRecall;
    const PATH: &'static str = "/recall/show";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::SeeRecalls
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<ShownRecall, OperateError> {
        let recall = kept(context, &self.id)?;
        audit(context, &format!("looked who has what recall {} is about", self.id));
        let report = recall::report_of(&context.store, &recall.deliveries(), self.limit.min(NAMED_MAX))?;
        Ok(ShownRecall { recall: RecallState::of(&self.id, &recall), report })
    }
}
