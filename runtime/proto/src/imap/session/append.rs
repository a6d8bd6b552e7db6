//! APPEND (RFC 9051 6.3.12, RFC 7888 for literals the client does not wait for).

use super::copy::refusal;
use super::state::{Appending, Open, Turn, ask};
use crate::imap::command::{Append, BadAppend, Literal, Tag};
use crate::imap::question::{Answer, Question, Trouble};
use crate::imap::response::{Code, Out, Reply};

/// A refused message that comes all the same is read and dropped up to so many times the size that would have been taken;
/// beyond that the connection ends.
const SWALLOW_FACTOR: u64 = 4;

/// The command has come up to its literal.
pub fn append(state: Open, append: Append, out: &mut Out) -> Turn {
    let octets_max = state.shared().config.append_octets_max;
    let literal = append.literal;
    if is_endless(&state, literal) {
        return endless(out);
    }
    let name = match append.name {
        Ok(name) if literal.size_octets <= octets_max => name,
        Ok(_) => return refuse(state, append.tag, append.literal, Trouble::TooBig.into(), out),
        Err(bad) => return refuse(state, append.tag, append.literal, bad.into(), out),
    };
    let question = Question::AppendStart {
        mailbox: name,
        flags: append.flags,
        internal_date: append.internal_date,
        size_octets: literal.size_octets,
    };
    ask(question, move |answer, out| match answer.done() {
        Ok(()) => {
            if literal.synchronizing {
                out.text("+ go ahead\r\n");
            }
            Turn::Append(Appending { open: state, tag: append.tag, octets_left: literal.size_octets, refused: None })
        }
        Err(trouble) => refuse(state, append.tag, literal, refusal(trouble), out),
    })
}

/// Its arguments are wrong, and its literal comes all the same.
pub fn bad(state: Open, bad: BadAppend, out: &mut Out) -> Turn {
    match is_endless(&state, bad.literal) {
        true => endless(out),
        false => refuse(state, bad.tag, bad.literal, Reply::bad(bad.what), out),
    }
}

fn is_endless(state: &Open, literal: Literal) -> bool {
    let octets_max = state.shared().config.append_octets_max;
    !literal.synchronizing && literal.size_octets > octets_max.saturating_mul(SWALLOW_FACTOR)
}

fn endless(out: &mut Out) -> Turn {
    out.untagged_reply(&Reply::bye("the literal is too big").with(Code::TooBig));
    Turn::Close
}

/// RFC 9051 4.3 keeps NUL out of literals, so what holds one could not be read again with BODY[]. RFC 3516 4.4 has the code
/// for a place that does not keep binary content.
pub fn nul() -> Reply {
    Reply::no(Code::UnknownCte, "a message with NUL cannot be kept, not even from a literal8")
}

/// A client that waits hears NO and sends nothing; one that does not wait has its octets dropped first.
fn refuse(open: Open, tag: Tag, literal: Literal, reply: Reply, out: &mut Out) -> Turn {
    match literal.synchronizing {
        true => open.done(tag, reply, out),
        false => Turn::Append(Appending { open, tag, octets_left: literal.size_octets, refused: Some(reply) }),
    }
}

/// The literal and its line end have come: the message can be kept.
pub fn complete(open: Open, tag: Tag) -> Turn {
    ask(Question::AppendEnd, move |answer, out| {
        let reply = match answer {
            Answer::Appended { uid_validity, uid } => Reply::ok("APPEND done").with(Code::AppendUid(uid_validity, uid)),
            other => refusal(other.done().err().unwrap_or(Trouble::Bug)),
        };
        open.done(tag, reply, out)
    })
}

#[cfg(test)]
mod tests {
    use crate::imap::session::tests::Client;

    #[test]
    fn a_message_is_taken_with_its_flags_and_date() {
        let mut client = Client::with_inbox(&[]);
        client.check("a APPEND INBOX (\\Seen $x) \"17-Jul-1996 02:44:25 -0700\" {9}", "+ go ahead\n");
        let expected = "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $x)\n* 1 EXISTS\na OK [APPENDUID 101 1] APPEND done\n";
        client.check("a: 1\r\n\r\nb", expected);
        client.check(
            "a FETCH 1 (FLAGS INTERNALDATE BODY.PEEK[])",
            "* 1 FETCH (FLAGS (\\Seen $x) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" BODY[] {9}\na: 1\n\nb)\na OK FETCH done\n",
        );
        client.check("a APPEND Sent {9+}\r\na: 1\r\n\r\nb", "a OK [APPENDUID 102 1] APPEND done\n");
        client.check("a APPEND {4}", "+ go ahead\n");
        client.check("Sent ~{1+}\r\nx", "a OK [APPENDUID 102 2] APPEND done\n");
        client.check("a APPEND Sent {0}", "+ go ahead\n");
        client.check("", "a OK [APPENDUID 102 3] APPEND done\n");
    }

    #[test]
    fn a_message_with_nul_is_read_to_its_end_and_refused() {
        let mut client = Client::new();
        let refusal = "a NO [UNKNOWN-CTE] a message with NUL cannot be kept, not even from a literal8\n";
        client.check("a APPEND Sent {6+}\r\na\0b\0cd", refusal);
        client.check("a APPEND Sent ~{1+}\r\n\0", refusal);
        client.check("a APPEND Sent {9}", "+ go ahead\n");
        assert_eq!(client.say_octets(b"a: 1\r"), "");
        assert_eq!(client.say_octets(b"\0"), "");
        client.check("x\0y", refusal);
        client.check("a STATUS Sent (MESSAGES)", "* STATUS Sent (MESSAGES 0)\na OK STATUS done\n");
        client.check("a APPEND Sent {9+}\r\na: 1\r\n\r\nb", "a OK [APPENDUID 102 1] APPEND done\n");
    }

    #[test]
    fn what_is_wrong_before_the_literal_is_named() {
        let mut client = Client::new();
        let many: Vec<String> = (0..=mail::flag::KEYWORDS_MAX).map(|at| format!("k{at}")).collect();
        let many = format!("({})", many.join(" "));
        for (arguments, what) in [
            ("(\\Foo)", "APPEND does not take one of these flags"),
            (&many, "too many flags"),
            ("\"yesterday\"", "the date is none"),
            ("(\\Seen) \"99-Jul-1996 02:44:25 -0700\"", "the date is none"),
            ("(\\Seen) x", "APPEND takes flags, a date and a literal"),
        ] {
            client.check(&format!("a APPEND Sent {arguments} {{9}}"), &format!("a BAD {what}\n"));
            let line = format!("a APPEND Sent {arguments} {{9+}}\r\na NOOP\r\nb");
            client.check(&line, &format!("a BAD {what}\n"));
        }
        client.check("a APPEND", "a BAD APPEND does not take that\n");
        client.check("a APPEND Sent (\\Foo) {4001+}", "* BYE [TOOBIG] the literal is too big\n");
        assert!(client.closed);
    }

    #[test]
    fn refused_messages_are_not_waited_for_or_dropped() {
        let mut client = Client::new();
        client.check("a APPEND nope {9}", "a NO [TRYCREATE] there is no such mailbox\n");
        client.check("a APPEND nope {9+}\r\na: 1\r\n\r\nb", "a NO [TRYCREATE] there is no such mailbox\n");
        client.check("a APPEND INBOX {1001}", "a NO [TOOBIG] the message is too big\n");
        let big = format!("a APPEND INBOX {{1001+}}\r\n{}", "x".repeat(1_001));
        client.check(&big, "a NO [TOOBIG] the message is too big\n");
        client.check("a APPEND \"%\" {9}", "a NO [CANNOT] a mailbox name has no control character, % or *\n");
        assert!(client.store.borrow().uids("INBOX").is_empty());
        client.check("a APPEND INBOX {4001+}", "* BYE [TOOBIG] the literal is too big\n");
        assert!(client.closed);
    }

    #[test]
    fn what_stands_behind_the_message_takes_it_back() {
        let mut client = Client::new();
        client.check("a APPEND INBOX {1+}\r\nx {1}", "a BAD APPEND ends behind its literal\n");
        client.check("a STATUS INBOX (MESSAGES)", "* STATUS INBOX (MESSAGES 0)\na OK STATUS done\n");
    }

    #[test]
    fn nobody_appends_before_login() {
        let mut client = Client::stranger(&Client::new().store);
        client.check("a APPEND INBOX {5}", "a BAD log in first\n");
        client.check("a APPEND INBOX {5+}", "* BYE log in first\n");
        assert!(client.closed);
    }
}
