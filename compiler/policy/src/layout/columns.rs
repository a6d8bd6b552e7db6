//! Tables: consecutive entries of one line each are set in columns.

use super::WIDTH_CHARS_MAX;
use super::pieces::{Before, Piece, members};
use super::spacing::{Line, gap, width};
use crate::syntax::TokenKind;

/// Keys whose lengths differ by more than this are not lined up.
const UNEVEN_CHARS_MAX: usize = 40;

/// One entry that fills a line.
#[derive(Debug)]
struct Row {
    line: usize,
    /// The first piece of the value, where there is a key.
    value: Option<usize>,
    key_is_text: bool,
    key_chars: usize,
    /// The cells of a `( … )` without a name: the first piece of each.
    cells: Vec<usize>,
}

/// Spaces to add before each piece.
pub(super) fn pads(pieces: &[Piece<'_>], lines: &[Line]) -> Vec<usize> {
    let mut pads = vec![0; pieces.len()];
    let mut run: Vec<Row> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let row = row(pieces, lines, index);
        let goes_on = match (&row, run.last()) {
            (Some(_), Some(last)) => {
                last.line + 1 == index && !line.blank_before && lines[last.line].indent == line.indent
            }
            _ => false,
        };
        if !goes_on {
            set(pieces, lines, &run, &mut pads);
            run.clear();
        }
        run.extend(row);
    }
    set(pieces, lines, &run, &mut pads);
    pads
}

/// The line as a row of a table: one whole member and its comma.
fn row(pieces: &[Piece<'_>], lines: &[Line], index: usize) -> Option<Row> {
    let range = lines[index].range.clone();
    let mut end = range.end;
    if pieces[end - 1].is_comment_at_end() {
        end -= 1;
    }
    if end <= range.start || pieces[end - 1].mark() != Some(b',') {
        return None;
    }
    // Nothing but one member: no comma at its own level before the end, and brackets that close in the line.
    let mut at = range.start;
    while at < end - 1 {
        let piece = &pieces[at];
        if piece.mark() == Some(b',') || piece.closes() || piece.is_comment() {
            return None;
        }
        at = match piece.partner {
            Some(close) if close < end => close + 1,
            Some(_) => return None,
            None => at + 1,
        };
    }
    let keyed = range.len() > 2 && pieces[range.start + 1].mark() == Some(b':');
    let value = keyed.then_some(range.start + 2);
    let open = value.unwrap_or(range.start);
    let table = pieces.get(open).is_some_and(|piece| piece.mark() == Some(b'('));
    Some(Row {
        line: index,
        value,
        key_is_text: pieces[range.start].kind == TokenKind::Text,
        key_chars: pieces[range.start].text.chars().count(),
        cells: if table { members(pieces, open) } else { Vec::new() },
    })
}

/// Lines up the keys and then the cells of a run of rows.
fn set(pieces: &[Piece<'_>], lines: &[Line], run: &[Row], pads: &mut [usize]) {
    if run.len() < 2 {
        return;
    }
    let tables = run.iter().all(|row| row.cells.len() > 1 && same_cell(pieces, &run[0], row, 0));
    let keyed = run.iter().all(|row| row.value.is_some()) && (tables || run.iter().all(|row| row.key_is_text));
    let most = run.iter().map(|row| row.key_chars).max().unwrap_or(0);
    let least = run.iter().map(|row| row.key_chars).min().unwrap_or(0);
    let mut added = vec![0; run.len()];
    if keyed && most - least <= UNEVEN_CHARS_MAX {
        for (row, added) in run.iter().zip(&mut added) {
            *added = most - row.key_chars;
        }
        if fits(pieces, lines, run, &added) {
            for (row, added) in run.iter().zip(&added) {
                row.value.iter().for_each(|value| pads[*value] = *added);
            }
        } else {
            added.fill(0);
        }
    }
    if !tables {
        return;
    }
    for cell in 0.. {
        let next = cell + 1;
        let there = |row: &Row| row.cells.len() > next && same_cell(pieces, &run[0], row, next);
        if !run.iter().all(there) {
            return;
        }
        let widths: Vec<usize> = run.iter().map(|row| chars(pieces, row.cells[cell], row.cells[next])).collect();
        let most = widths.iter().max().copied().unwrap_or(0);
        let wider: Vec<usize> = added.iter().zip(&widths).map(|(added, width)| added + most - width).collect();
        if !fits(pieces, lines, run, &wider) {
            return;
        }
        for (row, width) in run.iter().zip(&widths) {
            pads[row.cells[next]] = most - width;
        }
        added = wider;
    }
}

fn fits(pieces: &[Piece<'_>], lines: &[Line], run: &[Row], added: &[usize]) -> bool {
    run.iter().zip(added).all(|(row, added)| width(pieces, &lines[row.line]) + added <= WIDTH_CHARS_MAX)
}

/// Do two rows have a cell of one name at this place? Cells of tuples have none.
fn same_cell(pieces: &[Piece<'_>], one: &Row, other: &Row, cell: usize) -> bool {
    let name = |row: &Row| {
        let at = *row.cells.get(cell)?;
        let named = pieces.get(at + 1).is_some_and(|next| next.mark() == Some(b':'));
        Some(named.then(|| pieces[at].text))
    };
    match (name(one), name(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// Characters from one piece to another of the same line.
fn chars(pieces: &[Piece<'_>], from: usize, to: usize) -> usize {
    debug_assert!(pieces[from + 1..to].iter().all(|piece| piece.before == Before::Nothing));
    let gaps = (from + 1..to).map(|index| gap(pieces, index));
    pieces[from..to].iter().map(|piece| piece.text.chars().count()).sum::<usize>() + gaps.sum::<usize>()
}
