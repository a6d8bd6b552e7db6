//! What people reported as judged wrongly: the cases, one of them, and the decision.

use axum::response::Response;
use axum::routing::{get, post};
use decide::roles::Act;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::{Form, Path, Route, Visitor, Words, act, form, page, show};
use super::{below, staff, table, told, words};
use crate::operate::{DecideSpam, Judged, ShowSpam, ShownSpam, SpamCase, SpamQueue};

const PATH: &str = "/manage/spam";

pub(super) fn routes() -> Vec<Route> {
    vec![(PATH, get(listed)), ("/manage/spam/{id}", get(shown)), ("/manage/spam/{id}/decide", post(decide))]
}

async fn listed(visitor: Visitor) -> Response {
    if let Err(response) = staff(&visitor, Act::SeeTeaching) {
        return response;
    }
    match act(&visitor, SpamQueue {}).await {
        Ok(cases) => {
            let say = |words: Words| visitor.say(words);
            let heads =
                [say(words::SUBJECT), say(words::SENDER), say(words::PROPOSED), say(words::BY), say(words::RECEIVED)];
            let rows: Vec<Vec<Markup>> = cases.iter().map(|case| row(&visitor, case)).collect();
            let body = html! {
                @if rows.is_empty() { p { (say(words::NOTHING_WAITS)) } }
                @else { (table(say(words::TEACHING), &heads, rows)) }
            };
            page::page(&visitor, words::TEACHING, body)
        }
        Err(error) => page::failed(&visitor, "/manage", &error),
    }
}

fn proposed(visitor: &Visitor, judged: Option<Judged>) -> &'static str {
    visitor.say(match judged {
        Some(Judged::Spam) => words::SPAM,
        Some(Judged::Ham) => words::HAM,
        None => words::DISPUTED,
    })
}

fn row(visitor: &Visitor, case: &SpamCase) -> Vec<Markup> {
    let subject = if case.subject.is_empty() { &case.id } else { &case.subject };
    vec![
        html! { a href=(below(PATH, &case.id)) { (subject) } },
        html! { (case.from) },
        html! { (proposed(visitor, case.proposed)) },
        html! { (case.proposers.join(", ")) " (" (case.proposers_in_all) ")" },
        html! { (case.received) },
    ]
}

async fn shown(visitor: Visitor, Path(id): Path<String>) -> Response {
    if let Err(response) = staff(&visitor, Act::SeeTeaching) {
        return response;
    }
    match act(&visitor, ShowSpam { id: id.clone() }).await {
        Ok(case) => page::page(&visitor, words::CASE, body(&visitor, &id, &case)),
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}

fn body(visitor: &Visitor, id: &str, shown: &ShownSpam) -> Markup {
    let say = |words: Words| visitor.say(words);
    let case = &shown.case;
    let action = format!("{}/decide", below(PATH, id));
    let decision =
        |what: &str, name: Words, class: &str| html! { button class=(class) name="what" value=(what) { (say(name)) } };
    html! {
        dl .facts {
            dt { (say(words::SUBJECT)) } dd { (case.subject) }
            dt { (say(words::SENDER)) } dd { (case.from) }
            dt { (say(words::PROPOSED)) } dd { (proposed(visitor, case.proposed)) }
            dt { (say(words::WHEN)) } dd { (show::moment(visitor, case.first_s)) }
            dt { (say(words::INTEGRITY)) } dd { (words::integrity(visitor.language, &case.integrity)) }
        }
        h2 { (say(words::BY)) } ul { @for one in &shown.each { li { (one) } } }
        h2 { (say(words::HEADER)) } pre { @for field in &shown.fields { (field) "\n" } }
        h2 { (say(words::TEXT)) } pre { (shown.text) }
        @if !shown.contributions.is_empty() {
            h2 { (say(words::REASONS)) } ul { @for one in &shown.contributions { li { (one) } } }
        }
        @if visitor.roles.teacher {
            (form(visitor, &action, html! {
                (decision("spam", words::LEARN_SPAM, "")) " " (decision("ham", words::LEARN_HAM, "")) " "
                (decision("close", words::CLOSE_CASE, "danger"))
            }))
        }
    }
}

#[derive(Deserialize)]
struct Choice {
    what: String,
}

async fn decide(visitor: Visitor, Path(id): Path<String>, Form(Choice { what }): Form<Choice>) -> Response {
    if let Err(response) = staff(&visitor, Act::Teach) {
        return response;
    }
    let judged = match what.as_str() {
        "spam" => Some(Judged::Spam),
        "ham" => Some(Judged::Ham),
        _ => None,
    };
    let request = DecideSpam { id: id.clone(), accept: judged.is_some(), judged, only: false, by: None };
    match act(&visitor, request).await {
        Ok(done) => told(&visitor, PATH, words::DECIDED.with(visitor.language, &[&done.taught.len(), &done.closed])),
        Err(error) => page::failed(&visitor, &below(PATH, &id), &error),
    }
}
