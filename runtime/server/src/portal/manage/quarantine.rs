//! What scanners stopped: listed, shown so that looking does nothing, released or forgotten.

use axum::response::Response;
use axum::routing::{get, post};
use decide::roles::Act;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::{Form, Path, Route, Visitor, Words, act, form, page, show};
use super::{Because, because, below, reason, staff, table, told, words};
use crate::operate::{
    InQuarantine, PurgeQuarantined, QuarantineFilter, QuarantineList, QuarantineShow, QuarantineShown,
    ReleaseQuarantined,
};

const PATH: &str = "/manage/quarantine";
/// Messages of the list.
const LISTED_MAX: usize = 200;

pub(super) fn routes() -> Vec<Route> {
    vec![
        (PATH, get(listed)),
        ("/manage/quarantine/{id}", get(shown)),
        ("/manage/quarantine/{id}/release", post(release)),
        ("/manage/quarantine/{id}/purge", post(purge)),
    ]
}

async fn listed(visitor: Visitor) -> Response {
    if let Err(response) = staff(&visitor, Act::SeeQuarantine) {
        return response;
    }
    let request = QuarantineList { filter: QuarantineFilter::default(), recalled: false, limit: LISTED_MAX };
    match act(&visitor, request).await {
        Ok(found) => {
            let say = |words: Words| visitor.say(words);
            let heads = [say(words::WHEN), say(words::SENDER), say(words::FOR), say(words::FOUND)];
            let rows: Vec<Vec<Markup>> = found.messages.iter().map(|one| row(&visitor, one)).collect();
            let body = html! {
                p { (words::IN_ALL.with(visitor.language, &[&found.total, &show::octets(visitor.language, found.octets)])) }
                @if !rows.is_empty() { (table(say(words::QUARANTINE), &heads, rows)) }
            };
            page::page(&visitor, words::QUARANTINE, body)
        }
        Err(error) => page::failed(&visitor, "/manage", &error),
    }
}

fn row(visitor: &Visitor, one: &InQuarantine) -> Vec<Markup> {
    vec![
        html! { a href=(below(PATH, &one.id)) { (show::moment(visitor, one.at_s)) } },
        html! { (one.sender) },
        html! { (one.recipients.join(", ")) },
        html! { (one.engine) " " (one.signature) " " (one.reason) },
    ]
}

async fn shown(visitor: Visitor, Path(id): Path<String>) -> Response {
    if let Err(response) = staff(&visitor, Act::SeeQuarantine) {
        return response;
    }
    match act(&visitor, QuarantineShow { id: id.clone(), raw_to: None, by: None }).await {
        Ok(message) => page::page(&visitor, words::IN_QUARANTINE, body(&visitor, &id, &message)),
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}

fn body(visitor: &Visitor, id: &str, shown: &QuarantineShown) -> Markup {
    let say = |words: Words| visitor.say(words);
    let message = &shown.message;
    let rows = shown.parts.iter().map(|part| {
        vec![
            html! { (part.media) },
            html! { (part.file_name) },
            html! { (show::octets(visitor.language, part.octets as u64)) },
            html! { code { (part.sha256) } },
        ]
    });
    html! {
        dl .facts {
            dt { (say(words::WHEN)) } dd { (show::moment(visitor, message.at_s)) }
            dt { (say(words::SENDER)) } dd { (message.sender) }
            dt { (say(words::FOR)) } dd { (message.recipients.join(", ")) }
            dt { (say(words::FOUND)) } dd { (message.engine) " " (message.signature) " " (message.reason) " " code { (message.rule) } }
            dt { "SHA-256" } dd { code { (shown.sha256) } }
        }
        h2 { (say(words::HEADER)) } pre { (shown.header) }
        h2 { (say(words::TEXT)) } p .hint { (say(words::SAFE_TEXT)) } pre { (shown.text) }
        (table(say(words::PARTS), &[say(words::KIND), say(words::FILE), say(words::SIZE), "SHA-256"], rows.collect()))
        @if !shown.hosts.is_empty() { h2 { (say(words::LINKS)) } ul { @for host in &shown.hosts { li { code { (host) } } } } }
        section { h2 { (say(words::RELEASE)) } p { (say(words::RELEASE_HINT)) }
            (form(visitor, &format!("{}/release", below(PATH, id)), html! {
                (because(visitor, "release-because"))
                div .choice { input type="checkbox" id="rescan" name="rescan" value="1" checked;
                    label for="rescan" { (say(words::RESCAN)) } }
                button { (say(words::RELEASE)) }
            })) }
        section { h2 { (say(words::PURGE)) }
            (form(visitor, &format!("{}/purge", below(PATH, id)), html! {
                (because(visitor, "purge-because")) button .danger { (say(words::PURGE)) }
            })) }
    }
}

#[derive(Deserialize)]
struct Released {
    because: String,
    rescan: Option<String>,
}

async fn release(visitor: Visitor, Path(id): Path<String>, Form(released): Form<Released>) -> Response {
    let (by, because) = (visitor.login.to_string(), reason(&released.because));
    let request = ReleaseQuarantined { id: id.clone(), by, because, to: Vec::new(), rescan: released.rescan.is_some() };
    if let Err(response) = staff(&visitor, Act::ReleaseQuarantined) {
        return response;
    }
    match act(&visitor, request).await {
        Ok(to) => told(&visitor, PATH, words::RELEASED.with(visitor.language, &[&to.mailboxes, &to.queued])),
        Err(error) => page::failed(&visitor, &below(PATH, &id), &error),
    }
}

async fn purge(visitor: Visitor, Path(id): Path<String>, Form(Because { because }): Form<Because>) -> Response {
    if let Err(response) = staff(&visitor, Act::PurgeQuarantined) {
        return response;
    }
    let (ids, by, because) = (vec![id.clone()], visitor.login.to_string(), reason(&because));
    match act(&visitor, PurgeQuarantined { ids, by, because }).await {
        Ok(_) => told(&visitor, PATH, visitor.say(words::PURGED).to_owned()),
        Err(error) => page::failed(&visitor, &below(PATH, &id), &error),
    }
}
