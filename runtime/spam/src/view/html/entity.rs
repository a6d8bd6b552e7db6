//! Character references (WHATWG HTML 13.2.5.72): numeric ones, and the names that mail uses.

use std::borrow::Cow;

/// Longest reference looked at, with its ampersand.
const REFERENCE_OCTETS_MAX: usize = 32;

/// Names and what they stand for; those of Latin-1 and what marks, space and money need. Others stay as they are written.
const NAMES: [(&str, char); 98] = [
    ("nbsp", '\u{a0}'),
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("euro", '€'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("hellip", '…'),
    ("mdash", '—'),
    ("ndash", '–'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("bull", '•'),
    ("middot", '·'),
    ("zwnj", '\u{200c}'),
    ("zwj", '\u{200d}'),
    ("shy", '\u{ad}'),
    ("ensp", '\u{2002}'),
    ("emsp", '\u{2003}'),
    ("thinsp", '\u{2009}'),
    ("lrm", '\u{200e}'),
    ("rlm", '\u{200f}'),
    ("iexcl", '¡'),
    ("cent", '¢'),
    ("pound", '£'),
    ("yen", '¥'),
    ("sect", '§'),
    ("deg", '°'),
    ("plusmn", '±'),
    ("sup2", '²'),
    ("sup3", '³'),
    ("micro", 'µ'),
    ("para", '¶'),
    ("ordm", 'º'),
    ("ordf", 'ª'),
    ("frac12", '½'),
    ("frac14", '¼'),
    ("iquest", '¿'),
    ("Agrave", 'À'),
    ("Aacute", 'Á'),
    ("Acirc", 'Â'),
    ("Atilde", 'Ã'),
    ("Auml", 'Ä'),
    ("Aring", 'Å'),
    ("AElig", 'Æ'),
    ("Ccedil", 'Ç'),
    ("Egrave", 'È'),
    ("Eacute", 'É'),
    ("Ecirc", 'Ê'),
    ("Euml", 'Ë'),
    ("Iacute", 'Í'),
    ("Icirc", 'Î'),
    ("Iuml", 'Ï'),
    ("Ntilde", 'Ñ'),
    ("Oacute", 'Ó'),
    ("Ocirc", 'Ô'),
    ("Otilde", 'Õ'),
    ("Ouml", 'Ö'),
    ("times", '×'),
    ("Oslash", 'Ø'),
    ("Ugrave", 'Ù'),
    ("Uacute", 'Ú'),
    ("Ucirc", 'Û'),
    ("Uuml", 'Ü'),
    ("szlig", 'ß'),
    ("agrave", 'à'),
    ("aacute", 'á'),
    ("acirc", 'â'),
    ("atilde", 'ã'),
    ("auml", 'ä'),
    ("aring", 'å'),
    ("aelig", 'æ'),
    ("ccedil", 'ç'),
    ("egrave", 'è'),
    ("eacute", 'é'),
    ("ecirc", 'ê'),
    ("euml", 'ë'),
    ("iacute", 'í'),
    ("icirc", 'î'),
    ("iuml", 'ï'),
    ("ntilde", 'ñ'),
    ("oacute", 'ó'),
    ("ocirc", 'ô'),
    ("otilde", 'õ'),
    ("ouml", 'ö'),
    ("oslash", 'ø'),
    ("ugrave", 'ù'),
    ("uacute", 'ú'),
    ("ucirc", 'û'),
    ("uuml", 'ü'),
    ("oelig", 'œ'),
];

/// The reference at the beginning of `text`, which begins with `&`: its character, and how many octets it takes.
pub fn reference(text: &str) -> Option<(char, usize)> {
    let bytes = text.as_bytes();
    let window = &bytes[..bytes.len().min(REFERENCE_OCTETS_MAX)];
    if window.get(1) == Some(&b'#') {
        return numeric(window);
    }
    let length = window[1..].iter().take_while(|b| b.is_ascii_alphanumeric()).count();
    let name = &text[1..1 + length];
    let known = NAMES.iter().find(|(known, _)| *known == name)?;
    let semicolon = usize::from(window.get(1 + length) == Some(&b';'));
    Some((known.1, 1 + length + semicolon))
}

fn numeric(window: &[u8]) -> Option<(char, usize)> {
    let (start, radix) = if matches!(window.get(2), Some(b'x' | b'X')) { (3, 16) } else { (2, 10) };
    let digits = window.get(start..)?.iter().take_while(|b| char::from(**b).is_digit(radix)).count();
    if digits == 0 {
        return None;
    }
    let text = std::str::from_utf8(&window[start..start + digits]).ok()?;
    let value = u32::from_str_radix(text, radix).unwrap_or(u32::MAX);
    // Controls of windows-1252 are meant as the characters that stand there.
    let c = match value {
        0x80..=0x9f => mail::header::charset::decode(b"windows-1252", &[value as u8]).chars().next(),
        0 => None,
        _ => char::from_u32(value),
    };
    let semicolon = usize::from(window.get(start + digits) == Some(&b';'));
    Some((c.unwrap_or('\u{fffd}'), start + digits + semicolon))
}

/// A whole value with its references decoded.
pub fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match reference(rest) {
            Some((c, length)) => {
                out.push(c);
                rest = &rest[length..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_as_browsers_do() {
        for (text, expected) in [
            ("a&amp;b", "a&b"),
            ("&eacute;t&#233;&#xE9;", "étéé"),
            ("&#146;&#0;&#x110000;", "’\u{fffd}\u{fffd}"),
            ("?a=1&b=2&nosuch;", "?a=1&b=2&nosuch;"),
            ("&amp", "&"),
            ("&#;&#x;&", "&#;&#x;&"),
            ("&#99999999999999999999;", "\u{fffd}"),
        ] {
            assert_eq!(decoded(text), expected, "{text}");
        }
    }
}
