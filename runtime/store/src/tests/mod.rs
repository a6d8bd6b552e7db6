//! Tests of the store as its callers see it, each in a folder of its own.

mod alike;
mod compact;
mod crash;
mod delivery;
mod directory;
mod follows;
mod full;
mod listing;
mod mailboxes;
mod messages;
mod model;
mod order;
mod putback;
mod records;
mod recovery;
mod restore;
mod rights;
mod search;
mod shards;
mod snapshots;
mod spool;
mod taken;
mod usage;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use mail::mime::SummaryParts;
use mail::{Flags, Login, MailboxName, Person, SpecialUse, SystemFlags};

use crate::{
    BodyRef, DefaultMailbox, Deliver, InternalDate, MailboxId, Op, OpResult, Options, Placed, Store, Summary, Target,
};

/// A data folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        Folder(std::env::temp_dir().join(format!("facteur-store-{}-{n}-{name}", std::process::id())))
    }

    fn open(&self) -> Store {
        Store::open(&self.0, Options::default()).unwrap()
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn login(name: &str) -> Login {
    Login::new(name).unwrap()
}

fn name(text: &str) -> MailboxName {
    MailboxName::new(text).unwrap()
}

fn seen() -> Flags {
    Flags::system(SystemFlags::SEEN)
}

fn deleted() -> Flags {
    Flags::system(SystemFlags::DELETED)
}

fn person(login_name: &str, quota_octets: u64) -> Op {
    let person = Person {
        login: login(login_name),
        first: "Jean".to_owned(),
        last: "Toto".to_owned(),
        address: format!("{login_name}@example.org").parse().unwrap(),
        profile: "standard".to_owned(),
        unit: "physics".to_owned(),
        home: None,
        quota_octets,
    };
    let mailboxes = vec![
        DefaultMailbox { name: name("Indésirables"), special_use: Some(SpecialUse::Junk) },
        DefaultMailbox { name: name("Corbeille"), special_use: Some(SpecialUse::Trash) },
    ];
    Op::UpsertPerson { person: Box::new(person), verifier: Some("secret".to_owned()), mailboxes, origin: None }
}

/// A store with these people, each with a large quota.
fn store_with(folder: &Folder, people: &[&str]) -> Store {
    let store = folder.open();
    store.commit_wait(people.iter().map(|login| person(login, 1 << 40)).collect()).unwrap();
    store
}

fn id(n: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id[8..].copy_from_slice(&n.to_be_bytes());
    id
}

fn deliver(n: u64, recipients: &[(&str, Target)], body: &BodyRef) -> Op {
    Op::Deliver(Box::new(Deliver {
        delivery_id: id(n),
        recipients: recipients.iter().map(|(to, target)| (login(to), target.clone())).collect(),
        body: body.clone(),
        summary: Summary {
            subject: format!("number {n}"),
            message_id: format!("<{n}@example.org>"),
            whole: SummaryParts::SUBJECT.with(SummaryParts::TO),
            ..Summary::default()
        },
        internal_date: InternalDate { seconds: 1_700_000_000, offset_minutes: 60 },
        flags: Flags::default(),
        marks: Vec::new(),
    }))
}

/// Delivers `text` to the INBOX of `to`.
fn put(store: &Store, n: u64, to: &str, text: &str) -> Placed {
    let body = store.put_body(&[text.as_bytes()]).unwrap();
    let results = store.commit_wait(vec![deliver(n, &[(to, Target::Inbox)], &body)]).unwrap();
    placed(&results[0])[0].clone()
}

fn placed(result: &OpResult) -> &[Placed] {
    let OpResult::Delivered { placed, .. } = result else { panic!("not a delivery: {result:?}") };
    placed
}

fn inbox(store: &Store, of: &str) -> MailboxId {
    store.mailbox(&login(of), &MailboxName::inbox()).unwrap().unwrap().id
}

fn uids(store: &Store, of: &str, mailbox: &str) -> Vec<u32> {
    store.select(&login(of), &name(mailbox)).unwrap().unwrap().messages.iter().map(|m| m.uid).collect()
}

fn body_text(store: &Store, mailbox: MailboxId, uid: u32) -> String {
    let body = store.body_of(mailbox, uid).unwrap().unwrap();
    String::from_utf8(store.read_body(&body).unwrap()).unwrap()
}

/// Octets and messages an account holds.
fn used(store: &Store, of: &str) -> (u64, u64) {
    let usage = store.usage(&login(of)).unwrap();
    (usage.used_octets, usage.messages)
}

/// Sums, references and checksums are what a recount says.
fn assert_sound(store: &Store) {
    assert_eq!(store.verify().unwrap().findings, []);
}
