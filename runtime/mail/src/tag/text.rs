//! The words of a tag, as they stand in a header field.

use crate::fold;

/// Octets of text in one encoded word: 75 in all (RFC 2047 2), without `=?utf-8?q?` and `?=`.
const WORD_OCTETS_MAX: usize = 75 - 12;
/// Characters of a decoded Subject that are looked at beyond those of the tag.
const LOOKED_AT_MAX: usize = 200;

/// A tag that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    text: String,
    folded: String,
}

impl Tag {
    /// `None` for a text of spaces alone.
    pub fn new(text: &str) -> Option<Tag> {
        let text = text.trim().to_owned();
        let folded = fold(&text);
        (!folded.is_empty()).then_some(Tag { text, folded })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Does a decoded subject begin with it, as a reader would say: whatever the case, accents and unseen characters? A tag
    /// that ends with a letter is not the beginning of a longer word.
    pub(super) fn begins(&self, subject: &str) -> bool {
        let looked_at = self.text.chars().count() + LOOKED_AT_MAX;
        let folded = fold(&subject.chars().take(looked_at).collect::<String>());
        let Some(rest) = folded.trim_start().strip_prefix(self.folded.as_str()) else { return false };
        let goes_on = rest.chars().next().is_some_and(char::is_alphanumeric);
        !(goes_on && self.folded.ends_with(char::is_alphanumeric))
    }

    /// The tag as octets of a field, without space behind it. Space between two encoded words is not shown (RFC 2047 6.2):
    /// `before_word` says that one follows, and the space is inside then.
    pub(super) fn octets(&self, before_word: bool) -> Vec<u8> {
        let plain = self.text.chars().all(|c| c == ' ' || c.is_ascii_graphic()) && !self.text.contains("=?");
        if plain {
            return self.text.clone().into_bytes();
        }
        let mut words = vec![String::new()];
        for c in self.text.chars().chain(before_word.then_some(' ')) {
            let escaped = escaped(c);
            match words.last_mut() {
                Some(word) if word.len() + escaped.len() <= WORD_OCTETS_MAX => word.push_str(&escaped),
                _ => words.push(escaped),
            }
        }
        let words: Vec<String> = words.into_iter().map(|word| format!("=?utf-8?q?{word}?=")).collect();
        words.join("\r\n ").into_bytes()
    }
}

/// RFC 2047 4.2.
fn escaped(c: char) -> String {
    match c {
        ' ' => "_".to_owned(),
        c if c.is_ascii_alphanumeric() || "!*+-/[]".contains(c) => c.to_string(),
        c => c.encode_utf8(&mut [0; 4]).bytes().map(|octet| format!("={octet:02X}")).collect(),
    }
}
