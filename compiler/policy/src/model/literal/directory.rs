//! Names of a directory: servers, distinguished names, attributes; and secrets by name.

use super::names::secret;
use super::{Literal, literals, not_this};
use crate::codes::Code;
use crate::syntax::Refusal;

/// `"ldaps://ldap1.example.org"`, perhaps with a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdapServer {
    /// A domain in lower-case A-labels, or an address.
    pub host: String,
    pub port: u32,
    /// `ldaps:`.
    pub is_encrypted: bool,
}

/// `"ou=people,dc=example,dc=org"` (RFC 4514), as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistinguishedName(pub String);

/// The short name of an attribute (RFC 4512 1.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeName(pub String);

/// `"(objectClass=person)"` (RFC 4515), as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(pub String);

/// The name under which the site keeps a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretName(pub String);

/// A secret in the place of its name: there is none that is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {}

literals!(LdapServer, DistinguishedName, Filter, AttributeName, SecretName, Inline);

/// Longer distinguished names and attributes are mistakes.
const NAME_OCTETS_MAX: usize = 512;
/// Deeper filters are mistakes.
const FILTER_DEPTH_MAX: usize = 16;
const ATTRIBUTE_OCTETS_MAX: usize = 64;

impl Literal for LdapServer {
    const WANTED: &'static str = "a directory server";
    const EXAMPLE: &'static str = "\"ldaps://ldap.example.org\"";

    fn from_text(text: &str) -> Result<LdapServer, Refusal> {
        let wrong = || not_this::<LdapServer>("text", text);
        let (rest, is_encrypted) = match (text.strip_prefix("ldaps://"), text.strip_prefix("ldap://")) {
            (Some(rest), _) => (rest, true),
            (None, Some(rest)) => (rest, false),
            (None, None) => return Err(wrong()),
        };
        if rest.contains('@') {
            return Err(secret());
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            Some(_) | None => (rest, if is_encrypted { "636" } else { "389" }),
        };
        let digits = (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit());
        let port: u32 = if digits { port.parse().map_err(|_| wrong())? } else { return Err(wrong()) };
        if !(1..=65_535).contains(&port) {
            return Err(Refusal::new(Code::E0108, format!("{port} is out of range for a port (1–65535)"))
                .help("a port is 1–65535"));
        }
        let host = host.parse::<mail::Domain>().map_err(|_| wrong())?.to_string();
        Ok(LdapServer { host, port, is_encrypted })
    }
}

impl Literal for DistinguishedName {
    const WANTED: &'static str = "a distinguished name";
    const EXAMPLE: &'static str = "\"ou=people,dc=example,dc=org\"";

    fn from_text(text: &str) -> Result<DistinguishedName, Refusal> {
        let sound = text.len() <= NAME_OCTETS_MAX
            && !text.chars().any(char::is_control)
            && split_unescaped(text).is_some_and(|parts| parts.iter().all(|part| is_assertion(part)));
        if sound { Ok(DistinguishedName(text.to_owned())) } else { Err(not_this::<DistinguishedName>("text", text)) }
    }
}

/// The parts between commas and plus signs without a backslash before them; `None` when the last backslash stands alone.
fn split_unescaped(text: &str) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let last = parts.last_mut()?;
        match c {
            '\\' => {
                last.push(c);
                last.push(chars.next()?);
            }
            ',' | '+' => parts.push(String::new()),
            c => last.push(c),
        }
    }
    Some(parts)
}

/// `attribute=value`.
fn is_assertion(part: &str) -> bool {
    part.split_once('=').is_some_and(|(name, value)| is_attribute(name.trim()) && !value.trim().is_empty())
}

fn is_attribute(name: &str) -> bool {
    name.len() <= ATTRIBUTE_OCTETS_MAX
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl Literal for Filter {
    const WANTED: &'static str = "a search filter";
    const EXAMPLE: &'static str = "\"(objectClass=person)\"";

    fn from_text(text: &str) -> Result<Filter, Refusal> {
        let sound = text.len() <= NAME_OCTETS_MAX && !text.chars().any(char::is_control) && is_filter(text);
        if sound { Ok(Filter(text.to_owned())) } else { Err(not_this::<Filter>("text", text)) }
    }
}

/// Brackets that close, each with filters or one assertion in it.
fn is_filter(text: &str) -> bool {
    let mut open: Vec<bool> = Vec::new();
    let mut rest = text;
    loop {
        if let Some(inner) = rest.strip_prefix('(') {
            let is_list = inner.starts_with(['&', '|', '!']);
            if open.len() == FILTER_DEPTH_MAX || open.last() == Some(&false) {
                return false;
            }
            open.push(is_list);
            rest = if is_list { &inner[1..] } else { inner };
            if !is_list {
                let Some(end) = rest.find([')', '(']) else { return false };
                if !is_filter_item(&rest[..end]) {
                    return false;
                }
                rest = &rest[end..];
            } else if !rest.starts_with('(') {
                return false;
            }
        } else if let Some(after) = rest.strip_prefix(')') {
            if open.pop().is_none() {
                return false;
            }
            rest = after;
            if open.is_empty() {
                return rest.is_empty();
            }
        } else {
            return false;
        }
    }
}

/// `attribute=value`, `attribute>=value`, `attribute<=value`, `attribute~=value`.
fn is_filter_item(item: &str) -> bool {
    item.split_once('=').is_some_and(|(name, _)| is_attribute(name.trim_end_matches(['>', '<', '~'])))
}

impl Literal for AttributeName {
    const WANTED: &'static str = "an attribute";
    const EXAMPLE: &'static str = "\"givenName\"";

    fn from_text(text: &str) -> Result<AttributeName, Refusal> {
        if is_attribute(text) {
            Ok(AttributeName(text.to_owned()))
        } else {
            Err(not_this::<AttributeName>("text", text))
        }
    }
}

impl Literal for SecretName {
    const WANTED: &'static str = "the name of a secret";
    const EXAMPLE: &'static str = "Secret(\"ldap\")";

    fn from_text(text: &str) -> Result<SecretName, Refusal> {
        let sound = (1..=ATTRIBUTE_OCTETS_MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if sound { Ok(SecretName(text.to_owned())) } else { Err(not_this::<SecretName>("text", text)) }
    }
}

impl Literal for Inline {
    const WANTED: &'static str = "the name of a secret";
    const EXAMPLE: &'static str = "Secret(\"ldap\")";

    /// The text is not repeated: a message is no place for a secret either.
    fn from_text(_: &str) -> Result<Inline, Refusal> {
        Err(Refusal::new(Code::E0114, "a secret is written in the file")
            .help("use `Secret(\"name\")` and load it at deployment"))
    }

    fn from_number(_: i128) -> Result<Inline, Refusal> {
        Inline::from_text("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T: Literal>(text: &str) -> Option<Code> {
        T::from_text(text).err().map(|refusal| refusal.code)
    }

    #[test]
    fn servers_have_a_scheme_a_host_and_a_port_and_no_password() {
        let server = |text: &str| LdapServer::from_text(text).map(|s| (s.host, s.port, s.is_encrypted));
        assert_eq!(server("ldaps://LDAP1.Univ.Example"), Ok(("ldap1.univ.example".into(), 636, true)));
        assert_eq!(server("ldap://ldap.univ.example:1389/"), Ok(("ldap.univ.example".into(), 1_389, false)));
        assert_eq!(server("ldaps://192.0.2.7:636").map(|s| s.1), Ok(636));
        for wrong in ["ldap.univ.example", "https://ldap.univ.example", "ldaps://", "ldaps://a:b", "ldaps://a b"] {
            assert_eq!(code::<LdapServer>(wrong), Some(Code::E0104), "{wrong}");
        }
        assert_eq!(code::<LdapServer>("ldaps://ldap.univ.example:0"), Some(Code::E0108));
        assert_eq!(code::<LdapServer>("ldaps://cn=x:hunter2@ldap.univ.example"), Some(Code::E0114));
    }

    #[test]
    fn distinguished_names_are_assertions_between_commas() {
        for right in ["ou=people,dc=univ,dc=example", "cn=Facteur\\, lecture+ou=x, dc=a", "o=Université"] {
            assert_eq!(code::<DistinguishedName>(right), None, "{right}");
        }
        for wrong in ["", "people", "ou=", "=x", "ou=a,,dc=b", "ou=a\\", "1a=b", "ou=a\nb"] {
            assert_eq!(code::<DistinguishedName>(wrong), Some(Code::E0104), "{wrong:?}");
        }
    }

    #[test]
    fn a_secret_is_never_repeated() {
        let refusal = Inline::from_text("hunter2").expect_err("no secret is right");
        assert_eq!(refusal.code, Code::E0114);
        assert!(!format!("{refusal:?}").contains("hunter2"));
    }
}
