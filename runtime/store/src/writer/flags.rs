//! STORE (RFC 9051 6.4.6) with UNCHANGEDSINCE (RFC 7162 3.1.3).

use mail::{Flags, SystemFlags};

use super::Stop;
use super::deliver::keywords;
use super::group::Group;
use crate::op::{FlagMode, FlagRow, OpResult, SetFlags};
use crate::read::rows_in;
use crate::schema::message_key;

impl Group<'_> {
    /// All messages one op changes get the same MODSEQ; those that stay as they are keep theirs.
    pub(super) fn set_flags(&mut self, set: &SetFlags) -> Result<OpResult, Stop> {
        let mailbox = set.mailbox;
        let mut tally = self.tallies.mailbox(self.db, mailbox.0)?;
        let modseq = tally.modseq + 1;
        let (mut rows, mut modified) = (Vec::new(), Vec::new());
        let mut update = self.db.prepare_cached("UPDATE msg SET flags = ?2, kw = ?3, modseq = ?4 WHERE id = ?1")?;
        for message in rows_in(self.db, mailbox, &set.uids, 0)? {
            let uid = message.uid;
            if set.unchanged_since.is_some_and(|since| message.modseq > since) {
                modified.push(uid);
                continue;
            }
            let flags = combine(&message.flags, set.mode, &set.flags);
            if same(&flags, &message.flags) {
                rows.push(FlagRow { uid, flags, modseq: message.modseq });
                continue;
            }
            update.execute((message_key(mailbox.0, uid), flags.system.bits(), keywords(&flags), modseq as i64))?;
            tally.count_out(message.flags.system, 0);
            tally.count_in(flags.system, 0);
            tally.modseq = modseq;
            rows.push(FlagRow { uid, flags, modseq });
        }
        if tally.modseq == modseq {
            self.tallies.set(self.db, mailbox.0, tally)?;
        }
        Ok(OpResult::Flagged { rows, modified })
    }
}

fn combine(before: &Flags, mode: FlagMode, given: &Flags) -> Flags {
    let flags = match mode {
        FlagMode::Add => before.with(given),
        FlagMode::Remove => before.without(given),
        FlagMode::Replace => given.clone(),
        FlagMode::ReplaceWithin(scope) => scope.outside().among(before).with(&scope.among(given)),
    };
    let keywords = flags.keywords.into_iter().take(mail::flag::KEYWORDS_MAX).collect();
    Flags { system: SystemFlags::from_bits(flags.system.bits()), keywords }
}

/// Keywords compare without case, but a client that changes the case of one wants to see that.
fn same(one: &Flags, other: &Flags) -> bool {
    one == other && one.keywords.iter().zip(&other.keywords).all(|(a, b)| a.as_str() == b.as_str())
}
