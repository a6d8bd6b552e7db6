//! What a delivered message can be found by later: short hashes in the delivery index.

use std::sync::Arc;

use mail::ReversePath;
use ring::digest::{SHA256, digest};
use spam::view::View;

use crate::content::Content;
use crate::durable;
use crate::service::Service;

/// Marks of one message.
const MARKS_MAX: usize = 64;
/// Of these, distinct hosts of links; what is left is for attachments.
const HOSTS_MAX: usize = 40;

/// What a mark is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    let mut marks = Vec::new();
    let add = |marks: &mut Vec<u64>, mark: Mark, value: &str| {
        let mark = mark.of(value);
        if !value.trim().is_empty() && !marks.contains(&mark) && marks.len() < MARKS_MAX {
            marks.push(mark);
        }
    };
    if let Some(field) = view.field("message-id") {
        let text = field.text();
        add(&mut marks, Mark::MessageId, text.trim().trim_matches(['<', '>']));
    }
    if let Some(address) = reverse_path.address() {
        add(&mut marks, Mark::ReversePath, &address.to_string());
    }
    for mailbox in view.from.iter().take(8) {
        add(&mut marks, Mark::From, &mailbox.address());
    }
    // What stood there before our tag.
    let original = view.field("x-original-subject").map(|field| field.text());
    if let Some(subject) = original.as_ref().or(view.subject.as_ref()) {
        add(&mut marks, Mark::Subject, subject);
    }
    for host in view.url_hosts().into_iter().take(HOSTS_MAX) {
        add(&mut marks, Mark::UrlHost, host);
    }
    for attachment in view.attachments() {
        if marks.len() >= MARKS_MAX {
            break;
        }
        add(&mut marks, Mark::Attachment, &sha256(&attachment.decoded()));
    }
    marks
}

/// Of a content that is about to be delivered. Trouble with reading it costs the marks, not the message.
pub async fn of_content(service: &Arc<Service>, content: &Arc<Content>, reverse_path: &ReversePath) -> Vec<u64> {
    let read = |content: &Content, reverse_path: &ReversePath| {
        let whole = content.start(usize::MAX)?;
        Ok::<_, std::io::Error>(of(&View::read(&whole), reverse_path))
    };
    let marks = if !content.is_read_at_once() {
        // A few long ones are read whole at a time.
        let permit = if content.is_spilled() { service.long_contents.acquire().await.ok() } else { None };
        let (content, reverse_path) = (content.clone(), reverse_path.clone());
        let marks = durable::blocking(move || read(&content, &reverse_path)).await;
        drop(permit);
        marks.unwrap_or_else(|| Ok(Vec::new()))
    } else {
        read(content, reverse_path)
    };
    marks.inspect_err(|error| tracing::warn!("a message will not be found by its marks: {error}")).unwrap_or_default()
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
