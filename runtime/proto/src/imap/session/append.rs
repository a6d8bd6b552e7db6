//! APPEND (RFC 9051 6.3.12, RFC 7888 for literals the client does not wait for).

use super::copy::refusal;
use super::state::{Appending, Open, Turn, ask};
use crate::imap::command::{Append, Tag};
use crate::imap::question::{Answer, Question, Trouble};
use crate::imap::response::{Code, Out, Reply};

/// A refused message that comes all the same is read and dropped up to so many times the size that would have been taken;
/// beyond that the connection ends.
const SWALLOW_FACTOR: u64 = 4;

/// The command has come up to its literal.
pub fn append(state: Open, append: Append, out: &mut Out) -> Turn {
    let octets_max = state.shared().config.append_octets_max;
    let literal = append.literal;
    if !literal.synchronizing && literal.size_octets > octets_max.saturating_mul(SWALLOW_FACTOR) {
        out.untagged_reply(&Reply::bye("the literal is too big").with(Code::TooBig));
        return Turn::Close;
    }
    let name = match append.name {
        Ok(name) if literal.size_octets <= octets_max => name,
        Ok(_) => return refuse(state, append.tag, append.literal, Trouble::TooBig.into(), out),
        Err(bad) => return refuse(state, append.tag, append.literal, bad.into(), out),
    };
    let question = Question::AppendStart {
        mailbox: name,
        flags: append.flags,
        internal_date_s: append.internal_date_s,
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

/// A client that waits hears NO and sends nothing; one that does not wait has its octets dropped first.
fn refuse(open: Open, tag: Tag, literal: crate::imap::command::Literal, reply: Reply, out: &mut Out) -> Turn {
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
