//! NOTIFY (RFC 5465): what happens in mailboxes is told when it happens, also in those that are not selected.
//!
//! A session that was asked for this remembers the rows of the mailboxes as the client knows them. When the driver says that
//! something changed, it asks for the rows of now and tells the difference: what came and went in a moment is one message.
//!
//! INVARIANT (between commands): nothing of this is written while a command is under way.

use std::collections::{BTreeMap, BTreeSet};

use super::idle;
use super::list;
use super::live;
use super::state::{Open, Selected, Turn, ask, gone, taken_away};
use super::status;
use crate::imap::command::{FetchItem, StatusItem, Tag};
use crate::imap::event::{EventGroup, Events, Mailboxes, Notify};
use crate::imap::question::{MailboxId, MailboxRow, Question, Trouble};
use crate::imap::response::{Code, Out, Reply};
use mail::mailbox_name::{NAMESPACES, SEPARATOR};
use mail::{MailboxName, Rights};

/// What the client asked for, and what it knows.
#[derive(Debug)]
pub struct Notifying {
    groups: Vec<EventGroup>,
    /// The number of the last change of METADATA that was told, if such are.
    annotated: Option<u64>,
    /// Mailboxes and subscribed names as they were told.
    rows: BTreeMap<MailboxName, MailboxRow>,
}

/// Of the selected mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfSelected {
    /// That a message is gone is told at once.
    pub expunges: bool,
    /// So are other flags.
    pub flags: bool,
    /// What is fetched of a new message.
    pub items: Vec<FetchItem>,
}

pub fn notify(mut open: Open, tag: Tag, notify: Notify, out: &mut Out) -> Turn {
    let Notify::Set { status, groups } = notify else {
        open.shared_mut().notify = None;
        return ask(Question::Watch { on: false }, |_, out| open.done(tag, Reply::ok("NOTIFY done"), out));
    };
    if let Some(reply) = mistake(&groups) {
        return open.done(tag, reply, out);
    }
    // Watched before it is read: a change in between is seen twice rather than never.
    ask(Question::Watch { on: true }, move |answer, _| match answer.done() {
        Ok(()) => ask(Question::Mailboxes, move |answer, out| match answer.mailboxes() {
            Ok(rows) => annotated(open, tag, Notifying::new(groups, rows), status, out),
            Err(trouble) => stop(open, tag, trouble),
        }),
        Err(trouble) => stop(open, tag, trouble),
    })
}

/// RFC 5465 3.1: NOTIFY that fails changes nothing, and here nothing was asked for before or is any more.
fn stop(mut open: Open, tag: Tag, trouble: Trouble) -> Turn {
    open.shared_mut().notify = None;
    ask(Question::Watch { on: false }, move |_, out| open.done(tag, trouble.into(), out))
}

/// RFC 5465 5.6 and 5.7: from here on changes of METADATA are told.
fn annotated(open: Open, tag: Tag, mut notifying: Notifying, status: bool, out: &mut Out) -> Turn {
    if !notifying.groups.iter().any(|group| group.events.mailbox_metadata || group.events.server_metadata) {
        return begin(open, tag, notifying, status, out);
    }
    ask(Question::Annotated { since: None }, move |answer, out| match answer.annotated() {
        Ok((number, _)) => {
            notifying.annotated = Some(number);
            begin(open, tag, notifying, status, out)
        }
        Err(trouble) => stop(open, tag, trouble),
    })
}

fn begin(mut open: Open, tag: Tag, notifying: Notifying, status: bool, out: &mut Out) -> Turn {
    if status {
        let selected = open.selected();
        for row in notifying.rows.values().filter(|row| row.exists && Some(row.counts.mailbox) != selected) {
            if notifying.events(row).is_some_and(Events::of_messages) {
                status_line(&open, row, out);
            }
        }
    }
    let mut items = notifying.groups.iter().filter_map(|group| group.events.message_new.as_ref()).flatten();
    if items.any(|item| *item == FetchItem::ModSeq) {
        open.use_mod_seq(out);
    }
    open.shared_mut().notify = Some(Box::new(notifying));
    open.done(tag, Reply::ok("NOTIFY done"), out)
}

/// RFC 5465 5 and 6: what may stand together.
fn mistake(groups: &[EventGroup]) -> Option<Reply> {
    let of_selected = |group: &EventGroup| matches!(group.mailboxes, Mailboxes::Selected { .. });
    if groups.iter().filter(|group| of_selected(group)).count() > 1 {
        return Some(Reply::bad("one group is for the selected mailbox"));
    }
    for group in groups {
        let events = &group.events;
        if events.message_new.is_some() != events.message_expunge {
            return Some(Reply::bad("MessageNew and MessageExpunge go together"));
        }
        if events.flag_change && !events.message_expunge {
            return Some(Reply::bad("FlagChange needs MessageNew and MessageExpunge"));
        }
        let fetches = events.message_new.as_ref().is_some_and(|items| !items.is_empty());
        if fetches && !of_selected(group) {
            return Some(Reply::bad("only of the selected mailbox messages are fetched"));
        }
        let other =
            events.mailbox_name || events.subscription_change || events.mailbox_metadata || events.server_metadata;
        if of_selected(group) && other {
            return Some(Reply::bad("of the selected mailbox messages are told only"));
        }
    }
    let unknown = groups.iter().any(|group| group.events.unknown);
    unknown.then(|| Reply::no(Code::BadEvent, "one of these events is not told here"))
}

impl Notifying {
    fn new(groups: Vec<EventGroup>, rows: Vec<MailboxRow>) -> Notifying {
        Notifying { groups, annotated: None, rows: rows.into_iter().map(|row| (row.name.clone(), row)).collect() }
    }

    /// What is told of a mailbox that is not selected.
    fn events(&self, row: &MailboxRow) -> Option<&Events> {
        let found = self.groups.iter().find(|group| is_among(&group.mailboxes, row));
        found.map(|group| &group.events)
    }

    /// Are changes of METADATA told, of a mailbox or of the server?
    fn tells_metadata(&self, name: Option<&MailboxName>) -> bool {
        match name {
            None => self.groups.iter().any(|group| group.events.server_metadata),
            Some(name) => {
                let events = self.rows.get(name).and_then(|row| self.events(row));
                events.is_some_and(|events| events.mailbox_metadata)
            }
        }
    }

    /// What is told of the selected mailbox: by a group of its own, else by the first that names it.
    pub fn of_selected(&self, selected: MailboxId) -> Option<OfSelected> {
        let own = self.groups.iter().find_map(|group| match group.mailboxes {
            Mailboxes::Selected { delayed } => Some((&group.events, delayed)),
            _ => None,
        });
        let by_name = || {
            let row = self.rows.values().find(|row| row.counts.mailbox == selected)?;
            self.events(row).map(|events| (events, true))
        };
        let (events, delayed) = own.or_else(by_name)?;
        let items = events.message_new.clone()?;
        Some(OfSelected { expunges: !delayed, flags: events.flag_change, items })
    }
}

/// Does the filter of a group name this mailbox?
pub(super) fn is_among(mailboxes: &Mailboxes, row: &MailboxRow) -> bool {
    let named = |names: &[crate::imap::command::Name], below: bool| {
        names.iter().flatten().any(|name| row.name == *name || (below && row.name.is_under(name)))
    };
    match mailboxes {
        Mailboxes::Selected { .. } => false,
        // Filters of people file mail elsewhere; where mail arrives by itself is INBOX.
        Mailboxes::Inboxes => row.name.is_inbox(),
        Mailboxes::Personal => {
            !NAMESPACES.iter().any(|space| row.name.as_str().split(SEPARATOR).next() == Some(*space))
        }
        Mailboxes::Subscribed => row.subscribed,
        Mailboxes::Subtree(names) => named(names, true),
        Mailboxes::Named(names) => named(names, false),
    }
}

/// Something changed: tells what the client asked to be told, then goes on.
pub fn news(open: Open, then: impl FnOnce(Open, &mut Out) -> Turn + Send + 'static) -> Turn {
    ask(Question::Mailboxes, move |answer, out| {
        let mut open = open;
        let rows = answer.mailboxes();
        if let Err(Trouble::Limit) = rows {
            return overflow(open, then, out);
        }
        // If the store is in other trouble, the next change brings the news.
        if let (Ok(rows), Some(mut notifying)) = (rows, open.shared_mut().notify.take()) {
            let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.name.clone(), row)).collect();
            let before = std::mem::replace(&mut notifying.rows, rows);
            tell(&open, &notifying, &before, out);
            open.shared_mut().notify = Some(notifying);
        }
        tell_annotated(open, then, out)
    })
}

fn tell_annotated(open: Open, then: impl FnOnce(Open, &mut Out) -> Turn + Send + 'static, out: &mut Out) -> Turn {
    let Some(since) = open.shared().notify.as_ref().and_then(|notifying| notifying.annotated) else {
        return then(open, out);
    };
    ask(Question::Annotated { since: Some(since) }, move |answer, out| {
        let mut open = open;
        if let (Ok((number, changed)), Some(notifying)) = (answer.annotated(), &mut open.shared_mut().notify) {
            notifying.annotated = Some(number);
            let mut told: BTreeMap<Option<MailboxName>, BTreeSet<String>> = BTreeMap::new();
            for (name, entry) in changed.into_iter().filter(|(name, _)| notifying.tells_metadata(name.as_ref())) {
                told.entry(name).or_default().insert(entry);
            }
            told.iter().for_each(|(name, entries)| metadata_line(&open, name.as_ref(), entries, out));
        }
        then(open, out)
    })
}

/// `* METADATA "INBOX" /shared/comment /private/comment` (RFC 5464 4.4.2): the client asks for the values it wants.
fn metadata_line(open: &Open, name: Option<&MailboxName>, entries: &BTreeSet<String>, out: &mut Out) {
    out.text("* METADATA ");
    match name {
        Some(name) => out.mailbox(name, open.coding()),
        None => out.text("\"\""),
    }
    for entry in entries {
        out.text(" ");
        out.text(entry);
    }
    out.end_line();
}

/// RFC 5465 5.8: there is too much to follow. From here on it is as after NOTIFY NONE.
fn overflow(mut open: Open, then: impl FnOnce(Open, &mut Out) -> Turn + Send + 'static, out: &mut Out) -> Turn {
    open.shared_mut().notify = None;
    let reply = Reply::ok("there are too many mailboxes to follow").with(Code::NotificationOverflow);
    out.untagged_reply(&reply);
    ask(Question::Watch { on: false }, move |_, out| then(open, out))
}

/// Writes how `before` and now differ.
fn tell(open: &Open, notifying: &Notifying, before: &BTreeMap<MailboxName, MailboxRow>, out: &mut Out) {
    let selected = open.selected();
    let was: BTreeMap<MailboxId, &MailboxRow> =
        before.values().filter(|row| row.exists).map(|row| (row.counts.mailbox, row)).collect();
    let exist: BTreeSet<MailboxId> =
        notifying.rows.values().filter(|row| row.exists).map(|row| row.counts.mailbox).collect();
    for row in before.values().filter(|row| row.exists && !exist.contains(&row.counts.mailbox)) {
        let replaced = notifying.rows.get(&row.name).is_some_and(|now| now.exists);
        if !replaced && notifying.events(row).is_some_and(|events| events.mailbox_name) {
            list_line(open, "\\NonExistent", &row.name, None, out);
        }
    }
    for row in notifying.rows.values() {
        let Some(events) = notifying.events(row) else { continue };
        let old = if row.exists { was.get(&row.counts.mailbox).copied() } else { None };
        let renamed = old.filter(|old| old.name != row.name);
        if events.mailbox_name && row.exists && (old.is_none() || renamed.is_some()) {
            list_line(open, &list::attributes(row.special_use, row.subscribed), &row.name, renamed, out);
        }
        let subscribed = before.get(&row.name).is_some_and(|old| old.subscribed);
        if events.subscription_change && row.subscribed != subscribed {
            let gone = if row.exists { "" } else { "\\NonExistent" };
            let words: Vec<&str> = [gone, if row.subscribed { "\\Subscribed" } else { "" }]
                .into_iter()
                .filter(|word| !word.is_empty())
                .collect();
            list_line(open, &words.join(" "), &row.name, None, out);
        }
        let counted = old.is_none_or(|old| events_happened(events, old, row));
        if row.exists && events.of_messages() && Some(row.counts.mailbox) != selected && counted {
            status_line(open, row, out);
        }
    }
    tell_unsubscribed(open, notifying, before, out);
}

/// Names that had no mailbox and are not subscribed any more have no row.
fn tell_unsubscribed(open: &Open, notifying: &Notifying, before: &BTreeMap<MailboxName, MailboxRow>, out: &mut Out) {
    for row in before.values().filter(|row| row.subscribed && !notifying.rows.contains_key(&row.name)) {
        if notifying.events(row).is_some_and(|events| events.subscription_change) {
            list_line(open, "\\NonExistent", &row.name, None, out);
        }
    }
}

/// Is something told of what happened between the two?
fn events_happened(events: &Events, old: &MailboxRow, now: &MailboxRow) -> bool {
    let (old, now) = (&old.counts, &now.counts);
    let arrived = now.uid_next > old.uid_next;
    let counts = (now.messages, now.uid_validity) != (old.messages, old.uid_validity);
    arrived || counts || (events.flag_change && now.highest_mod_seq > old.highest_mod_seq)
}

/// RFC 5465 5.1 to 5.3: what changes with messages and flags; RFC 4314 4: no right to read, no counts.
fn status_line(open: &Open, row: &MailboxRow, out: &mut Out) {
    if !row.rights.contains(Rights::READ) {
        return;
    }
    let mut items = vec![StatusItem::Messages, StatusItem::UidNext, StatusItem::UidValidity, StatusItem::Unseen];
    if open.shared().enabled.condstore {
        items.push(StatusItem::HighestModSeq);
    }
    status::line(row, 0, &items, open.shared(), out);
}

/// RFC 5465 5.4: with the old name where there was one.
fn list_line(open: &Open, attributes: &str, name: &MailboxName, renamed: Option<&MailboxRow>, out: &mut Out) {
    let coding = open.coding();
    out.text(&format!("* LIST ({attributes}) \"/\" "));
    out.mailbox(name, coding);
    if let Some(old) = renamed {
        out.text(" (\"OLDNAME\" (");
        out.mailbox(&old.name, coding);
        out.text("))");
    }
    out.end_line();
}

/// Between two commands.
pub fn between_commands(open: Open) -> Turn {
    news(open, |open, _| match open {
        Open::Selected(state) => of_selected(state),
        open @ Open::Authenticated(_) => open.ready(),
    })
}

/// In IDLE the client hears the same; one that never said NOTIFY hears of the selected mailbox.
pub fn while_idle(open: Open, tag: Tag) -> Turn {
    if open.shared().notify.is_none() {
        return idle::news(open, tag);
    }
    news(open, |open, _| idle::news(open, tag))
}

/// What happened in the selected mailbox, as far as the client asked to be told at once.
fn of_selected(mut state: Box<Selected>) -> Turn {
    let wanted = state.shared.notify.as_ref().and_then(|notify| notify.of_selected(state.view.mailbox()));
    let Some(wanted) = wanted else { return state.ready() };
    state.view.holds_flags = !wanted.flags;
    state.hear(false, move |state, trouble, out| match trouble {
        Some(Trouble::NoSuchMailbox) => gone(out),
        Some(Trouble::NoPermission) => taken_away(out),
        Some(_) | None => live::tell(state, out, move |mut state, out| {
            state.view.holds_flags = false;
            if wanted.expunges {
                state.view.tell_expunged(state.shared.enabled, out);
            }
            if state.shared.enabled.condstore && state.view.is_incomplete() && !out.is_empty() {
                state.tell_highest(out);
            }
            // The next command may be hours away.
            state.view.let_go();
            state.ready()
        }),
    })
}

#[cfg(test)]
mod tests {
    use crate::imap::question::Trouble;
    use crate::imap::session::tests::Client;
    use mail::{Flags, SystemFlags};

    const NOTE: &str = "a: 1\n\nb\n";

    fn deliver(client: &Client, to: &str) {
        client.store.borrow_mut().deliver(to, b"a: 1\r\n\r\nb\r\n");
    }

    #[test]
    fn what_happens_in_other_mailboxes_is_told_between_commands() {
        let mut client = Client::with_inbox(&[NOTE]);
        client.check(
            "a NOTIFY SET STATUS (personal (MessageNew MessageExpunge FlagChange))",
            "* STATUS Sent (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 102 UNSEEN 0)\n\
             * STATUS Trash (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 103 UNSEEN 0)\na OK NOTIFY done\n",
        );
        assert!(client.idling, "the driver listens between commands");
        deliver(&client, "Sent");
        assert_eq!(client.changed(), "* STATUS Sent (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 102 UNSEEN 1)\n");
        assert_eq!(client.changed(), "");
        client.store.borrow_mut().set_flags("Sent", 1, &Flags::system(SystemFlags::SEEN));
        assert_eq!(client.changed(), "* STATUS Sent (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 102 UNSEEN 0)\n");
        client.store.borrow_mut().expunge("Sent", 1);
        assert_eq!(client.changed(), "* STATUS Sent (MESSAGES 0 UIDNEXT 2 UIDVALIDITY 102 UNSEEN 0)\n");
        client.check("b NOTIFY NONE", "b OK NOTIFY done\n");
        assert!(!client.idling);
    }

    #[test]
    fn names_and_subscriptions_are_told() {
        let mut client = Client::new();
        client.check("a NOTIFY SET (personal (MailboxName SubscriptionChange))", "a OK NOTIFY done\n");
        let mut other = Client::sharing(&client.store);
        other.say("a CREATE x");
        assert_eq!(client.changed(), "* LIST () \"/\" x\n");
        other.say("a RENAME x y");
        assert_eq!(client.changed(), "* LIST () \"/\" y (\"OLDNAME\" (x))\n");
        other.say("a SUBSCRIBE y");
        assert_eq!(client.changed(), "* LIST (\\Subscribed) \"/\" y\n");
        other.say("a DELETE y");
        assert_eq!(client.changed(), "* LIST (\\NonExistent) \"/\" y\n");
        other.say("a UNSUBSCRIBE y");
        assert_eq!(client.changed(), "* LIST (\\NonExistent) \"/\" y\n");
    }

    #[test]
    fn entries_that_change_are_named() {
        let mut client = Client::new();
        client.check(
            "a NOTIFY SET (mailboxes Sent NONE) (personal (MailboxMetadataChange ServerMetadataChange))",
            "a OK NOTIFY done\n",
        );
        let mut other = Client::sharing(&client.store);
        other.say("a SETMETADATA INBOX (/shared/comment \"x\" /private/Comment \"y\")");
        other.say("a SETMETADATA Sent (/shared/comment \"x\")");
        other.say("a SETMETADATA \"\" (/private/comment \"x\")");
        assert_eq!(
            client.changed(),
            "* METADATA \"\" /private/comment\n* METADATA INBOX /private/comment /shared/comment\n"
        );
        other.say("a SETMETADATA INBOX (/shared/comment NIL)");
        assert_eq!(client.changed(), "* METADATA INBOX /shared/comment\n");
        assert_eq!(client.changed(), "");
        client.say("b NOTIFY SET (personal (MailboxName))");
        other.say("a SETMETADATA INBOX (/shared/comment \"x\")");
        assert_eq!(client.changed(), "");
    }

    #[test]
    fn the_selected_mailbox_is_told_at_once_or_its_expunges_later() {
        for (delayed, told) in [("", "* 3 EXISTS\n* 1 EXPUNGE\n"), ("-delayed", "* 3 EXISTS\n")] {
            let mut client = Client::with_inbox(&[NOTE; 2]);
            let line = format!("a NOTIFY SET (selected{delayed} (MessageNew MessageExpunge))");
            client.check(&line, "a OK NOTIFY done\n");
            deliver(&client, "INBOX");
            client.store.borrow_mut().expunge("INBOX", 1);
            assert_eq!(client.changed(), told);
            client
                .check("b NOOP", if delayed.is_empty() { "b OK NOOP done\n" } else { "* 1 EXPUNGE\nb OK NOOP done\n" });
        }
    }

    #[test]
    fn nothing_is_told_while_a_command_comes() {
        let mut client = Client::with_inbox(&[NOTE]);
        client.say("a NOTIFY SET (selected (MessageNew MessageExpunge))");
        client.say_octets(b"b FETCH 1");
        assert!(!client.idling);
        deliver(&client, "INBOX");
        assert_eq!(client.changed(), "");
        client.check(" UID", "* 2 EXISTS\n* 1 FETCH (UID 1)\nb OK FETCH done\n");
    }

    #[test]
    fn the_first_group_that_names_a_mailbox_says_what_is_told() {
        let mut client = Client::new();
        client.say("a NOTIFY SET (mailboxes Sent NONE) (subtree (Sent INBOX) (MessageNew MessageExpunge))");
        deliver(&client, "Sent");
        deliver(&client, "INBOX");
        assert_eq!(client.changed(), "* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 101 UNSEEN 1)\n");
    }

    #[test]
    fn what_is_too_much_to_follow_ends_it() {
        let mut client = Client::new();
        client.say("a NOTIFY SET (personal (MessageNew MessageExpunge))");
        client.store.borrow_mut().broken = Some(Trouble::Limit);
        assert_eq!(client.changed(), "* OK [NOTIFICATIONOVERFLOW] there are too many mailboxes to follow\n");
        assert!(!client.idling, "nothing is listened to any more");
    }

    #[test]
    fn a_mailbox_that_may_not_be_read_any_more_ends_the_session() {
        let mut client = Client::with_inbox(&[NOTE]);
        client.say("a NOTIFY SET (selected (MessageNew MessageExpunge))");
        client.asked_to_meddle = Some("Refresh");
        client.meddler = Some(Box::new(|store| store.borrow_mut().broken = Some(Trouble::NoPermission)));
        let said = client.changed();
        assert!(said.starts_with("* BYE ") && client.closed, "{said}");
    }

    #[test]
    fn events_that_do_not_go_together_are_refused() {
        let mut client = Client::new();
        for bad in [
            "(personal (MessageNew))",
            "(personal (MessageExpunge))",
            "(personal (FlagChange))",
            "(selected (MessageNew MessageExpunge)) (selected-delayed (MessageNew MessageExpunge))",
            "(selected (MailboxName))",
            "(selected (MailboxMetadataChange))",
            "(personal (MessageNew (UID) MessageExpunge))",
            "(nowhere (MailboxName))",
        ] {
            let said = client.say(&format!("a NOTIFY SET {bad}"));
            assert!(said.starts_with("a BAD "), "{bad}: {said}");
        }
        let known = "MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange \
                     MailboxMetadataChange ServerMetadataChange";
        client.check(
            "a NOTIFY SET (personal (AnnotationChange))",
            &format!("a NO [BADEVENT ({known})] one of these events is not told here\n"),
        );
    }
}
