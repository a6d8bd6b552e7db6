//! `facteur person totp`, and the portal's page of the second factor.

use decide::roles::Act;
use mail::Login;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::operate::{Context, OperateError, Operation, Progress, audit, place};
use crate::passwords::totp::{self, Enrolment, TotpError, TotpState};
use crate::roles::Subject;
use crate::signing::Seal;

/// `POST /password/totp`: how the second factor of a login stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TotpOf {
    pub login: String,
}

/// `POST /password/totp/begin`: draws a secret, told this once. It counts when a code of it was shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeginTotp {
    pub login: String,
}

/// `POST /password/totp/confirm`: the first code. Gives the recovery codes, told this once.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmTotp {
    pub login: String,
    pub code: String,
}

/// `POST /password/totp/end`: by its owner, who shows a code, or by others for somebody who lost the device. False when there
/// was none.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndTotp {
    pub login: String,
    pub code: Option<String>,
}

impl From<TotpError> for OperateError {
    fn from(error: TotpError) -> OperateError {
        match error {
            TotpError::On | TotpError::NotBegun | TotpError::WrongCode => {
                OperateError::BadRequest { why: error.to_string() }
            }
            TotpError::Read(error) => error.into(),
            TotpError::Commit(error) => error.into(),
        }
    }
}

/// What a second factor is sealed with, with or without a server.
fn sealed<T>(context: &Context, act: impl FnOnce(&Seal) -> Result<T, OperateError>) -> Result<T, OperateError> {
    match &context.server {
        Some(server) => act(&server.signing.seal),
        None => act(&Seal::of(&context.data).map_err(|error| OperateError::file(&context.data, error))?),
    }
}

fn login(context: &Context, login: &str) -> Result<Login, OperateError> {
    place::login(context, login)
}

impl Operation for TotpOf {
    type Response = TotpState;
    const PATH: &'static str = "/password/totp";
    const LONG: bool = false;

    fn act(&self) -> Act {
        Act::SeePerson
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<TotpState, OperateError> {
        let login = login(context, &self.login)?;
        sealed(context, |seal| Ok(totp::state(&context.store, seal, &login)?))
    }
}

impl Operation for BeginTotp {
    type Response = Enrolment;
    const PATH: &'static str = "/password/totp/begin";
    const LONG: bool = false;

    fn act(&self) -> Act {
        Act::UseOwn
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<Enrolment, OperateError> {
        let login = login(context, &self.login)?;
        let live = context.live.as_ref().ok_or(OperateError::NoServer)?;
        let institution = &live.tables.plan().institution.name;
        sealed(context, |seal| Ok(totp::begin(&context.store, seal, institution, &login)?))
    }
}

impl Operation for ConfirmTotp {
    type Response = Vec<String>;
    const PATH: &'static str = "/password/totp/confirm";
    const LONG: bool = false;

    fn act(&self) -> Act {
        Act::UseOwn
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<Vec<String>, OperateError> {
        let login = login(context, &self.login)?;
        let now_s = clock::unix_s();
        let codes = sealed(context, |seal| Ok(totp::confirm(&context.store, seal, &login, &self.code, now_s)?))?;
        audit(context, &format!("second factor of {login} begun"));
        Ok(codes)
    }
}

impl Operation for EndTotp {
    type Response = bool;
    const PATH: &'static str = "/password/totp/end";
    const LONG: bool = false;

    fn act(&self) -> Act {
        if self.code.is_some() { Act::UseOwn } else { Act::EndSecondFactor }
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<bool, OperateError> {
        let login = login(context, &self.login)?;
        if let Some(code) = &self.code {
            let now_s = clock::unix_s();
            let right = sealed(context, |seal| Ok(totp::opens(&context.store, seal, &login, code, now_s)?))?;
            if !right {
                return Err(TotpError::WrongCode.into());
            }
        }
        let ended = totp::end(&context.store, &login)?;
        if ended {
            audit(context, &format!("second factor of {login} ended"));
        }
        Ok(ended)
    }
}
