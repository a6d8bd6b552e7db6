//! Which messages may hold the texts of a SEARCH, and what SORT and THREAD order them by.

use mail::order::KeyParts;
use proto::imap::{Answer, Candidates, MailboxId, Trouble};

use super::Imap;

impl Imap {
    pub(super) async fn candidates(&mut self, mailbox: MailboxId, texts: Vec<String>) -> Result<Answer, Trouble> {
        let id = self.store_id(mailbox)?;
        let found = self.look_up(move |store| Ok(store.search_candidates(id, &texts))).await?;
        let candidates = found.into_iter().map(|each| Candidates { known_to: each.known_to, maybe: each.maybe });
        Ok(Answer::Candidates(candidates.collect()))
    }
    pub(super) async fn keys(
        &mut self,
        mailbox: MailboxId,
        uids: Vec<u32>,
        parts: KeyParts,
    ) -> Result<Answer, Trouble> {
        let id = self.store_id(mailbox)?;
        self.look_up(move |store| store.order_keys(id, &uids, parts)).await.map(Answer::Keys)
    }
}
