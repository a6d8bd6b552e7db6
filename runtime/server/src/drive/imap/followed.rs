//! NOTIFY (RFC 5465): every mailbox of the account is watched.

use std::collections::HashMap;
use std::sync::Arc;

use mail::{Login, MailboxName};
use proto::imap::{Answer, Trouble};
use store::{MailboxId, Store, Watcher};
use tokio::sync::Notify;

use super::Imap;

/// Mailboxes one session may follow; an account has at most twice as many.
const FOLLOWED_MAX: usize = 1_000;

/// Watchers by mailbox.
#[derive(Default)]
pub struct Followed {
    of: HashMap<MailboxId, Watcher>,
}

impl Followed {
    /// What happens from now on is heard again. Called before the mailboxes are read.
    pub fn heard(&self) {
        self.of.values().for_each(|watcher| {
            watcher.take();
        });
    }

    /// Follows these mailboxes and no others. What happened to a new one between the reading and now is not known, so that
    /// the session is woken to read once more.
    pub fn follow(&mut self, mailboxes: &[MailboxId], store: &Store, changed: &Arc<Notify>) -> Result<(), Trouble> {
        if mailboxes.len() > FOLLOWED_MAX {
            return Err(Trouble::Limit);
        }
        self.of.retain(|mailbox, _| mailboxes.contains(mailbox));
        for mailbox in mailboxes {
            if !self.of.contains_key(mailbox) {
                let waker = changed.clone();
                self.of.insert(*mailbox, store.watch(*mailbox, Box::new(move || waker.notify_one())));
                changed.notify_one();
            }
        }
        Ok(())
    }
}

impl Imap {
    /// Names, subscriptions or METADATA of an account changed, and no mailbox did: its followers hear of it through INBOX.
    pub(super) async fn stir(&mut self, account: Login) {
        // What is done is done: without the news they learn of it with the next ones.
        let inbox = self.look_up(move |store| store.mailbox(&account, &MailboxName::inbox())).await;
        if let Ok(Some(inbox)) = inbox {
            self.service.store.wake_watchers(inbox.id);
        }
    }

    pub(super) fn watch(&mut self, on: bool) -> Answer {
        self.followed = on.then(Followed::default);
        Answer::Done
    }
}
