//! Messages that were in a mailbox before (restores, other shards), and REPLACE (RFC 8508).

use super::Stop;
use super::deliver::Arrival;
use super::group::Group;
use crate::error::Refusal;
use crate::id::{MailboxId, UidSet};
use crate::op::{Expunged, Import, OpResult, Replace};

impl Group<'_> {
    pub(super) fn import(&mut self, import: &Import) -> Result<OpResult, Stop> {
        let account = self.account(&import.login)?;
        let octets = import.messages.iter().map(|message| message.body.len()).sum();
        let known = self.named(account.id, import.mailbox.as_str())?;
        if let Some(mailbox) = known {
            self.room(mailbox, u32::try_from(import.messages.len()).map_err(|_| Refusal::TooLarge)?)?;
        }
        if import.within_quota {
            self.within_quota(account.id, octets, 0)?;
        }
        let mailbox = match known {
            Some(mailbox) => mailbox,
            None => self.create_with_parents(account.id, &import.mailbox)?,
        };
        let uidvalidity = self.tallies.mailbox(self.db, mailbox)?.uidvalidity;
        let mut uids = Vec::with_capacity(import.messages.len());
        for (n, message) in import.messages.iter().enumerate() {
            let blob = self.hold(&message.body, 1, None)?;
            let arrival = Arrival {
                blob,
                size_octets: message.body.len(),
                flags: &message.flags,
                internal_date: message.internal_date,
                summary: &message.summary,
                before: None,
            };
            uids.push(self.arrive(mailbox, &arrival, u64::from(n == 0))?.1);
        }
        Ok(OpResult::Imported { mailbox: MailboxId(mailbox), uidvalidity, uids })
    }

    pub(super) fn replace(&mut self, replace: &Replace) -> Result<OpResult, Stop> {
        let append = &replace.append;
        let uids: UidSet = [replace.uid].into_iter().collect();
        let old = self.originals(replace.mailbox, &uids)?;
        let [old] = old.as_slice() else { return Err(Refusal::NoSuchMessage.into()) };
        let account = self.account(&append.login)?;
        let mailbox = self.named(account.id, append.mailbox.as_str())?.ok_or(Refusal::NoSuchMailbox)?;
        self.room(mailbox, 1)?;
        let owner = self.tallies.mailbox(self.db, replace.mailbox.0)?.account;
        let less_octets = if owner == account.id { old.size_octets } else { 0 };
        self.within_quota(account.id, append.body.len(), less_octets)?;
        let appended = self.put_in(append, mailbox)?;
        self.expunge(replace.mailbox, &Expunged::Exactly(uids))?;
        Ok(appended)
    }
}
