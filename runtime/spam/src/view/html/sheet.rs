//! Style sheets, reduced to the classes and identifiers whose elements nobody sees.

use super::style::Look;

/// Names kept, and octets of sheets read.
const NAMES_MAX: usize = 200;
const SHEET_OCTETS_MAX: usize = 64 * 1024;

/// Names with their mark, as selectors write them: `.preheader`, `#x`.
#[derive(Clone, Debug, Default)]
pub struct Hiding {
    names: Vec<String>,
}

impl Hiding {
    /// Reads a sheet. Rules inside `@media` and its like count for some screens only, and are passed over.
    pub fn read(&mut self, sheet: &str) {
        let end = (0..=sheet.len().min(SHEET_OCTETS_MAX)).rev().find(|at| sheet.is_char_boundary(*at)).unwrap_or(0);
        let mut rest = &sheet[..end];
        while let Some(open) = rest.find('{') {
            let selectors = rest[..open].rsplit(['}', ';']).next().unwrap_or_default();
            let inside = &rest[open + 1..];
            if selectors.trim_start().starts_with('@') {
                rest = behind_block(inside);
                continue;
            }
            let close = inside.find('}').unwrap_or(inside.len());
            self.rule(selectors, &inside[..close]);
            rest = inside.get(close + 1..).unwrap_or_default();
        }
    }

    fn rule(&mut self, selectors: &str, declarations: &str) {
        let mut look = Look::default();
        look.declare(declarations);
        if !look.hidden && look.font != Some(0) {
            return;
        }
        for selector in selectors.split(',').map(str::trim) {
            // `p.x` hides fewer elements than `.x`, but who writes it means them all; longer ones are left alone.
            let Some(mark) = selector.find(['.', '#']) else { continue };
            let name = &selector[mark..];
            let single = name.len() > 1 && !name[1..].contains(['.', '#', ' ', '>', ':', '[', '+', '~']);
            if single && self.names.len() < NAMES_MAX && !selector[..mark].contains([' ', '>']) {
                self.names.push(name.to_owned());
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether one of the classes, or the identifier, is hidden.
    pub fn hides(&self, mark: char, value: &str) -> bool {
        let named = |word: &str| self.names.iter().any(|name| name.strip_prefix(mark).is_some_and(|it| it == word));
        value.split_ascii_whitespace().take(16).any(named)
    }
}

/// Behind the block whose inside begins here.
fn behind_block(inside: &str) -> &str {
    let mut depth = 1;
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &inside[at + 1..];
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_that_hide_are_known() {
        let mut hiding = Hiding::default();
        hiding.read("body{color:red} .a, p.b { display : none } @media print{.c{display:none}} #d{font-size:0} .e .f{opacity:0}.g{opacity:1}");
        for (mark, value, hidden) in [
            ('.', "x a", true),
            ('.', "b", true),
            ('.', "c", false),
            ('#', "d", true),
            ('.', "d", false),
            ('.', "f", false),
            ('.', "g", false),
        ] {
            assert_eq!(hiding.hides(mark, value), hidden, "{mark}{value}");
        }
        for broken in ["{", "}", "@media{", ".a{", "é{display:none}", ".{display:none}"] {
            Hiding::default().read(broken);
        }
    }
}
