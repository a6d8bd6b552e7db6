//! The tree as text.

use std::fmt::Write;

use super::tree::Tree;

/// Writes `tree` at `level`; what fits the rule of one leaf or one list of scalars stays on the line.
pub(super) fn write(tree: &Tree, level: usize, out: &mut String) {
    match tree {
        Tree::Word(word) => out.push_str(word),
        Tree::Text(text) => quote(text, out),
        Tree::List(items) if items.iter().all(is_scalar) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write(item, level, out);
            }
            out.push(']');
        }
        Tree::List(items) => block("[", "]", items, level, out, |item, out| write(item, level + 1, out)),
        Tree::Map(pairs) if pairs.is_empty() => out.push_str("{}"),
        Tree::Map(pairs) => block("{", "}", pairs, level, out, |(key, value), out| {
            write(key, level + 1, out);
            out.push_str(": ");
            write(value, level + 1, out);
        }),
        Tree::Fields(name, fields) if !name.is_empty() && is_line(tree) => {
            let _ = write!(out, "{name}(");
            for (field, value) in fields {
                let _ = write!(out, "{field}: ");
                write(value, level, out);
            }
            out.push(')');
        }
        Tree::Fields(name, fields) => block(&format!("{name}("), ")", fields, level, out, |(field, value), out| {
            let _ = write!(out, "{field}: ");
            write(value, level + 1, out);
        }),
        Tree::Tuple(name, parts) => tuple(name, parts, level, out),
    }
}

/// A tuple of one keeps its value on its own line: `Inner((` … `))`.
fn tuple(name: &str, parts: &[Tree], level: usize, out: &mut String) {
    let _ = write!(out, "{name}(");
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write(part, level, out);
    }
    out.push(')');
}

fn block<T>(open: &str, close: &str, items: &[T], level: usize, out: &mut String, each: impl Fn(&T, &mut String)) {
    out.push_str(open);
    out.push('\n');
    for item in items {
        indent(level + 1, out);
        each(item, out);
        out.push_str(",\n");
    }
    indent(level, out);
    out.push_str(close);
}

fn indent(level: usize, out: &mut String) {
    for _ in 0..level {
        out.push_str("    ");
    }
}

fn is_scalar(tree: &Tree) -> bool {
    match tree {
        Tree::Word(word) => !word.as_bytes()[0].is_ascii_uppercase() || word == "None",
        Tree::Text(_) => true,
        Tree::List(_) | Tree::Map(_) | Tree::Fields(..) | Tree::Tuple(..) => false,
    }
}

/// At most one leaf, or one list of scalars.
fn is_line(tree: &Tree) -> bool {
    match tree {
        Tree::Word(_) | Tree::Text(_) => true,
        Tree::List(items) => items.iter().all(is_scalar),
        Tree::Map(pairs) => pairs.is_empty(),
        Tree::Fields(_, fields) => fields.is_empty() || (fields.len() == 1 && is_line(&fields[0].1)),
        Tree::Tuple(_, parts) => parts.is_empty() || (parts.len() == 1 && is_line(&parts[0])),
    }
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if is_printable(c) => out.push(c),
            c => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
        }
    }
    out.push('"');
}

/// A fixed list, so that a newer Unicode table never moves a hash.
fn is_printable(c: char) -> bool {
    !matches!(u32::from(c),
        0..=0x1f | 0x7f..=0xa0 | 0xad | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
        | 0xe000..=0xf8ff | 0xfeff | 0xfff0..=0xffff | 0xe0000..)
}
