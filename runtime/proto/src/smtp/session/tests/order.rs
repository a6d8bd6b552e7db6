//! Which command works when (RFC 5321 4.1.4, RFC 3207 4, RFC 4954 4).

use super::*;

#[test]
fn a_message_goes_in() {
    let talk = check(
        mx(),
        &["EHLO c.example", "MAIL FROM:<>", "RCPT TO:<a@here.example>", "DATA", "Subject: x", "", "..y", ".", "QUIT"],
        &["250", "250 2.1.0", "250 2.1.5", "354", "250 2.6.0", "221 2.0.0", "close"],
    );
    assert_eq!(talk.messages, [b"Subject: x\r\n\r\n.y\r\n".to_vec()]);
}

#[test]
fn commands_in_any_case_and_a_second_message() {
    check(
        mx(),
        &["ehlo c", "mail from: <b@c.example> ", "rcpt to:<A@here.example>", "RSET", "MAIL FROM:<b@c.example> SIZE=12"],
        &["250", "250 2.1.0", "550 5.1.1", "Reset", "250 2.0.0", "250 2.1.0"],
    );
}

#[test]
fn a_refused_recipient_does_not_lose_the_others() {
    let script = [
        "EHLO c",
        "MAIL FROM:<b@c.example>",
        "RCPT TO:<nobody@here.example>",
        "RCPT TO:<full@here.example>",
        "RCPT TO:<@x.example,@y.example:a@here.example>",
        "RCPT TO:<postmaster>",
        "DATA",
        ".",
    ];
    check(mx(), &script, &["250", "250 2.1.0", "550 5.1.1", "452 4.2.2", "550 5.1.3", "250 2.1.5", "354", "250 2.6.0"]);
}

#[test]
fn a_refused_mail_lets_the_pipelined_rest_pass_without_blame() {
    let mut script = vec!["EHLO c", "MAIL FROM:<refused@there.example>"];
    script.extend(vec!["RCPT TO:<a@here.example>"; 200]);
    script.extend(["DATA", "QUIT"]);
    let mut expected = vec!["250", "451 4.7.1"];
    expected.extend(vec!["503 5.5.1"; 201]);
    expected.extend(["221 2.0.0", "close"]);
    check(mx(), &script, &expected);
}

#[test]
fn data_without_recipients_is_refused_and_the_transaction_stays() {
    check(
        mx(),
        &["EHLO c", "MAIL FROM:<>", "RCPT TO:<no@here.example>", "DATA", "RCPT TO:<a@here.example>", "DATA", "."],
        &["250", "250 2.1.0", "550 5.1.1", "554 5.5.1", "250 2.1.5", "354", "250 2.6.0"],
    );
}

#[test]
fn commands_before_ehlo_are_out_of_order() {
    check(
        mx(),
        &[
            "MAIL FROM:<>",
            "RCPT TO:<a@here.example>",
            "DATA",
            "AUTH PLAIN",
            "STARTTLS",
            "NOOP",
            "RSET",
            "VRFY a",
            "HELP",
        ],
        &[
            "503 5.5.1",
            "503 5.5.1",
            "503 5.5.1",
            "503 5.5.1",
            "503 5.5.1",
            "250 2.0.0",
            "250 2.0.0",
            "252 2.5.0",
            "214 2.0.0",
        ],
    );
}

#[test]
fn nested_mail_and_rcpt_without_mail_are_out_of_order() {
    check(
        mx(),
        &["EHLO c", "RCPT TO:<a@here.example>", "DATA", "MAIL FROM:<>", "MAIL FROM:<>", "STARTTLS", "AUTH PLAIN"],
        &["250", "503 5.5.1", "503 5.5.1", "250 2.1.0", "503 5.5.1", "503 5.5.1", "503 5.5.1"],
    );
}

#[test]
fn a_new_ehlo_ends_the_transaction() {
    check(
        mx(),
        &["EHLO c", "MAIL FROM:<>", "RCPT TO:<a@here.example>", "EHLO d", "DATA", "HELO e"],
        &["250", "250 2.1.0", "250 2.1.5", "Hello", "250", "503 5.5.1", "250"],
    );
}

#[test]
fn syntax_has_its_codes() {
    check(
        mx(),
        &[
            "EHLO",
            "EHLO c",
            "WIZ",
            "MAIL",
            "MAIL FROM:a@b.example",
            "MAIL FROM:<a b@c.example>",
            "MAIL FROM:<> NEW=1",
            "MAIL FROM:<> SIZE=x",
            "MAIL FROM:<> RET=FULL",
            "MAIL FROM:<> AUTH=<>",
            "MAIL FROM:<> REQUIRETLS",
            "DATA now",
            "EXPN staff",
            "VRFY",
        ],
        &[
            "501 5.5.4",
            "250",
            "500 5.5.2",
            "501 5.5.4",
            "501 5.1.7",
            "501 5.1.7",
            "555 5.5.4",
            "501 5.5.4",
            "555 5.5.4",
            "555 5.5.4",
            "555 5.5.4",
            "501 5.5.4",
            "502 5.5.1",
            "501 5.5.4",
        ],
    );
    check(
        mx(),
        &["EHLO c", "MAIL FROM:<>", "RCPT TO:a@here.example", "RCPT TO:<a>", "RCPT TO:<a@here.example> NOTIFY=NEVER"],
        &["250", "250 2.1.0", "501 5.1.3", "501 5.1.3", "555 5.5.4"],
    );
}

#[test]
fn addresses_outside_ascii_need_smtputf8() {
    check(
        mx(),
        &["EHLO c", "MAIL FROM:<é@c.example>", "MAIL FROM:<>", "RCPT TO:<é@here.example>"],
        &["250", "553 5.6.7", "250 2.1.0", "553 5.6.7"],
    );
    check(
        mx(),
        &["EHLO c", "MAIL FROM:<é@c.example> SMTPUTF8", "RCPT TO:<é@here.example>"],
        &["250", "250 2.1.0", "250 2.1.5"],
    );
    check(Config { smtputf8: false, ..mx() }, &["EHLO c", "MAIL FROM:<é@c.example> SMTPUTF8"], &["250", "555 5.5.4"]);
}

#[test]
fn starttls_begins_again() {
    let mut session = Session::new(mx());
    session.next();
    session.feed(b"EHLO c\r\nSTARTTLS\r\n");
    let announced = session.next();
    assert!(matches!(&announced, Step::Send(reply) if reply.all_lines().contains(&"STARTTLS".to_owned())));
    assert!(matches!(session.next(), Step::Send(reply) if reply.code == reply::TLS_READY));
    assert_eq!(session.next(), Step::StartTls);
    session.feed(b"MAIL FROM:<in-the-clear@c.example>\r\n");
    assert_eq!(session.next(), Step::StartTls, "until it is done");
    session.tls_started();
    assert_eq!(session.next(), Step::NeedInput, "what came in the clear is gone");
    assert_eq!(session.hello(), None);
    session.feed(b"MAIL FROM:<>\r\nEHLO c\r\nSTARTTLS\r\n");
    assert!(matches!(session.next(), Step::Send(reply) if reply.code == reply::BAD_SEQUENCE));
    assert!(matches!(session.next(), Step::Send(reply) if !reply.all_lines().contains(&"STARTTLS".to_owned())));
    assert_eq!(session.transport().to_string(), "ESMTPS");
    assert!(matches!(session.next(), Step::Send(reply) if reply.code == reply::BAD_SEQUENCE));
}

#[test]
fn commands_behind_starttls_end_the_connection() {
    check(mx(), &["EHLO c", "STARTTLS", "EHLO d"], &["250", "503 5.5.1", "close"]);
}

#[test]
fn where_tls_is_required_little_else_works() {
    check(
        submission(),
        &["HELO c", "EHLO c", "NOOP", "MAIL FROM:<>", "RSET", "VRFY a", "AUTH PLAIN", "BDAT 4 LAST", "NOQUIT", "QUIT"],
        &[
            "530 5.7.0",
            "250",
            "250 2.0.0",
            "530 5.7.0",
            "530 5.7.0",
            "530 5.7.0",
            "538 5.7.11",
            "530 5.7.0",
            "500 5.5.2",
            "221 2.0.0",
            "close",
        ],
    );
}

#[test]
fn no_mail_without_a_login_where_one_is_required() {
    check(submission_under_tls(), &["EHLO c", "MAIL FROM:<>"], &["250", "530 5.7.0"]);
    check(mx(), &["EHLO c", "AUTH PLAIN"], &["250", "502 5.5.1"]);
}

#[test]
fn a_listener_without_tls_takes_a_login_in_the_clear_and_one_with_tls_does_not() {
    let plain = "AUTH PLAIN AHRvdG8tagBzZWNyZXQ=";
    let clear = Config { tls: TlsMode::None, ..submission() };
    let talk = check(clear, &["EHLO c", plain], &["250", "235 2.7.0"]);
    assert!(talk.text.contains("250-AUTH PLAIN LOGIN\r\n"));
    let talk = check(Config { tls: TlsMode::Offered, ..submission() }, &["EHLO c", plain], &["250", "538 5.7.11"]);
    assert!(!talk.text.contains("AUTH"));
}

#[test]
fn refusals_can_name_the_rule() {
    let mut session = Session::new(submission());
    let tls = Reply::new(reply::TLS_REQUIRED, "[tls]");
    let bare = Reply::new(reply::AUTH_NEEDS_TLS, "[bare]");
    let refusals = Refusals { tls_required: tls.clone(), login_needs_tls: bare.clone(), ..Refusals::default() };
    session.set_refusals(refusals);
    session.feed(b"MAIL FROM:<>\r\nEHLO c\r\nAUTH PLAIN\r\n");
    session.next();
    assert_eq!(session.next(), Step::Send(tls));
    session.next();
    assert_eq!(session.next(), Step::Send(bare));
}

#[test]
fn plain_and_login_lead_to_a_login() {
    let plain = "AHRvdG8tagBzZWNyZXQ=";
    check(
        submission_under_tls(),
        &["EHLO c", &format!("AUTH PLAIN {plain}"), "MAIL FROM:<>", "AUTH PLAIN"],
        &["250", "235 2.7.0", "250 2.1.0", "503 5.5.1"],
    );
    check(
        submission_under_tls(),
        &["EHLO c", "auth plain", plain, "AUTH LOGIN"],
        &["250", "334", "235 2.7.0", "503 5.5.1"],
    );
    let talk = check(
        submission_under_tls(),
        &["EHLO c", "AUTH LOGIN", "dG90by1q", "c2VjcmV0", "EHLO c"],
        &["250", "334", "334", "235 2.7.0", "250"],
    );
    assert!(talk.text.contains("250-AUTH PLAIN LOGIN\r\n"), "announced under TLS");
    assert!(talk.text.contains("334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n"));
    assert_eq!(talk.text.matches("AUTH PLAIN").count(), 1, "not announced to whom it is no use");
}

#[test]
fn a_login_can_fail_in_several_ways() {
    check(
        submission_under_tls(),
        &[
            "EHLO c",
            "AUTH CRAM-MD5",
            "AUTH PLAIN AGEAYg==",
            "AUTH PLAIN =",
            "AUTH PLAIN",
            "*",
            "AUTH LOGIN",
            "%%",
            "AUTH PLAIN YgBhAHg=",
            "MAIL FROM:<>",
        ],
        &[
            "250",
            "504 5.5.4",
            "535 5.7.8",
            "501 5.5.2",
            "334",
            "501 5.5.2",
            "334",
            "501 5.5.2",
            "535 5.7.8",
            "530 5.7.0",
        ],
    );
}

#[test]
fn rcptmax_is_announced_as_it_is_now() {
    let mut session = Session::new(mx());
    session.next();
    for (rcpt_max, line) in [(None, "LIMITS RCPTMAX=100"), (Some(50), "LIMITS RCPTMAX=50")] {
        if let Some(rcpt_max) = rcpt_max {
            session.set_rcpt_max(rcpt_max);
        }
        session.feed(b"EHLO c\r\n");
        assert!(matches!(session.next(), Step::Send(reply) if reply.all_lines().contains(&line.to_owned())));
        assert_eq!(session.next(), Step::NeedInput);
    }
}

#[test]
fn helo_lists_nothing() {
    let talk = check(mx(), &["HELO c"], &["250"]);
    assert!(talk.text.ends_with("250 mx.example\r\n"));
}

#[test]
fn who_is_turned_away_can_only_quit() {
    let refusal = Reply::new(reply::TURNED_AWAY, "no");
    let input = b"EHLO c\r\nMAIL FROM:<>\r\nBDAT 6\r\nQUIT\r\nNOOP\r\nQUIT\r\n";
    let found = talk(Session::turned_away(mx(), refusal), input, &[7]);
    let sequence = "503 5.5.1";
    assert_eq!(found.steps, ["554 5.7.1", sequence, sequence, sequence, sequence, "221 2.0.0", "close"]);
    let busy = talk(Session::turned_away(mx(), Reply::new(reply::CUT_OFF, "too many")), b"EHLO c\r\n", &[7]);
    assert_eq!(busy.steps, ["421 4.7.0", "close"]);
}

#[test]
fn an_answer_of_421_ends_the_connection_and_the_transaction() {
    check(
        mx(),
        &["EHLO c", "MAIL FROM:<>", "RCPT TO:<a@here.example>", "RCPT TO:<cut@here.example>", "DATA"],
        &["250", "250 2.1.0", "250 2.1.5", "Cut", "421 4.7.0", "close"],
    );
}

#[test]
fn the_driver_is_told_when_a_transaction_is_lost() {
    let lost = |input: &[u8]| {
        let mut session = Session::new(mx());
        session.feed(input);
        let mut steps = Vec::new();
        loop {
            match session.next() {
                Step::Ask(question) => session.answer(respond(&question)),
                Step::NeedInput => session.disconnected(),
                Step::Close => return steps,
                step => steps.push(step),
            }
        }
    };
    let abandoned = Step::Abandoned(Abandoned::Disconnected);
    assert!(!lost(b"EHLO c\r\n").contains(&abandoned));
    assert!(lost(b"EHLO c\r\nMAIL FROM:<>\r\n").contains(&abandoned));
    assert!(lost(b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@here.example>\r\nDATA\r\nabc\r\n.").contains(&abandoned));
    assert!(!lost(b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@here.example>\r\nDATA\r\n.\r\n").contains(&abandoned));
}

#[test]
fn a_timeout_says_so_and_closes() {
    let mut session = Session::new(mx());
    session.feed(b"EHLO c\r\nMAIL FROM:<>\r\n");
    while session.next() != Step::NeedInput {
        session.answer(Reply::new(reply::SENDER_OK, "OK"));
    }
    session.cut(Reply::new(reply::TIMEOUT, "Too slow"));
    assert_eq!(session.next(), Step::Abandoned(Abandoned::Cut));
    assert!(matches!(session.next(), Step::Send(reply) if reply.code == reply::TIMEOUT));
    assert_eq!(session.next(), Step::Close);
}
