//! What people ask for: approve or refuse.

use axum::response::Response;
use axum::routing::{get, post};
use decide::roles::Act;
use mail::{Address, Domain};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::{Form, Path, Route, Visitor, Words, act, form, page, show};
use super::{Because, because, below, labelled, reason, staff, told, units_of, words};
use crate::operate::{ApproveRedirect, AskedOf, AskedRedirect, ListAsked, OperateError, RefuseRedirect};

const PATH: &str = "/manage/redirects";

pub(super) fn routes() -> Vec<Route> {
    vec![
        (PATH, get(listed)),
        ("/manage/redirects/{login}/approve", post(approve)),
        ("/manage/redirects/{login}/refuse", post(refuse)),
    ]
}

async fn listed(visitor: Visitor) -> Response {
    if let Err(response) = staff(&visitor, Act::ApproveRedirect) {
        return response;
    }
    match waiting(&visitor).await {
        Ok(all) => {
            let body = html! {
                @if all.is_empty() { p { (visitor.say(words::NOTHING_WAITS)) } }
                @for (at, one) in all.iter().enumerate() { (request(&visitor, at, one)) }
            };
            page::page(&visitor, words::REDIRECTS, body)
        }
        Err(error) => page::failed(&visitor, "/manage", &error),
    }
}

/// Of all people, or of each unit of theirs; who asked first comes first.
async fn waiting(visitor: &Visitor) -> Result<Vec<AskedRedirect>, OperateError> {
    let units = units_of(visitor)?.map(|units| units.into_iter().map(AskedOf::Unit).collect::<Vec<_>>());
    let mut all = Vec::new();
    for of in units.unwrap_or_else(|| vec![AskedOf::All]) {
        all.extend(act(visitor, ListAsked { of, waiting: true }).await?);
    }
    all.sort_by(|a, b| (a.asked.at_s, &a.login).cmp(&(b.asked.at_s, &b.login)));
    // Two spellings of a unit are one to those requests.
    all.dedup_by(|a, b| a.login == b.login);
    Ok(all)
}

fn request(visitor: &Visitor, at: usize, one: &AskedRedirect) -> Markup {
    let say = |words: Words| visitor.say(words);
    let AskedRedirect { login, name, unit, asked } = one;
    let home = asked.home.as_ref().map(Domain::to_string).unwrap_or_default();
    let id = |name: &str| format!("{name}-{at}");
    html! {
        section aria-labelledby=(id("who")) {
            h2 id=(id("who")) { (name) " (" (login) ")" }
            dl .facts {
                dt { (say(words::UNIT)) } dd { (unit) }
                dt { (say(words::TO)) } dd { (asked.to) }
                dt { (say(words::BECAUSE)) } dd { (asked.because) }
                @if !home.is_empty() { dt { (say(words::HOME_INSTITUTION)) } dd { (home) } }
                dt { (say(words::WHEN)) } dd { (show::moment(visitor, asked.at_s)) }
            }
            @if *login == visitor.login.to_string() { p { (say(words::OWN_CASE)) } }
            @else {
                (form(visitor, &format!("{}/approve", below(PATH, login)), html! {
                    input type="hidden" name="to" value=(asked.to);
                    (labelled(&id("until"), "until", "date", say(words::LAST_DAY), &asked.until, false))
                    (labelled(&id("home"), "home", "text", say(words::HOME_INSTITUTION), &home, false))
                    (because(visitor, &id("approve")))
                    button { (say(words::APPROVE)) }
                }))
                (form(visitor, &format!("{}/refuse", below(PATH, login)), html! {
                    (because(visitor, &id("refuse")))
                    button .danger { (say(words::REFUSE)) }
                }))
            }
        }
    }
}

#[derive(Deserialize)]
struct Approved {
    to: String,
    because: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    home: String,
}

async fn approve(visitor: Visitor, Path(login): Path<String>, Form(approved): Form<Approved>) -> Response {
    if let Err(response) = staff(&visitor, Act::ApproveRedirect) {
        return response;
    }
    let request = match read(login, &approved) {
        Ok(request) => request,
        Err(why) => return page::failed(&visitor, PATH, &OperateError::BadRequest { why }),
    };
    match act(&visitor, request).await {
        Ok(_) => told(&visitor, PATH, visitor.say(words::APPROVED).to_owned()),
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}

fn read(login: String, approved: &Approved) -> Result<ApproveRedirect, String> {
    let to: Address = approved.to.parse().map_err(|_| format!("{} is no address", approved.to))?;
    let home = Some(approved.home.trim()).filter(|home| !home.is_empty()).map(str::parse::<Domain>).transpose();
    let home = home.map_err(|_| format!("{} is no domain", approved.home))?;
    let until = Some(approved.until.clone()).filter(|until| !until.is_empty());
    Ok(ApproveRedirect { login, to, because: reason(&approved.because), until, home, by: None })
}

async fn refuse(visitor: Visitor, Path(login): Path<String>, Form(Because { because }): Form<Because>) -> Response {
    if let Err(response) = staff(&visitor, Act::ApproveRedirect) {
        return response;
    }
    match act(&visitor, RefuseRedirect { login, because: reason(&because), by: None }).await {
        Ok(_) => told(&visitor, PATH, visitor.say(words::REFUSED).to_owned()),
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}
