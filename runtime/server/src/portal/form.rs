//! Forms: what they are made of, and what is read of them. The gate has checked the token of a form before it is read here.

use std::fmt::Write as _;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::Response;
use maud::{Markup, html};
use serde::de::DeserializeOwned;

use super::gate::TOKEN;
use super::{Portal, Visit, page, words};

/// The fields of a form that was sent from a page of ours.
pub(crate) struct Form<T>(pub T);

impl<T: DeserializeOwned> FromRequest<std::sync::Arc<Portal>> for Form<T> {
    type Rejection = Response;

    async fn from_request(request: Request, portal: &std::sync::Arc<Portal>) -> Result<Form<T>, Response> {
        let visit = request.extensions().get::<Visit>().cloned();
        match axum::Form::<T>::from_request(request, portal).await {
            Ok(axum::Form(fields)) => Ok(Form(fields)),
            Err(error) => {
                tracing::debug!("a form of the portal cannot be read: {error}");
                let visit =
                    visit.ok_or_else(|| axum::response::IntoResponse::into_response(StatusCode::BAD_REQUEST))?;
                Err(page::problem(&visit, StatusCode::BAD_REQUEST, words::NOT_A_FORM))
            }
        }
    }
}

/// Names and values of a form's body; none where it is no form.
pub(super) async fn pairs(body: Bytes) -> Vec<(String, String)> {
    let request = Request::builder().method("POST").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let Ok(request) = request.body(Body::from(body)) else { return Vec::new() };
    axum::Form::from_request(request, &()).await.map(|axum::Form(pairs)| pairs).unwrap_or_default()
}

/// A form that is posted to `action`, with its token.
pub(crate) fn form(visit: &Visit, action: &str, body: Markup) -> Markup {
    html! {
        form method="post" action=(action) {
            input type="hidden" name=(TOKEN) value=(visit.token(action));
            (body)
        }
    }
}

/// A field with its label. `name` is its id, too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub name: &'a str,
    pub label: &'a str,
    /// Said below the label; empty for nothing.
    pub hint: &'a str,
    /// `text`, `password`, `email`, `search`, `date`, `number`.
    pub kind: &'a str,
    pub value: &'a str,
    /// A token of `autocomplete`; `off` where there is none.
    pub autocomplete: &'a str,
    /// What is wrong with it; empty for nothing.
    pub error: &'a str,
    pub required: bool,
}

impl Default for Field<'_> {
    fn default() -> Self {
        let (name, label, hint, value, error) = ("", "", "", "", "");
        Field { name, label, hint, kind: "text", value, autocomplete: "off", error, required: true }
    }
}

pub(crate) fn field(field: Field<'_>) -> Markup {
    let Field { name, label, hint, kind, value, autocomplete, error, required } = field;
    let mut described = String::new();
    if !hint.is_empty() {
        let _ = write!(described, "{name}-hint ");
    }
    if !error.is_empty() {
        let _ = write!(described, "{name}-error");
    }
    let described = Some(described.trim_end()).filter(|ids| !ids.is_empty());
    html! {
        div .field .wrong[!error.is_empty()] {
            label for=(name) { (label) }
            @if !hint.is_empty() { p .hint id={ (name) "-hint" } { (hint) } }
            @if !error.is_empty() { p .error id={ (name) "-error" } { (error) } }
            input type=(kind) id=(name) name=(name) value=(value) autocomplete=(autocomplete) required[required]
                aria-describedby=[described] aria-invalid=[(!error.is_empty()).then_some("true")]
                autocapitalize="none" spellcheck="false";
        }
    }
}

/// What is wrong, above a form, with links to its fields: id of a field (empty for none) and words.
pub(crate) fn summary(visit: &Visit, wrong: &[(&str, String)]) -> Markup {
    html! {
        @if !wrong.is_empty() {
            section .summary role="alert" aria-labelledby="summary-title" tabindex="-1" {
                h2 #summary-title { (visit.say(words::SOMETHING_IS_WRONG)) }
                ul {
                    @for (id, said) in wrong {
                        li { @if id.is_empty() { (said) } @else { a href={ "#" (id) } { (said) } } }
                    }
                }
            }
        }
    }
}
