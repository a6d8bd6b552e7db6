//! Takes people out of a text. The same address is the same number everywhere, so that what belongs together still does.

use std::collections::{HashMap, HashSet};

/// A shorter secret would be found in everything; it is none.
const SECRET_OCTETS_MIN: usize = 4;
/// What looks like an address in every line of syslog (RFC 5424 7.2.2).
const STRUCTURED_DATA: &str = "fields@32473";

/// What is taken out, and what stands for it.
#[derive(Debug, Default)]
pub struct Scrub {
    secrets: Vec<String>,
    /// Logins and local parts, in small letters.
    words: HashSet<String>,
    numbers: HashMap<String, usize>,
}

impl Scrub {
    pub fn new(secrets: impl Iterator<Item = String>) -> Scrub {
        let mut secrets: Vec<String> = secrets.filter(|secret| secret.len() >= SECRET_OCTETS_MIN).collect();
        // A secret that holds another goes first.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Scrub { secrets, ..Scrub::default() }
    }

    /// This word is a person's.
    pub fn knows(&mut self, word: &str) {
        self.words.insert(word.to_lowercase());
    }

    pub fn text(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            text = text.replace(secret.as_str(), "<secret>");
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(c) = rest.chars().next() {
            let end =
                rest.find(|c| is_of_word(c) != is_of_word(rest.chars().next().unwrap_or(' '))).unwrap_or(rest.len());
            let (token, after) = rest.split_at(end);
            rest = after;
            if is_of_word(c) { self.word(token, &mut out) } else { out += token }
        }
        out
    }

    fn word(&mut self, token: &str, out: &mut String) {
        // A full stop ends a sentence more often than a name.
        let bare = token.trim_end_matches(['.', '-', '=']);
        let tail = &token[bare.len()..];
        if bare.contains('@') {
            let is_quoted = bare.starts_with('@') && out.ends_with('"');
            if (bare == "@" && !is_quoted) || bare == STRUCTURED_DATA {
                *out += token;
                return;
            }
            if is_quoted {
                // "quoted local part"@domain, on this line.
                let line = out.rfind('\n').map_or(0, |end| end + 1);
                let before = out[line..].trim_end_matches('"').rfind('"').unwrap_or(0);
                out.truncate(line + before);
            }
            // The domain of an address literal (RFC 5321 4.1.3) is no word, and stays.
            *out += &format!("<address-{}>{tail}", self.number(bare));
            return;
        }
        // `login=toto-j/inbox` is three words.
        let mut rest = bare;
        while !rest.is_empty() {
            let end = rest.find(|c: char| !is_of_login(c)).unwrap_or(rest.len());
            let (part, after) = rest.split_at(end);
            if self.words.contains(&part.to_lowercase()) {
                *out += &format!("<person-{}>", self.number(part));
            } else {
                *out += part;
            }
            let between = after.find(is_of_login).unwrap_or(after.len());
            *out += &after[..between];
            rest = &after[between..];
        }
        *out += tail;
    }

    fn number(&mut self, what: &str) -> usize {
        let next = self.numbers.len() + 1;
        *self.numbers.entry(what.to_lowercase()).or_insert(next)
    }
}

fn is_of_login(c: char) -> bool {
    c.is_alphanumeric() || "._+-".contains(c)
}

/// Letters of logins and addresses (RFC 5322 3.2.3, RFC 6532).
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || "._+-@=%~!#$&'*/?^`{|}".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrub() -> Scrub {
        let mut scrub = Scrub::new(["hunter2".to_owned(), "abc".to_owned(), "hunter22".to_owned()].into_iter());
        scrub.knows("toto-j");
        scrub.knows("Jean.Toto");
        scrub
    }

    #[test]
    fn people_and_secrets_go_and_the_rest_stays() {
        for (text, expected) in [
            ("mail of toto-j, again toto-j.", "mail of <person-1>, again <person-1>."),
            ("login=TOTO-J x=1", "login=<person-1> x=1"),
            ("from <Jean.Toto@univ.example>: 5.1.1", "from <<address-1>>: 5.1.1"),
            ("\"a b\"@c.example", "<address-1>"),
            ("é.è@exämple.fr and É.è@exämple.fr", "<address-1> and <address-1>"),
            ("pass hunter22, hunter2; abc", "pass <secret>, <secret>; abc"),
            ("facteur_queue_messages 12\ntotal", "facteur_queue_messages 12\ntotal"),
            ("jean.toto/inbox", "<person-1>/inbox"),
            ("a @ b", "a @ b"),
            ("to someone@[192.0.2.1]", "to <address-1>[192.0.2.1]"),
            ("fields@univ.example and [fields@32473]", "<address-1> and [fields@32473]"),
            ("kept\nhalf\"@c.example", "kept\n<address-1>"),
        ] {
            assert_eq!(scrub().text(text), expected);
        }
    }

    #[test]
    fn what_belongs_together_still_does() {
        let mut scrub = scrub();
        let first = scrub.text("a@b.example c@b.example");
        assert_eq!(first, "<address-1> <address-2>");
        assert_eq!(scrub.text("c@b.example"), "<address-2>");
    }
}
