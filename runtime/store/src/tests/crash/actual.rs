//! What a store holds, read through its public calls, and the comparison with what it has to hold.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use mail::Flags;

use super::super::{Folder, login};
use super::expected::{Expected, Key};
use super::journal::Mark;
use super::step::{body_of, date_of, number_in};
use super::worker::number_of;
use super::workload::PEOPLE;
use crate::snapshot::{Depth, Pace, SnapshotError, Snapshots};
use crate::{BodyRef, MailboxInfo, ReadError, Store};

pub(super) struct Found {
    pub(super) n: u64,
    pub(super) flags: Flags,
    pub(super) modseq: u64,
}

#[derive(Default)]
pub(super) struct Actual {
    pub(super) mailboxes: BTreeMap<String, BTreeMap<String, MailboxInfo>>,
    owners: HashMap<u32, String>,
    pub(super) messages: BTreeMap<Key, Found>,
    /// Where each message is.
    pub(super) places: HashMap<u64, BTreeSet<Key>>,
    vanished: HashSet<Key>,
    pub(super) spool: BTreeMap<u64, BTreeSet<u32>>,
    pub(super) quarantine: BTreeSet<u64>,
    wrong: Vec<String>,
}

impl Actual {
    pub(super) fn read(store: &Store) -> Result<Actual, ReadError> {
        let mut actual = Actual::default();
        for of in PEOPLE {
            let person = login(of);
            let all = store.mailboxes(&person)?;
            let (mut octets, mut messages) = (0, 0);
            for mailbox in &all {
                actual.mailbox(store, of, mailbox)?;
                octets += mailbox.counts.size_octets;
                messages += u64::from(mailbox.counts.messages);
            }
            let usage = store.usage(&person)?;
            if (usage.used_octets, usage.messages) != (octets, messages) {
                actual.wrong.push(format!("{of} is said to use another sum than {octets} octets"));
            }
            if !all.is_empty() {
                let by_name = all.into_iter().map(|mailbox| (mailbox.name.as_str().to_owned(), mailbox)).collect();
                actual.mailboxes.insert(of.to_owned(), by_name);
            }
        }
        actual.spool(store)?;
        for one in store.quarantined(None, 1 << 20)? {
            actual.quarantine.insert(number_of(one.id));
            actual.body(store, &one.body, Some(number_of(one.id)))?;
        }
        Ok(actual)
    }

    pub(super) fn owner(&self, mailbox: u32) -> Option<&String> {
        self.owners.get(&mailbox)
    }

    fn mailbox(&mut self, store: &Store, of: &str, mailbox: &MailboxInfo) -> Result<(), ReadError> {
        let id = mailbox.id;
        self.owners.insert(id.number(), of.to_owned());
        let Some(selected) = store.select(&login(of), &mailbox.name)? else {
            self.wrong.push(format!("{} of {of} is listed and not there", mailbox.name.as_str()));
            return Ok(());
        };
        for row in selected.messages {
            let key = (id.number(), row.uid);
            let Some(body) = store.body_of(id, row.uid)? else {
                self.wrong.push(format!("{key:?} has no body"));
                continue;
            };
            let Some(n) = self.body(store, &body, None)? else { continue };
            if row.internal_date != date_of(n) || row.size_octets != body.len() {
                self.wrong.push(format!("{key:?} has another date or size than message {n:x}"));
            }
            self.places.entry(n).or_default().insert(key);
            self.messages.insert(key, Found { n, flags: row.flags, modseq: row.modseq });
        }
        let changes = store.changes_since(id, 0)?;
        for uid in changes.map(|changes| changes.vanished).unwrap_or_default() {
            self.vanished.insert((id.number(), uid));
        }
        Ok(())
    }

    fn body(&mut self, store: &Store, body: &BodyRef, wanted: Option<u64>) -> Result<Option<u64>, ReadError> {
        let text = match store.read_body(body) {
            Ok(text) => text,
            Err(ReadError::Damaged) => {
                self.wrong.push(format!("the body of {wanted:x?} is damaged"));
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let n = number_in(&text);
        if !n.is_some_and(|n| body_of(n) == text && wanted.is_none_or(|wanted| wanted == n)) {
            self.wrong.push(format!("the body of {wanted:x?} is not what was given; it begins as that of {n:x?}"));
            return Ok(None);
        }
        Ok(n)
    }

    fn spool(&mut self, store: &Store) -> Result<(), ReadError> {
        let mut after = None;
        loop {
            let items = store.queue_list(after, 500)?;
            let Some(last) = items.last() else { return Ok(()) };
            after = Some(last.queue_id);
            for item in &items {
                let n = number_of(item.queue_id);
                self.spool.insert(n, item.recipients.iter().map(|recipient| recipient.number).collect());
                self.body(store, &item.body, Some(n))?;
            }
        }
    }

    fn differences(&self, expected: &Expected) -> Vec<String> {
        let mut wrong = self.wrong.clone();
        for (key, message) in &expected.messages {
            let n = message.n;
            match self.messages.get(key) {
                None => wrong.push(format!("{key:?}, message {n:x}, is lost")),
                Some(found) => {
                    if found.n != n {
                        wrong.push(format!("{key:?} is message {:x} instead of {n:x}", found.n));
                    }
                    if found.flags != message.flags {
                        wrong.push(format!("{key:?} has {:?} instead of {:?}", found.flags, message.flags));
                    }
                    if message.modseq.is_some_and(|modseq| modseq != found.modseq) {
                        wrong.push(format!("{key:?} has MODSEQ {} instead of {:?}", found.modseq, message.modseq));
                    }
                }
            }
        }
        for (key, found) in &self.messages {
            if !expected.messages.contains_key(key) {
                let why = if expected.gone.contains(key) { "came back" } else { "was not asked for" };
                wrong.push(format!("{key:?}, message {:x}, {why}", found.n));
            }
            if self.vanished.contains(key) {
                wrong.push(format!("{key:?} is there and vanished"));
            }
        }
        let lost_vanished = expected.gone.iter().filter(|key| self.owners.contains_key(&key.0));
        wrong.extend(
            lost_vanished.filter(|key| !self.vanished.contains(key)).map(|key| format!("{key:?} never vanished")),
        );
        if self.spool != expected.spool {
            wrong.push(format!("the spool is {:x?} instead of {:x?}", self.spool, expected.spool));
        }
        if self.quarantine != expected.quarantine {
            wrong.push(format!("quarantine is {:x?} instead of {:x?}", self.quarantine, expected.quarantine));
        }
        self.name_differences(expected, &mut wrong);
        wrong
    }

    fn name_differences(&self, expected: &Expected, wrong: &mut Vec<String>) {
        for (login, names) in &expected.mailboxes {
            let found = self.mailboxes.get(login).cloned().unwrap_or_default();
            if found.keys().ne(names.keys()) {
                wrong.push(format!("{login} has {:?} instead of {:?}", found.keys(), names.keys()));
            }
            for (name, info) in found {
                let id = info.id.number();
                if names.get(&name).copied().flatten().is_some_and(|known| known != id) {
                    wrong.push(format!("{name} of {login} is another mailbox: {id}"));
                }
                if expected.gone_mailboxes.contains(&id) {
                    wrong.push(format!("{name} of {login} was deleted as {id}"));
                }
            }
        }
    }
}

/// Compares all of it; the steps under way are decided. Gives what is wrong; afterwards `expected` is what is there.
pub(super) fn check(store: &Store, expected: &mut Expected) -> Vec<String> {
    let actual = match Actual::read(store) {
        Ok(actual) => actual,
        Err(error) => return vec![format!("the store cannot be read: {error}")],
    };
    if !actual.mailboxes.is_empty() {
        expected.people();
    }
    expected.settle_open(&actual);
    for mailbox in actual.mailboxes.values().flat_map(BTreeMap::values) {
        expected.mark(Mark {
            mailbox: mailbox.id.number(),
            uidvalidity: mailbox.uidvalidity,
            uidnext: mailbox.uidnext,
            modseq: mailbox.highestmodseq,
        });
    }
    let mut wrong = std::mem::take(&mut expected.wrong);
    wrong.extend(actual.differences(expected));
    match store.verify() {
        Ok(report) if report.findings.is_empty() => {}
        Ok(report) => wrong.push(format!("a recount found {:?}", report.findings)),
        Err(error) => wrong.push(format!("a recount failed: {error}")),
    }
    wrong.extend(unsound_snapshots(store));
    expected.adopt(&actual);
    wrong
}

/// Every snapshot that has a name can be put back.
fn unsound_snapshots(store: &Store) -> Vec<String> {
    let folder = store.data_dir().join("snapshots");
    if !folder.exists() {
        return Vec::new();
    }
    let (scratch, wrong) = (Folder::new("drill"), |error: SnapshotError| vec![format!("a snapshot: {error}")]);
    std::fs::create_dir_all(scratch.path()).unwrap();
    let drilled = Snapshots::open(folder).and_then(|snapshots| {
        let mut findings = Vec::new();
        // The newest and the oldest: each costs a restore.
        let names: Vec<_> = snapshots.list()?.into_iter().map(|listed| listed.name).collect();
        for name in names.first().into_iter().chain(names.last().filter(|_| names.len() > 1)) {
            let report = snapshots.verify(*name, scratch.path(), Depth::Quick, Pace::FULL, &mut |_| ())?;
            findings.extend(report.findings.iter().map(|finding| format!("snapshot {name}: {finding:?}")));
        }
        Ok(findings)
    });
    drilled.unwrap_or_else(wrong)
}
