//! The cases, and one with what is held of its account.

use decide::roles;
use serde::{Deserialize, Serialize};

use super::{CompromiseCase, no_case};
use crate::compromise::{self, HeldMessage, State};
use crate::operate::{Context, OperateError, Operation, Progress, audit, shown_line};

/// Messages and recipients one answer names.
const MESSAGES_MAX: usize = 1_000;
const TO_MAX: usize = 5;

/// `POST /compromise/list`: the newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListCompromise {
    /// Those that ended as well.
    pub all: bool,
}

/// `POST /compromise/show`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowCompromise {
    pub id: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownCompromise {
    pub case: CompromiseCase,
    /// What waits of this account while something holds it; none when the case ended.
    pub held: Vec<HeldOfCase>,
    /// Messages that are not named.
    pub more: usize,
}

/// A message that is held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldOfCase {
    pub queue_id: String,
    pub at_s: i64,
    pub subject: String,
    /// How many recipients wait, and the first of them.
    pub recipients: usize,
    pub to: Vec<String>,
    pub octets: u64,
}

impl HeldOfCase {
    fn of(message: &HeldMessage) -> HeldOfCase {
        HeldOfCase {
            queue_id: message.queue_id.to_string(),
            at_s: message.at_s,
            subject: shown_line(&message.subject),
            recipients: message.recipients,
            to: message.to.iter().take(TO_MAX).map(|to| shown_line(to)).collect(),
            octets: message.octets,
        }
    }
}

impl Operation for ListCompromise {
    type Response = Vec<CompromiseCase>;
    const PATH: &'static str = "/compromise/list";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::SeeCompromise
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<Vec<CompromiseCase>, OperateError> {
        let all = compromise::all(&context.store)?;
        let wanted = all.iter().filter(|(_, case)| self.all || case.state != State::Ended);
        Ok(wanted.map(|(id, case)| CompromiseCase::of(id, case)).collect())
    }
}

impl Operation for ShowCompromise {
    type Response = ShownCompromise;
    const PATH: &'static str = "/compromise/show";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::SeeCompromise
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<ShownCompromise, OperateError> {
        let case = compromise::of(&context.store, &self.id)?.ok_or_else(|| no_case(&self.id))?;
        let mut shown = ShownCompromise { case: CompromiseCase::of(&self.id, &case), ..ShownCompromise::default() };
        if case.state != State::Ended {
            audit(context, &format!("looked at case {}, with subjects of what {} sends", self.id, case.login));
            let held = compromise::held_of(&context.store, &case.login)?;
            shown.more = held.len().saturating_sub(MESSAGES_MAX);
            shown.held = held.iter().take(MESSAGES_MAX).map(HeldOfCase::of).collect();
        }
        Ok(shown)
    }
}
