//! LMTP (RFC 2033): LHLO, and a reply for each recipient.

use super::*;

fn lmtp() -> Config {
    Config { lmtp: true, ..mx() }
}

#[test]
fn each_accepted_rcpt_has_its_reply_after_the_content_in_order() {
    let script = [
        "LHLO c",
        "MAIL FROM:<>",
        "RCPT TO:<a@here.example>",
        "RCPT TO:<no@here.example>",
        "RCPT TO:<a@here.example>",
        "DATA",
        "x",
        ".",
        "QUIT",
    ];
    let expected = [
        "250",
        "250 2.1.0",
        "250 2.1.5",
        "550 5.1.1",
        "250 2.1.5",
        "354",
        "250 2.6.0",
        "452 4.2.2",
        "221 2.0.0",
        "close",
    ];
    let talk = check(lmtp(), &script, &expected);
    assert_eq!(talk.messages.len(), 1);
    assert!(talk.text.starts_with("220 mx.example LMTP\r\n"), "{}", talk.text);
}

#[test]
fn a_bad_content_is_refused_to_everybody_and_chunks_before_the_last_have_one_reply() {
    let start = ["LHLO c", "MAIL FROM:<>", "RCPT TO:<a@here.example>", "RCPT TO:<a@here.example>"];
    let started = ["250", "250 2.1.0", "250 2.1.5", "250 2.1.5"];
    let with = |script: &[&'static str]| [&start[..], script].concat();
    let and = |codes: &[&'static str]| [&started[..], codes].concat();
    check(lmtp(), &with(&["DATA", "a\nb", "."]), &and(&["354", "554 5.6.0", "554 5.6.0"]));
    check(
        lmtp(),
        &with(&["BDAT 3\r\na", "BDAT 3 LAST\r\nb", "NOOP"]),
        &and(&["250 2.6.0", "250 2.6.0", "452 4.2.2", "250 2.0.0"]),
    );
    check(lmtp(), &with(&["BDAT 3\r\na\nb", "NOOP"]), &and(&["554 5.6.0", "500 5.5.2", "250 2.0.0"]));
}

#[test]
fn smtp_and_lmtp_do_not_know_each_others_hello() {
    check(lmtp(), &["EHLO c", "HELO c", "MAIL FROM:<>", "LHLO c"], &["500 5.5.2", "500 5.5.2", "503 5.5.1", "250"]);
    check(mx(), &["LHLO c", "EHLO c"], &["500 5.5.2", "250"]);
}

#[test]
fn data_without_recipients_is_503() {
    check(
        lmtp(),
        &["LHLO c", "MAIL FROM:<>", "RCPT TO:<no@here.example>", "DATA", "RSET"],
        &["250", "250 2.1.0", "550 5.1.1", "503 5.5.1", "Reset", "250 2.0.0"],
    );
}
