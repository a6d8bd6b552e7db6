//! `facteur person password` and `totp`: what people prove who they are with.

mod totp;

use proto::sasl::Secret;
use serde::{Deserialize, Serialize};
pub use totp::{BeginTotp, ConfirmTotp, EndTotp, TotpOf};

use super::{Context, OperateError, Operation, Progress, audit, place};
use crate::passwords::{self, SetBy};

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
}

impl Operation for SetPassword {
    type Response = ();
    const PATH: &'static str = "/password/set";
    const LONG: bool = false;

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<(), OperateError> {
        let login = place::login(context, &self.login)?;
        passwords::set(context, &login, &Secret::new(self.password), SetBy::Operator)?;
        audit(context, &format!("password of {login} set"));
        Ok(())
    }
}

impl Operation for ImportPassword {
    type Response = ();
    const PATH: &'static str = "/password/import";
    const LONG: bool = false;

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<(), OperateError> {
        let login = place::login(context, &self.login)?;
        passwords::import(context, &login, &self.hash)?;
        audit(context, &format!("password of {login} imported as a hash"));
        Ok(())
    }
}
