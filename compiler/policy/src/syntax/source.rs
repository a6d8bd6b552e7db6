//! Source files and places in them. A place is a file and a range of bytes; lines and columns are worked out
//! only when a diagnostic is drawn.

use std::collections::BTreeMap;

/// Which file of [`Sources`] a place is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A range of bytes in one file. `start <= end`; both lie on character boundaries of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub file: FileId,
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub fn new(file: FileId, start: u32, end: u32) -> Self {
        Span { file, start, end: end.max(start) }
    }

    /// Does the other place begin in this one, or right at its end?
    pub fn holds(self, other: Span) -> bool {
        self.file == other.file && (self.start..=self.end).contains(&other.start)
    }

    /// True for a value that came from no file: a default, or a decoder other than ours.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A line and a column, both counted from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: u32,
    pub col: u32,
}

/// The files of one run: name as printed, and text.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

#[derive(Clone, Debug)]
struct Source {
    name: String,
    text: String,
    /// Byte offset at which each line begins; never empty.
    line_starts: Vec<u32>,
    /// How many characters begin before each block of `BLOCK_BYTES`: a column costs the same on a line of any length.
    characters: Vec<u32>,
}

/// How far apart, in bytes, the counts of characters are kept.
const BLOCK_BYTES: usize = 256;

impl Sources {
    pub fn new() -> Self {
        Sources::default()
    }

    /// Adds a file. Text past 4 GiB has no places; [`crate::syntax::SIZE_BYTES_MAX`] is far below.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let text = text.into();
        let mut line_starts = vec![0];
        line_starts.extend(text.match_indices('\n').filter_map(|(at, _)| u32::try_from(at + 1).ok()));
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        let mut count = 0;
        let mut characters = Vec::with_capacity(text.len() / BLOCK_BYTES + 1);
        for block in text.as_bytes().chunks(BLOCK_BYTES) {
            characters.push(count);
            count += begun(block);
        }
        self.files.push(Source { name: name.into(), text, line_starts, characters });
        id
    }

    /// The name under which the file was added, or `""` for a file that is not here.
    pub fn name(&self, file: FileId) -> &str {
        self.file(file).map_or("", |source| &source.name)
    }

    pub fn text(&self, file: FileId) -> &str {
        self.file(file).map_or("", |source| &source.text)
    }

    /// The text a place covers.
    pub fn slice(&self, span: Span) -> &str {
        self.text(span.file).get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Line and column of a byte offset.
    pub fn position(&self, file: FileId, offset: u32) -> Position {
        let Some(source) = self.file(file) else { return Position { line: 1, col: 1 } };
        let line = source.line_starts.partition_point(|start| *start <= offset).max(1);
        let start = source.line_starts[line - 1];
        let before = source.characters_before(offset).saturating_sub(source.characters_before(start));
        Position { line: line as u32, col: before + 1 }
    }

    /// First and last position of a place; the last is one past its final character.
    pub fn range(&self, span: Span) -> (Position, Position) {
        (self.position(span.file, span.start), self.position(span.file, span.end))
    }

    /// The whole of some lines, counted from 1, without the last line end.
    pub fn lines(&self, file: FileId, first: u32, last: u32) -> Span {
        let Some(source) = self.file(file) else { return Span::new(file, 0, 0) };
        let start = |line: u32| source.line_starts.get(line.saturating_sub(1) as usize).copied();
        let end = start(last + 1).map_or(source.text.len() as u32, |next| next - 1);
        Span::new(file, start(first).unwrap_or(end), end)
    }

    fn file(&self, file: FileId) -> Option<&Source> {
        self.files.get(file.0 as usize)
    }
}

impl Source {
    /// How many characters begin before a byte offset.
    fn characters_before(&self, offset: u32) -> u32 {
        let offset = (offset as usize).min(self.text.len());
        let block = (offset / BLOCK_BYTES).min(self.characters.len().saturating_sub(1));
        let counted = self.characters.get(block).copied().unwrap_or(0);
        counted + begun(&self.text.as_bytes()[block * BLOCK_BYTES..offset])
    }
}

/// How many characters begin in some bytes of UTF-8.
fn begun(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u32
}

/// Dotted policy path to the place of its value.
pub type PathSpans = BTreeMap<String, Span>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let mut sources = Sources::new();
        let file = sources.add("a.ron", "é: 1,\r\nzoé: 2\n");
        assert_eq!(sources.position(file, 0), Position { line: 1, col: 1 });
        assert_eq!(sources.position(file, 2), Position { line: 1, col: 2 });
        assert_eq!(sources.position(file, 8), Position { line: 2, col: 1 });
        assert_eq!(sources.position(file, 14), Position { line: 2, col: 6 });
        assert_eq!(sources.slice(Span::new(file, 8, 12)), "zoé");
    }

    #[test]
    fn columns_far_into_a_long_line_count_characters() {
        let mut sources = Sources::new();
        let text = format!("a\n{}b\n", "é€x".repeat(1_000));
        let file = sources.add("a.ron", text.as_str());
        for (col, (at, _)) in text[2..].char_indices().take(3_001).enumerate() {
            let expected = Position { line: 2, col: col as u32 + 1 };
            assert_eq!(sources.position(file, at as u32 + 2), expected);
        }
        assert_eq!(sources.position(file, text.len() as u32), Position { line: 3, col: 1 });
    }

    #[test]
    fn a_place_in_no_file_is_harmless() {
        let sources = Sources::new();
        assert_eq!(sources.slice(Span::new(FileId(7), 1, 5)), "");
        assert_eq!(sources.position(FileId(7), 9), Position { line: 1, col: 1 });
    }
}
