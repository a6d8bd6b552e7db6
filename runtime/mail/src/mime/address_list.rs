//! Address lists as ENVELOPE shows them: RFC 5322 3.4 with the obsolete syntax of 4.4, and what senders make of it.
//!
//! One pass from left to right, no backtracking. A mailbox that lacks a piece has it empty, never absent, because an absent
//! host means a group in an envelope (RFC 9051 7.5.2).

use super::lexer::Lexer;

/// Addresses read from one list; the rest is passed over.
pub const ADDRESSES_MAX: usize = 10_000;
/// Words read of one name.
const WORDS_MAX: usize = 1_000;

/// One entry of an address list, undecoded, quotes taken out (RFC 9051 9, `address`).
///
/// A mailbox has `mailbox` and `host`. The start of a group has its name in `mailbox` and no host, its end has neither.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addr {
    pub name: Option<Vec<u8>>,
    /// The source route (RFC 5322 4.4), almost never there.
    pub adl: Option<Vec<u8>>,
    pub mailbox: Option<Vec<u8>>,
    pub host: Option<Vec<u8>>,
}

impl Addr {
    /// Whether this is a mailbox, not the start or end of a group.
    pub fn is_mailbox(&self) -> bool {
        self.host.is_some()
    }
}

/// Reads an unfolded address list. Groups are balanced in the result, and do not nest.
pub fn parse_addresses(value: &[u8]) -> Vec<Addr> {
    let mut reader = Reader {
        lexer: Lexer::new(value),
        list: Vec::new(),
        in_group: false,
        words: Vec::new(),
        comment: None,
        behind_mailbox: false,
        quotes_mean_nothing: false,
    };
    while !reader.lexer.at_end() && reader.list.len() < ADDRESSES_MAX {
        reader.step();
    }
    reader.end_entry();
    reader.end_group();
    reader.list
}

/// A word of a phrase or local-part.
struct Word {
    text: Vec<u8>,
    /// No space between it and the word before.
    glued: bool,
}

struct Reader<'a> {
    lexer: Lexer<'a>,
    list: Vec<Addr>,
    in_group: bool,
    /// What has been read of the entry and is not yet known to be a name or a local-part.
    words: Vec<Word>,
    comment: Option<Vec<u8>>,
    /// The last thing read was a whole mailbox and no comma came since.
    behind_mailbox: bool,
    /// A quoted string did not end. Quotes are passed over from then on: to look for the end again and again would cost the
    /// square of the length.
    quotes_mean_nothing: bool,
}

impl Reader<'_> {
    fn step(&mut self) {
        let glued = !self.lexer.take_space() && !self.words.is_empty();
        let Some(next) = self.lexer.peek() else { return };
        match next {
            b'(' => self.comment = Some(self.lexer.comment()),
            b'"' => {
                if let Some(text) = self.quoted() {
                    self.word(text, glued);
                }
            }
            b',' => {
                self.lexer.bump();
                self.end_entry();
            }
            b';' => {
                self.lexer.bump();
                self.end_entry();
                self.end_group();
            }
            b':' => {
                self.lexer.bump();
                self.start_group(glued);
            }
            b'<' => {
                self.lexer.bump();
                self.angle_address();
            }
            b'>' => drop(self.lexer.bump()),
            b'@' => {
                self.lexer.bump();
                self.plain_address();
            }
            _ => {
                let text = self.lexer.until(is_special).to_vec();
                self.word(text, glued);
            }
        }
    }

    /// The quoted string that begins here; without its end only the quote is passed over.
    fn quoted(&mut self) -> Option<Vec<u8>> {
        let text = if self.quotes_mean_nothing { None } else { self.lexer.quoted() };
        if text.is_none() {
            self.quotes_mean_nothing = true;
            self.lexer.bump();
        }
        text
    }

    fn word(&mut self, text: Vec<u8>, glued: bool) {
        if self.words.len() < WORDS_MAX {
            self.words.push(Word { text, glued });
        }
    }

    /// `Name: members;`. A colon elsewhere is part of a word, or nothing.
    fn start_group(&mut self, glued: bool) {
        if self.words.is_empty() {
            return;
        }
        if self.in_group {
            self.word(b":".to_vec(), glued);
        } else {
            let name = phrase(&std::mem::take(&mut self.words));
            self.list.push(Addr { mailbox: Some(name), ..Addr::default() });
            self.in_group = true;
            self.comment = None;
            self.behind_mailbox = false;
        }
    }

    fn end_group(&mut self) {
        if self.in_group {
            self.list.push(Addr::default());
            self.in_group = false;
        }
    }

    /// A comma, a semicolon or the end: words without an address are a mailbox without host (`root`), or only a name.
    fn end_entry(&mut self) {
        let words = std::mem::take(&mut self.words);
        let comment = self.comment.take().filter(|text| !text.is_empty());
        if std::mem::take(&mut self.behind_mailbox) {
            // `<a@b> (Name)`; other words behind an address mean nothing.
            if let Some(last) = self.list.last_mut().filter(|last| last.is_mailbox() && last.name.is_none()) {
                last.name = comment;
            }
        } else if words.len() == 1 {
            self.push(comment, None, phrase(&words), Vec::new());
        } else if !words.is_empty() {
            self.push(Some(phrase(&words)), None, Vec::new(), Vec::new());
        }
    }

    /// Behind `<`: `[route] local-part @ domain >` (RFC 5322 3.4.1 and 4.4), every piece perhaps missing.
    fn angle_address(&mut self) {
        let name = self.take_name();
        let mut adl = None;
        self.lexer.skip_space();
        if self.lexer.peek() == Some(b'@') {
            let (route, stop) = self.lexer.ahead(|byte| matches!(byte, b':' | b'>' | b'<'));
            if stop == Some(b':') {
                adl = Some(route.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect());
                self.lexer.until(|byte| byte == b':');
                self.lexer.bump();
            }
        }
        let mut local = Vec::new();
        loop {
            self.lexer.skip_space();
            match self.lexer.peek() {
                Some(b'"') => local.extend(self.quoted().unwrap_or_default()),
                // `<mailto:a@b>` and the like: the octets belong to the local-part, for want of a better place.
                Some(b':') => local.extend(self.lexer.bump()),
                Some(byte) if is_special(byte) => break,
                Some(_) => local.extend_from_slice(self.lexer.until(is_special)),
                None => break,
            }
        }
        let host = if self.lexer.take(b'@') { self.domain(true) } else { Vec::new() };
        self.lexer.skip_space();
        self.lexer.take(b'>');
        self.push(name, adl, local, host);
        self.behind_mailbox = true;
    }

    /// Behind `@` outside angle brackets: the last words were the local-part, those before a name.
    fn plain_address(&mut self) {
        let mut words = std::mem::take(&mut self.words);
        let mut start = words.len().saturating_sub(1);
        while start > 0 && joined(&words[start - 1], &words[start]) {
            start -= 1;
        }
        let local: Vec<u8> = words.split_off(start).into_iter().flat_map(|word| word.text).collect();
        let host = self.domain(false);
        loop {
            self.lexer.take_space();
            if self.lexer.peek() != Some(b'(') {
                break;
            }
            self.comment = Some(self.lexer.comment());
        }
        if self.lexer.peek() == Some(b'<') {
            // `a@b <a@b>`: the address before the brackets is the name, its quotes forgotten.
            let text = [local.as_slice(), b"@", host.as_slice()].concat();
            self.words = words;
            self.words.push(Word { text, glued: false });
            self.behind_mailbox = false;
            return;
        }
        self.words = words;
        let name = self.take_name();
        self.push(name, None, local, host);
        self.behind_mailbox = true;
    }

    /// A domain or domain-literal, space and comments taken out; a comment may be the name (`a@b (Name)`).
    fn domain(&mut self, in_brackets: bool) -> Vec<u8> {
        // In brackets nothing but the domain can follow; mailing lists fold lines inside of it.
        let joins =
            |byte: u8, domain: &[u8]| in_brackets || byte == b'.' || domain.is_empty() || domain.ends_with(b".");
        let mut domain = Vec::new();
        loop {
            let spaced = self.lexer.take_space();
            match self.lexer.peek() {
                Some(b'(') => self.comment = Some(self.lexer.comment()),
                Some(b'[') => {
                    domain.extend_from_slice(self.lexer.until(|byte| matches!(byte, b']' | b'>' | b',')));
                    if self.lexer.take(b']') {
                        domain.push(b']');
                    }
                }
                Some(b'@') => domain.extend(self.lexer.bump()),
                Some(byte) if is_special(byte) => return domain,
                // `a@b c@d` lacks a comma; `a@b .example` is the obsolete spacing of RFC 5322 4.4.
                Some(byte) if spaced && !joins(byte, &domain) => return domain,
                Some(_) => domain.extend_from_slice(self.lexer.until(|byte| byte == b'[' || is_special(byte))),
                None => return domain,
            }
        }
    }

    /// The phrase before the address, else the comment.
    fn take_name(&mut self) -> Option<Vec<u8>> {
        let words = std::mem::take(&mut self.words);
        let comment = self.comment.take();
        let name = if words.is_empty() { comment } else { Some(phrase(&words)) };
        name.filter(|name| !name.is_empty())
    }

    fn push(&mut self, name: Option<Vec<u8>>, adl: Option<Vec<u8>>, mailbox: Vec<u8>, host: Vec<u8>) {
        self.list.push(Addr { name, adl, mailbox: Some(mailbox), host: Some(host) });
    }
}

/// Whether two words belong to one local-part: `"a".b`, or the obsolete `a . b`.
fn joined(before: &Word, after: &Word) -> bool {
    after.glued || after.text.starts_with(b".") || before.text.ends_with(b".")
}

/// The words with one space between those that had any.
fn phrase(words: &[Word]) -> Vec<u8> {
    let mut text = Vec::new();
    for (index, word) in words.iter().enumerate() {
        if index > 0 && !word.glued {
            text.push(b' ');
        }
        text.extend_from_slice(&word.text);
    }
    text
}

/// Ends a word. The dot does not: it is part of local-parts, domains and initials.
fn is_special(byte: u8) -> bool {
    matches!(byte, b'<' | b'>' | b'@' | b',' | b';' | b':' | b'"' | b'(') || byte.is_ascii_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entries as `name|adl|mailbox|host`, absent pieces as `-`.
    fn shown(value: &str) -> Vec<String> {
        parse_addresses(value.as_bytes())
            .iter()
            .map(|addr| {
                let pieces = [&addr.name, &addr.adl, &addr.mailbox, &addr.host];
                pieces
                    .map(|piece| {
                        piece.as_ref().map_or("-".to_owned(), |text| String::from_utf8_lossy(text).into_owned())
                    })
                    .join("|")
            })
            .collect()
    }

    #[test]
    fn addresses_of_rfc_5322_appendix_a_are_read() {
        assert_eq!(shown("John Doe <jdoe@machine.example>"), ["John Doe|-|jdoe|machine.example"]);
        assert_eq!(
            shown("Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>"),
            ["Mary Smith|-|mary|x.test", "-|-|jdoe|example.org", "Who?|-|one|y.test"]
        );
        assert_eq!(
            shown("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>"),
            ["-|-|boss|nil.test", "Giant; \"Big\" Box|-|sysservices|example.net"]
        );
        assert_eq!(
            shown("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;"),
            ["-|-|A Group|-", "Ed Jones|-|c|a.test", "-|-|joe|where.test", "John|-|jdoe|one.test", "-|-|-|-"]
        );
        assert_eq!(shown("Undisclosed recipients:;"), ["-|-|Undisclosed recipients|-", "-|-|-|-"]);
        assert_eq!(shown("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>"), ["Pete|-|pete|silly.test"]);
        assert_eq!(
            shown("A Group(Some people)\t:Chris Jones <c@(Chris's host.)public.example>,\tjoe@example.org;(the end)"),
            ["-|-|A Group|-", "Chris Jones|-|c|public.example", "-|-|joe|example.org", "-|-|-|-"]
        );
    }

    #[test]
    fn obsolete_forms_are_read() {
        assert_eq!(
            shown("Mary Smith <@node.test,@ b.test:mary@example.net>, , jdoe@test . example"),
            ["Mary Smith|@node.test,@b.test|mary|example.net", "-|-|jdoe|test.example"]
        );
        assert_eq!(shown("Joe Q. Public <john.q.public@example.com>"), ["Joe Q. Public|-|john.q.public|example.com"]);
        assert_eq!(shown("jdoe@example.org (John Doe)"), ["John Doe|-|jdoe|example.org"]);
        assert_eq!(shown("<jdoe@example.org> (John Doe), b@c"), ["John Doe|-|jdoe|example.org", "-|-|b|c"]);
        assert_eq!(shown("john . doe@x, \"a b\".c@[IPv6:::1]"), ["-|-|john.doe|x", "-|-|a b.c|[IPv6:::1]"]);
    }

    #[test]
    fn missing_pieces_are_empty_and_never_look_like_a_group() {
        assert_eq!(shown("root"), ["-|-|root|"]);
        assert_eq!(shown("John Doe"), ["John Doe|-||"]);
        assert_eq!(shown("Mailer <>"), ["Mailer|-||"]);
        assert_eq!(shown("<@x.org>, a@, <a@b"), ["-|-||x.org", "-|-|a|", "-|-|a|b"]);
        assert_eq!(shown(" , ,; () "), Vec::<String>::new());
    }

    #[test]
    fn missing_commas_and_unquoted_names_are_forgiven() {
        assert_eq!(shown("a@b c@d"), ["-|-|a|b", "-|-|c|d"]);
        assert_eq!(shown("<a@b> <c@d> rubbish, e@f"), ["-|-|a|b", "-|-|c|d", "-|-|e|f"]);
        assert_eq!(shown("A <a b@exam ple.org>, c@d"), ["A|-|ab|example.org", "-|-|c|d"]);
        assert_eq!(shown("a@b <a@b>"), ["a@b|-|a|b"]);
        assert_eq!(shown("Doe, John <j@x>"), ["-|-|Doe|", "John|-|j|x"]);
        assert_eq!(shown("\"open <a@b>"), ["open|-|a|b"]);
        assert_eq!(shown("Team: a@b"), ["-|-|Team|-", "-|-|a|b", "-|-|-|-"]);
        assert_eq!(shown("a:b:c@d;;e@f"), ["-|-|a|-", "-|-|b:c|d", "-|-|-|-", "-|-|e|f"]);
    }

    #[test]
    fn quotes_without_end_are_searched_for_once() {
        // A million octets: the square of that would not come to an end.
        let list = parse_addresses("\\\"".repeat(500_000).as_bytes());
        assert_eq!(list.len(), 1);
        assert_eq!(shown("\"a\\\" <b@c>, d@e"), ["a\\|-|b|c", "-|-|d|e"]);
    }

    #[test]
    fn the_number_of_addresses_is_bounded_and_groups_stay_balanced() {
        let list = parse_addresses(format!("g:{}", "a@b,".repeat(20_000)).as_bytes());
        assert!(list.len() <= ADDRESSES_MAX + 2);
        assert_eq!(list.last(), Some(&Addr::default()));
    }
}
