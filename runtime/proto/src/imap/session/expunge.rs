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
        let mut uids = state.view.uids_with(SystemFlags::DELETED);
        uids.retain(|uid| named.as_ref().is_none_or(|named| named.binary_search(uid).is_ok()));
        if uids.is_empty() {
            return state.done(&tag, &Reply::ok("EXPUNGE done"), Expunges::Told, out);
        }
        let question = Question::Expunge { mailbox: state.view.mailbox(), uids };
        ask(question, move |answer, out| match answer.expunged() {
            Ok(uids) if uids.is_empty() => state.done(&tag, &Reply::ok("EXPUNGE done"), Expunges::Told, out),
            Ok(uids) => {
                state.view.vanish(uids);
                state.done_removed(tag, "EXPUNGE done", out)
            }
            Err(trouble) => state.done(&tag, &trouble.into(), Expunges::Told, out),
        })
    })
}

/// RFC 9051 6.3.3: nothing changes in a mailbox that EXAMINE opened.
pub fn read_only() -> Reply {
    Reply::no(Code::Cannot, "the mailbox was opened read-only")
}

#[cfg(test)]
mod tests {
    use crate::imap::session::tests::Client;

    const FOUR: [&str; 4] = ["a: 1\n\nb\n"; 4];

    #[test]
    fn each_number_counts_the_ones_before_it_as_gone() {
        let mut client = Client::with_inbox(&FOUR);
        client.say("a STORE 1,2,4 +FLAGS.SILENT (\\Deleted)");
        client.check("a EXPUNGE", "* 1 EXPUNGE\n* 1 EXPUNGE\n* 2 EXPUNGE\na OK EXPUNGE done\n");
        client.check("a FETCH 1 UID", "* 1 FETCH (UID 3)\na OK FETCH done\n");
        client.check("a EXPUNGE", "a OK EXPUNGE done\n");
    }

    #[test]
    fn uid_expunge_takes_only_the_named_ones_that_are_deleted() {
        let mut client = Client::with_inbox(&FOUR);
        client.say("a STORE 1,4 +FLAGS.SILENT (\\Deleted)");
        client.check("a UID EXPUNGE 2:9", "* 4 EXPUNGE\na OK EXPUNGE done\n");
        assert_eq!(client.store.borrow().uids("INBOX"), [1, 2, 3]);
    }

    #[test]
    fn what_another_session_expunged_is_held_back_during_fetch_store_and_search() {
        let mut client = Client::with_inbox(&FOUR);
        client.store.borrow_mut().expunge("INBOX", 2);
        client.check("a FETCH 3 UID", "* 3 FETCH (UID 3)\na OK FETCH done\n");
        client.check("a SEARCH ALL", "* SEARCH 1 3 4\na OK SEARCH done\n");
        client.check("a STORE 3 +FLAGS (\\Seen)", "* 3 FETCH (FLAGS (\\Seen))\na OK STORE done\n");
        client.check("a UID FETCH 3 FLAGS", "* 3 FETCH (UID 3 FLAGS (\\Seen))\n* 2 EXPUNGE\na OK FETCH done\n");
        client.check("a FETCH 2 UID", "* 2 FETCH (UID 3)\na OK FETCH done\n");
    }
}
