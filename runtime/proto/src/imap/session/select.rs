//! SELECT, EXAMINE, CLOSE, UNSELECT (RFC 9051 6.3.2, 6.3.3, 6.4.1, 6.4.2).

use super::list::attributes;
use super::resync::resync;
use super::state::{Authenticated, Expunges, Open, Selected, Shared, Turn, ask, gone, uid_required};
use super::view::View;
use crate::imap::command::{Known, Name, SelectParameters, Tag};
use crate::imap::question::{Question, Selection, Trouble};
use crate::imap::response::{Code, Out, Reply};
use mail::{MailboxName, Rights, SystemFlags};

/// Whatever was selected is left first, even when the new mailbox cannot be had.
pub fn select(state: Open, tag: Tag, name: Name, read_only: bool, parameters: SelectParameters, out: &mut Out) -> Turn {
    if parameters.qresync.is_some() && !state.shared().enabled.qresync {
        // RFC 7162 3.2.5
        return state.done(tag, Reply::bad("QRESYNC is for those who enabled it"), out);
    }
    let pairs = parameters.qresync.as_ref().is_some_and(|known| known.pairs.is_some());
    if pairs && state.shared().enabled.uid_only {
        return state.done(tag, uid_required(), out);
    }
    let mut shared = match state {
        Open::Authenticated(state) => state.shared,
        Open::Selected(state) => {
            out.untagged_reply(&Reply::ok("the selected mailbox is left").with(Code::Closed));
            state.shared
        }
    };
    shared.enabled.condstore |= parameters.condstore;
    let name = match name {
        Ok(name) => name,
        Err(bad) => {
            // The driver has to stop watching the mailbox that was left.
            let reply = Reply::from(bad);
            return ask(Question::Unselect, move |_, out| left(shared, &tag, &reply, out));
        }
    };
    ask(Question::Select { name: name.clone(), read_only }, move |answer, out| match answer.selected() {
        Ok(selection) => opened(shared, tag, (&name, read_only, parameters.qresync), selection, out),
        Err(trouble) => left(shared, &tag, &trouble.into(), out),
    })
}

fn left(shared: Shared, tag: &Tag, reply: &Reply, out: &mut Out) -> Turn {
    out.tagged(tag, reply);
    Open::Authenticated(Authenticated { shared }).ready()
}

fn opened(
    shared: Shared,
    tag: Tag,
    (name, read_only, known): (&MailboxName, bool, Option<Known>),
    selection: Selection,
    out: &mut Out,
) -> Turn {
    let (uid_next, uid_validity, first_unseen) = (selection.uid_next, selection.uid_validity, selection.first_unseen);
    let attributes = attributes(selection.special_use, selection.subscribed);
    let rights = selection.rights;
    // RFC 4314 4: READ-ONLY says that nothing in it can be changed.
    let done = if read_only { "EXAMINE done" } else { "SELECT done" };
    let read_only = read_only || !rights.meets(CHANGING);
    let view = View::new(selection, read_only);
    out.untagged(&format!("FLAGS ({})", view.flags()));
    let permanent = if read_only { String::new() } else { permanent_flags(&view.flags(), rights) };
    out.untagged_reply(&Reply::ok("flags that stay").with(Code::PermanentFlags(permanent)));
    out.message_data(view.count(), "EXISTS");
    if shared.enabled.rev2 {
        // RFC 9051 6.3.2: LIST tells the name as the server spells it.
        out.text(&format!("* LIST ({attributes}) \"/\" "));
        out.mailbox(name, shared.coding());
        out.end_line();
    } else {
        // RFC 3501 6.3.1 requires both; no message is ever recent (RFC 9051 withdrew the flag).
        out.message_data(0, "RECENT");
        if let Some(number) = first_unseen.filter(|_| !shared.enabled.uid_only) {
            out.untagged_reply(&Reply::ok("first unseen message").with(Code::Unseen(number)));
        }
    }
    out.untagged_reply(&Reply::ok("UIDs are valid").with(Code::UidValidity(uid_validity)));
    out.untagged_reply(&Reply::ok("next UID").with(Code::UidNext(uid_next)));
    out.untagged_reply(&Reply::ok("the mailbox under any name").with(Code::MailboxId(view.mailbox())));
    out.untagged_reply(&Reply::ok("told up to here").with(Code::HighestModSeq(view.complete())));
    let code = if read_only { Code::ReadOnly } else { Code::ReadWrite };
    let (state, reply) = (Box::new(Selected { shared, view }), Reply::ok(done).with(code));
    match known.filter(|known| known.uid_validity == uid_validity) {
        None => state.done(&tag, &reply, Expunges::Told, out),
        Some(known) => resync(state, known, move |state, trouble, out| match trouble {
            None => state.done(&tag, &reply, Expunges::Told, out),
            Some(Trouble::NoSuchMailbox) => gone(out),
            // Half of the news would be taken for all of them.
            Some(trouble) => ask(Question::Unselect, move |_, out| left(state.shared, &tag, &trouble.into(), out)),
        }),
    }
}

/// With one of these a mailbox is not read-only.
const CHANGING: Rights =
    Rights::INSERT.with(Rights::EXPUNGE).with(Rights::SEEN).with(Rights::WRITE).with(Rights::DELETE);

/// The flags these rights let change (RFC 4314 4).
fn permanent_flags(flags: &str, rights: Rights) -> String {
    let needs = |flag: &str| match flag {
        "\\Seen" => Rights::SEEN,
        "\\Deleted" => Rights::DELETE,
        _ => Rights::WRITE,
    };
    let may_change = flags.split(' ').chain(["\\*"]).filter(|flag| rights.contains(needs(flag)));
    may_change.collect::<Vec<_>>().join(" ")
}

/// Removes what has `\Deleted` without a word, then leaves; a read-only mailbox is only left.
pub fn close(state: Box<Selected>, tag: Tag) -> Turn {
    if state.view.is_read_only() {
        return unselect(*state, tag, "CLOSE done");
    }
    state.with_news(tag, |state, tag, _| {
        let deleted = state.view.uids_with(SystemFlags::DELETED);
        if deleted.is_empty() {
            return unselect(*state, tag, "CLOSE done");
        }
        let question = Question::Expunge { mailbox: state.view.mailbox(), uids: deleted };
        ask(question, move |answer, out| match answer.expunged() {
            // RFC 4314 4: without the right to expunge nothing is, and nothing is said of it.
            Ok(_) | Err(Trouble::NoPermission) => unselect(*state, tag, "CLOSE done"),
            Err(trouble) => state.done(&tag, &trouble.into(), Expunges::Told, out),
        })
    })
}

pub fn unselect(state: Selected, tag: Tag, text: &'static str) -> Turn {
    let shared = state.shared;
    ask(Question::Unselect, move |_, out| left(shared, &tag, &Reply::ok(text), out))
}

#[cfg(test)]
mod tests {
    use crate::imap::session::tests::Client;

    #[test]
    fn select_tells_what_rfc_3501_requires() {
        let mut client = Client::with_inbox(&["a: 1\n\nb\n", "a: 2\n\nb\n"]);
        client.say("a STORE 1 +FLAGS (\\Seen $Work)");
        let expected = "* OK [CLOSED] the selected mailbox is left\n\
            * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work)\n\
            * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work \\*)] flags that stay\n\
            * 2 EXISTS\n* 0 RECENT\n* OK [UNSEEN 2] first unseen message\n\
            * OK [UIDVALIDITY 101] UIDs are valid\n* OK [UIDNEXT 3] next UID\n\
            * OK [MAILBOXID (F1)] the mailbox under any name\n\
            * OK [HIGHESTMODSEQ 4] told up to here\n";
        client.check("a SELECT inbox", &format!("{expected}a OK [READ-WRITE] SELECT done\n"));
        let said = client.say("a EXAMINE INBOX");
        assert!(
            said.contains("* OK [PERMANENTFLAGS ()] ") && said.ends_with("a OK [READ-ONLY] EXAMINE done\n"),
            "{said}"
        );
    }

    #[test]
    fn rights_say_which_flags_stay_and_whether_anything_changes() {
        let mut client = Client::new();
        for (rights, flags, code) in [
            ("lr", "", "READ-ONLY"),
            ("lri", "", "READ-WRITE"),
            ("lrs", "\\Seen", "READ-WRITE"),
            ("lrt", "\\Deleted", "READ-WRITE"),
            ("lrw", "\\Answered \\Flagged \\Draft \\*", "READ-WRITE"),
        ] {
            client.store.borrow_mut().rights.insert("Sent".to_owned(), mail::Rights::parse(rights).unwrap());
            let said = client.say("a SELECT Sent");
            assert!(said.contains(&format!("[PERMANENTFLAGS ({flags})]")), "{rights}: {said}");
            assert!(said.ends_with(&format!("a OK [{code}] SELECT done\n")), "{rights}: {said}");
        }
    }

    #[test]
    fn rows_are_read_when_they_are_needed_and_given_back_in_idle() {
        let mut client = Client::with_inbox(&["a: 1\n\nb\n"; 3]);
        let asked = |client: &mut Client| std::mem::take(&mut client.asked_for_rows);
        client.store.borrow_mut().deliver("INBOX", b"a: 4\r\n\r\nb\r\n");
        client.check("a NOOP", "* 4 EXISTS\na OK NOOP done\n");
        assert_eq!(asked(&mut client), 0, "an arrival is told without the rows");
        client.store.borrow_mut().expunge("INBOX", 2);
        client.check("a NOOP", "* 2 EXPUNGE\na OK NOOP done\n");
        assert_eq!(asked(&mut client), 1, "the number of an expunged message is a place among the rows");
        client.check("a FETCH 2 UID", "* 2 FETCH (UID 3)\na OK FETCH done\n");
        assert_eq!(asked(&mut client), 0, "they are kept between commands");
        client.check("a STORE 1 +FLAGS.SILENT (\\Deleted)", "a OK STORE done\n");
        client.check("a EXPUNGE", "* 1 EXPUNGE\na OK EXPUNGE done\n");
        client.check("a IDLE", "+ idling\n");
        client.check("DONE", "a OK IDLE done\n");
        client.check("a FETCH 1:* UID", "* 1 FETCH (UID 3)\n* 2 FETCH (UID 4)\na OK FETCH done\n");
        assert_eq!(asked(&mut client), 1);
    }

    #[test]
    fn a_failed_select_leaves_no_mailbox_selected() {
        let mut client = Client::with_inbox(&[]);
        client.check(
            "a SELECT nope",
            "* OK [CLOSED] the selected mailbox is left\na NO [NONEXISTENT] there is no such mailbox\n",
        );
        client.check("a CHECK", "a BAD [CLIENTBUG] no mailbox is selected\n");
        let mut client = Client::with_inbox(&[]);
        client.say("a SELECT \"a*\"");
        client.check("a CHECK", "a BAD [CLIENTBUG] no mailbox is selected\n");
    }

    #[test]
    fn close_expunges_silently_and_unselect_and_examine_do_not() {
        let mut client = Client::with_inbox(&["a: 1\n\nb\n", "a: 2\n\nb\n"]);
        client.say("a STORE 1 +FLAGS.SILENT (\\Deleted)");
        client.check("a UNSELECT", "a OK UNSELECT done\n");
        client.say("a EXAMINE INBOX");
        client.check("a CLOSE", "a OK CLOSE done\n");
        assert_eq!(client.store.borrow().uids("INBOX"), [1, 2]);
        client.say("a SELECT INBOX");
        client.check("a CLOSE", "a OK CLOSE done\n");
        assert_eq!(client.store.borrow().uids("INBOX"), [2]);
        client.check("a FETCH 1 FLAGS", "a BAD [CLIENTBUG] no mailbox is selected\n");
    }

    #[test]
    fn nothing_changes_in_a_mailbox_opened_read_only() {
        let mut client = Client::with_inbox(&["a: 1\n\nb\n"]);
        client.say("a EXAMINE INBOX");
        for line in ["a STORE 1 +FLAGS (\\Seen)", "a EXPUNGE", "a UID EXPUNGE 1", "a MOVE 1 Sent"] {
            client.check(line, "a NO [CANNOT] the mailbox was opened read-only\n");
        }
        client.check("a FETCH 1 (FLAGS BODY[TEXT])", "* 1 FETCH (FLAGS () BODY[TEXT] {3}\nb\n)\na OK FETCH done\n");
        client.check("a FETCH 1 FLAGS", "* 1 FETCH (FLAGS ())\na OK FETCH done\n");
    }

    #[test]
    fn when_the_selected_mailbox_is_deleted_the_connection_ends() {
        let mut client = Client::new();
        client.say("a CREATE x");
        let mut client = client.select("x");
        let mut other = Client::sharing(&client.store);
        other.check("a DELETE x", "a OK DELETE done\n");
        client.check("a NOOP", "* BYE the selected mailbox was deleted or renamed\n");
        assert!(client.closed);
    }
}
