//! Text to tokens, with nom. Every byte ends up in exactly one token; what begins no token, or does not end, is an
//! `Unknown` token, so cutting never fails. The words and literals are a strict part of RON's (github.com/ron-rs/ron,
//! docs/grammar.md): ASCII words, no raw identifiers, no byte strings, no exponents, no suffixes.

use super::tree::{Token, TokenKind};
use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_while, take_while1};
use nom::character::complete::{anychar, digit1, none_of, one_of, satisfy};
use nom::combinator::{map, not, opt, peek, recognize, value};
use nom::multi::many0_count;
use nom::sequence::{pair, preceded};
use nom::{IResult, Parser};

/// Cuts the whole text. Linear in its length, which is at most `SIZE_BYTES_MAX`.
pub(crate) fn lex(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (after, kind) = token(rest);
        let start = text.len() - rest.len();
        let end = text.len() - after.len();
        tokens.push(Token { kind, start: start as u32, end: end as u32 });
        rest = after;
    }
    tokens
}

/// Characters that show nothing or turn the direction of what follows, and controls other than tab and line end.
/// They count as space here and are reported apart (E0006).
pub(crate) fn is_invisible(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' => true,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        _ => c.is_control(),
    }
}

/// The next token of a text that is not empty. Always takes at least one character.
fn token(input: &str) -> (&str, TokenKind) {
    let known: IResult<&str, TokenKind> = match input.as_bytes().first() {
        Some(b' ' | b'\t' | b'\n' | b'\r') => space(input),
        Some(b'/') => {
            alt((value(TokenKind::LineComment, (tag("//"), take_till(|c| c == '\n'))), block_comment)).parse(input)
        }
        Some(b'"') => plain_text(input),
        Some(b'\'') => value(TokenKind::Char, character).parse(input),
        Some(b'-' | b'0'..=b'9') => number(input),
        Some(b'r') => alt((raw_text, word)).parse(input),
        _ => alt((map(one_of("()[]{}:,#!="), |mark| TokenKind::Mark(mark as u8)), word, space)).parse(input),
    };
    known.unwrap_or_else(|_| (input.get(first_len(input)..).unwrap_or(""), TokenKind::Unknown))
}

fn first_len(input: &str) -> usize {
    input.chars().next().map_or(0, char::len_utf8)
}

/// `/* … */`, which nests. One that does not end takes the rest of the file: looking again from the next line
/// would cost a pass over the text for each.
fn block_comment(input: &str) -> IResult<&str, TokenKind> {
    let (mut rest, _) = tag("/*").parse(input)?;
    let mut depth = 1_u32;
    while depth > 0 {
        let (after, _) = take_till(|c| c == '/' || c == '*').parse(rest)?;
        if after.is_empty() {
            return Ok(("", TokenKind::Unknown));
        }
        if let Some(inside) = after.strip_prefix("/*") {
            depth += 1;
            rest = inside;
        } else if let Some(outside) = after.strip_prefix("*/") {
            depth -= 1;
            rest = outside;
        } else {
            rest = &after[1..];
        }
    }
    Ok((rest, TokenKind::BlockComment))
}

/// `r"…"`, `r#"…"#`: no escapes, may span lines.
fn raw_text(input: &str) -> IResult<&str, TokenKind> {
    let (body, (_, hashes, _)) = (tag("r"), take_while(|c| c == '#'), tag("\"")).parse(input)?;
    let closing = format!("\"{hashes}");
    match body.find(&closing) {
        Some(at) => Ok((&body[at + closing.len()..], TokenKind::Text)),
        None => Ok(("", TokenKind::Unknown)),
    }
}

/// `"…"` on one line; a backslash before the line end goes on with the next line. Stricter than RON, so that a lost
/// quote spoils one line and not the file. One that does not end leaves the commas and brackets at the end of its
/// line to the parser.
fn plain_text(input: &str) -> IResult<&str, TokenKind> {
    let (body, _) = tag("\"").parse(input)?;
    let escape = alt((value((), (tag("\\"), tag("\r\n"))), value((), (tag("\\"), anychar))));
    let (rest, _) = many0_count(alt((value((), take_while1(is_plain)), escape))).parse(body)?;
    if let Some(after) = rest.strip_prefix('"') {
        return Ok((after, TokenKind::Text));
    }
    let line = &input[..input.len() - rest.len()];
    let kept = line.trim_end_matches([' ', '\t', '\r', ',', ')', ']', '}']).len().max(1);
    Ok((&input[kept..], TokenKind::Unknown))
}

fn is_plain(c: char) -> bool {
    !matches!(c, '"' | '\\' | '\n')
}

/// `'x'` or `'\n'`. The escape itself is judged when the value is read.
fn character(input: &str) -> IResult<&str, &str> {
    let unicode = (tag("\\u{"), take_while(|c: char| c.is_ascii_hexdigit()), tag("}"));
    let hex = (tag("\\x"), satisfy(|c| c.is_ascii_hexdigit()), satisfy(|c| c.is_ascii_hexdigit()));
    let inner =
        alt((recognize(unicode), recognize(hex), recognize(pair(tag("\\"), anychar)), recognize(none_of("'\\\n"))));
    recognize((tag("'"), inner, tag("'"))).parse(input)
}

fn space(input: &str) -> IResult<&str, TokenKind> {
    value(TokenKind::Space, take_while1(|c: char| c.is_ascii_whitespace() || is_invisible(c))).parse(input)
}

/// RON also has words beyond ASCII; the language has none.
fn word(input: &str) -> IResult<&str, TokenKind> {
    let (rest, word) = recognize(pair(satisfy(|c| c == '_' || c.is_alphabetic()), take_while(is_word))).parse(input)?;
    Ok((rest, if word.is_ascii() { TokenKind::Word } else { TokenKind::Unknown }))
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// `12`, `-3`, `1_000`, `0x1f`, `1.5`. Anything longer that begins like one (`12ab`, `1.2.3`) is no token.
fn number(input: &str) -> IResult<&str, TokenKind> {
    let digits = |input| recognize(pair(digit1, take_while(|c: char| c.is_ascii_digit() || c == '_'))).parse(input);
    let hex = recognize((
        tag("0x"),
        satisfy(|c| c.is_ascii_hexdigit()),
        take_while(|c: char| c.is_ascii_hexdigit() || c == '_'),
    ));
    let fraction = recognize((digits, opt((tag("."), digit1))));
    let (rest, _) = preceded(opt(tag("-")), alt((hex, fraction))).parse(input)?;
    let ends: IResult<&str, ()> = peek(not(satisfy(|c| is_word(c) || c == '.'))).parse(rest);
    if ends.is_ok() {
        return Ok((rest, TokenKind::Number));
    }
    let (rest, _) = take_while(|c| is_word(c) || c == '.').parse(rest)?;
    Ok((rest, TokenKind::Unknown))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[TokenKind]) {
        let tokens = lex(text);
        let kinds: Vec<TokenKind> = tokens.iter().map(|t| t.kind).filter(|k| *k != TokenKind::Space).collect();
        assert_eq!(kinds, expected, "{text}");
        let mut end = 0;
        for token in &tokens {
            assert_eq!(token.start, end, "{text}");
            end = token.end;
        }
        assert_eq!(end as usize, text.len(), "{text}");
    }

    #[test]
    fn literals_and_words_are_told_apart() {
        use TokenKind::*;
        check("a: 1", &[Word, Mark(b':'), Number]);
        check(r##"r#"a"b"# "c\"d" 'x' '\'' '\u{41}'"##, &[Text, Text, Char, Char, Char]);
        check("-12 1_000 0x1F 1.5", &[Number; 4]);
        check("// x\n/* a /* b */ c */", &[LineComment, BlockComment]);
        check("rust r r_2", &[Word; 3]);
    }

    #[test]
    fn what_begins_no_token_is_unknown_and_loses_nothing() {
        use TokenKind::*;
        check("12ab 1.2.3 0x 1e5", &[Unknown; 4]);
        check("café", &[Unknown]);
        check("\"ab), \nc", &[Unknown, Mark(b')'), Mark(b','), Word]);
        check("/* a", &[Unknown]);
        check("r#\"a\"", &[Unknown]);
        check("'ab'", &[Unknown, Word, Unknown]);
        check("+5", &[Unknown, Number]);
    }

    #[test]
    fn a_backslash_carries_a_string_over_the_line_end() {
        check("\"a\\\n   b\" \"a\\\r\n b\"", &[TokenKind::Text; 2]);
    }
}
