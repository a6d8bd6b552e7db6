//! The words of structured MIME fields: tokens, quoted strings and comments (RFC 2045 5.1, RFC 5322 3.2), read leniently.

/// Reads an unfolded field value from left to right. Every method moves forward only.
pub(super) struct Lexer<'a> {
    rest: &'a [u8],
}

impl<'a> Lexer<'a> {
    pub(super) fn new(value: &'a [u8]) -> Self {
        Self { rest: value }
    }

    pub(super) fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Passes over the octet if it is next.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    /// Space alone. Says whether there was any.
    pub(super) fn take_space(&mut self) -> bool {
        let before = self.rest.len();
        self.rest = self.rest.trim_ascii_start();
        self.rest.len() < before
    }

    /// Space and comments. Comments nest; the depth is counted, not recursed into. An unclosed one goes to the end.
    pub(super) fn skip_space(&mut self) {
        loop {
            self.rest = self.rest.trim_ascii_start();
            if self.peek() != Some(b'(') {
                return;
            }
            self.comment();
        }
    }

    /// The text of the comment that begins here, without the outer parentheses.
    pub(super) fn comment(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut depth = 0_u32;
        let mut bytes = self.rest.iter().enumerate();
        while let Some((at, &byte)) = bytes.next() {
            match byte {
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.rest = &self.rest[at + 1..];
                return text;
            }
            let byte = if byte == b'\\' { bytes.next().map_or(byte, |(_, escaped)| *escaped) } else { byte };
            if at > 0 {
                text.push(byte);
            }
        }
        self.rest = &[];
        text
    }

    /// Everything up to the first octet for which `stop` holds; perhaps nothing.
    pub(super) fn until(&mut self, stop: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().position(|byte| stop(*byte)).unwrap_or(self.rest.len());
        let (found, rest) = self.rest.split_at(length);
        self.rest = rest;
        found
    }

    /// What lies ahead up to the first octet for which `stop` holds, and that octet; nothing moves.
    pub(super) fn ahead(&self, stop: impl Fn(u8) -> bool) -> (&'a [u8], Option<u8>) {
        let length = self.rest.iter().position(|byte| stop(*byte)).unwrap_or(self.rest.len());
        (&self.rest[..length], self.rest.get(length).copied())
    }

    /// The quoted string that begins here, quotes and backslashes taken out. `None`, and nothing moves, when it does not end.
    pub(super) fn quoted(&mut self) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        let mut bytes = self.rest.iter().enumerate().skip(1);
        while let Some((at, &byte)) = bytes.next() {
            match byte {
                b'"' => {
                    self.rest = &self.rest[at + 1..];
                    return Some(text);
                }
                b'\\' => text.extend(bytes.next().map(|(_, escaped)| *escaped)),
                _ => text.push(byte),
            }
        }
        None
    }

    pub(super) fn bump(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_nest_and_may_lack_their_end() {
        let mut lexer = Lexer::new(b" (a (b\\) c)) x (open");
        lexer.skip_space();
        assert_eq!(lexer.until(|byte| byte == b' '), b"x");
        lexer.skip_space();
        assert!(lexer.at_end());
        assert_eq!(Lexer::new(b"(a (b) \\c) d").comment(), b"a (b) c");
    }

    #[test]
    fn quoted_strings_lose_quotes_and_backslashes() {
        assert_eq!(Lexer::new(br#""a\"b\\" rest"#).quoted().as_deref(), Some(&br#"a"b\"#[..]));
        assert_eq!(Lexer::new(b"\"open").quoted(), None);
    }
}
