//! CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 6.3.4 to 6.3.8).

use super::state::{Open, Turn};
use crate::imap::command::{Name, Tag};
use crate::imap::question::Question;
use crate::imap::response::{Code, Out, Reply};
use mail::SpecialUse;

pub fn create(state: Open, tag: Tag, name: Name, special_use: Option<SpecialUse>, out: &mut Out) -> Turn {
    match name {
        Ok(name) if name.is_inbox() => state.done(tag, inbox_stays(), out),
        Ok(name) => state.ask_done(tag, Question::Create { name, special_use }, "CREATE done"),
        Err(bad) => state.done(tag, bad.into(), out),
    }
}

pub fn delete(state: Open, tag: Tag, name: Name, out: &mut Out) -> Turn {
    match name {
        Ok(name) if name.is_inbox() => state.done(tag, inbox_stays(), out),
        Ok(name) => state.ask_done(tag, Question::Delete { name }, "DELETE done"),
        Err(bad) => state.done(tag, bad.into(), out),
    }
}

/// A mailbox cannot move below itself; INBOX may be renamed, and stays (RFC 9051 6.3.6).
pub fn rename(state: Open, tag: Tag, from: Name, to: Name, out: &mut Out) -> Turn {
    match (from, to) {
        (Err(bad), _) | (_, Err(bad)) => state.done(tag, bad.into(), out),
        (Ok(_), Ok(to)) if to.is_inbox() => state.done(tag, inbox_stays(), out),
        (Ok(from), Ok(to)) if to.is_under(&from) && !from.is_inbox() => {
            state.done(tag, Reply::no(Code::Cannot, "a mailbox cannot move below itself"), out)
        }
        (Ok(from), Ok(to)) => state.ask_done(tag, Question::Rename { from, to }, "RENAME done"),
    }
}

pub fn subscribe(state: Open, tag: Tag, name: Name, on: bool, out: &mut Out) -> Turn {
    let yes = if on { "SUBSCRIBE done" } else { "UNSUBSCRIBE done" };
    match name {
        Ok(name) => state.ask_done(tag, Question::Subscribe { name, on }, yes),
        Err(bad) => state.done(tag, bad.into(), out),
    }
}

fn inbox_stays() -> Reply {
    Reply::no(Code::Cannot, "INBOX is always there")
}
