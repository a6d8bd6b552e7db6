//! `--by LOGIN`: the manager who decides about the mail of others. The plan says who may: the groups of `antispam.taught_by`,
//! which are the members of the addresses of these names in the institution's domain.

use std::fmt;

use mail::{Address, Login};
use store::{Op, Resolution};

use super::{Context, OperateError, place};
use crate::clock;

/// What may manage when a plan has no spam filter and so names nobody.
const GROUP: &str = "mail-managers";
/// Where the plan says it.
const RULE: &str = "antispam.taught_by";

/// Who decided, as the audit has it: the manager who is named, and the process that asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decider {
    login: Option<Login>,
    asked: String,
}

impl Decider {
    /// The manager's login; the one who asked where none was named.
    pub fn name(&self) -> String {
        self.login.as_ref().map_or_else(|| self.asked.clone(), ToString::to_string)
    }

    /// The entry of the audit, for the commit that does it.
    pub fn audited(&self, what: &str) -> Op {
        tracing::info!(who = %self, "audit: {what}");
        Op::Audit { at_s: clock::unix_s(), who: self.to_string(), what: what.to_owned() }
    }
}

impl fmt::Display for Decider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.login {
            Some(login) => write!(f, "{login}, asked by {}", self.asked),
            None => f.write_str(&self.asked),
        }
    }
}

/// Who decides. A login that is named has to be a manager's; without one it is who may operate the server anyhow.
pub(crate) fn decider(context: &Context, by: Option<&str>) -> Result<Decider, OperateError> {
    let asked = context.who.to_string();
    let Some(by) = by else { return Ok(Decider { login: None, asked }) };
    let live = context.live.as_ref().ok_or(OperateError::NoServer)?;
    let login = place::login(context, by)?;
    let plan = live.tables.plan();
    let groups = match &plan.antispam {
        Some(antispam) => antispam.taught_by.clone(),
        None => vec![GROUP.to_owned()],
    };
    for group in &groups {
        let Ok(address) = Address::new(group, plan.institution.domain.clone()) else { continue };
        let is_in = match context.store.resolve(&address)? {
            Resolution::Alias(alias) => alias.members.contains(&login),
            Resolution::Person(row) => row.person.login == login,
            Resolution::Unknown => false,
        };
        if is_in {
            return Ok(Decider { login: Some(login), asked });
        }
    }
    let why = format!("{login} is in none of the groups that may do this: {}", groups.join(", "));
    super::audit(context, &format!("refused: {why}"));
    Err(OperateError::Refused { why, rule: RULE.to_owned() })
}
