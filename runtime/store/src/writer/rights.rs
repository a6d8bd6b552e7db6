//! Lists of rights (RFC 4314). They hang on the row of a mailbox: RENAME leaves them alone and DELETE takes them along.

use mail::{Grant, MailboxName, Rights};

use super::Stop;
use super::group::Group;
use crate::error::Refusal;
use crate::id::MailboxId;
use crate::op::{OpResult, SetRights, Until};
use crate::read::grants_in;

/// Entries of one list.
const ENTRIES_MAX: usize = 200;

impl Group<'_> {
    /// Whoever watches the mailbox is woken: the rights may be theirs.
    pub(super) fn set_rights(&mut self, set: &SetRights) -> Result<OpResult, Stop> {
        let account = self.account(&set.login)?.id;
        let mailbox = self.named(account, set.mailbox.as_str())?.ok_or(Refusal::NoSuchMailbox)?;
        let (grantee, negative) = (set.identifier.grantee.to_string(), set.identifier.negative);
        let before = grants_in(self.db, MailboxId(mailbox))?;
        let (mine, others): (Vec<&Grant>, Vec<&Grant>) = before
            .iter()
            .filter(|grant| grant.holds_at(set.at_s))
            .partition(|grant| grant.identifier == set.identifier);
        let (had, had_until) = mine.first().map_or((Rights::NONE, None), |grant| (grant.rights, grant.until_s));
        let rights = set.change.apply(had, set.rights);
        if !rights.is_empty() && others.len() >= ENTRIES_MAX {
            return Err(Refusal::TooManyGrants.into());
        }
        let until = match set.until {
            Until::AsBefore => had_until,
            Until::Given(until) => until,
        };
        self.db
            .prepare_cached("DELETE FROM acl WHERE mailbox = ?1 AND (until <= ?2 OR (grantee = ?3 AND negative = ?4))")?
            .execute((mailbox, set.at_s, &grantee, negative))?;
        if !rights.is_empty() {
            self.db
                .prepare_cached(
                    "INSERT INTO acl(mailbox, grantee, negative, rights, until) VALUES(?1, ?2, ?3, ?4, ?5)",
                )?
                .execute((mailbox, &grantee, negative, rights.bits(), until))?;
        }
        if grants_in(self.db, MailboxId(mailbox))? != before {
            self.tallies.mark_changed(mailbox);
        }
        Ok(OpResult::Done)
    }

    /// A new mailbox begins with the list of the one above it, so that who shares a folder shares what is made in it.
    pub(super) fn inherit_rights(&mut self, account: i64, mailbox: u32, name: &MailboxName) -> Result<(), Stop> {
        let Some(parent) = name.parents().next() else { return Ok(()) };
        let Some(parent) = self.named(account, parent.as_str())? else { return Ok(()) };
        self.db
            .prepare_cached(
                "INSERT INTO acl(mailbox, grantee, negative, rights, until)
                 SELECT ?2, grantee, negative, rights, until FROM acl WHERE mailbox = ?1",
            )?
            .execute((parent, mailbox))?;
        Ok(())
    }

    pub(super) fn delete_rights(&mut self, mailbox: u32) -> Result<(), Stop> {
        self.db.prepare_cached("DELETE FROM acl WHERE mailbox = ?1")?.execute([mailbox])?;
        Ok(())
    }

    /// INBOX gave its row away and stays shared as it was.
    pub(super) fn move_rights(&mut self, from: u32, to: u32) -> Result<(), Stop> {
        self.db.prepare_cached("UPDATE acl SET mailbox = ?2 WHERE mailbox = ?1")?.execute((from, to))?;
        Ok(())
    }
}
