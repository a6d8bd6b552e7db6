//! Lists of rights (RFC 4314): those of a mailbox, and what is shared with somebody.

use mail::{Grant, Grantee, Identifier, Login, Rights};
use rusqlite::{Connection, Row};

use super::MailboxInfo;
use super::mailboxes::mailbox_with_id;
use crate::error::ReadError;
use crate::id::MailboxId;
use crate::store::Store;

/// A mailbox of somebody's with the entries that name whoever asked, ended ones included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedMailbox {
    /// The account it is in.
    pub account: Login,
    pub mailbox: MailboxInfo,
    pub grants: Vec<Grant>,
}

impl Store {
    /// The list of a mailbox in order of identifier, entries that ended among them; empty for a mailbox that is not there.
    pub fn grants(&self, mailbox: MailboxId) -> Result<Vec<Grant>, ReadError> {
        self.read_in(mailbox.shard(), |tx| Ok(grants_in(tx, mailbox)?))
    }

    /// Mailboxes whose lists name one of `names`, in order of mailbox, from all shards; at most `limit` entries of each name
    /// and shard, those that take rights away first. Costs what is found: other accounts are not looked at.
    pub fn shared_with(&self, names: &[Grantee], limit: u32) -> Result<Vec<SharedMailbox>, ReadError> {
        let mut shared = Vec::new();
        for shard in self.shard_numbers() {
            shared.extend(self.read_in(shard, |tx| shared_in(tx, names, limit))?);
        }
        Ok(shared)
    }

    /// The account a mailbox is in.
    pub fn account_of(&self, mailbox: MailboxId) -> Result<Option<Login>, ReadError> {
        self.read_in(mailbox.shard(), |tx| account(tx, mailbox))
    }
}

pub(crate) fn grants_in(db: &Connection, mailbox: MailboxId) -> rusqlite::Result<Vec<Grant>> {
    let mut query = db.prepare_cached(
        "SELECT grantee, negative, rights, until FROM acl WHERE mailbox = ?1 ORDER BY grantee, negative",
    )?;
    query.query_map([mailbox.0], grant_row)?.collect()
}

fn shared_in(tx: &rusqlite::Transaction, names: &[Grantee], limit: u32) -> Result<Vec<SharedMailbox>, ReadError> {
    let mut found: std::collections::BTreeMap<u32, Vec<Grant>> = std::collections::BTreeMap::new();
    let mut query = tx.prepare_cached(
        "SELECT grantee, negative, rights, until, mailbox FROM acl WHERE grantee = ?1
         ORDER BY negative DESC, mailbox DESC LIMIT ?2",
    )?;
    for name in names {
        let rows = query.query_map((name.to_string(), limit), |row| Ok((row.get(4)?, grant_row(row)?)))?;
        for row in rows {
            let (mailbox, grant): (u32, _) = row?;
            found.entry(mailbox).or_default().push(grant);
        }
    }
    let mut shared = Vec::with_capacity(found.len());
    for (mailbox, grants) in found {
        let id = MailboxId(mailbox);
        if let (Some(account), Some(mailbox)) = (account(tx, id)?, mailbox_with_id(tx, id)?) {
            shared.push(SharedMailbox { account, mailbox, grants });
        }
    }
    Ok(shared)
}

fn account(tx: &rusqlite::Transaction, mailbox: MailboxId) -> Result<Option<Login>, ReadError> {
    let mut query =
        tx.prepare_cached("SELECT a.login FROM mailbox m JOIN account a ON a.id = m.account WHERE m.id = ?1")?;
    let mut rows = query.query([mailbox.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Login::new(&row.get::<_, String>(0)?).map(Some).ok_or(ReadError::Damaged)
}

fn grant_row(row: &Row) -> rusqlite::Result<Grant> {
    let grantee: String = row.get(0)?;
    // What is no name was never written.
    let grantee = Grantee::parse(&grantee).ok_or(rusqlite::Error::InvalidQuery)?;
    let identifier = Identifier { grantee, negative: row.get(1)? };
    Ok(Grant { identifier, rights: Rights::from_bits(row.get(2)?), until_s: row.get(3)? })
}
