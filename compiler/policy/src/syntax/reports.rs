//! What the reader says: E0001, E0004, E0006 and numbers that do not fit, worded in one place.

use super::literal::{Fault, FaultKind};
use super::source::{FileId, Span};
use super::tree::{Token, TokenKind};
use super::{ERRORS_MAX, NAME_BYTES_MAX, NESTING_MAX, SIZE_BYTES_MAX};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;

/// The longest piece of the user's text that a message repeats, in characters.
const QUOTE_CHARS_MAX: usize = 32;

pub(super) struct Reports<'a> {
    file: FileId,
    text: &'a str,
    sink: &'a mut Vec<Diagnostic>,
    count: usize,
    /// Where the last E0001 was: what one token spoils in several brackets is said once.
    last_at: Option<u32>,
}

impl<'a> Reports<'a> {
    pub(super) fn new(file: FileId, text: &'a str, sink: &'a mut Vec<Diagnostic>) -> Self {
        Reports { file, text, sink, count: 0, last_at: None }
    }

    /// True when enough was said about this file.
    pub(super) fn is_full(&self) -> bool {
        self.count >= ERRORS_MAX
    }

    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        let at = diagnostic.place().map(|span| span.start).filter(|_| diagnostic.code == Code::E0001);
        if self.is_full() || (at.is_some() && at == self.last_at) {
            return;
        }
        self.last_at = at.or(self.last_at);
        self.count += 1;
        self.sink.push(diagnostic);
    }

    fn span(&self, start: u32, end: u32) -> Span {
        Span::new(self.file, start, end)
    }

    fn line(&self, offset: u32) -> usize {
        self.text.get(..offset as usize).map_or(0, |before| before.matches('\n').count()) + 1
    }

    /// E0001. `found` is `None` at the end of the file, which is at `end`.
    pub(super) fn unexpected(&mut self, found: Option<(&str, Token)>, end: u32, wanted: &str) {
        if self.is_full() {
            return;
        }
        let (what, span) = self.found(found, end);
        let literal = found.filter(|(_, token)| token.kind == TokenKind::Unknown);
        let diagnostic = match literal.and_then(|(text, _)| unfinished(text)) {
            Some((message, help, closer)) => {
                let end = Span::new(span.file, span.end, span.end);
                Diagnostic::new(Code::E0001, message).help(help).at(span, "begins here").edit(end, closer)
            }
            None => Diagnostic::new(Code::E0001, format!("unexpected {what}, expected {wanted}")).at(span, ""),
        };
        self.push(diagnostic);
    }

    fn found(&self, found: Option<(&str, Token)>, end: u32) -> (String, Span) {
        match found {
            Some((text, token)) => (format!("`{}`", quote(text)), self.span(token.start, token.end)),
            None => ("end of the file".to_owned(), self.span(end, end)),
        }
    }

    /// E0001 where two members stand side by side.
    pub(super) fn comma_lost(&mut self, found: &str, token: Token, last_end: u32, closer: u8, begins: bool) {
        if self.is_full() {
            return;
        }
        if !begins {
            return self.unexpected(Some((found, token)), token.end, &format!("`,` or `{}`", char::from(closer)));
        }
        let (line, found_line) = (self.line(last_end), self.line(token.start));
        let help = match line == found_line {
            true => "is a comma missing before it?".to_owned(),
            false => format!("did line {line} lose its comma?"),
        };
        let message = format!("unexpected `{}`, expected `,` or `{}`", quote(found), char::from(closer));
        let here = self.span(token.start, token.end);
        let mut diagnostic =
            Diagnostic::new(Code::E0001, message).help(help).at(here, "").edit(self.span(last_end, last_end), ",");
        if line != found_line {
            diagnostic = diagnostic.also(self.span(last_end.saturating_sub(1), last_end), "after this");
        }
        self.push(diagnostic);
    }

    /// E0001 where a bracket is not closed.
    pub(super) fn unclosed(&mut self, found: Option<(&str, Token)>, end: u32, closer: u8, opened: u32) {
        if self.is_full() {
            return;
        }
        let (what, span) = self.found(found, end);
        let message = format!("unexpected {what}, expected `{}`", char::from(closer));
        let help = format!("close the bracket that line {} opens", self.line(opened));
        let diagnostic = Diagnostic::new(Code::E0001, message).help(help).at(span, "");
        self.push(diagnostic.also(self.span(opened, opened + 1), "opened here, never closed"));
    }

    /// E0001 for a file that is not read at all.
    pub(super) fn too_long(&mut self, length: usize) {
        let message = format!("unexpected size of {length} bytes, expected at most {SIZE_BYTES_MAX}");
        let span = self.span(0, 0);
        self.push(Diagnostic::new(Code::E0001, message).at(span, ""));
    }

    /// E0001 for brackets in brackets.
    pub(super) fn too_deep(&mut self, start: u32) {
        let span = self.span(start, start + 1);
        let message = format!("unexpected bracket, expected at most {NESTING_MAX} inside one another");
        self.push(Diagnostic::new(Code::E0001, message).at(span, "too deep"));
    }

    /// E0001 for a name or key that no path could hold.
    pub(super) fn name_too_long(&mut self, name: Token) {
        let length = name.end - name.start;
        let message = format!("unexpected name of {length} bytes, expected at most {NAME_BYTES_MAX}");
        let span = self.span(name.start, name.end);
        self.push(Diagnostic::new(Code::E0001, message).at(span, ""));
    }

    /// E0001 for `Some()` and `Some(a, b)`.
    pub(super) fn not_one_value(&mut self, start: u32, end: u32) {
        let span = self.span(start, end);
        let diagnostic = Diagnostic::new(Code::E0001, "unexpected content, expected one value in `Some(…)`");
        self.push(diagnostic.help("leave `Some` out: a value that may be absent is simply written").at(span, ""));
    }

    /// E0108 for an integer of more than 64 bits.
    pub(super) fn number_too_large(&mut self, text: &str, token: Token) {
        let message = format!("{} is out of range for a number ({}–{})", quote(text), i64::MIN, i64::MAX);
        let span = self.span(token.start, token.end);
        self.push(Diagnostic::new(Code::E0108, message).at(span, ""));
    }

    /// A fault inside a literal that begins at `start`.
    pub(super) fn fault(&mut self, text: &str, start: u32, fault: Fault) {
        let span = self.span(start + fault.start as u32, start + fault.end as u32);
        let diagnostic = match fault.kind {
            FaultKind::Invisible(c) => invisible(c, "in a string").edit(span, ""),
            FaultKind::Escape => {
                let found = quote(text.get(fault.start..fault.end).unwrap_or(text));
                Diagnostic::new(Code::E0001, format!("unexpected `{found}`, expected an escape")).help(
                    "escapes are \\n \\t \\r \\\\ \\\" \\' \\x41 \\u{e9}; a backslash itself is \\\\, or write r\"…\"",
                )
            }
        };
        self.push(diagnostic.at(span, ""));
    }

    /// E0006 for a character of the text itself.
    pub(super) fn invisible(&mut self, at: usize, c: char, place: &str) {
        let span = self.span(at as u32, (at + c.len_utf8()) as u32);
        self.push(invisible(c, place).at(span, "").edit(span, ""));
    }

    /// E0004.
    pub(super) fn twice(&mut self, key: &str, there: (u32, u32), here: (u32, u32), path: &[(u32, u32)], text: &str) {
        if self.is_full() {
            return;
        }
        let names = path.iter().filter_map(|(start, end)| text.get(*start as usize..*end as usize));
        let names: Vec<&str> = names.map(|name| name.trim_matches('"')).collect();
        let place = match names.is_empty() {
            true => "this file".to_owned(),
            false => format!("`{}`", quote(&names.join("."))),
        };
        let diagnostic = Diagnostic::new(Code::E0004, format!("\"{}\" is written twice in {place}", quote(key)))
            .help("the second would silently win, so keep one")
            .at(self.span(here.0, here.1), "again here")
            .also(self.span(there.0, there.1), "first here");
        self.push(diagnostic);
    }
}

/// E0006 without its place.
fn invisible(c: char, place: &str) -> Diagnostic {
    let what = match c {
        '\u{feff}' => "byte order mark",
        '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            "direction character"
        }
        c if c.is_control() => "control character",
        _ => "invisible character",
    };
    Diagnostic::new(Code::E0006, format!("{what} U+{:04X} {place}", u32::from(c)))
        .help("it can make a rule read differently from what it does; retype it")
}

/// Message, help and end for a literal or comment whose end is missing.
fn unfinished(text: &str) -> Option<(&'static str, &'static str, String)> {
    if text.starts_with("/*") {
        Some(("unexpected end of the file, expected `*/`", "close the comment", "*/".to_owned()))
    } else if text.starts_with("r\"") || text.starts_with("r#") {
        Some((
            "unexpected end of the file, expected the end of a raw string",
            "close it with `\"` and as many `#` as it began with",
            format!("\"{}", "#".repeat(text[1..].bytes().take_while(|b| *b == b'#').count())),
        ))
    } else if text.starts_with('"') {
        Some((
            "unexpected end of the line, expected `\"`",
            "close the string on its line, or end the line with a backslash to go on",
            "\"".to_owned(),
        ))
    } else {
        None
    }
}

/// The user's text for a message: one line, not too long, nothing invisible.
pub(crate) fn quote(text: &str) -> String {
    quoted(text, QUOTE_CHARS_MAX)
}

/// [`quote`] with another bound.
pub(crate) fn quoted(text: &str, chars_max: usize) -> String {
    let mut quoted: String = text
        .chars()
        .take(chars_max)
        .map(|c| if super::lexer::is_invisible(c) || c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(chars_max).is_some() {
        quoted.push('…');
    }
    quoted
}
