//! The second factor: a code beside the password.

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use maud::{Markup, PreEscaped, html};
use plan::SecondFactor;
use qrcodegen::{QrCode, QrCodeEcc};
use serde::Deserialize;

use super::{Field, Form, Route, Visitor, Words, act, back, field, form, page, summary, with_context, words};
use crate::operate::{BeginTotp, ConfirmTotp, OperateError, audit};
use crate::passwords::totp::{self, Enrolment, TotpState};

pub(super) const PATH: &str = "/second-factor";
const CONFIRM: &str = "/second-factor/confirm";
const END: &str = "/second-factor/end";

pub(super) fn routes() -> Vec<Route> {
    vec![(PATH, get(shown).post(begun)), (CONFIRM, post(confirmed)), (END, post(ended))]
}

/// Does this plan know second factors?
pub(super) fn is_offered(visitor: &Visitor) -> bool {
    visitor.portal.service.tables.plan().identity.password.second_factor != SecondFactor::Never
}

async fn shown(visitor: Visitor) -> Response {
    let service = &visitor.portal.service;
    match totp::state(&service.store, &service.signing.seal, &visitor.login) {
        Ok(state) => page(&visitor, words::SECOND_FACTOR, standing(&visitor, state)),
        Err(error) => page::unreadable(&visitor, &error),
    }
}

fn standing(visitor: &Visitor, state: TotpState) -> Markup {
    html! {
        p .lead { (visitor.say(words::SECOND_FACTOR_WHAT)) }
        @if state.is_on {
            p { strong { (visitor.say(words::SECOND_FACTOR_ON)) } }
            p { (words::RECOVERY_LEFT.with(visitor.language, &[&state.recovery_left])) }
            h2 { (visitor.say(words::SECOND_FACTOR_END)) }
            p { (visitor.say(words::SECOND_FACTOR_END_WHAT)) }
            (code_form(visitor, END, words::SECOND_FACTOR_END, ""))
        } @else if is_offered(visitor) {
            p { (visitor.say(words::SECOND_FACTOR_OFF)) }
            (form(visitor, PATH, html! { button { (visitor.say(words::SECOND_FACTOR_BEGIN)) } }))
        } @else {
            p { (visitor.say(words::SECOND_FACTOR_NEVER)) }
        }
    }
}

fn code_form(visitor: &Visitor, action: &str, button: Words, error: &str) -> Markup {
    form(
        visitor,
        action,
        html! {
            (field(Field {
                name: "code", label: visitor.say(words::CODE), hint: visitor.say(words::CODE_HINT), error,
                autocomplete: "one-time-code", ..Field::default()
            }))
            button { (visitor.say(button)) }
        },
    )
}

async fn begun(visitor: Visitor) -> Response {
    if !is_offered(&visitor) {
        return page::see(PATH);
    }
    match act(&visitor, BeginTotp { login: visitor.login.to_string() }).await {
        Ok(enrolment) => page(&visitor, words::SECOND_FACTOR, enrolling(&visitor, &enrolment)),
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}

fn enrolling(visitor: &Visitor, enrolment: &Enrolment) -> Markup {
    let groups: Vec<String> =
        enrolment.secret.as_bytes().chunks(4).map(|part| String::from_utf8_lossy(part).into_owned()).collect();
    html! {
        ol .steps {
            li { (visitor.say(words::TOTP_STEP_APP)) }
            li {
                p { (visitor.say(words::TOTP_STEP_SCAN)) }
                (qr(&enrolment.uri, visitor.say(words::QR_CODE)))
                p { (visitor.say(words::TOTP_STEP_TYPE)) " " code .secret { (groups.join(" ")) } }
            }
            li {
                p { (visitor.say(words::TOTP_STEP_CODE)) }
                (code_form(visitor, CONFIRM, words::SECOND_FACTOR_CONFIRM, ""))
            }
        }
    }
}

/// A QR code as a picture in the page itself.
pub(super) fn qr(text: &str, title: &str) -> Markup {
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Medium) else { return html! {} };
    let mut path = String::new();
    for y in 0..code.size() {
        for x in 0..code.size() {
            if code.get_module(x, y) {
                path.push_str(&format!("M{x},{y}h1v1h-1z"));
            }
        }
    }
    // Four modules of white around it (ISO/IEC 18004 6.3.8).
    let side = code.size() + 8;
    html! {
        svg .qr role="img" aria-label=(title) viewBox=(format!("-4 -4 {side} {side}")) xmlns="http://www.w3.org/2000/svg" {
            rect x="-4" y="-4" width=(side) height=(side) fill="#fff" {}
            path d=(PreEscaped(path)) fill="#000" {}
        }
    }
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

async fn confirmed(visitor: Visitor, Form(Code { code }): Form<Code>) -> Response {
    let request = ConfirmTotp { login: visitor.login.to_string(), code: code.trim().to_owned() };
    match act(&visitor, request).await {
        Ok(codes) => page(&visitor, words::SECOND_FACTOR, recovery(&visitor, &codes)),
        Err(OperateError::BadRequest { .. }) => wrong(&visitor, CONFIRM, words::SECOND_FACTOR_CONFIRM),
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}

fn wrong(visitor: &Visitor, action: &str, button: Words) -> Response {
    let error = visitor.say(words::CODE_WRONG);
    let body = html! {
        (summary(visitor, &[("code", error.to_owned())]))
        (code_form(visitor, action, button, error))
        p { a href=(PATH) { (visitor.say(words::START_AGAIN)) } }
    };
    page::page_with(visitor, StatusCode::UNPROCESSABLE_ENTITY, words::SECOND_FACTOR, body)
}

fn recovery(visitor: &Visitor, codes: &[String]) -> Markup {
    html! {
        p .done role="status" { (visitor.say(words::SECOND_FACTOR_ON)) }
        h2 { (visitor.say(words::RECOVERY_CODES)) }
        p { (visitor.say(words::RECOVERY_WHAT)) }
        ul .codes { @for code in codes { li { code { (code) } } } }
        p { a .button href="/" { (visitor.say(words::RECOVERY_KEPT)) } }
    }
}

async fn ended(visitor: Visitor, Form(Code { code }): Form<Code>) -> Response {
    let (peer, class, login) = (visitor.peer(), visitor.class, visitor.login.clone());
    let ended = with_context(&visitor, move |context| {
        let server = context.server.as_ref().ok_or(OperateError::NoServer)?;
        if totp::check(server, &peer, class, &login, code.trim()).is_err() {
            return Ok(false);
        }
        totp::end(&context.store, &login)?;
        audit(context, &format!("second factor of {login} ended"));
        Ok(true)
    });
    match ended.await {
        Ok(true) => back(&visitor, PATH, visitor.say(words::SECOND_FACTOR_ENDED)),
        Ok(false) => wrong(&visitor, END, words::SECOND_FACTOR_END),
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}
