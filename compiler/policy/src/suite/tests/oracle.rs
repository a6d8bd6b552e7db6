//! Every file of tests or people that we decode, the `ron` crate decodes into the same model.

use ron::extensions::Extensions;
use serde::de::DeserializeOwned;

use super::{NANTES_PEOPLE, NANTES_TESTS};
use crate::diagnostic::Sources;
use crate::model::people::People;
use crate::suite::Tests;
use crate::syntax::{Decoded, read};

fn ron<T: DeserializeOwned>(text: &str) -> Result<T, ron::error::SpannedError> {
    let extensions = Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES | Extensions::UNWRAP_VARIANT_NEWTYPES;
    ron::Options::default().with_default_extension(extensions).from_str(text)
}

/// Whether we decoded the text whole; then `ron` must agree.
fn agrees<T: DeserializeOwned + PartialEq + std::fmt::Debug>(text: &str) -> bool {
    let mut sources = Sources::new();
    let file = sources.add("t.ron", text);
    let mut sink = Vec::new();
    let document = read(file, sources.text(file), &mut sink);
    let ours: Decoded<T> = document.decode(&mut sink);
    let Some(ours) = ours.whole().filter(|_| sink.is_empty()) else { return false };
    match ron::<T>(text) {
        Ok(theirs) => assert_eq!(ours, theirs, "{text}"),
        Err(error) => panic!("{error}\n{text}"),
    }
    true
}

const EVERY_FORM: &str = r#"Tests(
    policy: "nantes",
    people: { "toto-j": (profile: "standard", address: "Jean.Toto@univ-nantes.fr"), "durand-m": () },
    cases: [
        Case(name: "all events",
            given: (
                block: "person-outside", listener: "subm", client: "203.0.113.9", network: "outside", login: "toto-j",
                at: "2026-11-23 10:00:00", tls: true, recipients: { "a@b.example": Full, "c@b.example": Unsure },
                clamav: Infected("Eicar"), mcafee: DownFor("4 h"), engines: { "form": Clean, "learned": Down },
            ),
            when: [
                Sends(messages: 5, recipients_each: 50, every: "1 min", to: Unknown, from: "a@b.example", size: "2 MB"),
                Sends(messages: 1, recipients_each: 1), Attempts(recipients: 3, within: "1 min", to: Local), Wait("20 min"),
                Mail(from: "", to: ["y@other.example"], report: true, size: "20 MB", declares: false, from_header: "a@b.example", aligned: true, score: -3),
                Mail(to: []), AsksRedirect("jean@in2p3.fr"), AsksRedirectHome(to: "a@b.example", home: "b.example"),
                Connects(), Connects(times: 3, every: "1 s", staying: true), LogsIn, FailsLogin(times: 3, every: "1 s", same: true),
                Derives(first: "Jean", last: "Toto"), Moves(), Moves(block: "person-inside", login: "toto-j", tls: false),
            ],
            expect: [
                AllAccepted, FirstAccepted(3), Nothing, Refused(at: Rcpt, code: 451, by: "x"),
                Refused(at: Data, code: 554, by: "x", times: 2, recorded: Virus), Quarantined(told: Nobody, reply: 250, recorded: Virus),
                Dropped(told: Sender, reply: 250), Delivered(), Delivered(tagged: true, rescan: false, told: Managers), Allowed(by: "x"), Denied(by: "x"),
                OnGrant(by: "x"), Gets(login: "toto-j", address: "x"), Gets(), All([AllAccepted, All([Nothing])]),
            ],
        ),
        Case(name: "recorded", when: [Wait("1 s")], expect: Recorded),
        Each(name: "table", columns: ["block", "rcpt_per_msg", "rcpt_per_hour"], rows: [("a", 50, Some(500)), ("b", 100, None), ("c", 1, 2)]),
    ],
)"#;

#[test]
fn the_files_that_ship_and_every_form_decode_alike() {
    assert!(agrees::<Tests>(NANTES_TESTS));
    assert!(agrees::<People>(NANTES_PEOPLE));
    assert!(agrees::<Tests>(EVERY_FORM));
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
    "1",
    "-1",
    "true",
    "None",
    "Some(1)",
    "Some(\"x\")",
    "()",
    "Recorded",
    "AllAccepted",
    "Row(1)",
    "(1)",
    "[1]",
    "\"x\"",
    "x: 1",
    "\"k\": 2",
    "Full",
    "Infected",
    "Infected()",
    "'c'",
    "1.5",
    "Wait(\"1 s\")",
    "Connects()",
    "Connects",
    "LogsIn()",
    "LogsIn",
    "{}",
    "clamav: Clean",
    "inf",
];

/// Removes, repeats, swaps or replaces whole tokens.
fn mutate(text: &str, dice: &mut Dice) -> String {
    let mut sources = Sources::new();
    let file = sources.add("t.ron", text);
    let document = read(file, sources.text(file), &mut Vec::new());
    let tokens = &document.tree().tokens;
    let mut pieces: Vec<&str> = tokens.iter().map(|token| &text[token.start as usize..token.end as usize]).collect();
    for _ in 0..=dice.below(2) {
        let (at, other) = (dice.below(pieces.len()), dice.below(pieces.len()));
        match dice.below(5) {
            0 => drop(pieces.remove(at)),
            1 => pieces.insert(at, pieces[other]),
            2 => pieces.swap(at, other),
            3 => pieces[at] = PIECES[dice.below(PIECES.len())],
            _ => pieces.insert(at, PIECES[dice.below(PIECES.len())]),
        }
    }
    pieces.concat()
}

#[test]
fn mutations_of_tests_are_never_decoded_by_us_alone() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let decoded = (0..2000).filter(|_| agrees::<Tests>(&mutate(EVERY_FORM, &mut dice))).count();
    assert!(decoded > 100, "{decoded} decoded: the test says little");
}

#[test]
fn mutations_of_people_are_never_decoded_by_us_alone() {
    let mut dice = Dice(0xD1B5_4A32_D192_ED03);
    let decoded = (0..400).filter(|_| agrees::<People>(&mutate(NANTES_PEOPLE, &mut dice))).count();
    assert!(decoded > 20, "{decoded} decoded: the test says little");
}
