//! Reads plan text and nothing but its canonical form: an own statement of the rules of the emitter (policy-language.md
//! D10), made for reading and sharing nothing with what writes.
//!
//! Four spaces a level, LF, a comma after each line of a block; a list of scalars on one line, any other list one item a
//! line; map keys in the order of their octets, each once; one field of one line stays with its variant; texts hold
//! printable characters as they are and any other as `\u{…}`.

use super::Fault;
use super::node::{Kind, Node, unescaped};

/// Deeper nesting than any plan has.
const DEPTH_MAX: usize = 40;

/// The tree of a whole plan text, or the first thing that is not canonical.
pub(crate) fn read(text: &str) -> Result<Node<'_>, Fault> {
    let mut reader = Reader { text, at: 0, line: 1 };
    let node = reader.value(0, 0)?;
    reader.take("\n", "the end of the last line")?;
    if reader.at < text.len() {
        return Err(reader.fault("something follows the plan"));
    }
    Ok(node)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    line: u32,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn fault(&self, what: impl Into<String>) -> Fault {
        Fault { line: self.line, code: None, what: what.into() }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, what: &str, called: &str) -> Result<(), Fault> {
        if !self.rest().starts_with(what) {
            return Err(self.fault(format!("expected {called}")));
        }
        self.at += what.len();
        self.line += u32::from(what == "\n");
        Ok(())
    }

    fn value(&mut self, level: usize, depth: usize) -> Result<Node<'t>, Fault> {
        if depth > DEPTH_MAX {
            return Err(self.fault("nested too deep"));
        }
        let line = self.line;
        let kind = match self.peek() {
            Some(b'"') => Kind::Text(self.quoted()?),
            Some(b'[') => self.list(level, depth)?,
            Some(b'{') => self.map(level, depth)?,
            Some(b'(') => self.named("", level, depth)?,
            Some(b'-' | b'0'..=b'9') => Kind::Word(self.number()?),
            Some(b'a'..=b'z' | b'A'..=b'Z') => {
                let name = self.identifier()?;
                if self.peek() == Some(b'(') { self.named(name, level, depth)? } else { Kind::Word(name) }
            }
            _ => return Err(self.fault("expected a value")),
        };
        Ok(Node { line, kind })
    }

    fn identifier(&mut self) -> Result<&'t str, Fault> {
        let rest = self.rest();
        let length = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        if length == 0 {
            return Err(self.fault("expected a name"));
        }
        self.at += length;
        Ok(&rest[..length])
    }

    /// No sign but `-`, no leading zeros, no fraction.
    fn number(&mut self) -> Result<&'t str, Fault> {
        let rest = self.rest();
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        let (sign, figures) = (rest.len() - digits.len(), &digits[..count]);
        if count == 0 || (figures.starts_with('0') && (count > 1 || sign > 0)) {
            return Err(self.fault("a number is not written in its shortest form"));
        }
        self.at += sign + count;
        Ok(&rest[..sign + count])
    }

    fn quoted(&mut self) -> Result<&'t str, Fault> {
        self.take("\"", "a quote")?;
        let start = self.at;
        loop {
            let Some(c) = self.rest().chars().next() else { return Err(self.fault("a text has no end")) };
            match c {
                '"' => {
                    let raw = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(raw);
                }
                '\\' => self.escape()?,
                c if is_printable(c) => self.at += c.len_utf8(),
                c => return Err(self.fault(format!("{} must be written as an escape", c.escape_unicode()))),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        if rest.starts_with("\\\"") || rest.starts_with("\\\\") {
            self.at += 2;
            return Ok(());
        }
        let hex = rest.strip_prefix("\\u{").and_then(|hex| hex.split_once('}')).map(|(hex, _)| hex);
        let meant = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
        match (hex, meant) {
            (Some(hex), Some(c)) if !is_printable(c) && format!("{:x}", u32::from(c)) == hex => {
                self.at += hex.len() + 4;
                Ok(())
            }
            _ => Err(self.fault("an escape is not the one way to write its character")),
        }
    }

    fn list(&mut self, level: usize, depth: usize) -> Result<Kind<'t>, Fault> {
        self.take("[", "a list")?;
        if self.peek() == Some(b'\n') {
            let items = self.block(level, "]", |reader| reader.value(level + 1, depth + 1))?;
            if items.iter().all(Node::is_scalar) {
                return Err(self.fault("a list of scalars stands on one line"));
            }
            return Ok(Kind::List(items));
        }
        let mut items = Vec::new();
        while self.peek() != Some(b']') {
            if !items.is_empty() {
                self.take(", ", "`, ` or `]`")?;
            }
            let item = self.value(level, depth + 1)?;
            if !item.is_scalar() {
                return Err(self.fault("only scalars stand on the line of their list"));
            }
            items.push(item);
        }
        self.take("]", "`]`")?;
        Ok(Kind::List(items))
    }

    fn map(&mut self, level: usize, depth: usize) -> Result<Kind<'t>, Fault> {
        self.take("{", "a map")?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Kind::Map(Vec::new()));
        }
        let mut before: Option<String> = None;
        let entries = self.block(level, "}", |reader| {
            let key = reader.value(level + 1, depth + 1)?;
            let Some(name) = key.leaf().map(|raw| unescaped(raw).into_owned()) else {
                return Err(reader.fault("a key is a name or a text"));
            };
            if before.as_ref().is_some_and(|before| before.as_bytes() >= name.as_bytes()) {
                return Err(reader.fault(format!("key \"{name}\" is not in order, or there twice")));
            }
            before = Some(name);
            reader.take(": ", "`: `")?;
            Ok((key, reader.value(level + 1, depth + 1)?))
        })?;
        Ok(Kind::Map(entries))
    }

    fn named(&mut self, name: &'t str, level: usize, depth: usize) -> Result<Kind<'t>, Fault> {
        self.take("(", "`(`")?;
        if self.peek() == Some(b'\n') {
            let fields = self.block(level, ")", |reader| reader.field(level + 1, depth + 1))?;
            if !name.is_empty() && fields.len() == 1 && fields.iter().all(|(_, value)| is_line(value)) {
                return Err(self.fault(format!("the one field of `{name}` stands on its line")));
            }
            return Ok(Kind::Fields(name, fields));
        }
        let rest = self.rest();
        let word = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        if !name.is_empty() && word > 0 && rest[word..].starts_with(": ") {
            let field = self.field(level, depth + 1)?;
            if !is_line(&field.1) {
                return Err(self.fault(format!("the field of `{name}` needs a line of its own")));
            }
            self.take(")", "`)`")?;
            return Ok(Kind::Fields(name, vec![field]));
        }
        let mut parts = vec![self.value(level, depth + 1)?];
        while self.peek() != Some(b')') {
            self.take(", ", "`, ` or `)`")?;
            parts.push(self.value(level, depth + 1)?);
        }
        self.at += 1;
        Ok(Kind::Tuple(name, parts))
    }

    fn field(&mut self, level: usize, depth: usize) -> Result<(&'t str, Node<'t>), Fault> {
        let name = self.identifier()?;
        self.take(": ", "`: `")?;
        Ok((name, self.value(level, depth)?))
    }

    /// Items of the next level, each with its comma and line, then the bracket on its own line.
    fn block<T>(
        &mut self,
        level: usize,
        close: &str,
        mut item: impl FnMut(&mut Self) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut items = Vec::new();
        loop {
            self.take("\n", "the end of the line")?;
            let spaces = self.rest().bytes().take_while(|byte| *byte == b' ').count();
            if spaces == 4 * level && self.rest()[spaces..].starts_with(close) && !items.is_empty() {
                self.at += spaces + close.len();
                return Ok(items);
            }
            if spaces != 4 * (level + 1) {
                return Err(self.fault(format!("expected {} spaces, found {spaces}", 4 * (level + 1))));
            }
            self.at += spaces;
            items.push(item(self)?);
            self.take(",", "a comma")?;
        }
    }
}

/// At most one leaf, or one list of scalars.
fn is_line(node: &Node<'_>) -> bool {
    match &node.kind {
        Kind::Word(_) | Kind::Text(_) => true,
        Kind::List(items) => items.iter().all(Node::is_scalar),
        Kind::Map(entries) => entries.is_empty(),
        Kind::Fields(_, fields) => matches!(fields.as_slice(), [(_, value)] if is_line(value)),
        Kind::Tuple(_, parts) => matches!(parts.as_slice(), [part] if is_line(part)),
    }
}

/// Characters that stand for themselves: all but controls, spaces that look like others, marks that turn the direction
/// of writing, and code points of nobody.
fn is_printable(c: char) -> bool {
    let code = u32::from(c);
    let hidden = [
        (0x00, 0x1f),
        (0x7f, 0xa0),
        (0xad, 0xad),
        (0x200b, 0x200f),
        (0x2028, 0x202e),
        (0x2060, 0x206f),
        (0xe000, 0xf8ff),
        (0xfeff, 0xfeff),
        (0xfff0, 0xffff),
        (0xe0000, u32::MAX),
    ];
    !hidden.iter().any(|(first, last)| (*first..=*last).contains(&code))
}
