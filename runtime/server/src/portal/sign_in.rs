//! Signing in and out. The password goes through the same check as over IMAP: the same limits, the same delays.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use decide::Reason;
use mail::Login;
use maud::html;
use proto::sasl::{Credentials, Secret};
use serde::Deserialize;

use super::session::{Proof, Session, Stage};
use super::show::in_query;
use super::{
    Field, Form, Portal, Query, Route, Visit, Visitor, Words, cookie, elsewhere, field, form, page, summary, words,
};
use crate::clock;
use crate::drive;
use crate::passwords::totp;
use crate::sessions::Entered;

/// Where a code is asked for.
const CODE: &str = "/sign-in/code";

pub(super) fn routes() -> Vec<Route> {
    vec![
        ("/sign-in", get(asked).post(tried)),
        (CODE, get(code_asked).post(code_shown)),
        ("/sign-out", post(out)),
        ("/language", post(language)),
    ]
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
        return page::see(&format!("/sign-in?next={}", in_query(&visit.path)));
    }
    page::see("/sign-in")
}

async fn asked(visit: Visit, Query(Next { next }): Query<Next>) -> Response {
    if matches!(Visitor::of(&visit), Ok(Some(_))) {
        return page::see(&next);
    }
    asking(&visit, StatusCode::OK, &next, "", None)
}

pub(super) fn asking(visit: &Visit, code: StatusCode, next: &str, login: &str, wrong: Option<Words>) -> Response {
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
    let body = html! { (summary(visit, &wrong)) (form(visit, "/sign-in", fields)) (elsewhere::ways(visit, next)) };
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
    let login = login.trim();
    let again = |said: Words| asking(&visit, StatusCode::UNPROCESSABLE_ENTITY, &next, login, Some(said));
    if login.is_empty() || password.is_empty() {
        return again(words::LOGIN_AND_PASSWORD);
    }
    let service = &portal.service;
    let secret = Secret::new(password);
    match is_app_password(&portal, login, &secret) {
        Ok(false) => {}
        Ok(true) => return again(words::APP_PASSWORD_HERE),
        Err(error) => return page::unreadable(&visit, &error),
    }
    let credentials = Credentials { login: login.to_owned(), secret };
    let logged_in = match drive::login::sign_in(service, &visit.peer(), visit.class, credentials).await {
        Ok(logged_in) => logged_in,
        Err(refusal) if refusal.reason == Reason::AccountState => return again(words::LOGIN_DENIED),
        Err(refusal) if refusal.code.is_temporary() => return again(words::LOGIN_LATER),
        Err(_) => return again(words::LOGIN_WRONG),
    };
    let login = logged_in.account.login;
    match totp::state(&service.store, &service.signing.seal, &login) {
        Ok(state) if state.is_on => {
            let to = format!("{CODE}?next={}", in_query(page::own_path(&next)));
            enter(&visit, login, logged_in.entered, Stage::NeedsCode { wrong: 0 }, &to)
        }
        Ok(_) => enter(&visit, login, logged_in.entered, Stage::SignedIn, &next),
        Err(error) => page::unreadable(&visit, &error),
    }
}

/// App passwords are for mail programs: whoever finds one in a telephone must not find everything.
fn is_app_password(portal: &Portal, login: &str, secret: &Secret) -> Result<bool, store::ReadError> {
    let store = &portal.service.store;
    let Some(row) = Login::new(login).map(|login| store.person(&login)).transpose()?.flatten() else {
        return Ok(false);
    };
    portal.service.app_passwords.is_one(store, &row.person.login, secret)
}

/// Begins a session under a new secret; what the browser had before opens nothing.
fn enter(visit: &Visit, login: Login, entered: Option<Entered>, stage: Stage, to: &str) -> Response {
    let mut response = page::see(to);
    let cookie = begin(visit, login, entered, stage, Proof::Password);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// The cookie of a new session.
pub(super) fn begin(visit: &Visit, login: Login, entered: Option<Entered>, stage: Stage, proof: Proof) -> HeaderValue {
    let portal = &visit.portal;
    portal.sessions.end(&visit.form_id);
    let session = Session {
        login,
        stage,
        proof,
        since_s: clock::unix_s(),
        address: visit.address,
        program: visit.program.clone(),
        number: 0,
    };
    let id = portal.sessions.begin(session, entered, portal.now_s());
    cookie::set(cookie::SESSION, &id)
}

/// Who showed the password and owes the code.
fn owes_code(visit: &Visit) -> Option<Login> {
    let session = visit.session.as_ref()?;
    matches!(session.stage, Stage::NeedsCode { .. }).then(|| session.login.clone())
}

async fn code_asked(visit: Visit, Query(Next { next }): Query<Next>) -> Response {
    if owes_code(&visit).is_none() {
        return page::see("/sign-in");
    }
    asking_code(&visit, StatusCode::OK, &next, None)
}

fn asking_code(visit: &Visit, code: StatusCode, next: &str, wrong: Option<Words>) -> Response {
    let error = wrong.map_or("", |words| visit.say(words));
    let wrong: Vec<(&str, String)> = wrong.map(|words| ("code", visit.say(words).to_owned())).into_iter().collect();
    let fields = html! {
        input type="hidden" name="next" value=(page::own_path(next));
        (field(Field {
            name: "code", label: visit.say(words::CODE), hint: visit.say(words::CODE_HINT), error,
            autocomplete: "one-time-code", ..Field::default()
        }))
        button { (visit.say(words::SIGN_IN)) }
    };
    let body = html! { (summary(visit, &wrong)) (form(visit, CODE, fields)) };
    page::plain(visit, code, words::CODE_TITLE, body)
}

#[derive(Deserialize)]
struct Shown {
    code: String,
    #[serde(default)]
    next: String,
}

async fn code_shown(visit: Visit, State(portal): State<Arc<Portal>>, Form(shown): Form<Shown>) -> Response {
    let Some(login) = owes_code(&visit) else { return page::see("/sign-in") };
    let (service, peer, class, code) = (portal.service.clone(), visit.peer(), visit.class, shown.code);
    let of = login.clone();
    let checked = tokio::task::spawn_blocking(move || totp::check(&service, &peer, class, &of, code.trim())).await;
    match checked {
        Ok(Ok(())) => {
            let entered = portal.sessions.end(&visit.form_id).and_then(|(_, entered)| entered);
            enter(&visit, login, entered, Stage::SignedIn, &shown.next)
        }
        Ok(Err(refusal)) if !refusal.code.is_temporary() => {
            if portal.sessions.wrong_code(&visit.form_id) {
                return asking_code(&visit, StatusCode::UNPROCESSABLE_ENTITY, &shown.next, Some(words::CODE_WRONG));
            }
            asking(&visit, StatusCode::UNPROCESSABLE_ENTITY, &shown.next, "", Some(words::CODES_OVER))
        }
        Ok(Err(_)) | Err(_) => {
            asking_code(&visit, StatusCode::UNPROCESSABLE_ENTITY, &shown.next, Some(words::LOGIN_LATER))
        }
    }
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
