//! Where a service is, and what it says of itself in answer to OPTIONS (RFC 3507 4.10.2).

use super::request::Method;
use super::response::Response;

/// Most octets that are sent ahead of a 100, whatever the service would like.
const PREVIEW_OCTETS_MAX: u64 = 64 * 1024;
/// The service of a policy that names none.
const USUAL: &str = "respmod";

/// `host:port` and the path of the service of `host:1344/avscan`; `None` where one of them cannot be written in a
/// request.
pub fn place(at: &str) -> Option<(&str, &str)> {
    let (host, service) = at.split_once('/').unwrap_or((at, USUAL));
    let service = if service.is_empty() { USUAL } else { service };
    let is_sound = |text: &str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_graphic());
    (is_sound(host) && is_sound(service)).then_some((host, service))
}

/// What a service said it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// How messages are given to it: RESPMOD where it knows that.
    pub method: Method,
    /// `None` where it wants none.
    pub preview: Option<u64>,
    /// What its verdicts depend on: it changes with the signatures (RFC 3507 4.7).
    pub istag: Option<String>,
    /// Seconds after which it is asked again.
    pub ttl_s: Option<u64>,
    /// Connections it takes from this client.
    pub connections_max: Option<u64>,
    /// Its own name, empty where it says none.
    pub name: String,
}

impl Service {
    /// Reads the response to OPTIONS; the error is for people.
    pub fn of(response: &Response) -> Result<Service, String> {
        if response.status != 200 {
            return Err(format!("OPTIONS was answered {}", response.status));
        }
        let fields = &response.fields;
        let method = [Method::Respmod, Method::Reqmod].into_iter().find(|m| fields.has_token("methods", m.word()));
        let method = method.ok_or("the service knows neither RESPMOD nor REQMOD")?;
        Ok(Service {
            method,
            preview: fields.number("preview").map(|octets| octets.min(PREVIEW_OCTETS_MAX)),
            istag: response.istag(),
            ttl_s: fields.number("options-ttl"),
            connections_max: fields.number("max-connections").filter(|max| *max > 0),
            name: fields.get("service").unwrap_or_default().to_owned(),
        })
    }
}
