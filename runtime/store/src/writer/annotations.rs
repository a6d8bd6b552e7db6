//! METADATA (RFC 5464): small values beside mailboxes and accounts.

use mail::{Login, MailboxName};

use super::Stop;
use super::group::Group;
use crate::error::Refusal;
use crate::op::OpResult;

/// Entries of one mailbox or account.
const ENTRIES_MAX: u32 = 100;
/// Octets of one value, and of an entry's name.
const VALUE_BYTES_MAX: usize = 64 * 1024;
const ENTRY_BYTES_MAX: usize = 255;

impl Group<'_> {
    /// Names of entries compare without case (RFC 5464 3.2).
    pub(super) fn set_annotation(
        &mut self,
        login: &Login,
        mailbox: Option<&MailboxName>,
        entry: &str,
        value: Option<&[u8]>,
    ) -> Result<OpResult, Stop> {
        let account = self.account(login)?.id;
        let mailbox = match mailbox {
            None => 0,
            Some(name) => self.named(account, name.as_str())?.ok_or(Refusal::NoSuchMailbox)?,
        };
        let entry = entry.to_ascii_lowercase();
        let Some(value) = value else {
            self.db
                .prepare_cached("DELETE FROM annotation WHERE account = ?1 AND mailbox = ?2 AND entry = ?3")?
                .execute((account, mailbox, entry))?;
            return Ok(OpResult::Done);
        };
        if value.len() > VALUE_BYTES_MAX || entry.len() > ENTRY_BYTES_MAX {
            return Err(Refusal::TooLarge.into());
        }
        let others: u32 = self
            .db
            .prepare_cached("SELECT count(*) FROM annotation WHERE account = ?1 AND mailbox = ?2 AND entry <> ?3")?
            .query_row((account, mailbox, &entry), |row| row.get(0))?;
        if others >= ENTRIES_MAX {
            return Err(Refusal::TooManyAnnotations.into());
        }
        self.db
            .prepare_cached(
                "INSERT INTO annotation(account, mailbox, entry, value) VALUES(?1, ?2, ?3, ?4)
                 ON CONFLICT(account, mailbox, entry) DO UPDATE SET value = excluded.value",
            )?
            .execute((account, mailbox, entry, value))?;
        Ok(OpResult::Done)
    }
}
