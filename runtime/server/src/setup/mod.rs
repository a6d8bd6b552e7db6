//! Client set-up: what mail programs ask for to set an account up by themselves, and the MTA-STS policy, over the HTTPS
//! of the portal. Every file is made of the plan, and none of who exists: an address that is nobody's gets the same answer
//! as one that is somebody's.
//!
//! | at | what |
//! |---|---|
//! | `autoconfig.D/mail/config-v1.1.xml`, `/.well-known/autoconfig/mail/config-v1.1.xml` | Thunderbird and others |
//! | `autodiscover.D/autodiscover/autodiscover.xml` (POST), `.json` | Outlook |
//! | `autoconfig.D/mail/apple.mobileconfig?emailaddress=…` | Apple's Mail, signed |
//! | `mta-sts.D/.well-known/mta-sts.txt` | other servers (RFC 8461 3.3) |
//!
//! The portal's own host answers the first three, too.

mod ask;
mod cms;
mod der;
mod profile;
#[cfg(test)]
mod tests;

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request};
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use mail::{Address, Domain};
use pages::{Holder, NoAutoconfig};
use plan::Plan;
use serde::Deserialize;

use crate::clock;
use crate::service::Service;
use crate::site::PORTAL;
use crate::zone;

pub(crate) use der::{is_self_signed, validity};
pub use profile::profile;

/// A request of Outlook has less than one.
const REQUEST_OCTETS_MAX: usize = 16 * 1024;
const REQUEST_MAX: Duration = Duration::from_secs(15);
/// Programs and other servers may keep an answer for an hour, so that a change of policy is soon true.
const KEPT: &str = "max-age=3600";

/// What is asked for at a host of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    what: What,
    /// The domain the host is for.
    domain: Domain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Autoconfig,
    Autodiscover,
    /// Where the other one is, for clients that ask so first (MS-OXWSADISC is not spoken).
    AutodiscoverAt,
    Mobileconfig,
    MtaSts,
    /// A host of set-up, and no file of it.
    Nothing,
}

/// Is this request for set-up? `host` is what the request names, perhaps with a port; `portal` is the portal's own.
pub(crate) fn wanted(plan: &Plan, portal: &str, host: &str, uri: &Uri) -> Option<Wanted> {
    let host = host.to_ascii_lowercase();
    let path = uri.path().to_ascii_lowercase();
    let file = match path.as_str() {
        "/mail/config-v1.1.xml" | "/.well-known/autoconfig/mail/config-v1.1.xml" => What::Autoconfig,
        "/autodiscover/autodiscover.xml" => What::Autodiscover,
        "/autodiscover/autodiscover.json" | "/autodiscover/autodiscover.json/v1.0" => What::AutodiscoverAt,
        "/mail/apple.mobileconfig" => What::Mobileconfig,
        "/.well-known/mta-sts.txt" => What::MtaSts,
        _ => What::Nothing,
    };
    if host == portal {
        let is_file = !matches!(file, What::Nothing | What::MtaSts);
        return is_file.then(|| Wanted { what: file, domain: plan.institution.domain.clone() });
    }
    let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
    let (label, rest) = name.split_once('.')?;
    let domain = rest.parse::<Domain>().ok().filter(|domain| plan.domains.contains_key(domain.as_str()))?;
    let what = match (label, file) {
        ("autoconfig", What::Autoconfig | What::Mobileconfig) => file,
        ("autodiscover", What::Autodiscover | What::AutodiscoverAt | What::Autoconfig) => file,
        ("mta-sts", What::MtaSts) => file,
        ("autoconfig" | "autodiscover" | "mta-sts", _) => What::Nothing,
        _ => return None,
    };
    Some(Wanted { what, domain })
}

/// Names this server answers set-up at, for one domain. Of these a certificate and DNS have to know.
pub(crate) fn hosts(plan: &Plan, domain: &str) -> Vec<String> {
    let mut hosts = Vec::new();
    if pages::autoconfig(plan, domain, None).is_ok() {
        hosts.extend(["autoconfig", "autodiscover"].map(|label| format!("{label}.{domain}")));
    }
    if plan.domains.contains_key(domain) && zone::mta_sts(plan).is_some() {
        hosts.push(format!("mta-sts.{domain}"));
    }
    hosts
}

/// The answer.
pub(crate) async fn respond(service: &Service, wanted: Wanted, request: Request) -> Response {
    let plan = service.tables.plan();
    let posts = wanted.what == What::Autodiscover;
    let fits = match *request.method() {
        Method::POST => posts,
        Method::GET | Method::HEAD => !posts,
        _ => false,
    };
    if !fits && wanted.what != What::Nothing {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    match wanted.what {
        What::Nothing => StatusCode::NOT_FOUND.into_response(),
        What::MtaSts => match zone::mta_sts(plan) {
            Some(policy) => file("text/plain; charset=utf-8", policy),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        What::Autoconfig => {
            let domain = asked_address(request.uri()).map_or(wanted.domain, |address| address.domain().clone());
            match pages::autoconfig(plan, domain.as_str(), None) {
                Ok(text) => file("application/xml; charset=utf-8", text),
                Err(why) => nothing(why),
            }
        }
        What::Autodiscover => autodiscover(plan, request).await,
        What::AutodiscoverAt => {
            let url = format!("https://autodiscover.{}/autodiscover/autodiscover.xml", wanted.domain);
            let text = serde_json::json!({ "Protocol": "AutodiscoverV1", "Url": url }).to_string();
            file("application/json", text)
        }
        What::Mobileconfig => {
            let Some(address) = asked_address(request.uri()) else {
                return (StatusCode::BAD_REQUEST, "emailaddress=… is missing\n").into_response();
            };
            let holder = Holder { address, login: String::new(), name: String::new() };
            match profile(plan, Some(&service.certificates.of(PORTAL).now().certificate), &holder, clock::unix_s()) {
                Ok(octets) => file("application/x-apple-aspen-config", octets),
                Err(why) => nothing(why),
            }
        }
    }
}

#[derive(Deserialize)]
struct Asker {
    emailaddress: Option<String>,
}

/// The address in a query, as mail programs name it. What is no address is as if nothing were said.
fn asked_address(uri: &Uri) -> Option<Address> {
    let Query(asker) = Query::<Asker>::try_from_uri(uri).ok()?;
    asker.emailaddress?.parse().ok()
}

async fn autodiscover(plan: &Plan, request: Request) -> Response {
    let body = match tokio::time::timeout(REQUEST_MAX, to_bytes(request.into_body(), REQUEST_OCTETS_MAX)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => return StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    file("text/xml; charset=utf-8", discovered(plan, &body))
}

/// The answer to a request of Outlook. Errors have status 200, too (MS-OXDSCLI 2.2.4.1.1.3).
fn discovered(plan: &Plan, body: &[u8]) -> String {
    let asked = std::str::from_utf8(body).ok().and_then(ask::read);
    let address = asked.as_ref().and_then(|asked| asked.address.parse::<Address>().ok());
    match (asked, address) {
        (Some(asked), Some(_)) if !asked.schema.is_empty() && asked.schema != pages::OUTLOOK => {
            pages::no_autodiscover(601)
        }
        (_, Some(address)) => pages::autodiscover(plan, &address).unwrap_or_else(|_| pages::no_autodiscover(500)),
        (_, None) => pages::no_autodiscover(600),
    }
}

/// The domain is not here, or has nothing to offer. Never said of an address.
fn nothing(why: NoAutoconfig) -> Response {
    let says = match why {
        NoAutoconfig::NotOurs => "this domain is not here\n",
        NoAutoconfig::PassedOn => "mailboxes of this domain are on another server\n",
        NoAutoconfig::NoTls => "nothing can be advised\n",
    };
    (StatusCode::NOT_FOUND, says).into_response()
}

fn file(kind: &'static str, content: impl Into<Body>) -> Response {
    let header = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, KEPT)];
    (header, content.into()).into_response()
}
