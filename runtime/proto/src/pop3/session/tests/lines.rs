//! Lines and their bounds, whatever the command.

use super::super::{Session, Step};
use super::{Client, config};

#[test]
fn commands_may_come_together_and_are_answered_in_order() {
    let mut client = Client::with(&["a: 1\n\n"]);
    let said = client.say_octets(b"STAT\r\nRETR 1\r\nNOOP\r\nDELE 1\r\nRETR 1\r\nQUIT\r\nNOOP\r\n");
    let expected = "+OK 1 8\n+OK 8 octets\na: 1\n\n.\n+OK nothing done\n+OK message 1 goes at QUIT\n\
                    -ERR message 1 is deleted\n+OK until next time\n";
    assert_eq!(said, expected);
    assert!(client.closed && client.uids().is_empty());
}

#[test]
fn what_is_no_command_is_refused_and_after_twenty_the_server_hangs_up() {
    let mut client = Client::stranger(config());
    client.check("BOGUS", "-ERR that command is not known\n");
    client.check("", "-ERR that command is not known\n");
    client.check("STAT", "-ERR log in first\n");
    client.check("NOOP", "-ERR log in first\n");
    client.check("CAPA 1", "-ERR CAPA does not take that\n");
    assert!(client.say("CAPA").starts_with("+OK "));
    for _ in 0..19 {
        client.check("APOP a b", "-ERR that command is not known\n");
    }
    client.check("secret", "-ERR too many bad commands\n");
    assert!(client.closed);
}

#[test]
fn a_long_line_is_refused_once_and_an_endless_one_ends_the_connection() {
    let mut client = Client::stranger(config());
    client.check(&"x".repeat(20_000), "-ERR the line is too long\n");
    client.log_in();
    client.check(&format!("NOOP {}", "x".repeat(2_048)), "-ERR the line is too long\n");
    client.check("NOOP", "+OK nothing done\n");
    for _ in 0..8 {
        if client.closed {
            return;
        }
        client.say_octets(&[b'x'; 16 * 1024]);
    }
    panic!("128 KiB without a line end were taken");
}

#[test]
fn only_crlf_ends_a_line() {
    let mut client = Client::with(&[]);
    assert_eq!(client.say_octets(b"NOOP\n"), "");
    assert_eq!(client.say_octets(b"NOOP\r\n"), "-ERR NOOP does not take that\n");
}

#[test]
fn silence_is_short_before_login_and_long_after_it() {
    let mut client = Client::stranger(config());
    assert_eq!(client.timeout_s(), 60);
    client.log_in();
    assert_eq!(client.timeout_s(), 600);
}

#[test]
fn a_connection_that_is_turned_away_hears_why() {
    let mut session = Session::turned_away("not from there");
    assert!(matches!(session.next(), Step::Send(octets) if octets == b"-ERR [SYS/PERM] not from there\r\n"));
    assert!(matches!(session.next(), Step::Close));
}
