//! The tag in the Subject of what looks like spam (guide §4): one insertion in the header section, and lines in front of
//! it that keep the original. Every other octet stays, so the body is never touched and never copied.

mod text;
mod undo;

#[cfg(test)]
mod tests;

pub use text::Tag;
pub use undo::as_it_came;

use crate::header::{self, Field, line_end};

/// The name of the field that keeps the Subject as it was.
pub const ORIGINAL: &str = "X-Original-Subject";

/// Longest line of ours with encoded words in it (RFC 2047 2). Other lines keep to it as well.
const LINE_OCTETS_MAX: usize = 76;

/// Octets that go into a message at one place; nothing is taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Insertion {
    /// Octets of the message before it.
    pub at: usize,
    pub octets: Vec<u8>,
}

/// What tagging does to a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// Whole lines for the front of the header section: `X-Original-Subject` with the very octets Subject had, or a Subject
    /// where there was none.
    pub front: Vec<u8>,
    /// Inside the first line of Subject.
    pub insertion: Option<Insertion>,
}

impl Edit {
    /// The section with the edit made.
    pub fn made(&self, section: &[u8]) -> Vec<u8> {
        let (at, octets) = self.insertion.as_ref().map_or((0, &[][..]), |it| (it.at, it.octets.as_slice()));
        let (before, behind) = section.split_at(at.min(section.len()));
        [self.front.as_slice(), before, octets, behind].concat()
    }
}

/// The edit that puts `tag` in front of what Subject says; `None` where it stands there already, in whatever case, charset or
/// encoding. `section` is the header section, or the beginning of a message that holds it.
///
/// RFC 5322 3.6 allows one Subject. Of several the first gets the tag: it is what this server tells readers in ENVELOPE and
/// what most programs show; the others are left alone.
pub fn edit(section: &[u8], tag: &Tag) -> Option<Edit> {
    let Some(subject) = header::find(section, "subject") else {
        let front = [b"Subject: ", tag.octets(false).as_slice(), b"\r\n"].concat();
        return Some(Edit { front, insertion: None });
    };
    if tag.begins(&subject.text()) {
        return None;
    }
    let front = [ORIGINAL.as_bytes(), b":", subject.raw_value(), b"\r\n"].concat();
    Some(Edit { front, insertion: Some(insertion(section, &subject, tag)) })
}

fn insertion(section: &[u8], subject: &Field<'_>, tag: &Tag) -> Insertion {
    let value = value_start(section, subject);
    let line = &section[subject.lines.start..line_end(section, subject.lines.start)];
    let (line, end) = match (line.strip_suffix(b"\r\n"), line.strip_suffix(b"\n")) {
        (None, Some(line)) => (line, &b"\n"[..]),
        (Some(line), _) => (line, &b"\r\n"[..]),
        (None, None) => (line, &b"\r\n"[..]),
    };
    let rest = &line[value - subject.lines.start..];
    let blank = rest.iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
    let mut octets = if blank == 0 { b" ".to_vec() } else { Vec::new() };
    octets.extend(tag.octets(subject.value().starts_with(b"=?")));
    // Where the first line says nothing the space that is needed begins the next one.
    if blank < rest.len() {
        let long = line.len() + octets.len() + 1 > LINE_OCTETS_MAX;
        octets.extend_from_slice(if long { end } else { b"" });
        octets.push(b' ');
    }
    Insertion { at: value + blank, octets }
}

/// Where the value begins: behind the colon.
fn value_start(section: &[u8], field: &Field<'_>) -> usize {
    let lines = &section[field.lines.clone()];
    field.lines.start + lines.iter().position(|octet| *octet == b':').map_or(lines.len(), |colon| colon + 1)
}

/// Is it a field only this server may write where it judges mail: `X-Spam-…`, and what keeps the Subject? Others' are taken
/// out, so that nobody takes their word for ours.
pub fn is_ours(field: &Field<'_>) -> bool {
    let prefix = field.name().get(..b"x-spam-".len());
    field.is(ORIGINAL) || prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"x-spam-"))
}
