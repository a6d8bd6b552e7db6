//! Who reads the visitor's folders, who sends in their name, and what they may read and send of others. Shown to the owner, who
//! can end it.

use axum::response::Response;
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Form, Route, Visitor, act, back, form, page, show, words};
use crate::operate::{EndDelegation, GrantsOf, ListDelegations, ListedDelegation, ListedGrant, Manner};

const PATH: &str = "/sharing";
const END: &str = "/sharing/end";

pub(super) fn routes() -> Vec<Route> {
    vec![(PATH, get(shown)), (END, post(ended))]
}

async fn shown(visitor: Visitor) -> Response {
    let grants = act(&visitor, GrantsOf { login: visitor.login.to_string() }).await;
    let delegations = act(&visitor, ListDelegations { login: Some(visitor.login.to_string()) }).await;
    match grants.and_then(|grants| Ok((grants, delegations?))) {
        Ok((grants, delegations)) => page(&visitor, words::SHARING, sharing(&visitor, &grants, &delegations)),
        Err(error) => page::failed(&visitor, "/", &error),
    }
}

fn sharing(visitor: &Visitor, grants: &[ListedGrant], delegations: &[ListedDelegation]) -> Markup {
    let own = visitor.login.as_str();
    let (mine, others): (Vec<&ListedDelegation>, Vec<_>) = delegations.iter().partition(|one| one.login == own);
    html! {
        p .lead { (visitor.say(words::SHARING_WHAT)) }
        h2 { (visitor.say(words::SEND_FOR_ME)) }
        @if mine.is_empty() { p { (visitor.say(words::NOBODY)) } }
        @else { ul .cards { @for one in mine { (delegation(visitor, one, &one.to, true)) } } }
        h2 { (visitor.say(words::I_SEND_FOR)) }
        @if others.is_empty() { p { (visitor.say(words::NOBODY)) } }
        @else { ul .cards { @for one in others { (delegation(visitor, one, &one.login, false)) } } }
        h2 { (visitor.say(words::FOLDERS_SHARED)) }
        @if grants.is_empty() { p { (visitor.say(words::NO_FOLDERS_SHARED)) } } @else { (folders(visitor, grants)) }
    }
}

fn end_of(visitor: &Visitor, until: &str, holds: bool) -> String {
    match (until, holds) {
        ("", _) => visitor.say(words::NO_END).to_owned(),
        (day, true) => words::UNTIL.with(visitor.language, &[&show::day(visitor.language, day)]),
        (day, false) => words::ENDED_ON.with(visitor.language, &[&show::day(visitor.language, day)]),
    }
}

fn delegation(visitor: &Visitor, one: &ListedDelegation, who: &str, ends: bool) -> Markup {
    let manner = match one.manner {
        Manner::As => words::SENDS_AS,
        Manner::OnBehalf => words::SENDS_ON_BEHALF,
    };
    html! {
        li {
            h3 { (who) }
            p { (visitor.say(manner)) " " (end_of(visitor, &one.until, one.holds)) }
            @if !one.because.is_empty() { p .hint { (one.because) } }
            @if ends {
                (form(visitor, END, html! {
                    input type="hidden" name="to" value=(one.to);
                    button .danger { (visitor.say(words::END_IT)) span .unseen { " – " (who) } }
                }))
            }
        }
    }
}

fn folders(visitor: &Visitor, grants: &[ListedGrant]) -> Markup {
    html! {
        div .scroll role="region" aria-labelledby="grants" tabindex="0" {
            table {
                caption #grants { (visitor.say(words::FOLDERS_SHARED)) }
                thead {
                    tr {
                        th scope="col" { (visitor.say(words::FOLDER)) }
                        th scope="col" { (visitor.say(words::WHO)) }
                        th scope="col" { (visitor.say(words::MAY)) }
                        th scope="col" { (visitor.say(words::UNTIL_WHEN)) }
                    }
                }
                tbody {
                    @for grant in grants {
                        tr {
                            th scope="row" { (grant.mailbox) }
                            td { (grant.to) }
                            td { (rights(visitor, &grant.rights)) }
                            td { (end_of(visitor, grant.until.as_deref().unwrap_or_default(), grant.holds)) }
                        }
                    }
                }
            }
        }
    }
}

/// Letters of RFC 4314 in words.
fn rights(visitor: &Visitor, letters: &str) -> String {
    let of = |letter: char| match letter {
        'r' => Some(words::MAY_READ),
        'i' => Some(words::MAY_INSERT),
        'w' => Some(words::MAY_MARK),
        't' | 'e' => Some(words::MAY_DELETE),
        'k' | 'x' => Some(words::MAY_FOLDERS),
        'a' => Some(words::MAY_GRANT),
        _ => None,
    };
    let mut said: Vec<&str> = letters.chars().filter_map(of).map(|word| visitor.say(word)).collect();
    said.dedup();
    said.join(", ")
}

#[derive(Deserialize)]
struct To {
    to: String,
}

async fn ended(visitor: Visitor, Form(To { to }): Form<To>) -> Response {
    match act(&visitor, EndDelegation { login: visitor.login.to_string(), to, by: None }).await {
        Ok(_) => back(&visitor, PATH, visitor.say(words::ENDED)),
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}
