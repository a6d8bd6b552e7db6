//! Lines, literals and their bounds, whatever the command.

use super::{APPEND_OCTETS_MAX, Client, Store};
use std::cell::RefCell;
use std::rc::Rc;

fn stranger() -> Client {
    Client::stranger(&Rc::new(RefCell::new(Store::new())))
}

#[test]
fn commands_may_come_together_and_are_answered_in_order() {
    let mut client = Client::with_inbox(&[]);
    let said = client.say_octets(b"a NOOP\r\nb CHECK\r\nc UNSELECT\r\nd NOOP\r\n");
    assert_eq!(said, "a OK NOOP done\nb OK CHECK done\nc OK UNSELECT done\nd OK NOOP done\n");
}

#[test]
fn a_literal_is_waited_for_when_the_client_waits() {
    let mut client = stranger();
    client.check("a LOGIN {6}", "+ go ahead\n");
    client.check("toto-j {6+}", "");
    assert!(client.say("secret").starts_with("a OK [CAPABILITY "));
}

#[test]
fn what_is_no_command_is_bad_and_after_twenty_the_server_hangs_up() {
    let mut client = stranger();
    client.check("a BOGUS", "a BAD that command is not known\n");
    client.check("a LOGIN x", "a BAD LOGIN does not take that\n");
    client.check("", "* BAD a command begins with a tag and ends with CRLF\n");
    client.check("a SELECT INBOX", "a BAD log in first\n");
    client.check("a STARTTLS", "a BAD the connection has TLS\n");
    client.check("a NOOP", "a OK NOOP done\n");
    for _ in 0..19 {
        client.check("a UID BOGUS", "a BAD that command is not known\n");
    }
    client.check("a BOGUS", "a BAD that command is not known\n* BYE too many bad commands\n");
    assert!(client.closed);
}

#[test]
fn a_command_that_is_too_long_is_refused_under_its_tag() {
    let mut client = Client::new();
    let long = format!("a SEARCH SUBJECT \"{}\"", "x".repeat(70_000));
    client.check(&long, "a BAD [TOOBIG] the command is too long\n");
    client.check("b STATUS {70000}", "b BAD [TOOBIG] the command is too long\n");
    let literal = format!("c STATUS {{70000+}}\r\n{} (MESSAGES)", "x".repeat(70_000));
    client.check(&literal, "c BAD [TOOBIG] the command is too long\n");
    client.check("d NOOP", "d OK NOOP done\n");
    client.check("e STATUS {9999999999+}", "* BYE the command is endless\n");
    assert!(client.closed);
}

#[test]
fn an_endless_line_ends_the_connection_and_is_not_kept() {
    let mut client = Client::new();
    for _ in 0..32 {
        if client.closed {
            return;
        }
        client.say_octets(&[b'x'; 65_536]);
    }
    panic!("two megabytes without a line end were taken");
}

#[test]
fn only_crlf_ends_a_line() {
    let mut client = Client::new();
    assert_eq!(client.say_octets(b"a NOOP\n"), "");
    assert_eq!(client.say_octets(b"b NOOP\r\n"), "a BAD NOOP does not take that\n");
}

#[test]
fn a_store_in_trouble_says_unavailable_and_never_shows_an_empty_list() {
    let mut client = Client::new();
    client.store.borrow_mut().broken = Some(crate::imap::Trouble::Unavailable);
    let unavailable = "a NO [UNAVAILABLE] the mail store is not available, try again later\n";
    for line in
        ["a LIST \"\" *", "a LSUB \"\" *", "a SELECT INBOX", "a STATUS INBOX (MESSAGES)", "a GETQUOTAROOT INBOX"]
    {
        client.check(line, unavailable);
    }
    client.check(&format!("a APPEND INBOX {{{APPEND_OCTETS_MAX}}}"), unavailable);
}

#[test]
fn end_says_goodbye_in_any_state() {
    let mut client = Client::with_inbox(&[]);
    client.say("a IDLE");
    client.session.end("the server stops\r\n* OK");
    assert_eq!(client.pump(), "* BYE the server stops* OK\n");
    assert!(client.closed);
}

#[test]
fn a_connection_that_is_turned_away_hears_why() {
    let mut session = super::Session::turned_away("not from there");
    assert!(matches!(session.next(), super::Step::Send(octets) if octets == b"* BYE not from there\r\n"));
    assert!(matches!(session.next(), super::Step::Close));
}
