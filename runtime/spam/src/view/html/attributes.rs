//! Attributes of a start tag (WHATWG HTML 13.2.5.32 and on).

/// Attributes read of one tag; no sender has more in good faith.
const ATTRIBUTES_MAX: usize = 64;

/// Names and undecoded values.
pub fn attributes(text: &str) -> impl Iterator<Item = (&str, &str)> {
    Attributes { rest: text }.take(ATTRIBUTES_MAX)
}

struct Attributes<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<(&'a str, &'a str)> {
        let space = |c: char| c.is_ascii_whitespace() || c == '/';
        let rest = self.rest.trim_start_matches(space);
        if rest.is_empty() {
            return None;
        }
        // An equals sign at the beginning is part of the name.
        let name_end = rest.char_indices().skip(1).find(|(_, c)| space(*c) || *c == '=').map_or(rest.len(), |it| it.0);
        let (name, rest) = rest.split_at(name_end);
        let behind = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
        let Some(value) = behind.strip_prefix('=') else {
            self.rest = rest;
            return Some((name, ""));
        };
        let value = value.trim_start_matches(|c: char| c.is_ascii_whitespace());
        let (value, rest) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            _ => value.split_at(value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len())),
        };
        self.rest = rest;
        Some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_with_every_kind_of_quote() {
        let found: Vec<_> = attributes(" href = \"a b\" CLASS='c'width=5 checked é=x/y =z").collect();
        let expected = [("href", "a b"), ("CLASS", "c"), ("width", "5"), ("checked", ""), ("é", "x/y"), ("=z", "")];
        assert_eq!(found, expected);
        assert_eq!(attributes("x='never closed").collect::<Vec<_>>(), [("x", "never closed")]);
        assert_eq!(attributes(" / ").count(), 0);
    }
}
