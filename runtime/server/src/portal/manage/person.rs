//! One person: where the account stands, and what may be done for them.

use axum::response::Response;
use axum::routing::{get, post};
use decide::roles::Act;
use mail::Person;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::{Form, Path, Route, Visitor, Words, act, form, page, redirect, show};
use super::{Because, because, below, labelled, login, may, people, reason, staff, table, told, words};
use crate::operate::{
    AccessesOf, ContainPerson, EndQuota, GrantQuota, ListQuotas, ListedAccess, ListedQuota, OperateError, ShowPerson,
    ShownPerson, ShownState, StateOf, UndoContain, UnlockPerson, WriteLetter,
};

/// Ways of logging in that are shown.
const ACCESSES_MAX: usize = 20;
const GB: u64 = 1_000_000_000;

pub(super) fn routes() -> Vec<Route> {
    vec![
        ("/manage/people/{login}", get(shown)),
        ("/manage/people/{login}/letter", post(letter)),
        ("/manage/people/{login}/unlock", post(unlock)),
        ("/manage/people/{login}/contain", post(contain)),
        ("/manage/people/{login}/undo", post(undo)),
        ("/manage/people/{login}/quota", post(grant)),
        ("/manage/people/{login}/quota/end", post(end_grant)),
    ]
}

/// What a page shows of somebody.
struct Whole {
    person: Person,
    shown: ShownPerson,
    state: ShownState,
    accesses: Vec<ListedAccess>,
    granted: Vec<ListedQuota>,
}

async fn read(visitor: &Visitor, of: &str) -> Result<Whole, OperateError> {
    let shown = act(visitor, ShowPerson { login: of.to_owned() }).await?;
    let gone = || OperateError::NoSuchLogin { login: of.to_owned() };
    let login = login(of).ok_or_else(gone)?;
    let person = visitor.portal.service.store.person(&login)?.ok_or_else(gone)?.person;
    let login = login.to_string();
    Ok(Whole {
        shown,
        person,
        state: act(visitor, StateOf { login: login.clone() }).await?,
        accesses: act(visitor, AccessesOf { login: login.clone() }).await?,
        granted: act(visitor, ListQuotas { login: Some(login) }).await?,
    })
}

async fn shown(visitor: Visitor, Path(of): Path<String>) -> Response {
    if let Err(response) = staff(&visitor, Act::SeePerson) {
        return response;
    }
    match read(&visitor, &of).await {
        Ok(whole) => page::page(&visitor, words::PERSON, body(&visitor, &whole)),
        Err(error) => page::failed(&visitor, people::PATH, &error),
    }
}

fn body(visitor: &Visitor, whole: &Whole) -> Markup {
    let service = &visitor.portal.service;
    let asked = service.requests.of(&whole.person.login);
    html! {
        (facts(visitor, whole))
        @if let Some(asked) = &asked { (redirect::asked_for(visitor, asked)) }
        (accesses(visitor, &whole.accesses))
        (actions(visitor, whole))
    }
}

fn facts(visitor: &Visitor, whole: &Whole) -> Markup {
    let Whole { person, shown, state, granted, .. } = whole;
    let say = |words: Words| visitor.say(words);
    let size = |octets: u64| show::octets(visitor.language, octets);
    let day = |day: &str| show::day(visitor.language, day);
    let locks = [
        (words::IS_CONTAINED, &state.contained),
        (words::IS_LOCKED, &state.sending_locked),
        (words::IS_HELD, &state.outgoing_held),
    ];
    html! {
        dl .facts {
            dt { (say(words::NAME)) } dd { (person.first) " " (person.last) }
            dt { (say(words::LOGIN)) } dd { (person.login) }
            dt { (say(words::ADDRESS)) } dd { (person.address) }
            dt { (say(words::UNIT)) } dd { (person.unit) }
            dt { (say(words::PROFILE)) } dd { (person.profile) }
            dt { (say(words::STATE)) } dd { (words::state(visitor.language, &state.state))
                @if let Some(given) = &state.given { " – " (given.because) " (" (given.by) ")" }
                @if let Some(next) = &state.next { " – " (words::THEN.with(visitor.language, &[&words::state(visitor.language, &next.to), &day(&next.on)])) }
            }
            @if !state.until.is_empty() { dt { (say(words::LAST_DAY)) } dd { (day(&state.until)) } }
            dt { (say(words::ROOM)) }
            dd { (words::USED_OF.with(visitor.language, &[&size(shown.used_octets), &size(person.quota_octets)])) }
            @for one in granted {
                dt { (say(words::GRANTED)) }
                dd { (size(one.grant.octets)) " – " (one.grant.approver) ", " (day(&one.grant.until)) ": " (one.grant.because) }
            }
            @for (what, lock) in locks {
                @if let Some(lock) = lock {
                    dt { (say(what)) }
                    dd { (lock.because) " – " (lock.by) ", " (show::moment(visitor, lock.at_s)) " " code { (lock.rule) } }
                }
            }
            @if state.held > 0 { dt { (say(words::HELD_MESSAGES)) } dd { (state.held) } }
        }
    }
}

fn accesses(visitor: &Visitor, all: &[ListedAccess]) -> Markup {
    let say = |words: Words| visitor.say(words);
    let rows = all.iter().take(ACCESSES_MAX).map(|access| {
        vec![
            html! { (show::moment(visitor, access.last_s)) },
            html! { (access.protocol) },
            html! { (access.network) },
            html! { (access.client) },
            html! { (access.program) },
            html! { (access.times) },
        ]
    });
    let heads = [words::LAST, words::PROTOCOL, words::NETWORK, words::FROM_WHERE, words::PROGRAM, words::TIMES];
    html! {
        h2 { (say(words::ACCESSES)) }
        @if all.is_empty() { p { (say(words::NEVER)) } }
        @else { (table(say(words::ACCESSES), &heads.map(say), rows.collect())) }
    }
}

fn actions(visitor: &Visitor, whole: &Whole) -> Markup {
    let Whole { person, state, granted, .. } = whole;
    let say = |words: Words| visitor.say(words);
    let to = |what: &str| format!("{}/{what}", below(people::PATH, person.login.as_str()));
    let may = |act: Act| may(visitor, act, person);
    let contained = state.contained.is_some();
    html! {
        @if may(Act::ResetPassword) {
            section { h2 { (say(words::LETTER)) } p { (say(words::LETTER_HINT)) }
                (form(visitor, &to("letter"), html! { button { (say(words::LETTER_DO)) } })) }
        }
        @if may(Act::Unlock) {
            section { h2 { (say(words::UNLOCK)) } p { (say(words::UNLOCK_HINT)) }
                (form(visitor, &to("unlock"), html! { button { (say(words::UNLOCK_DO)) } })) }
        }
        @if may(Act::GrantQuota) {
            section { h2 { (say(words::MORE_ROOM)) } (room(visitor, &to("quota")))
                @if !granted.is_empty() {
                    (form(visitor, &to("quota/end"), html! { button .danger { (say(words::END_ROOM)) } }))
                }
            }
        }
        @if may(Act::Contain) && !contained {
            section { h2 { (say(words::CONTAIN)) } p { (say(words::CONTAIN_HINT)) }
                (form(visitor, &to("contain"), html! {
                    (because(visitor, "contain-because")) button .danger { (say(words::CONTAIN_DO)) }
                })) }
        }
        @if may(Act::UndoContain) && contained {
            section { h2 { (say(words::UNDO)) } p { (say(words::UNDO_HINT)) }
                (form(visitor, &to("undo"), html! { button { (say(words::UNDO_DO)) } })) }
        }
    }
}

fn room(visitor: &Visitor, action: &str) -> Markup {
    let say = |words: Words| visitor.say(words);
    form(
        visitor,
        action,
        html! {
            div .field {
                label for="gigabytes" { (say(words::GIGABYTES)) }
                input type="number" id="gigabytes" name="gigabytes" min="1" max="10000" step="1" required;
            }
            (labelled("room-until", "until", "date", say(words::LAST_DAY), "", true))
            (because(visitor, "room-because"))
            button { (say(words::GRANT)) }
        },
    )
}

/// The one time the password is told: on a page to print, which nobody keeps.
async fn letter(visitor: Visitor, Path(login): Path<String>) -> Response {
    let back = below(people::PATH, &login);
    if let Err(response) = staff(&visitor, Act::ResetPassword) {
        return response;
    }
    match act(&visitor, WriteLetter { login, language: None }).await {
        Ok(letter) => {
            let body = html! {
                p .lead { (visitor.say(words::LETTER_ONCE)) }
                pre .letter { (letter.text) }
                p { a href=(back) { (visitor.say(words::BACK)) } }
            };
            page::page(&visitor, words::LETTER, body)
        }
        Err(error) => page::failed(&visitor, &back, &error),
    }
}

async fn unlock(visitor: Visitor, Path(login): Path<String>) -> Response {
    done(&visitor, &login.clone(), Act::Unlock, words::UNLOCKED, UnlockPerson { login }).await
}

async fn contain(visitor: Visitor, Path(login): Path<String>, Form(Because { because }): Form<Because>) -> Response {
    let back = below(people::PATH, &login);
    if let Err(response) = staff(&visitor, Act::Contain) {
        return response;
    }
    let request = ContainPerson { login, because: reason(&because), by: None };
    match act(&visitor, request).await {
        Ok(done) => {
            let say = |words: Words| visitor.say(words);
            let rows = done.sent.iter().map(|sent| {
                vec![
                    html! { (show::moment(&visitor, sent.at_s)) },
                    html! { (sent.subject) },
                    html! { (sent.here) " + " (sent.away.len()) },
                ]
            });
            let heads = [say(words::WHEN), say(words::SUBJECT), say(words::RECIPIENTS)];
            let body = html! {
                p .lead { (words::CONTAINED.with(visitor.language, &[&done.sessions, &done.held.len()])) }
                h2 { (say(words::SENT)) }
                @if done.sent.is_empty() { p { (say(words::NOTHING_SENT)) } }
                @else { (table(say(words::SENT), &heads, rows.collect())) }
                p { a href=(back) { (say(words::BACK)) } }
            };
            page::page(&visitor, words::CONTAIN, body)
        }
        Err(error) => page::failed(&visitor, &back, &error),
    }
}

async fn undo(visitor: Visitor, Path(login): Path<String>) -> Response {
    let request = UndoContain { login: login.clone(), old_password: false, by: None };
    done(&visitor, &login, Act::UndoContain, words::UNDONE, request).await
}

#[derive(Deserialize)]
struct Granted {
    gigabytes: u64,
    until: String,
    because: String,
}

async fn grant(visitor: Visitor, Path(login): Path<String>, Form(granted): Form<Granted>) -> Response {
    let request = GrantQuota {
        login: login.clone(),
        octets: granted.gigabytes.saturating_mul(GB),
        because: reason(&granted.because),
        approver: None,
        until: granted.until,
        by: None,
    };
    done(&visitor, &login, Act::GrantQuota, words::ROOM_GIVEN, request).await
}

async fn end_grant(visitor: Visitor, Path(login): Path<String>) -> Response {
    let request = EndQuota { login: login.clone(), by: None };
    done(&visitor, &login, Act::GrantQuota, words::ROOM_ENDED, request).await
}

/// Does it and says so on the person's page.
async fn done<O: crate::operate::Operation>(
    visitor: &Visitor,
    login: &str,
    what: Act,
    said: Words,
    request: O,
) -> Response {
    let back = below(people::PATH, login);
    if let Err(response) = staff(visitor, what) {
        return response;
    }
    match act(visitor, request).await {
        Ok(_) => told(visitor, &back, visitor.say(said).to_owned()),
        Err(error) => page::failed(visitor, &back, &error),
    }
}
