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

#[cfg(test)]
mod tests {
    use crate::imap::session::tests::Client;

    #[test]
    fn mailboxes_come_move_and_go() {
        let mut client = Client::new();
        client.check("a CREATE lists/rust/", "a OK CREATE done\n");
        client.check("a CREATE lists/rust", "a NO [ALREADYEXISTS] the mailbox exists already\n");
        client.check("a DELETE lists", "a NO [HASCHILDREN] the mailbox has others below it\n");
        client.check("a RENAME lists/rust R&-D", "a OK RENAME done\n");
        client.check("a RENAME lists/rust x", "a NO [NONEXISTENT] there is no such mailbox\n");
        client.check("a RENAME lists lists/below", "a NO [CANNOT] a mailbox cannot move below itself\n");
        client.check("a DELETE R&-D", "a OK DELETE done\n");
        client.check("a DELETE R&-D", "a NO [NONEXISTENT] there is no such mailbox\n");
        client.check("a CREATE \"x%\"", "a NO [CANNOT] a mailbox name has no control character, % or *\n");
        client.check("a CREATE Old (USE (\\Archive))", "a OK CREATE done\n");
        client.check("a LIST \"\" Old", "* LIST (\\HasNoChildren \\Archive) \"/\" Old\na OK LIST done\n");
    }

    #[test]
    fn inbox_is_always_there() {
        let mut client = Client::new();
        for line in ["a CREATE inbox", "a DELETE Inbox", "a RENAME Sent INBOX"] {
            client.check(line, "a NO [CANNOT] INBOX is always there\n");
        }
        client.check("a RENAME INBOX INBOX/old", "a OK RENAME done\n");
    }
}
