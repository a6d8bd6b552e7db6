//! XCLIENT, from clients that may say it and from others.

use super::*;

fn trusting() -> Config {
    Config { xclient: true, ..mx() }
}

#[test]
fn a_trusted_client_speaks_for_another_and_the_session_begins_again() {
    let script = ["EHLO front", "XCLIENT ADDR=192.0.2.7 HELO=c.example"];
    let talk = check(trusting(), &script, &["250", "220"]);
    assert!(talk.text.contains("250-XCLIENT NAME ADDR PORT PROTO HELO\r\n"), "{}", talk.text);
    let mut session = Session::new(trusting());
    for line in script.iter().chain(&["MAIL FROM:<>", "EHLO front"]) {
        session.feed(format!("{line}\r\n").as_bytes());
        loop {
            match session.next() {
                Step::NeedInput => break,
                Step::Ask(Question::Told(told)) => {
                    assert_eq!(told.address, Some("192.0.2.7".parse().unwrap()));
                    session.answer(Reply::new(reply::GREETING, "again"));
                    assert!(session.hello().is_none(), "nothing said before is kept");
                }
                step => assert!(matches!(step, Step::Send(_)), "{step:?}"),
            }
        }
    }
    assert_eq!(session.hello().unwrap().name.as_str(), "c.example");
}

#[test]
fn others_speak_for_nobody() {
    let talk = check(mx(), &["EHLO c", "XCLIENT ADDR=192.0.2.7", "XCLIENT"], &["250", "550 5.7.0", "501 5.5.4"]);
    assert!(!talk.text.contains("XCLIENT NAME"), "{}", talk.text);
}

#[test]
fn not_within_a_transaction_and_not_before_tls_where_that_is_required() {
    let in_transaction = ["EHLO c", "MAIL FROM:<>", "XCLIENT ADDR=192.0.2.7"];
    check(trusting(), &in_transaction, &["250", "250 2.1.0", "503 5.5.1"]);
    let required = Config { xclient: true, ..submission() };
    check(required, &["EHLO c", "XCLIENT ADDR=192.0.2.7"], &["250", "530 5.7.0"]);
}

#[test]
fn what_came_in_one_piece_behind_it_is_thrown_away() {
    let input = b"EHLO c\r\nXCLIENT ADDR=192.0.2.7\r\nEHLO c\r\nMAIL FROM:<>\r\n";
    let found = talk(Session::new(trusting()), input, &[usize::MAX]);
    assert_eq!(found.steps, ["220", "250", "503 5.5.1", "close"]);
}
