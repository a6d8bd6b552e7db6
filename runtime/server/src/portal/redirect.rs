//! Where the visitor's mail goes on to: what holds now, what they asked for, and asking.

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use mail::{Address, Domain};
use maud::{Markup, html};
use plan::AskedThrough;
use serde::Deserialize;

use super::{Field, Form, Route, Visitor, act, back, field, form, page, show, summary, words};
use crate::operate::{EndRedirect, RequestRedirect};
use crate::redirects::Redirect;
use crate::redirects::asked::{Asked, State};

const PATH: &str = "/redirect";
const END: &str = "/redirect/end";

/// Longest reason.
const BECAUSE_CHARS_MAX: usize = 500;

pub(super) fn routes() -> Vec<Route> {
    vec![(PATH, get(shown).post(asked)), (END, post(ended))]
}

async fn shown(visitor: Visitor) -> Response {
    page(&visitor, words::REDIRECT, redirect(&visitor, &Typed::default(), &[]))
}

fn redirect(visitor: &Visitor, typed: &Typed, wrong: &[(&str, String)]) -> Markup {
    let service = &visitor.portal.service;
    let now = service.redirects.of(&visitor.login);
    let request = service.requests.of(&visitor.login);
    let is_asked_here = service.tables.plan().redirects.asked_through != AskedThrough::Nobody;
    html! {
        (summary(visitor, wrong))
        h2 { (visitor.say(words::REDIRECT_NOW)) }
        (state(visitor, now.as_ref()))
        @if let Some(request) = &request { (asked_for(visitor, request)) }
        @if is_asked_here { (asking(visitor, typed, wrong)) } @else { p { (visitor.say(words::REDIRECT_NOT_HERE)) } }
    }
}

/// What mail does now.
pub(super) fn state(visitor: &Visitor, redirect: Option<&Redirect>) -> Markup {
    let Some(redirect) = redirect else { return html! { p { (visitor.say(words::REDIRECT_NONE)) } } };
    let service = &visitor.portal.service;
    let copy = if redirect.keeps_copy { words::REDIRECT_COPY } else { words::REDIRECT_NO_COPY };
    html! {
        p {
            (words::REDIRECT_TO.with(visitor.language, &[&redirect.to])) " " (visitor.say(copy))
            @if let Some(approval) = &redirect.approval {
                @if !approval.until.is_empty() {
                    " " (words::REDIRECT_UNTIL.with(visitor.language, &[&show::day(visitor.language, &approval.until)]))
                }
            }
        }
        @if let Err(stop) = redirect.holds(&service.tables, &service.today()) {
            p .warning { strong { (visitor.say(words::REDIRECT_STOPPED)) } " " code { (stop.rule()) } }
        }
        (form(visitor, END, html! { button .danger { (visitor.say(words::REDIRECT_END)) } }))
    }
}

/// What became of the last request.
pub(super) fn asked_for(visitor: &Visitor, asked: &Asked) -> Markup {
    let language = visitor.language;
    let said = match &asked.state {
        State::Allowed { .. } => visitor.say(words::ASKED_ALLOWED).to_owned(),
        State::Waits { .. } => visitor.say(words::ASKED_WAITS).to_owned(),
        State::Refused { why, rule, by } if by.is_empty() => {
            let told = words::refusal(visitor.portal.service.tables.plan(), language, rule, why);
            words::ASKED_REFUSED.with(language, &[told.as_ref().unwrap_or(why), rule])
        }
        State::Refused { why, by, .. } => words::ASKED_REFUSED_BY.with(language, &[by, why]),
        State::Approved { by, .. } => words::ASKED_APPROVED.with(language, &[by]),
        State::Ended { .. } => visitor.say(words::ASKED_ENDED).to_owned(),
    };
    html! {
        h2 { (visitor.say(words::REDIRECT_ASKED)) }
        p { (words::ASKED_ON.with(language, &[&show::day_of(visitor, asked.at_s), &asked.to])) }
        p { strong { (said) } }
    }
}

fn asking(visitor: &Visitor, typed: &Typed, wrong: &[(&str, String)]) -> Markup {
    let error = |name: &str| wrong.iter().find(|(field, _)| *field == name).map_or("", |(_, said)| said.as_str());
    html! {
        h2 { (visitor.say(words::REDIRECT_ASK)) }
        p { (visitor.say(words::REDIRECT_RULES)) }
        (form(visitor, PATH, html! {
            (field(Field {
                name: "to", label: visitor.say(words::REDIRECT_WHERE), kind: "email", value: &typed.to,
                autocomplete: "email", error: error("to"), ..Field::default()
            }))
            (field(Field {
                name: "because", label: visitor.say(words::REDIRECT_WHY), value: &typed.because, error: error("because"),
                hint: visitor.say(words::REDIRECT_WHY_HINT), ..Field::default()
            }))
            (field(Field {
                name: "home", label: visitor.say(words::REDIRECT_HOME), value: &typed.home, error: error("home"),
                hint: visitor.say(words::REDIRECT_HOME_HINT), required: false, ..Field::default()
            }))
            (field(Field {
                name: "until", label: visitor.say(words::REDIRECT_LAST_DAY), kind: "date", value: &typed.until,
                error: error("until"), required: false, ..Field::default()
            }))
            div .choice {
                input type="checkbox" id="copy" name="copy" value="1" checked[typed.copy.is_some()];
                label for="copy" { (visitor.say(words::REDIRECT_KEEP)) }
            }
            button { (visitor.say(words::REDIRECT_SEND)) }
        }))
    }
}

#[derive(Default, Deserialize)]
struct Typed {
    to: String,
    because: String,
    #[serde(default)]
    home: String,
    #[serde(default)]
    until: String,
    copy: Option<String>,
}

/// The request, or what is wrong with its fields.
fn read(visitor: &Visitor, typed: &Typed) -> Result<RequestRedirect, Vec<(&'static str, String)>> {
    let mut wrong = Vec::new();
    let to = typed.to.trim().parse::<Address>().ok();
    if to.is_none() {
        wrong.push(("to", visitor.say(words::NO_ADDRESS).to_owned()));
    }
    let because: String = typed.because.trim().chars().take(BECAUSE_CHARS_MAX).collect();
    if because.is_empty() {
        wrong.push(("because", visitor.say(words::NO_REASON).to_owned()));
    }
    let home = Some(typed.home.trim()).filter(|home| !home.is_empty()).map(str::parse::<Domain>);
    let home = home.transpose().unwrap_or_else(|_| {
        wrong.push(("home", visitor.say(words::NO_DOMAIN).to_owned()));
        None
    });
    let until = Some(typed.until.trim().to_owned()).filter(|until| !until.is_empty());
    match to {
        Some(to) if wrong.is_empty() => Ok(RequestRedirect {
            login: visitor.login.to_string(),
            to,
            keeps_copy: typed.copy.is_some(),
            because,
            home,
            until,
        }),
        _ => Err(wrong),
    }
}

async fn asked(visitor: Visitor, Form(typed): Form<Typed>) -> Response {
    let request = match read(&visitor, &typed) {
        Ok(request) => request,
        Err(wrong) => {
            let body = redirect(&visitor, &typed, &wrong);
            return page::page_with(&visitor, StatusCode::UNPROCESSABLE_ENTITY, words::REDIRECT, body);
        }
    };
    match act(&visitor, request).await {
        // Its own state is told on the page.
        Ok(_) => back(&visitor, PATH, visitor.say(words::REDIRECT_SENT)),
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}

async fn ended(visitor: Visitor) -> Response {
    match act(&visitor, EndRedirect { login: visitor.login.to_string() }).await {
        Ok(_) => back(&visitor, PATH, visitor.say(words::REDIRECT_OVER)),
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}
