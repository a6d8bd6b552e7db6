//! Mutated conversations: no panic, and what is said does not depend on how the octets arrive.

use std::cell::RefCell;
use std::rc::Rc;

use super::{Client, Store};
use crate::imap::grammar;

pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides.max(1) as u64) as usize
    }
}

const SEEDS: &[&str] = &[
    "a LOGIN toto-j secret\r\nb SELECT INBOX\r\nc FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])\r\n",
    "a LOGIN {6+}\r\ntoto-j {6+}\r\nsecret\r\nb LIST \"\" *\r\nc LIST (SUBSCRIBED) \"\" (a% b*) RETURN (STATUS (MESSAGES))\r\n",
    "a LOGIN toto-j secret\r\nb APPEND INBOX (\\Seen) \"17-Jul-1996 02:44:25 -0700\" {13+}\r\nSubject: x\r\n\r\n\r\nc NOOP\r\n",
    "a LOGIN toto-j secret\r\nb SELECT INBOX\r\nc STORE 1:2 +FLAGS (\\Deleted $a)\r\nd EXPUNGE\r\ne UID MOVE 1:* Trash\r\n",
    "a LOGIN toto-j secret\r\nb SELECT INBOX\r\nc UID SEARCH RETURN (ALL SAVE) OR (NOT SUBJECT {1+}\r\nx) TEXT \"b\"\r\nd FETCH $ FULL\r\n",
    "a AUTHENTICATE PLAIN\r\nAHRvdG8tagBzZWNyZXQ=\r\nb ENABLE IMAP4rev2\r\nc SELECT INBOX\r\nd IDLE\r\nDONE\r\ne BINARY.SIZE\r\n",
    "a LOGIN toto-j secret\r\nb CREATE \"&AOk-\"\r\nc RENAME &AOk- z/y\r\nd DELETE z/y\r\ne STATUS Sent (SIZE)\r\nf GETQUOTAROOT INBOX\r\n",
    "a LOGIN toto-j secret\r\nb ENABLE QRESYNC\r\nc SELECT INBOX (QRESYNC (101 2 1:9 (1 1)))\r\nd UID STORE 1:* (UNCHANGEDSINCE 2) FLAGS ()\r\n\
     e UID FETCH 1:* FLAGS (CHANGEDSINCE 1 VANISHED)\r\n",
    "a LOGIN toto-j secret\r\nb EXAMINE INBOX\r\nc FETCH 1 (BINARY.SIZE[1] BODY[1.MIME]<0.9> RFC822)\r\nd CLOSE\r\ne LOGOUT\r\n",
    "a LOGIN toto-j secret\r\nb SELECT INBOX\r\nc APPEND Sent {1+}\r\nx (\\Seen) CATENATE (URL /INBOX/;UID=1/;SECTION=TEXT TEXT {2+}\r\nyz URL {7+}\r\n;UID=2 )\r\nd NOOP\r\n",
    "a LOGIN toto-j secret\r\nb SELECT INBOX\r\nc UID REPLACE 2 INBOX CATENATE (URL \";UID=2\")\r\nd REPLACE 1 Sent ~{3+}\r\nxyz\r\ne FETCH 1 (PREVIEW (LAZY) EMAILID SAVEDATE)\r\n",
    "a LOGIN toto-j secret\r\nb ENABLE UTF8=ACCEPT\r\nc APPEND Sent UTF8 (~{1+}\r\nx) {1+}\r\ny\r\nd STATUS Sent (MAILBOXID APPENDLIMIT)\r\n",
    "a LOGIN toto-j secret\r\nb SETACL INBOX -x +lrs\r\nc GETACL INBOX\r\nd LISTRIGHTS Sent x\r\ne MYRIGHTS INBOX\r\nf ID (\"name\" \"x\")\r\n",
    "a LOGIN toto-j secret\r\nb SETMETADATA INBOX (/private/a {1+}\r\nx)\r\nc GETMETADATA (DEPTH 1) \"\" /private\r\nd LIST \"\" * RETURN (METADATA (/private/a) MYRIGHTS)\r\n",
];

const PIECES: &[&str] = &[
    "{3}\r\n",
    "{3+}\r\n",
    "{99999999999999999999+}\r\n",
    "\r\n",
    "\n",
    "\"",
    "\\",
    "(",
    ")",
    "*",
    "1:*",
    "$",
    "0",
    "4294967295",
    "[",
    "]",
    "<",
    ">",
    " ",
    "&",
    "UID ",
    "NOT ",
    "OR ",
    "\u{e9}",
    "\0",
    "a NOOP\r\n",
    "DONE\r\n",
    "RETURN ()",
    " CATENATE (",
    " URL ;UID=1",
    " TEXT {1+}\r\n",
    " UTF8 (~{1+}\r\n",
    "BODY[",
    "FLAGS",
];

fn mutate(dice: &mut Dice) -> Vec<u8> {
    let mut octets = SEEDS[dice.roll(SEEDS.len())].as_bytes().to_vec();
    // The login stays whole most of the time, so that the fuzzing reaches what is behind it.
    let from = if dice.roll(4) == 0 { 0 } else { octets.iter().position(|o| *o == b'\n').unwrap_or(0) };
    for _ in 0..=dice.roll(4) {
        let at = from + dice.roll(octets.len() - from);
        let piece = PIECES[dice.roll(PIECES.len())].as_bytes();
        match dice.roll(5) {
            0 => drop(octets.remove(at)),
            1 => octets[at] = dice.roll(256) as u8,
            2 => drop(octets.splice(at..at, piece.iter().copied())),
            3 => {
                let end = (at + dice.roll(20)).min(octets.len());
                drop(octets.splice(at..end, piece.iter().copied()));
            }
            _ => {
                let line: Vec<u8> = octets[at..].iter().copied().take(40).collect();
                octets.extend(line);
            }
        }
        if octets.len() <= from {
            break;
        }
    }
    octets.extend_from_slice(b"\r\nz LOGOUT\r\n");
    octets
}

/// The whole conversation, with the octets in pieces of at most `size`.
fn converse(octets: &[u8], size: usize) -> String {
    talk(octets, size).0
}

/// What is said, as text and as octets.
fn talk(octets: &[u8], size: usize) -> (String, Vec<u8>) {
    let mut store = Store::new();
    for text in [
        "Subject: a\r\n\r\nb\r\n",
        "From: x@y\r\nContent-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\n\r\nz\r\n--q--\r\n",
    ] {
        store.deliver("INBOX", text.as_bytes());
    }
    let mut client = Client::stranger(&Rc::new(RefCell::new(store)));
    let mut said = String::new();
    for piece in octets.chunks(size) {
        if client.closed {
            break;
        }
        said.push_str(&client.say_octets(piece));
    }
    (said, client.wire.clone())
}

/// Each response is one line with its literals, and begins as one (RFC 9051 9, `response`): nothing a client or a message
/// brings ends a line early.
fn check_responses(wire: &[u8]) {
    let mut rest = wire;
    let mut begins = true;
    while !rest.is_empty() {
        let at = rest.windows(2).position(|pair| pair == b"\r\n").expect("a response ends");
        let (line, behind) = (&rest[..at], &rest[at + 2..]);
        assert!(!line.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0)), "{}", line.escape_ascii());
        let is_tagged = || {
            let mut words = line.splitn(3, |octet| *octet == b' ').skip(1);
            matches!(words.next(), Some(b"OK" | b"NO" | b"BAD"))
        };
        assert!(
            !begins || line.starts_with(b"* ") || line.starts_with(b"+ ") || is_tagged(),
            "{}",
            line.escape_ascii()
        );
        let literal = literal_octets(line);
        rest = &behind[literal.unwrap_or(0)..];
        begins = literal.is_none();
    }
    assert!(begins, "a literal is followed by the rest of its line");
}

/// The octets of the literal this line announces.
pub fn literal_octets(line: &[u8]) -> Option<usize> {
    let digits = line.strip_suffix(b"}")?.rsplit(|octet| *octet == b'{').next()?;
    (digits.len() + 1 < line.len()).then(|| std::str::from_utf8(digits).ok()?.parse().ok())?
}

/// The law of a session: what is said is responses, does not depend on how the octets arrive, and nothing makes it or the
/// store panic. The first octet is the size of the pieces; with an even one the client is logged in.
pub fn fuzz(octets: &[u8]) {
    let [size, input @ ..] = octets else { return };
    let login: &[u8] = if size % 2 == 0 { b"l LOGIN toto-j secret\r\ns SELECT INBOX\r\n" } else { b"" };
    let input = [login, input].concat();
    let (whole, wire) = talk(&input, usize::MAX);
    check_responses(&wire);
    let cut = converse(&input, usize::from(*size).max(1));
    assert_eq!(whole, cut, "{} in pieces of {size}", input.escape_ascii());
}

#[test]
fn mutated_conversations_do_not_panic_and_do_not_depend_on_how_they_are_cut() {
    let mut dice = Dice(0x1234_5678_9ABC_DEF1);
    for _ in 0..1_500 {
        let octets = mutate(&mut dice);
        let whole = converse(&octets, usize::MAX);
        for size in [1, 2 + dice.roll(30)] {
            let cut = converse(&octets, size);
            assert_eq!(whole, cut, "{:?} in pieces of {size}", String::from_utf8_lossy(&octets));
        }
    }
}

#[test]
fn mutated_conversations_keep_the_law() {
    let mut dice = Dice(0x0BAD_5EED_CAFE_F00D);
    for _ in 0..300 {
        let size = [dice.roll(256) as u8];
        fuzz(&[&size, &mutate(&mut dice)[..]].concat());
    }
}

#[test]
fn the_law_of_responses_can_fail() {
    check_responses(b"* 1 FETCH (BODY[] {4}\r\na\r\nb)\r\n+ go ahead\r\na.1 OK done\r\n");
    for bad in [&b"* LIST () NIL a\r\nb\r\n"[..], b"* a\nb\r\n", b"x y\r\n", b"* \"a\rb\"\r\n", b"* {1}\r\na"] {
        assert!(std::panic::catch_unwind(|| check_responses(bad)).is_err(), "{}", bad.escape_ascii());
    }
}

#[test]
fn mutated_commands_do_not_break_the_grammar() {
    let mut dice = Dice(0xFEDC_BA98_7654_3211);
    for _ in 0..5_000 {
        let octets = mutate(&mut dice);
        let start = octets.iter().position(|o| *o == b'\n').map_or(0, |at| at + 1);
        grammar::fuzz(&octets);
        grammar::fuzz(&octets[start.min(octets.len())..]);
    }
}
