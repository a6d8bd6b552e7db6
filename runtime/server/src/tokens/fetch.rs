//! One GET or POST over HTTPS to who vouches for people: keys, configurations, answers about one sign-in.

use std::time::Duration;

use hyper::body::Bytes;
use hyper::http::request::Builder;
use hyper::{Request, StatusCode, Uri, header};

use crate::world::web::{self, Reach};

/// All of it takes at most this long.
const FETCH_MAX: Duration = Duration::from_secs(10);
const BODY_OCTETS_MAX: usize = 256 * 1024;
/// What is wanted.
pub const JSON: &str = "application/json";
pub const XML: &str = "application/xml, text/xml";

/// The body of an answer with status 200, or why there is none. No redirects: the plan names the place.
pub async fn get(reach: Reach<'_>, url: &str, accept: &'static str) -> Result<Bytes, String> {
    let request = |target: &str| Request::get(target).header(header::ACCEPT, accept);
    match bounded(reach, url, request, Bytes::new()).await? {
        (StatusCode::OK, body) => Ok(body),
        (status, _) => Err(format!("status {status}")),
    }
}

/// Status and body of the answer to a form. `authorization` is the value of that field.
pub async fn post(
    reach: Reach<'_>,
    url: &str,
    authorization: &str,
    form: String,
) -> Result<(StatusCode, Bytes), String> {
    let request = |target: &str| {
        Request::post(target)
            .header(header::ACCEPT, JSON)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::AUTHORIZATION, authorization)
    };
    bounded(reach, url, request, form.into()).await
}

async fn bounded(
    reach: Reach<'_>,
    url: &str,
    request: impl Fn(&str) -> Builder,
    body: Bytes,
) -> Result<(StatusCode, Bytes), String> {
    let asking = fetched(reach, url, request, body);
    tokio::time::timeout(FETCH_MAX, asking).await.unwrap_or(Err("no answer in time".to_owned()))
}

async fn fetched(
    reach: Reach<'_>,
    url: &str,
    request: impl Fn(&str) -> Builder,
    body: Bytes,
) -> Result<(StatusCode, Bytes), String> {
    let uri: Uri = url.parse().map_err(|_| "no URL")?;
    let host = uri.host().filter(|_| uri.scheme_str() == Some("https")).ok_or("no https URL")?;
    let target = uri.path_and_query().map_or("/", |it| it.as_str());
    let port = uri.port_u16().unwrap_or(443);
    match web::ask(reach, host, port, request(target), body, BODY_OCTETS_MAX).await {
        Ok((parts, body)) => Ok((parts.status, body)),
        Err(web::NoAnswer::Certificate) => Err("its certificate is not believed".to_owned()),
        Err(web::NoAnswer::Trouble) => Err("no answer".to_owned()),
    }
}
