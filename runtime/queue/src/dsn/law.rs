//! What must hold of a notification whatever senders and next hops wrote.

use mail::header;
use mail::mime::text::decode_text;
use mail::mime::{Kind as PartKind, Part, Structure};
use mail::{Address, Body, Domain, EnhancedCode, Return};
use plan::Language;

use super::{About, Action, Kind, Notification, header_of, words, write};
use crate::facts::{MessageFacts, RecipientFacts};

/// Between the texts of an input: no octet of UTF-8.
const BETWEEN: u8 = 0xff;
const ID: &str = "0123abcd";
/// Fields of a report (RFC 3464 2.2 and 2.3), and each of them begins a line.
const FIELDS: [&str; 11] = [
    "Original-Envelope-Id",
    "Reporting-MTA",
    "Arrival-Date",
    "Original-Recipient",
    "Final-Recipient",
    "Action",
    "Status",
    "Remote-MTA",
    "Diagnostic-Code",
    "Last-Attempt-Date",
    "Will-Retry-Until",
];

/// The texts of an input.
struct Texts<'a> {
    bits: u8,
    recipient: Address,
    said: String,
    remote: String,
    orcpt: String,
    envid: String,
    content: &'a [u8],
}

/// The first octet chooses the kind of notification, the texts behind it are what others wrote. The report reads back whole:
/// three parts, the message as it was, fields in their places, and no line that somebody else began.
pub fn fuzz(octets: &[u8]) {
    let [bits, rest @ ..] = octets else { return };
    let mut texts = rest.splitn(6, |octet| *octet == BETWEEN);
    let mut next = || texts.next().unwrap_or_default();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let (Ok(recipient), said, remote) = (text(next()).parse(), text(next()), text(next())) else { return };
    let (orcpt, envid, content) = (text(next()), text(next()), next());
    if !content.windows(ID.len()).any(|window| window == ID.as_bytes()) {
        check(&Texts { bits: *bits, recipient, said, remote, orcpt, envid, content });
    }
}

fn check(texts: &Texts<'_>) {
    let bits = texts.bits;
    let body = if bits & 4 == 0 { Body::EightBitMime } else { Body::BinaryMime };
    let content = received(texts.content, body);
    let message = MessageFacts {
        ret: (bits & 8 != 0).then_some(Return::Full),
        envid: (bits & 16 != 0).then(|| texts.envid.clone()),
        smtputf8: bits & 32 != 0,
        body,
        ..MessageFacts::default()
    };
    let facts = RecipientFacts { orcpt: (bits & 64 != 0).then(|| texts.orcpt.clone()), ..RecipientFacts::default() };
    let (kind, action) = [
        (Kind::Failure, Action::Failed),
        (Kind::Delay, Action::Delayed),
        (Kind::Success, Action::Delivered),
        (Kind::Success, Action::Relayed),
    ][usize::from(bits & 3)];
    let about = About {
        recipient: &texts.recipient,
        facts: &facts,
        action,
        status: EnhancedCode(5, 1, 1),
        remote: (bits & 128 != 0).then_some(texts.remote.as_str()),
        said: &texts.said,
        rule: "retention.queue",
        last_attempt_s: Some(1_796_000_000),
    };
    let to: Address = "alice@univ.example".parse().expect("an address");
    let reporting_mta: Domain = "univ.example".parse().expect("a domain");
    let notification = Notification {
        kind,
        language: Language::French,
        institution: "Université",
        contact: "aide@univ.example",
        reporting_mta: &reporting_mta,
        to: &to,
        id: ID,
        at_s: 1_796_000_000,
        accepted_at_s: 1_795_900_000,
        will_retry_until_s: Some(1_796_332_000),
        message: &message,
        content: &content,
        about: &[about, about],
    };
    read_back(&notification, &write(&notification));
}

/// As the session lets a content through: lines end with CRLF and hold no NUL; past the header of a binary one anything may
/// come.
fn received(octets: &[u8], body: Body) -> Vec<u8> {
    let (head, rest) = match octets.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) if body == Body::BinaryMime => octets.split_at(at + 2),
        _ => (octets, &[][..]),
    };
    let sound = head.iter().filter(|octet| !matches!(octet, b'\r' | 0));
    let mut content = Vec::new();
    for octet in sound {
        content.extend_from_slice(if *octet == b'\n' { b"\r\n" } else { std::slice::from_ref(octet) });
    }
    content.extend_from_slice(rest);
    content
}

fn read_back(notification: &Notification<'_>, written: &[u8]) {
    assert!(!written.contains(&0), "NUL");
    let is_line = |line: &[u8]| !line.strip_suffix(b"\r").unwrap_or(line).contains(&b'\r');
    let mut lines: Vec<&[u8]> = written.split(|octet| *octet == b'\n').collect();
    assert!(lines.pop().is_some_and(<[u8]>::is_empty), "the last line ends");
    assert!(lines.iter().all(|line| line.ends_with(b"\r") && is_line(line)), "a bare line end");
    let structure = Structure::parse(written);
    let top = &structure.top;
    let names: Vec<&[u8]> = header::fields(&written[top.header.clone()]).map(|field| field.name()).collect();
    let replies = names.iter().filter(|name| [&b"In-Reply-To"[..], b"References"].contains(name)).count();
    assert!(names.len() == 8 + replies && (replies == 0 || replies == 2), "{names:?}");
    assert!(top.content.media.is("multipart", "report"), "{:?}", top.content.media);
    let PartKind::Multipart(parts) = &top.kind else { panic!("no parts") };
    let [text, status, returned] = &parts[..] else { panic!("{} parts", parts.len()) };
    for part in parts {
        let is_ascii = written[part.body.clone()].is_ascii();
        assert!(is_ascii || part.content.transfer_encoding == b"8bit", "{:?} is no 7bit", part.content.media);
    }
    words_read(notification, &decode_text(written, text));
    fields_read(notification, &written[status.body.clone()]);
    assert!(!status.content.is_encoded(), "{:?}", status.content);
    message_read(notification, written, returned);
}

/// The words say what was said, and nothing that was said is a line of its own.
fn words_read(notification: &Notification<'_>, text: &str) {
    let about = &notification.about[0];
    let said = if about.said.is_empty() { "" } else { "x" };
    let tame = About { said, remote: about.remote.map(|_| "x"), ..*about };
    let tame = words::text(&Notification { about: &[tame, tame], ..*notification });
    assert_eq!(text.trim_end().lines().count(), tame.trim_end().lines().count(), "{text:?}");
    for line in text.lines().filter(|line| line.trim_start().starts_with('>')) {
        assert!(line.starts_with("    > "), "{line:?}");
    }
}

/// A group of fields for the message, one for each recipient: what is ours stands there once, as it is.
fn fields_read(notification: &Notification<'_>, body: &[u8]) {
    let text = std::str::from_utf8(body).expect("fields are text");
    let groups: Vec<&str> = text.trim_end_matches("\r\n").split("\r\n\r\n").collect();
    assert_eq!(groups.len(), 1 + notification.about.len(), "{text:?}");
    for group in &groups {
        for line in group.split("\r\n") {
            assert!(line.len() <= 998 && !line.contains(char::is_control), "{line:?}");
            assert!(FIELDS.iter().any(|name| line.starts_with(&format!("{name}: "))), "{line:?}");
        }
    }
    let action = match notification.about[0].action {
        Action::Failed => "failed",
        Action::Delayed => "delayed",
        Action::Delivered => "delivered",
        Action::Relayed => "relayed",
        Action::Expanded => "expanded",
    };
    for (group, about) in groups[1..].iter().zip(notification.about) {
        let values = |name: &str| -> Vec<&str> {
            group.split("\r\n").filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
        };
        assert_eq!(values("Action"), [action]);
        assert_eq!(values("Status"), ["5.1.1"]);
        let [address] = values("Final-Recipient")[..] else { panic!("{group:?}") };
        let (_, address) = address.split_once("; ").expect("a type");
        assert_eq!(address.parse().as_ref(), Ok(about.recipient));
        assert_eq!(values("Diagnostic-Code").len(), usize::from(about.remote.is_some()));
    }
}

/// What comes back is the message, or the lines of its header, octet for octet.
fn message_read(notification: &Notification<'_>, written: &[u8], part: &Part) {
    let content = notification.content;
    let media = &part.content.media;
    let whole = media.is("message", "rfc822") || media.is("message", "global");
    assert!(!whole || notification.message.ret == Some(Return::Full), "more than was asked for");
    let expected = if whole { content } else { header_of(content) };
    let body = &written[part.body.clone()];
    let same = |octets: &[u8]| octets == body || octets.strip_suffix(b"\r\n") == Some(body);
    assert!(same(expected), "{} is not {}", body.escape_ascii(), expected.escape_ascii());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_words_of_others_break_the_law(
            bits in any::<u8>(),
            texts in prop::collection::vec("[ -~]{0,20}|(é|\r\n|\r|\n|\0|\u{1b}|\u{85}|\u{2028}| |;|\\+C3\\+A9|--|=){0,9}", 4),
            content in "((Subject: a|Message-ID: <a@b>|é|x)\n){0,4}\n(.|\r|\n|é){0,9}",
        ) {
            for recipient in ["a@b.example", "é@b.example", "\"a;\\\" b\"@[192.0.2.1]"] {
                let all = [vec![recipient.to_owned()], texts.clone(), vec![content.clone()]].concat();
                let all: Vec<&[u8]> = all.iter().map(String::as_bytes).collect();
                fuzz(&[&[bits], &all.join(&BETWEEN)[..]].concat());
            }
        }
    }
}
