//! Mailboxes of a header field, as people see them.

use mail::header::{Field, decode_words};
use mail::mime::parse_addresses;

use super::bounds::{MAILBOXES_MAX, VALUE_OCTETS_MAX};
use super::host;

/// One mailbox of From, Reply-To or Sender.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// The decoded display name; empty without one.
    pub name: String,
    /// Lower case.
    pub local: String,
    /// Lower-case A-labels when it is a domain, else as it stands; empty without one.
    pub domain: String,
}

impl Mailbox {
    /// `local@domain`, lower case.
    pub fn address(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }
}

/// The mailboxes of a field.
pub(super) fn of_field(field: &Field<'_>) -> Vec<Mailbox> {
    let mut value = field.value();
    value.truncate(VALUE_OCTETS_MAX);
    let list = parse_addresses(&value);
    let boxes = list.iter().filter(|each| each.is_mailbox()).take(MAILBOXES_MAX);
    boxes
        .map(|each| {
            let text = |octets: &Option<Vec<u8>>| octets.as_deref().map(decode_words).unwrap_or_default();
            let domain = text(&each.host);
            Mailbox {
                name: text(&each.name).trim_matches(|c: char| c.is_ascii_whitespace()).to_owned(),
                local: text(&each.mailbox).to_lowercase(),
                domain: host::a_labels(&domain).unwrap_or_else(|| domain.to_lowercase()),
            }
        })
        .collect()
}
