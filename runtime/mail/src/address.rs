//! Addresses of the envelope (RFC 5321 4.1.2; RFC 6531 3.3 for local parts outside ASCII).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::{BadDomain, Domain};

/// Longest local part in octets (RFC 5321 4.5.3.1.1).
pub const LOCAL_OCTETS_MAX: usize = 64;
/// Longest path in octets, with its brackets (RFC 5321 4.5.3.1.3).
pub const PATH_OCTETS_MAX: usize = 256;

/// A mailbox of the envelope: local part (quotes removed, case kept, never empty) and domain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    local: String,
    domain: Domain,
}

/// `MAIL FROM`: an address, or `<>` for notifications (RFC 5321 4.5.5).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReversePath {
    Null,
    Address(Address),
}

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadAddress {
    NoAt,
    Local,
    LocalTooLong,
    Domain(BadDomain),
}

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadAddress::NoAt => f.write_str("an address has one `@`"),
            BadAddress::Local => f.write_str("the local part is not a dot-string or a quoted string"),
            BadAddress::LocalTooLong => f.write_str("a local part has at most 64 octets"),
            BadAddress::Domain(bad) => bad.fmt(f),
        }
    }
}

impl std::error::Error for BadAddress {}

impl Address {
    /// An address of a dot-string local part; the same rules as parsing.
    pub fn new(local: &str, domain: Domain) -> Result<Address, BadAddress> {
        let local = dot_string(local)?;
        Ok(Address { local, domain })
    }

    /// The local part, unquoted, in the case it was written.
    pub fn local(&self) -> &str {
        &self.local
    }

    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The form two spellings of one mailbox share here: the local part in lower case. RFC 5321 2.4 lets the host
    /// that holds a mailbox ignore case, and people do.
    pub fn folded(&self) -> String {
        format!("{}@{}", self.local.to_lowercase(), self.domain)
    }

    /// Does writing this address need SMTPUTF8 (RFC 6531)?
    pub fn needs_utf8(&self) -> bool {
        !self.local.is_ascii()
    }

    fn is_dot_string(&self) -> bool {
        dot_string(&self.local).is_ok()
    }
}

/// RFC 5321 4.1.2: `Dot-string = Atom *("." Atom)`, with UTF-8 as RFC 6531 3.3 adds it.
fn dot_string(local: &str) -> Result<String, BadAddress> {
    if local.len() > LOCAL_OCTETS_MAX {
        return Err(BadAddress::LocalTooLong);
    }
    let atoms_sound = local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext));
    if atoms_sound { Ok(local.to_owned()) } else { Err(BadAddress::Local) }
}

fn is_atext(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
    } else {
        !c.is_control() && !c.is_whitespace()
    }
}

/// RFC 5321 4.1.2: `Quoted-string = DQUOTE *QcontentSMTP DQUOTE`.
fn quoted_string(quoted: &str) -> Result<String, BadAddress> {
    let inner = quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"')).ok_or(BadAddress::Local)?;
    let mut local = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Err(BadAddress::Local),
            '\\' => match chars.next() {
                Some(escaped) if escaped == ' ' || escaped.is_ascii_graphic() => local.push(escaped),
                _ => return Err(BadAddress::Local),
            },
            c if c.is_control() => return Err(BadAddress::Local),
            c => local.push(c),
        }
    }
    if local.len() > LOCAL_OCTETS_MAX {
        return Err(BadAddress::LocalTooLong);
    }
    if local.is_empty() { Err(BadAddress::Local) } else { Ok(local) }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Address, BadAddress> {
        let (local, domain) = text.rsplit_once('@').ok_or(BadAddress::NoAt)?;
        let local = if local.starts_with('"') { quoted_string(local)? } else { dot_string(local)? };
        let domain = domain.parse().map_err(BadAddress::Domain)?;
        Ok(Address { local, domain })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_dot_string() {
            return write!(f, "{}@{}", self.local, self.domain);
        }
        f.write_str("\"")?;
        for c in self.local.chars() {
            if c == '"' || c == '\\' {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        write!(f, "\"@{}", self.domain)
    }
}

impl TryFrom<String> for Address {
    type Error = BadAddress;

    fn try_from(text: String) -> Result<Address, BadAddress> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> String {
        address.to_string()
    }
}

impl ReversePath {
    /// The address, unless this is `<>`.
    pub fn address(&self) -> Option<&Address> {
        match self {
            ReversePath::Null => None,
            ReversePath::Address(address) => Some(address),
        }
    }
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReversePath::Null => f.write_str("<>"),
            ReversePath::Address(address) => write!(f, "<{address}>"),
        }
    }
}

/// The law of addresses: what is read prints as one line without controls, reads back the same, and stays within RFC 5321.
pub fn fuzz(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let Ok(address) = text.parse::<Address>() else { return };
    let printed = address.to_string();
    assert_eq!(printed.parse().as_ref(), Ok(&address), "{printed:?} reads back");
    assert!(!printed.contains(char::is_control), "{printed:?} could end a line");
    assert!((1..=LOCAL_OCTETS_MAX).contains(&address.local().len()), "{printed:?} has a local part");
    assert_eq!(address.needs_utf8(), !printed.is_ascii(), "{printed:?}: a domain is US-ASCII always");
    if let Ok(dotted) = Address::new(address.local(), address.domain().clone()) {
        assert_eq!(dotted, address, "one mailbox, made of its parts");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: Result<(&str, &str), BadAddress>) {
        let parsed = input.parse::<Address>();
        match (&parsed, expected) {
            (Ok(address), Ok(parts)) => {
                assert_eq!((address.local(), address.domain().as_str()), parts, "{input:?}");
                let again: Address = address.to_string().parse().unwrap();
                assert_eq!(&again, address, "written and read again");
            }
            (got, want) => assert_eq!(got.as_ref().err(), want.as_ref().err(), "{input:?}"),
        }
    }

    #[test]
    fn addresses_parse_and_print_back() {
        check("Jean.Toto@univ-nantes.fr", Ok(("Jean.Toto", "univ-nantes.fr")));
        check("\"a b\"@example.org", Ok(("a b", "example.org")));
        check("\"a\\\"b@c\"@example.org", Ok(("a\"b@c", "example.org")));
        check("jérôme@example.org", Ok(("jérôme", "example.org")));
        check("a@[192.0.2.1]", Ok(("a", "[192.0.2.1]")));
        check("user%host@example.org", Ok(("user%host", "example.org")));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        check("plain", Err(BadAddress::NoAt));
        check("@example.org", Err(BadAddress::Local));
        check("a..b@example.org", Err(BadAddress::Local));
        check("a b@example.org", Err(BadAddress::Local));
        check("\"\"@example.org", Err(BadAddress::Local));
        check("a@", Err(BadAddress::Domain(BadDomain::Empty)));
        check(&format!("{}@example.org", "a".repeat(65)), Err(BadAddress::LocalTooLong));
    }

    proptest::proptest! {
        #[test]
        fn any_text_keeps_the_law(text in "[a-zA-Zé.\"\\\\ @\\[:\u{85}]{0,12}@[a-zé.\\[\\]0-9:-]{0,12}", noise in ".{0,20}") {
            fuzz(text.as_bytes());
            fuzz(noise.as_bytes());
        }
    }
}
