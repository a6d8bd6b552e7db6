//! `facteur person password`, `letter`, `totp` and `weak`: what people prove who they are with.

mod letter;
mod totp;
mod weak;

use std::net::IpAddr;

pub use letter::{Letter, WriteLetter};
use proto::sasl::Secret;
use serde::{Deserialize, Serialize};
pub use totp::{BeginTotp, ConfirmTotp, EndTotp, TotpOf};
pub use weak::{CountedPasswords, Named, WeakPasswords};

use super::{Context, OperateError, Operation, Progress, Who, audit, place};
use crate::passwords::{self, SetBy};
use crate::roles::Subject;
use decide::roles::Act;

/// `POST /password/set`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetPassword {
    pub login: String,
    pub password: String,
}

/// `POST /password/import`: the hash another server kept, as `{SSHA}…` or `$6$…`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportPassword {
    pub login: String,
    pub hash: String,
    /// The day it was set there, `YYYY-MM-DD`; without one it is new today.
    pub changed_on: Option<String>,
}

impl Operation for SetPassword {
    type Response = ();
    const PATH: &'static str = "/password/set";
    const LONG: bool = false;

    fn act(&self) -> Act {
        Act::UseOwn
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<(), OperateError> {
        let login = place::login(context, &self.login)?;
        let how = match &context.who {
            Who::Process { .. } | Who::Operator { .. } => SetBy::Operator,
            Who::Person { from, .. } => {
                changed_from(context, *from)?;
                SetBy::Themself
            }
        };
        passwords::set(context, &login, &Secret::new(self.password), how)?;
        audit(context, &format!("password of {login} set"));
        Ok(())
    }
}

/// The beginning of a day in UTC.
fn day_s(day: &str) -> Result<i64, OperateError> {
    let bad = || OperateError::BadDate { text: day.to_owned() };
    let date: jiff::civil::Date = day.parse().ok().filter(|_| day.len() == "2026-11-30".len()).ok_or_else(bad)?;
    Ok(date.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| bad())?.timestamp().as_second())
}

/// Are passwords changed from where this client is (`identity.password.change_from`)?
pub(crate) fn changed_from(context: &Context, client: IpAddr) -> Result<(), OperateError> {
    let live = context.live.as_ref().ok_or(OperateError::NoServer)?;
    let tables = &live.tables;
    let network = tables.class_name(tables.class_network(tables.class_of(client)));
    let networks = &tables.plan().identity.password.change_from;
    // A policy without a page of its own bounds it nowhere.
    if networks.is_empty() || networks.iter().any(|one| one == network) {
        return Ok(());
    }
    let why = format!("passwords are changed only from {}, and this is {network}", networks.join(", "));
    Err(OperateError::Refused { why, rule: "identity.password.change_from".to_owned() })
}

impl Operation for ImportPassword {
    type Response = ();
    const PATH: &'static str = "/password/import";
    const LONG: bool = false;

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<(), OperateError> {
        let login = place::login(context, &self.login)?;
        let set_s = self.changed_on.as_deref().map(day_s).transpose()?;
        passwords::import(context, &login, &self.hash, set_s)?;
        audit(context, &format!("password of {login} imported as a hash"));
        Ok(())
    }
}
