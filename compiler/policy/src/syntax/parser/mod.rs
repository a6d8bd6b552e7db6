//! Tokens to tree. After a mistake it goes on at the next comma or closing bracket, so that one slip does not hide
//! the rest of the file. Recursion is bounded by `NESTING_MAX`, the number of reports by `ERRORS_MAX`, and every step
//! takes a token, so a hostile file costs time and memory linear in its length.

mod members;
mod repeats;

use super::reports::Reports;
use super::source::FileId;
use super::tree::{Entry, Field, Group, GroupBody, Kind, Name, Node, Token, TokenKind};
use super::{NAME_BYTES_MAX, lexer, literal};
use members::Open;

/// Words that the `ron` crate reads as floating-point numbers.
const FLOAT_WORDS: [&str; 6] = ["inf", "inff32", "inff64", "NaN", "NaNf32", "NaNf64"];

/// Extensions that change nothing here: we always read this way.
const EXTENSIONS: [&str; 2] = ["implicit_some", "unwrap_newtypes"];

pub(super) struct Parser<'a> {
    file: FileId,
    text: &'a str,
    /// The tokens that are neither space nor comment.
    tokens: Vec<Token>,
    at: usize,
    /// Brackets open now, outermost first.
    open: Vec<Open>,
    /// Names and keys that lead to the value being read, for messages.
    path: Vec<(u32, u32)>,
    reports: Reports<'a>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(file: FileId, text: &'a str, tokens: &[Token], reports: Reports<'a>) -> Self {
        let meaningful =
            |token: &&Token| !matches!(token.kind, TokenKind::Space | TokenKind::LineComment | TokenKind::BlockComment);
        let tokens = tokens.iter().filter(meaningful).copied().collect();
        Parser { file, text, tokens, at: 0, open: Vec::new(), path: Vec::new(), reports }
    }

    /// The one value of the file, after its attributes.
    pub(super) fn file(mut self) -> Node {
        while self.peek_mark(b'#') {
            self.attribute();
        }
        let root = self.value();
        if self.peek().is_some() && root.kind != Kind::Broken {
            self.unexpected("the end of the file");
        }
        root
    }

    fn peek(&self) -> Option<Token> {
        if self.reports.is_full() { None } else { self.tokens.get(self.at).copied() }
    }

    fn peek_mark(&self, mark: u8) -> bool {
        self.peek().is_some_and(|token| token.kind == TokenKind::Mark(mark))
    }

    /// True if the token after the next one is `:`, so that the next one is a name or a key.
    fn peek_is_key(&self) -> bool {
        self.tokens.get(self.at + 1).is_some_and(|token| token.kind == TokenKind::Mark(b':'))
    }

    fn slice(&self, token: Token) -> &'a str {
        self.text.get(token.start as usize..token.end as usize).unwrap_or("")
    }

    /// Where the token before the next one ends.
    fn last_end(&self) -> u32 {
        self.at.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(0, |token| token.end)
    }

    /// `#![enable(implicit_some)]`.
    fn attribute(&mut self) {
        let start = self.at;
        let opening = [b"#" as &[u8], b"!", b"["].iter().all(|mark| self.take_mark(mark[0]));
        let enable = opening && self.take_word(&["enable"]) && self.take_mark(b'(');
        let mut known = enable && self.take_word(&EXTENSIONS);
        while known && self.take_mark(b',') && !self.peek_mark(b')') {
            known = self.take_word(&EXTENSIONS);
        }
        if known && self.take_mark(b')') && self.take_mark(b']') {
            return;
        }
        self.unexpected("`#![enable(implicit_some)]`");
        while self.at < self.tokens.len() && !self.take_mark(b']') {
            self.at += 1;
        }
        self.at = self.at.max(start + 1);
    }

    fn take_mark(&mut self, mark: u8) -> bool {
        let found = self.peek_mark(mark);
        self.at += usize::from(found);
        found
    }

    fn take_word(&mut self, words: &[&str]) -> bool {
        let found = self.peek().is_some_and(|t| t.kind == TokenKind::Word && words.contains(&self.slice(t)));
        self.at += usize::from(found);
        found
    }

    /// Any value. Where there is none the node is `Broken` and what stands there is left to the caller, except an
    /// unknown token, which is taken.
    fn value(&mut self) -> Node {
        let Some(token) = self.peek() else {
            self.unexpected("a value");
            return self.broken(self.last_end(), self.last_end());
        };
        match token.kind {
            TokenKind::Word => self.word(token),
            TokenKind::Text | TokenKind::Char | TokenKind::Number => {
                self.at += 1;
                Node { file: self.file, start: token.start, end: token.end, kind: self.literal(token), damaged: false }
            }
            TokenKind::Mark(b'(') => self.group(None, token.start),
            TokenKind::Mark(b'[') => self.list(token),
            TokenKind::Mark(b'{') => self.map(token),
            TokenKind::Unknown => {
                self.unexpected("a value");
                self.at += 1;
                self.broken(token.start, token.end)
            }
            TokenKind::Mark(_) | TokenKind::Space | TokenKind::LineComment | TokenKind::BlockComment => {
                self.unexpected("a value");
                self.broken(token.start, token.start)
            }
        }
    }

    fn literal(&mut self, token: Token) -> Kind {
        let text = self.slice(token);
        let value = match token.kind {
            TokenKind::Text => literal::text(text).map(Kind::Text),
            TokenKind::Char => literal::character(text).map(Kind::Char),
            _ => match literal::integer(text) {
                Some(Some(number)) => Ok(Kind::Integer(number)),
                None => Ok(Kind::OddNumber),
                Some(None) => {
                    self.reports.number_too_large(text, token);
                    Ok(Kind::Broken)
                }
            },
        };
        value.unwrap_or_else(|fault| {
            self.reports.fault(text, token.start, fault);
            Kind::Broken
        })
    }

    /// `true`, `Everywhere`, `In([…])`, `Policy(…)`.
    fn word(&mut self, token: Token) -> Node {
        let text = self.slice(token);
        if FLOAT_WORDS.contains(&text) {
            self.unexpected("a value");
            self.at += 1;
            return self.broken(token.start, token.end);
        }
        self.at += 1;
        let name = Name { text: text.into(), file: self.file, start: token.start, end: token.end };
        let kind = match text {
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            "Some" => return self.some(name),
            "None" => Kind::Group(Box::new(Group { name: Some(name), body: GroupBody::Absent })),
            _ if self.peek_mark(b'(') => return self.group(Some(name), token.start),
            _ => Kind::Group(Box::new(Group { name: Some(name), body: GroupBody::Absent })),
        };
        Node { file: self.file, start: token.start, end: token.end, kind, damaged: false }
    }

    /// `Some(x)`, which nobody needs to write.
    fn some(&mut self, name: Name) -> Node {
        let start = name.start;
        if !self.peek_mark(b'(') {
            self.unexpected("`(`: after `Some` stands a value in brackets");
            return self.broken(start, name.end);
        }
        let node = self.group(Some(name), start);
        let one = match &node.kind {
            Kind::Group(group) => matches!(&group.body, GroupBody::Items(items) if items.len() == 1),
            _ => true,
        };
        if one || node.damaged {
            return node;
        }
        self.reports.not_one_value(node.start, node.end);
        self.broken(node.start, node.end)
    }

    /// `( … )`, its name already read.
    fn group(&mut self, name: Option<Name>, start: u32) -> Node {
        let Some(open) = self.enter(b')') else { return self.too_deep(start) };
        let keyed = self.peek_is_key() && !self.peek_mark(b')');
        let mut fields: Vec<Field> = Vec::new();
        let mut items: Vec<Node> = Vec::new();
        let members = self.members(open, keyed, |parser| {
            if keyed {
                let Some(field) = parser.field() else { return false };
                fields.push(field);
            } else if parser.peek_is_key() {
                parser.unexpected("a value: in one bracket either all have a name or none");
                return false;
            } else {
                items.push(parser.value());
            }
            true
        });
        self.drop_repeated_fields(&mut fields);
        let body = match (keyed, items.is_empty()) {
            (true, _) => GroupBody::Fields(fields),
            (false, false) => GroupBody::Items(items),
            (false, true) => GroupBody::Empty,
        };
        self.leave(start, Kind::Group(Box::new(Group { name, body })), members)
    }

    fn list(&mut self, opener: Token) -> Node {
        let Some(open) = self.enter(b']') else { return self.too_deep(opener.start) };
        let mut items = Vec::new();
        let members = self.members(open, false, |parser| {
            items.push(parser.value());
            true
        });
        self.leave(opener.start, Kind::List(items), members)
    }

    fn map(&mut self, opener: Token) -> Node {
        let Some(open) = self.enter(b'}') else { return self.too_deep(opener.start) };
        let mut entries: Vec<Entry> = Vec::new();
        let members = self.members(open, true, |parser| match parser.entry() {
            Some(entry) => {
                entries.push(entry);
                true
            }
            None => false,
        });
        self.drop_repeated_entries(&mut entries);
        self.leave(opener.start, Kind::Map(entries), members)
    }

    /// `name: value`.
    fn field(&mut self) -> Option<Field> {
        let token = self.peek()?;
        if token.kind != TokenKind::Word {
            self.unexpected(match token.kind {
                TokenKind::Text => "a field name without quotes",
                _ => "a field name",
            });
            return None;
        }
        self.at += 1;
        let value = self.after_colon(token)?;
        Some(Field {
            name: Name { text: self.slice(token).into(), file: self.file, start: token.start, end: token.end },
            value,
        })
    }

    /// `"key": value` or `Key: value`.
    fn entry(&mut self) -> Option<Entry> {
        let token = self.peek()?;
        self.at += 1;
        let kind = match token.kind {
            TokenKind::Text => self.literal(token),
            TokenKind::Word if !["true", "false", "Some", "None"].contains(&self.slice(token)) => {
                let name = Name { text: self.slice(token).into(), file: self.file, start: token.start, end: token.end };
                Kind::Group(Box::new(Group { name: Some(name), body: GroupBody::Absent }))
            }
            _ => {
                self.at -= 1;
                self.unexpected("a key, as in `\"name\": …`");
                return None;
            }
        };
        let key = Node { file: self.file, start: token.start, end: token.end, kind, damaged: false };
        Some(Entry { key, value: self.after_colon(token)? })
    }

    fn after_colon(&mut self, key: Token) -> Option<Node> {
        if (key.end - key.start) as usize > NAME_BYTES_MAX {
            self.reports.name_too_long(key);
            return None;
        }
        if !self.take_mark(b':') {
            self.unexpected(&format!("`:` after `{}`", self.slice(key)));
            return None;
        }
        self.path.push((key.start, key.end));
        let value = self.value();
        self.path.pop();
        Some(value)
    }

    fn broken(&self, start: u32, end: u32) -> Node {
        Node { file: self.file, start, end: end.max(start), kind: Kind::Broken, damaged: true }
    }

    fn unexpected(&mut self, wanted: &str) {
        let found = self.peek();
        self.reports.unexpected(found.map(|token| (self.slice(token), token)), self.text.len() as u32, wanted);
    }
}

/// The characters of the text that nobody sees, in order, with their places.
pub(super) fn invisible(text: &str) -> impl Iterator<Item = (usize, char)> {
    text.char_indices().filter(|(at, c)| match c {
        '\r' => !text[at + 1..].starts_with('\n'),
        c => lexer::is_invisible(*c),
    })
}
