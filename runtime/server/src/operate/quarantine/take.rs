//! A delivered message out of all mailboxes it is in, and back.

use decide::roles;
use serde::{Deserialize, Serialize};
use store::DeliveryId;

use super::{because, id};
use crate::operate::{Context, OperateError, Operation, Progress, manager};
use crate::taken::{self, TakenError};

/// Deliveries of one request.
const DELIVERIES_MAX: usize = 10_000;

/// `POST /quarantine/take`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakeMessage {
    /// Deliveries, by their queue ids.
    pub ids: Vec<String>,
    /// The manager who decides.
    pub by: String,
    pub because: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenOut {
    pub messages: u64,
    pub mailboxes: u64,
    pub accounts: u64,
    /// Copies in the spool that nobody tries until they are put back or released.
    pub held: Vec<String>,
}

/// `POST /quarantine/put-back`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutMessageBack {
    pub ids: Vec<String>,
    pub by: String,
    pub because: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutBackAgain {
    pub messages: u64,
    /// Deliveries of which nothing is kept.
    pub unknown: Vec<String>,
}

impl Operation for TakeMessage {
    type Response = TakenOut;
    const PATH: &'static str = "/quarantine/take";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::TakeMessages
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<TakenOut, OperateError> {
        let service = context.server.as_ref().ok_or(OperateError::NoServer)?;
        let decider = manager::decider(context, &self, Some(&self.by))?;
        let (because, ids) = (because(&self.because)?, deliveries(&self.ids)?);
        let accounts: std::collections::BTreeSet<_> =
            context.store.copies_of(&ids)?.into_iter().map(|copy| copy.login).collect();
        let most = service.tables.plan().response.recall_alone_at_most;
        if accounts.len() as u64 > u64::from(most) {
            let why = format!(
                "it is in the mailboxes of {}, and one manager alone may take {most}: `facteur recall take` asks a second",
                accounts.len()
            );
            return Err(OperateError::Refused { why, rule: "response.recall_alone_at_most".to_owned() });
        }
        let what = format!("takes {} out of all mailboxes: {because}", self.ids.join(", "));
        context.store.commit_wait(vec![decider.audited(&what)])?;
        let taken = taken::take(service, &ids, &because, &decider.name()).map_err(trouble)?;
        let what = format!("took {} messages of {} out of mailboxes", taken.messages, self.ids.join(", "));
        context.store.commit_wait(vec![decider.audited(&what)])?;
        Ok(TakenOut {
            messages: taken.messages,
            mailboxes: taken.mailboxes,
            accounts: taken.accounts,
            held: taken.held.iter().map(ToString::to_string).collect(),
        })
    }
}

impl Operation for PutMessageBack {
    type Response = PutBackAgain;
    const PATH: &'static str = "/quarantine/put-back";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::TakeMessages
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<PutBackAgain, OperateError> {
        let service = context.server.as_ref().ok_or(OperateError::NoServer)?;
        let decider = manager::decider(context, &self, Some(&self.by))?;
        let (because, ids) = (because(&self.because)?, deliveries(&self.ids)?);
        let what = format!("puts {} back into the mailboxes: {because}", self.ids.join(", "));
        context.store.commit_wait(vec![decider.audited(&what)])?;
        let back = taken::put_back(service, &ids, &because, &decider.name()).map_err(trouble)?;
        Ok(PutBackAgain { messages: back.messages, unknown: back.unknown.iter().map(ToString::to_string).collect() })
    }
}

fn deliveries(texts: &[String]) -> Result<Vec<DeliveryId>, OperateError> {
    if texts.is_empty() || texts.len() > DELIVERIES_MAX {
        let why = format!("name 1 to {DELIVERIES_MAX} messages");
        return Err(OperateError::BadRequest { why });
    }
    texts.iter().map(|text| id(text).map(|id| id.0)).collect()
}

fn trouble(error: TakenError) -> OperateError {
    OperateError::Store { why: error.to_string() }
}
