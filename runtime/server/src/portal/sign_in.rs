//! Signing in and out. The password goes through the same check as over IMAP: the same limits, the same delays.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use maud::html;
use proto::sasl::{Claim, Credentials, Secret};
use serde::Deserialize;

use super::session::{Session, Stage};
use super::{Field, Form, Portal, Route, Visit, Visitor, Words, cookie, field, form, page, summary, words};
use crate::clock;
use crate::drive::login::authenticate;

pub(super) fn routes() -> Vec<Route> {
    vec![("/sign-in", get(asked).post(tried)), ("/sign-out", post(out)), ("/language", post(language))]
}

/// Where to go after it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Next {
    next: String,
}

/// The way of somebody who is not signed in: over the form and back to the page that was asked for.
pub(super) fn first(visit: &Visit, method: &Method) -> Response {
    if method == Method::GET && visit.path != "/" {
        let path = visit.path.replace('%', "%25").replace('&', "%26").replace('+', "%2B").replace('#', "%23");
        return page::see(&format!("/sign-in?next={path}"));
    }
    page::see("/sign-in")
}

async fn asked(visit: Visit, Query(Next { next }): Query<Next>) -> Response {
    if matches!(Visitor::of(&visit), Ok(Some(_))) {
        return page::see(&next);
    }
    asking(&visit, StatusCode::OK, &next, "", None)
}

fn asking(visit: &Visit, code: StatusCode, next: &str, login: &str, wrong: Option<Words>) -> Response {
    let wrong: Vec<(&str, String)> = wrong.map(|words| ("login", visit.say(words).to_owned())).into_iter().collect();
    let fields = html! {
        input type="hidden" name="next" value=(page::own_path(next));
        (field(Field { name: "login", label: visit.say(words::LOGIN), value: login, autocomplete: "username", ..Field::default() }))
        (field(Field {
            name: "password", label: visit.say(words::PASSWORD), kind: "password", autocomplete: "current-password",
            ..Field::default()
        }))
        button { (visit.say(words::SIGN_IN)) }
    };
    let body = html! { (summary(visit, &wrong)) (form(visit, "/sign-in", fields)) };
    page::plain(visit, code, words::SIGN_IN, body)
}

#[derive(Deserialize)]
struct Tried {
    login: String,
    password: String,
    #[serde(default)]
    next: String,
}

async fn tried(visit: Visit, State(portal): State<Arc<Portal>>, Form(tried): Form<Tried>) -> Response {
    let Tried { login, password, next } = tried;
    if login.trim().is_empty() || password.is_empty() {
        return asking(&visit, StatusCode::UNPROCESSABLE_ENTITY, &next, &login, Some(words::LOGIN_AND_PASSWORD));
    }
    let claim = Claim::Password(Credentials { login: login.trim().to_owned(), secret: Secret::new(password) });
    match authenticate(&portal.service, &visit.peer(), visit.class, &claim).await {
        Ok(logged_in) => enter(&visit, logged_in.account.login, &next),
        Err(refusal) => {
            let said = if refusal.code.is_temporary() { words::LOGIN_LATER } else { words::LOGIN_WRONG };
            asking(&visit, StatusCode::UNPROCESSABLE_ENTITY, &next, &login, Some(said))
        }
    }
}

/// Begins a session under a new secret; what the browser had before opens nothing.
fn enter(visit: &Visit, login: mail::Login, next: &str) -> Response {
    let portal = &visit.portal;
    portal.sessions.end(&visit.form_id);
    let session = Session {
        login,
        stage: Stage::SignedIn,
        since_s: clock::unix_s(),
        address: visit.address,
        program: visit.program.clone(),
        number: 0,
    };
    let id = portal.sessions.begin(session, portal.now_s());
    let mut response = page::see(next);
    response.headers_mut().append(header::SET_COOKIE, cookie::set(cookie::SESSION, &id));
    response
}

async fn out(visit: Visit) -> Response {
    visit.portal.sessions.end(&visit.form_id);
    let mut response = page::see("/sign-in");
    response.headers_mut().append(header::SET_COOKIE, cookie::clear(cookie::SESSION));
    response
}

#[derive(Deserialize)]
struct Chosen {
    language: String,
    back: String,
}

async fn language(Form(chosen): Form<Chosen>) -> Response {
    let mut response = page::see(&chosen.back);
    if let Some(language) = words::language(&chosen.language) {
        response.headers_mut().append(header::SET_COOKIE, cookie::language(words::tag(language)));
    }
    response
}
