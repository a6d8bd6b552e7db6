//! Takes people out of a text. The same address is the same number everywhere, so that what belongs together still does.

use std::collections::{HashMap, HashSet};

/// A shorter secret would be found in everything; it is none.
const SECRET_OCTETS_MIN: usize = 4;
/// A shorter name is a word of many languages.
const NAME_CHARS_MIN: usize = 3;
/// What looks like an address in every line of syslog (RFC 5424 7.2.2).
const STRUCTURED_DATA: &str = "fields@32473";

/// What is taken out, and what stands for it.
#[derive(Clone, Debug, Default)]
pub struct Scrub {
    secrets: Vec<String>,
    /// Logins, local parts and names, folded: without accents, in small letters.
    words: HashSet<String>,
    /// Names so short that they are one only where they begin with a capital letter.
    short: HashSet<String>,
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
        self.words.insert(mail::fold(word));
    }

    /// This is a person's first or last name, or how they are shown: each word of it is theirs.
    pub fn knows_name(&mut self, name: &str) {
        let folded = mail::fold(name);
        let is_short = |word: &str| word.chars().count() < NAME_CHARS_MIN;
        if is_short(&folded) {
            self.short.insert(folded);
            return;
        }
        // Le, de, von: no word of the log goes for their sake.
        let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !is_short(word));
        self.words.extend(words.map(str::to_owned));
        self.words.insert(folded);
    }

    fn is_known(&self, word: &str) -> bool {
        let folded = mail::fold(word);
        let is_name = || word.chars().next().is_some_and(char::is_uppercase) && self.short.contains(&folded);
        self.words.contains(&folded) || is_name()
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
            self.part(part, out);
            let between = after.find(is_of_login).unwrap_or(after.len());
            *out += &after[..between];
            rest = &after[between..];
        }
        *out += tail;
    }

    /// A login, a local part, or names that stand as closely together.
    fn part(&mut self, part: &str, out: &mut String) {
        if self.is_known(part) {
            *out += &format!("<person-{}>", self.number(part));
            return;
        }
        for piece in part.split_inclusive(is_between_names) {
            let name = piece.trim_end_matches(is_between_names);
            if self.is_known(name) {
                *out += &format!("<person-{}>", self.number(name));
                *out += &piece[name.len()..];
            } else {
                *out += piece;
            }
        }
    }

    fn number(&mut self, what: &str) -> usize {
        let next = self.numbers.len() + 1;
        *self.numbers.entry(mail::fold(what)).or_insert(next)
    }
}

fn is_of_login(c: char) -> bool {
    c.is_alphanumeric() || is_accent(c) || "._+-".contains(c)
}

fn is_between_names(c: char) -> bool {
    "._+-".contains(c)
}

/// An accent written behind its letter (combining diacritical marks).
fn is_accent(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// Letters of logins and addresses (RFC 5322 3.2.3, RFC 6532).
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || is_accent(c) || "._+-@=%~!#$&'*/?^`{|}".contains(c)
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
    fn names_go_however_they_are_written() {
        let scrub = || {
            let mut scrub = scrub();
            for name in ["Hélène", "Lœuf de la Bruyère", "Jean-Pierre", "O\u{2019}Brien", "Li", "Dupont", "Müller"]
            {
                scrub.knows_name(name);
            }
            scrub
        };
        for (text, expected) in [
            ("told Hélène Lœuf de la Bruyère of it", "told <person-1> <person-2> de la <person-3> of it"),
            ("HELENE LOEUF, hélène", "<person-1> <person-2>, <person-1>"),
            ("He\u{301}le\u{300}ne was", "<person-1> was"),
            ("name=\"Jean-Pierre\" jean.dupont", "name=\"<person-1>\" <person-2>.<person-3>"),
            ("helene.dupont+list=x", "<person-1>.<person-2>+list=x"),
            ("M. O'Brien, of O\u{2019}Brien", "M. O'<person-1>, of O\u{2019}<person-1>"),
            ("Li asks for a list: li is no name here", "<person-1> asks for a list: li is no name here"),
            ("MULLER/Sent", "<person-1>/Sent"),
            ("duponts and limits stay", "duponts and limits stay"),
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
