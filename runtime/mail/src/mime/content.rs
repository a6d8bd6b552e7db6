//! The Content fields of a part: RFC 2045 5 to 8, RFC 2183, RFC 1864, RFC 3282, RFC 2557.

use super::lexer::Lexer;
use super::params::{Param, Params};
use crate::header::{Field, fields};

/// Longest value kept of one field: an announcement is stored beside each message, and no real value is longer.
pub(super) const VALUE_BYTES_MAX: usize = 65_536;
/// Longest list of languages kept.
const LANGUAGES_MAX: usize = 100;

/// Type, subtype and parameters. Type and subtype are never empty and in the case of the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    pub main: Vec<u8>,
    pub sub: Vec<u8>,
    pub params: Params,
}

/// Content-Disposition (RFC 2183); the kind is never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disposition {
    pub kind: Vec<u8>,
    pub params: Params,
}

/// What the Content fields of a part say; of fields that occur twice, the first counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    pub media: MediaType,
    pub id: Option<Vec<u8>>,
    pub description: Option<Vec<u8>>,
    /// `7bit` when the part says nothing (RFC 2045 6.1). Never empty.
    pub transfer_encoding: Vec<u8>,
    pub md5: Option<Vec<u8>>,
    pub disposition: Option<Disposition>,
    pub language: Vec<Vec<u8>>,
    pub location: Option<Vec<u8>>,
}

impl MediaType {
    /// The default of RFC 2045 5.2.
    pub fn text_plain() -> Self {
        let charset = Param { name: b"charset".to_vec(), value: b"us-ascii".to_vec() };
        Self { main: b"text".to_vec(), sub: b"plain".to_vec(), params: Params(vec![charset]) }
    }

    /// The default inside multipart/digest (RFC 2046 5.1.5).
    pub(super) fn message() -> Self {
        Self { main: b"message".to_vec(), sub: b"rfc822".to_vec(), params: Params::default() }
    }

    /// The type of what is not to be interpreted (RFC 2046 4.5.1); the parameters, a file name perhaps, are kept.
    pub(super) fn into_octets(self) -> Self {
        Self { main: b"application".to_vec(), sub: b"octet-stream".to_vec(), params: self.params }
    }

    pub fn is(&self, main: &str, sub: &str) -> bool {
        self.is_main(main) && self.sub.eq_ignore_ascii_case(sub.as_bytes())
    }

    pub fn is_main(&self, main: &str) -> bool {
        self.main.eq_ignore_ascii_case(main.as_bytes())
    }

    /// A message of which BODYSTRUCTURE shows the inside: message/rfc822, or message/global (RFC 6532, RFC 9051 9).
    pub fn is_message(&self) -> bool {
        self.is("message", "rfc822") || self.is("message", "global")
    }

    /// `None` without a type or a subtype: then the default counts (RFC 2045 5.2).
    fn parse(value: &[u8]) -> Option<Self> {
        let mut lexer = Lexer::new(value);
        lexer.skip_space();
        let main = lexer.until(|byte| matches!(byte, b'/' | b';' | b'(' | b'=' | b'"') || byte.is_ascii_whitespace());
        lexer.skip_space();
        if !lexer.take(b'/') {
            return None;
        }
        lexer.skip_space();
        let sub = lexer.until(|byte| matches!(byte, b';' | b'(' | b'"' | b'=') || byte.is_ascii_whitespace());
        if main.is_empty() || sub.is_empty() {
            return None;
        }
        Some(Self { main: main.to_vec(), sub: sub.to_vec(), params: Params::parse(&mut lexer) })
    }
}

impl Content {
    /// A part that says nothing.
    pub(super) fn of(media: MediaType) -> Self {
        Self {
            media,
            id: None,
            description: None,
            transfer_encoding: b"7bit".to_vec(),
            md5: None,
            disposition: None,
            language: Vec::new(),
            location: None,
        }
    }

    /// Reads a header section. A missing Content-Type is `default`; an illegible one is text/plain.
    pub(super) fn parse(header: &[u8], default: MediaType) -> Self {
        let mut content = Self::of(default);
        let mut media = None;
        let mut encoding = None;
        for field in fields(header) {
            if field.name().len() < 8 || !field.name()[..8].eq_ignore_ascii_case(b"content-") {
                continue;
            }
            let name = field.name()[8..].to_ascii_lowercase();
            match name.as_slice() {
                b"type" if media.is_none() => {
                    media = Some(MediaType::parse(&short(&field)).unwrap_or_else(MediaType::text_plain));
                }
                b"transfer-encoding" if encoding.is_none() => encoding = token(&short(&field)),
                b"disposition" if content.disposition.is_none() => content.disposition = disposition(&short(&field)),
                b"language" if content.language.is_empty() => content.language = languages(&short(&field)),
                b"id" => keep_first(&mut content.id, &field),
                b"description" => keep_first(&mut content.description, &field),
                b"md5" => keep_first(&mut content.md5, &field),
                b"location" => keep_first(&mut content.location, &field),
                _ => {}
            }
        }
        if let Some(media) = media {
            content.media = media;
        }
        if let Some(encoding) = encoding {
            content.transfer_encoding = encoding;
        }
        content
    }

    /// Whether the body is in base64 or quoted-printable.
    pub fn is_encoded(&self) -> bool {
        let encoding = &self.transfer_encoding;
        encoding.eq_ignore_ascii_case(b"base64") || encoding.eq_ignore_ascii_case(b"quoted-printable")
    }

    /// The name of the file, decoded: from the disposition, else the `name` of the type (RFC 2183 2.3).
    pub fn file_name(&self) -> Option<String> {
        let disposed = self.disposition.as_ref().and_then(|disposition| disposition.params.text("filename"));
        disposed.or_else(|| self.media.params.text("name"))
    }

    pub fn is_attachment(&self) -> bool {
        self.disposition.as_ref().is_some_and(|disposition| disposition.kind.eq_ignore_ascii_case(b"attachment"))
    }
}

/// The unfolded value, cut to what is kept.
pub(super) fn short(field: &Field<'_>) -> Vec<u8> {
    let mut value = field.value();
    value.truncate(VALUE_BYTES_MAX);
    value
}

/// The first non-empty value stays.
pub(super) fn keep_first(slot: &mut Option<Vec<u8>>, field: &Field<'_>) {
    if slot.is_none() {
        *slot = Some(short(field)).filter(|value| !value.is_empty());
    }
}

fn token(value: &[u8]) -> Option<Vec<u8>> {
    let mut lexer = Lexer::new(value);
    lexer.skip_space();
    if lexer.peek() == Some(b'"') {
        return lexer.quoted().filter(|text| !text.is_empty());
    }
    let token = lexer.until(|byte| matches!(byte, b';' | b'(' | b',') || byte.is_ascii_whitespace());
    (!token.is_empty()).then(|| token.to_vec())
}

fn disposition(value: &[u8]) -> Option<Disposition> {
    let kind = token(value)?;
    let mut lexer = Lexer::new(value);
    lexer.skip_space();
    if lexer.peek() == Some(b'"') {
        lexer.quoted();
    } else {
        lexer.until(|byte| matches!(byte, b';' | b'(' | b',') || byte.is_ascii_whitespace());
    }
    // `Content-Disposition: filename=x` lacks the kind; RFC 2183 2.8 has unknown kinds treated as attachment.
    if kind.contains(&b'=') {
        let params = Params::parse(&mut Lexer::new(value));
        return Some(Disposition { kind: b"attachment".to_vec(), params });
    }
    Some(Disposition { kind, params: Params::parse(&mut lexer) })
}

/// RFC 3282 2: tags with commas between them, comments allowed.
fn languages(value: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut lexer = Lexer::new(value);
    while !lexer.at_end() && found.len() < LANGUAGES_MAX {
        lexer.skip_space();
        let tag = lexer.until(|byte| matches!(byte, b',' | b'(') || byte.is_ascii_whitespace());
        if !tag.is_empty() {
            found.push(tag.to_vec());
        }
        lexer.skip_space();
        lexer.take(b',');
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(header: &str) -> Content {
        Content::parse(header.as_bytes(), MediaType::text_plain())
    }

    fn media(value: &str) -> String {
        let media = content(&format!("Content-Type: {value}\r\n")).media;
        format!(
            "{}/{} {}",
            String::from_utf8_lossy(&media.main),
            String::from_utf8_lossy(&media.sub),
            media.params.0.len()
        )
    }

    #[test]
    fn media_types_are_read_leniently() {
        assert_eq!(media("Text/HTML; charset=utf-8"), "Text/HTML 1");
        assert_eq!(media("(c) text (c) / (c) html (c) ; (c) charset (c) = (c) utf-8 (c)"), "text/html 1");
        assert_eq!(media("text/html charset=utf-8"), "text/html 1");
        assert_eq!(media("image/jpeg"), "image/jpeg 0");
        assert_eq!(media("application/x.y+z;\r\n\tname=\"a\""), "application/x.y+z 1");
    }

    #[test]
    fn illegible_media_types_are_plain_text_whatever_the_default() {
        for value in ["", "text", "/plain", "text/", ";", "(only a comment)", "text; charset=utf-8"] {
            assert_eq!(media(value), "text/plain 1", "{value:?}");
        }
        let header = b"Content-Type: nonsense\r\n";
        assert!(Content::parse(header, MediaType::message()).media.is("text", "plain"));
        assert!(Content::parse(b"", MediaType::message()).media.is_message());
    }

    #[test]
    fn all_content_fields_are_read_and_the_first_counts() {
        let content = content(concat!(
            "Content-ID: <a@b>\r\nContent-Description: two\r\n words\r\nContent-Transfer-Encoding: BASE64 (yes)\r\n",
            "Content-MD5: Q2h==\r\nContent-Disposition: Attachment; filename=\"a b.txt\"\r\n",
            "Content-Language: en, fr (french),de\r\nContent-Location: http://x/\r\nContent-ID: <late@b>\r\n",
        ));
        assert_eq!(content.id.as_deref(), Some(&b"<a@b>"[..]));
        assert_eq!(content.description.as_deref(), Some(&b"two words"[..]));
        assert_eq!(content.transfer_encoding, b"BASE64");
        assert_eq!(content.md5.as_deref(), Some(&b"Q2h=="[..]));
        assert!(content.is_attachment() && content.is_encoded());
        assert_eq!(content.file_name().as_deref(), Some("a b.txt"));
        assert_eq!(content.language, [&b"en"[..], b"fr", b"de"]);
        assert_eq!(content.location.as_deref(), Some(&b"http://x/"[..]));
    }

    #[test]
    fn empty_content_fields_are_as_good_as_none() {
        let content =
            content("Content-ID:\r\nContent-Transfer-Encoding: \r\nContent-Disposition: ;\r\nContent-Language: ,\r\n");
        assert_eq!(content, Content::of(MediaType::text_plain()));
    }

    #[test]
    fn a_disposition_without_its_kind_is_an_attachment() {
        let content = content("Content-Disposition: filename=x.pdf\r\n");
        assert!(content.is_attachment());
        assert_eq!(content.file_name().as_deref(), Some("x.pdf"));
    }
}
