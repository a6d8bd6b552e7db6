use proptest::prelude::*;

use super::*;

fn spam() -> Tag {
    Tag::new("[SPAM]").unwrap()
}

fn made(section: &[u8], tag: &Tag) -> Vec<u8> {
    edit(section, tag).map_or_else(|| section.to_vec(), |edit| edit.made(section))
}

#[track_caller]
fn check(section: &str, expected: &str) {
    assert_eq!(String::from_utf8(made(section.as_bytes(), &spam())).unwrap(), expected, "{section:?}");
}

#[test]
fn the_first_line_of_subject_gets_the_tag_and_the_original_is_kept() {
    check("Subject: Bonjour\r\n\r\n", "X-Original-Subject: Bonjour\r\nSubject: [SPAM] Bonjour\r\n\r\n");
    check(
        "To: a@b\r\nsUBJECT:Bonjour\r\n le monde\r\nX: y\r\n\r\n",
        "X-Original-Subject:Bonjour\r\n le monde\r\nTo: a@b\r\nsUBJECT: [SPAM] Bonjour\r\n le monde\r\nX: y\r\n\r\n",
    );
    check("Subject :\t a\r\n\r\n", "X-Original-Subject:\t a\r\nSubject :\t [SPAM] a\r\n\r\n");
    check("Subject: a\n\n", "X-Original-Subject: a\r\nSubject: [SPAM] a\n\n");
    check("Subject: a", "X-Original-Subject: a\r\nSubject: [SPAM] a");
}

#[test]
fn an_absent_subject_is_added_in_front() {
    check("To: a@b\r\n\r\nSubject: in the body\r\n", "Subject: [SPAM]\r\nTo: a@b\r\n\r\nSubject: in the body\r\n");
    check("\r\nbody", "Subject: [SPAM]\r\n\r\nbody");
    check("", "Subject: [SPAM]\r\n");
}

#[test]
fn a_line_that_says_nothing_gets_no_space_at_its_end() {
    check("Subject:\r\n\r\n", "X-Original-Subject:\r\nSubject: [SPAM]\r\n\r\n");
    check("Subject: \r\n\r\n", "X-Original-Subject: \r\nSubject: [SPAM]\r\n\r\n");
    check("Subject:\r\n Bonjour\r\n\r\n", "X-Original-Subject:\r\n Bonjour\r\nSubject: [SPAM]\r\n Bonjour\r\n\r\n");
    check("Subject: \n\tBonjour\n\n", "X-Original-Subject: \n\tBonjour\r\nSubject: [SPAM]\n\tBonjour\n\n");
}

#[test]
fn encoded_words_stay_and_no_line_with_them_becomes_too_long() {
    check(
        "Subject: =?utf-8?B?w6l0w6k=?=\r\n\r\n",
        "X-Original-Subject: =?utf-8?B?w6l0w6k=?=\r\nSubject: [SPAM] =?utf-8?B?w6l0w6k=?=\r\n\r\n",
    );
    for end in ["\r\n", "\n"] {
        let word = format!("=?utf-8?q?{}?=", "a".repeat(53));
        let section = format!("Subject: {word}{end} more{end}{end}");
        let tagged = String::from_utf8(made(section.as_bytes(), &spam())).unwrap();
        let tagged = tagged.split_once("Subject: [").unwrap().1.to_owned();
        assert_eq!(tagged, format!("SPAM]{end} {word}{end} more{end}{end}"));
    }
}

#[test]
fn a_subject_that_begins_with_the_tag_is_left() {
    for subject in [
        "[SPAM] a",
        " [spam]a",
        "\r\n [Spam]\r\n a",
        "=?utf-8?B?W1NQQU1dIMOpdMOp?=",
        "=?iso-8859-1?q?=5BSPAM=5D?= a",
        "=?utf-8?q?=5BSP?= =?utf-8?q?AM=5D_a?=",
        "=?utf-16be?B?AFsAUwBQAEEATQBd?=",
        "\u{200b}[SPAM]",
    ] {
        let section = format!("Subject: {subject}\r\n\r\n");
        assert_eq!(edit(section.as_bytes(), &spam()), None, "{subject:?}");
    }
    for subject in ["Re: [SPAM] a", "SPAM", "[SPA", "a [SPAM]", "=?utf-8?q?Re:_[SPAM]?=", "= ?utf-8?q?[SPAM]?="] {
        let section = format!("Subject: {subject}\r\n\r\n");
        let edit = edit(section.as_bytes(), &spam()).unwrap();
        assert_eq!(edit.insertion.unwrap().octets, b"[SPAM] ", "{subject:?}");
    }
    let word = Tag::new("SPAM").unwrap();
    assert_eq!(edit(b"Subject: spam: a\r\n", &word), None);
    assert!(edit(b"Subject: Spamalot\r\n", &word).is_some());
}

#[test]
fn of_several_subjects_the_first_counts() {
    check(
        "Subject: a\r\nSubject: [SPAM] b\r\n\r\n",
        "X-Original-Subject: a\r\nSubject: [SPAM] a\r\nSubject: [SPAM] b\r\n\r\n",
    );
    assert_eq!(edit(b"Subject: [SPAM] a\r\nSubject: b\r\n\r\n", &spam()), None);
}

#[test]
fn octets_that_are_no_text_are_kept_as_they_are() {
    let section = b"Subject: caf\xe9 \x00\xff\r\n\r\n";
    let expected = b"X-Original-Subject: caf\xe9 \x00\xff\r\nSubject: [SPAM] caf\xe9 \x00\xff\r\n\r\n";
    assert_eq!(made(section, &spam()), expected);
}

#[test]
fn a_tag_of_other_letters_is_encoded_and_its_space_is_seen() {
    let tag = Tag::new(" [Indésirable] ").unwrap();
    let read = |section: &[u8]| header::text_of(&made(section, &tag), "subject");
    for section in ["Subject: =?utf-8?q?=C3=A9t=C3=A9?=\r\n\r\n", "Subject:\r\n =?utf-8?q?=C3=A9t=C3=A9?=\r\n\r\n"] {
        assert_eq!(read(section.as_bytes()), "[Indésirable] été");
    }
    assert_eq!(read("Subject: été\r\n\r\n".as_bytes()), "[Indésirable] été");
    assert_eq!(read(b"\r\n"), "[Indésirable]");
    assert_eq!(edit("Subject: [indesirable] x\r\n".as_bytes(), &tag), None);
    let long = Tag::new(&"é".repeat(100)).unwrap();
    let tagged = made(b"Subject: a\r\n\r\n", &long);
    assert!(tagged.split(|octet| *octet == b'\n').all(|line| line.len() <= 90), "{tagged:?}");
    assert_eq!(header::text_of(&tagged, "subject"), format!("{} a", long.text()));
    assert_eq!(Tag::new(" \t"), None);
    let odd = Tag::new("=?x\r\nX-Evil: 1").unwrap();
    assert_eq!(header::fields(&made(b"Subject: a\r\n\r\n", &odd)).count(), 2, "a tag opens no field");
}

#[test]
fn fields_of_ours_are_known_in_any_case() {
    let section =
        b"X-Spam-Flag: YES\r\nx-spam-x: y\r\nX-ORIGINAL-SUBJECT: z\r\nX-Spam: no\r\nX-Spammer: no\r\nSubject: s\r\n";
    let ours: Vec<_> = header::fields(section).map(|field| is_ours(&field)).collect();
    assert_eq!(ours, [true, true, true, false, false, false]);
}

/// Header sections with what matters here: Subject in all forms, odd line ends, other octets. None begins with space: that
/// would continue whatever line of ours stands in front of it.
fn section() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => proptest::sample::select(vec![
            &b"Subject:"[..], b"subject :", b"SUBJECT: [spam]", b"To: a@b", b"=?utf-8?q?=5BSPAM=5D?=", b"=?utf-8?B?w6l0w6k=?=",
            b"[SPAM]", b"\r\n", b"\r\n", b"\r\n ", b"\n", b"\n\t", b"\r", b" ", b"X-Original-Subject: a", b"Received: x",
        ]).prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 0..12),
        1 => proptest::string::string_regex("[a-z:]{0,90}").unwrap().prop_map(String::into_bytes),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| {
        let section = pieces.concat();
        let blank = section.iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
        section[blank..].to_vec()
    })
}

fn any_tag() -> impl Strategy<Value = Tag> {
    proptest::sample::select(vec!["[SPAM]", "SPAM", "[Indésirable]", "=?", "*****"])
        .prop_map(|text| Tag::new(text).unwrap())
}

proptest! {
    #[test]
    fn tagging_twice_is_tagging_once(section in section(), tag in any_tag()) {
        let once = made(&section, &tag);
        prop_assert_eq!(edit(&once, &tag), None, "{:?}", String::from_utf8_lossy(&once));
    }

    #[test]
    fn a_reader_sees_the_tag_first_and_then_what_stood_there(section in section(), tag in any_tag()) {
        let before = header::find(&section, "subject").map(|field| field.text());
        let Some(edit) = edit(&section, &tag) else { return Ok(()) };
        let after = header::text_of(&edit.made(&section), "subject");
        prop_assert!(after.starts_with(tag.text()), "{after:?}");
        let rest = after[tag.text().len()..].trim_start();
        let before = before.unwrap_or_default();
        prop_assert_eq!(rest, before.trim_start());
    }

    #[test]
    fn every_other_octet_stays_and_no_field_is_made_or_lost(section in section(), tag in any_tag()) {
        let Some(edit) = edit(&section, &tag) else { return Ok(()) };
        let made = edit.made(&section);
        let names = |section: &[u8]| header::fields(section).map(|field| field.name().to_vec()).collect::<Vec<_>>();
        prop_assert_eq!(header::fields(&edit.front).count(), 1);
        prop_assert_eq!(&names(&made)[1..], &names(&section)[..]);
        let behind = &made[edit.front.len()..];
        match edit.insertion {
            None => prop_assert_eq!(behind, &section[..]),
            Some(Insertion { at, octets }) => {
                prop_assert_eq!(&behind[..at], &section[..at]);
                prop_assert_eq!(&behind[at + octets.len()..], &section[at..]);
            }
        }
    }

    #[test]
    fn what_was_tagged_comes_back_octet_for_octet(section in section(), tag in any_tag()) {
        let Some(edit) = edit(&section, &tag) else { return Ok(()) };
        let front = [b"Return-Path: <>\r\n", edit.front.as_slice(), b"Received: by us\r\n"].concat();
        let stored = Edit { front, insertion: edit.insertion }.made(&section);
        prop_assert_eq!(as_it_came(&stored).unwrap().concat(), section);
    }
}
