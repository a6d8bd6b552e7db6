//! The portal: pages for people over HTTPS, rendered here (`page`), without any script in the browser.
//!
//! A request goes through one gate (`gate`): the host, the network, the session, and for what changes something the origin
//! and the form's token. Only then does a page see it, as a [`Visit`], or as a [`Visitor`] who is signed in. A page changes
//! nothing by itself: it runs the same operation as the command line ([`act`]).
//!
//! INVARIANT (one-gate): every answer leaves through `gate`, which puts the same header on all of them.

mod act;
mod cookie;
mod form;
mod gate;
mod home;
mod page;
mod patience;
mod serve;
mod session;
mod sign_in;
mod style;
mod visit;
mod words;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::routing::MethodRouter;

use crate::service::Service;
use session::Sessions;

pub(crate) use act::act;
pub(crate) use form::{Field, Form, field, form, summary};
pub(crate) use page::{back, page};
pub(crate) use serve::{Door, serve};
pub(crate) use visit::{Visit, Visitor};
pub(crate) use words::Words;

/// What all requests share.
pub(crate) struct Portal {
    pub service: Arc<Service>,
    pub sessions: Sessions,
    pub rules: Rules,
    /// Of the tokens in forms; another one after each start.
    key: [u8; 32],
    started: Instant,
}

/// What the plan says of the portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Host, with a port where it is not 443.
    pub host: String,
    pub idle_s: u64,
    pub session_at_most_s: u64,
}

/// A page and what answers there.
pub(crate) type Route = (&'static str, MethodRouter<Arc<Portal>>);

/// All pages. A part of the portal has a function like this one.
fn routes() -> Vec<Route> {
    [home::routes(), sign_in::routes(), style::routes()].into_iter().flatten().collect()
}

fn router(portal: &Arc<Portal>) -> Router {
    let all = routes().into_iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods));
    let all = all.fallback(page::no_such_page).method_not_allowed_fallback(page::not_this_way);
    let gate = axum::middleware::from_fn_with_state(portal.clone(), gate::pass);
    all.layer(gate).with_state(portal.clone())
}

impl Portal {
    /// The portal of a service whose plan has one.
    pub fn new(service: Arc<Service>, rules: Rules) -> Arc<Portal> {
        let sessions = Sessions::new(rules.idle_s, rules.session_at_most_s);
        Arc::new(Portal { service, sessions, rules, key: crate::random::octets(), started: Instant::now() })
    }

    /// Monotonic seconds, for sessions.
    pub fn now_s(&self) -> u64 {
        self.started.elapsed().as_secs()
    }
}
