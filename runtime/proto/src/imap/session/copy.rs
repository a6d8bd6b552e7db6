//! COPY, MOVE and their UID forms (RFC 9051 6.4.7, 6.4.8; RFC 4315 for COPYUID).

use super::expunge::read_only;
use super::state::{Expunges, Selected, Turn, ask};
use crate::imap::command::{Messages, Name, Tag};
use crate::imap::question::{Copied, Question, Trouble};
use crate::imap::response::{Code, Out, Reply};
use mail::MailboxName;

pub fn copy(state: Box<Selected>, tag: Tag, messages: Messages, to: Name, out: &mut Out) -> Turn {
    with_target(state, tag, messages, to, out, |state, tag, uids, to| {
        let question = Question::Copy { mailbox: state.view.mailbox(), uids, to };
        ask(question, move |answer, _| {
            let reply = match answer.copied() {
                Ok(copied) if copied.pairs.is_empty() => Reply::ok("COPY done"),
                Ok(copied) => told(Reply::ok("COPY done"), copied),
                Err(trouble) => refusal(trouble),
            };
            // The copies may have landed in the selected mailbox.
            state.done_with_news(tag, reply)
        })
    })
}

pub fn move_(state: Box<Selected>, tag: Tag, messages: Messages, to: Name, out: &mut Out) -> Turn {
    if state.view.is_read_only() {
        return state.done(&tag, &read_only(), Expunges::Held, out);
    }
    with_target(state, tag, messages, to, out, |mut state, tag, uids, to| {
        let question = Question::Move { mailbox: state.view.mailbox(), uids, to };
        ask(question, move |answer, out| match answer.copied() {
            Ok(copied) if !copied.pairs.is_empty() => {
                state.view.vanish(copied.pairs.iter().map(|(from, _)| *from));
                // RFC 6851 4.3: before the EXPUNGE responses, so that the client can follow the messages.
                out.untagged_reply(&told(Reply::ok("moved"), copied));
                match state.shared.enabled.qresync {
                    true => state.done_removed(tag, "MOVE done", out),
                    false => state.done_with_news(tag, Reply::ok("MOVE done")),
                }
            }
            Ok(_) => state.done_with_news(tag, Reply::ok("MOVE done")),
            Err(trouble) => state.done_with_news(tag, refusal(trouble)),
        })
    })
}

/// Resolves the messages and the name. No messages, which only UIDs can name, are no error (RFC 9051 6.4.9).
fn with_target(
    state: Box<Selected>,
    tag: Tag,
    messages: Messages,
    to: Name,
    out: &mut Out,
    then: impl FnOnce(Box<Selected>, Tag, Vec<u32>, MailboxName) -> Turn + Send + 'static,
) -> Turn {
    let to = match to {
        Ok(to) => to,
        Err(bad) => return state.done(&tag, &bad.into(), Expunges::Held, out),
    };
    state.with_news(tag, move |state, tag, out| match state.view.uids(&messages) {
        Ok(uids) if uids.is_empty() => state.done(&tag, &Reply::ok("there were no such messages"), Expunges::Told, out),
        Ok(uids) => then(state, tag, uids, to),
        Err(reply) => state.done(&tag, &reply, Expunges::Told, out),
    })
}

/// With COPYUID, unless the UIDs there are not for who copied.
fn told(reply: Reply, copied: Copied) -> Reply {
    let Some(validity) = copied.uid_validity else { return reply };
    let (from, to) = copied.pairs.into_iter().unzip();
    reply.with(Code::CopyUid(validity, from, to))
}

/// RFC 9051 6.4.7: the client may create the mailbox and try again.
pub fn refusal(trouble: Trouble) -> Reply {
    match trouble {
        Trouble::NoSuchMailbox => Reply::no(Code::TryCreate, "there is no such mailbox"),
        Trouble::AlreadyExists
        | Trouble::SpecialUseTaken
        | Trouble::HasChildren
        | Trouble::OverQuota
        | Trouble::TooBig
        | Trouble::Limit
        | Trouble::NotPersonal
        | Trouble::TooManyEntries
        | Trouble::NoPermission
        | Trouble::Expunged
        | Trouble::Unavailable
        | Trouble::Bug => trouble.into(),
    }
}

#[cfg(test)]
mod tests {
    use crate::imap::session::tests::Client;

    const THREE: [&str; 3] = ["a: 1\n\nb\n"; 3];

    #[test]
    fn copies_are_named_by_copyuid() {
        let mut client = Client::with_inbox(&THREE);
        client.check("a COPY 1,3 Sent", "a OK [COPYUID 102 1,3 1:2] COPY done\n");
        client.check("a UID COPY 2 Sent", "a OK [COPYUID 102 2 3] COPY done\n");
        client.check("a COPY 1 INBOX", "* 4 EXISTS\na OK [COPYUID 101 1 4] COPY done\n");
        client.check("a COPY 1 nope", "a NO [TRYCREATE] there is no such mailbox\n");
        client.check("a COPY 9 Sent", "a BAD there is no message with that number\n");
        client.check("a UID COPY 99 Sent", "a OK there were no such messages\n");
    }

    #[test]
    fn uids_of_a_mailbox_that_may_not_be_read_are_not_told() {
        let mut client = Client::with_inbox(&THREE);
        client.store.borrow_mut().rights.insert("Sent".to_owned(), mail::Rights::parse("li").unwrap());
        client.check("a COPY 1 Sent", "a OK COPY done\n");
        client.check("a MOVE 1 Sent", "* OK moved\n* 1 EXPUNGE\na OK MOVE done\n");
        client.check("a APPEND Sent {1+}\r\nx", "a OK APPEND done\n");
        client.check("a REPLACE 1 Sent {1+}\r\nx", "* OK replaced\n* 1 EXPUNGE\na OK REPLACE done\n");
        assert_eq!(client.store.borrow().uids("Sent"), [1, 2, 3, 4]);
    }

    #[test]
    fn move_tells_where_before_it_tells_what_is_gone() {
        let mut client = Client::with_inbox(&THREE);
        client
            .check("a MOVE 1:2 Trash", "* OK [COPYUID 103 1:2 1:2] moved\n* 1 EXPUNGE\n* 1 EXPUNGE\na OK MOVE done\n");
        client.check("a UID MOVE 3 nope", "a NO [TRYCREATE] there is no such mailbox\n");
        assert_eq!(client.store.borrow().uids("INBOX"), [3]);
        assert_eq!(client.store.borrow().uids("Trash"), [1, 2]);
    }
}
