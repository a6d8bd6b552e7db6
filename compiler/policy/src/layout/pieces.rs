//! The words, marks and comments of a file, with what the author did between them; and the commas, which we set.

use crate::syntax::{TokenKind, lex};

/// What stands before a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Before {
    Nothing,
    LineBreak,
    BlankLine,
}

#[derive(Clone, Debug)]
pub(super) struct Piece<'t> {
    pub text: &'t str,
    pub kind: TokenKind,
    pub before: Before,
    /// Characters before it in its line, as written.
    pub column: usize,
    /// For a bracket, the place of the other one.
    pub partner: Option<usize>,
}

impl Piece<'_> {
    pub fn mark(&self) -> Option<u8> {
        match self.kind {
            TokenKind::Mark(mark) => Some(mark),
            _ => None,
        }
    }

    pub fn opens(&self) -> bool {
        matches!(self.mark(), Some(b'(' | b'[' | b'{'))
    }

    pub fn closes(&self) -> bool {
        matches!(self.mark(), Some(b')' | b']' | b'}'))
    }

    pub fn is_comment(&self) -> bool {
        matches!(self.kind, TokenKind::LineComment | TokenKind::BlockComment)
    }

    /// A comment after which its line ends.
    pub fn is_comment_at_end(&self) -> bool {
        self.kind == TokenKind::LineComment
    }
}

/// Cuts a text that reads without a mistake.
pub(super) fn cut(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut before = Before::Nothing;
    let mut line_start = 0;
    for token in lex(text) {
        let (start, end) = (token.start as usize, token.end as usize);
        let slice = text.get(start..end).unwrap_or("");
        if token.kind == TokenKind::Space {
            before = before.max(match slice.matches('\n').count() {
                0 => Before::Nothing,
                1 => Before::LineBreak,
                _ => Before::BlankLine,
            });
        } else {
            let column = text.get(line_start..start).map_or(0, |line| line.chars().count());
            pieces.push(Piece { text: slice.trim_end_matches('\r'), kind: token.kind, before, column, partner: None });
            before = Before::Nothing;
        }
        if let Some(at) = slice.rfind('\n') {
            line_start = start + at + 1;
        }
    }
    for piece in &mut pieces {
        if piece.kind == TokenKind::LineComment {
            piece.text = piece.text.trim_end();
        }
    }
    pieces
}

/// Sets commas and blank lines, and pairs brackets.
pub(super) fn settle(pieces: &mut Vec<Piece<'_>>) {
    pull_up(pieces);
    pair(pieces);
    let (mut drop, mut insert) = (Vec::new(), Vec::new());
    for close in 0..pieces.len() {
        let (true, Some(open)) = (pieces[close].closes(), pieces[close].partner) else { continue };
        let Some(last) = (open + 1..close).rev().find(|index| !pieces[*index].is_comment()) else { continue };
        let comma = pieces[last].mark() == Some(b',');
        // `(x)` and `(x,)` are not the same to every reader.
        let free = pieces[open].mark() != Some(b'(') || members(pieces, open).len() > 1 || has_names(pieces, open);
        let breaks = pieces[last + 1..=close].iter().any(|piece| piece.before != Before::Nothing);
        if comma && !breaks && free {
            drop.push(last);
        }
        if !comma && breaks && free {
            insert.push(last + 1);
        }
    }
    let comma = || Piece { text: ",", kind: TokenKind::Mark(b','), before: Before::Nothing, column: 0, partner: None };
    let mut settled = Vec::with_capacity(pieces.len() + insert.len());
    insert.sort_unstable();
    drop.sort_unstable();
    let (mut inserts, mut drops) = (insert.into_iter().peekable(), drop.into_iter().peekable());
    for (index, piece) in pieces.drain(..).enumerate() {
        while inserts.next_if_eq(&index).is_some() {
            settled.push(comma());
        }
        if drops.next_if_eq(&index).is_none() {
            settled.push(piece);
        }
    }
    *pieces = settled;
    blank_lines(pieces);
    pair(pieces);
}

/// A comma or colon belongs to what is before it, also across a line break or a comment; what follows takes the break.
fn pull_up(pieces: &mut [Piece<'_>]) {
    for index in 1..pieces.len() {
        if !matches!(pieces[index].mark(), Some(b',' | b':')) {
            continue;
        }
        let mut at = index;
        while at > 1 && pieces[at].mark() == Some(b',') && pieces[at - 1].is_comment() {
            pieces.swap(at - 1, at);
            at -= 1;
        }
        let before = std::mem::replace(&mut pieces[at].before, Before::Nothing);
        if at == index && pieces[at - 1].kind == TokenKind::LineComment {
            pieces[at].before = before;
        } else if let Some(next) = pieces.get_mut(index + 1) {
            next.before = next.before.max(before);
        }
    }
}

fn blank_lines(pieces: &mut [Piece<'_>]) {
    let mut after_opening = true;
    for (index, piece) in pieces.iter_mut().enumerate() {
        if index == 0 {
            piece.before = Before::Nothing;
        } else if piece.before == Before::BlankLine && (after_opening || piece.closes()) {
            piece.before = Before::LineBreak;
        }
        after_opening = piece.opens();
    }
}

fn pair(pieces: &mut [Piece<'_>]) {
    let mut open = Vec::new();
    for index in 0..pieces.len() {
        pieces[index].partner = None;
        if pieces[index].opens() {
            open.push(index);
        } else if pieces[index].closes()
            && let Some(other) = open.pop()
        {
            pieces[index].partner = Some(other);
            pieces[other].partner = Some(index);
        }
    }
}

/// The first piece of each member between a bracket and its partner; comments are no members.
pub(super) fn members(pieces: &[Piece<'_>], open: usize) -> Vec<usize> {
    let Some(close) = pieces[open].partner else { return Vec::new() };
    let mut found = Vec::new();
    let (mut index, mut begins) = (open + 1, true);
    while index < close {
        let piece = &pieces[index];
        if piece.mark() == Some(b',') {
            begins = true;
        } else if begins && !piece.is_comment() {
            found.push(index);
            begins = false;
        }
        index = match piece.partner {
            Some(other) if piece.opens() => other + 1,
            _ => index + 1,
        };
    }
    found
}

/// `(name: …)`.
fn has_names(pieces: &[Piece<'_>], open: usize) -> bool {
    let first = members(pieces, open).first().copied();
    first.is_some_and(|first| {
        let next = pieces[first + 1..].iter().find(|piece| !piece.is_comment());
        pieces[first].kind == TokenKind::Word && next.is_some_and(|next| next.mark() == Some(b':'))
    })
}
