//! Finding people: names, addresses and units, and nothing else. How often one person looks is bounded, so that nobody carries
//! the whole book away.

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};
use serde::Deserialize;

use super::{Field, Query, Route, Visitor, field, page, summary, with_context, words};

const PATH: &str = "/address-book";
/// People of one answer.
const FOUND_MAX: u32 = 50;
/// Characters of a question.
const ASKED_MIN: usize = 2;
const ASKED_MAX: usize = 80;

pub(super) fn routes() -> Vec<Route> {
    vec![(PATH, get(shown))]
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    name: String,
}

/// What is told of somebody.
struct Entry {
    name: String,
    address: String,
    unit: String,
}

async fn shown(visitor: Visitor, Query(Asked { name }): Query<Asked>) -> Response {
    let name: String = name.trim().chars().take(ASKED_MAX).collect();
    if name.is_empty() {
        return page(&visitor, words::ADDRESS_BOOK, asking(&visitor, "", ""));
    }
    let wrong = |code, said| {
        let body = html! { (summary(&visitor, &[("name", visitor.say(said).to_owned())])) (asking(&visitor, &name, visitor.say(said))) };
        page::page_with(&visitor, code, words::ADDRESS_BOOK, body)
    };
    if name.chars().count() < ASKED_MIN {
        return wrong(StatusCode::UNPROCESSABLE_ENTITY, words::TOO_SHORT);
    }
    if !visitor.portal.searches.may(visitor.login.as_str(), visitor.portal.now_s()) {
        return wrong(StatusCode::TOO_MANY_REQUESTS, words::TOO_MANY_SEARCHES);
    }
    let asked = name.clone();
    let found = with_context(&visitor, move |context| {
        let rows = context.store.people_like(&asked, FOUND_MAX)?;
        Ok(rows
            .into_iter()
            .map(|row| Entry {
                name: format!("{} {}", row.person.first, row.person.last),
                address: row.person.address.to_string(),
                unit: row.person.unit,
            })
            .collect::<Vec<_>>())
    });
    match found.await {
        Ok(found) => {
            page(&visitor, words::ADDRESS_BOOK, html! { (asking(&visitor, &name, "")) (list(&visitor, &found)) })
        }
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}

/// A question that changes nothing: a form without a token, whose answer has an address.
fn asking(visitor: &Visitor, name: &str, error: &str) -> Markup {
    html! {
        form method="get" action=(PATH) role="search" {
            (field(Field {
                name: "name", label: visitor.say(words::WHOM), hint: visitor.say(words::WHOM_HINT), kind: "search",
                value: name, error, ..Field::default()
            }))
            button { (visitor.say(words::SEARCH)) }
        }
    }
}

fn list(visitor: &Visitor, found: &[Entry]) -> Markup {
    html! {
        h2 { (words::FOUND.with(visitor.language, &[&found.len()])) }
        @if found.len() as u32 >= FOUND_MAX { p { (visitor.say(words::FOUND_MANY)) } }
        @if !found.is_empty() {
            ul .cards {
                @for entry in found {
                    li {
                        h3 { (entry.name) }
                        p { a href={ "mailto:" (entry.address) } { (entry.address) } }
                        @if !entry.unit.is_empty() { p .hint { (entry.unit) } }
                    }
                }
            }
        }
    }
}
