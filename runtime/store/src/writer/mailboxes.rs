//! CREATE, DELETE, RENAME, SUBSCRIBE (RFC 9051 6.3.4 to 6.3.8).

use mail::{Login, MailboxName, SpecialUse};

use super::Stop;
use super::group::Group;
use super::tally::{Account, Tally};
use crate::error::Refusal;
use crate::id::MailboxId;
use crate::op::OpResult;
use crate::read::special_number;
use crate::schema::message_key;

/// Mailboxes of one account, and names it may subscribe to.
const MAILBOXES_MAX: u32 = 2_000;

impl Group<'_> {
    pub(super) fn create_mailbox(
        &mut self,
        login: &Login,
        name: &MailboxName,
        special_use: Option<SpecialUse>,
    ) -> Result<OpResult, Stop> {
        let account = self.account(login)?;
        if self.named(account.id, name.as_str())?.is_some() {
            return Err(Refusal::MailboxExists(name.clone()).into());
        }
        if let Some(special_use) = special_use
            && self.special(account.id, special_use)?.is_some()
        {
            return Err(Refusal::SpecialUseTaken.into());
        }
        let parents = self.missing_parents(account.id, name)?;
        self.mailbox_room(account.id, parents.len() as u32 + 1)?;
        for parent in &parents {
            self.insert_mailbox(account.id, parent, None)?;
        }
        Ok(OpResult::Created(MailboxId(self.insert_mailbox(account.id, name, special_use)?)))
    }

    pub(super) fn delete_mailbox(&mut self, login: &Login, name: &MailboxName) -> Result<OpResult, Stop> {
        let account = self.account(login)?;
        if name.is_inbox() {
            return Err(Refusal::InboxStays.into());
        }
        let mailbox = self.named(account.id, name.as_str())?.ok_or(Refusal::NoSuchMailbox)?;
        self.drop_mailbox(account.id, mailbox)?;
        Ok(OpResult::Done)
    }

    /// With its messages and all that hangs on it.
    pub(super) fn drop_mailbox(&mut self, account: i64, mailbox: u32) -> Result<(), Stop> {
        let tally = self.tallies.mailbox(self.db, mailbox)?;
        let (first, last) = (message_key(mailbox, 0), message_key(mailbox, u32::MAX));
        let blobs: Vec<i64> = self
            .db
            .prepare_cached("SELECT blob FROM msg WHERE id BETWEEN ?1 AND ?2")?
            .query_map((first, last), |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for blob in blobs {
            self.drop_reference(blob)?;
        }
        self.db.prepare_cached("DELETE FROM msg WHERE id BETWEEN ?1 AND ?2")?.execute((first, last))?;
        self.db.prepare_cached("DELETE FROM summary WHERE id BETWEEN ?1 AND ?2")?.execute((first, last))?;
        self.db.prepare_cached("DELETE FROM vanished WHERE mailbox = ?1")?.execute([mailbox])?;
        self.db
            .prepare_cached("DELETE FROM annotation WHERE account = ?1 AND mailbox = ?2")?
            .execute((account, mailbox))?;
        self.delete_rights(mailbox)?;
        self.tallies.remove(self.db, mailbox, tally)?;
        self.db.prepare_cached("DELETE FROM mailbox WHERE id = ?1")?.execute([mailbox])?;
        Ok(())
    }

    pub(super) fn rename_mailbox(
        &mut self,
        login: &Login,
        from: &MailboxName,
        to: &MailboxName,
    ) -> Result<OpResult, Stop> {
        let account = self.account(login)?;
        let mailbox = self.named(account.id, from.as_str())?.ok_or(Refusal::NoSuchMailbox)?;
        if self.named(account.id, to.as_str())?.is_some() {
            return Err(Refusal::MailboxExists(to.clone()).into());
        }
        let parents = self.missing_parents(account.id, to)?;
        self.mailbox_room(account.id, parents.len() as u32 + 1)?;
        if from.is_inbox() {
            self.insert_all(account.id, &parents)?;
            return self.rename_inbox(account, to);
        }
        if to.is_under(from) {
            return Err(Refusal::BadName.into());
        }
        let renames = self.child_renames(account.id, from, to)?;
        self.insert_all(account.id, &parents)?;
        let mut update = self.db.prepare_cached("UPDATE mailbox SET name = ?2 WHERE id = ?1")?;
        update.execute((mailbox, to.as_str()))?;
        self.tallies.mark_changed(mailbox);
        for (child, name) in renames {
            update.execute((child, name.as_str()))?;
            self.tallies.mark_changed(child);
        }
        Ok(OpResult::Done)
    }

    /// RFC 9051 6.3.6: the messages of INBOX get the new name and INBOX is empty. The row with all its messages takes the
    /// new name and a new INBOX is made, so the work does not grow with the mailbox and no UID changes its meaning.
    fn rename_inbox(&mut self, account: Account, to: &MailboxName) -> Result<OpResult, Stop> {
        self.db.prepare_cached("UPDATE mailbox SET name = ?2 WHERE id = ?1")?.execute((account.inbox, to.as_str()))?;
        let inbox = self.insert_mailbox(account.id, &MailboxName::inbox(), None)?;
        self.move_rights(account.inbox, inbox)?;
        self.inherit_rights(account.id, account.inbox, to)?;
        self.tallies.mark_changed(account.inbox);
        self.tallies.forget_accounts();
        Ok(OpResult::Done)
    }

    /// The mailboxes under `from` with their names under `to`.
    fn child_renames(
        &mut self,
        account: i64,
        from: &MailboxName,
        to: &MailboxName,
    ) -> Result<Vec<(u32, MailboxName)>, Stop> {
        // `0` follows `/` in ASCII: the names between the two are those under `from`.
        let (first, past) = (format!("{from}/"), format!("{from}0"));
        let children: Vec<(u32, String)> = self
            .db
            .prepare_cached("SELECT id, name FROM mailbox WHERE account = ?1 AND name > ?2 AND name < ?3")?
            .query_map((account, &first, &past), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let mut renames = Vec::with_capacity(children.len());
        for (child, name) in children {
            let renamed = format!("{to}/{}", &name[first.len()..]);
            let renamed = MailboxName::new(&renamed).map_err(|_| Refusal::BadName)?;
            if self.named(account, renamed.as_str())?.is_some() {
                return Err(Refusal::MailboxExists(renamed).into());
            }
            renames.push((child, renamed));
        }
        Ok(renames)
    }

    pub(super) fn set_special_use(
        &mut self,
        login: &Login,
        name: &MailboxName,
        special_use: Option<SpecialUse>,
    ) -> Result<OpResult, Stop> {
        let account = self.account(login)?;
        let mailbox = self.named(account.id, name.as_str())?.ok_or(Refusal::NoSuchMailbox)?;
        if let Some(special_use) = special_use
            && self.special(account.id, special_use)?.is_some_and(|other| other != mailbox)
        {
            return Err(Refusal::SpecialUseTaken.into());
        }
        self.db
            .prepare_cached("UPDATE mailbox SET special = ?2 WHERE id = ?1")?
            .execute((mailbox, special_use.map(special_number)))?;
        self.tallies.mark_changed(mailbox);
        Ok(OpResult::Done)
    }

    pub(super) fn subscribe(&mut self, login: &Login, name: &MailboxName) -> Result<OpResult, Stop> {
        let account = self.account(login)?;
        let count: u32 = self
            .db
            .prepare_cached("SELECT count(*) FROM subscription WHERE account = ?1")?
            .query_row([account.id], |row| row.get(0))?;
        if count >= MAILBOXES_MAX {
            return Err(Refusal::TooManyMailboxes.into());
        }
        self.insert_subscription(account.id, name)?;
        Ok(OpResult::Done)
    }

    pub(super) fn unsubscribe(&mut self, login: &Login, name: &MailboxName) -> Result<OpResult, Stop> {
        let account = self.account(login)?;
        self.db
            .prepare_cached("DELETE FROM subscription WHERE account = ?1 AND name = ?2")?
            .execute((account.id, name.as_str()))?;
        Ok(OpResult::Done)
    }

    pub(super) fn insert_subscription(&mut self, account: i64, name: &MailboxName) -> Result<(), Stop> {
        self.db
            .prepare_cached("INSERT OR IGNORE INTO subscription(account, name) VALUES(?1, ?2)")?
            .execute((account, name.as_str()))?;
        Ok(())
    }

    /// A new row, UIDVALIDITY from the counter of the store.
    // INVARIANT (uid-forward): the counter never gives a number twice, so neither does a name that comes back.
    pub(super) fn insert_mailbox(
        &mut self,
        account: i64,
        name: &MailboxName,
        special_use: Option<SpecialUse>,
    ) -> Result<u32, Stop> {
        let counters = &mut self.tallies.counters;
        let mailbox = counters.next_mailbox;
        if mailbox >> MailboxId::NUMBER_BITS != u32::from(self.shard) {
            return Err(Refusal::TooManyMailboxes.into());
        }
        counters.next_mailbox += 1;
        counters.uidvalidity += 1;
        let uidvalidity = counters.uidvalidity;
        self.db
            .prepare_cached(
                "INSERT INTO mailbox(id, account, name, special, uidvalidity, uidnext, modseq, messages, unseen, deleted,
                 octets, seq) VALUES(?1, ?2, ?3, ?4, ?5, 1, 1, 0, 0, 0, 0, ?6)",
            )?
            .execute((
                mailbox,
                account,
                name.as_str(),
                special_use.map(special_number),
                uidvalidity,
                self.seq as i64,
            ))?;
        let tally =
            Tally { account, uidvalidity, uidnext: 1, modseq: 1, messages: 0, unseen: 0, deleted: 0, octets: 0 };
        self.tallies.add_new(mailbox, tally);
        self.inherit_rights(account, mailbox, name)?;
        Ok(mailbox)
    }

    pub(super) fn create_with_parents(&mut self, account: i64, name: &MailboxName) -> Result<u32, Stop> {
        let parents = self.missing_parents(account, name)?;
        self.mailbox_room(account, parents.len() as u32 + 1)?;
        self.insert_all(account, &parents)?;
        self.insert_mailbox(account, name, None)
    }

    fn insert_all(&mut self, account: i64, names: &[MailboxName]) -> Result<(), Stop> {
        names.iter().try_for_each(|name| self.insert_mailbox(account, name, None).map(|_| ()))
    }

    /// The highest first.
    fn missing_parents(&mut self, account: i64, name: &MailboxName) -> Result<Vec<MailboxName>, Stop> {
        let mut missing = Vec::new();
        for parent in name.parents() {
            if self.named(account, parent.as_str())?.is_none() {
                missing.push(parent);
            }
        }
        missing.reverse();
        Ok(missing)
    }

    fn mailbox_room(&mut self, account: i64, more: u32) -> Result<(), Stop> {
        let count: u32 = self
            .db
            .prepare_cached("SELECT count(*) FROM mailbox WHERE account = ?1")?
            .query_row([account], |row| row.get(0))?;
        if count + more > MAILBOXES_MAX {
            return Err(Refusal::TooManyMailboxes.into());
        }
        Ok(())
    }
}
