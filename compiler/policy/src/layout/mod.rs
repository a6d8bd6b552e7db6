//! The canonical layout of a file (`facteur fmt`). Line breaks are the author's, as a table or a paragraph is; what
//! stands between them is ours: indentation, spaces, commas at the end, tables in columns, one spelling of a unit.
//! Comments stay where they are, and what the file means does not change.

mod columns;
mod law;
mod pieces;
mod spacing;
mod units;

use crate::diagnostic::{Diagnostic, Sources};
use crate::syntax::read;
pub use law::fuzz;
use pieces::Piece;

/// Longer lines are broken at their outermost bracket.
const WIDTH_CHARS_MAX: usize = 170;
/// A level of brackets.
const INDENT: usize = 4;

/// The text in canonical layout; the mistakes, when it cannot be read.
///
/// Formatting twice gives what formatting once gives.
pub fn format(name: &str, text: &str) -> Result<String, (Sources, Vec<Diagnostic>)> {
    let mut sources = Sources::new();
    let file = sources.add(name, text);
    let mut sink = Vec::new();
    let document = read(file, text, &mut sink);
    if !sink.is_empty() {
        return Err((sources, sink));
    }
    let respelled = units::respelled(&document, text);
    let mut pieces = pieces::cut(&respelled);
    pieces::settle(&mut pieces);
    while spacing::break_long_lines(&mut pieces) {
        pieces::settle(&mut pieces);
    }
    Ok(write(&pieces))
}

fn write(pieces: &[Piece<'_>]) -> String {
    let lines = spacing::lines(pieces);
    let pads = columns::pads(pieces, &lines);
    let mut out = String::new();
    for line in &lines {
        if line.blank_before {
            out.push('\n');
        }
        let start = out.len();
        out.extend(std::iter::repeat_n(' ', line.indent));
        for index in line.range.clone() {
            let piece = &pieces[index];
            if index > line.range.start {
                let gap = spacing::gap(pieces, index) + pads.get(index).copied().unwrap_or(0);
                let gap = match piece.is_comment_at_end() {
                    // Where it was, if the line leaves it there.
                    true => piece.column.saturating_sub(out[start..].chars().count()).max(2),
                    false => gap,
                };
                out.extend(std::iter::repeat_n(' ', gap));
            }
            out.push_str(piece.text);
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests;
