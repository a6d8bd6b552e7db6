//! Messages that come by APPEND and REPLACE. Each is written to the store when it is complete; none of them is in a mailbox
//! before all are, and then they are in one commit.

use std::ops::Range;

use mail::date::DateTime;
use mail::{Flags, MailboxName, Rights};
use proto::imap::{Answer, Replaced, Source, SourceMailbox, Trouble};
use store::{BodyRef, InternalDate, Op, OpResult, PutError, ReadError, RecordEnvelope, Store, Summary};

use super::Imap;
use super::place::Place;
use super::rights;
use super::write::{trouble, unexpected};
use crate::content::Content;
use crate::service::Service;
use crate::{clock, durable};

/// All messages of one command together are at most so many times the largest message.
const COMMAND_FACTOR: u64 = 4;

/// What a command brings.
pub struct Append {
    place: Place,
    /// On the mailbox there: which flags may come along (RFC 4314 4), whether its UIDs are told (RFC 4315 3).
    rights: Rights,
    replaces: Option<Replaced>,
    /// What the quota leaves.
    room_octets: u64,
    /// Announced or copied so far.
    octets: u64,
    complete: Vec<store::Append>,
    last: Begun,
}

/// A message on its way in.
pub struct Begun {
    flags: Flags,
    internal_date: Option<DateTime>,
    content: Content,
    /// Octets announced or copied so far.
    octets: u64,
    /// The content could not be kept.
    lost: bool,
}

impl Begun {
    pub fn new(service: &Service, flags: Flags, internal_date: Option<DateTime>) -> Begun {
        let content = Content::new(service.store.clone(), service.held.clone());
        Begun { flags, internal_date, content, octets: 0, lost: false }
    }

    fn append(&mut self, octets: &[u8]) {
        if !self.lost
            && let Err(error) = self.content.append(octets)
        {
            tracing::error!("a message cannot be kept: {error}");
            self.lost = true;
        }
    }
}

impl Append {
    /// May so many octets more come?
    fn admit(&mut self, octets: u64, message_octets_max: u64) -> Result<(), Trouble> {
        let (message, all) = (self.last.octets.saturating_add(octets), self.octets.saturating_add(octets));
        if message > message_octets_max {
            return Err(Trouble::TooBig);
        }
        if all > message_octets_max.saturating_mul(COMMAND_FACTOR) {
            return Err(Trouble::Limit);
        }
        if all > self.room_octets {
            return Err(Trouble::OverQuota);
        }
        (self.last.octets, self.octets) = (message, all);
        Ok(())
    }
}

impl Imap {
    pub(super) async fn append_start(
        &mut self,
        mailbox: MailboxName,
        begun: Begun,
        replaces: Option<Replaced>,
    ) -> Result<Answer, Trouble> {
        if let Some(append) = self.append.take() {
            let append = self.complete(append, Some(begun)).await?;
            self.append = Some(append);
            return Ok(Answer::Done);
        }
        let rights = self.target(&mailbox).await?.rights;
        let place = self.place(&mailbox).await?.ok_or(Trouble::NoSuchMailbox)?;
        let account = place.account.clone();
        let replaced = replaces.map(|old| Ok((self.store_id(old.mailbox)?, old.uid))).transpose()?;
        let read = move |store: &Store| {
            let old = match replaced {
                Some((mailbox, uid)) => store.messages(mailbox, &[uid].into_iter().collect())?,
                None => Vec::new(),
            };
            let old_octets: u64 = old.iter().map(|message| message.size_octets).sum();
            let usage = store.usage(&account)?;
            Ok(usage.quota_octets.saturating_sub(usage.used_octets.saturating_sub(old_octets)))
        };
        let room_octets = self.look_up(read).await?;
        let complete = Vec::new();
        self.append = Some(Append { place, rights, replaces, room_octets, octets: 0, complete, last: begun });
        Ok(Answer::Done)
    }

    pub(super) async fn append_more(&mut self, size_octets: u64) -> Result<Answer, Trouble> {
        let octets_max = self.service.tables.plan().mailboxes.message_size_octets;
        let mut append = self.append.take().ok_or(Trouble::Bug)?;
        append.admit(size_octets, octets_max)?;
        self.append = Some(append);
        Ok(Answer::Done)
    }

    pub(super) fn append_chunk(&mut self, octets: &[u8]) {
        if let Some(append) = &mut self.append {
            append.last.append(octets);
        }
    }

    pub(super) async fn append_part(&mut self, source: Source) -> Result<Answer, Trouble> {
        let octets_max = self.service.tables.plan().mailboxes.message_size_octets;
        let mut append = self.append.take().ok_or(Trouble::Bug)?;
        let (message, places) = self.part(source).await?.ok_or(Trouble::NoSuchMailbox)?;
        append.admit(places.iter().map(|place| place.len() as u64).sum(), octets_max)?;
        for place in places {
            append.last.append(message.get(place).unwrap_or_default());
        }
        self.append = Some(append);
        Ok(Answer::Done)
    }

    /// A message, and where in it is what a URL names; `None` when it leads to nothing.
    async fn part(&mut self, source: Source) -> Result<Option<(Vec<u8>, Vec<Range<usize>>)>, Trouble> {
        let mailbox = match &source.mailbox {
            SourceMailbox::Selected(mailbox) => Some(self.store_id(*mailbox)?),
            SourceMailbox::Named { name, uid_validity } => {
                let found = match self.place(name).await? {
                    Some(place) => self.find(place).await?,
                    None => None,
                };
                let found = found.map(|found| found.mailbox);
                found.filter(|it| uid_validity.is_none_or(|told| told == it.uidvalidity)).map(|it| it.id)
            }
        };
        let service = self.service.clone();
        // Messages may be long: few are in memory at a time.
        let _permit = service.long_contents.acquire().await.map_err(|_| Trouble::Unavailable)?;
        self.look_up(move |store| {
            let body = mailbox.map(|mailbox| store.body_of(mailbox, source.uid)).transpose()?.flatten();
            let Some(body) = body else { return Ok::<_, ReadError>(None) };
            let message = store.read_body(&body)?;
            Ok(source.places(&message).map(|places| (message, places)))
        })
        .await
    }

    /// Writes the message that is complete; another may follow.
    async fn complete(&mut self, append: Append, next: Option<Begun>) -> Result<Append, Trouble> {
        let Append { place, rights, replaces, room_octets, octets, mut complete, last } = append;
        let Begun { flags, internal_date, content, lost, .. } = last;
        if lost {
            return Err(Trouble::Unavailable);
        }
        let written = if content.is_spilled() {
            let _permit = self.service.long_contents.acquire().await.map_err(|_| Trouble::Unavailable)?;
            durable::blocking(move || put(&content)).await.ok_or(Trouble::Bug)?
        } else {
            put(&content)
        };
        let (body, summary) = written.map_err(unwritable)?;
        let date = internal_date.unwrap_or_else(|| DateTime::utc(clock::unix_s()));
        let internal_date = InternalDate { seconds: date.unix_seconds, offset_minutes: date.offset_minutes };
        complete.push(store::Append {
            login: place.account.clone(),
            mailbox: place.name.clone(),
            body,
            summary,
            flags: rights::scope(rights).among(&flags),
            internal_date,
        });
        let last = next.unwrap_or_else(|| Begun::new(&self.service, Flags::default(), None));
        Ok(Append { place, rights, replaces, room_octets, octets, complete, last })
    }

    pub(super) async fn append_end(&mut self) -> Result<Answer, Trouble> {
        let append = self.append.take().ok_or(Trouble::Bug)?;
        self.still_allowed(&append).await?;
        let Append { replaces, complete, rights, .. } = self.complete(append, None).await?;
        let op = |append| match replaces {
            Some(old) => {
                let mailbox = self.store_id(old.mailbox)?;
                Ok(Op::Replace(Box::new(store::Replace { append, mailbox, uid: old.uid })))
            }
            None => Ok(Op::Append(Box::new(append))),
        };
        let ops: Vec<Op> = complete.into_iter().map(op).collect::<Result<_, Trouble>>()?;
        let results = durable::commit(&self.service.store, ops).await.map_err(trouble)?;
        let mut answer = (0, Vec::new());
        for result in results {
            match result {
                OpResult::Appended { uidvalidity, uid, .. } => {
                    answer.0 = uidvalidity;
                    answer.1.push(uid);
                }
                other => return Err(unexpected(&other)),
            }
        }
        let (uid_validity, uids) = answer;
        Ok(Answer::Appended { uid_validity: Some(uid_validity).filter(|_| rights.contains(Rights::READ)), uids })
    }

    /// A message may be on its way for long, and what was granted when it began may have ended.
    async fn still_allowed(&mut self, append: &Append) -> Result<(), Trouble> {
        if !append.place.is_own() {
            let found = self.find(append.place.clone()).await?;
            rights::check(found.map_or(Rights::NONE, |found| found.rights), rights::INSERTING)?;
        }
        match append.replaces {
            Some(_) => rights::check(self.rights_on_selected().await?.with(Rights::LOOKUP), rights::REPLACING),
            None => Ok(()),
        }
    }
}

fn put(content: &Content) -> Result<(BodyRef, Summary), PutError> {
    let body = content.put(&RecordEnvelope::default(), &[])?;
    Ok((body, super::super::summary(&content.start(usize::MAX)?)))
}

fn unwritable(error: PutError) -> Trouble {
    tracing::error!("{error}");
    match error {
        PutError::TooLarge => Trouble::TooBig,
        PutError::Full | PutError::Io(_) | PutError::Poisoned => Trouble::Unavailable,
    }
}
