//! Signing in by the word of somebody else: out to them, and back with what they gave the browser.
//!
//! The way back ends with a page of ours, not with a redirect: the cookie of a session goes with no request that another site
//! began, and a redirect is still one.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use decide::{Reason, address_key};
use maud::{Markup, html};
use serde::Deserialize;

use super::session::{Proof, Stage};
use super::show::in_query;
use super::sign_in::{asking, begin};
use super::{Portal, Query, Route, Visit, Visitor, Words, cookie, page, words};
use crate::drive;
use crate::vouch::{Brought, Outing};

const OUT: &str = "/sign-in/elsewhere";
const BACK: &str = "/sign-in/back";
/// As long as an outing lasts.
const COOKIE_S: u64 = 600;

pub(super) fn routes() -> Vec<Route> {
    vec![(OUT, get(out)), (BACK, get(back))]
}

/// Where browsers come back to, at a portal of this URL.
pub(super) fn place(at: &str) -> String {
    format!("{at}{BACK}")
}

/// Links to all who vouch. They are no forms: browsers keep a form from leading to another site (CSP `form-action`).
pub(super) fn ways(visit: &Visit, next: &str) -> Markup {
    let next = in_query(page::own_path(next));
    let names: Vec<&str> = visit.portal.ways.names().collect();
    html! {
        @if !names.is_empty() {
            section aria-labelledby="elsewhere" {
                h2 #elsewhere { (visit.say(words::ELSEWHERE)) }
                @for (way, name) in names.iter().enumerate() {
                    p { a .button href={ (OUT) "?way=" (way) "&next=" (next) } {
                        (words::ELSEWHERE_AT.with(visit.language, &[name]))
                    } }
                }
            }
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    way: usize,
    next: String,
}

fn may_go(visit: &Visit) -> bool {
    visit.portal.outings.may(&address_key(visit.address), visit.portal.now_s())
}

async fn out(visit: Visit, State(portal): State<Arc<Portal>>, Query(Asked { way, next }): Query<Asked>) -> Response {
    if matches!(Visitor::of(&visit), Ok(Some(_))) {
        return page::see(&next);
    }
    if !may_go(&visit) {
        return said(&visit, StatusCode::TOO_MANY_REQUESTS, &next, words::ELSEWHERE_LATER);
    }
    let outing = Outing::new(way, page::own_path(&next), portal.now_s());
    let to = match portal.ways.out(&portal.service, &outing).await {
        None => return page::no_such_page(visit).await,
        Some(Ok(url)) => HeaderValue::try_from(url).ok(),
        Some(Err(why)) => {
            tracing::warn!("nobody signs in elsewhere now: {why:?}");
            None
        }
    };
    let Some(to) = to else {
        return said(&visit, StatusCode::SERVICE_UNAVAILABLE, &next, words::ELSEWHERE_LATER);
    };
    let cookie = cookie::set_lax(cookie::OUTING, &outing.id, COOKIE_S);
    (StatusCode::SEE_OTHER, [(header::LOCATION, to), (header::SET_COOKIE, cookie)]).into_response()
}

/// The page of the password, with what went wrong. It is not the page that was asked for: what that was asked with is spent.
fn said(visit: &Visit, code: StatusCode, next: &str, words: Words) -> Response {
    let visit = Visit { path: "/sign-in".to_owned(), ..visit.clone() };
    asking(&visit, code, next, "", Some(words))
}

async fn back(
    visit: Visit,
    State(portal): State<Arc<Portal>>,
    headers: HeaderMap,
    Query(brought): Query<Brought>,
) -> Response {
    let outing = cookie::id(&headers, cookie::OUTING)
        .filter(|_| may_go(&visit))
        .and_then(|id| portal.ways.back(&id, &brought.state, portal.now_s()));
    let mut response = match outing {
        Some(outing) => came_back(&visit, &outing, &brought).await,
        None => said(&visit, StatusCode::UNPROCESSABLE_ENTITY, "/", words::ELSEWHERE_AGAIN),
    };
    response.headers_mut().append(header::SET_COOKIE, cookie::clear(cookie::OUTING));
    response
}

async fn came_back(visit: &Visit, outing: &Outing, brought: &Brought) -> Response {
    let (portal, next) = (&visit.portal, outing.next.as_str());
    let again = |words: Words| said(visit, StatusCode::UNPROCESSABLE_ENTITY, next, words);
    if !brought.error.is_empty() {
        return again(words::ELSEWHERE_GIVEN_UP);
    }
    let judged =
        drive::login::vouched(&portal.service, &visit.peer(), visit.class, &portal.ways, outing, brought).await;
    match judged {
        Ok(logged_in) => {
            let login = logged_in.account.login;
            let cookie = begin(visit, login, logged_in.entered, Stage::SignedIn, Proof::Word);
            onward(visit, next, cookie)
        }
        Err(refusal) if refusal.reason == Reason::AccountState => again(words::LOGIN_DENIED),
        Err(refusal) if refusal.code.is_temporary() => again(words::ELSEWHERE_LATER),
        Err(_) => again(words::ELSEWHERE_NOBODY),
    }
}

/// A page that leads on by itself, and by a link.
fn onward(visit: &Visit, next: &str, cookie: HeaderValue) -> Response {
    let to = page::own_path(next);
    let visit = Visit { path: "/sign-in".to_owned(), ..visit.clone() };
    let body = html! { p { a .button href=(to) { (visit.say(words::CONTINUE)) } } };
    let mut response = page::plain(&visit, StatusCode::OK, words::SIGNED_IN, body);
    if let Ok(refresh) = HeaderValue::try_from(format!("0; url={to}")) {
        response.headers_mut().insert(HeaderName::from_static("refresh"), refresh);
    }
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}
