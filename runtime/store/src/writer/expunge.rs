//! EXPUNGE (RFC 9051 6.4.3) and UID EXPUNGE (6.4.9). What went is remembered for QRESYNC (RFC 7162 3.2.7).

use mail::SystemFlags;

use super::Stop;
use super::group::Group;
use crate::id::{MailboxId, UidSet};
use crate::op::{Expunged, OpResult};
use crate::schema::{message_key, uid_of};

impl Group<'_> {
    pub(super) fn expunge(&mut self, mailbox: MailboxId, which: &Expunged) -> Result<OpResult, Stop> {
        let mut tally = self.tallies.mailbox(self.db, mailbox.0)?;
        let all = UidSet::all();
        let (uids, needs_deleted) = match which {
            Expunged::Deleted => (&all, true),
            Expunged::DeletedAmong(uids) => (uids, true),
            Expunged::Exactly(uids) => (uids, false),
        };
        // A mailbox without deleted messages is the usual case, and a scan of a large one is not.
        let nothing = needs_deleted && tally.deleted == 0;
        let going = if nothing { Vec::new() } else { self.going(mailbox, uids, needs_deleted)? };
        if going.is_empty() {
            return Ok(OpResult::Expunged { uids: Vec::new(), modseq: tally.modseq });
        }
        tally.modseq += 1;
        let mut gone = Vec::with_capacity(going.len());
        for (key, flags, size_octets, blob) in going {
            self.db.prepare_cached("DELETE FROM msg WHERE id = ?1")?.execute([key])?;
            self.db.prepare_cached("DELETE FROM summary WHERE id = ?1")?.execute([key])?;
            self.db.prepare_cached("INSERT INTO vanished(mailbox, modseq, uid) VALUES(?1, ?2, ?3)")?.execute((
                mailbox.0,
                tally.modseq as i64,
                uid_of(key),
            ))?;
            self.drop_reference(blob)?;
            tally.count_out(flags, size_octets);
            gone.push(uid_of(key));
        }
        self.tallies.set(self.db, mailbox.0, tally)?;
        Ok(OpResult::Expunged { uids: gone, modseq: tally.modseq })
    }

    fn going(
        &mut self,
        mailbox: MailboxId,
        uids: &UidSet,
        needs_deleted: bool,
    ) -> Result<Vec<(i64, SystemFlags, u64, i64)>, Stop> {
        let mut query =
            self.db.prepare_cached("SELECT id, flags, size, blob FROM msg WHERE id BETWEEN ?1 AND ?2 ORDER BY id")?;
        let mut going = Vec::new();
        for (first, last) in uids.ranges() {
            let mut rows = query.query((message_key(mailbox.0, *first), message_key(mailbox.0, *last)))?;
            while let Some(row) = rows.next()? {
                let flags = SystemFlags::from_bits(row.get(1)?);
                if !needs_deleted || flags.contains(SystemFlags::DELETED) {
                    going.push((row.get(0)?, flags, row.get::<_, i64>(2)? as u64, row.get(3)?));
                }
            }
        }
        Ok(going)
    }
}
