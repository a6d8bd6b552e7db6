//! Changing one's password. It asks for the old one, under the same limits as a sign-in.

use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};
use proto::sasl::{Credentials, Secret};
use serde::Deserialize;

use super::{Field, Form, Route, Visitor, act, cookie, field, form, page, summary, words};
use crate::drive;
use crate::operate::{OperateError, SetPassword};

pub(super) const PATH: &str = "/password";

pub(super) fn routes() -> Vec<Route> {
    vec![(PATH, get(shown).post(changed))]
}

/// May passwords be changed from where the visitor is? A plan that bounds it nowhere lets everybody.
fn may_change(visitor: &Visitor) -> bool {
    let from = &visitor.portal.service.tables.plan().identity.password.change_from;
    from.is_empty() || visitor.is_from(from)
}

async fn shown(visitor: Visitor) -> Response {
    if !may_change(&visitor) {
        return page(&visitor, words::CHANGE_PASSWORD, not_from_here(&visitor));
    }
    page(&visitor, words::CHANGE_PASSWORD, asking(&visitor, &[]))
}

/// Why not, in words, whose rule it is and what to do.
fn not_from_here(visitor: &Visitor) -> Markup {
    let plan = visitor.portal.service.tables.plan();
    html! {
        p .lead .refused { (visitor.say(words::PASSWORD_NOT_FROM_HERE)) }
        p { (visitor.say(words::PASSWORD_FROM_INSIDE)) }
        @if !plan.institution.contact.is_empty() {
            p { (words::ASK.with(visitor.language, &[&plan.institution.contact])) }
        }
    }
}

fn asking(visitor: &Visitor, wrong: &[(&str, String)]) -> Markup {
    let error = |name: &str| wrong.iter().find(|(field, _)| *field == name).map_or("", |(_, said)| said.as_str());
    let one = |name, label, hint, autocomplete| {
        field(Field {
            name,
            label: visitor.say(label),
            hint,
            kind: "password",
            autocomplete,
            error: error(name),
            ..Field::default()
        })
    };
    let months = visitor.portal.service.tables.plan().identity.password.renew_every_months;
    html! {
        (summary(visitor, wrong))
        @if visitor.must_change { p .warning { strong { (visitor.say(words::PASSWORD_ENDED)) } } }
        @if months > 0 { p { (words::PASSWORD_EVERY.with(visitor.language, &[&months])) } }
        (form(visitor, PATH, html! {
            // Password managers want to know whose it is.
            input type="text" name="username" value=(visitor.login) autocomplete="username" readonly hidden;
            (one("old", words::PASSWORD_OLD, "", "current-password"))
            (one("new", words::PASSWORD_NEW, visitor.say(words::PASSWORD_HINT), "new-password"))
            (one("again", words::PASSWORD_AGAIN, "", "new-password"))
            button { (visitor.say(words::CHANGE_PASSWORD)) }
        }))
    }
}

#[derive(Deserialize)]
struct Typed {
    old: String,
    new: String,
    again: String,
}

async fn changed(visitor: Visitor, Form(Typed { old, new, again }): Form<Typed>) -> Response {
    if !may_change(&visitor) {
        return page::page_with(&visitor, StatusCode::FORBIDDEN, words::CHANGE_PASSWORD, not_from_here(&visitor));
    }
    let correct = |wrong: &[(&str, String)]| {
        page::page_with(&visitor, StatusCode::UNPROCESSABLE_ENTITY, words::CHANGE_PASSWORD, asking(&visitor, wrong))
    };
    if new != again {
        return correct(&[("again", visitor.say(words::PASSWORD_DIFFERS).to_owned())]);
    }
    let login = visitor.login.to_string();
    let credentials = Credentials { login: login.clone(), secret: Secret::new(old) };
    let service = &visitor.portal.service;
    if let Err(refusal) = drive::login::sign_in(service, &visitor.peer(), visitor.class, credentials).await {
        let said = if refusal.code.is_temporary() { words::LOGIN_LATER } else { words::PASSWORD_OLD_WRONG };
        return correct(&[("old", visitor.say(said).to_owned())]);
    }
    match act(&visitor, SetPassword { login, password: new }).await {
        Ok(()) => renewed(&visitor),
        Err(OperateError::WeakPassword { advice }) => {
            let told = advice.into_iter().map(|one| ("new", words::advice(visitor.language, one)));
            correct(&told.collect::<Vec<_>>())
        }
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}

/// This session goes on under a new secret; all others of the person end.
fn renewed(visitor: &Visitor) -> Response {
    let sessions = &visitor.portal.sessions;
    let Some((session, entered)) = sessions.end(&visitor.form_id) else { return page::see("/sign-in") };
    sessions.end_all(&visitor.login, None);
    let id = sessions.begin(session, entered, visitor.portal.now_s());
    sessions.say(&id, visitor.say(words::PASSWORD_CHANGED).to_owned());
    let mut response = page::see("/");
    response.headers_mut().append(header::SET_COOKIE, cookie::set(cookie::SESSION, &id));
    response
}
