//! EXPUNGE and UID EXPUNGE (RFC 9051 6.4.3, 6.4.9).

use super::state::{Expunges, Selected, Turn, ask};
use crate::imap::command::{Messages, Tag};
use crate::imap::question::Question;
use crate::imap::response::{Code, Out, Reply};
use mail::SystemFlags;

/// `only` is the set of UID EXPUNGE.
pub fn expunge(state: Box<Selected>, tag: Tag, only: Option<Messages>, out: &mut Out) -> Turn {
    if state.view.is_read_only() {
        return state.done(&tag, &read_only(), Expunges::Held, out);
    }
    state.with_news(tag, move |mut state, tag, out| {
        let named = match only.map(|messages| state.view.uids(&messages)).transpose() {
            Ok(named) => named,
            Err(reply) => return state.done(&tag, &reply, Expunges::Told, out),
        };
        let rows = state.view.rows().iter().filter(|row| row.flags.system.contains(SystemFlags::DELETED));
        let uids: Vec<u32> = rows
            .map(|row| row.uid)
            .filter(|uid| named.as_ref().is_none_or(|named| named.binary_search(uid).is_ok()))
            .collect();
        if uids.is_empty() {
            return state.done(&tag, &Reply::ok("EXPUNGE done"), Expunges::Told, out);
        }
        let question = Question::Expunge { mailbox: state.view.mailbox(), uids };
        ask(question, move |answer, out| {
            let reply = match answer.expunged() {
                Ok(uids) => {
                    state.view.vanish(uids);
                    Reply::ok("EXPUNGE done")
                }
                Err(trouble) => trouble.into(),
            };
            state.done(&tag, &reply, Expunges::Told, out)
        })
    })
}

/// RFC 9051 6.3.3: nothing changes in a mailbox that EXAMINE opened.
pub fn read_only() -> Reply {
    Reply::no(Code::Cannot, "the mailbox was opened read-only")
}
