//! Lines, their indentation, and what stands between two pieces of one.

use std::ops::Range;

use super::pieces::{Before, Piece, members};
use super::{INDENT, WIDTH_CHARS_MAX};
use crate::syntax::TokenKind;

#[derive(Clone, Debug)]
pub(super) struct Line {
    pub range: Range<usize>,
    /// Spaces before it.
    pub indent: usize,
    pub blank_before: bool,
}

/// The lines of a text. A line is one level deeper than the lines its open brackets stand in.
pub(super) fn lines(pieces: &[Piece<'_>]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    // The line of each open bracket; brackets that open in one line are one level.
    let mut open: Vec<usize> = Vec::new();
    let mut start = 0;
    while start < pieces.len() {
        let next = (start + 1..pieces.len()).find(|index| pieces[*index].before != Before::Nothing);
        let range = start..next.unwrap_or(pieces.len());
        let leading = pieces[range.clone()].iter().take_while(|piece| piece.closes()).count();
        let left = &open[..open.len().saturating_sub(leading)];
        let depth = left.chunk_by(|a, b| a == b).count();
        let blank_before = pieces[start].before == Before::BlankLine;
        for piece in &pieces[range.clone()] {
            if piece.opens() {
                open.push(lines.len());
            } else if piece.closes() {
                open.pop();
            }
        }
        start = range.end;
        lines.push(Line { range, indent: depth * INDENT, blank_before });
    }
    lines
}

/// Spaces before a piece that is not the first of its line.
pub(super) fn gap(pieces: &[Piece<'_>], index: usize) -> usize {
    let (Some(piece), Some(last)) = (pieces.get(index), index.checked_sub(1).and_then(|last| pieces.get(last))) else {
        return 0;
    };
    if piece.is_comment() || last.is_comment() {
        return 1;
    }
    match (last.mark(), piece.mark()) {
        // `{ "a": 1 }`, but `{}`.
        (Some(b'{'), Some(b'}')) => 0,
        (Some(b'{'), _) | (_, Some(b'}')) => 1,
        (Some(b'(' | b'[' | b'#' | b'!'), _) | (_, Some(b')' | b']' | b',' | b':')) => 0,
        (Some(b',' | b':'), _) => 1,
        (Some(_) | None, Some(_)) if last.kind == TokenKind::Word => 0,
        (Some(_), None) => 0,
        (None, None) => 1,
        (Some(_) | None, Some(_)) => 0,
    }
}

/// Characters of a line without its comment at the end.
pub(super) fn width(pieces: &[Piece<'_>], line: &Line) -> usize {
    let code = line.range.clone().filter(|index| !pieces[*index].is_comment_at_end());
    let each = code.map(|index| {
        let before = if index == line.range.start { line.indent } else { gap(pieces, index) };
        before + pieces[index].text.chars().count()
    });
    each.sum()
}

/// Breaks lines that are too long at their outermost bracket with several members; false when none was broken.
pub(super) fn break_long_lines(pieces: &mut [Piece<'_>]) -> bool {
    let mut broken = false;
    for line in lines(pieces) {
        if width(pieces, &line) <= WIDTH_CHARS_MAX {
            continue;
        }
        let mut brackets = line.range.clone().filter_map(|open| {
            let close = pieces[open].partner.filter(|close| *close > open && line.range.contains(close))?;
            let starts = members(pieces, open);
            (starts.len() > 1).then_some((starts, close))
        });
        let Some((starts, close)) = brackets.next() else { continue };
        drop(brackets);
        for index in starts.into_iter().chain([close]) {
            pieces[index].before = pieces[index].before.max(Before::LineBreak);
        }
        broken = true;
    }
    broken
}
