//! Text of a message for people and for SEARCH: transfer encoding and charset undone, HTML tags taken out for the preview.

use super::part::{Kind, Part, Structure};
use super::transfer;
use crate::header::{charset, decode_words, unfold};

/// Octets of a body that the preview looks at.
const PREVIEW_BYTES_MAX: usize = 65_536;

/// The body of a text part as text. Lossy, never fails. Other media types give what their octets look like as text; callers
/// ask for text parts.
pub fn decode_text(raw: &[u8], part: &Part) -> String {
    let octets = transfer::decode(&part.content.transfer_encoding, &raw[part.body.clone()]);
    charset::decode(part.content.media.params.get("charset").unwrap_or_default(), &octets)
}

/// What SEARCH BODY looks at (RFC 9051 6.4.4): the text parts, and the headers of enclosed messages, one after the other.
pub fn body_text(raw: &[u8], structure: &Structure) -> String {
    let mut text = String::new();
    collect(raw, &structure.top, &mut text);
    text
}

/// What SEARCH TEXT looks at: the header and [`body_text`].
pub fn full_text(raw: &[u8], structure: &Structure) -> String {
    let mut text = header_text(&raw[structure.top.header.clone()]);
    collect(raw, &structure.top, &mut text);
    text
}

/// A header section for people: unfolded and decoded, one field on a line.
pub fn header_text(section: &[u8]) -> String {
    let mut text = String::new();
    for field in crate::header::fields(section) {
        text.push_str(&String::from_utf8_lossy(field.name()));
        text.push_str(": ");
        text.push_str(&decode_words(&unfold(field.raw_value())));
        text.push('\n');
    }
    text
}

/// Depth is bounded by the parser.
fn collect(raw: &[u8], part: &Part, text: &mut String) {
    match &part.kind {
        Kind::Leaf if part.content.media.is_main("text") => {
            text.push_str(&decode_text(raw, part));
            text.push('\n');
        }
        Kind::Leaf => {}
        Kind::Multipart(parts) => parts.iter().for_each(|child| collect(raw, child, text)),
        Kind::Message(message) => {
            text.push_str(&header_text(&raw[message.top.header.clone()]));
            collect(raw, &message.top, text);
        }
    }
}

/// The beginning of what the message says, on one line (RFC 8970): of the first plain text part that is no attachment, else
/// of the first HTML part. At most `chars_max` characters; empty when there is no text.
pub fn preview(raw: &[u8], structure: &Structure, chars_max: usize) -> String {
    let of_type = |sub: &str| {
        structure
            .leaves()
            .filter(|part| part.content.media.is("text", sub) && !part.content.is_attachment())
            .map(|part| one_line(&beginning(raw, part), sub == "html", chars_max))
            .find(|text| !text.is_empty())
    };
    of_type("plain").or_else(|| of_type("html")).unwrap_or_default()
}

fn beginning(raw: &[u8], part: &Part) -> String {
    let end = part.body.end.min(part.body.start + PREVIEW_BYTES_MAX);
    let octets = transfer::decode(&part.content.transfer_encoding, &raw[part.body.start..end]);
    charset::decode(part.content.media.params.get("charset").unwrap_or_default(), &octets)
}

fn one_line(text: &str, html: bool, chars_max: usize) -> String {
    let text = if html { without_tags(text) } else { text.to_owned() };
    let mut line = String::new();
    let mut count = 0;
    let mut space = false;
    for character in text.chars() {
        if character.is_whitespace() || character.is_control() || character == '\u{200b}' || character == '\u{feff}' {
            space = count > 0;
            continue;
        }
        if space && count < chars_max {
            line.push(' ');
            count += 1;
        }
        space = false;
        if count >= chars_max {
            break;
        }
        line.push(character);
        count += 1;
    }
    line.truncate(line.trim_end().len());
    line
}

/// HTML without tags, comments, style and script; the usual entities decoded. For previews only, not for showing HTML.
pub fn without_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len() / 2);
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = if rest.starts_with('<') { skip_tag(rest, &mut text) } else { entity(rest, &mut text) };
    }
    text.push_str(rest);
    text
}

/// Behind the tag, comment or element without text that begins `rest`. What does not end goes to the end of the text.
fn skip_tag<'a>(rest: &'a str, text: &mut String) -> &'a str {
    let behind = |mark: &str| rest.find(mark).map_or("", |at| &rest[at + mark.len()..]);
    if rest.starts_with("<!--") {
        return behind("-->");
    }
    let tag = rest[1..].trim_start_matches('/');
    if !tag.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '!' | '?')) {
        // No search for the bracket here: many of these must not cost a look at the whole text each.
        text.push('<');
        return &rest[1..];
    }
    let after = behind(">");
    let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).take(16).collect();
    match name.to_ascii_lowercase().as_str() {
        hidden @ ("style" | "script" | "head" | "title") => end_of(after, hidden),
        // Inline elements do not part words.
        "a" | "b" | "i" | "u" | "em" | "strong" | "span" | "font" => after,
        _ => {
            text.push(' ');
            after
        }
    }
}

/// Behind `</name`, and its bracket; the end of the text when it never comes.
fn end_of<'a>(rest: &'a str, name: &str) -> &'a str {
    let mut at = 0;
    while let Some(found) = rest[at..].find("</") {
        at += found + 2;
        if rest.as_bytes()[at..].get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes())) {
            return rest[at..].find('>').map_or("", |end| &rest[at + end + 1..]);
        }
    }
    ""
}

/// The character reference that begins `rest`, or the ampersand itself.
fn entity<'a>(rest: &'a str, text: &mut String) -> &'a str {
    let end = rest.bytes().take(12).position(|byte| byte == b';');
    let decoded = end.and_then(|end| {
        let name = &rest[1..end];
        let named = match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "nbsp" | "zwnj" | "shy" => ' ',
            "eacute" => 'é',
            "egrave" => 'è',
            "agrave" => 'à',
            "ccedil" => 'ç',
            _ => {
                let number = name.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => number.parse(),
                };
                char::from_u32(code.ok()?)?
            }
        };
        Some((named, end))
    });
    match decoded {
        Some((character, end)) => {
            text.push(character);
            &rest[end + 1..]
        }
        None => {
            text.push('&');
            &rest[1..]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(raw: &str, chars_max: usize) -> String {
        preview(raw.as_bytes(), &Structure::parse(raw.as_bytes()), chars_max)
    }

    #[test]
    fn the_preview_is_one_line_of_the_first_plain_text() {
        let raw = "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>html</p>\r\n\
            --b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
            caf=C3=A9\r\n\r\n  is   open\r\n--b--\r\n";
        assert_eq!(shown(raw, 200), "café is open");
        assert_eq!(shown(raw, 5), "café");
        assert_eq!(shown(raw, 6), "café i");
        assert_eq!(shown("\r\n", 10), "");
    }

    #[test]
    fn html_alone_is_shown_without_its_tags() {
        let raw = "Content-Type: text/html\r\n\r\n<html><head><title>T</title></head><style>a{}</STYLE>\r\n<!-- no -->\
            <p>one&nbsp;&amp; <b>t</b>wo &#233; &bogus; 1 < 2</p><script>x";
        assert_eq!(shown(raw, 200), "one & two é &bogus; 1 < 2");
    }

    #[test]
    fn text_for_search_is_decoded_and_includes_enclosed_headers() {
        let raw = b"Subject: =?utf-8?q?=C3=A9t=C3=A9?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
            Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: base64\r\n\r\n6Q==\r\n--b\r\n\
            Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nhello\r\n--b\r\nContent-Type: image/png\r\n\r\nbinary\r\n--b--";
        let structure = Structure::parse(raw);
        assert_eq!(body_text(raw, &structure), "é\nSubject: inner\nhello\n");
        assert!(full_text(raw, &structure).starts_with("Subject: été\nContent-Type: "));
    }
}
