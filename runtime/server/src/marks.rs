//! What a delivered message can be found by later: short hashes in the delivery index.

use std::collections::HashSet;

use mail::ReversePath;
use ring::digest::{SHA256, digest};
use spam::view::View;

/// Marks of one message.
const MARKS_MAX: usize = 64;
/// Of these, distinct hosts of links; what is left is for attachments.
const HOSTS_MAX: usize = 40;

/// What a mark is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    MessageId = 1,
    ReversePath = 2,
    /// An address of header From.
    From = 3,
    /// Without the tag of ours.
    Subject = 4,
    UrlHost = 5,
    /// SHA-256 of the decoded file, 64 hexadecimal digits.
    Attachment = 6,
}

impl Mark {
    /// The first 8 octets of the BLAKE3 of the kind and the value, which is folded: what differs in case or form is the same.
    pub fn of(self, value: &str) -> u64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[self as u8]).update(mail::fold(value.trim()).as_bytes());
        let hash = hasher.finalize();
        hash.as_bytes()[..8].iter().rev().fold(0, |mark, octet| mark << 8 | u64::from(*octet))
    }
}

/// The marks of a message, distinct, at most 64.
pub fn of(view: &View<'_>, reverse_path: &ReversePath) -> Vec<u64> {
    with(view, reverse_path, &[])
}

/// The same where the SHA-256 of its attachments are known already, in their order.
pub fn with(view: &View<'_>, reverse_path: &ReversePath, hashes: &[String]) -> Vec<u64> {
    named(view, reverse_path, true, hashes).into_iter().map(|(mark, value)| mark.of(&value)).collect()
}

/// What the marks are of, in the order of the marks; without attachments where nobody asks for them.
pub fn values(view: &View<'_>, reverse_path: &ReversePath, attachments: bool) -> Vec<(Mark, String)> {
    named(view, reverse_path, attachments, &[])
}

fn named(view: &View<'_>, reverse_path: &ReversePath, attachments: bool, hashes: &[String]) -> Vec<(Mark, String)> {
    let (mut values, mut marks) = (Vec::new(), HashSet::new());
    let mut add = |mark: Mark, value: &str| {
        if !value.trim().is_empty() && marks.len() < MARKS_MAX && marks.insert(mark.of(value)) {
            values.push((mark, value.to_owned()));
        }
        marks.len() < MARKS_MAX
    };
    if let Some(field) = view.field("message-id") {
        let text = field.text();
        add(Mark::MessageId, text.trim().trim_matches(['<', '>']));
    }
    if let Some(address) = reverse_path.address() {
        add(Mark::ReversePath, &address.to_string());
    }
    for mailbox in view.from.iter().take(8) {
        add(Mark::From, &mailbox.address());
    }
    // What stood there before our tag.
    let original = view.field("x-original-subject").map(|field| field.text());
    if let Some(subject) = original.as_ref().or(view.subject.as_ref()) {
        add(Mark::Subject, subject);
    }
    for host in view.url_hosts().into_iter().take(HOSTS_MAX) {
        add(Mark::UrlHost, host);
    }
    for (number, attachment) in view.attachments().iter().enumerate().take_while(|_| attachments) {
        let more = match hashes.get(number) {
            Some(hash) => add(Mark::Attachment, hash),
            None => add(Mark::Attachment, &sha256(&attachment.decoded())),
        };
        if !more {
            break;
        }
    }
    values
}

/// In hexadecimal digits.
pub fn sha256(octets: &[u8]) -> String {
    digest(&SHA256, octets).as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = b"Message-ID: <One@Example.org>\r\nFrom: \"Help Desk\" <Help@example.net>\r\n\
        Subject: =?utf-8?Q?Votre_bo=C3=AEte?=\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
        see https://Login.example.com/a and http://other.example/\r\n--b\r\n\
        Content-Type: application/octet-stream; name=a.bin\r\nContent-Disposition: attachment; filename=a.bin\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nYWJj\r\n--b--\r\n";

    #[test]
    fn a_message_is_found_by_what_a_manager_knows_of_it() {
        let from = ReversePath::Address("Sender@Example.net".parse().unwrap());
        let marks = of(&View::read(MESSAGE), &from);
        let expected = [
            Mark::MessageId.of("one@example.org"),
            Mark::ReversePath.of("sender@example.NET"),
            Mark::From.of("help@example.net"),
            Mark::Subject.of("VOTRE BOÎTE"),
            Mark::UrlHost.of("login.example.com"),
            Mark::UrlHost.of("other.example"),
            Mark::Attachment.of("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ];
        assert_eq!(marks, expected);
        let view = View::read(MESSAGE);
        let known = [sha256(&view.attachments()[0].decoded())];
        assert_eq!(with(&view, &from, &known), expected, "hashes that are known are not made again");
        assert_ne!(Mark::MessageId.of("x"), Mark::Subject.of("x"));
        assert!(of(&View::read(b""), &ReversePath::Null).is_empty());
    }

    #[test]
    fn a_message_of_a_thousand_links_and_files_has_a_bounded_number_of_marks() {
        let links: String = (0..1_000).map(|n| format!("http://host{n}.example/ \r\n")).collect();
        let file = |n: usize| {
            format!(
                "--b\r\nContent-Type: application/octet-stream; name=f{n}\r\nContent-Disposition: attachment\r\n\r\nfile {n}\r\n"
            )
        };
        let files: String = (0..200).map(file).collect();
        let message = format!(
            "From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n{links}{files}--b--\r\n"
        );
        let marks = of(&View::read(message.as_bytes()), &ReversePath::Null);
        assert!(marks.len() <= MARKS_MAX, "{}", marks.len());
        assert!(marks.contains(&Mark::Attachment.of(&sha256(b"file 0"))));
    }
}
