//! Parameters of Content-Type and Content-Disposition: RFC 2045 5.1, RFC 2183, and the continuations and charsets of RFC 2231.

use std::collections::BTreeMap;

use super::lexer::Lexer;
use super::transfer::hex;
use crate::header::{charset, decode_words};

/// Parameters of one field that are read; the rest is passed over.
const PARAMS_MAX: usize = 500;

/// Name and value as they are announced in BODYSTRUCTURE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// As given; ends with `*` when the value is `charset'language'percent-encoded` (RFC 2231 4).
    pub name: Vec<u8>,
    /// Without quotes. Neither decoded nor checked.
    pub value: Vec<u8>,
}

/// Parameters in the order of the field, continuations joined (RFC 2231 6 asks IMAP servers to do it).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(pub Vec<Param>);

impl Params {
    /// Reads `; name=value…` to the end of the field.
    pub(super) fn parse(lexer: &mut Lexer<'_>) -> Self {
        let mut given = Vec::new();
        while !lexer.at_end() && given.len() < PARAMS_MAX {
            lexer.skip_space();
            if lexer.take(b';') {
                continue;
            }
            let name = lexer.until(|byte| matches!(byte, b'=' | b';' | b'(' | b'"') || byte.is_ascii_whitespace());
            lexer.skip_space();
            if !lexer.take(b'=') {
                // A word without a value is no parameter. One octet at least is consumed, so that this ends.
                if name.is_empty() {
                    lexer.bump();
                }
                continue;
            }
            lexer.skip_space();
            let value = value(lexer);
            if !name.is_empty() {
                given.push(Param { name: name.to_vec(), value });
            }
        }
        Self(join_continuations(given))
    }

    /// The value of the first parameter of that name as given.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|param| param.name.eq_ignore_ascii_case(name.as_bytes())).map(|param| param.value.as_slice())
    }

    /// The value for people: RFC 2231 charset and percent-encoding decoded, else encoded words, which many senders use here.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.get(&format!("{name}*")) {
            Some(extended) => Some(decode_extended(extended)),
            None => self.get(name).map(decode_words),
        }
    }
}

/// A quoted string, or a token. Tokens are read up to the semicolon when no other parameter can begin before it, because
/// senders forget the quotes around file names with spaces; the comment of `us-ascii (plain)` is not part of it.
fn value(lexer: &mut Lexer<'_>) -> Vec<u8> {
    if lexer.peek() == Some(b'"') {
        if let Some(text) = lexer.quoted() {
            return text;
        }
        return lexer.until(|byte| byte == b';')[1..].trim_ascii().to_vec();
    }
    let mut text = lexer.until(|byte| byte == b';' || byte.is_ascii_whitespace()).to_vec();
    let (more, stop) = lexer.ahead(|byte| matches!(byte, b';' | b'=' | b'(' | b'"'));
    if matches!(stop, None | Some(b';')) && !text.is_empty() {
        text.extend_from_slice(more.trim_ascii_end());
        lexer.until(|byte| byte == b';');
    }
    text
}

/// The sections of one continued value: by number, whether it is percent-encoded, and its text.
type Sections = BTreeMap<u32, (bool, Vec<u8>)>;

/// `name*0=…; name*1*=…` become one parameter where the first of them stood (RFC 2231 3 and 4.1). Sections without a
/// section 0 stay as they are.
fn join_continuations(given: Vec<Param>) -> Vec<Param> {
    let mut sections: BTreeMap<Vec<u8>, Sections> = BTreeMap::new();
    for param in &given {
        if let Some((base, number, extended)) = continuation(&param.name) {
            let of_name = sections.entry(base.to_ascii_lowercase()).or_default();
            of_name.entry(number).or_insert_with(|| (extended, param.value.clone()));
        }
    }
    if sections.is_empty() {
        return given;
    }
    let mut joined = Vec::with_capacity(given.len());
    let mut done: BTreeMap<Vec<u8>, bool> = BTreeMap::new();
    for param in given {
        let Some((base, _, _)) = continuation(&param.name) else {
            joined.push(param);
            continue;
        };
        let key = base.to_ascii_lowercase();
        match sections.get(&key).filter(|of_name| of_name.contains_key(&0)) {
            None => joined.push(param),
            Some(of_name) if done.insert(key, true).is_none() => joined.push(join(base, of_name)),
            Some(_) => {}
        }
    }
    joined
}

/// Joins sections 0, 1, 2… up to the first gap. Plain sections of an extended value are percent-encoded to fit in.
fn join(base: &[u8], sections: &Sections) -> Param {
    let extended_value = sections.get(&0).is_some_and(|(extended, _)| *extended);
    let mut value = Vec::new();
    for (expected, (number, (extended, text))) in (0_u32..).zip(sections) {
        if *number != expected {
            break;
        }
        if extended_value && !extended {
            for &byte in text {
                match byte {
                    b'%' | b'\'' | b' ' | 0x80.. => value.extend_from_slice(format!("%{byte:02X}").as_bytes()),
                    _ => value.push(byte),
                }
            }
        } else {
            value.extend_from_slice(text);
        }
    }
    let mut name = base.to_vec();
    if extended_value {
        name.push(b'*');
    }
    Param { name, value }
}

/// `base*12` and `base*12*` as base, number and whether it is extended.
fn continuation(name: &[u8]) -> Option<(&[u8], u32, bool)> {
    let (name, extended) = name.strip_suffix(b"*").map_or((name, false), |name| (name, true));
    let star = name.iter().position(|byte| *byte == b'*')?;
    let number = &name[star + 1..];
    if number.is_empty() || number.len() > 4 || !number.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = number.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    Some((&name[..star], number, extended))
}

/// `charset'language'text%20with%20escapes` (RFC 2231 4).
fn decode_extended(value: &[u8]) -> String {
    let mut pieces = value.splitn(3, |byte| *byte == b'\'');
    let (label, text) = match (pieces.next(), pieces.next(), pieces.next()) {
        (Some(label), Some(_), Some(text)) => (label, text),
        _ => (&b""[..], value),
    };
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                octets.push(hex(*high) << 4 | hex(*low));
                rest = after;
            }
            _ => {
                octets.push(first);
                rest = tail;
            }
        }
    }
    charset::decode(label, &octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Params {
        Params::parse(&mut Lexer::new(text.as_bytes()))
    }

    fn check(text: &str, expected: &[(&str, &str)]) {
        let found: Vec<(String, String)> = parsed(text)
            .0
            .iter()
            .map(|param| {
                (String::from_utf8_lossy(&param.name).into_owned(), String::from_utf8_lossy(&param.value).into_owned())
            })
            .collect();
        let expected: Vec<(String, String)> =
            expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn tokens_quoted_strings_and_comments_are_read() {
        check("; charset=us-ascii (Plain text); Format=flowed", &[("charset", "us-ascii"), ("Format", "flowed")]);
        check("; boundary=\"a;b\\\"c\" ;; x = y", &[("boundary", "a;b\"c"), ("x", "y")]);
        check("; boundary=----=_Part=1; a=", &[("boundary", "----=_Part=1"), ("a", "")]);
    }

    #[test]
    fn missing_semicolons_and_quotes_are_forgiven() {
        check("charset=utf-8 boundary=abc", &[("charset", "utf-8"), ("boundary", "abc")]);
        check("; name=my file (1).pdf; x=y", &[("name", "my"), ("x", "y")]);
        check("; name=my file.pdf; x=y", &[("name", "my file.pdf"), ("x", "y")]);
        check("; boundary=\"abc; x=y", &[("boundary", "abc"), ("x", "y")]);
        check("; =; ; word; \"q\" ; a=b", &[("a", "b")]);
    }

    #[test]
    fn continuations_are_joined_as_rfc_2231_shows() {
        check("; URL*0=\"ftp://\"; URL*1=\"cs.utk.edu/pub\"", &[("URL", "ftp://cs.utk.edu/pub")]);
        let params = parsed(
            "; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*0*=us-ascii'en'This%20is%20even%20more%20; title*2=\"isn't it!\"",
        );
        assert_eq!(
            params.get("title*"),
            Some(&b"us-ascii'en'This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20isn%27t%20it!"[..])
        );
        assert_eq!(params.text("title").as_deref(), Some("This is even more ***fun*** isn't it!"));
        check("; a*1=x; a*2=y", &[("a*1", "x"), ("a*2", "y")]);
    }

    #[test]
    fn file_names_are_decoded_both_ways() {
        assert_eq!(
            parsed("; filename*=UTF-8''caf%C3%A9.pdf; filename=cafe.pdf").text("filename").as_deref(),
            Some("café.pdf")
        );
        assert_eq!(parsed("; filename=\"=?utf-8?q?caf=C3=A9.pdf?=\"").text("filename").as_deref(), Some("café.pdf"));
        assert_eq!(parsed("; filename*=caf%E9").text("filename").as_deref(), Some("café"));
        assert_eq!(parsed("").text("filename"), None);
    }
}
