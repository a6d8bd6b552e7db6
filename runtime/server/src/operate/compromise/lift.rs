//! A manager ends a case: what is held goes, but for what is chosen not to.

use std::collections::BTreeSet;

use decide::roles;
use serde::{Deserialize, Serialize};

use super::{CompromiseCase, no_case};
use crate::compromise::{self, Choice, NotLifted};
use crate::operate::quarantine::because;
use crate::operate::{Context, OperateError, Operation, Progress, Subject, manager, parse_id, place};
use crate::standing::contain::contain;

/// `POST /compromise/lift`. Without anything to discard everything goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LiftCompromise {
    pub id: String,
    pub because: String,
    /// The manager who decides.
    pub by: Option<String>,
    /// Nothing of what is held goes.
    pub discard_all: bool,
    /// Ids of held messages that do not go.
    pub discard: Vec<String>,
    /// Those with this Subject, and those with so many recipients; together both hold.
    pub discard_subject: Option<String>,
    pub discard_recipients: Option<usize>,
    /// The account is contained first: nothing opens it, and what is not discarded goes when that is undone.
    pub contain: bool,
}

/// The case as it is then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiftedCompromise {
    pub case: CompromiseCase,
}

impl Operation for LiftCompromise {
    type Response = LiftedCompromise;
    const PATH: &'static str = "/compromise/lift";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::LiftCompromise
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<LiftedCompromise, OperateError> {
        let service = context.server.as_ref().ok_or(OperateError::NoServer)?;
        let case = compromise::of(&context.store, &self.id)?.ok_or_else(|| no_case(&self.id))?;
        // Nobody lifts their own case.
        let about = Subject::Login(&case.login);
        let decider = manager::decider_about(context, self.act(), about, self.by.as_deref())?;
        let because = because(&self.because)?;
        let unknown = |text: &String| OperateError::NoSuchMessage { id: text.clone() };
        let ids: Result<BTreeSet<_>, _> =
            self.discard.iter().map(|text| parse_id(text).ok_or_else(|| unknown(text))).collect();
        let choice = Choice {
            all: self.discard_all,
            ids: ids?,
            subject: self.discard_subject,
            recipients_at_least: self.discard_recipients,
        };
        if self.contain {
            manager::decider_about(context, roles::Act::Contain, about, self.by.as_deref())?;
            let login = place::login(context, &case.login)?;
            let (why, by) = (format!("case {}: {because}", self.id), decider.name());
            let contained = contain(&context.store, &service.standings, Some(service), (&login, &why, &by));
            contained.map_err(|error| OperateError::Store { why: error.to_string() })?;
        }
        context
            .store
            .commit_wait(vec![decider.audited(&format!("lifts case {} of {}: {because}", self.id, case.login))])?;
        // Handlers run on threads that may block.
        let name = decider.name();
        let lifting = compromise::lift(service, &self.id, &name, &because, &choice);
        let case = tokio::runtime::Handle::current().block_on(lifting).map_err(|why| failed(&self.id, why))?;
        let (released, discarded) = (case.released, case.discarded);
        let what = format!("lifted case {} of {}: {released} released, {discarded} discarded", self.id, case.login);
        context.store.commit_wait(vec![decider.audited(&what)])?;
        Ok(LiftedCompromise { case: CompromiseCase::of(&self.id, &case) })
    }
}

fn failed(id: &str, why: NotLifted) -> OperateError {
    match why {
        NotLifted::NoSuchCase => no_case(id),
        NotLifted::Over => OperateError::BadRequest { why: format!("case {id} is over, or ends just now") },
        NotLifted::NotHeld(queue_id) => OperateError::NoSuchMessage { id: queue_id.to_string() },
        NotLifted::Trouble(why) => OperateError::Store { why },
    }
}
