//! Mail into mailboxes: delivery after acceptance, and APPEND (RFC 9051 6.3.12).

use mail::{Flags, Login, SpecialUse, SystemFlags};
use rusqlite::OptionalExtension;

use super::Stop;
use super::group::Group;
use super::tally::Account;
use crate::error::Refusal;
use crate::id::{InternalDate, MailboxId};
use crate::op::{Append, Deliver, OpResult, Placed, Target};
use crate::read::{fold, special_number};
use crate::schema::message_key;
use crate::summary::Summary;

/// A new message, apart from where it goes.
pub(super) struct Arrival<'a> {
    pub(super) blob: i64,
    pub(super) size_octets: u64,
    pub(super) flags: &'a Flags,
    pub(super) internal_date: InternalDate,
    pub(super) summary: &'a Summary,
    /// What a message that was here before had.
    pub(super) before: Option<Before>,
}

/// Of a message that comes back: when it was saved, and its thread.
#[derive(Clone, Copy)]
pub(super) struct Before {
    pub(super) saved_s: i64,
    pub(super) thread: Option<i64>,
}

impl Group<'_> {
    pub(super) fn deliver(&mut self, deliver: &Deliver) -> Result<OpResult, Stop> {
        let mut targets: Vec<(&Login, u32)> = Vec::with_capacity(deliver.recipients.len());
        for (login, target) in &deliver.recipients {
            let mailbox = self.target(login, target)?;
            if !targets.iter().any(|(_, other)| *other == mailbox) {
                self.room(mailbox, 1)?;
                targets.push((login, mailbox));
            }
        }
        let known: bool = self
            .db
            .prepare_cached("SELECT EXISTS(SELECT 1 FROM delivery WHERE id = ?1)")?
            .query_row([&deliver.delivery_id[..]], |row| row.get(0))?;
        if known {
            return Ok(OpResult::Delivered { duplicate: true, placed: Vec::new() });
        }
        if targets.is_empty() {
            self.index_delivery(deliver, None, &[])?;
            return Ok(OpResult::Delivered { duplicate: false, placed: Vec::new() });
        }
        let blob = self.hold(&deliver.body, targets.len(), Some(deliver.delivery_id))?;
        let arrival = Arrival {
            blob,
            size_octets: deliver.body.len(),
            flags: &deliver.flags,
            internal_date: deliver.internal_date,
            summary: &deliver.summary,
            before: None,
        };
        let mut placed = Vec::with_capacity(targets.len());
        let mut got = Vec::with_capacity(targets.len() * 8);
        for (login, mailbox) in targets {
            let (uidvalidity, uid) = self.arrive(mailbox, &arrival, 1)?;
            got.extend_from_slice(&mailbox.to_le_bytes());
            got.extend_from_slice(&uid.to_le_bytes());
            placed.push(Placed { login: login.clone(), mailbox: MailboxId(mailbox), uidvalidity, uid });
        }
        self.index_delivery(deliver, Some(blob), &got)?;
        self.delivered += placed.len() as u64;
        Ok(OpResult::Delivered { duplicate: false, placed })
    }

    /// What went where, for recall and `why`: 8 octets for each mailbox, its number and the UID; 8 for each mark.
    fn index_delivery(&mut self, deliver: &Deliver, blob: Option<i64>, got: &[u8]) -> Result<(), Stop> {
        let message_id = &deliver.summary.message_id;
        let marks: Vec<u8> = deliver.marks.iter().flat_map(|mark| mark.to_le_bytes()).collect();
        self.db
            .prepare_cached(
                "INSERT INTO delivery(id, message_id, hash, got, blob, marks) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                &deliver.delivery_id[..],
                if message_id.is_empty() { None } else { Some(message_id) },
                deliver.body.0.hash.as_ref().map(|hash| &hash[..]),
                got,
                blob,
                if marks.is_empty() { None } else { Some(marks) },
            ))?;
        Ok(())
    }

    pub(super) fn append(&mut self, append: &Append) -> Result<OpResult, Stop> {
        let account = self.account(&append.login)?;
        let mailbox = self.named(account.id, append.mailbox.as_str())?.ok_or(Refusal::NoSuchMailbox)?;
        self.room(mailbox, 1)?;
        self.within_quota(account.id, append.body.len(), 0)?;
        self.put_in(append, mailbox)
    }

    /// The message itself, once it may come.
    pub(super) fn put_in(&mut self, append: &Append, mailbox: u32) -> Result<OpResult, Stop> {
        let blob = self.hold(&append.body, 1, None)?;
        let arrival = Arrival {
            blob,
            size_octets: append.body.len(),
            flags: &append.flags,
            internal_date: append.internal_date,
            summary: &append.summary,
            before: None,
        };
        let (uidvalidity, uid) = self.arrive(mailbox, &arrival, 1)?;
        Ok(OpResult::Appended { mailbox: MailboxId(mailbox), uidvalidity, uid })
    }

    pub(super) fn account(&mut self, login: &Login) -> Result<Account, Stop> {
        let account = self.tallies.account(self.db, &fold(login))?;
        account.ok_or_else(|| Refusal::NoSuchLogin(login.clone()).into())
    }

    /// The mailbox of this name, by account.
    pub(super) fn named(&mut self, account: i64, name: &str) -> Result<Option<u32>, Stop> {
        let mut query = self.db.prepare_cached("SELECT id FROM mailbox WHERE account = ?1 AND name = ?2")?;
        Ok(query.query_row((account, name), |row| row.get(0)).optional()?)
    }

    pub(super) fn special(&mut self, account: i64, special_use: SpecialUse) -> Result<Option<u32>, Stop> {
        let mut query = self.db.prepare_cached("SELECT id FROM mailbox WHERE account = ?1 AND special = ?2")?;
        Ok(query.query_row((account, special_number(special_use)), |row| row.get(0)).optional()?)
    }

    /// Where accepted mail goes: INBOX when the mailbox it was meant for is gone.
    fn target(&mut self, login: &Login, target: &Target) -> Result<u32, Stop> {
        let account = self.account(login)?;
        let wanted = match target {
            Target::Inbox => None,
            Target::Mailbox(name) => self.named(account.id, name.as_str())?,
            Target::Special(special_use) => self.special(account.id, *special_use)?,
        };
        Ok(wanted.unwrap_or(account.inbox))
    }

    /// UIDs are 32 bits wide and never given twice (RFC 9051 2.3.1.1).
    pub(super) fn room(&mut self, mailbox: u32, messages: u32) -> Result<(), Stop> {
        let tally = self.tallies.mailbox(self.db, mailbox)?;
        match tally.uidnext.checked_add(messages) {
            Some(next) if next < u32::MAX => Ok(()),
            _ => Err(Refusal::TooLarge.into()),
        }
    }

    /// RFC 9208: exact, as of this very op. `less_octets` leave in the same op.
    pub(super) fn within_quota(&mut self, account: i64, more_octets: u64, less_octets: u64) -> Result<(), Stop> {
        let usage = self.tallies.usage(self.db, account)?;
        let (used_octets, quota_octets) = (usage.used_octets.saturating_sub(less_octets), usage.quota_octets);
        if used_octets.saturating_add(more_octets) > quota_octets {
            return Err(Refusal::OverQuota { used_octets: usage.used_octets, quota_octets }.into());
        }
        Ok(())
    }

    /// The owner hears of a level once while the account stays above it.
    pub(super) fn warned(&mut self, login: &Login, fill_permille: u32) -> Result<OpResult, Stop> {
        let account = self.account(login)?;
        let mut usage = self.tallies.usage(self.db, account.id)?;
        if usage.warned_permille >= fill_permille || usage.fill_permille() < fill_permille {
            return Err(Refusal::AlreadyWarned.into());
        }
        usage.warned_permille = fill_permille;
        self.tallies.set_usage(account.id, usage);
        Ok(OpResult::Done)
    }

    /// The row, its summary and the counters. Gives UIDVALIDITY and UID. `step` is 1, and 0 for a message that shares the
    /// MODSEQ of the one before it.
    // INVARIANT (uid-forward): both numbers come from the tally and are in its row by the end of the group.
    pub(super) fn arrive(&mut self, mailbox: u32, arrival: &Arrival, step: u64) -> Result<(u32, u32), Stop> {
        let mut tally = self.tallies.mailbox(self.db, mailbox)?;
        let uid = tally.uidnext;
        tally.uidnext += 1;
        tally.modseq += step;
        tally.count_in(arrival.flags.system, arrival.size_octets);
        let key = message_key(mailbox, uid);
        let thread = self.thread(tally.account, arrival.summary, key)?;
        let (saved_s, thread) = match arrival.before {
            Some(before) => (before.saved_s, before.thread.unwrap_or(thread)),
            None => (self.now_s, thread),
        };
        self.db
            .prepare_cached(
                "INSERT INTO msg(id, modseq, born, flags, kw, size, idate, zone, blob, saved, thread)
                 VALUES(?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute((
                key,
                tally.modseq as i64,
                arrival.flags.system.bits(),
                keywords(arrival.flags),
                arrival.size_octets as i64,
                arrival.internal_date.seconds,
                arrival.internal_date.offset_minutes,
                arrival.blob,
                saved_s,
                thread,
            ))?;
        self.summarize(key, arrival.summary)?;
        self.tallies.set(self.db, mailbox, tally)?;
        Ok((tally.uidvalidity, uid))
    }

    fn summarize(&mut self, key: i64, summary: &Summary) -> Result<(), Stop> {
        self.db
            .prepare_cached(
                "INSERT INTO summary(id, envelope, bodystructure, body, preview, subject, sender, recipient, cc, bcc,
                 message_id, in_reply_to, refs, sent, whole)
                 VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            )?
            .execute((
                key,
                &summary.envelope_imap,
                &summary.bodystructure_imap,
                &summary.body_imap,
                &summary.preview,
                &summary.subject,
                &summary.from,
                &summary.to,
                &summary.cc,
                &summary.bcc,
                &summary.message_id,
                &summary.in_reply_to,
                &summary.references,
                summary.sent_date,
                summary.whole.bits(),
            ))?;
        Ok(())
    }
}

/// Keywords as their column holds them; nothing when there are none.
pub(super) fn keywords(flags: &Flags) -> Option<String> {
    let words: Vec<&str> = flags.keywords.iter().map(|keyword| keyword.as_str()).collect();
    if words.is_empty() { None } else { Some(words.join(" ")) }
}

impl super::tally::Tally {
    pub(super) fn count_in(&mut self, flags: SystemFlags, size_octets: u64) {
        self.messages += 1;
        self.unseen += u32::from(!flags.contains(SystemFlags::SEEN));
        self.deleted += u32::from(flags.contains(SystemFlags::DELETED));
        self.octets += size_octets;
    }

    pub(super) fn count_out(&mut self, flags: SystemFlags, size_octets: u64) {
        self.messages = self.messages.saturating_sub(1);
        self.unseen = self.unseen.saturating_sub(u32::from(!flags.contains(SystemFlags::SEEN)));
        self.deleted = self.deleted.saturating_sub(u32::from(flags.contains(SystemFlags::DELETED)));
        self.octets = self.octets.saturating_sub(size_octets);
    }
}
