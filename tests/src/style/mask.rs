//! Rust source with comments and the insides of literals blanked out, so that a rule about code never trips over prose.
//! Byte offsets and line numbers stay those of the source.

/// The source with every comment, string and character literal replaced by spaces. Line ends stay.
pub fn code_only(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = blank_until(bytes, at);
        if end > at {
            code.extend(bytes[at..end].iter().map(|byte| if *byte == b'\n' { b'\n' } else { b' ' }));
            at = end;
        } else {
            // Identifiers outside ASCII carry no rule of ours.
            code.push(if bytes[at].is_ascii() { bytes[at] } else { b' ' });
            at += 1;
        }
    }
    code.into_iter().map(char::from).collect()
}

/// The end of the comment or literal that starts at `at`; `at` itself when code stands there.
fn blank_until(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let after_word = at > 0 && is_word(bytes[at - 1]);
    if rest.starts_with(b"//") {
        return at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    }
    if rest.starts_with(b"/*") {
        return at + block_comment_length(rest);
    }
    if let (false, Some(length)) = (after_word, raw_string_length(rest)) {
        return at + length;
    }
    match rest {
        [b'"', ..] => at + quoted_length(rest, b'"'),
        [b'\'', ..] => at + character_length(rest),
        _ => at,
    }
}

fn block_comment_length(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// `r"…"`, `r#"…"#`, and the same behind `b` or `c`.
fn raw_string_length(rest: &[u8]) -> Option<usize> {
    let prefix = match rest {
        [b'r', ..] => 1,
        [b'b' | b'c', b'r', ..] => 2,
        _ => return None,
    };
    let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(prefix + hashes) != Some(&b'"') {
        return None;
    }
    let body = prefix + hashes + 1;
    let closing: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let end = rest[body..].windows(closing.len()).position(|window| window == closing);
    Some(end.map_or(rest.len(), |end| body + end + closing.len()))
}

fn quoted_length(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// A character literal, or nothing when the quote opens a lifetime or a label.
fn character_length(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        return quoted_length(rest, b'\'');
    }
    let Some(text) = rest.get(1..rest.len().min(6)) else { return 0 };
    // One character is at most four octets long; its closing quote follows at once.
    let width = text.iter().skip(1).take_while(|byte| **byte & 0xC0 == 0x80).count() + 1;
    if text.get(width) == Some(&b'\'') { width + 2 } else { 0 }
}

/// Whether the byte can be part of an identifier.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The 1-based line of a byte offset.
pub fn line_of(code: &str, offset: usize) -> usize {
    code.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Where `needle` stands in `code` as words of its own: `fs` is not in `offsets`.
pub fn words(code: &str, needle: &str) -> Vec<usize> {
    let bytes = code.as_bytes();
    code.match_indices(needle)
        .map(|(at, _)| at)
        .filter(|at| {
            let end = at + needle.len();
            let joined_before = *at > 0 && is_word(bytes[at - 1]) && is_word(bytes[*at]);
            let joined_after = end < bytes.len() && is_word(bytes[end]) && is_word(bytes[end - 1]);
            !joined_before && !joined_after
        })
        .collect()
}

/// The code without what is compiled for tests only: each item under `#[cfg(test)]` is blanked out.
pub fn without_tests(code: &str) -> String {
    let mut kept = code.as_bytes().to_vec();
    for (at, attribute) in code.match_indices("#[cfg(test)]") {
        let end = item_end(code, at + attribute.len());
        kept[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
    }
    kept.into_iter().map(char::from).collect()
}

/// The code that is compiled for tests only, the rest blanked out.
pub fn only_tests(code: &str) -> String {
    let rest = without_tests(code);
    code.bytes()
        .zip(rest.bytes())
        .map(|(was, kept)| if was == kept && was != b'\n' { ' ' } else { was.into() })
        .collect()
}

/// Where the item that starts at `from` ends: behind its `;` or its closing brace.
fn item_end(code: &str, from: usize) -> usize {
    let mut depth = 0_i32;
    for (offset, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => {
                depth -= 1;
                if depth == 0 && byte == b'}' {
                    return offset + 1;
                }
            }
            b';' if depth == 0 => return offset + 1,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blank_and_offsets_stay() {
        for (source, code) in [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"f("}{", g)"#, r#"f(    , g)"#),
            (r#"f("\"}", g)"#, "f(     , g)"),
            (r##"r#"}"}"# h"##, "         h"),
            ("'}' '\\'' '\\u{41}' x", "                  x"),
            ("fn f<'a>(b: &'a str)", "fn f<'a>(b: &'a str)"),
            ("br\"}\" bar\"}\"", "      bar   "),
            ("'é' x", "     x"),
        ] {
            assert_eq!(code_only(source), code, "{source}");
            assert_eq!(code_only(source).len(), source.len());
        }
    }

    #[test]
    fn unfinished_literals_end_with_the_file() {
        for source in ["\"abc", "r#\"abc", "/* abc", "'\\", "'"] {
            assert_eq!(code_only(source).len(), source.len(), "{source}");
        }
    }

    #[test]
    fn words_are_whole_words() {
        assert_eq!(words("offsets fs::read xfs fsx", "fs"), [8]);
        assert_eq!(words("std::fs::read", "std::fs"), [0]);
        assert_eq!(words("a.sleep(b) asleep(c)", "sleep("), [2]);
    }

    #[test]
    fn test_items_are_told_from_the_rest() {
        let code = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() {} }\nfn c() {}\n#[cfg(test)]\nmod d;\nfn e() {}";
        let (kept, tests) = (without_tests(code), only_tests(code));
        for name in ["fn a", "fn c", "fn e"] {
            assert!(kept.contains(name) && !tests.contains(name), "{name}");
        }
        for name in ["fn b", "mod d"] {
            assert!(!kept.contains(name) && tests.contains(name), "{name}");
        }
    }
}
