//! What is shared with somebody: mailboxes of others they may look up, their lists of rights, the quota they count against.

use std::collections::{BTreeMap, BTreeSet};

use mail::{Domain, Grant, Grantee, Identifier, Login, MailboxName, Rights, RightsChange};
use proto::imap::{Answer, MailboxRow, Quota, Trouble};
use store::{MailboxId, MailboxInfo, Op, ReadError, SetRights, Store, Until};

use super::Imap;
use super::place::{self, Place};
use super::read::mailbox_row;
use super::rights::{self, asker, judge};
use crate::clock;

/// Entries looked at under one name in one shard, and mailboxes of others in one LIST.
const ENTRIES_MAX: u32 = 10_000;
const ROWS_MAX: usize = 10_000;

/// A mailbox of others as it is seen from here.
pub struct Shared {
    pub account: Login,
    pub name: MailboxName,
    /// The name of the account's INBOX.
    pub root: String,
    pub mailbox: MailboxInfo,
    pub rights: Rights,
}

/// All that `login` may look up. Costs what is found: everything under the names `login` goes by, and all mailboxes of the
/// functional addresses `login` belongs to.
pub fn with(store: &Store, login: &Login, main: &Domain) -> Result<Vec<Shared>, ReadError> {
    let asker = asker(store, login)?;
    let mut lists: BTreeMap<MailboxId, Vec<Grant>> = BTreeMap::new();
    let mut found: BTreeMap<MailboxId, (Login, MailboxInfo)> = BTreeMap::new();
    for shared in store.shared_with(&asker.names(), ENTRIES_MAX)? {
        lists.insert(shared.mailbox.id, shared.grants);
        found.insert(shared.mailbox.id, (shared.account, shared.mailbox));
    }
    let functions = store.functions_of(login)?.into_iter().filter(|(_, has_mailboxes)| *has_mailboxes);
    for account in functions.filter_map(|(address, _)| Login::of_function(&address)) {
        let mailboxes = store.mailboxes(&account)?;
        found.extend(mailboxes.into_iter().map(|mailbox| (mailbox.id, (account.clone(), mailbox))));
    }
    let mut rows = Vec::new();
    for (id, (account, mailbox)) in found {
        let rights = judge(&asker, &account, lists.get(&id).map_or(&[], Vec::as_slice));
        let is_own = account.as_str().eq_ignore_ascii_case(login.as_str());
        if is_own || !rights.contains(Rights::LOOKUP) || rows.len() >= ROWS_MAX {
            continue;
        }
        let Some((name, root)) = place::shown(main, &account, &mailbox.name) else { continue };
        rows.push(Shared { account, name, root, mailbox, rights });
    }
    Ok(rows)
}

/// As LIST and STATUS tell it: what a mailbox is for concerns its owner's programs alone.
pub fn row(shared: &Shared, subscribed: &BTreeSet<MailboxName>) -> MailboxRow {
    let subscribed = subscribed.contains(&shared.name);
    let row = mailbox_row(&shared.mailbox, shared.rights);
    MailboxRow { name: shared.name.clone(), subscribed, special_use: None, ..row }
}

impl Imap {
    /// RFC 4314 3.6: the entries that hold now, with the owner's in front.
    pub(super) async fn acl(&mut self, name: MailboxName) -> Result<Answer, Trouble> {
        let place = self.place(&name).await?.ok_or(Trouble::NoSuchMailbox)?;
        let found = self.find(place.clone()).await?.ok_or(Trouble::NoSuchMailbox)?;
        let list = self.look_up(move |store| store.grants(found.mailbox.id)).await?;
        let now_s = clock::unix_s();
        let holding = list.into_iter().filter(|grant| grant.holds_at(now_s));
        let owner = match place::members(&place.account) {
            Some(group) => (group.to_string(), Rights::MEMBER),
            None => (place.account.to_string(), Rights::ALL),
        };
        // What an entry adds to the owner's, or its negative, is told beside it.
        let mut entries = vec![owner];
        for grant in holding {
            let identifier = grant.identifier.to_string();
            match entries.iter_mut().find(|(known, _)| *known == identifier) {
                Some((_, rights)) => *rights = rights.with(grant.rights),
                None => entries.push((identifier, grant.rights)),
            }
        }
        Ok(Answer::Acl(entries))
    }

    /// One commit with its line in the audit.
    pub(super) async fn set_acl(
        &mut self,
        name: MailboxName,
        identifier: Identifier,
        (change, rights): (RightsChange, Rights),
    ) -> Result<Answer, Trouble> {
        let place = self.place(&name).await?.ok_or(Trouble::NoSuchMailbox)?;
        let sign = match change {
            RightsChange::Replace => "",
            RightsChange::Add => "+",
            RightsChange::Remove => "-",
        };
        let what = format!("rights of {identifier} on {} of {}: {sign}{rights}", place.name, place.account);
        let audit = Op::Audit { at_s: clock::unix_s(), who: self.login()?.to_string(), what };
        let grantee = identifier.grantee.clone();
        self.commit_all(vec![set_rights(&place, identifier, (change, rights)), audit]).await?;
        self.tell_granted(grantee).await?;
        Ok(Answer::Done)
    }

    /// Who follows mailboxes (RFC 5465) does not follow one that could not be looked up: a person hears of it through INBOX, the
    /// members of a group with the next news.
    async fn tell_granted(&mut self, grantee: Grantee) -> Result<(), Trouble> {
        let Grantee::Login(login) = grantee else { return Ok(()) };
        let inbox = self.look_up(move |store| store.mailbox(&login, &MailboxName::inbox())).await?;
        if let Some(inbox) = inbox {
            self.service.store.wake_watchers(inbox.id);
        }
        Ok(())
    }

    /// RFC 4314 3.7: what the identifier has whatever the list says.
    pub(super) async fn fixed_rights(&mut self, name: MailboxName, identifier: Identifier) -> Result<Answer, Trouble> {
        let place = self.place(&name).await?.ok_or(Trouble::NoSuchMailbox)?;
        self.find(place.clone()).await?.ok_or(Trouble::NoSuchMailbox)?;
        let owner = place::members(&place.account).or_else(|| Grantee::of(&place.account));
        let is_owner = !identifier.negative && owner == Some(identifier.grantee);
        let fixed = if place.account.function().is_some() { Rights::MEMBER } else { Rights::ALL };
        Ok(Answer::Rights(if is_owner { fixed } else { Rights::NONE }))
    }

    pub(super) async fn my_rights(&mut self, name: MailboxName) -> Result<Answer, Trouble> {
        let place = self.place(&name).await?.ok_or(Trouble::NoSuchMailbox)?;
        let found = self.find(place).await?.ok_or(Trouble::NoSuchMailbox)?;
        Ok(Answer::Rights(found.rights))
    }

    /// The quota of whoever owns the mailbox: that is what messages in it count against.
    pub(super) async fn quota_of(&mut self, name: MailboxName) -> Result<Answer, Trouble> {
        let place = self.place(&name).await?.ok_or(Trouble::NoSuchMailbox)?;
        self.find(place.clone()).await?.ok_or(Trouble::NoSuchMailbox)?;
        self.usage_of(place.account, place.root).await
    }

    /// A root is there for who may read one of the mailboxes it is the root of.
    pub(super) async fn quota(&mut self, root: String) -> Result<Answer, Trouble> {
        let login = self.login()?;
        if root.is_empty() {
            return self.usage_of(login, root).await;
        }
        let main = self.service.tables.plan().institution.domain.clone();
        let shared = self.look_up(move |store| with(store, &login, &main)).await?;
        let readable = shared.into_iter().filter(|shared| shared.rights.contains(Rights::READ));
        let account = readable.into_iter().find(|shared| shared.root == root).map(|shared| shared.account);
        self.usage_of(account.ok_or(Trouble::NoSuchMailbox)?, root).await
    }

    async fn usage_of(&mut self, account: Login, root: String) -> Result<Answer, Trouble> {
        let usage = self.look_up(move |store| store.usage(&account)).await?;
        Ok(Answer::Quota(Quota { root, used_octets: usage.used_octets, limit_octets: usage.quota_octets }))
    }

    /// RFC 9208 4.1.4; nothing is told of mailboxes that may not be read.
    pub(super) async fn deleted_octets(&mut self, names: Vec<MailboxName>) -> Result<Answer, Trouble> {
        let mut sizes = Vec::with_capacity(names.len());
        for name in names {
            let Some(place) = self.place(&name).await? else {
                sizes.push(0);
                continue;
            };
            let login = self.login()?;
            let read = move |store: &Store| match rights::find(store, &login, &place)? {
                Some(found) if found.rights.contains(Rights::READ) => store.deleted_octets(found.mailbox.id),
                Some(_) | None => Ok(0),
            };
            sizes.push(self.look_up(read).await?);
        }
        Ok(Answer::Sizes(sizes))
    }

    /// What mailboxes made from the top of another account on begin with, one level or many: the list of INBOX, which is above
    /// them there.
    pub(super) async fn inherited(&mut self, place: &Place) -> Result<Vec<Op>, Trouble> {
        if place.is_own() {
            return Ok(Vec::new());
        }
        for parent in place.name.parents() {
            if self.find(Place { name: parent, ..place.clone() }).await?.is_some() {
                // The store takes the list from there.
                return Ok(Vec::new());
            }
        }
        let inbox = Place { name: MailboxName::inbox(), ..place.clone() };
        let Some(found) = self.find(inbox).await? else { return Ok(Vec::new()) };
        let list = self.look_up(move |store| store.grants(found.mailbox.id)).await?;
        let now_s = clock::unix_s();
        let list: Vec<Grant> = list.into_iter().filter(|grant| grant.holds_at(now_s)).collect();
        let entry = |name: &MailboxName, grant: &Grant| {
            let until = Until::Given(grant.until_s);
            let set = SetRights {
                login: place.account.clone(),
                mailbox: name.clone(),
                identifier: grant.identifier.clone(),
                change: RightsChange::Replace,
                rights: grant.rights,
                until,
                at_s: now_s,
            };
            Op::SetRights(Box::new(set))
        };
        let made = place.name.parents().chain([place.name.clone()]);
        Ok(made.flat_map(|name| list.iter().map(move |grant| entry(&name, grant)).collect::<Vec<_>>()).collect())
    }
}

fn set_rights(place: &Place, identifier: Identifier, (change, rights): (RightsChange, Rights)) -> Op {
    Op::SetRights(Box::new(SetRights {
        login: place.account.clone(),
        mailbox: place.name.clone(),
        identifier,
        change,
        rights,
        until: Until::AsBefore,
        at_s: clock::unix_s(),
    }))
}
