//! The portal: pages for people over HTTPS, rendered here (`page`), without any script in the browser.
//!
//! A request goes through one gate (`gate`): the host, the network, the session, and for what changes something the origin
//! and the form's token. Only then does a page see it, as a [`Visit`], or as a [`Visitor`] who is signed in. A page changes
//! nothing by itself: it runs the same operation as the command line ([`act`]).
//!
//! INVARIANT (one-gate): every answer leaves through `gate`, which puts the same header on all of them.

mod accessibility;
mod act;
mod activity;
mod address_book;
mod app_passwords;
mod cookie;
mod corrections;
mod elsewhere;
mod form;
mod gate;
mod home;
mod manage;
mod pace;
mod page;
mod password;
pub(crate) mod patience;
mod query;
mod redirect;
mod second_factor;
mod serve;
mod session;
mod setup;
mod sharing;
mod show;
mod sign_in;
mod storage;
mod style;
mod visit;
mod words;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use axum::Router;
use axum::routing::MethodRouter;

use crate::service::Service;
use crate::vouch::Ways;
use pace::Pace;
use session::Sessions;
use storage::Archives;

pub(crate) use act::{act, with_context};
pub(crate) use form::{Field, Form, field, form, summary};
pub(crate) use page::{back, page};
pub(crate) use query::{Path, Query};
pub(crate) use serve::{Door, serve};
pub(crate) use visit::{Visit, Visitor};
pub(crate) use words::Words;

/// Searches of the address book in a minute.
const SEARCHES_MAX: u32 = 30;
/// Ways out to who vouches, and ways back, in a minute and from one address; many people may share one.
const OUTINGS_MAX: u32 = 240;

/// What all requests share.
#[derive(Clone)]
pub(crate) struct Portal {
    pub service: Arc<Service>,
    pub sessions: Arc<Sessions>,
    pub rules: plan::Portal,
    /// Host of its URL, with a port where it has one.
    pub host: String,
    /// Of the tokens in forms; another one after each start.
    key: [u8; 32],
    started: Instant,
    /// Who takes an archive now.
    archives: Arc<Archives>,
    /// How often each looks into the address book.
    searches: Arc<Pace>,
    /// Who vouches for people besides their passwords.
    ways: Arc<Ways>,
    /// How often each address goes out to them.
    outings: Arc<Pace>,
}

/// A page and what answers there.
pub(crate) type Route = (&'static str, MethodRouter<Arc<Portal>>);

/// All pages. A part of the portal has a function like this one.
fn routes() -> Vec<Route> {
    let parts = [
        home::routes(),
        password::routes(),
        storage::routes(),
        app_passwords::routes(),
        second_factor::routes(),
        activity::routes(),
        redirect::routes(),
        corrections::routes(),
        address_book::routes(),
        sharing::routes(),
        setup::routes(),
        manage::routes(),
        sign_in::routes(),
        elsewhere::routes(),
        accessibility::routes(),
        style::routes(),
    ];
    parts.into_iter().flatten().collect()
}

fn router(portal: &Arc<Portal>) -> Router {
    let all = routes().into_iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods));
    let all = all.fallback(page::no_such_page).method_not_allowed_fallback(page::not_this_way);
    let gate = axum::middleware::from_fn_with_state(portal.clone(), gate::pass);
    all.layer(gate).with_state(portal.clone())
}

/// What [`serve`] answers from at every door, if the plan has a portal.
pub(crate) fn front(service: &Arc<Service>) -> Option<Arc<Front>> {
    let rules = service.tables.plan().portal.clone()?;
    let portal = Arc::new(Portal {
        service: service.clone(),
        sessions: Arc::new(Sessions::new(rules.idle_s, rules.session_at_most_s)),
        host: host(&rules),
        key: crate::random::octets(),
        started: Instant::now(),
        archives: Arc::default(),
        searches: Arc::new(Pace::new(SEARCHES_MAX)),
        ways: ways(service, &rules),
        outings: Arc::new(Pace::new(OUTINGS_MAX)),
        rules,
    });
    Some(Arc::new(Front::new(portal)))
}

fn ways(service: &Service, rules: &plan::Portal) -> Arc<Ways> {
    Arc::new(Ways::new(&service.tables.plan().identity.sign_in, &service.site, elsewhere::place(&rules.at)))
}

/// The host of its URL.
fn host(rules: &plan::Portal) -> String {
    rules.at.strip_prefix("https://").unwrap_or(&rules.at).to_ascii_lowercase()
}

/// The portal under the plan that runs now: each request asks for it.
pub(crate) struct Front {
    current: RwLock<(Arc<Portal>, Router)>,
}

impl Front {
    fn new(portal: Arc<Portal>) -> Front {
        let router = router(&portal);
        Front { current: RwLock::new((portal, router)) }
    }

    /// A plan without a portal leaves it as it was: its doors are closed by a restart.
    fn now(&self) -> (Arc<Portal>, Router) {
        let (portal, router) = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        let service = portal.service.current();
        let rules = service.tables.plan().portal.clone();
        let Some(rules) = rules.filter(|_| !Arc::ptr_eq(&service, &portal.service)) else { return (portal, router) };
        // One of those who see a new plan makes its portal; a second one would have ways of its own that nobody comes back by.
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let (portal, router) = current.clone();
        if Arc::ptr_eq(&service, &portal.service) {
            return (portal, router);
        }
        portal.sessions.bound(rules.idle_s, rules.session_at_most_s);
        // Who is on the way out comes back, unless the ways themselves are others.
        let before = &portal.service.tables.plan().identity.sign_in;
        let are_same = *before == service.tables.plan().identity.sign_in && portal.rules.at == rules.at;
        let ways = if are_same { portal.ways.clone() } else { self::ways(&service, &rules) };
        let new = Arc::new(Portal { service, host: host(&rules), rules, ways, ..(*portal).clone() });
        let both = (new.clone(), self::router(&new));
        *current = both.clone();
        both
    }
}

impl Portal {
    /// Monotonic seconds, for sessions.
    pub fn now_s(&self) -> u64 {
        self.started.elapsed().as_secs()
    }
}
