//! Brackets and what is in them, and where reading goes on after a mistake.

use super::super::NESTING_MAX;
use super::super::tree::{Kind, Node, TokenKind};
use super::Parser;

#[derive(Clone, Copy)]
pub(super) struct Open {
    pub(super) closer: u8,
    pub(super) start: u32,
}

/// How the members of a bracket were read.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Members {
    Whole,
    /// Something was skipped.
    Damaged,
    /// The closing bracket is missing: members may belong to a bracket further out.
    Unclosed,
}

impl Parser<'_> {
    /// Reads members up to and including the closing bracket. `member` says whether it could make sense of one.
    pub(super) fn members(&mut self, open: Open, keyed: bool, mut member: impl FnMut(&mut Self) -> bool) -> Members {
        let mut result = Members::Whole;
        let first = self.at;
        loop {
            let Some(token) = self.peek() else {
                self.unclosed(open);
                return if self.open.len() == 1 { Members::Damaged } else { Members::Unclosed };
            };
            let before = self.at;
            match token.kind {
                TokenKind::Mark(mark) if mark == open.closer => {
                    self.at += 1;
                    return result;
                }
                TokenKind::Mark(mark @ (b')' | b']' | b'}')) => {
                    if self.encloses(mark) {
                        self.unclosed(open);
                        return Members::Unclosed;
                    }
                    self.unexpected(&format!("`{}`", char::from(open.closer)));
                    result = Members::Damaged;
                    self.at += 1;
                }
                // `("mx": (port: 25, "subs": …`: a key after fields belongs to the map further out.
                TokenKind::Text
                    if open.closer == b')' && keyed && self.at > first && self.peek_is_key() && self.encloses(b'}') =>
                {
                    self.unclosed(open);
                    return Members::Damaged;
                }
                _ => {
                    let understood = member(self);
                    if !understood || !self.separator(open, keyed) {
                        result = Members::Damaged;
                        self.skip();
                        self.take_mark(b',');
                    }
                    self.at = self.at.max(before + 1);
                }
            }
        }
    }

    /// After a member: a comma, or the end of the bracket, or a mistake. False if what follows must be skipped.
    fn separator(&mut self, open: Open, keyed: bool) -> bool {
        let Some(token) = self.peek() else { return true };
        match token.kind {
            TokenKind::Mark(b',') => {
                self.at += 1;
                true
            }
            TokenKind::Mark(b')' | b']' | b'}') => true,
            kind => {
                let begins = matches!(
                    kind,
                    TokenKind::Word
                        | TokenKind::Text
                        | TokenKind::Char
                        | TokenKind::Number
                        | TokenKind::Mark(b'(' | b'[' | b'{')
                );
                self.reports.comma_lost(self.slice(token), token, self.last_end(), open.closer, begins);
                begins && (!keyed || self.peek_is_key())
            }
        }
    }

    /// Goes on to the next comma or closing bracket of the bracket that is open.
    fn skip(&mut self) {
        let mut depth = 0_u32;
        while let Some(token) = self.peek() {
            match token.kind {
                TokenKind::Mark(b'(' | b'[' | b'{') => depth += 1,
                TokenKind::Mark(b',') if depth == 0 => return,
                TokenKind::Mark(b')' | b']' | b'}') => match depth.checked_sub(1) {
                    Some(less) => depth = less,
                    None => return,
                },
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Takes the opening bracket; `None` if that would nest too deep.
    pub(super) fn enter(&mut self, closer: u8) -> Option<Open> {
        let start = self.peek().map_or(0, |token| token.start);
        self.at += 1;
        if self.open.len() >= NESTING_MAX {
            return None;
        }
        let open = Open { closer, start };
        self.open.push(open);
        Some(open)
    }

    pub(super) fn leave(&mut self, start: u32, kind: Kind, members: Members) -> Node {
        self.open.pop();
        let end = self.last_end().max(start);
        match members {
            Members::Whole => Node { file: self.file, start, end, kind, damaged: false },
            Members::Damaged => Node { file: self.file, start, end, kind, damaged: true },
            Members::Unclosed => self.broken(start, end),
        }
    }

    /// The opening bracket has been taken; goes to behind its closing one.
    pub(super) fn too_deep(&mut self, start: u32) -> Node {
        self.reports.too_deep(start);
        loop {
            self.skip();
            if !self.take_mark(b',') {
                break;
            }
        }
        self.at += usize::from(self.peek().is_some());
        self.broken(start, self.last_end())
    }

    /// True if a bracket further out than the innermost waits for `closer`.
    fn encloses(&self, closer: u8) -> bool {
        self.open.iter().rev().skip(1).any(|open| open.closer == closer)
    }

    fn unclosed(&mut self, open: Open) {
        let found = self.peek();
        self.reports.unclosed(
            found.map(|token| (self.slice(token), token)),
            self.text.len() as u32,
            open.closer,
            open.start,
        );
    }
}
