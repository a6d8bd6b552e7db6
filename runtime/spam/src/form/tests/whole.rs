//! What holds of every message.

use proptest::prelude::*;

use super::letter::{Known, judged, letter};
use crate::fuzz_view;

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
