//! Everything back where it was.

use decide::roles;
use serde::{Deserialize, Serialize};
use store::{DeliveryId, QueueId};

use super::{bad, kept, server, trouble};
use crate::clock;
use crate::operate::quarantine::because;
use crate::operate::{Context, OperateError, Operation, Progress, manager};
use crate::recall::{self, State};
use crate::taken;

/// `POST /recall/undo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UndoRecall {
    pub id: String,
    /// The manager who decides.
    pub by: String,
    pub because: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndidRecall {
    /// Copies that are back.
    pub messages: u64,
    /// Messages of the spool that go on.
    pub let_go: u64,
    /// Deliveries that stay away: they were taken for another reason before.
    pub others: u64,
    /// It was put back before; nothing was done now.
    pub already: bool,
}

impl Operation for UndoRecall {
    type Response = UndidRecall;
    const PATH: &'static str = "/recall/undo";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::Recall
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<UndidRecall, OperateError> {
        let service = server(context)?;
        let decider = manager::decider(context, &self, Some(&self.by))?;
        let why = because(self.because.as_deref().unwrap_or("the recall is undone"))?;
        let mut recall = kept(context, &self.id)?;
        match recall.state {
            State::Taking | State::Taken | State::Undoing => {}
            State::Undone => return Ok(UndidRecall { already: true, ..UndidRecall::default() }),
            State::Found | State::Waiting | State::Expired => {
                return Err(bad(format!("recall {} took nothing: it is {}", self.id, recall.state.word())));
            }
        }
        recall.state = State::Undoing;
        let audited = decider.audited(&format!("undoes recall {}: {why}", self.id));
        context.store.commit_wait(vec![recall::op(&self.id, Some(&recall)), audited])?;
        let mut ours: Vec<DeliveryId> = Vec::new();
        let mut others = 0;
        for delivery in recall.deliveries() {
            let kept = context.store.kept_one(taken::item_of(delivery))?;
            let facts: Option<taken::Facts> = kept.map(|kept| queue::facts::read(&kept.facts));
            match facts {
                Some(facts) if !recall::is_of(&facts.why, &self.id) => others += 1,
                Some(_) => ours.push(delivery),
                // It may be held in the spool; else there is nothing to do.
                None if taken::is_held(&context.store, QueueId(delivery))? => ours.push(delivery),
                None => {}
            }
        }
        let back = taken::put_back(service, &ours, &why, &decider.name()).map_err(trouble)?;
        (recall.state, recall.undone_by, recall.undone_at_s) = (State::Undone, decider.name(), clock::unix_s());
        let audited = decider.audited(&format!("undid recall {}: {} copies are back", self.id, back.messages));
        context.store.commit_wait(vec![recall::op(&self.id, Some(&recall)), audited])?;
        Ok(UndidRecall { messages: back.messages, let_go: back.let_go.len() as u64, others, already: false })
    }
}
