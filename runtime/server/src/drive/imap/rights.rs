//! What somebody may do with a mailbox that is not their own: asked here for every question of the session, and nowhere else.
//!
//! INVARIANT (no-oracle): whoever may not look a mailbox up is told what is told of one that is not there.
//! INVARIANT (now): rights are read when they are asked for, so one that ended or was taken away ends with the next command,
//! and with the next news in IDLE.

use decide::{Asker, Owner};
use mail::{Grant, Login, MailboxName, Rights};
use proto::imap::{Question, SourceMailbox, Trouble};
use store::{FlagScope, MailboxInfo, ReadError, Store};

use super::Imap;
use super::place::{self, Named, Place};
use crate::clock;

/// MYRIGHTS is answered to whoever has one of them (RFC 4314 4).
const ANY_OF_SIX: Rights = Rights::LOOKUP
    .with(Rights::READ)
    .with(Rights::INSERT)
    .with(Rights::CREATE)
    .with(Rights::DELETE_MAILBOX)
    .with(Rights::ADMINISTER);
/// Reading METADATA needs one of them beside `l` (RFC 5464 4.1).
pub(super) const ANY_OF_FIVE: Rights =
    Rights::READ.with(Rights::SEEN).with(Rights::WRITE).with(Rights::INSERT).with(Rights::POST);

/// What a question needs of a mailbox: all of the first and one of the second, where that is not empty.
#[derive(Clone, Copy)]
struct Needs(Rights, Rights);

/// A mailbox of somebody's, and what who asks may do with it.
pub struct Found {
    pub mailbox: MailboxInfo,
    pub rights: Rights,
}

const fn all(rights: Rights) -> Needs {
    Needs(rights, Rights::NONE)
}

/// What a question needs on the mailbox it names (RFC 4314 4, RFC 5464 4.1 for METADATA, RFC 9208 4.1.2 for quotas).
fn on_named(question: &Question) -> Option<(&MailboxName, Needs)> {
    Some(match question {
        Question::Status { name }
        | Question::Select { name, .. }
        | Question::Open { name }
        | Question::QuotaOf { name } => (name, all(Rights::READ)),
        Question::Copy { to: name, .. } | Question::Move { to: name, .. } => (name, all(Rights::INSERT)),
        Question::AppendStart { mailbox: name, .. } => (name, all(Rights::INSERT)),
        // CATENATE reads what it puts together.
        Question::AppendPart(source) => match &source.mailbox {
            SourceMailbox::Named { name, .. } => (name, all(Rights::READ)),
            SourceMailbox::Selected(_) => return None,
        },
        Question::Delete { name } | Question::Rename { from: name, .. } => (name, all(Rights::DELETE_MAILBOX)),
        Question::Subscribe { name, on: true } => (name, all(Rights::LOOKUP)),
        Question::Acl { name } | Question::SetAcl { name, .. } | Question::FixedRights { name, .. } => {
            (name, all(Rights::ADMINISTER))
        }
        Question::MyRights { name } => (name, Needs(Rights::NONE, ANY_OF_SIX)),
        Question::Metadata { name: Some(name) } => (name, Needs(Rights::LOOKUP, ANY_OF_FIVE)),
        Question::SetMetadata { name: Some(name), values } => {
            let shared = values.iter().any(|(entry, _)| entry.starts_with("/shared/"));
            (name, all(Rights::LOOKUP.with(if shared { Rights::WRITE } else { Rights::READ })))
        }
        _ => return None,
    })
}

/// What a question needs on the selected mailbox. Contents are asked behind `Refresh`, which every command begins with.
fn on_selected(question: &Question) -> Option<Needs> {
    Some(match question {
        Question::Refresh { .. } | Question::Copy { .. } => all(Rights::READ),
        Question::Store { .. } => Needs(Rights::NONE, Rights::SEEN.with(Rights::DELETE).with(Rights::WRITE)),
        Question::Move { .. } => all(Rights::READ.with(Rights::DELETE).with(Rights::EXPUNGE)),
        // RFC 8508 4.2: REPLACE takes a message away.
        Question::AppendStart { replaces: Some(_), .. } => all(Rights::DELETE.with(Rights::EXPUNGE)),
        Question::Expunge { .. } => all(Rights::EXPUNGE),
        _ => return None,
    })
}

fn check(rights: Rights, Needs(all, any): Needs) -> Result<(), Trouble> {
    let enough = rights.contains(all) && (any.is_empty() || rights.meets(any));
    match (enough, rights.contains(Rights::LOOKUP)) {
        (true, _) => Ok(()),
        (false, true) => Err(Trouble::NoPermission),
        (false, false) => Err(Trouble::NoSuchMailbox),
    }
}

/// The flags these rights let change (RFC 4314 2.1).
pub fn scope(rights: Rights) -> FlagScope {
    FlagScope {
        seen: rights.contains(Rights::SEEN),
        deleted: rights.contains(Rights::DELETE),
        others: rights.contains(Rights::WRITE),
    }
}

impl Imap {
    /// May who is logged in ask this? Of one's own mailboxes anything.
    pub(super) async fn allow(&mut self, question: &Question) -> Result<(), Trouble> {
        if let (Some(needs), Some(selected)) = (on_selected(question), &self.selected)
            && !selected.place().is_own()
        {
            let rights = self.rights_on_selected().await?;
            // What is selected is known: there is nothing to hide any more.
            check(rights.with(Rights::LOOKUP), needs)?;
        }
        match question {
            Question::Create { name, .. } => self.allow_child(name).await,
            Question::Rename { from, to } => {
                self.allow_named(from, all(Rights::DELETE_MAILBOX)).await?;
                self.allow_child(to).await?;
                match (self.place(from).await?, self.place(to).await?) {
                    (Some(from), Some(to)) if from.account == to.account => Ok(()),
                    // A mailbox stays in its account: its quota and its list belong there.
                    _ => Err(Trouble::NotPersonal),
                }
            }
            question => match on_named(question) {
                Some((name, needs)) => self.allow_named(name, needs).await,
                None => Ok(()),
            },
        }
    }

    async fn allow_named(&mut self, name: &MailboxName, needs: Needs) -> Result<(), Trouble> {
        let place = self.place(name).await?.ok_or(Trouble::NoSuchMailbox)?;
        if place.is_own() {
            return Ok(());
        }
        let found = self.find(place).await?;
        check(found.map_or(Rights::NONE, |found| found.rights), needs)
    }

    /// RFC 4314 4: a mailbox is made with `k` on the one above it. In another account INBOX is above all others.
    async fn allow_child(&mut self, name: &MailboxName) -> Result<(), Trouble> {
        let place = self.place(name).await?.ok_or(Trouble::NotPersonal)?;
        if place.is_own() {
            return Ok(());
        }
        let parents: Vec<MailboxName> = place.name.parents().chain([MailboxName::inbox()]).collect();
        for parent in parents {
            if let Some(found) = self.find(Place { name: parent, ..place.clone() }).await? {
                return check(found.rights, all(Rights::CREATE)).map_err(|trouble| match trouble {
                    Trouble::NoSuchMailbox => Trouble::NotPersonal,
                    other => other,
                });
            }
        }
        Err(Trouble::NotPersonal)
    }

    /// Where a name leads; `None` for one in a name space that no mailbox can have. A mailbox of one's own that has such a name
    /// since before keeps it.
    pub(super) async fn place(&mut self, name: &MailboxName) -> Result<Option<Place>, Trouble> {
        let login = self.login()?;
        let main = self.service.tables.plan().institution.domain.clone();
        let place = match place::named(&login, &main, name) {
            Named::Own(place) => return Ok(Some(place)),
            Named::Others(place) => Some(place),
            Named::Nowhere => None,
        };
        let (of, own) = (login.clone(), name.clone());
        let is_own = self.look_up(move |store| store.mailbox(&of, &own)).await?.is_some();
        Ok(if is_own { Some(Place::own(&login, name)) } else { place })
    }

    /// The mailbox of a place with the rights on it; `None` when there is none.
    pub(super) async fn find(&mut self, place: Place) -> Result<Option<Found>, Trouble> {
        let login = self.login()?;
        self.look_up(move |store| find(store, &login, &place)).await
    }

    pub(super) async fn rights_on_selected(&mut self) -> Result<Rights, Trouble> {
        let Some(selected) = &self.selected else { return Err(Trouble::Bug) };
        let (login, place, mailbox) = (self.login()?, selected.place().clone(), selected.mailbox());
        if place.is_own() {
            return Ok(Rights::ALL);
        }
        self.look_up(move |store| Ok(judge(&asker(store, &login)?, &place.account, &store.grants(mailbox)?))).await
    }
}

pub fn find(store: &Store, login: &Login, place: &Place) -> Result<Option<Found>, ReadError> {
    let Some(mailbox) = store.mailbox(&place.account, &place.name)? else { return Ok(None) };
    if place.is_own() {
        return Ok(Some(Found { mailbox, rights: Rights::ALL }));
    }
    let rights = judge(&asker(store, login)?, &place.account, &store.grants(mailbox.id)?);
    // What it is for is its owner's business, and so is whether the owner subscribed to it.
    Ok(Some(Found { mailbox: MailboxInfo { special_use: None, subscribed: false, ..mailbox }, rights }))
}

/// The rights `asker` has now on a mailbox of `account` with this list.
pub fn judge(asker: &Asker, account: &Login, list: &[Grant]) -> Rights {
    let members = place::members(account);
    let owner = members.as_ref().map_or(Owner::Person(account), Owner::Members);
    decide::rights(asker, owner, list, clock::unix_s())
}

/// Who asks, with the groups of this moment.
pub fn asker(store: &Store, login: &Login) -> Result<Asker, ReadError> {
    let functions = store.functions_of(login)?.into_iter().map(|(address, _)| address.folded());
    let unit = store.person(login)?.map(|row| row.person.unit.to_lowercase());
    let unit = unit.filter(|unit| !unit.is_empty() && !unit.contains('@'));
    Ok(Asker { login: login.clone(), groups: functions.chain(unit).collect() })
}
