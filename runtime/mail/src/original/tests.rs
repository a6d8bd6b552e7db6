//! Reports as mail programs write them, and what they do to the message inside.

use super::*;

/// As it came to us.
const CAME: &str = "Received: from a.example by mx.b.example; Mon, 30 Nov 2026 09:00:00 +0000\r\nFrom: Bank <bank@a.example>\r\n\
                    To: jean@ours.example\r\nSubject: Your account\r\nMessage-ID: <1@a.example>\r\n\
                    X-Status: from the sender\r\n\r\nFrom here you go on.\r\n\r\nBye\r\n";
const BOUNDS: Bounds = Bounds { originals: 3, octets: 100_000 };

fn ours() -> Ours {
    Ours { hosts: ["mx.ours.example".parse().unwrap()].into(), tag: "[SPAM]".to_owned() }
}

/// As it was stored, with our lines and tagged.
fn delivered() -> String {
    let head = "Return-Path: <bank@a.example>\r\nAuthentication-Results: mx.ours.example; spf=none\r\n\
                Received: from b.example ([192.0.2.1])\r\n\tby mx.ours.example with ESMTP\r\n\
                \tid 0190aabbccddeeff0011223344556677 for <jean@ours.example>;\r\n\tMon, 30 Nov 2026 10:00:00 +0000\r\n\
                X-Spam-Status: Yes, score=-1.2\r\nX-Spam-Flag: YES\r\nX-Original-Subject: Your account\r\n";
    format!("{head}{}", CAME.replace("Subject: Your", "Subject: [SPAM] Your"))
}

fn with(parts: &str) -> Vec<u8> {
    let head = "From: jean@ours.example\r\nSubject: spam\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
    format!("{head}--b\r\nContent-Type: text/plain\r\n\r\nPlease look.\r\n{parts}--b--\r\n").into_bytes()
}

fn never(_: &[u8]) -> bool {
    false
}

/// What was found: the message, or why not.
fn found(report: &[u8]) -> Vec<String> {
    let told = |one: Attached| match one {
        Attached::Message(octets) => String::from_utf8_lossy(&octets).into_owned(),
        Attached::Unusable { name, why } => format!("{name} {why:?}"),
    };
    read(report, BOUNDS, &never).into_iter().map(told).collect()
}

fn base64(octets: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in octets.as_bytes().chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, octet| bits << 8 | u32::from(*octet)) << (8 * (3 - group.len()));
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at) & 63) as usize] as char;
            out.push(if at <= group.len() { letter } else { '=' });
        }
    }
    out.as_bytes().chunks(76).map(|line| format!("{}\r\n", std::str::from_utf8(line).unwrap())).collect()
}

#[test]
fn originals_are_found_as_mail_programs_attach_them() {
    let kept = delivered();
    // The line end in front of a delimiter is the delimiter's.
    let attached = format!("{kept}\r\n");
    let (quoted, coded) = (kept.replace('=', "=3D"), base64(&kept));
    let cases = [
        // Thunderbird and Apple Mail.
        (
            "Content-Type: message/rfc822; name=\"Your account.eml\"\r\nContent-Disposition: attachment\r\n\r\n",
            &attached,
        ),
        // Roundcube, and what saves the message first: also encoded, though RFC 2046 5.2.1 forbids it.
        ("Content-Type: message/rfc822; name=a.eml\r\nContent-Transfer-Encoding: base64\r\n\r\n", &coded),
        (
            "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
            &format!("{quoted}\r\n"),
        ),
        ("Content-Type: application/octet-stream; name=\"x.EML\"\r\nContent-Transfer-Encoding: base64\r\n\r\n", &coded),
        ("Content-Type: text/plain; name=\"original.eml\"\r\n\r\n", &attached),
        ("Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=mail\r\n\r\n", &attached),
        ("Content-Type: text/plain\r\nContent-Disposition: attachment; filename=\"mail.txt\"\r\n\r\n", &attached),
    ];
    for (head, body) in cases {
        let report = with(&format!("--b\r\n{head}{body}"));
        assert_eq!(found(&report), [kept.as_str()], "{head}");
    }
    let two = "--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: a\r\n\r\none\r\n";
    assert_eq!(found(&with(&two.repeat(2))).len(), 2);
    let told = found(&with(&two.repeat(9)));
    assert_eq!(told.len(), 4);
    assert_eq!(told[3], " TooMany");
}

#[test]
fn what_cannot_be_used_says_why() {
    let attached = |head: &str, body: &str| with(&format!("--b\r\n{head}\r\n\r\n{body}\r\n"));
    let cases = [
        (with(""), " Inline"),
        (
            b"From: a\r\nSubject: Fwd: x\r\n\r\n-------- Forwarded --------\r\nFrom: b\r\nSubject: x\r\n\r\ntext"
                .to_vec(),
            " Inline",
        ),
        (attached("Content-Type: application/vnd.ms-outlook; name=x.msg", "whatever"), "x.msg OutlookFile"),
        (
            attached(
                "Content-Type: application/octet-stream; name=x\r\nContent-Transfer-Encoding: base64",
                "0M8R4KGxGuEAAA==",
            ),
            "x OutlookFile",
        ),
        (attached("Content-Type: application/ms-tnef; name=winmail.dat", "x"), "winmail.dat Tnef"),
        (attached("Content-Type: application/zip; name=x.zip", "x"), "x.zip Archive"),
        (attached("Content-Type: application/pkcs7-mime; name=smime.p7m", "x"), "smime.p7m Encrypted"),
        (attached("Content-Type: text/plain; name=x.eml", "Only: words\r\n\r\nhere"), "x.eml NotAMessage"),
        (attached("Content-Type: application/pdf; name=x.pdf", "%PDF"), "x.pdf NotAMessage"),
        (attached("Content-Type: message/rfc822", ""), " Empty"),
    ];
    for (report, why) in cases {
        assert_eq!(found(&report), [why]);
    }
    let long = with(&format!("--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: a\r\n\r\n{}\r\n", "x".repeat(100_001)));
    assert_eq!(found(&long), [" TooLong"]);
    // A picture beside it is no complaint, nor is a signature.
    let picture = "--b\r\nContent-Type: image/png; name=logo.png\r\n\r\nx\r\n";
    let one = "--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: a\r\n\r\none\r\n";
    assert_eq!(found(&with(&format!("{picture}{one}"))), ["From: a\r\n\r\none"]);
}

#[test]
fn a_forward_of_a_colleague_is_looked_into_and_a_message_of_strangers_is_not() {
    let inner = "--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: bank@a.example\r\nSubject: x\r\n\r\nspam\r\n";
    let colleague = String::from_utf8(with(inner)).unwrap().replace("=b\r\n", "=c\r\n").replace("--b", "--c");
    let report = with(&format!("--b\r\nContent-Type: message/rfc822\r\n\r\n{colleague}"));
    let here = |head: &[u8]| crate::header::text_of(head, "from").contains("@ours.example");
    let inside = read(&report, BOUNDS, &here);
    assert_eq!(inside, [Attached::Message(b"From: bank@a.example\r\nSubject: x\r\n\r\nspam".to_vec())]);
    let Attached::Message(outer) = &read(&report, BOUNDS, &never)[0] else { panic!() };
    assert!(outer.starts_with(b"From: jean@ours.example"));
    // Mail of a colleague that has no message in it is an original like any other.
    let plain = with("--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: paul@ours.example\r\n\r\nbuy\r\n");
    assert_eq!(read(&plain, BOUNDS, &here), [Attached::Message(b"From: paul@ours.example\r\n\r\nbuy".to_vec())]);
}

#[test]
fn a_forward_in_the_text_may_say_what_it_is_about() {
    let says = |fields: &str| refers_to(format!("{fields}Subject: x\r\n\r\n").as_bytes());
    assert_eq!(says(""), None);
    assert_eq!(says("References: <1@a> <2@a>\r\nIn-Reply-To: <3@a>\r\n").as_deref(), Some("<2@a>"));
    assert_eq!(says("X-Forwarded-Message-Id: <9@a>\r\nReferences: <1@a>\r\n").as_deref(), Some("<9@a>"));
}

#[test]
fn what_programs_do_is_undone_until_the_octets_are_those_that_came() {
    let kept = delivered();
    let lf = |text: &str| text.replace("\r\n", "\n");
    let mozilla = "X-Mozilla-Status: 0001\r\nX-Mozilla-Status2: 00000000\r\nX-Mozilla-Keys:                \r\n";
    let forms = [
        kept.clone(),
        lf(&kept),
        format!("From - Mon Nov 30 10:00:00 2026\r\n{mozilla}{kept}"),
        lf(&format!(">From bank@a.example Mon Nov 30\r\n{mozilla}{kept}\r\n\r\n")),
        kept.trim_end().to_owned(),
        format!("\u{feff}{kept}"),
        kept.replace("[SPAM] Your account", "=?utf-8?q?=5BSPAM=5D?= Your account"),
    ];
    for form in &forms {
        let undone = undo(form.as_bytes(), &ours(), true);
        let came = CAME.replace("X-Status: from the sender\r\n", "");
        let found = undone.forms().any(|form| form == came.as_bytes());
        assert!(found, "{form}\n{}", String::from_utf8_lossy(undone.octets()));
    }
    let exact = undo(kept.as_bytes(), &ours(), false);
    assert_eq!(String::from_utf8_lossy(exact.octets()), CAME, "a field that came with it stays");
    assert_eq!(undo(CAME.as_bytes(), &ours(), false).octets(), CAME.as_bytes(), "nothing was done to it");
}

#[test]
fn the_delivery_and_the_tag_are_read_from_our_own_lines_alone() {
    let kept = delivered();
    let id = Some(0x0190_aabb_ccdd_eeff_0011_2233_4455_6677_u128.to_be_bytes());
    assert_eq!(delivery_id(kept.as_bytes(), &ours()), id);
    for (was, is) in [("by mx.ours", "by mx.theirs"), ("id 0190", "id g190"), ("id 0190", "id 190")] {
        assert_eq!(delivery_id(kept.replace(was, is).as_bytes(), &ours()), None, "{is}");
    }
    assert!(is_tagged(kept.as_bytes(), &ours()) && !is_tagged(CAME.as_bytes(), &ours()));
    assert!(is_tagged(b"Subject: [SPAM] x\r\n\r\n", &ours()));
    assert!(!is_tagged(b"Subject: Re: [SPAM] x\r\n\r\n", &ours()));
    // Added by us where there was none.
    let (front, content) = (&kept[..kept.find("X-Spam-Status").unwrap()], "From: a\r\n\r\nx");
    let added = format!("Subject: [SPAM]\r\nX-Spam-Flag: YES\r\n{front}{content}");
    assert_eq!(undo(added.as_bytes(), &ours(), false).octets(), content.as_bytes());
}

#[test]
fn differences_are_told_and_what_programs_do_is_none() {
    let told = |handed_in: &str| -> Vec<String> {
        let (kept, handed_in) = (delivered(), handed_in.as_bytes());
        let differences = compare(&undo(kept.as_bytes(), &ours(), true), &undo(handed_in, &ours(), true));
        differences.iter().map(ToString::to_string).collect()
    };
    assert!(told(&delivered()).is_empty());
    assert!(told(&delivered().replace("\r\n", "\n")).is_empty());
    assert!(told(CAME).is_empty());
    let cases = [
        ("Subject: [SPAM] Your account", "Subject: [SPAM] My account\r\nX-New: 1", "fields were added: x-new"),
        ("To: jean@ours.example\r\n", "", "fields are gone: to"),
        ("Bank <bank", "Other <bank", "fields were changed: from"),
        ("you go on", "you stop", "the body was changed"),
    ];
    for (was, is, difference) in cases {
        assert_eq!(told(&delivered().replace(was, is)), [difference]);
    }
    let mixed = |parts: &str| undo(&with(parts), &ours(), true);
    let file = "--b\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\n%PDF\r\n";
    assert_eq!(compare(&mixed(file), &mixed("")), [Difference::PartsMissing(1)]);
    assert_eq!(compare(&mixed(""), &mixed(file)), [Difference::PartsAdded(1)]);
    let coded =
        "--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n";
    assert_eq!(compare(&mixed(file), &mixed(coded)), [Difference::CodedOtherwise]);
}

proptest::proptest! {
    #[test]
    fn any_octets_are_read_within_the_bounds(octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
        let here = |_: &[u8]| true;
        let found = read(&octets, BOUNDS, &here);
        assert!(!found.is_empty() && found.len() <= 2 * BOUNDS.originals + 1);
        let undone = undo(&octets, &ours(), true);
        assert!(undone.forms().count() >= 1);
        assert!(compare(&undone, &undone).is_empty());
    }
}
