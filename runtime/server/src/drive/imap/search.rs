//! Which messages may hold the texts of a SEARCH.

use proto::imap::{Answer, Candidates, MailboxId, Trouble};

use super::Imap;

impl Imap {
    pub(super) async fn candidates(&mut self, mailbox: MailboxId, texts: Vec<String>) -> Result<Answer, Trouble> {
        let id = self.store_id(mailbox)?;
        let found = self.look_up(move |store| Ok(store.search_candidates(id, &texts))).await?;
        let candidates = found.into_iter().map(|each| Candidates { known_to: each.known_to, maybe: each.maybe });
        Ok(Answer::Candidates(candidates.collect()))
    }
}
