//! `facteur person state`, `suspend`, `resume`, `hold`, `release`, `close`, `leave`, `contain`, `erase`: where accounts stand.

mod change;
mod contain;
mod erase;
mod shown;

use std::sync::Arc;

use mail::Login;

use super::{Context, OperateError};
use crate::service::Service;
use crate::standing::{ChangeError, Standings, keep};

pub use change::{ChangeState, LeaveOn, StateAct};
pub use contain::{ContainPerson, ContainedPerson, HeldOfPerson, UncontainedPerson, UndoContain};
pub use erase::ErasePerson;
pub use shown::{ShownChange, ShownGiven, ShownLock, ShownSession, ShownState, StateOf};

/// Where accounts stand: as the server has it, else as the store does.
fn with<T>(context: &Context, act: impl FnOnce(&Standings, Option<&Arc<Service>>) -> T) -> T {
    match &context.server {
        Some(service) => act(&service.standings, Some(service)),
        None => act(&Standings::default(), None),
    }
}

fn failed(login: &Login, error: ChangeError) -> OperateError {
    match error {
        ChangeError::NoSuchPerson => OperateError::NoSuchLogin { login: login.to_string() },
        ChangeError::Read(error) => error.into(),
        ChangeError::Commit(error) => error.into(),
        ChangeError::Spool(why) => OperateError::Store { why },
    }
}

/// Does at once what the change makes due. Without a server it is done when one starts.
fn looked_at(context: &Context, login: &Login) -> Result<(), OperateError> {
    match &context.server {
        Some(service) => keep::look_at(service, login).map_err(|error| failed(login, error)),
        None => Ok(()),
    }
}

/// A day, or an error that says what a day is.
fn day(text: &str) -> Result<String, OperateError> {
    let sound = text.len() == "2026-11-30".len() && text.parse::<jiff::civil::Date>().is_ok();
    if sound { Ok(text.to_owned()) } else { Err(OperateError::BadDate { text: text.to_owned() }) }
}

/// Today where the institution is; in UTC where no server knows.
fn today(context: &Context) -> String {
    match &context.live {
        Some(live) => live.today.clone(),
        None => jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string(),
    }
}
