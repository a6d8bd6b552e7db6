//! What a hostile client costs.

use super::*;

#[test]
fn too_many_bad_commands_end_the_connection() {
    let mut expected = vec!["500 5.5.2"; 19];
    expected.extend(["421 4.7.0", "close"]);
    check(mx(), &["WIZ"; 40], &expected);
}

#[test]
fn too_many_commands_without_mail_end_the_connection() {
    let talk = check_count("NOOP");
    assert_eq!(talk.steps.len(), 1 + 99 + 2);
    assert_eq!(check_count("RSET").steps.len(), 1 + 99 + 2);
    assert_eq!(check_count("EHLO c").steps.len(), 1 + 99 + 2);
}

fn check_count(command: &str) -> Talk {
    let found = talk(Session::new(mx()), format!("{command}\r\n").repeat(10_000).as_bytes(), &[16_384]);
    assert_eq!(found.steps[found.steps.len() - 2..], ["421 4.7.0", "close"]);
    found
}

#[test]
fn a_message_accepted_renews_the_patience() {
    let one = format!("{}MAIL FROM:<>\r\nRCPT TO:<a@here.example>\r\nDATA\r\n.\r\n", "NOOP\r\n".repeat(90));
    let found = talk(Session::new(mx()), format!("EHLO c\r\n{}", one.repeat(5)).as_bytes(), &[1000]);
    assert_eq!(found.messages.len(), 5);
    assert!(!found.steps.contains(&"close".to_owned()));
}

#[test]
fn ten_thousand_pipelined_recipients_get_ten_thousand_replies() {
    let input = format!("EHLO c\r\nMAIL FROM:<>\r\n{}DATA\r\n.\r\n", "RCPT TO:<a@here.example>\r\n".repeat(10_000));
    let found = talk(Session::new(mx()), input.as_bytes(), &[16_384]);
    assert_eq!(found.steps.iter().filter(|step| *step == "250 2.1.5").count(), 10_000);
    assert_eq!(found.steps.last().unwrap(), "250 2.6.0");
}

#[test]
fn a_long_command_is_refused_once_and_not_kept() {
    let long = "x".repeat(3_000);
    check(mx(), &["EHLO c", &format!("NOOP {long}"), "NOOP"], &["250", "500 5.5.6", "250 2.0.0"]);
    check(mx(), &["EHLO c", &format!("NOOP {}", long.repeat(100)), "NOOP"], &["250", "500 5.5.6", "250 2.0.0"]);
    check(submission_under_tls(), &["EHLO c", &format!("AUTH PLAIN {long}")], &["250", "501 5.5.2"]);
    check(
        submission_under_tls(),
        &["EHLO c", "AUTH PLAIN", &"A".repeat(13_000), "NOOP"],
        &["250", "334", "500 5.5.6", "250 2.0.0"],
    );
}

#[test]
fn a_line_of_a_hundred_megabytes_is_cut_after_one() {
    let mut session = Session::new(mx());
    session.next();
    let piece = [b'x'; 64 * 1024];
    for fed in 0..1_600 {
        session.feed(&piece);
        match session.next() {
            Step::NeedInput => assert!(fed < 17, "cut by then"),
            Step::Send(reply) => assert_eq!((reply.code, fed), (reply::CUT_OFF, 16)),
            Step::Close => assert!(fed > 16),
            step => panic!("{step:?}"),
        }
    }
}

#[test]
fn a_command_with_a_bare_line_end_or_nul_is_refused_whole() {
    check(
        mx(),
        &["EHLO c", "NOOP\nMAIL FROM:<>", "NOOP\rQUIT", "NO\0OP", "NOOP \u{7f}", "NOOP"],
        &["250", "500 5.5.2", "500 5.5.2", "500 5.5.2", "500 5.5.2", "250 2.0.0"],
    );
    let found = talk(Session::new(mx()), b"EHLO c\nQUIT\n", &[3]);
    assert_eq!(found.steps, ["220"], "LF ends nothing");
    let found = talk(Session::new(mx()), b"EHLO c\r\nNOOP \xff\r\n", &[3]);
    assert_eq!(found.steps, ["220", "250", "500 5.5.2"]);
}

#[test]
fn a_browser_is_sent_away() {
    check(mx(), &["POST / HTTP/1.1", "EHLO c"], &["421 4.7.0", "close"]);
}

#[test]
fn a_long_line_of_content_passes_without_being_kept() {
    let config = Config { size_octets_max: 200_000_000, ..mx() };
    let mut session = Session::new(config);
    session.feed(b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@here.example>\r\nDATA\r\n");
    let piece = [b'x'; 64 * 1024];
    let mut octets = 0;
    let mut pieces = 0;
    loop {
        match session.next() {
            Step::Ask(question) => session.answer(respond(&question)),
            Step::Content(content) => {
                assert_eq!(content.len(), piece.len());
                octets += content.len();
            }
            Step::NeedInput if pieces == 160 => break,
            Step::NeedInput => {
                session.feed(&piece);
                pieces += 1;
            }
            Step::Send(_) => {}
            step => panic!("{step:?}"),
        }
    }
    assert_eq!(octets, 160 * piece.len());
}
