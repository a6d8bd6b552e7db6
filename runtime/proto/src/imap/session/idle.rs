//! IDLE (RFC 9051 6.3.13), NOOP and CHECK.

use super::live;
use super::state::{Open, Turn, gone, taken_away};
use crate::imap::command::Tag;
use crate::imap::question::Trouble;
use crate::imap::response::{Out, Reply};

/// Changes since the last command are told at once, then each as it comes.
pub fn idle(state: Open, tag: Tag, out: &mut Out) -> Turn {
    out.text("+ idling\r\n");
    news(state, tag)
}

/// The mailbox changed. EXPUNGE may be sent: IDLE is no FETCH, STORE or SEARCH.
pub fn news(state: Open, tag: Tag) -> Turn {
    let state = match state {
        Open::Authenticated(_) => return Turn::Idle(state, tag),
        Open::Selected(state) => state,
    };
    state.hear(false, move |state, trouble, out| match trouble {
        Some(Trouble::NoSuchMailbox) => gone(out),
        Some(Trouble::NoPermission) => taken_away(out),
        // If the store is in other trouble, the next change, or the next command, brings the news.
        Some(_) | None => live::tell(state, out, move |mut state, out| {
            state.view.tell_expunged(state.shared.enabled, out);
            // For hours now nobody may look at the rows.
            state.view.let_go();
            Turn::Idle(Open::Selected(state), tag)
        }),
    })
}

/// The client sent a line while idling; it should be DONE.
pub fn end(state: Open, tag: Tag, line: &[u8], out: &mut Out) -> Turn {
    match line.eq_ignore_ascii_case(b"DONE") {
        true => state.done(tag, Reply::ok("IDLE done"), out),
        false => state.done(tag, Reply::bad("IDLE ends with DONE"), out),
    }
}

#[cfg(test)]
mod tests {
    use crate::imap::session::tests::Client;
    use mail::{Flags, SystemFlags};

    #[test]
    fn idle_tells_changes_as_they_come() {
        let mut client = Client::with_inbox(&["a: 1\n\nb\n", "a: 2\n\nb\n"]);
        client.store.borrow_mut().deliver("INBOX", b"a: 3\r\n\r\nb\r\n");
        client.check("a IDLE", "+ idling\n* 3 EXISTS\n");
        assert!(client.idling);
        assert_eq!(client.changed(), "");
        client.store.borrow_mut().set_flags("INBOX", 2, &Flags::system(SystemFlags::SEEN));
        client.store.borrow_mut().expunge("INBOX", 1);
        assert_eq!(client.changed(), "* 2 FETCH (UID 2 FLAGS (\\Seen))\n* 1 EXPUNGE\n");
        client.check("done", "a OK IDLE done\n");
        assert!(!client.idling);
    }

    #[test]
    fn idle_without_a_mailbox_waits_and_ends_with_done_only() {
        let mut client = Client::new();
        client.check("a IDLE", "+ idling\n");
        assert_eq!(client.changed(), "");
        client.check("NOOP", "a BAD IDLE ends with DONE\n");
        client.check("a NOOP", "a OK NOOP done\n");
    }

    #[test]
    fn noop_tells_what_happened() {
        let mut client = Client::with_inbox(&["a: 1\n\nb\n"]);
        client.store.borrow_mut().deliver("INBOX", b"a: 2\r\n\r\nb\r\n");
        client.check("a NOOP", "* 2 EXISTS\na OK NOOP done\n");
        client.store.borrow_mut().expunge("INBOX", 1);
        client.check("a CHECK", "* 1 EXPUNGE\na OK CHECK done\n");
    }
}
