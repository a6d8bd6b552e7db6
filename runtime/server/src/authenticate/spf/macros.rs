//! Macro strings of SPF (RFC 7208 7).

use std::net::IpAddr;

use crate::authenticate::resolver::reversed;

/// Names longer than this lose labels on the left (RFC 7208 7.3).
const NAME_OCTETS_MAX: usize = 253;

/// A `domain-spec`, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Macro(Macro),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Macro {
    letter: Letter,
    escape: bool,
    /// Parts kept from the right; 0 for all.
    keep: usize,
    reverse: bool,
    delimiters: String,
}

/// The letters that may stand in a `domain-spec`; `c`, `r` and `t` may only in explanations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Letter {
    Sender,
    Local,
    SenderDomain,
    Domain,
    Client,
    Validated,
    Version,
    Hello,
}

/// What macros stand for.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    pub client: IpAddr,
    pub hello: &'a str,
    /// `postmaster` where the sender has none (RFC 7208 4.3).
    pub local: &'a str,
    pub sender_domain: &'a str,
}

impl Template {
    /// A `domain-spec`: it ends in a top label or a macro.
    pub fn domain(text: &str) -> Option<Template> {
        let pieces = pieces(text)?;
        match pieces.last()? {
            Piece::Macro(_) => Some(Template(pieces)),
            Piece::Text(_) if ["%%", "%_", "%-"].iter().any(|end| text.ends_with(end)) => Some(Template(pieces)),
            Piece::Text(last) => {
                let last = last.strip_suffix('.').unwrap_or(last);
                let (_, top) = last.rsplit_once('.')?;
                is_top_label(top).then_some(Template(pieces))
            }
        }
    }

    /// Is this a `macro-string`, as unknown modifiers have?
    pub fn is_macro_string(text: &str) -> bool {
        pieces(text).is_some()
    }

    /// Does it need the validated name of the client?
    pub fn asks_validated(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Macro(one) if one.letter == Letter::Validated))
    }

    /// The name for `domain`. `validated` is asked for by `asks_validated`.
    pub fn expand(&self, facts: &Facts<'_>, domain: &str, validated: &str) -> String {
        let mut name = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => name.push_str(text),
                Piece::Macro(one) => one.expand(facts, domain, validated, &mut name),
            }
        }
        let mut name = name.strip_suffix('.').unwrap_or(&name);
        while name.len() > NAME_OCTETS_MAX {
            match name.split_once('.') {
                Some((_, shorter)) => name = shorter,
                None => break,
            }
        }
        name.to_owned()
    }
}

impl Macro {
    fn read(inside: &str) -> Option<Macro> {
        let mut chars = inside.chars();
        let written = chars.next()?;
        let letter = match written.to_ascii_lowercase() {
            's' => Letter::Sender,
            'l' => Letter::Local,
            'o' => Letter::SenderDomain,
            'd' => Letter::Domain,
            'i' => Letter::Client,
            'p' => Letter::Validated,
            'v' => Letter::Version,
            'h' => Letter::Hello,
            _ => return None,
        };
        let rest = chars.as_str();
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (digits, rest) = rest.split_at(digits);
        let keep = if digits.is_empty() { 0 } else { digits.parse().ok().filter(|keep| *keep > 0)? };
        let (reverse, delimiters) = match rest.strip_prefix(['r', 'R']) {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let known = delimiters.chars().all(|c| ".-+,/_=".contains(c));
        let delimiters = if delimiters.is_empty() { ".".to_owned() } else { delimiters.to_owned() };
        known.then_some(Macro { letter, escape: written.is_ascii_uppercase(), keep, reverse, delimiters })
    }

    fn expand(&self, facts: &Facts<'_>, domain: &str, validated: &str, into: &mut String) {
        let value = match self.letter {
            Letter::Sender => format!("{}@{}", facts.local, facts.sender_domain),
            Letter::Local => facts.local.to_owned(),
            Letter::SenderDomain => facts.sender_domain.to_owned(),
            Letter::Domain => domain.to_owned(),
            Letter::Client => dotted(facts.client),
            Letter::Validated => validated.to_owned(),
            Letter::Version => if facts.client.is_ipv4() { "in-addr" } else { "ip6" }.to_owned(),
            Letter::Hello => facts.hello.to_owned(),
        };
        let mut parts: Vec<&str> = value.split(|c| self.delimiters.contains(c)).collect();
        if self.reverse {
            parts.reverse();
        }
        let skip = if self.keep == 0 { 0 } else { parts.len().saturating_sub(self.keep) };
        let text = parts[skip..].join(".");
        if self.escape { escape(&text, into) } else { into.push_str(&text) }
    }
}

/// Text and macros; `None` when it is no `macro-string`.
fn pieces(text: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c != '%' {
            if !matches!(c, '\x21'..='\x7e') {
                return None;
            }
            plain.push(c);
            rest = &rest[1..];
            continue;
        }
        let next = rest.get(1..2)?;
        match next {
            "%" => plain.push('%'),
            "_" => plain.push(' '),
            "-" => plain.push_str("%20"),
            "{" => {
                let (inside, after) = rest[2..].split_once('}')?;
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(Piece::Macro(Macro::read(inside)?));
                rest = after;
                continue;
            }
            _ => return None,
        }
        rest = &rest[2..];
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Some(pieces)
}

/// `toplabel` of RFC 7208 7.1: letters, digits and inner hyphens, not digits alone.
fn is_top_label(label: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
    !label.is_empty()
        && label.chars().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
        && !label.chars().all(|c| c.is_ascii_digit())
}

/// The address as `%{i}` writes it: forwards, IPv6 by nibbles.
fn dotted(client: IpAddr) -> String {
    match client {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(_) => reversed(client).rsplit('.').collect::<Vec<_>>().join("."),
    }
}

/// All but the unreserved characters of RFC 3986.
fn escape(text: &str, into: &mut String) {
    for octet in text.bytes() {
        match octet {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => into.push(char::from(octet)),
            _ => into.push_str(&format!("%{octet:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_expand_as_the_examples_of_the_standard() {
        let facts = |client: &str| Facts {
            client: client.parse().unwrap(),
            hello: "mx.example.org",
            local: "strong-bad",
            sender_domain: "email.example.com",
        };
        for (template, client, name) in [
            ("%{o}", "192.0.2.3", "email.example.com"),
            ("%{d2}", "192.0.2.3", "example.com"),
            ("%{dr}", "192.0.2.3", "com.example.email"),
            ("%{d2r}", "192.0.2.3", "example.email"),
            ("%{l-}.x.org", "192.0.2.3", "strong.bad.x.org"),
            ("%{l1r-}.x.org", "192.0.2.3", "strong.x.org"),
            ("%{ir}.%{v}._spf.%{d2}", "192.0.2.3", "3.2.0.192.in-addr._spf.example.com"),
            ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "192.0.2.3", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
            (
                "%{ir}.%{v}._spf.%{d2}",
                "2001:db8::cb01",
                "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com",
            ),
            ("%{S}.x.org", "192.0.2.3", "strong-bad%40email.example.com.x.org"),
        ] {
            let read = Template::domain(template).unwrap();
            assert_eq!(read.expand(&facts(client), "email.example.com", ""), name, "{template}");
        }
    }

    #[test]
    fn what_is_no_domain_spec_is_not_read() {
        for text in ["", "%", "%{", "%{x}", "%{d0}", "%{dx}", "%(d)", "museum", "a.1", "a.-b", "a b.c", "%{c}"] {
            assert_eq!(Template::domain(text), None, "{text}");
        }
    }
}
