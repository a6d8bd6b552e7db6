//! What holds of every message.

use proptest::prelude::*;

use super::letter::{Known, judged, letter};
use crate::fuzz_view;
use crate::view::zip::tests::directory;
use crate::view::{View, bounds};

/// Pieces that together make messages more often than chance does.
const PIECES: [&str; 34] = [
    "From: a <a@b.example>\r\n",
    "From: =?utf-8?b?",
    "Subject: Re: x\r\n",
    "Content-Type: multipart/mixed; boundary=b\r\n",
    "Content-Type: text/html; charset=utf-8\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "Date: Tue, 1 Sep 2026 10:00 +0200\r\n",
    "\r\n",
    "--b\r\n",
    "--b--\r\n",
    "<a href='",
    "http://",
    "www.",
    "'>",
    "</a>",
    "<div style='display:none;",
    "<!--",
    "-->",
    "&#",
    "&amp;",
    "<style>",
    "</style>",
    "<form action=",
    "<meta http-equiv=refresh content='0;url=",
    "xn--",
    "@",
    "%2e",
    "é",
    "\u{200b}",
    "\u{202e}",
    "filename=\"a.pdf.exe\"",
    "PK\u{1}\u{2}",
    "$1,000,000.00",
    "<img src=cid:",
];

fn pieced() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(PIECES.to_vec()).prop_map(|it| it.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..12),
        "[a-zA-Z <>=\"'/:;.&#-]{0,20}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_octets_keep_the_law(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        fuzz_view(&octets);
    }

    #[test]
    fn anything_like_a_message_keeps_the_law(octets in pieced()) {
        fuzz_view(&octets);
    }

    #[test]
    fn either_line_end_gives_the_same_score(octets in pieced()) {
        let lines: Vec<u8> = octets.into_iter().filter(|octet| *octet != b'\r').collect();
        let wire: Vec<u8> = lines.iter().flat_map(|octet| if *octet == b'\n' { vec![b'\r', b'\n'] } else { vec![*octet] }).collect();
        let (one, other) = (judged(&lines, Known::Ours), judged(&wire, Known::Ours));
        let rules = |score: &crate::PassScore| score.contributions.iter().map(|each| each.rule).collect::<Vec<_>>();
        prop_assert_eq!(rules(&one), rules(&other));
        prop_assert_eq!(one.thousandths, other.thousandths);
    }
}

#[test]
fn what_is_not_known_counts_for_nothing() {
    let strange = letter().with("From", "Jean Toto <x@univ-nantes.example>").octets();
    let score = judged(&strange, Known::Nothing);
    assert_eq!(score.thousandths, crate::form::BASE, "{score:?}");
    assert!(judged(&strange, Known::Ours).thousandths < 0);
}

/// No server takes a header so long; whoever reads one all the same reads its beginning alone.
#[test]
fn a_header_that_does_not_end_is_read_as_far_as_its_bound() {
    for line in ["X-A: b\r\n", "To: a@b.example\r\n", "no field\r\n", "Content-Type: message/rfc822\r\n"] {
        let endless = line.repeat(bounds::HEADER_OCTETS_MAX / 4);
        for message in [endless.clone(), format!("{endless}\r\nhttp://x.example/\r\n")] {
            let view = View::read(message.as_bytes());
            assert!(view.cut, "{line}");
            let top = &view.structure.top;
            assert!(top.header.end.max(top.body.end) <= bounds::HEADER_OCTETS_MAX, "{line}");
            assert!(view.links.is_empty() && view.fields.len() <= bounds::FIELDS_MAX, "{line}");
        }
    }
    let blank = "X-A: b\r\n".repeat(1_000) + "\r\nhttp://x.example/ " + &"x".repeat(bounds::HEADER_OCTETS_MAX);
    let view = View::read(blank.as_bytes());
    assert!(!view.cut && view.links.len() == 1);
}

/// What was made to cost much keeps the bounds, and says that it was not read whole.
#[test]
fn messages_that_would_cost_much_are_read_as_far_as_the_bounds() {
    let html = |body: String| letter().with("Content-Type", "text/html; charset=utf-8").saying(body).octets();
    let line = html("<p>word <b>word</b> ".repeat(200_000));
    let links = html("<a href=http://a.example/>b</a>".repeat(100_000));
    let written = letter().saying("http://a.example/ ".repeat(100_000)).octets();
    let levels: String = (0..1_000)
        .map(|level| format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"))
        .collect();
    let deep = format!("From: a@b.example\r\nMIME-Version: 1.0\r\n{levels}").into_bytes();
    let flat =
        letter().with("Content-Type", "multipart/mixed; boundary=b").saying("--b\r\n\r\na\r\n".repeat(20_000)).octets();
    for (what, octets, cut) in [
        ("one line of HTML", line, true),
        ("links", links, true),
        ("written links", written, true),
        ("parts in parts", deep, false),
        ("parts beside parts", flat, true),
    ] {
        fuzz_view(&octets);
        let view = View::read(&octets);
        assert_eq!(view.cut, cut, "{what}");
        let kept: usize = view.texts.iter().map(|text| text.text.len()).sum();
        assert!(kept <= 2 * bounds::TEXT_OCTETS_MAX, "{what}: {kept} octets of text");
    }
}

/// An archive is looked at from its two ends: the work does not grow with what lies between, and nothing is inflated.
#[test]
fn of_a_large_archive_only_the_ends_are_read() {
    let names: Vec<(&str, bool)> = vec![("a.txt", false); 100_000];
    let zip = [&b"PK\x03\x04"[..], &directory(&names)].concat();
    let octets = letter().with("Content-Type", "application/zip; name=a.zip").saying(zip).octets();
    let view = View::read(&octets);
    let zip = view.attachments[0].zip.as_ref().map(|zip| zip.names.len());
    assert_eq!(zip, Some(bounds::ARCHIVE_NAMES_MAX));
}
