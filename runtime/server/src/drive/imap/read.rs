//! Answers that only read.

use std::collections::HashMap;
use std::sync::Arc;

use mail::MailboxName;
use proto::imap::{
    Answer, Changes, Content, Counts, MailboxId, MailboxRow, Message, Need, Quota, Row, Selection, Summary, Trouble,
};
use store::{MailboxInfo, MessageRow, ReadError, Store, UidSet};

use super::{Imap, session_id, unreadable};
use crate::durable;

/// A header is looked for in so many octets first, then in four times as many, and so on.
const HEADER_OCTETS: u64 = 16 * 1024;

impl Imap {
    pub(super) fn mailboxes(&self) -> Result<Answer, Trouble> {
        let login = self.login()?;
        let mailboxes = self.service.store.mailboxes(&login).map_err(unreadable)?;
        let subscribed = self.service.store.subscriptions(&login).map_err(unreadable)?;
        let mut rows: Vec<MailboxRow> = mailboxes.iter().map(mailbox_row).collect();
        let missing: Vec<MailboxRow> = subscribed
            .into_iter()
            .filter(|name| mailboxes.iter().all(|mailbox| mailbox.name != *name))
            .map(|name| MailboxRow {
                name,
                exists: false,
                subscribed: true,
                special_use: None,
                counts: Counts::default(),
            })
            .collect();
        rows.extend(missing);
        Ok(Answer::Mailboxes(rows))
    }

    pub(super) fn status(&self, name: &MailboxName) -> Result<Answer, Trouble> {
        let found = self.service.store.mailbox(&self.login()?, name).map_err(unreadable)?;
        found.map(|mailbox| Answer::Mailbox(mailbox_row(&mailbox))).ok_or(Trouble::NoSuchMailbox)
    }

    pub(super) async fn select(&mut self, name: MailboxName) -> Result<Answer, Trouble> {
        self.selected = None;
        let login = self.login()?;
        let found = self.service.store.mailbox(&login, &name).map_err(unreadable)?;
        let id = found.ok_or(Trouble::NoSuchMailbox)?.id;
        // Watched before it is read: a change in between is seen twice rather than never.
        let changed = self.changed.clone();
        let watcher = self.service.store.watch(id, Box::new(move || changed.notify_one()));
        let store = self.service.store.clone();
        let read = durable::blocking(move || store.select(&login, &name)).await.ok_or(Trouble::Bug)?;
        let selected = read.map_err(unreadable)?.filter(|selected| selected.mailbox.id == id);
        // Deleted and created again within this moment: the client may ask once more.
        let selected = selected.ok_or(Trouble::NoSuchMailbox)?;
        self.selected = Some(watcher);
        let mailbox = selected.mailbox;
        Ok(Answer::Selected(Selection {
            mailbox: session_id(mailbox.id),
            special_use: mailbox.special_use,
            subscribed: mailbox.subscribed,
            uid_validity: mailbox.uidvalidity,
            uid_next: mailbox.uidnext,
            highest_mod_seq: mailbox.highestmodseq,
            rows: selected.messages.into_iter().map(row).collect(),
        }))
    }

    pub(super) fn refresh(&mut self, mailbox: MailboxId, since: u64) -> Result<Answer, Trouble> {
        let id = self.store_id(mailbox)?;
        if !self.selected.as_ref().is_some_and(store::Watcher::take) {
            return Ok(Answer::Changed(Changes::none(since)));
        }
        let changes = self.service.store.changes_since(id, since).map_err(unreadable)?;
        let changes = changes.ok_or(Trouble::NoSuchMailbox)?;
        Ok(Answer::Changed(Changes {
            rows: changes.messages.into_iter().map(row).collect(),
            vanished: changes.vanished,
            highest_mod_seq: changes.highestmodseq,
        }))
    }

    pub(super) async fn fetch(&mut self, mailbox: MailboxId, uids: Vec<u32>, need: Need) -> Result<Answer, Trouble> {
        let id = self.store_id(mailbox)?;
        let store = self.service.store.clone();
        let read = durable::blocking(move || messages(&store, id, &uids, need)).await.ok_or(Trouble::Bug)?;
        read.map(Answer::Messages).map_err(unreadable)
    }

    pub(super) fn quota(&self) -> Result<Answer, Trouble> {
        let login = self.login()?;
        let person = self.service.store.person(&login).map_err(unreadable)?.ok_or(Trouble::Unavailable)?;
        let (used_octets, _) = self.service.store.usage(&login).map_err(unreadable)?;
        Ok(Answer::Quota(Quota { used_octets, limit_octets: person.person.quota_octets }))
    }
}

fn mailbox_row(mailbox: &MailboxInfo) -> MailboxRow {
    MailboxRow {
        name: mailbox.name.clone(),
        exists: true,
        subscribed: mailbox.subscribed,
        special_use: mailbox.special_use,
        counts: Counts {
            messages: mailbox.counts.messages,
            unseen: mailbox.counts.unseen,
            deleted: mailbox.counts.deleted,
            uid_next: mailbox.uidnext,
            uid_validity: mailbox.uidvalidity,
            highest_mod_seq: mailbox.highestmodseq,
            size_octets: mailbox.counts.size_octets,
        },
    }
}

pub(super) fn row(message: MessageRow) -> Row {
    Row {
        uid: message.uid,
        mod_seq: message.modseq,
        flags: message.flags,
        size_octets: message.size_octets,
        internal_date_s: message.internal_date.seconds,
    }
}

/// Those of `uids` that still exist, in their order.
fn messages(
    store: &Arc<Store>,
    mailbox: store::MailboxId,
    uids: &[u32],
    need: Need,
) -> Result<Vec<Message>, ReadError> {
    let set: UidSet = uids.iter().copied().collect();
    let mut summaries = HashMap::new();
    if need.summary {
        summaries.extend(store.summaries(mailbox, &set, uids.len())?);
    }
    // A listing opens no body.
    let mut bodies = HashMap::new();
    if need.content != Content::None {
        bodies.extend(store.bodies_of(mailbox, &set)?);
    }
    let mut found = Vec::with_capacity(uids.len());
    for uid in uids {
        let summary = summaries.remove(uid).map(|summary| Summary {
            envelope: summary.envelope_imap,
            body_structure: summary.bodystructure_imap,
            body: summary.body_imap,
        });
        // Every message has a summary, so one without is gone.
        if need.summary && summary.is_none() {
            continue;
        }
        let content = match (need.content, bodies.get(uid)) {
            (Content::None, _) => Vec::new(),
            (Content::Header, Some(body)) => header(store, body)?,
            (Content::Whole, Some(body)) => store.read_body(body)?,
            (Content::Header | Content::Whole, None) => continue,
        };
        found.push(Message { uid: *uid, summary, content });
    }
    Ok(found)
}

/// The header section with its blank line; all of a message that has no other part.
fn header(store: &Store, body: &store::BodyRef) -> Result<Vec<u8>, ReadError> {
    let mut octets = HEADER_OCTETS;
    loop {
        let start = store.read_body_range(body, 0, octets)?;
        if let Some(end) = start.windows(4).position(|window| window == b"\r\n\r\n") {
            return Ok(start[..end + 4].to_vec());
        }
        if (start.len() as u64) < octets {
            return Ok(start);
        }
        octets *= 4;
    }
}
