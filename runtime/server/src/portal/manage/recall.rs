//! A delivered message out of every mailbox it is in: who has it, taking it, a second manager's yes, and putting it back.

use axum::response::Response;
use axum::routing::{get, post};
use decide::roles::Act;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::{Form, Path, Query, Route, Visitor, Words, act, form, page};
use super::{Because, because, below, labelled, reason, staff, table, told, words};
use crate::operate::{
    ApproveRecall, FindRecall, FoundRecall, ListRecalls, RecallReport, ShowRecall, Sought, TakeRecall, UndoRecall,
};

const PATH: &str = "/manage/recall";
/// Copies that are named.
const NAMED_MAX: usize = 100;

pub(super) fn routes() -> Vec<Route> {
    vec![
        (PATH, get(listed)),
        ("/manage/recall/find", get(found)),
        ("/manage/recall/{id}", get(shown)),
        ("/manage/recall/{id}/take", post(take)),
        ("/manage/recall/{id}/approve", post(approve)),
        ("/manage/recall/{id}/undo", post(undo)),
    ]
}

async fn listed(visitor: Visitor) -> Response {
    if let Err(response) = staff(&visitor, Act::SeeRecalls) {
        return response;
    }
    match act(&visitor, ListRecalls {}).await {
        Ok(all) => {
            let say = |words: Words| visitor.say(words);
            let rows: Vec<Vec<Markup>> = all
                .iter()
                .map(|one| {
                    vec![
                        html! { a href=(below(PATH, &one.id)) { (one.id) } },
                        html! { (one.sought) },
                        html! { (one.state) },
                        html! { (one.by) },
                        html! { (one.because) },
                    ]
                })
                .collect();
            let heads = [words::ID, words::WHAT, words::STATE, words::BY, words::BECAUSE].map(say);
            let body = html! {
                h2 { (say(words::FIND)) } (finding(&visitor))
                h2 { (say(words::RECALLS)) }
                @if rows.is_empty() { p { (say(words::NOTHING_FOUND)) } } @else { (table(say(words::RECALLS), &heads, rows)) }
            };
            page::page(&visitor, words::RECALL, body)
        }
        Err(error) => page::failed(&visitor, "/manage", &error),
    }
}

fn finding(visitor: &Visitor) -> Markup {
    let say = |words: Words| visitor.say(words);
    html! {
        form method="get" action="/manage/recall/find" {
            p { (say(words::FIND_HINT)) }
            (labelled("message-id", "message_id", "text", "Message-ID", "", false))
            (labelled("sender", "sender", "text", say(words::SENDER), "", false))
            (labelled("subject", "subject", "text", say(words::SUBJECT), "", false))
            (labelled("host", "host", "text", say(words::URL_HOST), "", false))
            (labelled("attachment", "attachment", "text", say(words::ATTACHMENT), "", false))
            button { (say(words::FIND)) }
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    message_id: String,
    sender: String,
    subject: String,
    host: String,
    attachment: String,
}

async fn found(visitor: Visitor, Query(asked): Query<Asked>) -> Response {
    if let Err(response) = staff(&visitor, Act::SeeRecalls) {
        return response;
    }
    let some = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let sought = Sought {
        message_id: some(asked.message_id),
        sender: some(asked.sender),
        subject: some(asked.subject),
        url_host: some(asked.host),
        attachment: some(asked.attachment),
        since_s: None,
    };
    match act(&visitor, FindRecall { sought, by: None, limit: NAMED_MAX }).await {
        Ok(found) => page::page(&visitor, words::RECALL, found_body(&visitor, &found)),
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}

fn found_body(visitor: &Visitor, found: &FoundRecall) -> Markup {
    html! {
        (report(visitor, &found.report))
        @if !found.id.is_empty() {
            section { h2 { (visitor.say(words::TAKE)) } p { (visitor.say(words::TAKE_HINT)) }
                (form(visitor, &format!("{}/take", below(PATH, &found.id)), html! {
                    (because(visitor, "take-because")) button .danger { (visitor.say(words::TAKE)) }
                })) }
        }
        p { a href=(PATH) { (visitor.say(words::BACK)) } }
    }
}

fn report(visitor: &Visitor, report: &RecallReport) -> Markup {
    let say = |words: Words| visitor.say(words);
    let (copies, people) = (report.copies, report.people);
    let rows: Vec<Vec<Markup>> = report
        .named
        .iter()
        .map(|copy| {
            let flags =
                [(copy.read, words::READ), (copy.answered, words::ANSWERED), (copy.forwarded, words::FORWARDED)];
            let flags: Vec<&str> = flags.into_iter().filter(|(is, _)| *is).map(|(_, name)| say(name)).collect();
            vec![html! { (copy.login) }, html! { (copy.mailbox) }, html! { (flags.join(", ")) }]
        })
        .collect();
    html! {
        p .lead { (words::COPIES.with(visitor.language, &[&copies, &people, &report.read, &report.handed_over])) }
        @if !rows.is_empty() { (table(say(words::WHO_HAS), &[say(words::LOGIN), say(words::MAILBOX), say(words::STATE)], rows)) }
    }
}

async fn shown(visitor: Visitor, Path(id): Path<String>) -> Response {
    if let Err(response) = staff(&visitor, Act::SeeRecalls) {
        return response;
    }
    match act(&visitor, ShowRecall { id: id.clone(), limit: NAMED_MAX }).await {
        Ok(one) => {
            let recall = &one.recall;
            let say = |words: Words| visitor.say(words);
            let to = |what: &str| format!("{}/{what}", below(PATH, &id));
            let body = html! {
                dl .facts {
                    dt { (say(words::WHAT)) } dd { (recall.sought) }
                    dt { (say(words::STATE)) } dd { (recall.state) }
                    dt { (say(words::BY)) } dd { (recall.by) ": " (recall.because) }
                }
                (report(&visitor, &one.report))
                @if recall.state == "waiting" {
                    p { (say(words::SECOND_MANAGER)) }
                    (form(&visitor, &to("approve"), html! { button { (say(words::APPROVE)) } }))
                }
                @if recall.state == "taken" {
                    (form(&visitor, &to("undo"), html! { (because(&visitor, "undo-because")) button { (say(words::PUT_BACK)) } }))
                }
                p { a href=(PATH) { (say(words::BACK)) } }
            };
            page::page(&visitor, words::RECALL, body)
        }
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}

async fn take(visitor: Visitor, Path(id): Path<String>, Form(Because { because }): Form<Because>) -> Response {
    if let Err(response) = staff(&visitor, Act::Recall) {
        return response;
    }
    let (by, because) = (visitor.login.to_string(), reason(&because));
    match act(&visitor, TakeRecall { id: Some(id), sought: None, by, because }).await {
        Ok(took) if took.state == "waiting" => told(&visitor, PATH, visitor.say(words::WAITS_SECOND).to_owned()),
        Ok(took) => told(&visitor, PATH, words::TAKEN.with(visitor.language, &[&took.messages, &took.accounts])),
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}

async fn approve(visitor: Visitor, Path(id): Path<String>) -> Response {
    if let Err(response) = staff(&visitor, Act::Recall) {
        return response;
    }
    match act(&visitor, ApproveRecall { id, by: visitor.login.to_string() }).await {
        Ok(took) => told(&visitor, PATH, words::TAKEN.with(visitor.language, &[&took.messages, &took.accounts])),
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}

async fn undo(visitor: Visitor, Path(id): Path<String>, Form(Because { because }): Form<Because>) -> Response {
    if let Err(response) = staff(&visitor, Act::Recall) {
        return response;
    }
    let (by, because) = (visitor.login.to_string(), Some(reason(&because)));
    match act(&visitor, UndoRecall { id, by, because }).await {
        Ok(back) => told(&visitor, PATH, words::IS_BACK.with(visitor.language, &[&back.messages])),
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}
