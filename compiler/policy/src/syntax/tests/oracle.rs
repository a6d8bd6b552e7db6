//! The `ron` crate as oracle: what we accept it accepts, and both decode the same values.

use super::model::{Policy, WHOLE};
use super::{NANTES, STAGING, read_alone};
use crate::syntax::Decoded;
use ron::extensions::Extensions;
use serde::de::{DeserializeOwned, IgnoredAny};

pub(super) fn ron<T: DeserializeOwned>(text: &str) -> Result<T, ron::error::SpannedError> {
    let typed = Extensions::UNWRAP_NEWTYPES | Extensions::UNWRAP_VARIANT_NEWTYPES;
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME | typed).from_str(text)
}

/// `ron` without any extension but the one that files may name.
fn plain_ron<T: DeserializeOwned>(text: &str) -> Result<T, ron::error::SpannedError> {
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME).from_str(text)
}

/// The law. Returns whether we accepted the text, and whether we decoded it.
fn check(text: &str) -> (bool, bool) {
    let (document, found) = read_alone(text);
    let written: usize = document.tree().tokens.iter().map(|token| (token.end - token.start) as usize).sum();
    assert_eq!(written, text.len(), "{text}");
    let mut sink = Vec::new();
    let ours: Decoded<Policy> = document.decode(&mut sink);
    assert_eq!(ours.has_mistakes(), found.len() + sink.len() > 0, "{text}\n{found:?}\n{sink:?}");
    if !found.is_empty() {
        return (false, false);
    }
    assert!(plain_ron::<IgnoredAny>(text).is_ok(), "{:?}\n{text}", plain_ron::<IgnoredAny>(text).err());
    assert!(plain_ron::<ron::Value>(text).is_ok(), "{:?}\n{text}", plain_ron::<ron::Value>(text).err());
    match ours.whole() {
        Some(ours) => {
            assert_eq!(Some(ours), ron(text).map_err(|error| panic!("{error}\n{text}")).ok());
            (true, true)
        }
        None => (true, false),
    }
}

/// xorshift64*: the same mutations in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound.max(1)
    }
}

const PIECES: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "\"",
    "'",
    "#",
    "!",
    "/",
    "*",
    "//",
    "/*",
    "*/",
    "\\",
    "\n",
    "\r",
    " ",
    "\t",
    "_",
    "-",
    "+",
    ".",
    "0",
    "9",
    "0x",
    "1e3",
    "1.5",
    "-3",
    "r",
    "b",
    "r#\"",
    "\"#",
    "x",
    "é",
    "\u{202e}",
    "\u{0}",
    "true",
    "Some(",
    "None",
    "Some(1)",
    "()",
    "Rest",
    "In([])",
    "In",
    "a: 1",
    "\"k\": 2",
    "inf",
    "\\u{41}",
    "\\x41",
    "\\\n",
    "'a'",
    "'\\''",
    "#![enable(",
    "implicit_some",
    "Listener",
    "Policy",
    "99999999999",
    "Held()",
    "Held(only: \"x\")",
    "Fixed(\"x\")",
    "Between(1, 2)",
    "Graced(1)",
    "Graced(None)",
    "Graced()",
    "OnRequest(above: \"x\")",
];

/// Removes, repeats, swaps or inserts whole tokens, or cuts and inserts anywhere.
fn mutate(text: &str, dice: &mut Dice) -> String {
    let (document, _) = read_alone(text);
    let tokens = &document.tree().tokens;
    let mut pieces: Vec<&str> = tokens.iter().map(|token| &text[token.start as usize..token.end as usize]).collect();
    for _ in 0..=dice.below(3) {
        let (at, other) = (dice.below(pieces.len()), dice.below(pieces.len()));
        match dice.below(6) {
            0 if pieces.len() > 1 => drop(pieces.remove(at)),
            1 if !pieces.is_empty() => pieces.insert(at, pieces[other]),
            2 if !pieces.is_empty() => pieces.swap(at, other),
            3 if !pieces.is_empty() => pieces[at] = PIECES[dice.below(PIECES.len())],
            4 if !pieces.is_empty() => {
                let piece = pieces[at];
                let cut = (0..=dice.below(piece.len())).rev().find(|cut| piece.is_char_boundary(*cut)).unwrap_or(0);
                pieces[at] = &piece[cut..];
            }
            _ => pieces.insert(at, PIECES[dice.below(PIECES.len())]),
        }
    }
    pieces.concat()
}

#[test]
fn a_file_with_every_form_decodes_to_the_same_model() {
    assert_eq!(check(WHOLE), (true, true));
    assert_eq!(check(NANTES), (true, false));
}

#[test]
fn mutations_of_a_policy_are_never_accepted_by_us_alone() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let (mut accepted, mut decoded, rounds) = (0, 0, 3000);
    for _ in 0..rounds {
        let (read, typed) = check(&mutate(WHOLE, &mut dice));
        accepted += usize::from(read);
        decoded += usize::from(typed);
    }
    assert!(accepted > rounds / 20 && accepted < rounds, "{accepted} of {rounds} accepted: the test says little");
    assert!(decoded > rounds / 50, "{decoded} of {rounds} decoded: the test says little");
}

/// A part with every form of addition.
const PART: &str = r#"Part(
    include: ["others.ron"],
    redirects: (allow: { "cea": Suffix("cea.fr") }),
    networks: { "bench": In(["203.0.113.0/28"]) },
    waivers: [(lint: "L0512", at: "mailboxes.message_size", because: "x", until: "2027-08-31")],
)
"#;

#[test]
fn parts_and_overlays_are_accepted_by_ron_and_so_is_what_is_left_of_them() {
    assert_eq!(check(PART), (true, false));
    assert_eq!(check(STAGING), (true, false));
    let mut dice = Dice(0xA076_1D64_78BD_642F);
    for text in [PART, STAGING] {
        let accepted = (0..400).filter(|_| check(&mutate(text, &mut dice)).0).count();
        assert!(accepted > 20 && accepted < 400, "{accepted} of 400 accepted: the test says little");
    }
}

#[test]
fn mutations_of_the_policy_of_nantes_are_never_accepted_by_us_alone() {
    let mut dice = Dice(0xD1B5_4A32_D192_ED03);
    let accepted = (0..250).filter(|_| check(&mutate(NANTES, &mut dice)).0).count();
    assert!(accepted > 10, "{accepted} accepted: the test says little");
}

#[test]
fn bytes_from_anywhere_keep_the_law_of_the_reader() {
    let mut dice = Dice(0x0DDB_1A5E_5BAD_5EED);
    for _ in 0..2000 {
        let mut bytes = mutate(WHOLE, &mut dice).into_bytes();
        for _ in 0..dice.below(8) {
            let at = dice.below(bytes.len());
            bytes[at] = dice.below(256) as u8;
        }
        bytes.truncate(dice.below(2 * bytes.len()));
        crate::syntax::fuzz(&bytes);
    }
}

/// Small values of every kind in every position, so that rare forms meet each other.
#[test]
fn grown_values_are_never_accepted_by_us_alone() {
    let mut dice = Dice(0x1234_5678_9ABC_DEF1);
    let mut accepted = 0;
    for _ in 0..20_000 {
        let mut text = String::new();
        grow(&mut text, 4, &mut dice);
        accepted += usize::from(check(&text).0);
    }
    assert!(accepted > 4000, "{accepted} accepted: the test says little");
}

fn grow(text: &mut String, depth: usize, dice: &mut Dice) {
    let bracket = |text: &mut String, open: &str, close: &str, keyed: usize, dice: &mut Dice| {
        text.push_str(open);
        for index in 0..dice.below(3) {
            match keyed {
                1 => text.push_str(&format!("{}{index}: ", ["a", "b", "r", "_", "inf", "Some"][dice.below(6)])),
                2 => text.push_str(&format!("{}: ", ["a", "\"a\"", "r\"b\"", "B", "\"\\n\""][dice.below(5)])),
                _ => {}
            }
            grow(text, depth.saturating_sub(1), dice);
            text.push_str([",", ", ", " , ", ",\n", "/**/,", ""][dice.below(6)]);
        }
        text.push_str(close);
    };
    match if depth == 0 { dice.below(2) } else { dice.below(7) } {
        0 | 1 => text.push_str(PIECES[dice.below(PIECES.len())]),
        2 => bracket(text, "[", "]", 0, dice),
        3 => bracket(text, "{", "}", 2, dice),
        4 => bracket(text, ["(", "A(", "A (", "Some(", "b("][dice.below(5)], ")", 0, dice),
        5 => bracket(text, ["(", "A(", "A\n(", "r(", "true("][dice.below(5)], ")", 1, dice),
        _ => text.push_str(
            ["1", "\"x\"", "'c'", "true", "Rest", "-0x1f", "1_0", "0.5", "None", "()", "( )"][dice.below(11)],
        ),
    }
}
