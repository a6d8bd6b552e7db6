//! COPY (RFC 9051 6.4.7) and MOVE (RFC 6851). A copy shares the body and costs its owner the full size.

use mail::SystemFlags;

use super::Stop;
use super::group::Group;
use crate::error::Refusal;
use crate::id::{MailboxId, UidSet};
use crate::op::{Expunged, FlagScope, OpResult};
use crate::schema::{message_key, uid_of};
use crate::summary::Summary;

/// What a copy takes along.
pub(super) struct Original {
    uid: u32,
    flags: SystemFlags,
    pub(super) size_octets: u64,
    blob: i64,
}

impl Group<'_> {
    pub(super) fn copy(
        &mut self,
        from: MailboxId,
        uids: &UidSet,
        to: MailboxId,
        flags: FlagScope,
    ) -> Result<OpResult, Stop> {
        let owner = self.tallies.mailbox(self.db, from.0)?.account;
        let account = self.tallies.mailbox(self.db, to.0)?.account;
        let originals = self.originals(from, uids)?;
        self.room(to.0, originals.len() as u32)?;
        if !originals.is_empty() {
            self.within_quota(account, originals.iter().map(|original| original.size_octets).sum(), 0)?;
        }
        self.copy_rows(from, &originals, (to, flags), owner == account)
    }

    /// One step: nobody sees a message in both mailboxes or in none.
    pub(super) fn move_messages(
        &mut self,
        from: MailboxId,
        uids: &UidSet,
        to: MailboxId,
        flags: FlagScope,
    ) -> Result<OpResult, Stop> {
        let owner = self.tallies.mailbox(self.db, from.0)?.account;
        let account = self.tallies.mailbox(self.db, to.0)?.account;
        let originals = self.originals(from, uids)?;
        self.room(to.0, originals.len() as u32)?;
        if account != owner && !originals.is_empty() {
            self.within_quota(account, originals.iter().map(|original| original.size_octets).sum(), 0)?;
        }
        let result = self.copy_rows(from, &originals, (to, flags), owner == account)?;
        self.expunge(from, &Expunged::Exactly(originals.iter().map(|original| original.uid).collect()))?;
        Ok(result)
    }

    pub(super) fn originals(&mut self, from: MailboxId, uids: &UidSet) -> Result<Vec<Original>, Stop> {
        let mut query =
            self.db.prepare_cached("SELECT id, flags, size, blob FROM msg WHERE id BETWEEN ?1 AND ?2 ORDER BY id")?;
        let mut originals = Vec::new();
        for (first, last) in uids.ranges() {
            let rows = query.query_map((message_key(from.0, *first), message_key(from.0, *last)), |row| {
                Ok(Original {
                    uid: uid_of(row.get(0)?),
                    flags: SystemFlags::from_bits(row.get(1)?),
                    size_octets: row.get::<_, i64>(2)? as u64,
                    blob: row.get(3)?,
                })
            })?;
            for original in rows {
                originals.push(original?);
            }
        }
        if u32::try_from(originals.len()).is_err() {
            return Err(Refusal::TooLarge.into());
        }
        Ok(originals)
    }

    /// A thread belongs to an account: a copy for somebody else joins those of its new owner, as any message that arrives.
    fn copy_rows(
        &mut self,
        from: MailboxId,
        originals: &[Original],
        (to, scope): (MailboxId, FlagScope),
        same_account: bool,
    ) -> Result<OpResult, Stop> {
        let mut tally = self.tallies.mailbox(self.db, to.0)?;
        let uidvalidity = tally.uidvalidity;
        if originals.is_empty() {
            return Ok(OpResult::Copied { uidvalidity, uids: Vec::new() });
        }
        tally.modseq += 1;
        let mut uids = Vec::with_capacity(originals.len());
        for original in originals {
            let (old, new) = (message_key(from.0, original.uid), message_key(to.0, tally.uidnext));
            let flags = scope.system(original.flags);
            let thread = if same_account { None } else { Some(self.thread_of_copy(tally.account, old, new)?) };
            self.db
                .prepare_cached(
                    "INSERT INTO msg(id, modseq, born, flags, kw, size, idate, zone, blob, saved, thread)
                     SELECT ?2, ?3, ?3, ?6, iif(?7, kw, NULL), size, idate, zone, blob, ?4, ifnull(?5, thread)
                     FROM msg WHERE id = ?1",
                )?
                .execute((old, new, tally.modseq as i64, self.now_s, thread, flags.bits(), scope.others))?;
            self.db
                .prepare_cached(
                    "INSERT INTO summary(id, envelope, bodystructure, body, preview, subject, sender, recipient, cc, bcc,
                     message_id, in_reply_to, refs, sent, whole)
                     SELECT ?2, envelope, bodystructure, body, preview, subject, sender, recipient, cc, bcc,
                     message_id, in_reply_to, refs, sent, whole FROM summary WHERE id = ?1",
                )?
                .execute((old, new))?;
            self.add_references(original.blob, 1)?;
            uids.push((original.uid, tally.uidnext));
            tally.uidnext += 1;
            tally.count_in(flags, original.size_octets);
        }
        self.tallies.set(self.db, to.0, tally)?;
        Ok(OpResult::Copied { uidvalidity, uids })
    }

    fn thread_of_copy(&mut self, account: i64, old: i64, new: i64) -> Result<i64, Stop> {
        let mut query = self.db.prepare_cached("SELECT message_id, in_reply_to, refs FROM summary WHERE id = ?1")?;
        let summary = query.query_row([old], |row| {
            let (message_id, in_reply_to, references) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Summary { message_id, in_reply_to, references, ..Summary::default() })
        })?;
        self.thread(account, &summary, new)
    }
}
