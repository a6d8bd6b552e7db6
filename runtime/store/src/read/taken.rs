//! Where the copies of a delivery are now, and those that were taken out of mailboxes.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use mail::{Flags, Keyword, Login, MailboxName, SystemFlags};
use rusqlite::{OptionalExtension, Row, Transaction};

use super::directory::fold;
use crate::body::own_email;
use crate::error::ReadError;
use crate::id::{DeliveryId, InternalDate, MailboxId, ObjectId, QueueId};
use crate::schema::{message_key, uid_of};
use crate::store::Store;

/// Accounts whose mailboxes are looked through for a copy; of more, the whole shard is.
const ACCOUNTS_SEARCHED: usize = 64;

/// A message in a mailbox that came with a delivery, wherever it went since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyOf {
    pub delivery: DeliveryId,
    /// Whose mailbox it is in.
    pub login: Login,
    pub mailbox: MailboxId,
    pub name: MailboxName,
    pub uid: u32,
    pub flags: Flags,
}

/// What is remembered of a message that was taken out of a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenCopy {
    pub login: Login,
    pub mailbox: MailboxId,
    /// The mailbox's name when it was taken.
    pub name: MailboxName,
    pub uid: u32,
    pub flags: Flags,
    pub internal_date: InternalDate,
    pub saved_s: i64,
    pub email: ObjectId,
    pub thread: Option<ObjectId>,
}

/// Rows of bodies in one shard, with the delivery each came with.
type Bodies = BTreeMap<i64, DeliveryId>;

impl Store {
    /// All messages that came with these deliveries, also those that were moved or copied since, in this account or another.
    /// Those of the delivery's own mailboxes are found at once; for others the mailboxes of the recipients are looked
    /// through, or the whole shard.
    pub fn copies_of(&self, deliveries: &[DeliveryId]) -> Result<Vec<CopyOf>, ReadError> {
        let wanted: BTreeSet<DeliveryId> = deliveries.iter().copied().collect();
        let (mut bodies, mut emails) = (BTreeMap::new(), BTreeMap::new());
        for shard in self.shard_numbers() {
            let found = self.read_in(shard, |tx| bodies_of(tx, &wanted))?;
            self.read_in(shard, |tx| {
                for (blob, delivery) in &found {
                    let email = tx
                        .prepare_cached("SELECT email FROM blob WHERE id = ?1")?
                        .query_row([blob], |row| row.get::<_, Option<i64>>(0))
                        .optional()?;
                    emails.insert(email.flatten().unwrap_or_else(|| own_email(shard, *blob)), *delivery);
                }
                Ok(())
            })?;
            bodies.insert(shard, found);
        }
        let mut copies = Vec::new();
        for (shard, mut found) in bodies {
            copies.extend(self.read_in(shard, |tx| {
                found.extend(same_here(tx, &emails)?);
                copies_in(tx, &wanted, &found)
            })?);
        }
        Ok(copies)
    }

    /// What was taken out of mailboxes under `item` and is not back.
    pub fn taken(&self, item: QueueId) -> Result<Vec<TakenCopy>, ReadError> {
        let mut taken = Vec::new();
        for shard in self.shard_numbers() {
            taken.extend(self.read_in(shard, |tx| {
                let mut query = tx.prepare_cached(
                    "SELECT a.login, t.mailbox, t.name, t.uid, t.flags, t.kw, t.idate, t.zone, t.saved, t.email, t.thread
                     FROM taken t JOIN account a ON a.id = t.account WHERE t.item = ?1 ORDER BY t.mailbox, t.uid",
                )?;
                let mut rows = query.query([&item.0[..]])?;
                let mut found = Vec::new();
                while let Some(row) = rows.next()? {
                    found.push(taken_row(row)?);
                }
                Ok(found)
            })?);
        }
        Ok(taken)
    }

    /// EMAILIDs of what was taken out of an account's mailboxes and is not back.
    pub(crate) fn emails_taken(&self, login: &Login) -> Result<HashSet<ObjectId>, ReadError> {
        let mut emails = HashSet::new();
        for shard in self.shard_numbers() {
            emails.extend(self.read_in(shard, |tx| {
                let mut query = tx.prepare_cached(
                    "SELECT t.email FROM taken t JOIN account a ON a.id = t.account WHERE a.login = ?1",
                )?;
                let rows = query.query_map([fold(login)], |row| Ok(ObjectId(row.get(0)?)))?;
                Ok(rows.collect::<Result<Vec<_>, _>>()?)
            })?);
        }
        Ok(emails)
    }
}

fn taken_row(row: &Row) -> Result<TakenCopy, ReadError> {
    Ok(TakenCopy {
        login: Login::new(&row.get::<_, String>(0)?).ok_or(ReadError::Damaged)?,
        mailbox: MailboxId(row.get(1)?),
        name: MailboxName::new(&row.get::<_, String>(2)?).map_err(|_| ReadError::Damaged)?,
        uid: row.get(3)?,
        flags: flags(row, 4)?,
        internal_date: InternalDate { seconds: row.get(6)?, offset_minutes: row.get(7)? },
        saved_s: row.get(8)?,
        email: ObjectId(row.get(9)?),
        thread: row.get::<_, Option<i64>>(10)?.map(ObjectId),
    })
}

/// The columns `flags` and, after it, `kw`.
fn flags(row: &Row, at: usize) -> Result<Flags, ReadError> {
    let words: Option<String> = row.get(at + 1)?;
    let keywords = words.iter().flat_map(|words| words.split(' ')).filter_map(Keyword::new).collect();
    Ok(Flags { system: SystemFlags::from_bits(row.get(at)?), keywords })
}

/// The bodies these deliveries brought. An index of an earlier format does not name them: there each is looked for.
fn bodies_of(tx: &Transaction, wanted: &BTreeSet<DeliveryId>) -> Result<Bodies, ReadError> {
    let (mut bodies, mut unnamed) = (Bodies::new(), BTreeSet::new());
    for delivery in wanted {
        let row: Option<(Option<i64>, Option<i64>)> = tx
            .prepare_cached("SELECT blob, length(got) FROM delivery WHERE id = ?1")?
            .query_row([&delivery[..]], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match row {
            Some((Some(blob), _)) => drop(bodies.insert(blob, *delivery)),
            Some((None, Some(octets))) if octets > 0 => drop(unnamed.insert(*delivery)),
            Some(_) | None => {}
        }
    }
    if !unnamed.is_empty() {
        let mut query = tx.prepare_cached("SELECT id, delivery FROM blob WHERE refs > 0")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let delivery: DeliveryId = row.get(1)?;
            if unnamed.contains(&delivery) {
                bodies.insert(row.get(0)?, delivery);
            }
        }
    }
    Ok(bodies)
}

/// Bodies that are the same under another row: they came from another shard by COPY or MOVE, or were put back.
fn same_here(tx: &Transaction, emails: &BTreeMap<i64, DeliveryId>) -> Result<Bodies, ReadError> {
    let mut query = tx.prepare_cached("SELECT id FROM blob WHERE email = ?1 AND email IS NOT NULL AND refs > 0")?;
    let mut found = Bodies::new();
    for (email, delivery) in emails {
        let mut rows = query.query([email])?;
        while let Some(row) = rows.next()? {
            found.insert(row.get(0)?, *delivery);
        }
    }
    Ok(found)
}

fn copies_in(tx: &Transaction, wanted: &BTreeSet<DeliveryId>, bodies: &Bodies) -> Result<Vec<CopyOf>, ReadError> {
    let mut keys: BTreeMap<i64, DeliveryId> = BTreeMap::new();
    let mut references = 0;
    for blob in bodies.keys() {
        let refs: Option<i64> =
            tx.prepare_cached("SELECT refs FROM blob WHERE id = ?1")?.query_row([blob], |row| row.get(0)).optional()?;
        references += refs.unwrap_or(0);
    }
    let mut accounts = BTreeSet::new();
    let mut unknown = false;
    for delivery in wanted {
        for key in placed_keys(tx, delivery)? {
            let blob: Option<i64> = tx
                .prepare_cached("SELECT blob FROM msg WHERE id = ?1")?
                .query_row([key], |row| row.get(0))
                .optional()?;
            let account: Option<i64> = tx
                .prepare_cached("SELECT account FROM mailbox WHERE id = ?1 >> 32")?
                .query_row([key], |row| row.get(0))
                .optional()?;
            match (blob.and_then(|blob| bodies.get(&blob)), account) {
                (Some(delivery), _) => drop(keys.insert(key, *delivery)),
                (None, Some(account)) => drop(accounts.insert(account)),
                (None, None) => unknown = true,
            }
        }
    }
    // Others that point at the bodies are copies somewhere else, or in the spool, which has bodies of its own as a rule.
    if (keys.len() as i64) < references && !unknown && accounts.len() <= ACCOUNTS_SEARCHED {
        for account in accounts {
            let mailboxes: Vec<u32> = tx
                .prepare_cached("SELECT id FROM mailbox WHERE account = ?1")?
                .query_map([account], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            for mailbox in mailboxes {
                look(tx, (message_key(mailbox, 0), message_key(mailbox, u32::MAX)), bodies, &mut keys)?;
            }
        }
    }
    if (keys.len() as i64) < references {
        look(tx, (0, i64::MAX), bodies, &mut keys)?;
    }
    keys.into_iter().filter_map(|(key, delivery)| copy(tx, key, delivery).transpose()).collect()
}

/// Where a delivery put its copies in this shard.
fn placed_keys(tx: &Transaction, delivery: &DeliveryId) -> Result<Vec<i64>, ReadError> {
    let got: Option<Option<Vec<u8>>> = tx
        .prepare_cached("SELECT got FROM delivery WHERE id = ?1")?
        .query_row([&delivery[..]], |row| row.get(0))
        .optional()?;
    let got = got.flatten().unwrap_or_default();
    Ok(got.chunks_exact(8).map(super::records::placed).map(|(mailbox, uid)| message_key(mailbox.0, uid)).collect())
}

fn look(
    tx: &Transaction,
    (first, last): (i64, i64),
    bodies: &Bodies,
    keys: &mut BTreeMap<i64, DeliveryId>,
) -> Result<(), ReadError> {
    let mut query = tx.prepare_cached("SELECT id, blob FROM msg WHERE id BETWEEN ?1 AND ?2")?;
    let mut rows = query.query((first, last))?;
    while let Some(row) = rows.next()? {
        if let Some(delivery) = bodies.get(&row.get::<_, i64>(1)?) {
            keys.insert(row.get(0)?, *delivery);
        }
    }
    Ok(())
}

fn copy(tx: &Transaction, key: i64, delivery: DeliveryId) -> Result<Option<CopyOf>, ReadError> {
    let mut query = tx.prepare_cached(
        "SELECT a.login, box.id, box.name, msg.flags, msg.kw FROM msg JOIN mailbox box ON box.id = msg.id >> 32
         JOIN account a ON a.id = box.account WHERE msg.id = ?1",
    )?;
    let mut rows = query.query([key])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(CopyOf {
        delivery,
        login: Login::new(&row.get::<_, String>(0)?).ok_or(ReadError::Damaged)?,
        mailbox: MailboxId(row.get(1)?),
        name: MailboxName::new(&row.get::<_, String>(2)?).map_err(|_| ReadError::Damaged)?,
        uid: uid_of(key),
        flags: flags(row, 3)?,
    }))
}
