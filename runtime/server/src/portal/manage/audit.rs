//! Who did what, and about whom.

use axum::response::Response;
use axum::routing::get;
use decide::roles::Act;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::{Query, Route, Visitor, Words, act, page, show};
use super::{labelled, staff, table, words};
use crate::operate::ReadAudit;

const PATH: &str = "/manage/audit";
/// Entries of a page.
const PAGE: usize = 100;

pub(super) fn routes() -> Vec<Route> {
    vec![(PATH, get(listed))]
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sought {
    about: String,
    by: String,
    before: Option<i64>,
}

async fn listed(visitor: Visitor, Query(sought): Query<Sought>) -> Response {
    if let Err(response) = staff(&visitor, Act::ReadAudit) {
        return response;
    }
    let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let (about, by) = (some(&sought.about), some(&sought.by));
    let request = ReadAudit { about, by, since_s: None, before_id: sought.before, limit: PAGE };
    match act(&visitor, request).await {
        Ok(found) => {
            let say = |words: Words| visitor.say(words);
            let rows: Vec<Vec<Markup>> = found
                .entries
                .iter()
                .map(|entry| {
                    vec![html! { (show::moment(&visitor, entry.at_s)) }, html! { (entry.who) }, html! { (entry.what) }]
                })
                .collect();
            let next = found.before_id.map(|before| {
                let (about, by) = (show::in_query(&sought.about), show::in_query(&sought.by));
                format!("{PATH}?about={about}&by={by}&before={before}")
            });
            let body = html! {
                search {
                    form method="get" action=(PATH) {
                        (labelled("about", "about", "search", say(words::ABOUT), &sought.about, false))
                        (labelled("by", "by", "search", say(words::BY), &sought.by, false))
                        button { (say(words::SEARCH)) }
                    }
                }
                @if rows.is_empty() { p { (say(words::NOTHING_FOUND)) } }
                @else { (table(say(words::AUDIT), &[say(words::WHEN), say(words::WHO), say(words::WHAT)], rows)) }
                @if let Some(next) = next { p { a href=(next) { (say(words::OLDER)) } } }
            };
            page::page(&visitor, words::AUDIT, body)
        }
        Err(error) => page::failed(&visitor, "/manage", &error),
    }
}
