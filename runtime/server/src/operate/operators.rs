//! `facteur operator`: who operates this server from other machines.

use std::net::SocketAddr;

use decide::roles::Act;
use serde::{Deserialize, Serialize};
use store::Op;

use super::{Context, OperateError, Operation, Progress};
use crate::clock;
use crate::remote::identity::{Identity, fingerprint, read_fingerprint};
use crate::remote::operators::{self, Operators, kept};
use crate::remote::{Operator, OperatorRole};

/// `POST /operator/enroll`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrollOperator {
    pub name: String,
    pub role: OperatorRole,
    /// 64 hexadecimal digits, as `facteur operator identity` says them.
    pub fingerprint: String,
}

/// `POST /operator/list`: by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListOperators {}

/// `POST /operator/remove`: false when there was none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveOperator {
    pub name: String,
}

/// `POST /operator/control`: how this server is known on the control channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowControl {}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownControl {
    /// What goes into `appliance.pin` of an identity.
    pub fingerprint: String,
    /// Where the site has it listen; `None` where it does not, or no server runs.
    pub listens: Option<SocketAddr>,
}

fn running(context: &Context) -> Option<&Operators> {
    context.server.as_ref().map(|server| &*server.operators)
}

fn audited(context: &Context, what: &str) -> Op {
    Op::Audit { at_s: clock::unix_s(), who: context.who.to_string(), what: what.to_owned() }
}

/// The line of the log, once it is done: names that were refused are anybody's text.
fn log(context: &Context, what: &str) {
    tracing::warn!(who = %context.who, "audit: {what}");
}

impl Operation for EnrollOperator {
    type Response = Operator;
    const PATH: &'static str = "/operator/enroll";
    const LONG: bool = false;

    fn act(&self) -> Act {
        Act::ChangeOperators
    }

    /// One commit with its line in the audit.
    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<Operator, OperateError> {
        let fingerprint = read_fingerprint(&self.fingerprint).ok_or_else(|| OperateError::BadRequest {
            why: "a fingerprint is 64 hexadecimal digits, as `facteur operator identity` says them".to_owned(),
        })?;
        let (by, since_s) = (context.who.to_string(), clock::unix_s());
        let operator = Operator { name: self.name, role: self.role, fingerprint, since_s, by };
        let what = format!("enrols the {} {}, whose key is {}", operator.role, operator.name, operator.fingerprint);
        operators::enroll(&context.store, running(context), &operator, audited(context, &what))?;
        log(context, &what);
        Ok(operator)
    }
}

impl Operation for ListOperators {
    type Response = Vec<Operator>;
    const PATH: &'static str = "/operator/list";
    const LONG: bool = false;

    fn act(&self) -> Act {
        Act::SeeControl
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<Vec<Operator>, OperateError> {
        let mut all: Vec<Operator> = kept(&context.store)?.into_values().collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }
}

impl Operation for RemoveOperator {
    type Response = bool;
    const PATH: &'static str = "/operator/remove";
    const LONG: bool = false;

    fn act(&self) -> Act {
        Act::ChangeOperators
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<bool, OperateError> {
        let what = format!("removes the operator {}", self.name);
        let removed = operators::remove(&context.store, running(context), &self.name, audited(context, &what))?;
        if removed {
            log(context, &what);
        }
        Ok(removed)
    }
}

impl Operation for ShowControl {
    type Response = ShownControl;
    const PATH: &'static str = "/operator/control";
    const LONG: bool = false;

    fn act(&self) -> Act {
        Act::SeeControl
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<ShownControl, OperateError> {
        let identity = Identity::of_server(&context.store, &context.data)?;
        let fingerprint = fingerprint(&identity.certificate)
            .ok_or_else(|| OperateError::Store { why: "the identity of the control channel has no key".to_owned() })?;
        let listens = context.server.as_ref().and_then(|server| server.site.control);
        Ok(ShownControl { fingerprint, listens })
    }
}
