//! Accounts that look stolen: the cases, and letting them go.

use axum::response::Response;
use axum::routing::{get, post};
use decide::roles::Act;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::{Form, Path, Route, Visitor, Words, act, form, page, show};
use super::{because, below, people, reason, staff, table, told, words};
use crate::operate::{LiftCompromise, ListCompromise, ShowCompromise, ShownCompromise};

const PATH: &str = "/manage/compromise";

pub(super) fn routes() -> Vec<Route> {
    vec![(PATH, get(listed)), ("/manage/compromise/{id}", get(shown)), ("/manage/compromise/{id}/lift", post(lift))]
}

async fn listed(visitor: Visitor) -> Response {
    if let Err(response) = staff(&visitor, Act::SeeCompromise) {
        return response;
    }
    match act(&visitor, ListCompromise { all: true }).await {
        Ok(cases) => {
            let say = |words: Words| visitor.say(words);
            let heads = [say(words::LOGIN), say(words::WHEN), say(words::SIGN), say(words::STATE)];
            let rows: Vec<Vec<Markup>> = cases
                .iter()
                .map(|case| {
                    vec![
                        html! { a href=(below(PATH, &case.id)) { (case.login) } },
                        html! { (show::moment(&visitor, case.at_s)) },
                        html! { (case.evidence) " " code { (case.rule) } },
                        html! { (case.state) },
                    ]
                })
                .collect();
            let body = html! {
                @if rows.is_empty() { p { (say(words::NO_CASES)) } } @else { (table(say(words::COMPROMISE), &heads, rows)) }
            };
            page::page(&visitor, words::COMPROMISE, body)
        }
        Err(error) => page::failed(&visitor, "/manage", &error),
    }
}

async fn shown(visitor: Visitor, Path(id): Path<String>) -> Response {
    if let Err(response) = staff(&visitor, Act::SeeCompromise) {
        return response;
    }
    match act(&visitor, ShowCompromise { id: id.clone() }).await {
        Ok(case) => page::page(&visitor, words::CASE, body(&visitor, &id, &case)),
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}

fn body(visitor: &Visitor, id: &str, shown: &ShownCompromise) -> Markup {
    let say = |words: Words| visitor.say(words);
    let case = &shown.case;
    let rows: Vec<Vec<Markup>> = shown
        .held
        .iter()
        .map(|held| {
            vec![
                html! { (held.queue_id) },
                html! { (show::moment(visitor, held.at_s)) },
                html! { (held.subject) },
                html! { (held.recipients) ": " (held.to.join(", ")) },
            ]
        })
        .collect();
    let heads = [say(words::QUEUE_ID), say(words::WHEN), say(words::SUBJECT), say(words::RECIPIENTS)];
    html! {
        dl .facts {
            dt { (say(words::LOGIN)) } dd { a href=(below(people::PATH, &case.login)) { (case.login) } }
            dt { (say(words::WHEN)) } dd { (show::moment(visitor, case.at_s)) }
            dt { (say(words::SIGN)) } dd { (case.evidence) " " code { (case.rule) } }
            dt { (say(words::STATE)) } dd { (case.state) }
            dt { (say(words::FROM_WHERE)) } dd { (case.from.join(", ")) }
            @if !case.ended_by.is_empty() { dt { (say(words::BY)) } dd { (case.ended_by) ": " (case.because) } }
        }
        @if !rows.is_empty() { (table(say(words::HELD_MESSAGES), &heads, rows)) }
        @if case.state != "ended" {
            section { h2 { (say(words::LIFT)) } p { (say(words::LIFT_HINT)) }
                (form(visitor, &format!("{}/lift", below(PATH, id)), html! {
                    (because(visitor, "lift-because"))
                    div .choice { input type="checkbox" id="discard" name="discard" value="1";
                        label for="discard" { (say(words::DISCARD)) } }
                    button { (say(words::LIFT)) }
                })) }
        }
    }
}

#[derive(Deserialize)]
struct Lifted {
    because: String,
    discard: Option<String>,
}

async fn lift(visitor: Visitor, Path(id): Path<String>, Form(lifted): Form<Lifted>) -> Response {
    if let Err(response) = staff(&visitor, Act::LiftCompromise) {
        return response;
    }
    let request = LiftCompromise {
        id: id.clone(),
        because: reason(&lifted.because),
        by: None,
        contain: false,
        discard_all: lifted.discard.is_some(),
        discard: Vec::new(),
        discard_subject: None,
        discard_recipients: None,
    };
    match act(&visitor, request).await {
        Ok(_) => told(&visitor, PATH, visitor.say(words::LIFTED).to_owned()),
        Err(error) => page::failed(&visitor, &below(PATH, &id), &error),
    }
}
