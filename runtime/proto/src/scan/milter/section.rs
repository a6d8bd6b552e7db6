//! The header section as filters are shown it: fields with line feeds for line ends, and where the body begins.

/// Longest piece of a value that goes in one packet; a longer one goes on in fields of the same name.
const VALUE_OCTETS_MAX: usize = 60_000;
/// Longest name of a field; a line with a longer one is no field (RFC 5322 2.1.1 allows 998 octets for all of it).
const NAME_OCTETS_MAX: usize = 998;

/// A header section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Names and values.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// Where the body begins, in octets of the message.
    pub body_at: usize,
}

/// Reads the section a message begins with. A line that is no field ends it and is the first of the body: nothing of a
/// message is kept from a filter.
pub fn section(message: &[u8]) -> Section {
    let mut section = Section::default();
    let mut lines = message.split_inclusive(|octet| *octet == b'\n').peekable();
    while let Some(line) = lines.next() {
        if matches!(line, b"\r\n" | b"\n") {
            section.body_at += line.len();
            break;
        }
        let Some((name, first)) = field(line) else { break };
        let mut value = unfolded(first).to_vec();
        section.body_at += line.len();
        while let Some(more) = lines.next_if(|line| matches!(line.first(), Some(b' ' | b'\t'))) {
            section.body_at += more.len();
            value.push(b'\n');
            value.extend_from_slice(unfolded(more));
        }
        for piece in pieces(&value) {
            section.fields.push((name.to_vec(), piece.to_vec()));
        }
    }
    section
}

fn pieces(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let empty = value.is_empty().then_some(value);
    empty.into_iter().chain(value.chunks(VALUE_OCTETS_MAX))
}

fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|octet| *octet == b':')?;
    let name = line[..colon].trim_ascii_end();
    let is_name = !name.is_empty() && name.len() <= NAME_OCTETS_MAX && name.iter().all(u8::is_ascii_graphic);
    is_name.then(|| (name, line[colon + 1..].trim_ascii_start()))
}

/// A line without its end.
fn unfolded(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
