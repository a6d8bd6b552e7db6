//! What must hold of a session whatever a client sends.

use super::desk::Desk;
use super::question::Question;
use super::session::{Config, Logins, Session, Step};
use crate::sasl::{Bindings, Mechanism};
use crate::smtp::Unstuffer;

/// Messages with every trouble on the way: dots, bare line ends, no end, nothing.
const MESSAGES: [&[u8]; 4] = [b"a: 1\r\n\r\n.\r\n..b\r\n", b"b: 1\n\n.\r\r.\nc", b"", b"d: 1\r\n.\r\n\r\n\xff\0"];

/// The first octet is the size of the pieces; with an even one the client is logged in, with every fourth odd one TLS is to come.
/// Each line of the client has one response, which is whole, of the form RFC 1939 3 says and the same in any pieces; a
/// message reads back; and nothing is removed without QUIT.
pub fn fuzz(octets: &[u8]) {
    let [size, input @ ..] = octets else { return };
    let login: &[u8] = if size % 2 == 0 { b"USER toto-j\r\nPASS secret\r\n" } else { b"" };
    let input = [login, input].concat();
    let whole = talk(size % 8 == 7, &input, input.len().max(1));
    check(&whole, &input);
    let cut = talk(size % 8 == 7, &input, usize::from(*size).max(1));
    if whole.secured == 0 {
        assert_eq!(whole, cut, "{} in pieces of {size}", input.escape_ascii());
    }
}

/// All that was said and done.
#[derive(Debug, Default, PartialEq, Eq)]
struct Talk {
    wire: Vec<u8>,
    asked: Vec<String>,
    removed: bool,
    secured: usize,
    closed: bool,
}

fn config(in_the_clear: bool) -> Config {
    Config {
        stls: in_the_clear,
        logins: if in_the_clear { Logins::UnderTls } else { Logins::Now },
        mechanisms: vec![Mechanism::Plain, Mechanism::Login, Mechanism::ScramSha256, Mechanism::OAuthBearer],
        bindings: Bindings::default(),
    }
}

fn talk(in_the_clear: bool, input: &[u8], size: usize) -> Talk {
    let (mut session, mut desk) = (Session::new(config(in_the_clear)), Desk::of(&MESSAGES));
    let mut talk = Talk::default();
    for piece in std::iter::once(&b""[..]).chain(input.chunks(size)) {
        if talk.closed {
            break;
        }
        session.feed(piece);
        while !talk.closed {
            match session.next() {
                Step::NeedInput => break,
                Step::Send(octets) => {
                    assert!(!octets.is_empty());
                    talk.wire.extend(octets);
                }
                Step::StartTls => {
                    talk.secured += 1;
                    session.secured(config(false));
                }
                Step::Ask(question) => {
                    talk.asked.push(format!("{question:?}"));
                    talk.removed |= matches!(&question, Question::Update { removed } if !removed.is_empty());
                    let answer = desk.answer(&question);
                    session.answer(answer);
                }
                Step::Close => talk.closed = true,
            }
        }
    }
    talk
}

/// Reads the responses by what the client's lines ask for.
fn check(talk: &Talk, input: &[u8]) {
    let mut rest = talk.wire.as_slice();
    assert!(status(&mut rest).starts_with(b"+OK "), "the greeting");
    let mut challenged = false;
    for line in lines(input) {
        if rest.is_empty() {
            break;
        }
        let first = status(&mut rest);
        let is_answer = std::mem::replace(&mut challenged, first.starts_with(b"+ "));
        if first.starts_with(b"+OK") && !is_answer && has_lines(line) {
            multi_line(line, &mut rest);
        }
        assert!(!talk.removed || input.to_ascii_uppercase().windows(4).any(|word| word == b"QUIT"), "removed unasked");
    }
    // The one that says why the connection ends may come before its line does.
    if talk.closed && !rest.is_empty() {
        assert!(status(&mut rest).starts_with(b"-ERR "));
    }
    assert!(rest.is_empty(), "{}", rest.escape_ascii());
}

/// The whole lines of the input, without CRLF.
fn lines(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = input;
    std::iter::from_fn(move || {
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let line = &rest[..end];
        rest = &rest[end + 2..];
        Some(line)
    })
}

/// Takes the next line off, which is one of those a response begins with.
fn status<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let end = rest.windows(2).position(|pair| pair == b"\r\n").expect("a response ends");
    let line = &rest[..end];
    *rest = &rest[end + 2..];
    let begins = [&b"+OK "[..], b"-ERR ", b"+ "].iter().any(|word| line.starts_with(word));
    assert!(begins && line.iter().all(|octet| (b' '..=b'~').contains(octet)), "{}", line.escape_ascii());
    line
}

/// Has a good answer to this command lines of its own?
fn has_lines(line: &[u8]) -> bool {
    let text = String::from_utf8_lossy(line).to_ascii_uppercase();
    let words: Vec<&str> = text.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
    match words.as_slice() {
        ["CAPA" | "AUTH" | "LIST" | "UIDL"] => true,
        [word, ..] => matches!(*word, "RETR" | "TOP"),
        [] => false,
    }
}

/// Takes the lines of a response off; those of RETR are the message.
fn multi_line(command: &[u8], rest: &mut &[u8]) {
    let (mut unstuffer, mut content) = (Unstuffer::default(), Vec::new());
    let decoded = unstuffer.decode(rest, &mut content);
    assert!(decoded.ended, "{} without an end", rest.escape_ascii());
    *rest = &rest[decoded.consumed..];
    let text = String::from_utf8_lossy(command);
    let number =
        text.get(..4).filter(|word| word.eq_ignore_ascii_case("RETR")).and_then(|_| text[4..].trim().parse().ok());
    let Some(stored) = number.and_then(|number: usize| MESSAGES.get(number.checked_sub(1)?)) else { return };
    let (mut expected, mut after_cr) = (Vec::new(), false);
    for octet in *stored {
        match octet {
            b'\n' if after_cr => {}
            b'\r' | b'\n' => expected.extend_from_slice(b"\r\n"),
            octet => expected.push(*octet),
        }
        after_cr = *octet == b'\r';
    }
    if !expected.is_empty() && !expected.ends_with(b"\r\n") {
        expected.extend_from_slice(b"\r\n");
    }
    assert_eq!(content, expected, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEDS: [&str; 6] = [
        "STAT\r\nLIST\r\nUIDL\r\nUIDL 2\r\nRETR 1\r\nRETR 2\r\nDELE 1\r\nLIST 1\r\nRSET\r\nQUIT\r\n",
        "TOP 1 0\r\nTOP 2 1\r\nTOP 4 9\r\nRETR 3\r\nRETR 4\r\nDELE 4\r\nDELE 4\r\nQUIT\r\n",
        "CAPA\r\nAUTH\r\nAUTH PLAIN\r\nAHRvdG8tagBzZWNyZXQ=\r\nCAPA\r\nNOOP\r\nRETR 2\r\n",
        "UTF8\r\nSTLS\r\nUSER toto-j\r\nPASS secret\r\nRETR 4\r\nLAST\r\n",
        "AUTH SCRAM-SHA-256 biwsbj10b3RvLWoscj14\r\n\
         Yz1iaXdzLHI9eHMscD1Cd2NIQndjSEJ3Y0hCd2NIQndjSEJ3Y0hCd2NIQndjSEJ3Y0hCd2NIQndjPQ==\r\n\r\nSTAT\r\n",
        "AUTH LOGIN\r\ndG90by1q\r\nc2VjcmV0\r\nLIST\r\nAUTH OAUTHBEARER biwsAWF1dGg9QmVhcmVyIHgBAQ==\r\nAQ==\r\n",
    ];

    #[test]
    fn conversations_keep_the_law_in_every_size_of_pieces() {
        for seed in SEEDS {
            (0..=64).for_each(|size| fuzz(&[&[size], seed.as_bytes()].concat()));
        }
    }

    #[test]
    fn no_prefix_of_a_command_is_answered() {
        for seed in SEEDS {
            for (at, _) in seed.match_indices("\r\n") {
                let begun = &seed[..at];
                let line = begun.rfind('\n').map_or(0, |end| end + 1);
                let said = |end: usize| talk(false, &seed.as_bytes()[..end], usize::MAX);
                let before = said(line);
                (line..=at + 1).for_each(|end| assert_eq!(said(end), before, "{:?}", &seed[line..end]));
                assert!(said(at + 2) != before, "{:?}", &seed[line..at + 2]);
            }
        }
    }

    #[test]
    fn the_law_can_fail() {
        let good = b"+OK hi\r\n+OK 1 octets\r\na: 1\r\n\r\n..\r\n...b\r\n.\r\n-ERR no\r\n";
        let talk = |wire: &[u8]| Talk { wire: wire.to_vec(), ..Talk::default() };
        check(&talk(good), b"RETR 1\r\nNOOP\r\n");
        for bad in [
            &b"+OK hi\r\n+OK 1 octets\r\na: 1\r\n\r\n..b\r\n.\r\n"[..],
            b"+OK hi\r\n+OK 1 octets\r\na: 1\r\n",
            b"+OK hi\r\n+OK \xc3\xa9\r\n",
            b"+OK hi\r\n+OK 1 octets\r\na: 1\r\n\r\n..\r\n...b\r\n.\r\n-ERR no\r\n-ERR twice\r\n",
        ] {
            let found = std::panic::catch_unwind(|| check(&talk(bad), b"RETR 1\r\nNOOP\r\n"));
            assert!(found.is_err(), "{}", bad.escape_ascii());
        }
    }

    proptest::proptest! {
        #[test]
        fn mutated_conversations_keep_the_law(
            size in proptest::prelude::any::<u8>(),
            seed in proptest::sample::select(&SEEDS[..]),
            cuts in proptest::collection::vec((0usize..400, "[A-Z ]{0,4}|\r|\n|\r\n|\0|é|\\PC{0,3}"), 0..4),
            noise in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40),
        ) {
            let mut octets = seed.as_bytes().to_vec();
            for (at, text) in cuts {
                let at = at % octets.len();
                octets.splice(at..(at + text.len() % 3).min(octets.len()), text.bytes());
                octets.push(b'\n');
            }
            fuzz(&[&[size], &octets[..], b"\r\nQUIT\r\n"].concat());
            fuzz(&[&[size], &noise[..]].concat());
        }
    }
}
