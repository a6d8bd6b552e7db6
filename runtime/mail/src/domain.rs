//! Domain names as mail uses them (RFC 5321 2.3.5 and 4.1.2, RFC 6531 for names outside ASCII).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::punycode;

/// Longest domain in octets (RFC 5321 4.5.3.1.2).
pub const DOMAIN_OCTETS_MAX: usize = 255;
/// Longest label in octets (RFC 1035 2.3.4).
const LABEL_OCTETS_MAX: usize = 63;

/// A domain in lower-case A-label form, or an address literal in brackets. Never empty, at most 255 octets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Domain(String);

/// Why a text is no domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadDomain {
    Empty,
    TooLong,
    Label,
    Literal,
}

impl fmt::Display for BadDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadDomain::Empty => "a domain cannot be empty",
            BadDomain::TooLong => "a domain has at most 255 octets",
            BadDomain::Label => "a label is 1 to 63 letters, digits and inner hyphens",
            BadDomain::Literal => "not an address literal",
        })
    }
}

impl std::error::Error for BadDomain {}

impl Domain {
    /// The domain in lower case A-labels, or `[192.0.2.1]`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Is this an address literal (RFC 5321 4.1.3)?
    pub fn is_literal(&self) -> bool {
        self.0.starts_with('[')
    }

    /// Is this domain `suffix` or a name under it?
    pub fn is_within(&self, suffix: &Domain) -> bool {
        match self.0.strip_suffix(suffix.0.as_str()) {
            Some(rest) => rest.is_empty() || rest.ends_with('.'),
            None => false,
        }
    }
}

impl FromStr for Domain {
    type Err = BadDomain;

    fn from_str(text: &str) -> Result<Domain, BadDomain> {
        if text.starts_with('[') {
            return literal(text);
        }
        // One final dot is the DNS root, which mail does not write; many resolvers print it.
        if text.is_empty() {
            return Err(BadDomain::Empty);
        }
        if text.len() > 4 * DOMAIN_OCTETS_MAX {
            return Err(BadDomain::TooLong);
        }
        let folded: String = text.nfc().flat_map(char::to_lowercase).nfc().collect();
        let mut name = String::with_capacity(folded.len());
        for label in folded.split('.') {
            if !name.is_empty() {
                name.push('.');
            }
            push_label(label, &mut name)?;
        }
        if name.len() > DOMAIN_OCTETS_MAX {
            return Err(BadDomain::TooLong);
        }
        Ok(Domain(name))
    }
}

fn push_label(label: &str, name: &mut String) -> Result<(), BadDomain> {
    let before = name.len();
    if label.is_ascii() {
        name.push_str(label);
    } else {
        if label.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(BadDomain::Label);
        }
        name.push_str("xn--");
        punycode::encode(label, name).ok_or(BadDomain::Label)?;
    }
    let written = &name.as_bytes()[before..];
    let sound = !written.is_empty()
        && written.len() <= LABEL_OCTETS_MAX
        && written[0] != b'-'
        && written[written.len() - 1] != b'-'
        // Underscores occur in names that really send mail, though RFC 5321 has none.
        && written.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-' || *b == b'_');
    if sound { Ok(()) } else { Err(BadDomain::Label) }
}

fn literal(text: &str) -> Result<Domain, BadDomain> {
    let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).ok_or(BadDomain::Literal)?;
    let lower = inner.to_ascii_lowercase();
    if let Some(v6) = lower.strip_prefix("ipv6:") {
        let address: std::net::Ipv6Addr = v6.parse().map_err(|_| BadDomain::Literal)?;
        return Ok(Domain(format!("[ipv6:{address}]")));
    }
    let address: std::net::Ipv4Addr = lower.parse().map_err(|_| BadDomain::Literal)?;
    Ok(Domain(format!("[{address}]")))
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Domain {
    type Error = BadDomain;

    fn try_from(text: String) -> Result<Domain, BadDomain> {
        text.parse()
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> String {
        domain.0
    }
}

/// The law of domains: what is read is lower-case US-ASCII within the limits of its labels, and reads back the same.
pub fn fuzz(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let Ok(domain) = text.parse::<Domain>() else { return };
    assert_eq!(domain.as_str().parse().as_ref(), Ok(&domain), "{domain} reads back");
    assert!(domain.as_str().len() <= DOMAIN_OCTETS_MAX, "{domain} is too long");
    assert!(domain.as_str().bytes().all(|octet| octet.is_ascii_graphic() && !octet.is_ascii_uppercase()), "{domain}");
    assert!(domain.is_within(&domain), "{domain} is within itself");
    if !domain.is_literal() {
        assert!(domain.as_str().split('.').all(|label| (1..=LABEL_OCTETS_MAX).contains(&label.len())), "{domain}");
        let shouted: Result<Domain, _> = domain.as_str().to_ascii_uppercase().parse();
        assert_eq!(shouted.as_ref(), Ok(&domain), "{domain} knows no case");
        let above = domain.as_str().split_once('.').and_then(|(_, above)| above.parse().ok());
        assert!(above.is_none_or(|above: Domain| domain.is_within(&above)), "{domain} is under the name above it");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: Result<&str, BadDomain>) {
        let parsed = input.parse::<Domain>();
        assert_eq!(parsed.as_ref().map(Domain::as_str).map_err(|e| *e), expected, "{input:?}");
    }

    #[test]
    fn domains_are_kept_in_lower_case_a_labels() {
        check("Univ-Nantes.FR", Ok("univ-nantes.fr"));
        check("bücher.example", Ok("xn--bcher-kva.example"));
        check("BÜCHER.example", Ok("xn--bcher-kva.example"));
        check("[192.0.2.1]", Ok("[192.0.2.1]"));
        check("[IPv6:2001:DB8::1]", Ok("[ipv6:2001:db8::1]"));
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        check("", Err(BadDomain::Empty));
        check("a..b", Err(BadDomain::Label));
        check("-a.fr", Err(BadDomain::Label));
        check("a b.fr", Err(BadDomain::Label));
        check("a%b.fr", Err(BadDomain::Label));
        check("[300.1.1.1]", Err(BadDomain::Literal));
        check(&format!("{}.fr", "a".repeat(64)), Err(BadDomain::Label));
        check(&["a"; 200].join("."), Err(BadDomain::TooLong));
    }

    #[test]
    fn a_suffix_ends_at_a_label() {
        let domain: Domain = "mail.cnrs.fr".parse().unwrap();
        assert!(domain.is_within(&"cnrs.fr".parse().unwrap()));
        assert!(domain.is_within(&domain));
        assert!(!"notcnrs.fr".parse::<Domain>().unwrap().is_within(&"cnrs.fr".parse().unwrap()));
    }

    proptest::proptest! {
        #[test]
        fn any_text_keeps_the_law(text in "[a-zA-Zéß你\u{212a}\u{130}.xn0-9_-]{0,20}", literal in "\\[[ipvIPV6:0-9a-f.]{0,24}\\]", noise in ".{0,20}") {
            for text in [text, literal, noise] {
                fuzz(text.as_bytes());
            }
        }
    }
}
