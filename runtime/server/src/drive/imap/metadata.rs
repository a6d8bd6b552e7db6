//! METADATA (RFC 5464). Private entries of one's own mailbox lie beside it. Those on a mailbox of others are nobody's business
//! but one's own: they lie with one's own account, under the number of the mailbox, and count against its bounds.

use mail::MailboxName;
use mail::{MailboxName, SpecialUse};
use proto::imap::{Answer, SPECIAL_USE, Trouble};
use std::collections::HashMap;
use store::{MailboxId, Op, Store};

use super::place::Place;
use super::rights::ANY_OF_FIVE;
use super::{Imap, shared};
use crate::annotated::Change;

/// An entry and its value.
type Entry = (String, Vec<u8>);
/// In front of private entries on mailboxes of others.
const ELSEWHERE: char = '#';

impl Imap {
    pub(super) async fn metadata(&mut self, name: Option<MailboxName>) -> Result<Answer, Trouble> {
        let login = self.login()?;
        let Some(name) = name else {
            let own = self.look_up(move |store| store.annotations(&login, None)).await?;
            let own = own.into_iter().filter(|(entry, _)| !entry.starts_with(ELSEWHERE));
            return Ok(Answer::Metadata(own.chain(self.of_the_server()).collect()));
        };
        let place = self.place(&name).await?.ok_or(Trouble::NoSuchMailbox)?;
        let found = self.find(place.clone()).await?.ok_or(Trouble::NoSuchMailbox)?;
        let mark = mark(found.mailbox.id);
        let special_use = found.mailbox.special_use.map(|it| (SPECIAL_USE.to_owned(), it.attribute().into()));
        let read = move |store: &Store| {
            let mut there = store.annotations(&place.account, Some(&place.name))?;
            if place.is_own() {
                there.extend(special_use);
                there.sort();
                return Ok(there);
            }
            let own = store.annotations(&login, None)?.into_iter();
            let own = own.filter_map(|(entry, value)| Some((entry.strip_prefix(&mark)?.to_owned(), value)));
            let shared = there.into_iter().filter(|(entry, _)| !is_private(entry));
            Ok(own.chain(shared).collect())
        };
        Ok(Answer::Metadata(self.look_up(read).await?))
    }

    /// RFC 5464 6.2.1: what this service is, and where questions go, as a URI.
    fn of_the_server(&self) -> Vec<Entry> {
        let institution = &self.service.tables.plan().institution;
        let mut entries = vec![("/shared/comment".to_owned(), institution.name.clone().into_bytes())];
        let contact = match institution.contact.as_str() {
            "" => return entries,
            address if address.contains('@') && !address.contains(':') => format!("mailto:{address}"),
            other => other.to_owned(),
        };
        entries.insert(0, ("/shared/admin".to_owned(), contact.into_bytes()));
        entries
    }

    /// All in one commit. What the server says of itself, nobody changes here.
    pub(super) async fn set_metadata(
        &mut self,
        name: Option<MailboxName>,
        values: Vec<(String, Option<Vec<u8>>)>,
    ) -> Result<Answer, Trouble> {
        let login = self.login()?;
        let (place, mark, mailbox) = match name {
            None if values.iter().any(|(entry, _)| !is_private(entry)) => return Err(Trouble::NoPermission),
            None => (None, String::new(), None),
            Some(name) => {
                let place = self.place(&name).await?.ok_or(Trouble::NoSuchMailbox)?;
                let found = self.find(place.clone()).await?.ok_or(Trouble::NoSuchMailbox)?;
                (Some(place), mark(found.mailbox.id), Some(found.mailbox.id))
            }
        };
        // What a mailbox is for is its owner's business.
        let is_own = place.as_ref().is_some_and(Place::is_own);
        if !is_own && values.iter().any(|(entry, _)| entry == SPECIAL_USE) {
            return Err(Trouble::NoPermission);
        }
        let change = |(entry, _): &(String, Option<Vec<u8>>)| Change {
            of: is_private(entry).then(|| login.clone()),
            mailbox,
            entry: entry.to_ascii_lowercase(),
        };
        let changes: Vec<Change> = values.iter().map(change).collect();
        let op = |(entry, value): (String, Option<Vec<u8>>)| match &place {
            Some(Place { account, name, .. }) if entry == SPECIAL_USE => {
                let special_use = value.and_then(|value| SpecialUse::named(std::str::from_utf8(&value).ok()?));
                Op::SetSpecialUse { login: account.clone(), name: name.clone(), special_use }
            }
            Some(Place { account, name, .. }) if account == &login || !is_private(&entry) => {
                let (login, mailbox) = (account.clone(), Some(name.clone()));
                Op::SetAnnotation { login, mailbox, entry, value }
            }
            Some(_) | None => {
                Op::SetAnnotation { login: login.clone(), mailbox: None, entry: format!("{mark}{entry}"), value }
            }
        };
        self.commit_all(values.into_iter().map(op).collect()).await?;
        self.tell_annotated(changes, mailbox).await?;
        Ok(Answer::Done)
    }

    /// Lets those know who asked for it: all who follow the mailbox, or what is one's own alone. They watch their INBOX at least.
    async fn tell_annotated(&mut self, changes: Vec<Change>, mailbox: Option<MailboxId>) -> Result<(), Trouble> {
        changes.into_iter().for_each(|change| self.service.annotated.record(change));
        let watched = match mailbox {
            Some(mailbox) => Some(mailbox),
            None => {
                let login = self.login()?;
                let inbox = self.look_up(move |store| store.mailbox(&login, &MailboxName::inbox())).await?;
                inbox.map(|inbox| inbox.id)
            }
        };
        if let Some(watched) = watched {
            self.service.store.wake_watchers(watched);
        }
        Ok(())
    }

    /// Of mailboxes of others as GETMETADATA would tell them.
    pub(super) async fn annotated(&mut self, since: Option<u64>) -> Result<Answer, Trouble> {
        let login = self.login()?;
        let (number, changes) = self.service.annotated.behind(since.unwrap_or(u64::MAX), &login);
        if changes.is_empty() {
            return Ok(Answer::Annotated { number, changed: Vec::new() });
        }
        let main = self.service.tables.plan().institution.domain.clone();
        let read = move |store: &Store| {
            let own = store.mailboxes(&login)?.into_iter().map(|mailbox| (mailbox.id, mailbox.name));
            let others = shared::with(store, &login, &main)?.into_iter();
            let others = others.filter(|shared| shared.rights.meets(ANY_OF_FIVE));
            Ok(own.chain(others.map(|shared| (shared.mailbox.id, shared.name))).collect())
        };
        let names: HashMap<MailboxId, MailboxName> = self.look_up(read).await?;
        let named = |change: Change| match change.mailbox {
            None => Some((None, change.entry)),
            Some(mailbox) => Some((Some(names.get(&mailbox)?.clone()), change.entry)),
        };
        Ok(Answer::Annotated { number, changed: changes.into_iter().filter_map(named).collect() })
    }
}

fn is_private(entry: &str) -> bool {
    entry.starts_with("/private/")
}

fn mark(mailbox: store::MailboxId) -> String {
    format!("{ELSEWHERE}{}", mailbox.number())
}
