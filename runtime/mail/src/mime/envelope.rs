//! The envelope of RFC 9051 7.5.2: the header fields that mail programs list, undecoded.

use super::address_list::{Addr, parse_addresses};
use super::content::{keep_first, short};
use crate::header::{Field, fields};

/// Longest address field read.
const ADDRESS_FIELD_BYTES_MAX: usize = 1_048_576;
/// Identifiers read from one References field.
const IDS_MAX: usize = 1_000;
/// Longest identifier: a line (RFC 5322 2.1.1).
const ID_BYTES_MAX: usize = 998;

/// Longest name of a field that is read.
const NAME_BYTES_MAX: usize = 11;

/// Unfolded values, absent when the field is absent or empty. Of a field that occurs twice the first counts, which RFC 5322
/// 3.6 leaves open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    pub date: Option<Vec<u8>>,
    pub subject: Option<Vec<u8>>,
    pub from: Vec<Addr>,
    /// As From when the field is absent or empty (RFC 9051 7.5.2); so is `reply_to`.
    pub sender: Vec<Addr>,
    pub reply_to: Vec<Addr>,
    pub to: Vec<Addr>,
    pub cc: Vec<Addr>,
    pub bcc: Vec<Addr>,
    pub in_reply_to: Option<Vec<u8>>,
    pub message_id: Option<Vec<u8>>,
}

impl Envelope {
    /// Reads a header section.
    pub fn parse(header: &[u8]) -> Self {
        let mut envelope = Self::default();
        for field in fields(header) {
            let mut small = [0; NAME_BYTES_MAX];
            let Some(name) = small.get_mut(..field.name().len()) else { continue };
            name.copy_from_slice(field.name());
            name.make_ascii_lowercase();
            match &*name {
                b"date" => keep_first(&mut envelope.date, &field),
                b"subject" => keep_first(&mut envelope.subject, &field),
                b"in-reply-to" => keep_first(&mut envelope.in_reply_to, &field),
                b"message-id" => keep_first(&mut envelope.message_id, &field),
                b"from" => keep_list(&mut envelope.from, &field),
                b"sender" => keep_list(&mut envelope.sender, &field),
                b"reply-to" => keep_list(&mut envelope.reply_to, &field),
                b"to" => keep_list(&mut envelope.to, &field),
                b"cc" => keep_list(&mut envelope.cc, &field),
                b"bcc" => keep_list(&mut envelope.bcc, &field),
                _ => {}
            }
        }
        if envelope.sender.is_empty() {
            envelope.sender.clone_from(&envelope.from);
        }
        if envelope.reply_to.is_empty() {
            envelope.reply_to.clone_from(&envelope.from);
        }
        envelope
    }
}

fn keep_list(slot: &mut Vec<Addr>, field: &Field<'_>) {
    if slot.is_empty() {
        let value = field.value();
        *slot = parse_addresses(&value[..value.len().min(ADDRESS_FIELD_BYTES_MAX)]);
    }
}

/// The identifiers of Message-ID, In-Reply-To or References (RFC 5322 3.6.4), without their angle brackets and the space
/// inside; other words, which old programs put there, are passed over. At most a thousand.
pub fn message_ids(field: &Field<'_>) -> Vec<String> {
    let mut ids = Vec::new();
    let value = short(field);
    for piece in value.split(|byte| *byte == b'<').skip(1) {
        let Some(length) = piece.iter().position(|byte| *byte == b'>') else { continue };
        let id: Vec<u8> = piece[..length].iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        if (1..=ID_BYTES_MAX).contains(&id.len()) && ids.len() < IDS_MAX {
            ids.push(String::from_utf8_lossy(&id).into_owned());
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::find;

    #[test]
    fn sender_and_reply_to_follow_from_when_absent_or_empty() {
        let envelope = Envelope::parse(b"From: A <a@b>\r\nSender: \r\nSubject:\r\n\r\n");
        assert_eq!(envelope.sender, envelope.from);
        assert_eq!(envelope.reply_to, envelope.from);
        assert_eq!(envelope.from.len(), 1);
        assert_eq!(envelope.subject, None);
        let envelope = Envelope::parse(b"From: a@b\r\nReply-To: c@d\r\n");
        assert_ne!(envelope.reply_to, envelope.from);
    }

    #[test]
    fn the_first_of_two_fields_counts_and_folding_is_undone() {
        let envelope = Envelope::parse(b"Subject: one\r\n two\r\nSubject: three\r\nDATE: x\r\n");
        assert_eq!(envelope.subject.as_deref(), Some(&b"one two"[..]));
        assert_eq!(envelope.date.as_deref(), Some(&b"x"[..]));
    }

    #[test]
    fn identifiers_are_found_among_other_words() {
        let header = b"References: <a@b> (x) junk <c\r\n @d>\r\n\t<> <open\r\n";
        let field = find(header, "references").expect("is there");
        assert_eq!(message_ids(&field), ["a@b", "c@d"]);
    }
}
