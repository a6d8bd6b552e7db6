//! URLs of messages, relative to this server or to the selected mailbox (RFC 5092).

use super::fetch::section;
use crate::imap::command::{Partial, Section, Url};
use mail::MailboxName;
use mail::mime::SectionKind;

/// ```abnf
/// path-absolute = "/" imailbox-ref iuid [isection] [ipartial]
/// imailbox-ref  = enc-mailbox [";UIDVALIDITY=" nz-number]
/// iuid          = "/;UID=" nz-number
/// isection      = "/;SECTION=" enc-section
/// ipartial      = "/;PARTIAL=" number ["." nz-number]
/// ```
/// or without the mailbox, from `;UID=` on. What has more, or the name of a server, is none of ours.
pub fn url(octets: &[u8]) -> Option<Url> {
    let text = std::str::from_utf8(octets).ok()?;
    let (mailbox, rest) = match text.strip_prefix('/') {
        Some(absolute) => {
            let at = find(absolute, "/;UID=")?;
            (Some(&absolute[..at]), &absolute[at + 1..])
        }
        None => (None, text),
    };
    let mut words = rest.split('/');
    let uid = number(argument(words.next()?, ";UID=")?)?;
    let mut found = Url {
        mailbox: None,
        uid_validity: None,
        uid,
        section: Section { part: Vec::new(), kind: SectionKind::All },
        partial: None,
    };
    let mut next = words.next();
    if let Some(text) = next.and_then(|word| argument(word, ";SECTION=")) {
        found.section = whole_section(&decoded(text)?)?;
        next = words.next();
    }
    if let Some(text) = next.and_then(|word| argument(word, ";PARTIAL=")) {
        found.partial = Some(partial(text)?);
        next = words.next();
    }
    if next.is_some() {
        return None;
    }
    if let Some(named) = mailbox {
        let (name, uid_validity) = match find(named, ";UIDVALIDITY=") {
            Some(at) => (&named[..at], Some(number(argument(&named[at..], ";UIDVALIDITY=")?)?)),
            None => (named, None),
        };
        found.uid_validity = uid_validity;
        found.mailbox = Some(MailboxName::new(&String::from_utf8(decoded(name)?).ok()?).ok()?);
    }
    Some(found)
}

/// Where a word begins that is written in any case.
fn find(text: &str, word: &str) -> Option<usize> {
    text.as_bytes().windows(word.len()).position(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

/// What follows `name`.
fn argument<'a>(word: &'a str, name: &str) -> Option<&'a str> {
    let (head, rest) = word.split_at_checked(name.len())?;
    head.eq_ignore_ascii_case(name).then_some(rest)
}

/// `nz-number`
fn number(text: &str) -> Option<u32> {
    let sound = !text.starts_with('0') && text.bytes().all(|octet| octet.is_ascii_digit());
    text.parse().ok().filter(|_| sound)
}

fn partial(text: &str) -> Option<Partial> {
    let number =
        |digits: &str| digits.parse::<u64>().ok().filter(|_| digits.bytes().all(|octet| octet.is_ascii_digit()));
    let (origin, length) = match text.split_once('.') {
        Some((origin, length)) => (number(origin)?, number(length)?),
        None => (number(text)?, u64::MAX),
    };
    (length > 0).then_some(Partial { origin, length })
}

/// Percent-encoded octets as they are meant (RFC 3986 2.1).
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut octets = text.bytes();
    let mut found = Vec::with_capacity(text.len());
    while let Some(octet) = octets.next() {
        if octet != b'%' {
            found.push(octet);
            continue;
        }
        let mut digit = || octets.next().and_then(|digit| char::from(digit).to_digit(16));
        found.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
    }
    Some(found)
}

/// `section-spec` and nothing behind it.
fn whole_section(text: &[u8]) -> Option<Section> {
    let bracketed = [b"[", text, b"]"].concat();
    match section(&bracketed) {
        Ok(([], found)) => Some(found),
        Ok(_) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_messages_and_their_parts() {
        let all = Section { part: Vec::new(), kind: SectionKind::All };
        let inbox = MailboxName::inbox();
        let plain = Url { mailbox: Some(inbox), uid_validity: None, uid: 20, section: all, partial: None };
        let part = |part: &[u32], kind| Section { part: part.to_vec(), kind };
        let fields = SectionKind::HeaderFields { names: vec!["DATE".to_owned(), "X".to_owned()], not: false };
        for (text, expected) in [
            ("/INBOX/;UID=20", plain.clone()),
            ("/inbox;uidvalidity=7/;uid=20", Url { uid_validity: Some(7), ..plain.clone() }),
            (";UID=20", Url { mailbox: None, ..plain.clone() }),
            ("/INBOX/;UID=20/;section=1.2", Url { section: part(&[1, 2], SectionKind::All), ..plain.clone() }),
            (
                "/INBOX/;UID=20/;SECTION=1.MIME/;PARTIAL=5.9",
                Url {
                    section: part(&[1], SectionKind::Mime),
                    partial: Some(Partial { origin: 5, length: 9 }),
                    ..plain.clone()
                },
            ),
            (
                "/INBOX/;UID=20/;PARTIAL=5",
                Url { partial: Some(Partial { origin: 5, length: u64::MAX }), ..plain.clone() },
            ),
            ("/INBOX/;UID=20/;SECTION=HEADER.FIELDS%20(DATE%20X)", Url { section: part(&[], fields), ..plain.clone() }),
            (
                "/a/Envoy%C3%A9s%3b/;UID=20",
                Url { mailbox: Some(MailboxName::new("a/Envoyés;").unwrap()), ..plain.clone() },
            ),
        ] {
            assert_eq!(url(text.as_bytes()), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_leads_elsewhere_or_nowhere_is_none() {
        for text in [
            "",
            "/",
            "/INBOX",
            "imap://host/INBOX/;UID=1",
            "//host/INBOX/;UID=1",
            "/INBOX/;UID=0",
            "/INBOX/;UID=+1",
            "/INBOX/;UID=4294967296",
            "/INBOX;UIDVALIDITY=/;UID=1",
            "/INBOX/;UID=1/;SECTION=",
            "/INBOX/;UID=1/;SECTION=1]x",
            "/INBOX/;UID=1/;SECTION=HEADE",
            "/INBOX/;UID=1/;PARTIAL=1.0",
            "/INBOX/;UID=1/;PARTIAL=",
            "/INBOX/;UID=1;URLAUTH=anonymous",
            "/INBOX/;UID=1/x",
            "/a%2/;UID=1",
            "/a%ff/;UID=1",
        ] {
            let found = url(text.as_bytes());
            // An empty section is the whole message, as in BODY[].
            assert!(found.is_none() || text.ends_with("SECTION="), "{text}: {found:?}");
        }
        assert_eq!(url(b"/\xff/;UID=1"), None);
    }
}
