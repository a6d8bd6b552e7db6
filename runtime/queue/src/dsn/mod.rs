//! Delivery status notifications: text in, octets out (RFC 3461, RFC 3464, RFC 6522; RFC 6533 for messages in UTF-8).
//!
//! Three parts: words for a person in the institution's language and below them in the other one, fields for a program, and
//! what came back of the message. What a next hop said is quoted, never believed.

mod fields;
mod law;
mod words;

use mail::date::DateTime;
use mail::{Address, Body, Domain, EnhancedCode, Return, header};
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;
use mail_builder::mime::MimePart;
use plan::Language;

pub use law::fuzz;

use crate::facts::{MessageFacts, RecipientFacts};

/// A message that failed comes back whole up to so many octets; a longer one as its header.
const RETURNED_OCTETS_MAX: usize = 1 << 20;
/// And so much of a header.
const HEADER_OCTETS_MAX: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Failure,
    Delay,
    Success,
}

/// RFC 3464 2.3.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Failed,
    Delayed,
    Delivered,
    /// A next hop has it that tells nobody what becomes of it.
    Relayed,
    /// It went on to several from here (RFC 3461 5.2.7).
    Expanded,
}

/// What is told of one recipient.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    pub recipient: &'a Address,
    pub facts: &'a RecipientFacts,
    pub action: Action,
    pub status: EnhancedCode,
    /// Who said `said`; nothing where the words are ours.
    pub remote: Option<&'a str>,
    /// On one line.
    pub said: &'a str,
    /// The rule of the plan that ended it; empty when none did.
    pub rule: &'a str,
    pub last_attempt_s: Option<i64>,
}

/// A notification to be written. Times are Unix seconds.
#[derive(Clone, Copy, Debug)]
pub struct Notification<'a> {
    pub kind: Kind,
    pub language: Language,
    /// The institution, for people.
    pub institution: &'a str,
    /// Who answers questions; may be empty.
    pub contact: &'a str,
    /// The name this server goes by.
    pub reporting_mta: &'a Domain,
    /// The reverse-path of the message it tells of.
    pub to: &'a Address,
    /// Unique: it makes the Message-ID and the boundary.
    pub id: &'a str,
    pub at_s: i64,
    pub accepted_at_s: i64,
    /// How long a delayed message is tried.
    pub will_retry_until_s: Option<i64>,
    pub message: &'a MessageFacts,
    pub content: &'a [u8],
    pub about: &'a [About<'a>],
}

/// The message, lines ending with CR LF. Its reverse-path is `<>`.
pub fn write(notification: &Notification<'_>) -> Vec<u8> {
    let utf8 = is_international(notification);
    let parts = vec![
        MimePart::new("text/plain", words::text(notification)),
        status(notification, utf8),
        returned(notification, utf8),
    ];
    let report = ContentType::new("multipart/report")
        .attribute("report-type", "delivery-status")
        .attribute("boundary", format!("report-{}", notification.id));
    let domain = notification.reporting_mta;
    let (name, subject) = words::name_and_subject(notification);
    let mut top = MimePart::new(report, parts);
    let mut front: Vec<(&str, String)> = vec![
        ("Date", DateTime::utc(notification.at_s).to_rfc5322()),
        ("To", format!("<{}>", notification.to)),
        ("Message-ID", format!("<{}@{domain}>", notification.id)),
        ("Auto-Submitted", "auto-replied".to_owned()),
        ("MIME-Version", "1.0".to_owned()),
    ];
    if let Some(id) = message_id(notification.content) {
        front.push(("In-Reply-To", id.clone()));
        front.push(("References", id));
    }
    let mut out = Vec::with_capacity(4_096);
    for (field, value) in front {
        out.extend_from_slice(format!("{field}: {value}\r\n").as_bytes());
    }
    out.extend_from_slice(from(name, domain).as_bytes());
    top.headers.insert(0, ("Subject".into(), Text::new(subject).into()));
    top.write_part(&mut out);
    out
}

/// The display name is ours and the institution's: quoted, in an encoded word where it needs one.
fn from(name: String, domain: &Domain) -> String {
    use mail_builder::headers::Header;
    let mut value = Vec::new();
    let address = mail_builder::headers::address::Address::new_address(Some(name), format!("postmaster@{domain}"));
    address.write_header(&mut value, "From: ".len());
    format!("From: {}", String::from_utf8_lossy(&value))
}

fn status<'a>(notification: &Notification<'_>, utf8: bool) -> MimePart<'a> {
    let (kind, encoding) = match utf8 {
        true => ("message/global-delivery-status", "8bit"),
        false => ("message/delivery-status", "7bit"),
    };
    raw(kind, encoding, fields::text(notification, utf8).into_bytes())
}

/// RFC 3461 6.2: the message comes back at most once, and only where it failed. Of a binary one the header does: a notification
/// has lines (RFC 3030 3).
fn returned<'a>(notification: &Notification<'_>, utf8: bool) -> MimePart<'a> {
    let content = notification.content;
    let whole = notification.kind == Kind::Failure
        && notification.message.ret == Some(Return::Full)
        && notification.message.body != Body::BinaryMime
        && content.len() <= RETURNED_OCTETS_MAX;
    let octets = if whole { content } else { header_of(content) };
    let kind = match (whole, utf8) {
        (true, false) => "message/rfc822",
        (true, true) => "message/global",
        (false, false) => "text/rfc822-headers",
        (false, true) => "message/global-headers",
    };
    raw(kind, if octets.is_ascii() { "7bit" } else { "8bit" }, octets.to_vec())
}

fn raw<'a>(kind: &'static str, encoding: &'static str, octets: Vec<u8>) -> MimePart<'a> {
    let mut part = MimePart::new(ContentType::new(kind), octets);
    part.headers.push(("Content-Transfer-Encoding".into(), Raw::new(encoding).into()));
    part
}

/// The header with the line that ends it, bounded at a line's end.
fn header_of(content: &[u8]) -> &[u8] {
    let end = content.windows(4).position(|window| window == b"\r\n\r\n").map_or(content.len(), |at| at + 2);
    if end <= HEADER_OCTETS_MAX {
        return &content[..end];
    }
    let bounded = &content[..HEADER_OCTETS_MAX];
    let line = bounded.windows(2).rposition(|window| window == b"\r\n").map_or(0, |at| at + 2);
    &bounded[..line]
}

fn is_international(notification: &Notification<'_>) -> bool {
    let header = header_of(notification.content);
    notification.message.smtputf8
        || notification.about.iter().any(|about| about.recipient.needs_utf8())
        || (!header.is_ascii() && std::str::from_utf8(header).is_ok())
}

/// The message's own id, where it is one.
fn message_id(content: &[u8]) -> Option<String> {
    let value = header::find(header_of(content), "message-id")?.text();
    let sound = value.len() <= 512 && value.starts_with('<') && value.ends_with('>');
    (sound && value.bytes().all(|octet| octet.is_ascii_graphic())).then_some(value)
}

#[cfg(test)]
mod tests;
