//! Who decides about others: the person who is signed in, the operator on the control channel, or the one `--by LOGIN` names.
//! Their roles have to allow it.

use std::fmt;

use decide::roles::Act;
use mail::Login;
use store::Op;

use super::{Context, OperateError, Operation, Who, place};
use crate::clock;
use crate::roles::{self, Subject};

/// Who decided, as the audit has it: the person, and the process that asked for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decider {
    login: Option<Login>,
    asked: Who,
}

impl Decider {
    /// The person's login or the operator's name; the process where nobody was named.
    pub fn name(&self) -> String {
        match (&self.login, &self.asked) {
            (Some(login), _) => login.to_string(),
            (None, Who::Operator { name, .. }) => name.clone(),
            (None, asked) => asked.to_string(),
        }
    }

    /// The person, where one decided.
    pub fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// The entry of the audit, for the commit that does it.
    pub fn audited(&self, what: &str) -> Op {
        tracing::info!(who = %self, "audit: {what}");
        Op::Audit { at_s: clock::unix_s(), who: self.to_string(), what: what.to_owned() }
    }
}

impl fmt::Display for Decider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.login, &self.asked) {
            (Some(login), Who::Process { .. }) => write!(f, "{login}, asked by {}", self.asked),
            _ => self.asked.fmt(f),
        }
    }
}

/// Who decides. A login that is named has to be one that may do it; without one it is who may operate the server anyhow.
/// Nobody who is signed in, and no operator, decides as somebody else.
pub(crate) fn decider(context: &Context, request: &impl Operation, by: Option<&str>) -> Result<Decider, OperateError> {
    decider_about(context, request.act(), request.subject(), by)
}

/// The same where the request names whom it is about by something else.
pub(crate) fn decider_about(
    context: &Context,
    act: Act,
    subject: Subject<'_>,
    by: Option<&str>,
) -> Result<Decider, OperateError> {
    let asked = context.who.clone();
    let login = match (&asked, by) {
        (Who::Person { login, .. }, Some(by)) if !login.as_str().eq_ignore_ascii_case(by) => {
            return Err(OperateError::BadRequest { why: format!("{login} does not decide as {by}") });
        }
        (Who::Person { login, .. }, _) => login.clone(),
        (Who::Operator { name, .. }, Some(by)) if !name.eq_ignore_ascii_case(by) => {
            return Err(OperateError::BadRequest { why: format!("{name} does not decide as {by}") });
        }
        (Who::Operator { .. }, _) => {
            roles::must(context, act, subject)?;
            return Ok(Decider { login: None, asked });
        }
        (Who::Process { .. }, None) => return Ok(Decider { login: None, asked }),
        (Who::Process { .. }, Some(by)) => place::login(context, by)?,
    };
    roles::must_be(context, &login, act, subject)?;
    Ok(Decider { login: Some(login), asked })
}
