//! Tokens of HTML (WHATWG HTML 13.2.5, reduced). One pass, no backtracking: what does not end goes to the end of the input.

/// One token; all are slices of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    Text(&'a str),
    Start {
        name: &'a str,
        attributes: &'a str,
    },
    End {
        name: &'a str,
    },
    /// With what stands between its marks.
    Comment(&'a str),
    /// `<!doctype>`, `<?xml?>`, `</3>`: shown by no browser.
    Bogus,
    /// The inside of script, style, title, textarea and the like: no tags count in it.
    Raw {
        name: &'a str,
        text: &'a str,
    },
}

/// Elements whose inside is no HTML.
const RAW: [&str; 7] = ["script", "style", "title", "textarea", "xmp", "noembed", "iframe"];

pub struct Tokens<'a> {
    html: &'a str,
    at: usize,
    raw: Option<&'a str>,
}

pub fn tokens(html: &str) -> Tokens<'_> {
    Tokens { html, at: 0, raw: None }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let rest = &self.html[self.at..];
        if rest.is_empty() {
            return None;
        }
        if let Some(name) = self.raw.take() {
            let end = end_of_raw(rest, name);
            self.at += end;
            return Some(Token::Raw { name, text: &rest[..end] });
        }
        let bytes = rest.as_bytes();
        if bytes[0] != b'<' || !opens(bytes) {
            // A `<` that opens nothing is text.
            let from = usize::from(bytes[0] == b'<');
            let end = rest[from..].find('<').map_or(rest.len(), |at| from + at);
            self.at += end;
            return Some(Token::Text(&rest[..end]));
        }
        Some(match bytes[1] {
            b'!' if rest.starts_with("<!--") => self.comment(rest),
            b'!' | b'?' => self.bogus(rest),
            b'/' if bytes[2].is_ascii_alphabetic() => self.end_tag(rest),
            b'/' => self.bogus(rest),
            _ => self.start_tag(rest),
        })
    }
}

/// Whether `<` and what follows is markup.
fn opens(bytes: &[u8]) -> bool {
    match bytes.get(1) {
        Some(b'!' | b'?') => true,
        Some(b'/') => bytes.len() > 2,
        Some(letter) => letter.is_ascii_alphabetic(),
        None => false,
    }
}

impl<'a> Tokens<'a> {
    fn comment(&mut self, rest: &'a str) -> Token<'a> {
        // `<!-->` and `<!--->` are empty comments.
        for (short, length) in [("<!-->", 5), ("<!--->", 6)] {
            if rest.starts_with(short) {
                self.at += length;
                return Token::Comment("");
            }
        }
        let inner = &rest[4..];
        let (text, length) = match inner.find("-->") {
            Some(end) => (&inner[..end], 4 + end + 3),
            None => (inner, rest.len()),
        };
        self.at += length;
        Token::Comment(text)
    }

    fn bogus(&mut self, rest: &'a str) -> Token<'a> {
        self.at += rest.find('>').map_or(rest.len(), |end| end + 1);
        Token::Bogus
    }

    fn end_tag(&mut self, rest: &'a str) -> Token<'a> {
        let (name, _) = self.tag(rest, 2);
        Token::End { name }
    }

    fn start_tag(&mut self, rest: &'a str) -> Token<'a> {
        let (name, attributes) = self.tag(rest, 1);
        if !attributes.ends_with('/') {
            self.raw = RAW.into_iter().find(|raw| name.eq_ignore_ascii_case(raw));
        }
        Token::Start { name, attributes }
    }

    /// The name from `from` on and what stands up to the bracket that ends the tag; quotes of values hide brackets.
    fn tag(&mut self, rest: &'a str, from: usize) -> (&'a str, &'a str) {
        let bytes = rest.as_bytes();
        let name_end = bytes[from..]
            .iter()
            .position(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>'))
            .map_or(rest.len(), |at| from + at);
        let mut at = name_end;
        let mut quote = None;
        let mut after_equals = false;
        while at < bytes.len() {
            let byte = bytes[at];
            match quote {
                Some(open) if byte == open => quote = None,
                Some(_) => {}
                None if byte == b'>' => break,
                None if after_equals && matches!(byte, b'"' | b'\'') => quote = Some(byte),
                None => {}
            }
            after_equals = byte == b'=' || after_equals && byte.is_ascii_whitespace();
            at += 1;
        }
        self.at += (at + 1).min(rest.len());
        (&rest[from..name_end], &rest[name_end..at.min(rest.len())])
    }
}

/// Where `</name` begins.
fn end_of_raw(rest: &str, name: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 0;
    while let Some(found) = rest[at..].find("</") {
        let start = at + found;
        let behind = &bytes[start + 2..];
        if behind.len() >= name.len() && behind[..name.len()].eq_ignore_ascii_case(name.as_bytes()) {
            return start;
        }
        at = start + 2;
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_those_of_a_browser() {
        let html = "a<b c='>'>d</B ><!-- > --><!x>5 < 6<</3><style><p></style>e<!-->f<a href=x";
        let expected = [
            Token::Text("a"),
            Token::Start { name: "b", attributes: " c='>'" },
            Token::Text("d"),
            Token::End { name: "B" },
            Token::Comment(" > "),
            Token::Bogus,
            Token::Text("5 "),
            Token::Text("< 6"),
            Token::Text("<"),
            Token::Bogus,
            Token::Start { name: "style", attributes: "" },
            Token::Raw { name: "style", text: "<p>" },
            Token::End { name: "style" },
            Token::Text("e"),
            Token::Comment(""),
            Token::Text("f"),
            Token::Start { name: "a", attributes: " href=x" },
        ];
        assert_eq!(tokens(html).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_does_not_end_goes_to_the_end() {
        for html in ["<!-- a <b>", "<p title='x>", "<script>a</p>", "<", "</", "<a", "<!"] {
            let count = tokens(html).count();
            assert!(count <= 2, "{html:?} has {count} tokens");
        }
    }
}
