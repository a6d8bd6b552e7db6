//! Which messages may hold the texts of a SEARCH, and what SORT and THREAD order them by.

use mail::MailboxName;
use mail::order::KeyParts;
use proto::imap::{Answer, Candidates, MailboxId, Selection, Trouble};
use store::{Listing, Store};

use super::rights::Found;
use super::{Imap, session_id};

impl Imap {
    pub(super) async fn candidates(&mut self, mailbox: MailboxId, texts: Vec<String>) -> Result<Answer, Trouble> {
        let id = self.store_id(mailbox)?;
        let found = self.look_up(move |store| Ok(store.search_candidates(id, &texts))).await?;
        let candidates = found.into_iter().map(|each| Candidates { known_to: each.known_to, maybe: each.maybe });
        Ok(Answer::Candidates(candidates.collect()))
    }

    /// A mailbox that is searched beside the selected one; of others where they let it be read.
    pub(super) async fn open_beside(&mut self, name: MailboxName) -> Result<Answer, Trouble> {
        self.searched = None;
        let place = self.place(&name).await?.ok_or(Trouble::NoSuchMailbox)?;
        let Found { mailbox, rights } = self.find(place).await?.ok_or(Trouble::NoSuchMailbox)?;
        let (id, since) = (mailbox.id, mailbox.highestmodseq);
        let read = move |store: &Store| store.listing(id, since);
        let listing = self.look_up(read).await?.ok_or(Trouble::NoSuchMailbox)?;
        self.searched = Some(mailbox.id);
        let Listing { changes, index } = listing;
        let selection = Selection {
            mailbox: session_id(mailbox.id),
            special_use: mailbox.special_use,
            subscribed: mailbox.subscribed,
            rights,
            uid_validity: mailbox.uidvalidity,
            uid_next: changes.uidnext,
            highest_mod_seq: changes.highestmodseq,
            messages: u32::try_from(index.len()).unwrap_or(u32::MAX),
            keywords: index.keywords(),
            first_unseen: None,
        };
        Ok(Answer::Opened(Box::new((selection, index))))
    }

    pub(super) async fn keys(
        &mut self,
        mailbox: MailboxId,
        uids: Vec<u32>,
        parts: KeyParts,
    ) -> Result<Answer, Trouble> {
        let id = self.store_id(mailbox)?;
        self.look_up(move |store| store.order_keys(id, &uids, parts)).await.map(|keys| Answer::Keys(Box::new(keys)))
    }
}
