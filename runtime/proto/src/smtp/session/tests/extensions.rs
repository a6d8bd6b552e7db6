//! DSN (RFC 3461), BINARYMIME (RFC 3030) and REQUIRETLS (RFC 8689): offered, or refused.

use super::*;

#[test]
fn a_binary_message_comes_by_bdat_alone_and_is_kept_as_it_is() {
    let body = b"\0\r\r\n\n.\n.\r\n\r";
    let message = [b"Subject: x\r\n\r\n".as_slice(), body].concat();
    for pieces in [&[usize::MAX][..], &[1], &[2, 3, 5]] {
        let head = format!(
            "EHLO c\r\nMAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<a@here.example>\r\nDATA\r\nBDAT {}\r\n",
            message.len()
        );
        let input = [head.as_bytes(), &message, b"BDAT 0 LAST\r\nNOOP\r\n"].concat();
        let found = talk(Session::new(mx()), &input, pieces);
        let codes = ["250", "250 2.1.0", "250 2.1.5", "503 5.5.1", "250 2.6.0", "250 2.6.0", "250 2.0.0"];
        assert_eq!(found.steps[1..], codes, "{}", found.text);
        assert_eq!(found.messages, [message.as_slice()]);
    }
}

#[test]
fn the_header_section_of_a_binary_message_is_text() {
    for (head, code) in [("a: b\nc: d\r\n\r\n", "554 5.6.0"), ("a: \0\r\n\r\n", "554 5.6.0"), ("\r\n\0\n", "250 2.6.0")]
    {
        let mail = "EHLO c\r\nMAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<a@here.example>\r\n";
        let input = format!("{mail}BDAT {} LAST\r\n{head}", head.len());
        let found = talk(Session::new(mx()), input.as_bytes(), &[3]);
        assert_eq!(found.steps[4..], [code], "{head:?}");
    }
}

#[test]
fn require_tls_is_offered_under_tls_alone() {
    let under = Config { auth: AuthMode::Never, ..submission_under_tls() };
    let talk = check(under, &["EHLO c", "MAIL FROM:<> REQUIRETLS"], &["250", "250 2.1.0"]);
    assert!(talk.text.contains("250-REQUIRETLS\r\n"), "{}", talk.text);
    let talk = check(mx(), &["EHLO c", "MAIL FROM:<> REQUIRETLS"], &["250", "555 5.5.4"]);
    assert!(!talk.text.contains("250-REQUIRETLS\r\n"), "{}", talk.text);
}

#[test]
fn notifications_are_asked_for_where_they_are_offered() {
    let script = [
        "EHLO c",
        "MAIL FROM:<> RET=HDRS ENVID=x",
        "RSET",
        "MAIL FROM:<>",
        "RCPT TO:<a@here.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@here.example",
    ];
    let dsn = Config { dsn: true, ..mx() };
    let taken = ["250", "250 2.1.0", "Reset", "250 2.0.0", "250 2.1.0", "250 2.1.5"];
    let talk = check(dsn, &script, &taken);
    assert!(talk.text.contains("250-DSN\r\n"), "{}", talk.text);
    check(mx(), &script, &["250", "555 5.5.4", "250 2.0.0", "250 2.1.0", "555 5.5.4"]);
}
