//! What must hold of any octets, for the fuzzer and for the seeded run below.

use std::ops::Range;

use super::part::{Kind, Part, Structure};
use super::{ADDRESSES_MAX, DEPTH_MAX, PARTS_MAX, SectionKind, imap, parse_addresses, summarize, text};
use crate::date;
use crate::header::{decode_words, fields};

/// Reads `raw` as a message in every way this module offers. Panics when a law is broken: that is its use.
pub fn fuzz(raw: &[u8]) {
    let structure = Structure::parse(raw);
    let whole = Part { header: 0..0, body: 0..raw.len(), ..structure.top.clone() };
    let mut count = 0;
    check_part(raw, &structure.top, &whole, 1, &mut count);
    // The entity a multipart without parts is given is not counted by the parser.
    assert!(count <= 2 * PARTS_MAX + DEPTH_MAX, "too many parts");
    check_sections(raw, &structure, &structure.top, &[]);
    for utf8 in [false, true] {
        for extended in [false, true] {
            let mut out = Vec::new();
            imap::bodystructure(&structure, extended, utf8, &mut out);
            assert!(is_one_list(&out, utf8), "illegal: {}", out.escape_ascii());
        }
        let mut out = Vec::new();
        imap::envelope(&structure.envelope, utf8, &mut out);
        assert!(is_one_list(&out, utf8), "illegal: {}", out.escape_ascii());
    }
    for leaf in structure.leaves() {
        text::decode_text(raw, leaf);
        leaf.content.file_name();
    }
    text::full_text(raw, &structure);
    text::without_tags(&String::from_utf8_lossy(raw));
    decode_words(raw);
    assert!(fields(raw).map(|field| field.lines.len()).sum::<usize>() <= raw.len(), "fields overlap");
    let parsed = summarize(raw);
    assert!(parsed.preview.chars().count() <= 200, "preview too long");
    date::fuzz(raw);
}

/// The law of address lists: mailboxes have both halves, groups are balanced and do not nest, and a list cannot grow
/// beyond its text.
pub fn fuzz_addresses(value: &[u8]) {
    let list = parse_addresses(value);
    // A group that is left open and the last entry are ended behind the bound.
    assert!(list.len() <= ADDRESSES_MAX + 2 && list.len() <= 2 * value.len() + 2, "{} entries", list.len());
    let mut in_group = false;
    let mut octets = 0;
    for entry in &list {
        octets +=
            [&entry.name, &entry.adl, &entry.mailbox, &entry.host].into_iter().flatten().map(Vec::len).sum::<usize>();
        match (entry.is_mailbox(), &entry.mailbox) {
            (true, mailbox) => assert!(mailbox.is_some(), "a mailbox without local part"),
            (false, Some(_)) => assert!(!std::mem::replace(&mut in_group, true), "groups nest"),
            (false, None) => assert!(std::mem::replace(&mut in_group, false), "no group ends here"),
        }
    }
    assert!(!in_group, "a group does not end");
    // Words are joined by one space each, and a comment may stand for a name.
    assert!(octets <= 2 * value.len(), "{octets} octets from {}", value.len());
}

/// Ranges lie inside those of the part around, in order and apart; lines are counted right; kind and media type agree.
fn check_part(raw: &[u8], part: &Part, around: &Part, depth: usize, count: &mut usize) {
    *count += 1;
    assert!(depth <= DEPTH_MAX + 1, "too deep");
    assert!(within(&part.header, &around.body) && within(&part.body, &around.body), "outside of the part around");
    assert!(part.header.end <= part.body.start, "header and body overlap");
    let lines = raw[part.body.clone()].iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(part.lines as usize, lines, "lines");
    let media = &part.content.media;
    assert!(
        !media.main.is_empty() && !media.sub.is_empty() && !part.content.transfer_encoding.is_empty(),
        "empty words"
    );
    match &part.kind {
        Kind::Leaf => assert!(!media.is_main("multipart") && !media.is_message(), "a leaf with parts"),
        Kind::Multipart(parts) => {
            assert!(media.is_main("multipart") && !parts.is_empty(), "a multipart without parts");
            for pair in parts.windows(2) {
                assert!(pair[0].body.end <= pair[1].header.start, "parts overlap");
            }
        }
        Kind::Message(message) => {
            assert!(media.is_message(), "a message of another type");
            assert!(
                message.top.header.start == part.body.start && message.top.body.end == part.body.end,
                "message and body"
            );
        }
    }
    for child in part.children() {
        check_part(raw, child, part, depth + 1, count);
    }
}

fn within(inner: &Range<usize>, outer: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.start <= inner.end && inner.end <= outer.end
}

/// Numbers counted on the tree name the parts of the tree.
fn check_sections(raw: &[u8], structure: &Structure, message: &Part, prefix: &[u32]) {
    let numbered: Vec<&Part> = match &message.kind {
        Kind::Multipart(parts) => parts.iter().collect(),
        Kind::Leaf | Kind::Message(_) => vec![message],
    };
    for (number, part) in (1..).zip(&numbered) {
        let numbers = [prefix, &[number]].concat();
        let ranges = structure.section(raw, &numbers, &SectionKind::All);
        assert_eq!(ranges.as_deref(), Some(&[part.body.clone()][..]), "section {numbers:?}");
        let not = SectionKind::HeaderFields { names: vec!["Subject".to_owned()], not: true };
        if let Some(ranges) = structure.section(raw, &numbers, &not) {
            assert!(ranges.iter().all(|range| within(range, &part.body)), "header fields of {numbers:?}");
        }
        match &part.kind {
            Kind::Leaf => {}
            Kind::Multipart(_) => check_sections(raw, structure, part, &numbers),
            Kind::Message(message) => check_sections(raw, structure, &message.top, &numbers),
        }
    }
    let behind = [prefix, &[numbered.len() as u32 + 1]].concat();
    assert_eq!(structure.section(raw, &behind, &SectionKind::All), None, "section {behind:?}");
}

/// One parenthesised list of legal strings, numbers and NIL. The whole grammar is checked by `tests/clients`.
fn is_one_list(text: &[u8], utf8: bool) -> bool {
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        rest = match first {
            b'(' => {
                depth += 1;
                tail
            }
            b')' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    return tail.is_empty();
                }
                tail
            }
            b' ' | b'0'..=b'9' => tail,
            b'N' if tail.starts_with(b"IL") => &tail[2..],
            b'"' => match behind_quoted(tail, utf8) {
                Some(rest) => rest,
                None => return false,
            },
            b'{' => match behind_literal(tail) {
                Some(rest) => rest,
                None => return false,
            },
            _ => return false,
        };
    }
    false
}

fn behind_quoted(text: &[u8], utf8: bool) -> Option<&[u8]> {
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'"' => break,
            b'\\' if matches!(text.get(at + 1), Some(b'"' | b'\\')) => at += 2,
            b'\\' | b'\r' | b'\n' | 0 => return None,
            0x80.. if !utf8 => return None,
            _ => at += 1,
        }
    }
    std::str::from_utf8(&text[..at]).ok()?;
    Some(&text[at + 1..])
}

fn behind_literal(text: &[u8]) -> Option<&[u8]> {
    let digits = text.iter().position(|byte| *byte == b'}')?;
    let length: usize = std::str::from_utf8(&text[..digits]).ok()?.parse().ok()?;
    let octets = text[digits + 1..].strip_prefix(b"\r\n")?;
    if octets.get(..length)?.contains(&0) {
        return None;
    }
    Some(&octets[length..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header;

    const SEEDS: [&[u8]; 5] = [
        b"From: =?utf-8?q?Ren=C3=A9?= <r@x>, g: a@b, \"c d\"@[1.2.3.4];\r\nTo: a@b (c)\r\nSubject: Hi\r\n there\r\n\
          Date: Fri, 21 Nov 1997 09:55:06 -0600\r\nMessage-ID: <m@x>\r\nReferences: <a@x> <b@x>\r\n\
          Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\npre\r\n--b\r\n\r\none\r\n--b\r\n\
          Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\
          Content-Disposition: attachment; filename*0*=utf-8''%C3%A9; filename*1=b.txt\r\n\r\n<p>=E9=\r\n&amp;</p>\r\n\
          --b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\nContent-Type: multipart/digest; boundary=c\r\n\r\n\
          --c\r\n\r\nSubject: d\r\n\r\nx\r\n--c--\r\n--b--\r\nepilogue\r\n",
        b"Content-Type: message/rfc822\n\n>From me\nContent-Type: multipart/alternative; boundary=b\nstray\n--b\n--b\n\nx\n--b--",
        b"Content-Type: multipart/x; boundary=b\n\n--b\nContent-Type: multipart/y; boundary=b-\n\n--b-\n\n1\n--b---\n--b--\n",
        b"17-Jul-1996 02:44:25 -0700",
        b"1-Feb-1994",
    ];
    /// Pieces that matter to the parsers.
    const PIECES: [&[u8]; 24] = [
        b"\r\n",
        b"\n",
        b"\r",
        b"\r\n\r\n",
        b"--b",
        b"--b--",
        b"--c\r\n",
        b"\0",
        b"\xff",
        b"\"",
        b"\\",
        b"(",
        b")",
        b"<",
        b">",
        b"@",
        b";",
        b":",
        b"=?utf-8?b?",
        b"?=",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n",
        b"Content-Type: message/rfc822\r\n\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"name*0*=",
    ];

    /// xorshift64*; good enough to choose places.
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
        }
    }

    fn mutate(random: &mut Random, raw: &mut Vec<u8>) {
        let at = random.below(raw.len() + 1);
        match random.below(5) {
            0 if at < raw.len() => raw[at] = random.below(256) as u8,
            1 => raw.truncate(at),
            2 => drop(raw.drain(at..(at + random.below(20)).min(raw.len()))),
            3 => {
                let copied = raw[at..(at + random.below(200)).min(raw.len())].to_vec();
                let to = random.below(raw.len() + 1);
                raw.splice(to..to, copied);
            }
            _ => {
                let piece = PIECES[random.below(PIECES.len())];
                raw.splice(at..at, piece.iter().copied());
            }
        }
    }

    #[test]
    fn mutated_messages_break_no_law() {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for seed in SEEDS {
            fuzz(seed);
            for _ in 0..2_000 {
                let mut raw = seed.to_vec();
                for _ in 0..=random.below(8) {
                    mutate(&mut random, &mut raw);
                }
                fuzz(&raw);
                fuzz_addresses(&raw);
                header::fuzz(&raw);
            }
        }
    }

    #[test]
    fn every_beginning_of_a_message_is_a_message() {
        for seed in SEEDS {
            for end in 0..seed.len() {
                fuzz(&seed[..end]);
            }
        }
    }

    #[test]
    fn the_law_of_renderings_can_fail() {
        for bad in [
            &b"(\"a"[..],
            b"(",
            b"())",
            b"(\"\r\")",
            b"({3}\r\na)",
            b"(\"\\a\")",
            b"(x)",
            b"(\"\xc3\xa9\")",
            b"({1}\r\n\0)",
        ] {
            assert!(!is_one_list(bad, false), "{}", bad.escape_ascii());
        }
        assert!(is_one_list("(\"é\" {1}\r\n\u{1} NIL 12 (\"\\\"\"))".as_bytes(), true));
    }
}
