//! The handlers on a store of their own, without socket.

mod archive;
mod backup;
mod bundle;
mod control;
mod hostile;
mod lists;
mod people;
mod spam;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use mail::{Flags, Keyword, Login, MailboxName, Person, SystemFlags};
use store::{Append, InternalDate, MailboxInfo, Op, Options, Store};

use super::{Context, Export, Exported, Import, Imported, Layout, OperateError, Operation, Who};

/// A store with the people `one` and `two`, in a folder that goes with it.
struct House {
    folder: PathBuf,
    context: Context,
}

/// Content, flags and INTERNALDATE of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mail {
    octets: Vec<u8>,
    flags: Flags,
    seconds: i64,
}

impl House {
    fn new() -> House {
        let name =
            format!("facteur-operate-{}-{:016x}", std::process::id(), u64::from_le_bytes(crate::random::octets()));
        let folder = std::env::temp_dir().join(name);
        let data = folder.join("data");
        let store = Arc::new(Store::open(&data, Options::default()).unwrap());
        for login in ["one", "two"] {
            let person = Person {
                login: Login::new(login).unwrap(),
                first: String::new(),
                last: String::new(),
                address: format!("{login}@example.org").parse().unwrap(),
                profile: String::new(),
                unit: String::new(),
                home: None,
                quota_octets: 1 << 30,
            };
            let op = Op::UpsertPerson { person: Box::new(person), verifier: None, mailboxes: Vec::new(), origin: None };
            store.commit_wait(vec![op]).unwrap();
        }
        let context = Context {
            snapshots: data.join(super::SNAPSHOTS),
            store,
            data,
            backup: None,
            retention: None,
            live: None,
            who: Who::this_process(),
            server: None,
            served: false,
            stop: Arc::new(AtomicBool::new(false)),
        };
        House { folder, context }
    }

    fn place(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn store(&self) -> &Store {
        &self.context.store
    }

    fn run<O: Operation>(&self, request: O) -> Result<O::Response, OperateError> {
        request.perform(&self.context, &mut |_| {})
    }

    fn create(&self, login: &str, mailbox: &str) {
        let (login, name) = (Login::new(login).unwrap(), MailboxName::new(mailbox).unwrap());
        if self.store().mailbox(&login, &name).unwrap().is_none() {
            self.store().commit_wait(vec![Op::CreateMailbox { login, name, special_use: None }]).unwrap();
        }
    }

    fn append(&self, login: &str, mailbox: &str, mail: &Mail) {
        self.create(login, mailbox);
        let append = Append {
            login: Login::new(login).unwrap(),
            mailbox: MailboxName::new(mailbox).unwrap(),
            body: self.store().put_body(&[&mail.octets]).unwrap(),
            summary: crate::drive::summary(&mail.octets),
            flags: mail.flags.clone(),
            internal_date: InternalDate { seconds: mail.seconds, offset_minutes: 0 },
        };
        self.store().commit_wait(vec![Op::Append(Box::new(append))]).unwrap();
    }

    fn quota(&self, login: &str, quota_octets: u64) {
        let mut person = self.store().person(&Login::new(login).unwrap()).unwrap().unwrap().person;
        person.quota_octets = quota_octets;
        let op = Op::UpsertPerson { person: Box::new(person), verifier: None, mailboxes: Vec::new(), origin: None };
        self.store().commit_wait(vec![op]).unwrap();
    }

    fn mailboxes(&self, login: &str) -> Vec<MailboxInfo> {
        self.store().mailboxes(&Login::new(login).unwrap()).unwrap()
    }

    /// The messages of a mailbox in order of UID.
    fn mails(&self, login: &str, mailbox: &str) -> Vec<Mail> {
        let selected = self.store().select(&Login::new(login).unwrap(), &MailboxName::new(mailbox).unwrap()).unwrap();
        let Some(selected) = selected else { return Vec::new() };
        let mail = |row: store::MessageRow| {
            let body = self.store().body_of(selected.mailbox.id, row.uid).unwrap().unwrap();
            let octets = self.store().read_body(&body).unwrap();
            Mail { octets, flags: row.flags, seconds: row.internal_date.seconds }
        };
        selected.messages.into_iter().map(mail).collect()
    }

    fn export(&self, login: &str, mailbox: Option<&str>, to: &Path, layout: Layout) -> Result<Exported, OperateError> {
        self.run(Export { login: login.to_owned(), mailbox: mailbox.map(str::to_owned), to: to.to_owned(), layout })
    }

    fn import(&self, login: &str, mailbox: Option<&str>, from: &Path) -> Result<Imported, OperateError> {
        self.run(Import {
            login: login.to_owned(),
            mailbox: mailbox.map(str::to_owned),
            from: from.to_owned(),
            layout: None,
        })
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn mail(octets: &[u8]) -> Mail {
    Mail { octets: octets.to_vec(), flags: Flags::default(), seconds: 837_596_665 }
}

fn flags(bits: u8, words: &[&str]) -> Flags {
    Flags {
        system: SystemFlags::from_bits(bits),
        keywords: words.iter().filter_map(|word| Keyword::new(word)).collect(),
    }
}
