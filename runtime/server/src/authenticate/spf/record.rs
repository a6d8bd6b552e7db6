//! SPF records (RFC 7208 4.5, 5, 6, 12).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::SpfResult;
use super::macros::Template;

/// A record whose syntax is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub directives: Vec<Directive>,
    pub redirect: Option<Template>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// The result when the mechanism matches.
    pub qualifier: SpfResult,
    pub mechanism: Mechanism,
}

/// Mechanisms; `None` for a name is the domain itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mechanism {
    All,
    Include(Template),
    A { name: Option<Template>, prefix: Lengths },
    Mx { name: Option<Template>, prefix: Lengths },
    Ptr(Option<Template>),
    Ip4(Ipv4Addr, u8),
    Ip6(Ipv6Addr, u8),
    Exists(Template),
}

/// Prefix lengths of a `dual-cidr-length`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lengths {
    pub v4: u8,
    pub v6: u8,
}

/// Is this TXT record an SPF record (RFC 7208 4.5)?
pub fn is_spf(record: &[u8]) -> bool {
    let version = b"v=spf1";
    record.len() >= version.len()
        && record[..version.len()].eq_ignore_ascii_case(version)
        && matches!(record.get(version.len()), None | Some(b' '))
}

impl Record {
    /// Reads a record for which `is_spf`; `None` for any error of syntax, which is "permerror" (RFC 7208 4.6).
    pub fn read(record: &[u8]) -> Option<Record> {
        let text = std::str::from_utf8(record).ok().filter(|text| text.is_ascii())?;
        let mut read = Record { directives: Vec::new(), redirect: None };
        let mut explained = false;
        for term in text.get(6..)?.split(' ').filter(|term| !term.is_empty()) {
            let Some((name, value)) = modifier(term) else {
                read.directives.push(directive(term)?);
                continue;
            };
            if name.eq_ignore_ascii_case("redirect") {
                if read.redirect.replace(Template::domain(value)?).is_some() {
                    return None;
                }
            } else if name.eq_ignore_ascii_case("exp") {
                // Nobody is refused for SPF alone, so nobody reads the explanation.
                Template::domain(value)?;
                if std::mem::replace(&mut explained, true) {
                    return None;
                }
            } else if !Template::is_macro_string(value) {
                return None;
            }
        }
        Some(read)
    }
}

/// `name=value` where the name is one of a modifier.
fn modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let named = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    (begins && named).then_some((name, value))
}

fn directive(term: &str) -> Option<Directive> {
    let (qualifier, rest) = match term.chars().next()? {
        '+' => (SpfResult::Pass, &term[1..]),
        '-' => (SpfResult::Fail, &term[1..]),
        '~' => (SpfResult::SoftFail, &term[1..]),
        '?' => (SpfResult::Neutral, &term[1..]),
        _ => (SpfResult::Pass, term),
    };
    let end = rest.find([':', '/']).unwrap_or(rest.len());
    let (name, argument) = rest.split_at(end);
    Some(Directive { qualifier, mechanism: mechanism(&name.to_ascii_lowercase(), argument)? })
}

fn mechanism(name: &str, argument: &str) -> Option<Mechanism> {
    let required = || Template::domain(argument.strip_prefix(':')?);
    match name {
        "all" => argument.is_empty().then_some(Mechanism::All),
        "include" => required().map(Mechanism::Include),
        "exists" => required().map(Mechanism::Exists),
        "a" => dual(argument).map(|(name, prefix)| Mechanism::A { name, prefix }),
        "mx" => dual(argument).map(|(name, prefix)| Mechanism::Mx { name, prefix }),
        "ptr" if argument.is_empty() => Some(Mechanism::Ptr(None)),
        "ptr" => required().map(|name| Mechanism::Ptr(Some(name))),
        "ip4" => {
            let (address, length) = network(argument.strip_prefix(':')?, 32)?;
            Some(Mechanism::Ip4(address.parse().ok()?, length))
        }
        "ip6" => {
            let (address, length) = network(argument.strip_prefix(':')?, 128)?;
            Some(Mechanism::Ip6(address.parse().ok()?, length))
        }
        _ => None,
    }
}

fn network(text: &str, max: u8) -> Option<(&str, u8)> {
    match text.split_once('/') {
        Some((address, digits)) => Some((address, length(digits, max)?)),
        None => Some((text, max)),
    }
}

/// `[":" domain-spec] [dual-cidr-length]`.
fn dual(argument: &str) -> Option<(Option<Template>, Lengths)> {
    let (rest, v6) = match argument.rsplit_once("//") {
        Some((rest, digits)) if digits.bytes().all(|b| b.is_ascii_digit()) => (rest, length(digits, 128)?),
        _ => (argument, 128),
    };
    let (rest, v4) = match rest.rsplit_once('/') {
        Some((rest, digits)) if digits.bytes().all(|b| b.is_ascii_digit()) => (rest, length(digits, 32)?),
        _ => (rest, 32),
    };
    let name = match rest.strip_prefix(':') {
        Some(name) => Some(Template::domain(name)?),
        None if rest.is_empty() => None,
        None => return None,
    };
    Some((name, Lengths { v4, v6 }))
}

/// A prefix length without leading zeros.
fn length(digits: &str, max: u8) -> Option<u8> {
    let plain = digits == "0" || (!digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()));
    digits.parse().ok().filter(|length| plain && *length <= max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_stands_alone() {
        for (record, spf) in [("v=spf1", true), ("V=SPF1 all", true), ("v=spf10", false), ("v=spf", false)] {
            assert_eq!(is_spf(record.as_bytes()), spf, "{record}");
        }
    }

    #[test]
    fn errors_of_syntax_spoil_the_whole_record() {
        for terms in [
            "a:",
            "all:x.y",
            "ip4:192.0.2.0/33",
            "ip4:192.0.2",
            "a/024",
            "a//129",
            "mx:a.b/",
            "include",
            "+exp=a.b",
            "redirect=a.b redirect=a.b",
            "exp=a.b exp=a.b",
            "foo",
            "x=%{",
            "ip6:::/129",
            "-",
            "ptr:",
            "a/24/24",
        ] {
            assert_eq!(Record::read(format!("v=spf1 {terms} -all").as_bytes()), None, "{terms}");
        }
        assert!(Record::read(b"v=spf1  a/24//64 mx:%{d}/0 ip6:::1 moo=%{d} ~all redirect=_spf.example").is_some());
    }
}
