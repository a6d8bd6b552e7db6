//! The selected mailbox, watched.

use mail::MailboxName;
use mail::index::Index;
use store::{Changes, MailboxId, ReadError, Store, Watcher};

use super::place::Place;

/// A mailbox and whether it changed since it was read last.
pub struct Watched {
    watcher: Watcher,
    stale: bool,
    /// What it was called when it was selected.
    place: Place,
}

impl Watched {
    /// As of now what was read is new.
    pub fn new(watcher: Watcher, place: Place) -> Watched {
        Watched { watcher, stale: false, place }
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    pub fn mailbox(&self) -> MailboxId {
        self.watcher.mailbox()
    }

    /// Must it be read again? The watcher says so only once, and reading may fail: this says so until `was_read`. Called before
    /// reading, so that a change meanwhile is found by the next call.
    pub fn is_stale(&mut self) -> bool {
        self.stale |= self.watcher.take();
        self.stale
    }

    /// Reads what changed behind `since`, and all rows of that moment if they are asked; `None` when the mailbox is gone. An INBOX that was renamed is gone too: its row has
    /// another name and INBOX is another row.
    pub fn changes(
        &self,
        since: u64,
        rows: bool,
    ) -> impl FnOnce(&Store) -> Result<Option<(Changes, Option<Index>)>, ReadError> + use<> {
        let (id, inbox, login) = (self.mailbox(), self.place.name.is_inbox(), self.place.account.clone());
        move |store| {
            if inbox && store.mailbox(&login, &MailboxName::inbox())?.is_none_or(|now| now.id != id) {
                return Ok(None);
            }
            Ok(match rows {
                true => store.listing(id, since)?.map(|listing| (listing.changes, Some(listing.index))),
                false => store.changes_since(id, since)?.map(|changes| (changes, None)),
            })
        }
    }

    pub fn was_read(&mut self) {
        self.stale = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail::{Login, Person};
    use store::{Op, Options};

    #[test]
    fn a_change_is_asked_for_until_it_was_read_and_a_renamed_inbox_is_gone() {
        let folder = std::env::temp_dir().join(format!("facteur-watched-{}", std::process::id()));
        let store = Store::open(&folder, Options::default()).unwrap();
        let login = Login::new("a").unwrap();
        let person = Person {
            login: login.clone(),
            first: "A".to_owned(),
            last: "B".to_owned(),
            address: "a@example.org".parse().unwrap(),
            profile: "standard".to_owned(),
            unit: "physics".to_owned(),
            home: None,
            quota_octets: 1 << 30,
        };
        let person = Op::UpsertPerson { person: Box::new(person), verifier: None, mailboxes: Vec::new(), origin: None };
        store.commit_wait(vec![person]).unwrap();
        let inbox = store.mailbox(&login, &MailboxName::inbox()).unwrap().unwrap().id;
        let mut watched = Watched::new(store.watch(inbox, Box::new(|| ())), Place::own(&login, &MailboxName::inbox()));
        assert!(!watched.is_stale());
        let append = |store: &Store| {
            let body = store.put_body(&[b"a: 1\r\n\r\n"]).unwrap();
            let message = store::Append {
                login: login.clone(),
                mailbox: MailboxName::inbox(),
                body,
                summary: store::Summary::default(),
                flags: mail::Flags::default(),
                internal_date: store::InternalDate::default(),
            };
            store.commit_wait(vec![Op::Append(Box::new(message))]).unwrap();
        };
        append(&store);
        assert!(watched.is_stale());
        assert!(watched.is_stale(), "the read failed");
        watched.was_read();
        assert!(!watched.is_stale());
        append(&store);
        assert!(watched.is_stale());
        watched.was_read();
        assert!(watched.changes(0, true)(&store).unwrap().is_some());
        let other = MailboxName::new("old").unwrap();
        let rename = Op::RenameMailbox { login: login.clone(), from: MailboxName::inbox(), to: other };
        store.commit_wait(vec![rename]).unwrap();
        assert!(watched.is_stale());
        assert!(watched.changes(0, true)(&store).unwrap().is_none(), "INBOX is another mailbox now");
        drop((watched, store));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
