//! What a response is worth. There is no verdict in an error, in a page without the name of what was found, or in words
//! that contradict each other.
//!
//! The fields are those of the drafts most engines follow (draft-stecher-icap-subid-00) and of what they had before.

use super::response::{Inner, Response};
use crate::scan;

/// The body that came back, beside the one that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Body {
    None,
    /// Octet by octet what was sent.
    Same,
    Differs,
}

/// What an engine said of a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Clean,
    /// The name of the signature.
    Infected(String),
    /// By a rule of thumb, or because it cannot be looked into.
    Suspect(String),
    /// The engine is well and does not look at this content, for the reason given.
    Refused(String),
    /// Nothing that can be believed, for the reason given.
    None(String),
}

/// Reads a response to RESPMOD or REQMOD. `whole`: it began after all of the content was sent.
pub fn verdict(response: &Response, body: Body, whole: bool) -> Verdict {
    match (response.status, found(response)) {
        (200, Found::Infection(name)) => named(name),
        (200, Found::Violation(name)) => Verdict::Suspect(name),
        (200, Found::Nothing) => unnamed(response, body, whole),
        (204, Found::Nothing) if whole => Verdict::Clean,
        (204, Found::Nothing) => Verdict::Refused("answered before it had the whole message".to_owned()),
        (204, _) => Verdict::None("204 with the name of a finding".to_owned()),
        (200, Found::Nameless) => Verdict::None("a finding without a name".to_owned()),
        (413, _) => Verdict::Refused("takes no message of this size".to_owned()),
        (status, _) => Verdict::None(format!("answered {status}")),
    }
}

fn named(name: String) -> Verdict {
    if scan::is_heuristic(&name) { Verdict::Suspect(name) } else { Verdict::Infected(name) }
}

/// 200 with no word of a finding: the content itself is clean, anything else is not ours to guess at.
fn unnamed(response: &Response, body: Body, whole: bool) -> Verdict {
    match (&response.inner, body) {
        (Some(Inner::Response { status, .. }), _) if !(200..300).contains(status) => {
            Verdict::None(format!("a page of status {status} without the name of a finding"))
        }
        (Some(_), Body::Same) if whole => Verdict::Clean,
        (Some(_), Body::Same) => Verdict::Refused("answered before it had the whole message".to_owned()),
        (Some(_), Body::Differs | Body::None) | (None, _) => {
            Verdict::None("another body in place of the message, without the name of a finding".to_owned())
        }
    }
}

enum Found {
    Nothing,
    Infection(String),
    /// A rule of the engine, or an archive it cannot look into.
    Violation(String),
    /// It says that there is something, and not what.
    Nameless,
}

/// What the fields say, outside and inside. Those with a kind go first.
fn found(response: &Response) -> Found {
    let inner = match &response.inner {
        Some(Inner::Response { fields, .. }) => Some(fields),
        Some(Inner::Other) | None => None,
    };
    let field = |name: &str| response.fields.get(name).or_else(|| inner?.get(name)).filter(|value| !value.is_empty());
    if let Some(infection) = field("x-infection-found") {
        let part = |key: &str| infection.split(';').find_map(|part| part.trim().strip_prefix(key)).map(str::trim);
        let threat = part("Threat=").filter(|name| !name.is_empty()).or_else(|| field("x-virus-id"));
        return match (part("Type="), threat) {
            (_, None) => Found::Nameless,
            (Some("1" | "2"), Some(name)) => Found::Violation(short(name)),
            (_, Some(name)) => Found::Infection(short(name)),
        };
    }
    if let Some(name) = ["x-virus-id", "x-virus-name"].into_iter().find_map(field) {
        return Found::Infection(short(name));
    }
    match field("x-violations-found").map(|value| value.split('\n').map(str::trim).collect::<Vec<_>>()) {
        None => {}
        Some(lines) if lines.first() == Some(&"0") => {}
        // The number; for each a file name, a threat, its number and what was done.
        Some(lines) => match lines.get(2).filter(|threat| !threat.is_empty() && **threat != "-") {
            Some(threat) => return Found::Infection(short(threat)),
            None => return Found::Nameless,
        },
    }
    match field("x-response-info").map(str::to_ascii_lowercase) {
        Some(info) if ["blocked", "infected"].iter().any(|word| info.starts_with(word)) => Found::Nameless,
        Some(_) | None => Found::Nothing,
    }
}

/// For the record: one line, bounded.
fn short(name: &str) -> String {
    name.lines().next().unwrap_or_default().trim().chars().take(scan::NAME_CHARS_MAX).collect()
}
