//! People of a unit, or all of them: found by name, page by page.

use axum::response::Response;
use axum::routing::get;
use decide::roles::Act;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::{Query, Route, Visitor, Words, act, page, show};
use super::{below, staff, table, units_of, words};
use crate::operate::{ListPeople, ListedPerson, OperateError};

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
    match found(&visitor, q, &sought.after).await {
        Ok((units, mut people)) => {
            let more = people.len() > PAGE as usize;
            people.truncate(PAGE as usize);
            // A search is one answer.
            let next = people.last().filter(|_| more && q.is_empty()).and_then(|last| last.person.login.clone());
            page::page(&visitor, words::PEOPLE, whole(&visitor, q, units.as_deref(), people, next))
        }
        Err(error) => page::failed(&visitor, "/manage", &error),
    }
}

type Found = (Option<Vec<String>>, Vec<ListedPerson>);

/// One more than a page has, in order of login, of all people or of each unit of theirs.
async fn found(visitor: &Visitor, q: &str, after: &str) -> Result<Found, OperateError> {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let units = units_of(visitor)?;
    let one = |unit: Option<String>| ListPeople { after: some(after), unit, like: some(q), limit: PAGE + 1 };
    let Some(units) = units else { return Ok((None, act(visitor, one(None)).await?)) };
    let mut people = Vec::new();
    for unit in &units {
        people.extend(act(visitor, one(Some(unit.clone()))).await?);
    }
    people.sort_by(|a, b| a.person.login.cmp(&b.person.login));
    Ok((Some(units), people))
}

fn whole(
    visitor: &Visitor,
    q: &str,
    units: Option<&[String]>,
    people: Vec<ListedPerson>,
    next: Option<String>,
) -> Markup {
    let say = |words: Words| visitor.say(words);
    let heads = [say(words::NAME), say(words::LOGIN), say(words::ADDRESS), say(words::UNIT), say(words::PROFILE)];
    let rows: Vec<Vec<Markup>> = people.into_iter().map(|person| row(person.person)).collect();
    html! {
        @if let Some(units) = units { p { (words::ONLY_UNIT.with(visitor.language, &[&units.join(", ")])) } }
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
