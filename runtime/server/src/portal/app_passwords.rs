//! App passwords: a secret for each mail program, shown once.

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Field, Form, Route, Visitor, act, back, field, form, page, show, summary, words};
use crate::operate::{
    AddAppPassword, AddedAppPassword, ListAppPasswords, ListedAppPassword, OperateError, RemoveAppPassword,
};

pub(super) const PATH: &str = "/app-passwords";
const REMOVE: &str = "/app-passwords/remove";

pub(super) fn routes() -> Vec<Route> {
    vec![(PATH, get(shown).post(added)), (REMOVE, post(removed))]
}

async fn shown(visitor: Visitor) -> Response {
    listed(&visitor, StatusCode::OK, "", None).await
}

async fn listed(visitor: &Visitor, code: StatusCode, name: &str, wrong: Option<String>) -> Response {
    match act(visitor, ListAppPasswords { login: visitor.login.to_string() }).await {
        Ok(all) => page::page_with(visitor, code, words::APP_PASSWORDS, list(visitor, &all, name, wrong)),
        Err(error) => page::failed(visitor, "/", &error),
    }
}

fn list(visitor: &Visitor, all: &[ListedAppPassword], name: &str, wrong: Option<String>) -> Markup {
    let wrong: Vec<(&str, String)> = wrong.into_iter().map(|said| ("name", said)).collect();
    let error = wrong.first().map_or("", |(_, said)| said.as_str());
    html! {
        (summary(visitor, &wrong))
        p .lead { (visitor.say(words::APP_PASSWORDS_WHAT)) }
        @if all.is_empty() { p { (visitor.say(words::APP_PASSWORDS_NONE)) } }
        @else {
            ul .cards {
                @for one in all {
                    li {
                        h2 { (one.name) }
                        p {
                            (words::MADE_ON.with(visitor.language, &[&show::day_of(visitor, one.created_s)])) ". "
                            @match &one.used_on {
                                Some(day) => { (words::LAST_USED.with(visitor.language, &[&show::day(visitor.language, day)])) }
                                None => { (visitor.say(words::NEVER_USED)) }
                            }
                        }
                        (form(visitor, REMOVE, html! {
                            input type="hidden" name="name" value=(one.name);
                            button .danger { (visitor.say(words::REMOVE)) span .unseen { " – " (one.name) } }
                        }))
                    }
                }
            }
        }
        h2 { (visitor.say(words::APP_PASSWORD_ADD)) }
        (form(visitor, PATH, html! {
            (field(Field {
                name: "name", label: visitor.say(words::APP_PASSWORD_NAME), value: name, error,
                hint: visitor.say(words::APP_PASSWORD_NAME_HINT), ..Field::default()
            }))
            button { (visitor.say(words::APP_PASSWORD_MAKE)) }
        }))
    }
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

async fn added(visitor: Visitor, Form(Named { name }): Form<Named>) -> Response {
    let request = AddAppPassword { login: visitor.login.to_string(), name: name.trim().to_owned() };
    match act(&visitor, request).await {
        Ok(added) => page(&visitor, words::APP_PASSWORDS, secret(&visitor, &added)),
        Err(OperateError::BadRequest { .. }) => {
            let said = visitor.say(words::APP_PASSWORD_BAD_NAME).to_owned();
            listed(&visitor, StatusCode::UNPROCESSABLE_ENTITY, &name, Some(said)).await
        }
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}

fn secret(visitor: &Visitor, added: &AddedAppPassword) -> Markup {
    html! {
        p .lead { (words::APP_PASSWORD_MADE.with(visitor.language, &[&added.name])) }
        p { code .secret { (added.secret) } }
        dl .facts { dt { (visitor.say(words::LOGIN)) } dd { (added.login) } }
        p { (visitor.say(words::APP_PASSWORD_ONCE)) }
        p { a .button href=(PATH) { (visitor.say(words::APP_PASSWORD_TYPED)) } }
    }
}

async fn removed(visitor: Visitor, Form(Named { name }): Form<Named>) -> Response {
    match act(&visitor, RemoveAppPassword { login: visitor.login.to_string(), name }).await {
        Ok(true) => back(&visitor, PATH, visitor.say(words::APP_PASSWORD_REMOVED)),
        Ok(false) => page::failed(&visitor, PATH, &OperateError::NotKept { id: String::new() }),
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}
