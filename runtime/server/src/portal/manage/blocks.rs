//! What is refused for some days because a manager said so.

use axum::response::Response;
use axum::routing::{get, post};
use decide::roles::{About, Act, allows};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::{Field, Form, Path, Route, Visitor, Words, act, field, form, page, show};
use super::{because, below, reason, staff, table, told, words};
use crate::operate::{AddBlock, BlockKind, ListBlocks, OperateError, RemoveBlock, blocked_thing};

const PATH: &str = "/manage/blocks";
const DAY_S: u64 = 86_400;

pub(super) fn routes() -> Vec<Route> {
    vec![(PATH, get(listed).post(add)), ("/manage/blocks/{id}/remove", post(remove))]
}

const KINDS: [(&str, BlockKind, Words); 6] = [
    ("sender", BlockKind::Sender, words::SENDER),
    ("domain", BlockKind::Domain, words::DOMAIN),
    ("client", BlockKind::Client, words::CLIENT),
    ("url-host", BlockKind::UrlHost, words::URL_HOST),
    ("attachment", BlockKind::Attachment, words::ATTACHMENT),
    ("reply-to", BlockKind::ReplyTo, words::REPLY_TO),
];

async fn listed(visitor: Visitor) -> Response {
    if let Err(response) = staff(&visitor, Act::SeeBlocks) {
        return response;
    }
    let may_block = allows(&visitor.roles, Act::Block, About::NOBODY).is_ok();
    let say = |words: Words| visitor.say(words);
    match act(&visitor, ListBlocks {}).await {
        Ok(all) => {
            let rows: Vec<Vec<Markup>> = all
                .iter()
                .map(|one| {
                    let remove = format!("{}/remove", below(PATH, &one.id));
                    let what = blocked_thing(&one.block.what);
                    vec![
                        html! { (what) },
                        html! { (one.block.because) },
                        html! { (one.block.by) },
                        html! { (show::moment(&visitor, one.block.until_s)) },
                        html! { @if may_block { (form(&visitor, &remove, html! {
                            button .danger aria-label=(words::REMOVE_WHAT.with(visitor.language, &[&what])) { (say(words::REMOVE)) }
                        })) } },
                    ]
                })
                .collect();
            let heads = [say(words::WHAT), say(words::BECAUSE), say(words::BY), say(words::UNTIL), say(words::REMOVE)];
            let body = html! {
                @if rows.is_empty() { p { (say(words::NO_BLOCKS)) } } @else { (table(say(words::BLOCKS), &heads, rows)) }
                @if may_block { h2 { (say(words::ADD_BLOCK)) } (adding(&visitor)) }
            };
            page::page(&visitor, words::BLOCKS, body)
        }
        Err(error) => page::failed(&visitor, "/manage", &error),
    }
}

fn adding(visitor: &Visitor) -> Markup {
    let say = |words: Words| visitor.say(words);
    form(
        visitor,
        PATH,
        html! {
            div .field {
                label for="kind" { (say(words::KIND)) }
                select id="kind" name="kind" { @for (value, _, name) in KINDS { option value=(value) { (say(name)) } } }
            }
            (field(Field { name: "value", label: say(words::WHAT), ..Field::default() }))
            (field(Field { name: "days", label: say(words::DAYS), kind: "number", value: "7", ..Field::default() }))
            (because(visitor, "block-because"))
            button { (say(words::ADD_BLOCK)) }
        },
    )
}

#[derive(Deserialize)]
struct Added {
    kind: String,
    value: String,
    days: u64,
    because: String,
}

async fn add(visitor: Visitor, Form(added): Form<Added>) -> Response {
    if let Err(response) = staff(&visitor, Act::Block) {
        return response;
    }
    let Some((_, kind, _)) = KINDS.into_iter().find(|(value, _, _)| *value == added.kind) else {
        return page::failed(&visitor, PATH, &OperateError::BadRequest { why: added.kind });
    };
    let (because, for_s) = (reason(&added.because), added.days.saturating_mul(DAY_S));
    match act(&visitor, AddBlock { kind, value: added.value, because, for_s, by: None }).await {
        Ok(_) => told(&visitor, PATH, visitor.say(words::BLOCKED).to_owned()),
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}

async fn remove(visitor: Visitor, Path(id): Path<String>) -> Response {
    if let Err(response) = staff(&visitor, Act::Block) {
        return response;
    }
    match act(&visitor, RemoveBlock { id, by: None }).await {
        Ok(_) => told(&visitor, PATH, visitor.say(words::UNBLOCKED).to_owned()),
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}
