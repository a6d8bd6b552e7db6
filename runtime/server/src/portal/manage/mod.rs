//! Pages of correspondents and managers. Each asks twice: the page is shown to who holds a role and comes from a network
//! where managers work, and what it does is an operation that asks for itself (`roles::must`).

mod audit;
mod blocks;
mod compromise;
mod decision;
mod people;
mod person;
mod quarantine;
mod recall;
mod redirects;
mod teaching;
mod words;

use std::collections::BTreeSet;

use axum::response::Response;
use axum::routing::get;
use decide::roles::{About, Act, Held, allows};
use mail::{Login, Person};
use maud::{Markup, html};
use serde::Deserialize;

use super::page::Link;
use super::{Route, Visitor, page};
use crate::operate::OperateError;

/// Longest reason somebody gives.
const BECAUSE_CHARS_MAX: usize = 500;
/// Units that are looked through for those of a correspondent.
const UNITS_MAX: u32 = 5_000;

pub(super) fn routes() -> Vec<Route> {
    let parts = [
        vec![("/manage", get(home))],
        people::routes(),
        person::routes(),
        redirects::routes(),
        quarantine::routes(),
        teaching::routes(),
        recall::routes(),
        blocks::routes(),
        compromise::routes(),
        decision::routes(),
        audit::routes(),
    ];
    parts.into_iter().flatten().collect()
}

/// Their link in the navigation of every page.
pub(super) fn links(visitor: &Visitor) -> Vec<Link> {
    let here = visitor.roles.is_any() && visitor.is_from(&visitor.portal.rules.managers_from);
    if here { vec![("/manage", words::MANAGE)] } else { Vec::new() }
}

/// What somebody who holds this may do on these pages: path, name, and what is behind it.
fn tasks(held: &Held) -> Vec<Link> {
    let all: [(Act, Link); 9] = [
        (Act::SeePerson, ("/manage/people", words::PEOPLE)),
        (Act::ApproveRedirect, ("/manage/redirects", words::REDIRECTS)),
        (Act::SeeCompromise, ("/manage/compromise", words::COMPROMISE)),
        (Act::SeeQuarantine, ("/manage/quarantine", words::QUARANTINE)),
        (Act::SeeTeaching, ("/manage/spam", words::TEACHING)),
        (Act::SeeRecalls, ("/manage/recall", words::RECALL)),
        (Act::SeeBlocks, ("/manage/blocks", words::BLOCKS)),
        (Act::LookUpDecision, ("/manage/decision", words::DECISION)),
        (Act::ReadAudit, ("/manage/audit", words::AUDIT)),
    ];
    all.into_iter().filter(|(act, _)| may_somewhere(held, *act)).map(|(_, link)| link).collect()
}

/// May they do it for anybody: of all people, or of a unit of theirs?
fn may_somewhere(held: &Held, act: Act) -> bool {
    let units = held.correspondent_of.iter().map(|unit| About::unit(unit));
    std::iter::once(About::NOBODY).chain(units).any(|about| allows(held, act, about).is_ok())
}

/// Lets a page go on for who may do this for anybody; else the answer says why not.
#[expect(clippy::result_large_err, reason = "it is the answer, made at most once a request")]
fn staff(visitor: &Visitor, act: Act) -> Result<(), Response> {
    visitor.must(may_somewhere(&visitor.roles, act))
}

/// May they do it for this person?
fn may(visitor: &Visitor, act: Act, person: &Person) -> bool {
    let service = &visitor.portal.service;
    let Ok(theirs) = crate::roles::roles_of(service, &person.login) else { return false };
    let oneself = person.login == visitor.login;
    allows(&visitor.roles, act, About { unit: &person.unit, oneself, held: &theirs }).is_ok()
}

/// The units a page is limited to, as people are kept under them: `None` for who sees all people. A unit of theirs nobody is in
/// is there as the address of its correspondents spells it.
fn units_of(visitor: &Visitor) -> Result<Option<Vec<String>>, OperateError> {
    if allows(&visitor.roles, Act::SeePerson, About::NOBODY).is_ok() {
        return Ok(None);
    }
    let theirs = &visitor.roles.correspondent_of;
    let mut units = visitor.portal.service.store.units(UNITS_MAX)?;
    units.retain(|unit| theirs.contains(&decide::roles::unit_key(unit)));
    let known: BTreeSet<String> = units.iter().map(|unit| decide::roles::unit_key(unit)).collect();
    units.extend(theirs.difference(&known).cloned());
    Ok(Some(units))
}

async fn home(visitor: Visitor) -> Response {
    if let Err(response) = visitor.must(visitor.roles.is_any()) {
        return response;
    }
    let body = html! {
        ul .tasks { @for (path, name) in tasks(&visitor.roles) { li { a href=(path) { (visitor.say(name)) } } } }
    };
    page(&visitor, words::MANAGE, body)
}

/// To a page, after something was done that is said there.
fn told(visitor: &Visitor, to: &str, said: String) -> Response {
    visitor.portal.sessions.say(&visitor.form_id, said);
    page::see(to)
}

/// Why, in the words of who decides.
#[derive(Deserialize)]
struct Because {
    because: String,
}

/// Cut to what is kept of a reason.
fn reason(text: &str) -> String {
    text.trim().chars().take(BECAUSE_CHARS_MAX).collect()
}

/// A field for the reason. `id` tells those of one page apart.
fn because(visitor: &Visitor, id: &str) -> Markup {
    labelled(id, "because", "text", visitor.say(words::BECAUSE), "", true)
}

/// A field whose id is not its name: of forms that are on a page many times.
fn labelled(id: &str, name: &str, kind: &str, label: &str, value: &str, required: bool) -> Markup {
    html! {
        div .field {
            label for=(id) { (label) }
            input type=(kind) id=(id) name=(name) value=(value) required[required] autocomplete="off";
        }
    }
}

/// A table with its caption; a row is as many cells as there are heads, the first of them names it. On a telephone each row
/// stands as a list, where a cell says its head itself; the roles keep it a table for those who hear it.
fn table(caption: &str, heads: &[&str], rows: Vec<Vec<Markup>>) -> Markup {
    html! {
        div .scroll role="region" aria-label=(caption) tabindex="0" {
            table role="table" {
                caption { (caption) }
                thead role="rowgroup" { tr role="row" { @for head in heads { th scope="col" role="columnheader" { (head) } } } }
                tbody role="rowgroup" {
                    @for row in rows {
                        tr role="row" { @for (at, cell) in row.into_iter().enumerate() {
                            @if at == 0 { th scope="row" role="rowheader" { (cell) } }
                            @else { td role="cell" data-head=[heads.get(at)] { (cell) } }
                        } }
                    }
                }
            }
        }
    }
}

/// A login of a path that may be one.
fn login(text: &str) -> Option<Login> {
    Login::new(text)
}

/// A path below another, with what people wrote in it.
fn below(path: &str, name: &str) -> String {
    format!("{path}/{}", super::show::in_query(name).replace('/', "%2F"))
}
