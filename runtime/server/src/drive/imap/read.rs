//! Answers that only read.

use std::collections::{BTreeSet, HashSet};

use mail::date::DateTime;
use mail::mime::SummaryParts;
use mail::{Keyword, MailboxName, Rights, SystemFlags};
use proto::imap::{
    Answer, Changes, Content, Counts, EmailId, Identity, MailboxId, MailboxRow, Message, Need, Renderings, Row,
    Selection, Summary, ThreadId, Trouble, Vanished,
};
use store::{MailboxInfo, MessageIdentity, MessageRow, ReadError, Store, UidSet};

use super::rights;
use super::room::{FREE_OCTETS, ROOMS};
use super::watched::Watched;
use super::{Imap, session_id, shared};

/// In a mailbox of so many messages SELECT tells keywords and the first unseen message, whatever has to be read for it.
const SMALL_MAILBOX: u32 = 2_000;
/// Renderings in one answer.
const RENDERINGS_OCTETS: usize = 256 * 1024;
/// UIDs of messages that went in one answer.
const VANISHED_UIDS_MAX: usize = 100_000;
/// A header is looked for in so many octets first, then in four times as many, and so on.
const HEADER_OCTETS: u64 = 16 * 1024;

impl Imap {
    pub(super) async fn mailboxes(&mut self) -> Result<Answer, Trouble> {
        let login = self.login()?;
        if let Some(followed) = &self.followed {
            followed.heard();
        }
        let main = self.service.tables.plan().institution.domain.clone();
        let read = move |store: &Store| {
            Ok((store.mailboxes(&login)?, store.subscriptions(&login)?, shared::with(store, &login, &main)?))
        };
        let (mailboxes, subscribed, others) = self.look_up(read).await?;
        if mailboxes.is_empty() {
            // Everybody has INBOX. Told of no mailbox at all, mail programs throw away what they hold.
            tracing::error!("somebody who is logged in has no mailbox");
            return Err(Trouble::Unavailable);
        }
        if let Some(followed) = &mut self.followed {
            let all = mailboxes.iter().map(|mailbox| mailbox.id).chain(others.iter().map(|other| other.mailbox.id));
            followed.follow(&all.collect::<Vec<_>>(), &self.service.store, &self.changed)?;
        }
        let mut rows: Vec<MailboxRow> = mailboxes.iter().map(|mailbox| mailbox_row(mailbox, Rights::ALL)).collect();
        let own: HashSet<&MailboxName> = mailboxes.iter().map(|mailbox| &mailbox.name).collect();
        let subscribed: BTreeSet<MailboxName> = subscribed.into_iter().collect();
        let others = others.iter().filter(|shared| !own.contains(&shared.name));
        rows.extend(others.map(|other| shared::row(other, &subscribed)));
        let names: HashSet<MailboxName> = rows.iter().map(|row| row.name.clone()).collect();
        let missing = subscribed.into_iter().filter(|name| !names.contains(name)).map(|name| MailboxRow {
            name,
            exists: false,
            subscribed: true,
            special_use: None,
            rights: Rights::NONE,
            counts: Counts::default(),
        });
        rows.extend(missing);
        Ok(Answer::Mailboxes(rows))
    }

    pub(super) async fn status(&mut self, name: MailboxName) -> Result<Answer, Trouble> {
        let place = self.place(&name).await?.ok_or(Trouble::NoSuchMailbox)?;
        let found = self.find(place).await?.ok_or(Trouble::NoSuchMailbox)?;
        Ok(Answer::Mailbox(MailboxRow { name, ..mailbox_row(&found.mailbox, found.rights) }))
    }

    pub(super) async fn select(&mut self, name: MailboxName) -> Result<Answer, Trouble> {
        let place = self.place(&name).await?.ok_or(Trouble::NoSuchMailbox)?;
        let (changed, login, at) = (self.changed.clone(), self.login()?, place.clone());
        let read = move |store: &Store| {
            let Some(rights::Found { mailbox, .. }) = rights::find(store, &login, &at)? else { return Ok(None) };
            // Watched before it is read: a change in between is seen twice rather than never.
            let watcher = store.watch(mailbox.id, Box::new(move || changed.notify_one()));
            // Deleted and created again within this moment: the client may ask once more.
            let found = rights::find(store, &login, &at)?.filter(|now| now.mailbox.id == mailbox.id);
            let Some(rights::Found { mut mailbox, rights }) = found else { return Ok(None) };
            if !at.is_own() {
                mailbox.subscribed = store.subscriptions(&login)?.contains(&name);
            }
            let told = told_of_messages(store, &mailbox)?;
            Ok(Some((watcher, mailbox, rights, told)))
        };
        let (watcher, mailbox, rights, told) = self.look_up(read).await?.ok_or(Trouble::NoSuchMailbox)?;
        self.selected = Some(Watched::new(watcher, place));
        Ok(Answer::Selected(Selection {
            mailbox: session_id(mailbox.id),
            special_use: mailbox.special_use,
            subscribed: mailbox.subscribed,
            rights,
            uid_validity: mailbox.uidvalidity,
            uid_next: mailbox.uidnext,
            highest_mod_seq: mailbox.highestmodseq,
            messages: mailbox.counts.messages,
            keywords: told.keywords,
            first_unseen: told.first_unseen,
        }))
    }

    pub(super) async fn refresh(&mut self, mailbox: MailboxId, since: u64, rows: bool) -> Result<Answer, Trouble> {
        self.store_id(mailbox)?;
        let Some(selected) = self.selected.as_mut().and_then(|each| (each.is_stale() || rows).then_some(each)) else {
            return Ok(Answer::Changed(Changes::none(since)));
        };
        let read = selected.changes(since, rows);
        let (changes, index) = self.look_up(read).await?.ok_or(Trouble::NoSuchMailbox)?;
        if let Some(selected) = &mut self.selected {
            selected.was_read();
        }
        Ok(Answer::Changed(Changes {
            rows: changes.messages.into_iter().map(row).collect(),
            vanished: changes.vanished,
            highest_mod_seq: changes.highestmodseq,
            index,
        }))
    }

    pub(super) async fn vanished(&mut self, mailbox: MailboxId, since: u64) -> Result<Answer, Trouble> {
        let id = self.store_id(mailbox)?;
        let found = self.look_up(move |store| store.vanished_since(id, since, VANISHED_UIDS_MAX)).await?;
        let vanished = match found.ok_or(Trouble::NoSuchMailbox)? {
            store::Vanished::Uids(uids) => Vanished::Uids(uids),
            store::Vanished::Many => Vanished::Many,
        };
        Ok(Answer::Vanished(vanished))
    }

    pub(super) async fn renderings(
        &mut self,
        mailbox: MailboxId,
        uids: Vec<u32>,
        parts: SummaryParts,
    ) -> Result<Answer, Trouble> {
        let id = self.store_id(mailbox)?;
        let uids: UidSet = uids.into_iter().collect();
        let found = self.look_up(move |store| store.renderings(id, &uids, parts, RENDERINGS_OCTETS)).await?;
        let store::Renderings { octets, messages, more_from } = found;
        Ok(Answer::Rendered(Renderings { octets, messages, more_from }))
    }

    pub(super) async fn identities(&mut self, mailbox: MailboxId, uids: Vec<u32>) -> Result<Answer, Trouble> {
        let id = self.store_id(mailbox)?;
        let uids: UidSet = uids.into_iter().collect();
        let found = self.look_up(move |store| store.identities(id, &uids)).await?;
        let identity = |found: MessageIdentity| Identity {
            uid: found.uid,
            email: EmailId(found.email.number()),
            thread: found.thread.map(|thread| ThreadId(thread.number())),
            saved_s: found.saved_s,
        };
        Ok(Answer::Identities(found.into_iter().map(identity).collect()))
    }

    pub(super) async fn fetch(&mut self, mailbox: MailboxId, uids: Vec<u32>, need: Need) -> Result<Answer, Trouble> {
        let id = self.store_id(mailbox)?;
        // The session is done with those of the last answer.
        self.room = None;
        let asked = uids.clone();
        let octets = match self.look_up(move |store| messages(store, id, &asked, need, FREE_OCTETS)).await? {
            Found::Messages(found) => return Ok(Answer::Messages(found)),
            Found::Long(octets) => octets,
        };
        let login = self.login()?;
        self.room = ROOMS.take(&login, octets).await;
        // Messages may go meanwhile. None grows.
        match self.look_up(move |store| messages(store, id, &uids, need, octets)).await? {
            Found::Messages(found) => Ok(Answer::Messages(found)),
            Found::Long(_) => Err(Trouble::Bug),
        }
    }

    pub(super) async fn octets(
        &mut self,
        mailbox: MailboxId,
        uid: u32,
        from: u64,
        count: usize,
    ) -> Result<Answer, Trouble> {
        let id = self.store_id(mailbox)?;
        // From its beginning on it is looked up again: what was kept may be of another FETCH.
        let kept = self.reading.take().filter(|(of, message, _)| from > 0 && (*of, *message) == (mailbox, uid));
        let read = move |store: &Store| {
            let body = match kept {
                Some((_, _, body)) => Some(body),
                None => store.body_of(id, uid)?,
            };
            let Some(body) = body else { return Ok(None) };
            let octets = store.read_body_range(&body, from, count as u64)?;
            Ok(Some((body, octets)))
        };
        let (body, octets) = self.look_up(read).await?.ok_or(Trouble::Expunged)?;
        if from.saturating_add(octets.len() as u64) < body.len() {
            self.reading = Some((mailbox, uid, body));
        }
        Ok(Answer::Octets(octets))
    }
}

/// What SELECT tells of the messages themselves.
#[derive(Default)]
struct Told {
    keywords: BTreeSet<Keyword>,
    first_unseen: Option<u32>,
}

/// A large mailbox that nobody looked at lately is opened without a look at its rows; a client learns its keywords before it
/// meets them.
fn told_of_messages(store: &Store, mailbox: &MailboxInfo) -> Result<Told, ReadError> {
    if mailbox.counts.messages == 0 || (mailbox.counts.messages > SMALL_MAILBOX && !store.has_index(mailbox)) {
        return Ok(Told::default());
    }
    let Some(listing) = store.listing(mailbox.id, mailbox.highestmodseq)? else { return Ok(Told::default()) };
    // A number means something as of the moment the session begins with.
    let same_moment = listing.changes.highestmodseq == mailbox.highestmodseq && mailbox.counts.unseen > 0;
    let first_unseen = same_moment.then(|| listing.index.first_without(SystemFlags::SEEN)).flatten();
    let first_unseen = first_unseen.and_then(|place| u32::try_from(place + 1).ok());
    Ok(Told { keywords: listing.index.keywords(), first_unseen })
}

/// Under its own name.
pub fn mailbox_row(mailbox: &MailboxInfo, rights: Rights) -> MailboxRow {
    MailboxRow {
        name: mailbox.name.clone(),
        exists: true,
        subscribed: mailbox.subscribed,
        special_use: mailbox.special_use,
        rights,
        counts: Counts {
            mailbox: session_id(mailbox.id),
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

fn row(message: MessageRow) -> Row {
    Row {
        uid: message.uid,
        mod_seq: message.modseq,
        flags: message.flags,
        size_octets: message.size_octets,
        internal_date: DateTime {
            unix_seconds: message.internal_date.seconds,
            offset_minutes: message.internal_date.offset_minutes,
        },
    }
}

/// What was found of messages.
enum Found {
    Messages(Vec<Message>),
    /// More than may be read. All of their contents have so many octets.
    Long(u64),
}

/// Those of `uids` that still exist, in their order, unless what is asked of their contents has more than `octets_max` octets.
fn messages(
    store: &Store,
    mailbox: store::MailboxId,
    uids: &[u32],
    need: Need,
    octets_max: u64,
) -> Result<Found, ReadError> {
    let set: UidSet = uids.iter().copied().collect();
    let summary_asked = need.summary != SummaryParts::NONE;
    let summaries = match summary_asked {
        true => store.summaries(mailbox, &set, need.summary, uids.len())?,
        false => Vec::new(),
    };
    // A search through summaries opens no body.
    let bodies = match need.content {
        Content::None => Vec::new(),
        Content::Header | Content::Whole => store.bodies_of(mailbox, &set)?,
    };
    let octets: u64 = bodies.iter().map(|(_, body)| body.len()).sum();
    if need.content == Content::Whole && octets > octets_max {
        return Ok(Found::Long(octets));
    }
    // All three ascend.
    let (mut summaries, mut bodies) = (summaries.into_iter().peekable(), bodies.into_iter().peekable());
    let mut found = Vec::with_capacity(uids.len());
    let mut read_octets = 0;
    for uid in uids {
        let summary = summaries.next_if(|(of, _)| of == uid).map(|(_, kept)| summary(kept));
        let body = bodies.next_if(|(of, _)| of == uid).map(|(_, body)| body);
        // Every message has a summary, so one without is gone.
        if summary_asked && summary.is_none() {
            continue;
        }
        let content = match (need.content, body) {
            (Content::None, _) => Vec::new(),
            (Content::Header, Some(body)) => header(store, &body)?,
            (Content::Whole, Some(body)) => store.read_body(&body)?,
            (Content::Header | Content::Whole, None) => continue,
        };
        // Nobody knows before how long a header is.
        read_octets += content.len() as u64;
        if read_octets > octets_max {
            return Ok(Found::Long(octets));
        }
        found.push(Message { uid: *uid, summary, content });
    }
    Ok(Found::Messages(found))
}

fn summary(kept: store::Summary) -> Summary {
    Summary {
        envelope: kept.envelope_imap,
        body_structure: kept.bodystructure_imap,
        body: kept.body_imap,
        preview: kept.preview,
        whole: kept.whole,
        subject: kept.subject,
        from: kept.from,
        to: kept.to,
        cc: kept.cc,
        bcc: kept.bcc,
        message_id: kept.message_id,
        sent_s: kept.sent_date,
    }
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
