//! Where tokens are collected.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use super::hash::Hash;
use super::words::{Word, words};

/// Distinct tokens of one message.
pub const TOKENS_MAX: usize = 4_096;

/// Groups of tokens that say much of the same.
pub const VOICES: usize = 3;

/// What a token is about. It is part of its name: the upper four bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// A word of the text.
    Word = 1,
    /// Two words beside each other.
    Pair = 2,
    /// Whether there is HTML: links and traits of the build are counted for each apart.
    Layout = 3,
    Subject = 4,
    /// Who it says it is from.
    From = 5,
    /// Other fields of the header.
    Header = 6,
    /// Hosts of links.
    Host = 7,
    /// The rest of links.
    Link = 8,
    /// How it is built: parts, files, HTML.
    Build = 9,
    /// The language of the text, which words are counted in.
    Language = 10,
}

impl Kind {
    /// Whether a token is of this kind.
    pub fn has(self, token: u64) -> bool {
        token >> 60 == self as u64
    }

    /// Whether a token is a word of a language, and is compared with messages in it.
    pub fn is_language(token: u64) -> bool {
        [Kind::Word, Kind::Pair, Kind::Subject].into_iter().any(|kind| kind.has(token))
    }

    /// Whether a token is part of a layout, and is compared with messages that have it.
    pub fn is_layout(token: u64) -> bool {
        Kind::Link.has(token) || Kind::Build.has(token)
    }

    /// Whether a token says much of what other tokens of its message say, too.
    pub fn repeats(token: u64) -> bool {
        Kind::Build.has(token) || Kind::Pair.has(token)
    }

    /// The voice that a token is part of, below [`VOICES`]: what is written, who wrote it and about what, how it is built.
    pub fn voice(token: u64) -> usize {
        if Kind::Word.has(token) || Kind::Pair.has(token) {
            0
        } else if Kind::Host.has(token) || Kind::Link.has(token) || Kind::Build.has(token) {
            2
        } else {
            1
        }
    }

    /// As people are told.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Word => "word",
            Kind::Pair => "words",
            Kind::Layout => "layout",
            Kind::Subject => "in Subject",
            Kind::From => "in From",
            Kind::Header => "in the header",
            Kind::Host => "host of a link",
            Kind::Link => "kind of link",
            Kind::Build => "build",
            Kind::Language => "language",
        }
    }
}

/// A set of names that are hashes already.
pub type Names = HashSet<u64, BuildHasherDefault<AsIs>>;

/// Takes a hash for what it is.
#[derive(Default)]
pub struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        // Tables look at both ends of a hash, and the upper four bits of a name are its kind.
        self.0.rotate_left(4)
    }

    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.0 = self.0.rotate_left(8) ^ u64::from(*octet);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// Tokens so far: in the order they came, each once.
#[derive(Default)]
pub struct Gather {
    pub seen: Names,
    pub tokens: Vec<u64>,
    /// What each one says, when somebody wants to know.
    pub said: Option<Vec<(Kind, String)>>,
    /// Stands in front of words.
    pub language: &'static str,
    /// Stands in front of links and traits of the build: `html ` or `plain `.
    pub layout: &'static str,
}

impl Gather {
    pub fn full(&self) -> bool {
        self.tokens.len() >= TOKENS_MAX
    }

    /// Adds one token, unless there are enough.
    pub fn add(&mut self, kind: Kind, pieces: &[&str]) {
        let mut hash = Hash::begin();
        hash.feed(self.layout_of(kind).as_bytes());
        pieces.iter().for_each(|piece| hash.feed(piece.as_bytes()));
        self.add_hashed(kind, hash, pieces);
    }

    /// What stands in front of a token of this kind.
    fn layout_of(&self, kind: Kind) -> &'static str {
        if matches!(kind, Kind::Link | Kind::Build) { self.layout } else { "" }
    }

    /// The same where the hash of the pieces is known.
    fn add_hashed(&mut self, kind: Kind, hash: Hash, pieces: &[&str]) {
        if self.full() {
            return;
        }
        let (token, layout) = (hash.end() >> 4 | (kind as u64) << 60, self.layout_of(kind));
        if self.seen.insert(token) {
            self.tokens.push(token);
            if let Some(said) = &mut self.said {
                said.push((kind, format!("{layout}{}", pieces.concat())));
            }
        }
    }

    /// Words of a piece of running text; pairs of them too.
    pub fn prose(&mut self, text: &str) {
        let language = self.language;
        let mut beginning = Hash::begin();
        beginning.feed(language.as_bytes());
        beginning.feed(b" ");
        // The word before with its hash, which that of the pair goes on from. The word itself is needed to say it alone.
        let mut before: Option<Hash> = None;
        let mut before_text = String::new();
        words(text, &mut |word: Word<'_>| {
            let mut hash = beginning;
            hash.feed(word.text.as_bytes());
            self.add_hashed(Kind::Word, hash, &[language, " ", word.text]);
            if let Some(mut pair) = before.filter(|_| !word.gram) {
                pair.feed(b" ");
                pair.feed(word.text.as_bytes());
                self.add_hashed(Kind::Pair, pair, &[language, " ", &before_text, " ", word.text]);
            }
            before = (!word.gram).then_some(hash);
            if self.said.is_some() {
                before_text.clear();
                before_text.push_str(word.text);
            }
            !self.full()
        });
    }

    /// Makes room for the words of so many octets of text.
    pub fn expect(&mut self, octets: usize) {
        let tokens = (octets / 6 + 128).min(TOKENS_MAX);
        self.seen.reserve(tokens);
        self.tokens.reserve(tokens);
    }

    /// Words of a short text, each under a label of its own; `pairs` of them too.
    pub fn labelled(&mut self, kind: Kind, label: &str, text: &str, pairs: bool) {
        let mut before = String::new();
        words(text, &mut |word: Word<'_>| {
            self.add(kind, &[label, word.text]);
            if word.shouted && pairs {
                self.add(kind, &[label, "shouted ", word.text]);
            }
            if pairs && !before.is_empty() {
                self.add(kind, &[label, &before, " ", word.text]);
            }
            before.clear();
            before.push_str(word.text);
            !self.full()
        });
    }
}
