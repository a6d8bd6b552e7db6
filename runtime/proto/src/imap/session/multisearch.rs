//! ESEARCH over several mailboxes (RFC 7377): one after the other, as they are at that moment, each answered on its own.

use std::collections::VecDeque;

use super::found::Answering;
use super::live::no_update;
use super::matching::needs_now;
use super::notify::is_among;
use super::search::search_one;
use super::state::{Open, Selected, Shared, Turn, ask};
use super::view::View;
use crate::imap::command::{Key, MultiSearch, Returns, Set, Source, Tag};
use crate::imap::event::Mailboxes;
use crate::imap::question::{Changes, MailboxId, MailboxRow, Question, Trouble};
use crate::imap::response::{Code, Out, Reply};
use mail::MailboxName;

/// What is left of such a search while one mailbox is searched.
#[derive(Debug)]
pub struct Many {
    open: Open,
    pub tag: Tag,
    pub search: MultiSearch,
    pub now_s: i64,
    waiting: VecDeque<MailboxName>,
    /// The mailbox that is searched now.
    name: Option<MailboxName>,
    uid_validity: u32,
}

pub fn multi_search(open: Open, tag: Tag, mut search: MultiSearch, out: &mut Out) -> Turn {
    let known = |name: &String| ["UTF-8", "US-ASCII"].iter().any(|each| each.eq_ignore_ascii_case(name));
    if search.charset.as_ref().is_some_and(|name| !known(name)) {
        return open.done(tag, Reply::no(Code::BadCharset, "that charset is not known"), out);
    }
    // RFC 7377 2.2: message numbers and `$` are those of the selected mailbox.
    let is_numbered = names_numbers(&search.key);
    if is_numbered || search.returns.is_some_and(|returns| returns.save) {
        return open.done(tag, Reply::bad("ESEARCH knows messages by their UIDs, and saves none"), out);
    }
    let of_selected = |source: &Source| matches!(source, Source::Of(Mailboxes::Selected { .. }));
    if search.sources.iter().any(of_selected) && matches!(open, Open::Authenticated(_)) {
        return open.done(tag, Reply::bad("no mailbox is selected").with(Code::ClientBug), out);
    }
    if search.returns.is_some_and(|returns| returns.update) {
        no_update(tag.clone(), "of several mailboxes nothing is kept up to date", out);
    }
    search.returns = search.returns.or(Some(Returns { all: true, ..Returns::default() }));
    if !needs_now(&search.key) {
        return ask_names(open, tag, search, 0);
    }
    ask(Question::Now, move |answer, out| match answer.now() {
        Ok(now_s) => ask_names(open, tag, search, now_s),
        Err(trouble) => open.done(tag, trouble.into(), out),
    })
}

fn names_numbers(key: &Key) -> bool {
    match key {
        Key::Messages(messages) => !messages.uid || messages.set == Set::Saved,
        Key::Not(inner) => names_numbers(inner),
        Key::Or(one, other) => names_numbers(one) || names_numbers(other),
        Key::And(keys) => keys.iter().any(names_numbers),
        _ => false,
    }
}

fn ask_names(open: Open, tag: Tag, search: MultiSearch, now_s: i64) -> Turn {
    ask(Question::Mailboxes, move |answer, out| match answer.mailboxes() {
        Ok(rows) => {
            let selected = match &open {
                Open::Selected(state) => Some(state.view.mailbox()),
                Open::Authenticated(_) => None,
            };
            let there = rows.iter().filter(|row| row.exists && is_meant(row, &search.sources, selected));
            let waiting = there.map(|row| row.name.clone()).collect();
            Box::new(Many { open, tag, search, now_s, waiting, name: None, uid_validity: 0 }).next(out)
        }
        Err(trouble) => open.done(tag, trouble.into(), out),
    })
}

/// Is the mailbox one of those named? Each is searched once, however often it is.
fn is_meant(row: &MailboxRow, sources: &[Source], selected: Option<MailboxId>) -> bool {
    sources.iter().any(|source| match source {
        Source::Of(Mailboxes::Selected { .. }) => selected == Some(row.counts.mailbox),
        Source::Of(mailboxes) => is_among(mailboxes, row),
        Source::SubtreeOne(names) => {
            let parent = row.name.parents().next();
            names.iter().flatten().any(|name| *name == row.name || parent.as_ref() == Some(name))
        }
    })
}

impl Many {
    fn next(mut self: Box<Self>, out: &mut Out) -> Turn {
        let Some(name) = self.waiting.pop_front() else { return self.end(Reply::ok("ESEARCH done"), out) };
        self.name = Some(name.clone());
        ask(Question::Open { name }, move |answer, out| match answer.opened() {
            Ok((selection, index)) => {
                self.uid_validity = selection.uid_validity;
                let changes = Changes { index: Some(index), ..Changes::none(selection.highest_mod_seq) };
                let mut view = View::new(selection, true);
                // The client hears nothing of a mailbox that is not selected.
                match view.apply(changes, self.open.shared().enabled, &mut Out::default()) {
                    Ok(()) => {
                        let Shared { config, enabled, compressed, .. } = self.open.shared();
                        let (config, enabled, compressed) = (config.clone(), *enabled, *compressed);
                        let shared =
                            Shared { config, enabled, notify: None, compressed, login_failures: 0, client: None };
                        search_one(Box::new(Selected { shared, view }), self, out)
                    }
                    Err(trouble) => self.failed(trouble, out),
                }
            }
            Err(trouble) => self.failed(trouble, out),
        })
    }

    /// A mailbox that is gone meanwhile, or may not be read, is passed over.
    pub fn failed(self: Box<Self>, trouble: Trouble, out: &mut Out) -> Turn {
        match trouble {
            Trouble::NoSuchMailbox | Trouble::NoPermission => self.next(out),
            trouble => self.end(trouble.into(), out),
        }
    }

    /// RFC 7377 2.1: nothing is said of a mailbox where nothing was found.
    pub fn answered(self: Box<Self>, answering: &Answering<'_>, out: &mut Out) -> Turn {
        if let (false, Some(name), Some(returns)) = (answering.found.is_empty(), &self.name, self.search.returns) {
            out.text("* ESEARCH (TAG ");
            out.string(self.tag.as_str().as_bytes());
            out.text(" MAILBOX ");
            out.mailbox(name, self.open.coding());
            out.text(&format!(" UIDVALIDITY {}) UID", self.uid_validity));
            answering.return_data(returns, out);
            out.end_line();
        }
        self.next(out)
    }

    pub fn end(self: Box<Self>, reply: Reply, out: &mut Out) -> Turn {
        self.open.done(self.tag, reply, out)
    }
}

#[cfg(test)]
mod tests {
    use crate::imap::session::tests::Client;

    fn client() -> Client {
        let client = Client::new();
        for (mailbox, subject) in [("INBOX", "one"), ("INBOX", "two"), ("Sent", "two"), ("Trash", "none")] {
            let message = format!("Subject: {subject}\r\n\r\n{subject}\r\n");
            client.store.borrow_mut().deliver(mailbox, message.as_bytes());
        }
        client
    }

    #[track_caller]
    fn check(client: &mut Client, arguments: &str, found: &[&str]) {
        let lines: String = found.iter().map(|line| format!("* ESEARCH (TAG \"a\" MAILBOX {line}\n")).collect();
        client.check(&format!("a ESEARCH {arguments}"), &format!("{lines}a OK ESEARCH done\n"));
    }

    #[test]
    fn each_mailbox_with_something_in_it_is_answered() {
        let mut client = client();
        let (inbox, sent) = ("INBOX UIDVALIDITY 101) UID ALL 2", "Sent UIDVALIDITY 102) UID ALL 1");
        check(&mut client, "IN (personal) SUBJECT two", &[inbox, sent]);
        check(&mut client, "IN (mailboxes (Sent Trash Nowhere) inboxes) BODY two", &[inbox, sent]);
        check(
            &mut client,
            "IN (subtree Sent mailboxes Sent) RETURN (COUNT MIN) ALL",
            &["Sent UIDVALIDITY 102) UID MIN 1 COUNT 1"],
        );
        check(&mut client, "IN (subscribed) RETURN (COUNT) SUBJECT none", &[]);
        client.say("a CREATE Trash/old/older");
        client.say("a SELECT Sent");
        for mailbox in ["Trash/old", "Trash/old/older"] {
            client.store.borrow_mut().deliver(mailbox, b"Subject: x\r\n\r\n");
        }
        let (trash, old) = ("Trash UIDVALIDITY 103) UID ALL 1", "Trash/old UIDVALIDITY 104) UID ALL 1");
        check(&mut client, "IN (subtree-one Trash) ALL", &[trash, old]);
        check(&mut client, "ALL", &[sent]);
        client.check("a FETCH 1 UID", "* 1 FETCH (UID 1)\na OK FETCH done\n");
    }

    #[test]
    fn what_belongs_to_a_selected_mailbox_is_refused() {
        let mut client = client();
        client.check("a ESEARCH ALL", "a BAD [CLIENTBUG] no mailbox is selected\n");
        let refusal = "a BAD ESEARCH knows messages by their UIDs, and saves none\n";
        client.check("a ESEARCH IN (personal) NOT 1:2", refusal);
        client.check("a ESEARCH IN (personal) UID $", refusal);
        client.check("a ESEARCH IN (personal) RETURN (SAVE) ALL", refusal);
        let many = format!("a ESEARCH IN ({}) ALL", ["inboxes"; 65].join(" "));
        client.check(&many, "a BAD ESEARCH does not take that\n");
        client.check("a ESEARCH IN (everywhere) ALL", "a BAD ESEARCH does not take that\n");
        check(&mut client, "IN (inboxes) UID 2:9", &["INBOX UIDVALIDITY 101) UID ALL 2"]);
    }
}
