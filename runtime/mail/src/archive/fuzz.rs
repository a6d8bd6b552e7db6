//! The law of what other programs kept: mbox files, names and keywords of Maildirs.

use super::lines::has_bare_lf;
use super::maildir::{self, Keywords};
use super::mbox::{self, Entry, Message, ReadError, Reader};
use crate::Flags;
use crate::date::DateTime;

/// Octets of a message the readers below may hold.
const MESSAGE_OCTETS_MAX: usize = 1_000;

/// Any octets are read to their end in bounded memory, and what was read comes back from what is written of it.
pub fn fuzz(octets: &[u8]) {
    let begun = octets.split(|octet| *octet == b'\n').filter(|line| line.starts_with(b"From ")).count();
    for entry in entries(octets, begun) {
        if let Entry::Message(message) = entry {
            // Each LF may have become CRLF.
            assert!(message.octets.len() <= 2 * MESSAGE_OCTETS_MAX, "a message of {} octets", message.octets.len());
            assert!(!has_bare_lf(&message.octets), "lines end with CRLF");
            check_written(&message);
        }
    }
    check_maildir(octets);
}

fn entries(octets: &[u8], most: usize) -> Vec<Entry> {
    let mut reader = Reader::new(octets, MESSAGE_OCTETS_MAX);
    let mut entries = Vec::new();
    loop {
        match reader.read() {
            Ok(Some(entry)) => entries.push(entry),
            Ok(None) => break,
            Err(ReadError::NotMbox) => {
                assert!(entries.is_empty(), "only the first line is looked at");
                break;
            }
            Err(ReadError::Io(error)) => panic!("octets in memory: {error}"),
        }
        assert!(entries.len() <= most, "more messages than `From ` lines");
    }
    entries
}

fn check_written(message: &Message) {
    let date = message.date.unwrap_or(DateTime::utc(0));
    let mut file = Vec::new();
    for _ in 0..2 {
        mbox::write(&message.octets, &message.flags, date, &mut file);
    }
    let mut reader = Reader::new(&file[..], usize::MAX);
    for _ in 0..2 {
        match reader.read() {
            Ok(Some(Entry::Message(again))) => {
                assert_eq!(again.octets.escape_ascii().to_string(), message.octets.escape_ascii().to_string());
                assert_eq!(again.flags, message.flags);
                assert_eq!(again.date.map(|date| date.unix_seconds), Some(date.unix_seconds));
            }
            other => panic!("{other:?} from {}", file.escape_ascii()),
        }
    }
    assert!(matches!(reader.read(), Ok(None)), "two messages");
}

/// The first line is the name of a file, all of it the file of keywords.
fn check_maildir(octets: &[u8]) {
    let keywords = Keywords::read(octets);
    let text = keywords.text();
    assert_eq!(Keywords::read(text.as_bytes()), keywords, "keywords come back");
    let name = octets.split(|octet| *octet == b'\n').next().unwrap_or_default();
    let (_, whole) = maildir::order(name);
    assert_eq!(whole, name);
    let flags: Flags = keywords.flags(name);
    let (letters, lost) = keywords.letters(&flags);
    assert_eq!(lost, 0, "flags of a name have letters");
    assert_eq!(keywords.flags(format!("name:2,{letters}").as_bytes()), flags, "letters come back");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WORDS: [&str; 22] = [
        "From a Thu Jan  1 00:00:00 1970\n",
        "From b\n",
        ">From c\n",
        "\n",
        "\r\n",
        "\r",
        "Status: RO\n",
        "X-Status: AFDT\n",
        "X-Keywords: a $b\n",
        "X-Facteur-Mbox: ended\n",
        "X-Facteur-Mbox: unended\n",
        "Subject: x\n",
        " folded\n",
        "body\n",
        "0 projet\n",
        "25 $Forwarded\n",
        "1.M1.host:2,",
        "DFPRSTabz",
        ":2,",
        "\u{e9}",
        "\0",
        "From nobody Sat Feb 29 23:59:60 2020 +0200\n",
    ];

    proptest! {
        #[test]
        fn files_of_other_programs_keep_the_law(
            words in prop::collection::vec(prop::sample::select(&WORDS[..]), 0..30),
            noise in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let words = words.concat();
            fuzz(words.as_bytes());
            fuzz(&[words.as_bytes(), &noise].concat());
            fuzz(&[&noise, words.as_bytes()].concat());
        }
    }
}
