use proptest::prelude::*;

use super::*;

fn read_all(octets: &[u8]) -> Vec<Message> {
    entries(octets, 1 << 20)
        .into_iter()
        .map(|entry| match entry {
            Entry::Message(message) => *message,
            Entry::TooLong { number } => panic!("message {number} is too long"),
        })
        .collect()
}

fn entries(octets: &[u8], max: usize) -> Vec<Entry> {
    // Octets come in small pieces, as a slow disk would give them.
    let mut reader = Reader::new(io::BufReader::with_capacity(7, octets), max);
    std::iter::from_fn(|| reader.read().expect("an mbox")).collect()
}

fn written(messages: &[(&[u8], Flags)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (octets, flags) in messages {
        write(octets, flags, DateTime::utc(880_106_106), &mut out);
    }
    out
}

fn keyword(flags: SystemFlags, word: &str) -> Flags {
    Flags { system: flags, keywords: Keyword::new(word).into_iter().collect() }
}

#[test]
fn an_mbox_looks_as_other_programs_expect_it() {
    let flags = keyword(SystemFlags::SEEN.with(SystemFlags::FLAGGED), "$Junk");
    let out = written(&[(b"Subject: a\r\n\r\nFrom here on\r\n>From there\r\n", flags)]);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "From MAILER-DAEMON Fri Nov 21 09:55:06 1997\nX-Facteur-Mbox: ended\nStatus: RO\nX-Status: F\nX-Keywords: $Junk\n\
         Subject: a\n\n>From here on\n>>From there\n\n"
    );
}

#[test]
fn the_fields_of_other_programs_become_flags_and_go() {
    let text =
        b"From a@b Fri Nov 21 09:55:06 1997\nStatus: RO\nSubject: s\nX-Status: AF\nX-UID: 5\nX-Keywords: one two\n \
                 three\nContent-Length: 5\n\nbody\n\nFrom c Sat Nov 22 01:02:03 1997 +0100\nSubject: t\n\nStatus: R\n";
    let messages = read_all(text);
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0].octets, b"Subject: s\r\n\r\nbody\r\n");
    assert_eq!(messages[0].flags.to_string(), "\\Answered \\Flagged \\Seen one three two");
    assert_eq!(messages[0].date, Some(DateTime::utc(880_106_106)));
    assert_eq!(messages[1].octets, b"Subject: t\r\n\r\nStatus: R\r\n", "a body is nobody's header");
    assert_eq!(messages[1].flags, Flags::default());
    assert_eq!(messages[1].date.map(|date| date.offset_minutes), Some(60));
}

#[test]
fn the_message_an_imap_server_keeps_its_numbers_in_is_passed_over() {
    let text = b"From a Fri Nov 21 09:55:06 1997\nFrom: Mail System Internal Data <MAILER-DAEMON@vm>\n\
                 Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1 2\n\ntext\n\n\
                 From b Fri Nov 21 09:55:06 1997\nSubject: t\n\nb\n";
    assert_eq!(read_all(text).len(), 1);
    assert_eq!(read_all(text)[0].octets, b"Subject: t\r\n\r\nb\r\n");
}

#[test]
fn a_message_with_such_fields_of_its_own_keeps_them() {
    let message =
        b"X-Facteur-Mbox: ended\r\nStatus: RO\r\nX-Status: D\r\nX-Keywords: x\r\nContent-Length: 1\r\n\r\nb\r\n";
    let back = read_all(&written(&[(message, Flags::default())]));
    assert_eq!((back[0].octets.as_slice(), &back[0].flags), (&message[..], &Flags::default()));
}

#[test]
fn text_that_begins_with_from_separates_nothing() {
    for text in ["From me to you", "From Monday on", "From Fri to Sat", "From a Fri Nov 99 99:99:99 1997", "From "] {
        let octets = format!("From a Fri Nov 21 09:55:06 1997\n\nbefore\n\n{text}\nbehind\n");
        let messages = read_all(octets.as_bytes());
        assert_eq!(messages.len(), 1, "{text}");
        assert!(messages[0].octets.ends_with(b"behind\r\n"));
    }
}

#[test]
fn what_is_no_mbox_is_refused_and_an_empty_file_has_no_messages() {
    for bad in [&b"Subject: a\n\n"[..], b"\x00\x01", b">From a Fri Nov 21 09:55:06 1997\n", b"From\n"] {
        assert!(matches!(Reader::new(bad, 100).read(), Err(ReadError::NotMbox)), "{bad:?}");
    }
    assert_eq!(entries(b"", 100), []);
    assert_eq!(entries(b"\n\r\n", 100), []);
}

#[test]
fn lines_and_messages_without_end_are_held_to_the_bound() {
    let mut octets = b"From a Fri Nov 21 09:55:06 1997\n".to_vec();
    octets.extend(std::iter::repeat_n(b'x', 300_000));
    octets.extend_from_slice(b"From a Fri Nov 21 09:55:06 1997\n\nFrom b Fri Nov 21 09:55:06 1997\nS: t\n\nb\0\n");
    let found = entries(&octets, 100_000);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0], Entry::TooLong { number: 1 });
    assert!(matches!(&found[1], Entry::Message(message) if message.octets == b"S: t\r\n\r\nb\0\r\n"));
    // The same line within the bound: a `From ` far inside a line begins no message.
    assert_eq!(read_all(&octets)[0].octets.len(), 300_000 + 33);
}

#[test]
fn an_mbox_with_crlf_and_one_without_a_last_line_end_are_read() {
    let crlf =
        b"From a Fri Nov 21 09:55:06 1997\r\nS: t\r\n\r\nb\r\n\r\nFrom a Fri Nov 21 09:55:06 1997\r\nS: u\r\n\r\n";
    let messages = read_all(crlf);
    assert_eq!(messages[0].octets, b"S: t\r\n\r\nb\r\n");
    assert_eq!(messages[1].octets, b"S: u\r\n");
    assert_eq!(read_all(b"From a Fri Nov 21 09:55:06 1997\nS: t\n\nno end")[0].octets, b"S: t\r\n\r\nno end");
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just("From a Fri Nov 21 09:55:06 1997".to_owned()),
        Just(">From x".to_owned()),
        Just(String::new()),
        Just("Status: R".to_owned()),
        Just("X-Facteur-Mbox: unended".to_owned()),
        "[ -~\r\0\u{e9}]{0,12}",
    ];
    (proptest::collection::vec(line, 0..8), any::<bool>()).prop_map(|(lines, ended)| {
        let mut text = lines.join("\r\n");
        if ended {
            text.push_str("\r\n");
        }
        text.into_bytes()
    })
}

proptest! {
    #[test]
    fn messages_flags_and_dates_come_back(
        messages in proptest::collection::vec((message(), 0..32_u8, proptest::collection::btree_set("[a-z$,]{1,5}", 0..4), 0..250_000_000_000_i64), 0..5),
    ) {
        let mut out = Vec::new();
        let mut expected = Vec::new();
        for (octets, bits, words, seconds) in messages {
            let keywords = words.iter().filter_map(|word| Keyword::new(word)).collect();
            let flags = Flags { system: SystemFlags::from_bits(bits), keywords };
            write(&octets, &flags, DateTime { unix_seconds: seconds, offset_minutes: 90 }, &mut out);
            expected.push(Message { octets, flags, date: Some(DateTime::utc(seconds)) });
        }
        prop_assert_eq!(read_all(&out), expected);
    }

    #[test]
    fn any_octets_give_messages_or_an_error(octets in proptest::collection::vec(any::<u8>(), 0..200), max in 0..100_usize) {
        let octets = [&b"From a Fri Nov 21 09:55:06 1997\n"[..], &octets].concat();
        let held = entries(&octets, max);
        prop_assert!(!held.is_empty());
    }
}
