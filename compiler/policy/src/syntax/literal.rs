//! Literal tokens to values: strings and characters with their escapes, integers.

use super::lexer::is_invisible;

/// What is wrong with a literal, and which bytes of the token show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: FaultKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// An escape that RON does not have.
    Escape,
    /// An escape that stands for a character nobody would see.
    Invisible(char),
}

/// The value of a `Text` token, quotes included.
pub(super) fn text(token: &str) -> Result<Box<str>, Fault> {
    if let Some(raw) = token.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let inner = raw.get(hashes + 1..raw.len().saturating_sub(hashes + 1)).unwrap_or("");
        return Ok(inner.into());
    }
    unescape(token)
}

/// The value of a `Char` token, quotes included.
pub(super) fn character(token: &str) -> Result<char, Fault> {
    let whole = Fault { start: 0, end: token.len(), kind: FaultKind::Escape };
    let value = unescape(token)?;
    let mut chars = value.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(c),
        _ => Err(whole),
    }
}

/// The value of a `Number` token: `None` if it is a fraction, `Some(None)` if it does not fit.
pub(super) fn integer(token: &str) -> Option<Option<i64>> {
    if token.contains('.') {
        return None;
    }
    let (sign, digits) = token.strip_prefix('-').map_or(("", token), |digits| ("-", digits));
    let (base, digits) = digits.strip_prefix("0x").map_or((10, digits), |digits| (16, digits));
    let plain: String = sign.chars().chain(digits.chars().filter(|c| *c != '_')).collect();
    Some(i64::from_str_radix(&plain, base).ok())
}

fn unescape(token: &str) -> Result<Box<str>, Fault> {
    let inner = token.get(1..token.len().saturating_sub(1)).unwrap_or("");
    if !inner.contains('\\') {
        return Ok(inner.into());
    }
    let mut value = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        value.push_str(&rest[..at]);
        let start = 1 + inner.len() - rest.len() + at;
        let (c, length) = escape(&rest[at..]);
        let fault = |kind| Fault { start, end: start + length, kind };
        match c {
            Escaped::Char(c) if is_invisible(c) => return Err(fault(FaultKind::Invisible(c))),
            Escaped::Char(c) => value.push(c),
            Escaped::Nothing => {}
            Escaped::Unknown => return Err(fault(FaultKind::Escape)),
        }
        rest = &rest[at + length..];
    }
    value.push_str(rest);
    Ok(value.into())
}

enum Escaped {
    Char(char),
    /// A line end and the white space that begins the next line.
    Nothing,
    Unknown,
}

/// The escape at the start of `rest` and its length in bytes.
fn escape(rest: &str) -> (Escaped, usize) {
    let mut chars = rest.chars().skip(1);
    match chars.next() {
        Some('n') => (Escaped::Char('\n'), 2),
        Some('r') => (Escaped::Char('\r'), 2),
        Some('t') => (Escaped::Char('\t'), 2),
        Some('0') => (Escaped::Char('\0'), 2),
        Some(c @ ('\\' | '"' | '\'')) => (Escaped::Char(c), 2),
        Some('x') => hex_escape(rest),
        Some('u') => unicode_escape(rest),
        Some('\n') => (Escaped::Nothing, rest.len() - rest[2..].trim_start_matches([' ', '\t', '\n', '\r']).len()),
        Some('\r') if rest[2..].starts_with('\n') => {
            (Escaped::Nothing, rest.len() - rest[3..].trim_start_matches([' ', '\t', '\n', '\r']).len())
        }
        Some(c) => (Escaped::Unknown, 1 + c.len_utf8()),
        None => (Escaped::Unknown, 1),
    }
}

/// `\x41`: two digits, ASCII only. RON also reads UTF-8 byte by byte; nobody should write that.
fn hex_escape(rest: &str) -> (Escaped, usize) {
    let value = rest.get(2..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    match value.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
        Some(byte) if byte.is_ascii() => (Escaped::Char(char::from(byte)), 4),
        Some(_) => (Escaped::Unknown, 4),
        None => (Escaped::Unknown, 2),
    }
}

/// `\u{1F600}`: one to six digits.
fn unicode_escape(rest: &str) -> (Escaped, usize) {
    let Some(digits) = rest.get(2..).and_then(|r| r.strip_prefix('{')).and_then(|r| r.get(..7.min(r.len()))) else {
        return (Escaped::Unknown, 2);
    };
    let Some(digits) = digits.split_once('}').map(|(digits, _)| digits) else { return (Escaped::Unknown, 2) };
    let length = 4 + digits.len();
    let hex = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    match u32::from_str_radix(digits, 16).ok().filter(|_| hex).and_then(char::from_u32) {
        Some(c) => (Escaped::Char(c), length),
        None => (Escaped::Unknown, length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_their_characters() {
        let check = |token: &str, expected: &str| assert_eq!(text(token).as_deref(), Ok(expected), "{token}");
        check(r#""a\n\t\"\\\'""#, "a\n\t\"\\'");
        check(r#""\x41\u{e9}\u{1F600}""#, "Aé\u{1F600}");
        check("\"a\\\n   b\\\r\n\t c\"", "abc");
        check("r##\"a\\\"#\"##", "a\\\"#");
        check("\"\"", "");
        assert_eq!(character(r"'\''"), Ok('\''));
        assert_eq!(character("'é'"), Ok('é'));
    }

    #[test]
    fn unknown_and_invisible_escapes_are_faults_with_their_place() {
        let fault = |token: &str| text(token).unwrap_err();
        assert_eq!(fault(r#""ab\qc""#), Fault { start: 3, end: 5, kind: FaultKind::Escape });
        assert_eq!(fault(r#""\u{202e}""#), Fault { start: 1, end: 9, kind: FaultKind::Invisible('\u{202e}') });
        for wrong in
            [r#""\xff""#, r#""\x4""#, r#""\u{}""#, r#""\u{d800}""#, r#""\u{1234567}""#, r#""\u41""#, r#""\u{é}""#]
        {
            assert_eq!(fault(wrong).kind, FaultKind::Escape, "{wrong}");
        }
        assert!(text(r#""\0""#).is_err());
    }

    #[test]
    fn integers_have_underscores_signs_and_a_hexadecimal_form() {
        assert_eq!(integer("1_000"), Some(Some(1000)));
        assert_eq!(integer("-0x1F"), Some(Some(-31)));
        assert_eq!(integer("9223372036854775808"), Some(None));
        assert_eq!(integer("1.5"), None);
    }
}
