//! An account somebody else uses is contained: nothing opens it, nothing of it goes out, and mail comes in as before. It is one
//! commit, and so is its end: logins, MAIL and what waits in the spool ask at each try, so that nothing is half done.

use std::sync::Arc;

use mail::Login;
use store::{Op, Store};

use super::{ChangeError, Contained, Lock, Standings};
use crate::compromise::held_of;
use crate::service::Service;
use crate::verifier::is_locked;
use crate::{clock, redirects};

/// What containing came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    pub sessions: usize,
    /// Messages that are held, or let go.
    pub messages: u64,
    /// Mail went on elsewhere, or does again.
    pub redirect: bool,
    /// Undone: the old password opens the account again.
    pub opens: bool,
}

/// Contains `login`.
pub fn contain(
    store: &Store,
    standings: &Standings,
    server: Option<&Arc<Service>>,
    (login, because, by): (&Login, &str, &str),
) -> Result<Done, ChangeError> {
    let row = store.person(login)?.ok_or(ChangeError::NoSuchPerson)?;
    let redirect = redirects::kept(store, login)?;
    let verifier = row.verifier.unwrap_or_default();
    let mut ops = vec![redirects::op(login, None)];
    if !is_locked(&verifier) {
        // As in shadow(5): what opened it is kept behind the mark, and opens nothing.
        ops.push(Op::SetVerifier { login: login.clone(), verifier: format!("!{verifier}") });
    }
    let at_s = clock::unix_s();
    let what = format!("{login} is contained: {because}");
    tracing::info!(who = by, "audit: {what}");
    ops.push(Op::Audit { at_s, who: by.to_owned(), what });
    standings.change_with(store, login, ops, Some(at_s), |standing| {
        let lock = Lock { because: because.to_owned(), rule: String::new(), by: by.to_owned(), at_s, until_s: None };
        let before = standing.sending_locked.replace(lock);
        standing.contained.get_or_insert(Contained {
            because: because.to_owned(),
            by: by.to_owned(),
            at_s,
            redirect: redirect.clone(),
            sending_locked: before,
        });
    })?;
    let mut done = Done { redirect: redirect.is_some(), ..Done::default() };
    if let Some(service) = server {
        service.redirects.put(login, None);
        service.passwords.forget(login);
        done.sessions = service.sessions.end(login);
    }
    done.messages = held_of(store, login.as_str())?.len() as u64;
    Ok(done)
}

/// Puts everything back as it was, but for the sessions. The old password opens the account again only where that is wanted:
/// it is what was stolen. One that was set meanwhile stays.
pub fn undo(
    store: &Store,
    standings: &Standings,
    server: Option<&Arc<Service>>,
    (login, old_password, by): (&Login, bool, &str),
) -> Result<Option<Done>, ChangeError> {
    let row = store.person(login)?.ok_or(ChangeError::NoSuchPerson)?;
    let standing = super::Standing::read(login, &row.standing);
    let Some(contained) = standing.contained else { return Ok(None) };
    let verifier = row.verifier.unwrap_or_default();
    let mut ops = Vec::new();
    let mut opens = !is_locked(&verifier);
    if let Some(old) = verifier.strip_prefix('!').filter(|_| old_password) {
        ops.push(Op::SetVerifier { login: login.clone(), verifier: old.to_owned() });
        opens = true;
    }
    let redirect = match redirects::kept(store, login)? {
        Some(newer) => Some(newer),
        None => contained.redirect.clone(),
    };
    ops.push(redirects::op(login, redirect.as_ref()));
    let what = format!("{login} is contained no more{}", if old_password { ", with the old password" } else { "" });
    tracing::info!(who = by, "audit: {what}");
    ops.push(Op::Audit { at_s: clock::unix_s(), who: by.to_owned(), what });
    standings.change_with(store, login, ops, Some(clock::unix_s()), |standing| {
        if let Some(contained) = standing.contained.take() {
            standing.sending_locked = contained.sending_locked;
        }
    })?;
    let messages = held_of(store, login.as_str())?.len() as u64;
    let done = Done { sessions: 0, messages, redirect: redirect.is_some(), opens };
    if let Some(service) = server {
        // What a detector held waits on.
        if standings.of(login).outgoing_hold(clock::unix_s()).is_none() {
            crate::compromise::release(service, login).map_err(ChangeError::Spool)?;
        }
        service.redirects.put(login, redirect);
        service.passwords.forget(login);
    }
    Ok(Some(done))
}
