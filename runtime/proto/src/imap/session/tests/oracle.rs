//! Another implementation as a judge: what the session writes is read by `imap-codec`, written by it again and read to the
//! same.

use imap_codec::ResponseCodec;
use imap_codec::decode::Decoder;
use imap_codec::encode::Encoder;

use super::fuzz::literal_octets;

/// What is legal and `imap-codec` does not know, by how the response begins and what is in it, with where it is from.
const UNKNOWN: &[(&str, &str, &str)] = &[
    ("* ESEARCH", "", "RFC 4731"),
    ("* ACL ", "", "RFC 4314 3.6"),
    ("* METADATA ", "", "RFC 5464 4.4"),
    ("* LISTRIGHTS ", "", "RFC 4314 3.7"),
    ("* MYRIGHTS ", "", "RFC 4314 3.8"),
    ("* LIST (", " (\"OLDNAME\" ", "RFC 9051 6.3.9.7"),
    ("* ", " UIDFETCH (", "RFC 9586 3.3"),
    ("* UIDBATCHES", "", "RFC 10022"),
    ("* LIST (", " (\"CHILDINFO\" ", "RFC 5258 3.5"),
    ("* STATUS ", "MAILBOXID (", "RFC 8474 4.3"),
    ("* STATUS ", "APPENDLIMIT ", "RFC 7889 3.2"),
    ("* ", "PREVIEW ", "RFC 8970 4"),
    ("* ", "SAVEDATE ", "RFC 8514 4.3"),
    ("* ", "EMAILID (", "RFC 8474 5.1"),
    ("* ", "THREADID ", "RFC 8474 5.2"),
    ("* ", "BINARY[", "RFC 3516 4.3, where a part was asked"),
    ("* ", "{0}", "an empty literal"),
];

/// What is longer is long for a literal that is more of the same.
const OCTETS_MAX: usize = 256 * 1024;

/// Each response of a session, with its literals.
pub fn responses(wire: &[u8]) -> Vec<&[u8]> {
    let (mut found, mut begin, mut at) = (Vec::new(), 0, 0);
    while let Some(end) = wire[at..].windows(2).position(|pair| pair == b"\r\n") {
        let line = &wire[at..at + end];
        at += end + 2;
        match literal_octets(line) {
            Some(octets) => at += octets,
            None => {
                found.push(&wire[begin..at]);
                begin = at;
            }
        }
    }
    assert_eq!(begin, wire.len(), "a response ends");
    found
}

fn is_unknown(response: &[u8]) -> bool {
    let holds = |text: &str| response.windows(text.len().max(1)).any(|window| window == text.as_bytes());
    // RFC 6855 lets UTF-8 stand in quoted strings; there only the names of mailboxes are not known.
    let named = response.starts_with(b"* LIST") || response.starts_with(b"* LSUB") || response.starts_with(b"* STATUS");
    let utf8_name = named && !response.is_ascii();
    let listed = |(begin, inside, _): &(&str, &str, &str)| {
        response.starts_with(begin.as_bytes()) && (inside.is_empty() || holds(inside))
    };
    utf8_name || UNKNOWN.iter().any(listed)
}

/// Fails when a response is none. Returns how many were judged.
pub fn judge(wire: &[u8]) -> usize {
    let mut judged = 0;
    for response in responses(wire) {
        if response.len() > OCTETS_MAX || is_unknown(response) {
            continue;
        }
        let codec = ResponseCodec::default();
        let (rest, read) =
            codec.decode(response).unwrap_or_else(|error| panic!("{}: {error:?}", response.escape_ascii()));
        assert!(rest.is_empty(), "{}", response.escape_ascii());
        let written = codec.encode(&read).dump();
        let again = codec.decode(&written).map(|(_, again)| again);
        assert_eq!(again.as_ref(), Ok(&read), "{}", response.escape_ascii());
        judged += 1;
    }
    judged
}

#[test]
fn the_judge_can_say_no() {
    for bad in
        ["* 0 FETCH (UID 1)\r\n", "* 1 FETCH (FLAGS \\Seen)\r\n", "* LIST () / x\r\n", "x OK\r\n", "* FLAGS (\\*)(\r\n"]
    {
        assert!(std::panic::catch_unwind(|| judge(bad.as_bytes())).is_err(), "{bad}");
    }
    assert_eq!(judge(b"* 1 FETCH (UID 1)\r\n* ESEARCH ALL 1\r\na OK done\r\n"), 2);
}
