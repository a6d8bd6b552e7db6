//! What waits, and where nothing goes.

use decide::roles;
use queue::schedule::Trouble;
use serde::{Deserialize, Serialize};

use super::{Filter, PAGE, Queued, id, queued};
use crate::operate::{Context, OperateError, Operation, Progress, audit};

/// Most messages of one list, and recipients shown of one of them.
const MESSAGES_MAX: usize = 10_000;
const RECIPIENTS_MAX: usize = 20;
/// Octets of a header that are shown.
const HEADER_OCTETS_MAX: u64 = 16 * 1024;

/// `POST /queue/list`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueList {
    pub filter: Filter,
    /// How many messages are named.
    pub limit: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub messages: Vec<Queued>,
    /// Messages in the spool, and those the filter lets through.
    pub total: u64,
    pub matching: u64,
    /// Destinations that are not tried now; none are known where no server runs.
    pub down: Vec<DownDestination>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownDestination {
    pub destination: String,
    pub blocked: bool,
    pub why: String,
    pub since_s: i64,
    pub probed_at_s: i64,
    pub waiting: usize,
}

impl Operation for QueueList {
    type Response = Listed;
    const PATH: &'static str = "/queue/list";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::SeeQueue
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<Listed, OperateError> {
        let mut listed = Listed { total: context.store.queue_count()?, ..Listed::default() };
        let (mut after, limit) = (None, self.limit.min(MESSAGES_MAX));
        loop {
            context.go_on()?;
            let page = context.store.queue_list(after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(last.queue_id);
            for item in page.iter().filter(|item| self.filter.has(item)) {
                listed.matching += 1;
                if listed.messages.len() < limit {
                    listed.messages.push(queued(context, item, RECIPIENTS_MAX));
                }
            }
            if listed.messages.len() >= limit && self.filter.is_empty() {
                listed.matching = listed.total;
                break;
            }
        }
        let down = context.server.as_ref().map(|service| service.spool.schedule().down()).unwrap_or_default();
        listed.down = down
            .into_iter()
            .map(|(toward, down, waiting)| DownDestination {
                destination: toward.to_string(),
                blocked: down.trouble == Trouble::Blocked,
                why: down.why,
                since_s: down.since_s,
                probed_at_s: down.until_s,
                waiting,
            })
            .collect();
        Ok(listed)
    }
}

/// `POST /queue/show`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueShow {
    pub id: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    pub message: Queued,
    /// Hash of the plan that accepted it.
    pub plan: String,
    pub facts: queue::MessageFacts,
    /// The header of the message, bounded; empty when it cannot be read.
    pub header: String,
}

impl Operation for QueueShow {
    type Response = Shown;
    const PATH: &'static str = "/queue/show";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::SeeQueue
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<Shown, OperateError> {
        let gone = || OperateError::NoSuchMessage { id: self.id.clone() };
        let item = context.store.queue_item(id(&self.id)?)?.ok_or_else(gone)?;
        audit(context, &format!("showed the header of {} in the queue", item.queue_id));
        let start = context.store.read_body_range(&item.body, 0, item.body.len().min(HEADER_OCTETS_MAX));
        let start = start.unwrap_or_default();
        let end = start.windows(4).position(|window| window == b"\r\n\r\n").map_or(start.len(), |at| at + 2);
        Ok(Shown {
            message: queued(context, &item, usize::MAX),
            plan: item.plan.clone(),
            facts: queue::facts::read(&item.facts),
            header: String::from_utf8_lossy(&start[..end]).into_owned(),
        })
    }
}
