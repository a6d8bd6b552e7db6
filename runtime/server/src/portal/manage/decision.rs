//! Why was this refused? A pasted reply is explained in words; decisions about a person or an address are listed.

use axum::response::Response;
use axum::routing::get;
use decide::Reason;
use decide::roles::{About, Act, allows};
use maud::{Markup, html};
use pages::{Block, Span};
use serde::Deserialize;

use super::super::{Query, Route, Visitor, Words, act, page, show};
use super::{labelled, staff, table, words};
use crate::operate::{Decided, LookUpDecisions, OperateError, Why, pasted};

const PATH: &str = "/manage/decision";

pub(super) fn routes() -> Vec<Route> {
    vec![(PATH, get(looked_up))]
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    reply: String,
    login: String,
    address: String,
    day: String,
    message: String,
}

async fn looked_up(visitor: Visitor, Query(asked): Query<Asked>) -> Response {
    if let Err(response) = staff(&visitor, Act::LookUpDecision) {
        return response;
    }
    let found = match decisions(&visitor, &asked).await {
        Ok(found) => found,
        Err(error) => return page::failed(&visitor, PATH, &error),
    };
    let story = match story(&visitor, &asked).await {
        Ok(story) => story,
        Err(error) => return page::failed(&visitor, PATH, &error),
    };
    let body = html! {
        (asking(&visitor, &asked))
        @if !asked.reply.trim().is_empty() { (explained(&visitor, &asked.reply)) }
        @if let Some(found) = &found { (listed(&visitor, found)) }
        @if let Some(story) = story { (story) }
    };
    page::page(&visitor, words::DECISION, body)
}

fn asking(visitor: &Visitor, asked: &Asked) -> Markup {
    let say = |words: Words| visitor.say(words);
    let sees_all = allows(&visitor.roles, Act::LookUpDecision, About::NOBODY).is_ok();
    html! {
        form method="get" action=(PATH) {
            div .field {
                label for="reply" { (say(words::REPLY)) }
                p .hint id="reply-hint" { (say(words::REPLY_HINT)) }
                textarea id="reply" name="reply" rows="4" aria-describedby="reply-hint" { (asked.reply) }
            }
            (labelled("login", "login", "text", say(words::LOGIN), &asked.login, false))
            @if sees_all { (labelled("address", "address", "text", say(words::ADDRESS), &asked.address, false)) }
            (labelled("day", "day", "date", say(words::DAY), &asked.day, false))
            @if allows(&visitor.roles, Act::LookUpMessage, About::NOBODY).is_ok() {
                (labelled("message", "message", "text", say(words::MESSAGE), &asked.message, false))
            }
            button { (say(words::LOOK_UP)) }
        }
    }
}

async fn decisions(visitor: &Visitor, asked: &Asked) -> Result<Option<Vec<Decided>>, OperateError> {
    let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let (login, address, day) = (some(&asked.login), some(&asked.address), some(&asked.day));
    if login.is_none() && address.is_none() {
        return Ok(None);
    }
    let bad = |text: String| OperateError::BadRequest { why: format!("{text} is no address") };
    let address = address.map(|text| text.parse().map_err(|_| bad(text))).transpose()?;
    act(visitor, LookUpDecisions { login, address, day }).await.map(Some)
}

/// The story of one message.
async fn story(visitor: &Visitor, asked: &Asked) -> Result<Option<Markup>, OperateError> {
    let id = asked.message.trim();
    if id.is_empty() {
        return Ok(None);
    }
    let story = act(visitor, Why { id: id.to_owned() }).await?;
    let say = |words: Words| visitor.say(words);
    let rows: Vec<Vec<Markup>> = story
        .lines
        .iter()
        .map(|line| {
            vec![html! { (show::moment(visitor, line.at_s)) }, html! { (line.what) }, html! { code { (line.rule) } }]
        })
        .collect();
    Ok(Some(html! {
        @if rows.is_empty() { p { (say(words::NOTHING_FOUND)) } }
        @else { (table(say(words::STORY), &[say(words::WHEN), say(words::WHAT), say(words::RULE)], rows)) }
    }))
}

fn listed(visitor: &Visitor, found: &[Decided]) -> Markup {
    let say = |words: Words| visitor.say(words);
    let rows: Vec<Vec<Markup>> = found
        .iter()
        .map(|one| {
            let reason = Reason::ALL.into_iter().find(|reason| reason.word() == one.reason);
            let title = reason.map(|reason| title(visitor, reason)).unwrap_or_else(|| one.event.clone());
            vec![
                html! { (show::moment(visitor, one.at_s)) },
                html! { (title) },
                html! { (one.code) " " (one.said) },
                html! { code { (one.rule) } },
            ]
        })
        .collect();
    let heads = [words::WHEN, words::WHAT, words::REPLY, words::RULE].map(say);
    html! {
        h2 { (say(words::DECISIONS)) }
        @if rows.is_empty() { p { (say(words::NOTHING_FOUND)) } } @else { (table(say(words::DECISIONS), &heads, rows)) }
    }
}

fn title(visitor: &Visitor, reason: Reason) -> String {
    pages::refusal(visitor.portal.service.tables.plan(), visitor.language, reason).title
}

/// What a reply means, in the words of the users' pages.
fn explained(visitor: &Visitor, reply: &str) -> Markup {
    let say = |words: Words| visitor.say(words);
    let Some(read) = pasted(reply) else { return html! { p .warning { (say(words::NO_REPLY)) } } };
    let plan = &visitor.portal.service.plan;
    html! {
        h2 { (say(words::MEANS)) }
        @if let Some(reason) = read.reason { (meaning(visitor, reason)) }
        @if !read.rule.is_empty() { p { (words::BY_RULE.with(visitor.language, &[&read.rule])) } }
        @if read.plan != *plan { p { (words::OTHER_PLAN.with(visitor.language, &[&read.plan, plan])) } }
    }
}

fn meaning(visitor: &Visitor, reason: Reason) -> Markup {
    let told = pages::refusal(visitor.portal.service.tables.plan(), visitor.language, reason);
    html! {
        p { strong { (told.title) } }
        p { (text(&told.lead)) }
        @for block in &told.body { (drawn(block)) }
    }
}

fn drawn(block: &Block) -> Markup {
    match block {
        Block::Heading(name) => html! { h3 { (name) } },
        Block::Paragraph(words) | Block::Note(words) => html! { p { (text(words)) } },
        Block::List(items) => html! { ul { @for item in items { li { (text(item)) } } } },
        Block::Steps(items) => html! { ol { @for item in items { li { (text(item)) } } } },
        Block::Links(_) | Block::Table(_) => html! {},
    }
}

fn text(spans: &[Span]) -> Markup {
    html! {
        @for span in spans {
            @match span {
                Span::Words(words) | Span::Link { words, .. } => { (words) }
                Span::Strong(words) => { strong { (words) } }
                Span::Code(words) | Span::Web(words) | Span::Mail(words) => { code { (words) } }
                Span::Keys(keys) | Span::Menu(keys) => { (keys.join(" ")) }
            }
        }
    }
}
