//! How old the passwords of people are, at a login and at MAIL.

use decide::expiry::{self, Age, PasswordFacts, Use};
use decide::{Reason, Refusal};
use mail::{Login, reply};
use store::PersonRow;

use super::facts::{self, Facts};
use crate::clock;
use crate::service::Service;

impl Facts {
    /// What their age is judged by. A password of another directory is as old as that one lets it be.
    pub fn of_age(&self) -> PasswordFacts {
        let set_s = Some(self.set_s).filter(|set_s| *set_s > 0 && self.bound_s.is_none());
        PasswordFacts { set_s, must_change: self.must_change }
    }
}

/// How old the password of this person is.
pub fn age(service: &Service, row: &PersonRow) -> Age {
    expiry::age(service.tables.plan(), Facts::read(&row.secret).of_age(), clock::unix_s())
}

/// May they send, by the age of their password?
pub fn may_send(service: &Service, login: &Login) -> Result<(), Refusal> {
    let plan = service.tables.plan();
    let facts = facts::of(&service.store, login).map_err(|error| unreadable(&error))?;
    expiry::opens(plan, expiry::age(plan, facts.of_age(), clock::unix_s()), Use::Send)
}

fn unreadable(error: &store::ReadError) -> Refusal {
    tracing::error!("the directory cannot be read: {error}");
    Refusal::new(reply::AUTH_LATER, Reason::StoreTrouble, "", "passwords cannot be looked at now, try later")
}
