//! Who is connected to the account now, and from where it was used.

use axum::response::Response;
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;

use super::session::Session;
use super::{Form, Route, Visitor, Words, act, back, form, page, show, words};
use crate::operate::{AccessesOf, ListedAccess, OperateError};
use crate::sessions::{Protocol, SessionOf};

const PATH: &str = "/activity";
const END: &str = "/activity/end";
const END_ALL: &str = "/activity/end-all";

/// Ways that are shown.
const SHOWN_MAX: usize = 100;

pub(super) fn routes() -> Vec<Route> {
    vec![(PATH, get(shown)), (END, post(ended)), (END_ALL, post(all_ended))]
}

async fn shown(visitor: Visitor) -> Response {
    match act(&visitor, AccessesOf { login: visitor.login.to_string() }).await {
        Ok(ways) => page(&visitor, words::ACTIVITY, activity(&visitor, &ways)),
        Err(error) => page::failed(&visitor, "/", &error),
    }
}

fn activity(visitor: &Visitor, ways: &[ListedAccess]) -> Markup {
    let own = visitor.session.as_ref().map(|session| session.number);
    let pages = visitor.portal.sessions.of_login(&visitor.login, visitor.portal.now_s());
    let programs = visitor.portal.service.sessions.of(&visitor.login);
    html! {
        p .lead { (visitor.say(words::ACTIVITY_WHAT)) }
        h2 { (visitor.say(words::CONNECTED_NOW)) }
        ul .cards {
            @for session in &pages { (browser(visitor, session, Some(session.number) == own)) }
            @for session in programs.iter().filter(|session| session.protocol != Protocol::Portal) {
                (program(visitor, session))
            }
        }
        (form(visitor, END_ALL, html! { button .danger { (visitor.say(words::END_ALL)) } }))
        p .hint { (visitor.say(words::END_ALL_WHAT)) }
        h2 { (visitor.say(words::LAST_LOGINS)) }
        @if ways.is_empty() { p { (visitor.say(words::NO_LOGINS)) } } @else { (table(visitor, ways)) }
    }
}

fn browser(visitor: &Visitor, session: &Session, is_this: bool) -> Markup {
    html! {
        li {
            h3 { (visitor.say(words::PORTAL)) @if is_this { " – " (visitor.say(words::THIS_ONE)) } }
            p { (words::SINCE_FROM.with(visitor.language, &[&show::moment(visitor, session.since_s), &session.address])) }
            @if !session.program.is_empty() { p .hint { (session.program) } }
            @if !is_this {
                (form(visitor, END, html! {
                    input type="hidden" name="number" value=(session.number);
                    button .quiet { (visitor.say(words::END_IT)) span .unseen { " – " (show::moment(visitor, session.since_s)) } }
                }))
            }
        }
    }
}

fn program(visitor: &Visitor, session: &SessionOf) -> Markup {
    html! {
        li {
            h3 { (visitor.say(protocol(session.protocol.word()))) }
            p { (words::SINCE_FROM.with(visitor.language, &[&show::moment(visitor, session.since_s), &session.peer])) }
        }
    }
}

fn protocol(word: &str) -> Words {
    match word {
        "smtp" => words::SMTP,
        "imap" => words::IMAP,
        "pop" => words::POP,
        _ => words::PORTAL,
    }
}

fn table(visitor: &Visitor, ways: &[ListedAccess]) -> Markup {
    let heads = [words::LAST_TIME, words::THROUGH, words::FROM_WHERE, words::PROGRAM, words::TIMES];
    let heads = heads.map(|head| visitor.say(head));
    html! {
        div .scroll role="region" aria-labelledby="logins" tabindex="0" {
            table role="table" {
                caption #logins { (visitor.say(words::LOGINS_BY_WAY)) }
                thead role="rowgroup" {
                    tr role="row" {
                        th scope="col" role="columnheader" { (heads[0]) }
                        th scope="col" role="columnheader" { (heads[1]) }
                        th scope="col" role="columnheader" { (heads[2]) }
                        th scope="col" role="columnheader" { (heads[3]) }
                        th scope="col" role="columnheader" .figure { (heads[4]) }
                    }
                }
                tbody role="rowgroup" {
                    @for way in ways.iter().take(SHOWN_MAX) {
                        tr role="row" {
                            th scope="row" role="rowheader" { (show::moment(visitor, way.last_s)) }
                            td role="cell" data-head=(heads[1]) { (visitor.say(protocol(&way.protocol))) }
                            td role="cell" data-head=(heads[2]) { (way.network) " (" (way.client) ")" }
                            td role="cell" data-head=(heads[3]) { @if way.program.is_empty() { (visitor.say(words::NOT_SAID)) } @else { (way.program) } }
                            td role="cell" data-head=(heads[4]) .figure { (way.times) }
                        }
                    }
                }
            }
        }
    }
}

#[derive(Deserialize)]
struct Which {
    number: u64,
}

/// Ends one of the visitor's own sessions; a number of somebody else's is none of theirs.
async fn ended(visitor: Visitor, Form(Which { number }): Form<Which>) -> Response {
    if visitor.portal.sessions.end_number(&visitor.login, number) {
        back(&visitor, PATH, visitor.say(words::ENDED))
    } else {
        page::failed(&visitor, PATH, &OperateError::NotKept { id: String::new() })
    }
}

/// Ends everything, this session as well: whoever fears a thief signs in again.
async fn all_ended(visitor: Visitor) -> Response {
    let ended = visitor.portal.service.sessions.end(&visitor.login);
    tracing::info!(login = %visitor.login, ended, "audit: all sessions ended by their owner");
    visitor.portal.sessions.end_all(&visitor.login, None);
    page::see("/sign-in")
}
