//! The one gate of the portal: what every request has to pass, and the header of every answer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use plan::Language;

use super::serve::Source;
use super::{Portal, Visit, cookie, page, style, words};
use crate::setup;

/// Octets of a form.
const FORM_OCTETS_MAX: usize = 64 * 1024;
/// How long a form may take to arrive.
const FORM_MAX: Duration = Duration::from_secs(15);
/// Name of the field that holds a form's token.
pub const TOKEN: &str = "token";
/// What is kept of a browser's name.
const PROGRAM_CHARS_MAX: usize = 120;

/// On every answer. No script runs, nothing comes from elsewhere, nobody frames a page, nothing is kept.
const HEADER: [(HeaderName, &str); 9] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // With `no-referrer` browsers would not say where a form comes from.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Lets a request pass to its page, and puts the header on the answer.
pub async fn pass(State(portal): State<Arc<Portal>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let mut response = judged(&portal, request, next).await;
    for (name, value) in HEADER {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    let code = response.status();
    portal.service.metrics.portal_requests.with_label_values(&[route.as_str(), code.as_str()]).inc();
    response
}

async fn judged(portal: &Arc<Portal>, mut request: Request, next: Next) -> Response {
    let Some(source) = request.extensions().get::<Source>().cloned() else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let host = host(portal, &source, request.headers());
    let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let named = if host.is_some() { portal.host.as_str() } else { named };
    // Programs and other servers ask from everywhere, and see nothing of the portal.
    if let Some(wanted) = setup::wanted(portal.service.tables.plan(), &portal.host, named, request.uri()) {
        return setup::respond(&portal.service, wanted, request).await;
    }
    let Some(host) = host else {
        return (StatusCode::MISDIRECTED_REQUEST, "no such host here\n").into_response();
    };
    let (visit, fresh) = visit(portal, &source, &request);
    if !matches!(*request.method(), Method::GET | Method::HEAD | Method::POST) {
        let mut response = page::not_this_way(visit).await;
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        return response;
    }
    // The style sheet tells nothing, and the page that says no wants it.
    if !visit.is_from(&portal.rules.from) && request.uri().path() != *style::PATH {
        return page::problem(&visit, StatusCode::FORBIDDEN, words::NOT_FROM_THERE);
    }
    if request.method() == Method::POST {
        request = match checked(&visit, &host, request).await {
            Ok(request) => request,
            Err(response) => return response,
        };
    }
    request.extensions_mut().insert(visit.clone());
    let mut response = next.run(request).await;
    if fresh {
        response.headers_mut().append(header::SET_COOKIE, cookie::set(cookie::FORM, &visit.form_id));
    }
    response
}

/// The host that is asked for, if it is the portal's.
fn host(portal: &Portal, source: &Source, headers: &HeaderMap) -> Option<String> {
    let asked = headers.get(header::HOST)?.to_str().ok()?;
    let is_ours = asked.eq_ignore_ascii_case(&portal.host)
        || source.also.is_some_and(|also| asked == also.to_string() || asked == format!("localhost:{}", also.port()));
    is_ours.then(|| asked.to_ascii_lowercase())
}

/// The visit, and whether a cookie for its forms is to be set.
fn visit(portal: &Arc<Portal>, source: &Source, request: &Request) -> (Visit, bool) {
    let headers = request.headers();
    let id = cookie::id(headers, cookie::SESSION);
    let session = id.and_then(|id| Some((id, portal.sessions.of(&id, portal.now_s())?)));
    let known = session.as_ref().map(|(id, _)| *id).or_else(|| cookie::id(headers, cookie::FORM));
    let program = headers.get(header::USER_AGENT).and_then(|name| name.to_str().ok()).unwrap_or_default();
    let visit = Visit {
        portal: portal.clone(),
        language: language(portal, headers),
        address: source.address,
        client: source.client,
        class: source.class,
        path: request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        program: program.chars().take(PROGRAM_CHARS_MAX).collect(),
        form_id: known.unwrap_or_else(crate::random::octets),
        session: session.map(|(_, session)| session),
    };
    (visit, known.is_none())
}

/// The language that was chosen, else the first we have of those the browser asks for (RFC 9110 12.5.4), else the
/// institution's.
fn language(portal: &Portal, headers: &HeaderMap) -> Language {
    let chosen = cookie::value(headers, cookie::LANGUAGE).and_then(words::language);
    let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|field| field.to_str().ok());
    let institution = portal.service.tables.plan().institution.pages;
    chosen.or_else(|| words::asked(asked?)).unwrap_or(institution)
}

/// A form that came from a page of ours, whole.
async fn checked(visit: &Visit, host: &str, request: Request) -> Result<Request, Response> {
    let origin = request.headers().get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let site = request.headers().get("sec-fetch-site").map(|site| site.as_bytes() == b"same-origin");
    let is_ours = origin.is_some_and(|origin| origin.strip_prefix("https://") == Some(host)) && site != Some(false);
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = content_type.is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    if !is_form {
        return Err(page::problem(visit, StatusCode::UNSUPPORTED_MEDIA_TYPE, words::NOT_A_FORM));
    }
    let length =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > FORM_OCTETS_MAX as u64) {
        return Err(page::problem(visit, StatusCode::PAYLOAD_TOO_LARGE, words::TOO_LARGE));
    }
    let (parts, body) = request.into_parts();
    let body = match tokio::time::timeout(FORM_MAX, to_bytes(body, FORM_OCTETS_MAX)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return Err(page::problem(visit, StatusCode::PAYLOAD_TOO_LARGE, words::TOO_LARGE)),
        Err(_) => return Err(page::problem(visit, StatusCode::REQUEST_TIMEOUT, words::TOO_SLOW)),
    };
    let fields = super::form::pairs(body.clone()).await;
    let token = fields.iter().find(|(name, _)| name == TOKEN).map_or("", |(_, value)| value.as_str());
    if !is_ours || !visit.is_token(parts.uri.path(), token) {
        return Err(page::problem(visit, StatusCode::FORBIDDEN, words::NOT_FROM_HERE));
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}
