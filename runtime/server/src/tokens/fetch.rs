//! The keys of an issuer, by one GET over HTTPS.

use std::time::Duration;

use hyper::body::Bytes;
use hyper::{Request, StatusCode, Uri, header};

use crate::service::Service;
use crate::world::web;

/// All of it takes at most this long.
const FETCH_MAX: Duration = Duration::from_secs(10);
const BODY_OCTETS_MAX: usize = 256 * 1024;

/// The body of an answer with status 200, or why there is none. No redirects: the plan names the place.
pub async fn get(service: &Service, url: &str) -> Result<Bytes, String> {
    tokio::time::timeout(FETCH_MAX, fetched(service, url)).await.unwrap_or(Err("no answer in time".to_owned()))
}

async fn fetched(service: &Service, url: &str) -> Result<Bytes, String> {
    let uri: Uri = url.parse().map_err(|_| "no URL")?;
    let host = uri.host().filter(|_| uri.scheme_str() == Some("https")).ok_or("no https URL")?;
    let target = uri.path_and_query().map_or("/", |it| it.as_str());
    let request = Request::get(target).header(header::ACCEPT, "application/json");
    let port = uri.port_u16().unwrap_or(443);
    let answer = web::ask(service, host, port, request, Bytes::new(), BODY_OCTETS_MAX).await;
    match answer {
        Ok((parts, body)) if parts.status == StatusCode::OK => Ok(body),
        Ok((parts, _)) => Err(format!("status {}", parts.status)),
        Err(web::NoAnswer::Certificate) => Err("its certificate is not believed".to_owned()),
        Err(web::NoAnswer::Trouble) => Err("no answer".to_owned()),
    }
}
