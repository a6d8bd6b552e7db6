//! Addresses written out in text.

use super::bounds::HREF_OCTETS_MAX;
use super::link::{Link, LinkFrom};

/// Adds the addresses in `text` that a program would make a link of; false when there were more than `links_max`.
pub fn add(text: &str, enclosed: bool, links_max: usize, links: &mut Vec<Link>) -> bool {
    let mut from = 0;
    while let Some((start, marked)) = next_start(text, from) {
        let rest = &text[start..];
        let end = rest
            .char_indices()
            .take(HREF_OCTETS_MAX)
            .find(|(_, c)| {
                c.is_whitespace() || matches!(c, '<' | '>' | '"' | '“' | '”' | '»' | '«' | '`' | '{' | '}' | '|')
            })
            .map_or_else(|| rest.char_indices().nth(HREF_OCTETS_MAX).map_or(rest.len(), |it| it.0), |it| it.0);
        let mut address = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_', ']']);
        // A bracket at the end belongs to the sentence unless it was opened inside.
        while address.ends_with(')') && !address.contains('(') {
            address = address[..address.len() - 1].trim_end_matches(['.', ',', ';']);
        }
        from = start + end.max(1);
        let mut link = match marked {
            true => Link::read(LinkFrom::Text, address),
            false => Link::read(LinkFrom::Text, &format!("http://{address}")),
        };
        if link.host.as_deref().is_none_or(|host| !host.contains(['.', ':'])) {
            continue;
        }
        if links.len() >= links_max {
            return false;
        }
        link.enclosed = enclosed;
        links.push(link);
    }
    true
}

/// Where the next address begins, and whether it has a scheme.
fn next_start(text: &str, from: usize) -> Option<(usize, bool)> {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(next) = memchr::memchr2(b':', b'.', &bytes[at..]) {
        let mark = at + next;
        at = mark + 1;
        let behind = &bytes[at..];
        let words: &[&[u8]] = match bytes[mark] {
            b':' if behind.starts_with(b"//") => &[b"http", b"https"],
            b'.' if behind.first().is_some_and(u8::is_ascii_alphanumeric) => &[b"www"],
            _ => continue,
        };
        for word in words {
            let Some(start) = mark.checked_sub(word.len()).filter(|start| *start >= from) else { continue };
            let begins = start == 0 || !bytes[start - 1].is_ascii_alphanumeric();
            if begins && bytes[start..mark].eq_ignore_ascii_case(word) {
                return Some((start, bytes[mark] == b':'));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_text_end_where_a_reader_ends_them() {
        let text = "see https://a.example/x?y=1, (http://b.example/p) or WWW.C.example. no: http://, www. xhttp://d.example \
                    <https://e.example/(z)> “http://é.example/”";
        let mut links = Vec::new();
        assert!(add(text, false, 10, &mut links));
        let found: Vec<_> = links.iter().map(|link| (link.host.as_deref().unwrap_or(""), link.path())).collect();
        let expected = [
            ("a.example", "/x?y=1"),
            ("b.example", "/p"),
            ("www.c.example", ""),
            ("e.example", "/(z)"),
            ("xn--9ca.example", "/"),
        ];
        assert_eq!(found, expected);
        assert!(!add(text, false, 7, &mut links), "two more fit");
        assert_eq!(links.len(), 7);
    }
}
