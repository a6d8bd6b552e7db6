//! CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 6.3.4 to 6.3.8).

use super::state::{Authenticated, Expunges, Open, Selected, Turn, ask};
use crate::imap::command::{Name, Tag, Uses};
use crate::imap::question::{Question, Trouble};
use crate::imap::response::{Code, Out, Reply};
use mail::MailboxName;
use mail::mailbox_name::SEPARATOR;

pub fn create(state: Open, tag: Tag, (name, given): (Name, String), uses: Uses, out: &mut Out) -> Turn {
    let special_use = match uses {
        Uses::Nothing => None,
        Uses::One(special_use) => Some(special_use),
        Uses::NotServed => {
            return state.done(tag, Reply::no(Code::UseAttr, "a mailbox cannot be for that here"), out);
        }
    };
    match name {
        Ok(name) if name.is_inbox() => state.done(tag, inbox_stays(), out),
        Ok(name) => {
            let respelled = state.shared().enabled.rev2 && is_respelled(&name, &given);
            ask(Question::Create { name: name.clone(), special_use }, move |answer, out| match answer.created() {
                Ok(mailbox) => {
                    if respelled {
                        old_name(&name, &given, &state, out);
                    }
                    state.done(tag, Reply::ok("CREATE done").with(Code::MailboxId(mailbox)), out)
                }
                Err(trouble) => state.done(tag, trouble.into(), out),
            })
        }
        Err(bad) => state.done(tag, bad.into(), out),
    }
}

/// A separator at the end only says that children will come.
fn is_respelled(name: &MailboxName, given: &str) -> bool {
    given.strip_suffix(SEPARATOR).unwrap_or(given) != name.as_str()
}

/// RFC 9051 6.3.4, 6.3.9.7: how the server spells what the client spelled otherwise.
fn old_name(name: &MailboxName, given: &str, state: &Open, out: &mut Out) {
    out.text("* LIST () \"/\" ");
    out.mailbox(name, state.coding());
    out.text(" (\"OLDNAME\" (");
    out.string(given.as_bytes());
    out.text("))");
    out.end_line();
}

pub fn delete(state: Open, tag: Tag, name: Name, out: &mut Out) -> Turn {
    let name = match name {
        Ok(name) if name.is_inbox() => return state.done(tag, inbox_stays(), out),
        Ok(name) => name,
        Err(bad) => return state.done(tag, bad.into(), out),
    };
    ask(Question::Delete { name }, move |answer, out| match (answer.done(), state) {
        (Ok(()), Open::Selected(state)) => perhaps_gone(state, tag, "DELETE done"),
        (Ok(()), state) => state.done(tag, Reply::ok("DELETE done"), out),
        (Err(trouble), state) => state.done(tag, trouble.into(), out),
    })
}

/// A client may delete the very mailbox it has selected, or rename the INBOX it has selected. It knows, so it is not hung up on: nothing is selected any more.
fn perhaps_gone(state: Box<Selected>, tag: Tag, yes: &'static str) -> Turn {
    state.hear(false, move |state, trouble, out| match trouble {
        Some(Trouble::NoSuchMailbox) => ask(Question::Unselect, move |_, out| {
            out.untagged_reply(&Reply::ok("the selected mailbox is gone").with(Code::Closed));
            Open::Authenticated(Authenticated { shared: state.shared }).done(tag, Reply::ok(yes), out)
        }),
        Some(_) | None => state.done(&tag, &Reply::ok(yes), Expunges::Told, out),
    })
}

/// A mailbox cannot move below itself; INBOX may be renamed, and stays (RFC 9051 6.3.6).
pub fn rename(state: Open, tag: Tag, from: Name, to: Name, out: &mut Out) -> Turn {
    match (from, to) {
        (Err(bad), _) | (_, Err(bad)) => state.done(tag, bad.into(), out),
        (Ok(_), Ok(to)) if to.is_inbox() => state.done(tag, inbox_stays(), out),
        (Ok(from), Ok(to)) if to.is_under(&from) && !from.is_inbox() => {
            state.done(tag, Reply::no(Code::Cannot, "a mailbox cannot move below itself"), out)
        }
        (Ok(from), Ok(to)) => ask(Question::Rename { from, to }, move |answer, out| match (answer.done(), state) {
            (Ok(()), Open::Selected(state)) => perhaps_gone(state, tag, "RENAME done"),
            (Ok(()), state) => state.done(tag, Reply::ok("RENAME done"), out),
            (Err(trouble), state) => state.done(tag, trouble.into(), out),
        }),
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
        client.check("a CREATE lists/rust/", "a OK [MAILBOXID (F5)] CREATE done\n");
        client.check("a CREATE lists/rust", "a NO [ALREADYEXISTS] the mailbox exists already\n");
        client.check("a DELETE lists", "a NO [HASCHILDREN] the mailbox has others below it\n");
        client.check("a RENAME lists/rust R&-D", "a OK RENAME done\n");
        client.check("a RENAME lists/rust x", "a NO [NONEXISTENT] there is no such mailbox\n");
        client.check("a RENAME lists lists/below", "a NO [CANNOT] a mailbox cannot move below itself\n");
        client.check("a DELETE R&-D", "a OK DELETE done\n");
        client.check("a DELETE R&-D", "a NO [NONEXISTENT] there is no such mailbox\n");
        client.check("a CREATE \"x%\"", "a NO [CANNOT] a mailbox name has no control character, % or *\n");
        client.check("a CREATE Old (USE (\\Archive))", "a OK [MAILBOXID (F6)] CREATE done\n");
        client.check("a LIST \"\" Old", "* LIST (\\HasNoChildren \\Archive) \"/\" Old\na OK LIST done\n");
    }

    #[test]
    fn the_servers_spelling_is_told_to_who_enabled_rev2() {
        let mut client = Client::new();
        client.check("a CREATE inBox/a", "a OK [MAILBOXID (F5)] CREATE done\n");
        client.say("a ENABLE IMAP4rev2");
        client.check(
            "a CREATE inBox/b",
            "* LIST () \"/\" INBOX/b (\"OLDNAME\" (\"inBox/b\"))\na OK [MAILBOXID (F7)] CREATE done\n",
        );
        client.check("a CREATE c/", "a OK [MAILBOXID (F8)] CREATE done\n");
    }

    #[test]
    fn uses_that_are_not_served_are_refused() {
        let mut client = Client::new();
        for uses in ["\\All", "\\Junk \\Sent"] {
            client.check(&format!("a CREATE x (USE ({uses}))"), "a NO [USEATTR] a mailbox cannot be for that here\n");
        }
        client.check("a CREATE x (USE (\\Sent))", "a NO [USEATTR] another mailbox is for that\n");
        client.check("a CREATE x (USE ())", "a OK [MAILBOXID (F4)] CREATE done\n");
    }

    #[test]
    fn deleting_the_selected_mailbox_leaves_none_selected() {
        let mut client = Client::new();
        client.say("a CREATE x");
        let mut client = client.select("x");
        client.check("a DELETE Trash", "a OK DELETE done\n");
        client.check("a DELETE x", "* OK [CLOSED] the selected mailbox is gone\na OK DELETE done\n");
        client.check("a CHECK", "a BAD [CLIENTBUG] no mailbox is selected\n");
        client.check("a NOOP", "a OK NOOP done\n");
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
