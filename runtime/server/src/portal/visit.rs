//! Who asks for a page: a [`Visit`] for everybody, a [`Visitor`] for who is signed in.

use std::convert::Infallible;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use decide::ClassId;
use decide::expiry::Age;
use decide::roles::Held;
use mail::{Login, Person};
use plan::{Language, RoleName, SecondFactor};

use super::cookie::Id;
use super::session::{Proof, Session, Stage};
use super::words::Words;
use super::{Portal, page, password, second_factor, sign_in, words};
use crate::outcome::Peer;
use crate::passwords::{expiry, totp};
use crate::roles::roles_of;

/// A request that passed the gate.
#[derive(Clone)]
pub(crate) struct Visit {
    pub portal: Arc<Portal>,
    pub language: Language,
    /// The address decisions see.
    pub address: IpAddr,
    /// The socket's.
    pub client: IpAddr,
    pub class: ClassId,
    /// Path and query.
    pub path: String,
    /// What the browser calls itself.
    pub program: String,
    /// What the tokens of its forms are bound to: the secret of the session, or that of a visitor nobody knows.
    pub(super) form_id: Id,
    pub(super) session: Option<Session>,
}

impl Visit {
    /// These words in the language of the visit.
    pub fn say(&self, words: Words) -> &'static str {
        words.in_language(self.language)
    }

    /// Does it come from one of these networks?
    pub fn is_from(&self, networks: &[String]) -> bool {
        let tables = &self.portal.service.tables;
        let network = tables.class_name(tables.class_network(self.class));
        networks.iter().any(|name| name == network)
    }

    /// As logs and the limits on guessing know it.
    pub fn peer(&self) -> Peer {
        let class = self.portal.service.tables.class_name(self.class).to_owned();
        Peer { listener: "portal".to_owned(), class, client: self.client, seen_as: self.address }
    }

    /// The token of a form that is posted to `action`.
    pub fn token(&self, action: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.token_hash(action).as_bytes())
    }

    /// Is this the token of `action`? Compared in constant time.
    pub fn is_token(&self, action: &str, token: &str) -> bool {
        let octets = URL_SAFE_NO_PAD.decode(token).ok().and_then(|octets| <[u8; 32]>::try_from(octets).ok());
        octets.is_some_and(|octets| self.token_hash(action) == octets)
    }

    fn token_hash(&self, action: &str) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.portal.key);
        hasher.update(&self.form_id).update(action.as_bytes());
        hasher.finalize()
    }
}

impl FromRequestParts<Arc<Portal>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Portal>) -> Result<Visit, Response> {
        // INVARIANT (one-gate): the gate put it there.
        parts.extensions.get::<Visit>().cloned().ok_or_else(|| axum::http::StatusCode::BAD_REQUEST.into_response())
    }
}

/// Somebody who is signed in.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub visit: Visit,
    pub login: Login,
    pub person: Person,
    /// What they hold now.
    pub roles: Held,
    /// Their password is too old, or others have read it: all they may do here is change it.
    pub must_change: bool,
    /// They showed their password here; else somebody vouched for them.
    by_password: bool,
}

impl Deref for Visitor {
    type Target = Visit;

    fn deref(&self) -> &Visit {
        &self.visit
    }
}

impl Visitor {
    /// Who it is; `None` when nobody is signed in or the person is gone.
    pub fn of(visit: &Visit) -> Result<Option<Visitor>, store::ReadError> {
        let Some(session) = visit.session.as_ref().filter(|session| session.stage == Stage::SignedIn) else {
            return Ok(None);
        };
        let service = &visit.portal.service;
        let Some(row) = service.store.person(&session.login)? else { return Ok(None) };
        let by_password = session.proof == Proof::Password;
        let must_change = by_password && matches!(expiry::age(service, &row), Age::Ended { .. } | Age::Given);
        Ok(Some(Visitor {
            visit: visit.clone(),
            login: row.person.login.clone(),
            person: row.person,
            roles: roles_of(service, &session.login)?,
            must_change,
            by_password,
        }))
    }

    /// For a page of a role: an answer that says why not, unless `allowed`, and unless they come from a network where
    /// managers find their pages.
    #[expect(clippy::result_large_err, reason = "it is the answer, made at most once a request")]
    pub fn must(&self, allowed: bool) -> Result<(), Response> {
        if !allowed {
            return Err(page::problem(self, StatusCode::FORBIDDEN, words::NOT_YOURS));
        }
        if !self.is_from(&self.portal.rules.managers_from) {
            return Err(page::problem(self, StatusCode::FORBIDDEN, words::NOT_FROM_THERE));
        }
        Ok(())
    }

    /// Do their roles ask for a second factor they do not have?
    fn lacks_second_factor(&self) -> Result<bool, store::ReadError> {
        let service = &self.portal.service;
        let SecondFactor::RequiredFor(roles) = &service.tables.plan().identity.password.second_factor else {
            return Ok(false);
        };
        if !self.by_password {
            return Ok(false);
        }
        let holds = |role: &RoleName| match role {
            RoleName::Correspondent => !self.roles.correspondent_of.is_empty(),
            RoleName::Manager => self.roles.manager,
            RoleName::Administrator => self.roles.administrator,
        };
        Ok(roles.iter().any(holds) && !totp::state(&service.store, &service.signing.seal, &self.login)?.is_on)
    }
}

/// Where somebody has to go before the page they asked for. One thing after the other, the password first: who lacks both
/// is not sent from one to the other.
fn first_to(asked: &str, must_change: bool, lacks_second_factor: bool) -> Option<&'static str> {
    let to = match (must_change, lacks_second_factor) {
        (true, _) => password::PATH,
        (false, true) => second_factor::PATH,
        (false, false) => return None,
    };
    let is_there = asked.strip_prefix(to).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    (!is_there).then_some(to)
}

impl FromRequestParts<Arc<Portal>> for Visitor {
    type Rejection = Response;

    /// Who is not signed in is asked to sign in first.
    async fn from_request_parts(parts: &mut Parts, portal: &Arc<Portal>) -> Result<Visitor, Response> {
        let visit = Visit::from_request_parts(parts, portal).await?;
        let asked = visit.path.split('?').next().unwrap_or_default();
        match Visitor::of(&visit).and_then(|visitor| {
            let lacks = visitor.as_ref().map_or(Ok(false), Visitor::lacks_second_factor)?;
            Ok(visitor.map(|visitor| (visitor, lacks)))
        }) {
            Ok(Some((visitor, lacks))) => match first_to(asked, visitor.must_change, lacks) {
                Some(path) => Err(page::see(path)),
                None => Ok(visitor),
            },
            Ok(None) => Err(sign_in::first(&visit, &parts.method)),
            Err(error) => Err(page::unreadable(&visit, &error)),
        }
    }
}

impl axum::extract::OptionalFromRequestParts<Arc<Portal>> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Portal>) -> Result<Option<Visitor>, Infallible> {
        Ok(parts.extensions.get::<Visit>().and_then(|visit| Visitor::of(visit).ok().flatten()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_comes_first_then_the_second_factor_and_nobody_goes_in_circles() {
        let (password, factor) = (Some(password::PATH), Some(second_factor::PATH));
        for (asked, must_change, lacks, first) in [
            ("/", false, false, None),
            ("/", true, false, password),
            ("/", false, true, factor),
            ("/", true, true, password),
            ("/password", true, true, None),
            ("/password", true, false, None),
            ("/password", false, true, factor),
            ("/second-factor", true, true, password),
            ("/second-factor", true, false, password),
            ("/second-factor", false, true, None),
            ("/second-factor/confirm", false, true, None),
            ("/second-factors", false, true, factor),
        ] {
            assert_eq!(first_to(asked, must_change, lacks), first, "{asked} {must_change} {lacks}");
            if let Some(path) = first {
                assert_eq!(first_to(path, must_change, lacks), None, "{path} is where it ends");
            }
        }
    }
}
