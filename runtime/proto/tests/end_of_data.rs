//! The published sequences that servers have taken for the end of data (`smtp/end-of-data-vectors.json` of the corpus),
//! each in every split, by DATA and by BDAT, under SMTP and under LMTP. Reads a file, so it stands outside the pure crate. Without the corpus it says so and ends.

use std::path::PathBuf;

use base64::Engine;
use mail::reply::{self, Reply};
use proto::smtp::{AuthMode, Config, Question, Session, Step, Stuffer, TlsMode};

fn vectors() -> Option<serde_json::Value> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let folder = std::env::var_os("FACTEUR_CORPUS").map_or(beside, PathBuf::from);
    let text = std::fs::read_to_string(folder.join("smtp/end-of-data-vectors.json")).ok()?;
    Some(serde_json::from_str(&text).expect("the corpus is JSON"))
}

/// Replies to what comes after the content began, and the messages that were accepted.
fn talk(lmtp: bool, octets: &[u8], size: usize) -> (Vec<u16>, Vec<Vec<u8>>) {
    let mut session = Session::new(Config {
        host: "mx.example".parse().expect("a domain"),
        tls: TlsMode::None,
        auth: AuthMode::Never,
        mechanisms: Vec::new(),
        size_octets_max: 1_000,
        rcpt_max: 100,
        smtputf8: true,
        dsn: false,
        lmtp,
        xclient: false,
    });
    let (mut codes, mut messages, mut content) = (Vec::new(), Vec::new(), Vec::new());
    let mut pieces = octets.chunks(size);
    loop {
        match session.next() {
            Step::Send(reply) => codes.push(reply.code.basic),
            Step::Content(piece) => content.extend(piece),
            Step::NeedInput => match pieces.next() {
                Some(piece) => session.feed(piece),
                None => return (codes.split_off(5), messages),
            },
            Step::Ask(Question::ContentEnd { fault, .. }) => {
                let whole = std::mem::take(&mut content);
                if fault.is_none() {
                    messages.push(whole);
                }
                session.answer(Reply::new(reply::CONTENT_OK, "OK"));
            }
            Step::Ask(Question::ContentStart { .. }) => session.answer(Reply::new(reply::START_INPUT, "Go on")),
            Step::Ask(_) => session.answer(Reply::new(reply::OK, "OK")),
            step => panic!("{step:?}"),
        }
    }
}

/// Calls `judge` with each sequence, or says why it does not.
fn each(mut judge: impl FnMut(&str, &serde_json::Value, &[u8])) {
    let Some(corpus) = vectors() else {
        eprintln!("SKIPPED: no corpus beside the project and no FACTEUR_CORPUS");
        return;
    };
    let vectors = corpus["vectors"].as_array().expect("a list of vectors");
    assert!(vectors.len() >= 20, "{} vectors", vectors.len());
    for vector in vectors {
        let sequence = vector["bytes_base64"].as_str().expect("octets");
        let sequence = base64::engine::general_purpose::STANDARD.decode(sequence).expect("base64");
        judge(vector["expect"].as_str().expect("a verdict"), &vector["name"], &sequence);
    }
}

fn begun(lmtp: bool, body: &str, rest: &[u8]) -> Vec<u8> {
    let hello = if lmtp { "LHLO" } else { "EHLO" };
    let start = format!("{hello} c\r\nMAIL FROM:<>{body}\r\nRCPT TO:<a@here.example>\r\n");
    [start.as_bytes(), rest].concat()
}

#[test]
fn no_published_sequence_smuggles_a_message() {
    each(|expect, name, sequence| {
        let content = [b"DATA\r\nabc", sequence, b"NOOP\r\n.\r\nNOOP\r\n"].concat();
        for lmtp in [false, true] {
            let wire = begun(lmtp, "", &content);
            for size in 1..=wire.len() {
                judge(expect, name, talk(lmtp, &wire, size));
            }
        }
    });
}

#[test]
fn no_published_sequence_ends_a_chunk() {
    each(|_, name, sequence| {
        let chunk = [b"abc", sequence, b"NOOP\r\n.\r\nNOOP\r\n"].concat();
        for (lmtp, body) in [(false, ""), (true, ""), (false, " BODY=BINARYMIME")] {
            let said = [format!("BDAT {} LAST\r\n", chunk.len()).as_bytes(), &chunk, b"NOOP\r\n"].concat();
            let wire = begun(lmtp, body, &said);
            for size in 1..=wire.len() {
                let (codes, messages) = talk(lmtp, &wire, size);
                // The place of 354 in the list of replies is that of the content's.
                assert!(matches!(codes[..], [250]), "{name}: {codes:?}");
                messages.iter().for_each(|message| assert!(message.starts_with(&chunk), "{name}: all of it"));
                let sound = body.is_empty();
                messages.iter().filter(|_| sound).for_each(|message| ends_once(name, message));
            }
        }
    });
}

fn judge(expect: &str, name: &serde_json::Value, (codes, messages): (Vec<u16>, Vec<Vec<u8>>)) {
    match expect {
        // NOOP is a command, the dot is none, NOOP is a command.
        "end" => assert!(matches!(codes[..], [250 | 554, 250, 500, 250]), "{name}: {codes:?}"),
        "not-end" => assert!(matches!(codes[..], [250 | 554, 250]), "{name}: {codes:?}"),
        "see-note" => assert_eq!(messages.len(), 0, "{name}: a message and commands came out"),
        other => panic!("{name}: unknown verdict {other}"),
    }
    messages.iter().for_each(|message| ends_once(name, message));
}

/// The next server sees one end of data.
fn ends_once(name: &serde_json::Value, message: &[u8]) {
    let mut stuffed = Vec::new();
    let mut stuffer = Stuffer::default();
    stuffer.encode(message, &mut stuffed);
    stuffer.finish(&mut stuffed);
    let ends = stuffed.windows(3).filter(|window| window == b"\n.\r").count();
    assert_eq!(ends, 1, "{name}: the next server sees one end");
    assert!(message.split(|octet| *octet == b'\n').rev().skip(1).all(|line| line.ends_with(b"\r")), "{name}");
}
