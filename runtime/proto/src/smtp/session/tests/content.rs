//! Content by DATA and by BDAT, and its limits.

use super::*;

const START: &str = "EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@here.example>\r\n";
/// Replies to the greeting and `START`.
const STARTED: [&str; 4] = ["220", "250", "250 2.1.0", "250 2.1.5"];

#[track_caller]
fn check_octets(input: &[u8], expected: &[&str], messages: &[&[u8]]) {
    let mut whole = START.as_bytes().to_vec();
    whole.extend_from_slice(input);
    for pieces in [&[usize::MAX][..], &[1], &[2, 3, 5]] {
        let found = talk(Session::new(mx()), &whole, pieces);
        assert_eq!(found.steps[..4], STARTED);
        assert_eq!(found.steps[4..], *expected, "{}", found.text);
        assert_eq!(found.messages, messages);
    }
}

#[test]
fn only_crlf_dot_crlf_ends_the_data() {
    let bad = ["354", "554 5.6.0"];
    check_octets(b"DATA\r\na\n.\nRSET\n.\r\nb\r\n.\r\n", &bad, &[]);
    check_octets(b"DATA\r\na\r.\rb\r\n.\r\n", &bad, &[]);
    check_octets(b"DATA\r\na\r\n.\nb\r\n.\r\n", &bad, &[]);
    check_octets(b"DATA\r\na\n.\r\nb\r\n.\r\n", &bad, &[]);
    check_octets(b"DATA\r\n.\r\r\n.\r\n", &bad, &[]);
    check_octets(b"DATA\r\na\0b\r\n.\r\n", &bad, &[]);
    check_octets(b"DATA\r\n.\r\n", &["354", "250 2.6.0"], &[b""]);
    check_octets(b"DATA\r\n. \r\n..\r\n.x\r\n.\r\nNOOP\r\n", &["354", "250 2.6.0", "250 2.0.0"], &[b" \r\n.\r\nx\r\n"]);
}

#[test]
fn data_past_the_limit_is_read_to_its_end_and_refused() {
    let line = [b'x'; 998];
    let fits = [b"DATA\r\n".as_slice(), &line, b"\r\n.\r\nNOOP\r\n"].concat();
    let message = [line.as_slice(), b"\r\n"].concat();
    check_octets(&fits, &["354", "250 2.6.0", "250 2.0.0"], &[&message]);
    let over = [b"DATA\r\n.".as_slice(), &line, b"x\r\n.\r\nNOOP\r\n"].concat();
    check_octets(&over, &["354", "552 5.3.4", "250 2.0.0"], &[]);
    let far = [b"DATA\r\n".as_slice(), &line.repeat(11), b"\r\n.\r\nNOOP\r\n"].concat();
    check_octets(&far, &["354", "Cut", "421 4.7.0", "close"], &[]);
}

#[test]
fn a_declared_size_past_the_limit_is_refused_at_mail() {
    check(
        mx(),
        &["EHLO c", "MAIL FROM:<> SIZE=1000", "RSET", "MAIL FROM:<> SIZE=1001", "RCPT TO:<a@here.example>"],
        &["250", "250 2.1.0", "Reset", "250 2.0.0", "TooLarge", "552 5.3.4", "503 5.5.1"],
    );
}

#[test]
fn chunks_make_a_message() {
    check_octets(
        b"BDAT 3\r\na\r\nBDAT 6 LAST\r\n.\r\nb\r\nQUIT\r\n",
        &["250 2.6.0", "250 2.6.0", "221 2.0.0", "close"],
        &[b"a\r\n.\r\nb\r\n"],
    );
    check_octets(b"BDAT 3\r\na\r\nBDAT 0 last\r\n", &["250 2.6.0", "250 2.6.0"], &[b"a\r\n"]);
    check_octets(b"BDAT 0 LAST\r\nNOOP\r\n", &["250 2.6.0", "250 2.0.0"], &[b""]);
}

#[test]
fn a_line_may_span_chunks_and_its_last_end_is_added() {
    check_octets(b"BDAT 2\r\na\rBDAT 2 LAST\r\n\nb", &["250 2.6.0", "250 2.6.0"], &[b"a\r\nb\r\n"]);
}

#[test]
fn chunks_with_bare_line_ends_are_refused_at_once() {
    check_octets(b"BDAT 3\r\na\nbBDAT 1 LAST\r\ncNOOP\r\n", &["554 5.6.0", "503 5.5.1", "250 2.0.0"], &[]);
    check_octets(b"BDAT 2 LAST\r\na\rNOOP\r\n", &["554 5.6.0", "250 2.0.0"], &[]);
}

#[test]
fn chunks_past_the_limit_are_refused_and_skipped() {
    let one = [b"BDAT 600\r\n".as_slice(), &[b'x'; 600]].concat();
    let input = [one.as_slice(), &one, &one, b"RSET\r\n"].concat();
    check_octets(&input, &["250 2.6.0", "552 5.3.4", "503 5.5.1", "250 2.0.0"], &[]);
    check_octets(b"BDAT 10001\r\n", &["Cut", "421 4.7.0", "close"], &[]);
}

#[test]
fn within_chunks_only_bdat_goes_on() {
    check_octets(
        b"BDAT 1\r\naDATA\r\nMAIL FROM:<>\r\nRCPT TO:<a@here.example>\r\nNOOP\r\nRSET\r\nBDAT 4\r\nQUITBDAT 5\r\n",
        &["250 2.6.0", "503 5.5.1", "503 5.5.1", "503 5.5.1", "250 2.0.0", "Reset", "250 2.0.0", "503 5.5.1"],
        &[],
    );
}

#[test]
fn a_chunk_is_never_read_as_commands() {
    for (before, reply) in [("", "503 5.5.1"), ("EHLO c\r\n", "503 5.5.1"), ("EHLO c\r\nMAIL FROM:<>\r\n", "554 5.5.1")]
    {
        let input = format!("{before}BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n");
        let found = talk(Session::new(mx()), input.as_bytes(), &[usize::MAX]);
        let tail = &found.steps[found.steps.len() - 2..];
        assert_eq!(tail, [reply, "250 2.0.0"], "{}", found.text);
    }
    for bad in ["BDAT", "BDAT x", "BDAT 99999999999999999999 LAST", "BDAT 4 LAST\0"] {
        check(mx(), &["EHLO c", bad, "NOOP"], &["250", "421 4.7.0", "close"]);
    }
}

#[test]
fn a_positive_answer_to_a_faulty_content_is_replaced() {
    for fault in [ContentFault::TooLarge, ContentFault::Body(BodyFault::BareLf)] {
        assert!(!fault.reply().code.is_positive());
    }
    check_octets(b"DATA\r\na\nb\r\n.\r\n", &["354", "554 5.6.0"], &[]);
}

#[test]
fn a_driver_can_refuse_content_before_it_comes() {
    for (command, then) in [("DATA\r\n", "NOOP\r\n"), ("BDAT 4\r\n", "QUITNOOP\r\n")] {
        let mut session = Session::new(mx());
        session.feed(format!("{START}{command}{then}").as_bytes());
        let mut codes = Vec::new();
        loop {
            match session.next() {
                Step::Ask(Question::ContentStart { .. }) => session.answer(Reply::new(reply::STORE_FULL, "full")),
                Step::Ask(question) => session.answer(respond(&question)),
                Step::Send(reply) => codes.push(reply.code.to_string()),
                Step::NeedInput => break,
                step => panic!("{step:?}"),
            }
        }
        assert_eq!(codes[4..], ["452 4.3.1", "250 2.0.0"], "{command}");
    }
}
