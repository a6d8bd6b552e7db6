//! Messages that are taken out of mailboxes, and the way back. What each was stands in a row of the same commit that expunges
//! it, and goes in the commit that brings it back: whenever the process ends, a message is in its mailbox or on the list.

use mail::{Flags, Keyword, Login, SystemFlags};
use rusqlite::OptionalExtension;

use super::Stop;
use super::deliver::{Arrival, Before};
use super::group::Group;
use crate::error::Refusal;
use crate::id::{InternalDate, MailboxId, ObjectId, QueueId, SHARDS_MAX};
use crate::op::{Expunged, OpResult, Placed, PutBackTaken, TakeOut};
use crate::schema::message_key;

/// A row of `taken`.
struct Absent {
    mailbox: u32,
    uid: u32,
    account: i64,
    name: String,
    flags: Flags,
    internal_date: InternalDate,
    before: Before,
    email: i64,
}

impl Group<'_> {
    pub(super) fn take_out(&mut self, take: &TakeOut) -> Result<OpResult, Stop> {
        let mut taken = Vec::with_capacity(take.messages.len());
        for (mailbox, uids) in &take.messages {
            let there: bool = self
                .db
                .prepare_cached("SELECT EXISTS(SELECT 1 FROM mailbox WHERE id = ?1)")?
                .query_row([mailbox.0], |row| row.get(0))?;
            if !there {
                continue;
            }
            for (first, last) in uids.ranges() {
                self.db
                    .prepare_cached(
                        "INSERT INTO taken(item, mailbox, uid, account, name, flags, kw, idate, zone, saved, thread, email)
                         SELECT ?1, ?2, msg.id & 0xffffffff, box.account, box.name, msg.flags, msg.kw, msg.idate, msg.zone,
                         msg.saved, msg.thread, ifnull(b.email, b.id * ?5 + ?6)
                         FROM msg JOIN mailbox box ON box.id = ?2 JOIN blob b ON b.id = msg.blob
                         WHERE msg.id BETWEEN ?3 AND ?4",
                    )?
                    .execute((
                        &take.item.0[..],
                        mailbox.0,
                        message_key(mailbox.0, *first),
                        message_key(mailbox.0, *last),
                        SHARDS_MAX,
                        self.shard,
                    ))?;
            }
            if let OpResult::Expunged { uids, .. } = self.expunge(*mailbox, &Expunged::Exactly(uids.clone()))?
                && !uids.is_empty()
            {
                taken.push((*mailbox, uids));
            }
        }
        Ok(OpResult::Taken(taken))
    }

    pub(super) fn put_back_taken(&mut self, back: &PutBackTaken) -> Result<OpResult, Stop> {
        let absent = self.absent(back.item, back.limit)?;
        let mut targets = Vec::with_capacity(absent.len());
        for message in &absent {
            let target = self.place_of(message)?;
            self.room(target.1, 1)?;
            targets.push(target);
        }
        let mut placed = Vec::with_capacity(absent.len());
        for (message, (login, mailbox)) in absent.iter().zip(targets) {
            let blob = self.hold(&back.body.named(ObjectId(message.email)), 1, None)?;
            // What was written is part of the store now, under whatever name.
            self.taken.push((back.body.clone(), blob));
            let arrival = Arrival {
                blob,
                size_octets: back.body.len(),
                flags: &message.flags,
                internal_date: message.internal_date,
                summary: &back.summary,
                before: Some(message.before),
            };
            let (uidvalidity, uid) = self.arrive(mailbox, &arrival, 1)?;
            self.db.prepare_cached("DELETE FROM taken WHERE item = ?1 AND mailbox = ?2 AND uid = ?3")?.execute((
                &back.item.0[..],
                message.mailbox,
                message.uid,
            ))?;
            placed.push(Placed { login, mailbox: MailboxId(mailbox), uidvalidity, uid });
        }
        Ok(OpResult::Delivered { duplicate: false, placed })
    }

    pub(super) fn forget_taken(&mut self, item: QueueId) -> Result<OpResult, Stop> {
        let rows = self.db.prepare_cached("DELETE FROM taken WHERE item = ?1")?.execute([&item.0[..]])?;
        Ok(OpResult::Trimmed(rows as u64))
    }

    fn absent(&mut self, item: QueueId, limit: u32) -> Result<Vec<Absent>, Stop> {
        let mut query = self.db.prepare_cached(
            "SELECT mailbox, uid, account, name, flags, kw, idate, zone, saved, thread, email FROM taken
             WHERE item = ?1 ORDER BY mailbox, uid LIMIT ?2",
        )?;
        let rows = query.query_map((&item.0[..], limit), |row| {
            let words: Option<String> = row.get(5)?;
            Ok(Absent {
                mailbox: row.get(0)?,
                uid: row.get(1)?,
                account: row.get(2)?,
                name: row.get(3)?,
                flags: Flags {
                    system: SystemFlags::from_bits(row.get(4)?),
                    keywords: words.iter().flat_map(|words| words.split(' ')).filter_map(Keyword::new).collect(),
                },
                internal_date: InternalDate { seconds: row.get(6)?, offset_minutes: row.get(7)? },
                before: Before { saved_s: row.get(8)?, thread: row.get(9)? },
                email: row.get(10)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The mailbox it was in, else the one of that name, else INBOX.
    fn place_of(&mut self, message: &Absent) -> Result<(Login, u32), Stop> {
        let login: Option<String> = self
            .db
            .prepare_cached("SELECT login FROM account WHERE id = ?1")?
            .query_row([message.account], |row| row.get(0))
            .optional()?;
        let login = login.as_deref().and_then(Login::new).ok_or(Refusal::NoSuchMailbox)?;
        let account = self.account(&login)?;
        let same: bool = self
            .db
            .prepare_cached("SELECT EXISTS(SELECT 1 FROM mailbox WHERE id = ?1 AND account = ?2)")?
            .query_row((message.mailbox, message.account), |row| row.get(0))?;
        if same {
            return Ok((login, message.mailbox));
        }
        Ok((login, self.named(message.account, &message.name)?.unwrap_or(account.inbox)))
    }
}
