//! The lines of a file that a diagnostic shows. Only what is near a label is handed on for drawing, never a whole long
//! line or file: drawing costs as much as what is drawn.

use annotate_snippets::{Annotation, AnnotationKind, Element, Origin, Snippet};

use super::human::shown;
use crate::diagnostic::{FileId, Label, Sources};

/// Labels farther apart than this are drawn as separate excerpts.
const GAP_LINES_MAX: u32 = 100;
/// A label over more lines is drawn on its first.
const SPAN_LINES_MAX: u32 = 40;
/// Longer lines are cut before they are drawn.
const LINE_BYTES_MAX: usize = 160;
/// What is kept of a long line before the first label on it, and after.
const BEFORE_CHARS: usize = 40;
const AFTER_CHARS: usize = 80;

/// Lines of one file that are drawn together.
pub(super) struct Excerpt<'a> {
    file: FileId,
    line_first: u32,
    line_last: u32,
    labels: Vec<Placed<'a>>,
}

/// A label and the bytes drawn under it.
struct Placed<'a> {
    label: &'a Label,
    start: u32,
    end: u32,
}

/// The excerpt with the first primary label comes first, the others in order of file and line.
pub(super) fn excerpts<'a>(labels: &'a [Label], sources: &Sources) -> Vec<Excerpt<'a>> {
    let mut sorted: Vec<&Label> = labels.iter().collect();
    sorted.sort_by_key(|label| (label.span.file, label.span.start));
    let mut excerpts: Vec<Excerpt<'a>> = Vec::new();
    for label in sorted {
        let (first, last) = sources.range(label.span);
        let is_tall = last.line - first.line > SPAN_LINES_MAX;
        let line_last = if is_tall { first.line } else { last.line };
        let end = if is_tall { sources.lines(label.span.file, first.line, first.line).end } else { label.span.end };
        let placed = Placed { label, start: label.span.start, end: end.max(label.span.start) };
        match excerpts.last_mut() {
            Some(excerpt) if excerpt.takes(label.span.file, first.line, placed.start, sources) => {
                excerpt.line_last = excerpt.line_last.max(line_last);
                excerpt.labels.push(placed);
            }
            _ => excerpts.push(Excerpt {
                file: label.span.file,
                line_first: first.line,
                line_last,
                labels: vec![placed],
            }),
        }
    }
    let place = labels.iter().find(|label| label.primary).or(labels.first());
    let first =
        excerpts.iter().position(|e| place.is_some_and(|place| e.labels.iter().any(|l| std::ptr::eq(l.label, place))));
    if let Some(first) = first {
        excerpts[..=first].rotate_right(1);
    }
    excerpts
}

impl Excerpt<'_> {
    /// Can a label that begins here be drawn with these? Not when its long line would be cut before it.
    fn takes(&self, file: FileId, line: u32, start: u32, sources: &Sources) -> bool {
        if file != self.file || line > self.line_last + GAP_LINES_MAX {
            return false;
        }
        let whole = sources.lines(file, line, line);
        let is_long = (whole.end - whole.start) as usize > LINE_BYTES_MAX;
        let near = self.labels.last().is_some_and(|last| (start - last.start) as usize <= AFTER_CHARS / 2);
        line != self.line_last || !is_long || near
    }

    /// What to draw, and, where a line was cut, the place as it will be drawn and as it is.
    pub(super) fn element(&self, sources: &Sources) -> (Element<'static>, Option<(String, String)>) {
        let name = shown(sources.name(self.file));
        let index = self.labels.iter().position(|placed| placed.label.primary).unwrap_or(0);
        let at = sources.position(self.file, self.labels.get(index).map_or(0, |placed| placed.start));
        // A file without a line has nothing to underline.
        if sources.text(self.file).is_empty() {
            let origin = Origin::path(name).line(at.line as usize).char_column(at.col as usize);
            return (Element::Origin(origin), None);
        }
        let cut = self.cut(sources);
        let before = cut.spans.get(index).and_then(|span| cut.text.get(..span.start)).unwrap_or("");
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        let place = |column: usize| format!("{name}:{}:{column}\n", at.line);
        let correction = cut.shortened.then(|| (place(column), place(at.col as usize)));
        let annotations = cut.spans.iter().zip(&self.labels).map(|(span, placed)| {
            let kind = if placed.label.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            let words = (!placed.label.text.is_empty()).then(|| shown(&placed.label.text));
            kind.span(span.clone()).label(words)
        });
        let snippet: Snippet<'static, Annotation<'static>> =
            Snippet::source(cut.text).line_start(self.line_first as usize).annotations(annotations);
        (Element::Cause(snippet.path(name)), correction)
    }

    /// The text of the lines, long ones cut around the first label on them.
    fn cut(&self, sources: &Sources) -> Cut {
        let mut cut = Cut { text: String::new(), spans: vec![0..0; self.labels.len()], shortened: false };
        for line in self.line_first..=self.line_last {
            let span = sources.lines(self.file, line, line);
            // Same length in bytes, so places stay where they are; a carriage return would be drawn.
            let text = sources.slice(span).trim_end_matches('\r');
            let (start, end) = (span.start, span.start + text.len() as u32);
            let on_line = |at: u32| (start..=span.end).contains(&at);
            let first = self.labels.iter().find(|placed| on_line(placed.start) || on_line(placed.end));
            let anchor = first.map_or(start, |placed| if on_line(placed.start) { placed.start } else { placed.end });
            let window = window(text, (anchor.min(end) - start) as usize);
            let shift = |at: u32| cut.text.len() + window.place((at.clamp(start, end) - start) as usize);
            for (drawn, placed) in cut.spans.iter_mut().zip(&self.labels) {
                if on_line(placed.start) {
                    drawn.start = shift(placed.start);
                }
                if on_line(placed.end) {
                    drawn.end = shift(placed.end).max(drawn.start);
                }
            }
            cut.shortened |= window.is_cut(text);
            window.write(text, &mut cut.text);
            if line < self.line_last {
                cut.text.push('\n');
            }
        }
        cut
    }
}

/// What is drawn of an excerpt: text, and the place of each label in it.
struct Cut {
    text: String,
    spans: Vec<std::ops::Range<usize>>,
    shortened: bool,
}

/// The bytes of a line that are drawn, on character boundaries.
struct Window {
    start: usize,
    end: usize,
    length: usize,
}

/// The mark where text of the line is left out.
const MARK: &str = "…";

fn window(line: &str, anchor: usize) -> Window {
    let length = line.len();
    if length <= LINE_BYTES_MAX {
        return Window { start: 0, end: length, length };
    }
    let (before, after) = (line.get(..anchor).unwrap_or(""), line.get(anchor..).unwrap_or(line));
    let start = before.char_indices().rev().nth(BEFORE_CHARS - 1).map_or(0, |(at, _)| at);
    let end = after.char_indices().nth(AFTER_CHARS).map_or(length, |(at, _)| length - after.len() + at);
    Window { start, end, length }
}

impl Window {
    fn is_cut(&self, line: &str) -> bool {
        self.end - self.start < line.len()
    }

    /// Where a byte of the line is in what is written.
    fn place(&self, at: usize) -> usize {
        let mark = if self.start > 0 { MARK.len() } else { 0 };
        at.clamp(self.start, self.end) - self.start + mark
    }

    fn write(&self, line: &str, text: &mut String) {
        if self.start > 0 {
            text.push_str(MARK);
        }
        text.push_str(&line.get(self.start..self.end).unwrap_or("").replace('\r', " "));
        if self.end < self.length {
            text.push_str(MARK);
        }
    }
}
