//! Mailboxes of an account and what it uses of its quota.

use mail::{Login, MailboxName, SpecialUse};
use rusqlite::{OptionalExtension, Row, Transaction};

use super::directory::fold;
use super::{Counts, MailboxInfo};
use crate::error::ReadError;
use crate::id::MailboxId;
use crate::store::Store;

const MAILBOX: &str =
    "SELECT m.id, m.name, m.special, m.uidvalidity, m.uidnext, m.modseq, m.messages, m.unseen, m.deleted,
    m.octets, EXISTS(SELECT 1 FROM subscription s WHERE s.account = m.account AND s.name = m.name) FROM mailbox m";

impl Store {
    /// All mailboxes of an account, in order of name; empty for an unknown login.
    pub fn mailboxes(&self, login: &Login) -> Result<Vec<MailboxInfo>, ReadError> {
        let login = fold(login);
        self.read(|tx| {
            let mut query = tx.prepare_cached(&format!(
                "{MAILBOX} WHERE m.account = (SELECT id FROM person WHERE login = ?1) ORDER BY m.name"
            ))?;
            query.query_map([login], mailbox_row)?.map(|row| row?).collect()
        })
    }

    pub fn mailbox(&self, login: &Login, name: &MailboxName) -> Result<Option<MailboxInfo>, ReadError> {
        self.read(|tx| mailbox_named(tx, login, name))
    }

    /// The same by id; `None` once it is deleted.
    pub fn mailbox_by_id(&self, mailbox: MailboxId) -> Result<Option<MailboxInfo>, ReadError> {
        self.read(|tx| mailbox_with_id(tx, mailbox))
    }

    /// Subscribed names, whether a mailbox has them or not, in order.
    pub fn subscriptions(&self, login: &Login) -> Result<Vec<MailboxName>, ReadError> {
        let login = fold(login);
        self.read(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT name FROM subscription WHERE account = (SELECT id FROM person WHERE login = ?1) ORDER BY name",
            )?;
            query
                .query_map([login], |row| row.get::<_, String>(0))?
                .map(|name| MailboxName::new(&name?).map_err(|_| ReadError::Damaged))
                .collect()
        })
    }

    /// Octets and messages an account holds: (octets, messages). RFC 9208 STORAGE and MESSAGE. What
    /// arrives counts a moment before it can be read.
    pub fn usage(&self, login: &Login) -> Result<(u64, u64), ReadError> {
        let login = fold(login);
        self.read_at_once(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT ifnull(sum(octets), 0), ifnull(sum(messages), 0) FROM mailbox
                 WHERE account = (SELECT id FROM person WHERE login = ?1)",
            )?;
            Ok(query.query_row([login], |row| Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64)))?)
        })
    }
}

pub(super) fn mailbox_named(
    tx: &Transaction,
    login: &Login,
    name: &MailboxName,
) -> Result<Option<MailboxInfo>, ReadError> {
    let mut query = tx.prepare_cached(&format!(
        "{MAILBOX} WHERE m.account = (SELECT id FROM person WHERE login = ?1) AND m.name = ?2"
    ))?;
    query.query_row((fold(login), name.as_str()), mailbox_row).optional()?.transpose()
}

pub(super) fn mailbox_with_id(tx: &Transaction, mailbox: MailboxId) -> Result<Option<MailboxInfo>, ReadError> {
    let mut query = tx.prepare_cached(&format!("{MAILBOX} WHERE m.id = ?1"))?;
    query.query_row([mailbox.0], mailbox_row).optional()?.transpose()
}

fn mailbox_row(row: &Row) -> rusqlite::Result<Result<MailboxInfo, ReadError>> {
    let name: String = row.get(1)?;
    let Ok(name) = MailboxName::new(&name) else { return Ok(Err(ReadError::Damaged)) };
    Ok(Ok(MailboxInfo {
        id: MailboxId(row.get(0)?),
        name,
        special_use: row.get::<_, Option<u8>>(2)?.and_then(|n| SpecialUse::ALL.get(usize::from(n)).copied()),
        subscribed: row.get(10)?,
        uidvalidity: row.get(3)?,
        uidnext: row.get(4)?,
        highestmodseq: row.get::<_, i64>(5)? as u64,
        counts: Counts {
            messages: row.get(6)?,
            unseen: row.get(7)?,
            deleted: row.get(8)?,
            size_octets: row.get::<_, i64>(9)? as u64,
        },
    }))
}

/// The number a special use has in its row.
pub(crate) fn special_number(special_use: SpecialUse) -> u8 {
    match special_use {
        SpecialUse::Archive => 0,
        SpecialUse::Drafts => 1,
        SpecialUse::Junk => 2,
        SpecialUse::Sent => 3,
        SpecialUse::Trash => 4,
    }
}
