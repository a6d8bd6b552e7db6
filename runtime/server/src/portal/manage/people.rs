//! People of a unit, or all of them: found by name, page by page.

use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use decide::roles::Act;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::{Route, Visitor, Words, act, page, show};
use super::{below, staff, table, unit_of, words};
use crate::operate::{ListPeople, ListedPerson};

pub(super) const PATH: &str = "/manage/people";
/// People of a page.
const PAGE: u32 = 50;

pub(super) fn routes() -> Vec<Route> {
    vec![(PATH, get(listed))]
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sought {
    q: String,
    after: String,
}

async fn listed(visitor: Visitor, Query(sought): Query<Sought>) -> Response {
    if let Err(response) = staff(&visitor, Act::SeePerson) {
        return response;
    }
    let q = sought.q.trim();
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let unit = unit_of(&visitor);
    let limit = if q.is_empty() { PAGE + 1 } else { PAGE };
    let request = ListPeople { after: some(&sought.after), unit: unit.clone(), like: some(q), limit };
    match act(&visitor, request).await {
        Ok(mut people) => {
            let more = people.len() > PAGE as usize;
            people.truncate(PAGE as usize);
            let next = people.last().filter(|_| more).and_then(|last| last.person.login.clone());
            page::page(&visitor, words::PEOPLE, whole(&visitor, q, unit.as_deref(), people, next))
        }
        Err(error) => page::failed(&visitor, "/manage", &error),
    }
}

fn whole(visitor: &Visitor, q: &str, unit: Option<&str>, people: Vec<ListedPerson>, next: Option<String>) -> Markup {
    let say = |words: Words| visitor.say(words);
    let heads = [say(words::NAME), say(words::LOGIN), say(words::ADDRESS), say(words::UNIT), say(words::PROFILE)];
    let rows: Vec<Vec<Markup>> = people.into_iter().map(|person| row(person.person)).collect();
    html! {
        @if let Some(unit) = unit { p { (words::ONLY_UNIT.with(visitor.language, &[&unit])) } }
        search {
            form method="get" action=(PATH) {
                div .field {
                    label for="q" { (say(words::SEARCH_LABEL)) }
                    input type="search" id="q" name="q" value=(q) autocomplete="off";
                }
                button { (say(words::SEARCH)) }
            }
        }
        @if rows.is_empty() { p { (say(words::NOBODY)) } }
        @else { (table(say(words::PEOPLE), &heads, rows)) }
        @if let Some(next) = next {
            p { a href={ (PATH) "?after=" (show::in_query(&next)) } { (say(words::NEXT_PAGE)) } }
        }
    }
}

fn row(person: crate::operate::WantedPerson) -> Vec<Markup> {
    let login = person.login.unwrap_or_default();
    vec![
        html! { a href=(below(PATH, &login)) { (person.first) " " (person.last) } },
        html! { (login) },
        html! { (person.address.unwrap_or_default()) },
        html! { (person.unit.unwrap_or_default()) },
        html! { (person.profile.unwrap_or_default()) },
    ]
}
