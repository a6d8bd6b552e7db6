//! However the network cuts a stream, the replies are the same; and nothing makes the session panic.

use proptest::prelude::*;

use super::*;

/// Words a stream is made of: commands in and out of order, contents, traps.
const WORDS: [&str; 36] = [
    "EHLO c\r\n",
    "HELO c\r\n",
    "MAIL FROM:<b@c.example>\r\n",
    "MAIL FROM:<> SIZE=2000\r\n",
    "MAIL FROM:<é@c.example> SMTPUTF8\r\n",
    "LHLO c\r\n",
    "XCLIENT ADDR=192.0.2.7 HELO=x\r\n",
    "MAIL FROM:<> BODY=BINARYMIME REQUIRETLS\r\n",
    "MAIL FROM:<> BODY=BINARYMIME RET=HDRS\r\n",
    "RCPT TO:<a@here.example> NOTIFY=NEVER ORCPT=rfc822;a\r\n",
    "\r\n\r\n\0\n\r\r\n",
    "RCPT TO:<a@here.example>\r\n",
    "RCPT TO:<no@here.example>\r\n",
    "RCPT TO:<@x.example:a@here.example>\r\n",
    "DATA\r\n",
    "\r\n.\r\n",
    "\n.\r\n",
    "\r.\r\n",
    "..\r\n",
    "text\r\n",
    "BDAT 5\r\n",
    "BDAT 5 LAST\r\n",
    "BDAT 0 LAST\r\n",
    "BDAT 2000\r\n",
    "RSET\r\n",
    "NOOP\r\n",
    "QUIT\r\n",
    "VRFY a\r\n",
    "AUTH PLAIN AHRvdG8tagBzZWNyZXQ=\r\n",
    "AUTH LOGIN\r\n",
    "dG90by1q\r\n",
    "c2VjcmV0\r\n",
    "*\r\n",
    "\r",
    "\n",
    "\0",
];

/// A stream of words, with a little noise.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        20 => prop::sample::select(&WORDS[..]).prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..9),
        1 => Just(vec![b'x'; 2_100]),
    ];
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn every_split_gets_the_same_replies(
        body in stream(),
        pieces in prop::collection::vec(1usize..50, 1..9),
        kind in 0..3,
    ) {
        let config = match kind {
            0 => submission_under_tls(),
            1 => Config { lmtp: true, dsn: true, ..mx() },
            _ => mx(),
        };
        let hello = if config.lmtp { "LHLO" } else { "EHLO" };
        let input = [hello.as_bytes(), b" c\r\nMAIL FROM:<>\r\nRCPT TO:<a@here.example>\r\n".as_slice(), &body].concat();
        let whole = talk(Session::new(config.clone()), &input, &[usize::MAX]);
        let split = talk(Session::new(config), &input, &pieces);
        prop_assert_eq!(whole, split);
    }

    #[test]
    fn no_octets_make_a_session_panic(octets in prop::collection::vec(any::<u8>(), 0..200), body in stream()) {
        fuzz(&octets);
        fuzz(&[&octets[..octets.len().min(2)], &body].concat());
    }
}
