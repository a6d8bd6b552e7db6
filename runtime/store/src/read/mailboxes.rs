//! Mailboxes of an account and what it uses of its quota.

use mail::{Login, MailboxName, SpecialUse, SystemFlags};
use rusqlite::{OptionalExtension, Row, Transaction};

use super::directory::fold;
use super::{Counts, MailboxInfo, Usage};
use crate::error::ReadError;
use crate::id::MailboxId;
use crate::schema::message_key;
use crate::store::Store;

const MAILBOX: &str =
    "SELECT m.id, m.name, m.special, m.uidvalidity, m.uidnext, m.modseq, m.messages, m.unseen, m.deleted,
    m.octets, EXISTS(SELECT 1 FROM subscription s WHERE s.account = m.account AND s.name = m.name) FROM mailbox m";

/// What accounts use is the sum of their mailboxes: a row of its own for it would be one more page for each delivery. With
/// `GROUP BY a.id`.
pub(crate) const USAGE: &str = "SELECT ifnull(sum(m.octets), 0), ifnull(sum(m.messages), 0), a.quota, a.warned, a.login
    FROM account a LEFT JOIN mailbox m ON m.account = a.id";

/// The first columns of `USAGE`.
pub(crate) fn usage_row(row: &Row) -> rusqlite::Result<Usage> {
    Ok(Usage {
        used_octets: row.get::<_, i64>(0)? as u64,
        messages: row.get::<_, i64>(1)? as u64,
        quota_octets: row.get::<_, i64>(2)? as u64,
        warned_permille: row.get(3)?,
    })
}

impl Store {
    /// All mailboxes of an account, in order of name; empty for an unknown login.
    pub fn mailboxes(&self, login: &Login) -> Result<Vec<MailboxInfo>, ReadError> {
        self.read_of(login, |tx, _| {
            let mut query = tx.prepare_cached(&format!(
                "{MAILBOX} WHERE m.account = (SELECT id FROM account WHERE login = ?1) ORDER BY m.name"
            ))?;
            query.query_map([fold(login)], mailbox_row)?.map(|row| row?).collect()
        })
    }

    pub fn mailbox(&self, login: &Login, name: &MailboxName) -> Result<Option<MailboxInfo>, ReadError> {
        self.read_of(login, |tx, _| mailbox_named(tx, login, name))
    }

    /// The same by id; `None` once it is deleted.
    pub fn mailbox_by_id(&self, mailbox: MailboxId) -> Result<Option<MailboxInfo>, ReadError> {
        self.read_in(mailbox.shard(), |tx| mailbox_with_id(tx, mailbox))
    }

    /// Subscribed names, whether a mailbox has them or not, in order.
    pub fn subscriptions(&self, login: &Login) -> Result<Vec<MailboxName>, ReadError> {
        self.read_of(login, |tx, _| {
            let mut query = tx.prepare_cached(
                "SELECT name FROM subscription WHERE account = (SELECT id FROM account WHERE login = ?1) ORDER BY name",
            )?;
            query
                .query_map([fold(login)], |row| row.get::<_, String>(0))?
                .map(|name| MailboxName::new(&name?).map_err(|_| ReadError::Damaged))
                .collect()
        })
    }

    /// What an account holds: nothing for an unknown login. What arrives counts a moment before it can be read.
    pub fn usage(&self, login: &Login) -> Result<Usage, ReadError> {
        let shard = self.routes.shard_of(login)?.unwrap_or(0);
        self.shards[usize::from(shard)].pool.read_at_once(|tx| {
            let mut query = tx.prepare_cached(&format!("{USAGE} WHERE a.login = ?1 GROUP BY a.id"))?;
            Ok(query.query_row([fold(login)], usage_row).optional()?.unwrap_or_default())
        })
    }

    /// Octets of the messages with `\Deleted` (RFC 9208 DELETED-STORAGE); looks at each row.
    pub fn deleted_octets(&self, mailbox: MailboxId) -> Result<u64, ReadError> {
        let (first, last) = (message_key(mailbox.0, 0), message_key(mailbox.0, u32::MAX));
        self.read_in(mailbox.shard(), |tx| {
            let mut query = tx.prepare_cached(
                "SELECT ifnull(sum(size), 0) FROM msg WHERE id BETWEEN ?1 AND ?2 AND flags & ?3 <> 0",
            )?;
            let bounds = (first, last, SystemFlags::DELETED.bits());
            Ok(query.query_row(bounds, |row| row.get::<_, i64>(0))? as u64)
        })
    }

    /// METADATA (RFC 5464) of a mailbox, or of the account: entries in order, with their values.
    pub fn annotations(
        &self,
        login: &Login,
        mailbox: Option<&MailboxName>,
    ) -> Result<Vec<(String, Vec<u8>)>, ReadError> {
        self.read_of(login, |tx, _| {
            let mut query = tx.prepare_cached(
                "SELECT entry, value FROM annotation WHERE account = (SELECT id FROM account WHERE login = ?1) AND mailbox =
                 CASE WHEN ?2 IS NULL THEN 0
                 ELSE (SELECT id FROM mailbox WHERE account = annotation.account AND name = ?2) END ORDER BY entry",
            )?;
            let bounds = (fold(login), mailbox.map(MailboxName::as_str));
            Ok(query.query_map(bounds, |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
        })
    }

    /// Mailboxes that changed after group `seq` of a shard, with the group, oldest first; deleted ones among them. At most
    /// `limit` rows. `None` when the log does not reach back so far: look at every mailbox then.
    pub fn changed_mailboxes(
        &self,
        shard: u8,
        after_seq: u64,
        limit: usize,
    ) -> Result<Option<Vec<(u64, MailboxId)>>, ReadError> {
        let after = i64::try_from(after_seq).unwrap_or(i64::MAX);
        self.read_in(shard, |tx| {
            if after_seq < log_begins(tx)? {
                return Ok(None);
            }
            let mut query =
                tx.prepare_cached("SELECT seq, mailbox FROM changelog WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
            let rows = query
                .query_map((after, limit as i64), |row| Ok((row.get::<_, i64>(0)? as u64, MailboxId(row.get(1)?))))?;
            Ok(Some(rows.collect::<Result<_, _>>()?))
        })
    }

    /// The newest durable group of a shard.
    pub fn published_seq(&self, shard: u8) -> u64 {
        self.shards.get(usize::from(shard)).map_or(0, |shard| shard.published_seq())
    }
}

/// The group after which the change log is whole.
pub(crate) fn log_begins(tx: &Transaction) -> Result<u64, ReadError> {
    let mut query = tx.prepare_cached("SELECT value FROM meta WHERE key = 'log_begins'")?;
    Ok(query.query_row([], |row| row.get::<_, i64>(0)).optional()?.unwrap_or(0) as u64)
}

pub(super) fn mailbox_named(
    tx: &Transaction,
    login: &Login,
    name: &MailboxName,
) -> Result<Option<MailboxInfo>, ReadError> {
    let mut query = tx.prepare_cached(&format!(
        "{MAILBOX} WHERE m.account = (SELECT id FROM account WHERE login = ?1) AND m.name = ?2"
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
