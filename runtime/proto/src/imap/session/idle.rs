//! IDLE (RFC 9051 6.3.13), NOOP and CHECK.

use super::state::{Open, Turn, ask, gone};
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
    let mut state = match state {
        Open::Authenticated(_) => return Turn::Idle(state, tag),
        Open::Selected(state) => state,
    };
    ask(state.view.refresh(), move |answer, out| {
        match answer.changed() {
            Ok(changes) => {
                state.view.apply(changes, out);
                state.view.tell_expunged(out);
            }
            Err(Trouble::NoSuchMailbox) => return gone(out),
            // The store is in trouble: the next change, or the next command, brings the news.
            Err(_) => (),
        }
        Turn::Idle(Open::Selected(state), tag)
    })
}

/// The client sent a line while idling; it should be DONE.
pub fn end(state: Open, tag: Tag, line: &[u8], out: &mut Out) -> Turn {
    match line.eq_ignore_ascii_case(b"DONE") {
        true => state.done(tag, Reply::ok("IDLE done"), out),
        false => state.done(tag, Reply::bad("IDLE ends with DONE"), out),
    }
}
