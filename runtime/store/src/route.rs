//! Which shard an op belongs to, and commits that concern several.
//!
//! Ops of one shard are one transaction there. Of several, the shards of accounts go first, side by side, and shard 0 last:
//! who reads a person finds the account. Each part is whole; a delivery has an id, so trying a half-done commit again doubles
//! nothing. A copy into another shard writes there first and expunges after, so a crash in between leaves a message twice
//! rather than never.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use mail::{Alias, AliasKind, Login};

use crate::body::Segments;
use crate::error::{CommitError, OpenError, ReadError};
use crate::join::Join;
use crate::op::{Deliver, Op, Part, TakeOut};
use crate::read::fold;
use crate::shard::Shard;
use crate::store::Done;
use crate::transfer;

/// Ops for one shard, each with its index in the commit.
pub(crate) type Share = Vec<(usize, Op)>;

pub(crate) struct Routes {
    table: Arc<Table>,
    /// What needs reads between its writes, one after the other.
    slow: Mutex<Option<Sender<Job>>>,
}

/// Where everything lies.
pub(crate) struct Table {
    pub(crate) shards: Arc<Vec<Shard>>,
    pub(crate) segments: Arc<Segments>,
    /// The shard of each account, by folded login; empty with one shard.
    homes: Mutex<HashMap<String, u8>>,
}

struct Job {
    ops: Vec<Op>,
    done: Done,
}

impl Routes {
    pub(crate) fn open(
        shards: Arc<Vec<Shard>>,
        segments: Arc<Segments>,
    ) -> Result<(Routes, Option<JoinHandle<()>>), OpenError> {
        let path = shards[0].database().to_owned();
        let homes = if shards.len() == 1 {
            HashMap::new()
        } else {
            let bad = |error: ReadError| std::io::Error::other(error.to_string());
            homes(&shards).map_err(|error| OpenError::Io { path: path.clone(), error: bad(error) })?
        };
        let single = shards.len() == 1;
        let table = Arc::new(Table { shards, segments, homes: Mutex::new(homes) });
        if single {
            return Ok((Routes { table, slow: Mutex::default() }, None));
        }
        let (slow, jobs) = mpsc::channel();
        let of_thread = table.clone();
        let thread = std::thread::Builder::new()
            .name("store-route".to_owned())
            .spawn(move || run(&of_thread, &jobs))
            .map_err(|error| OpenError::Io { path, error })?;
        Ok((Routes { table, slow: Mutex::new(Some(slow)) }, Some(thread)))
    }

    /// The shard of an account; `None` when nobody has the login.
    pub(crate) fn shard_of(&self, login: &Login) -> Result<Option<u8>, ReadError> {
        if self.table.shards.len() == 1 {
            return Ok(Some(0));
        }
        Ok(self.table.homes.lock().unwrap_or_else(PoisonError::into_inner).get(&fold(login)).copied())
    }

    /// For stores with several shards.
    pub(crate) fn commit(&self, ops: Vec<Op>, done: Done) {
        if !ops.iter().any(|op| self.table.is_slow(op)) {
            return self.table.commit(ops, done);
        }
        let slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let back = match slow {
            Some(slow) => match slow.send(Job { ops, done }) {
                Ok(()) => return,
                Err(mpsc::SendError(job)) => job.done,
            },
            None => done,
        };
        back(Err(CommitError::Closed));
    }

    /// The thread ends after what it has.
    pub(crate) fn close(&self) {
        self.slow.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Table {
    /// Ops none of which `is_slow`.
    pub(crate) fn commit(&self, ops: Vec<Op>, done: Done) {
        let mut shares: BTreeMap<u8, Share> = BTreeMap::new();
        for (index, op) in ops.into_iter().enumerate() {
            for (shard, op) in self.split(op) {
                shares.entry(shard).or_default().push((index, op));
            }
        }
        Join::start(self.shards.clone(), shares, done);
    }

    /// Needs a body or rows of another shard than the one it writes to.
    pub(crate) fn is_slow(&self, op: &Op) -> bool {
        match op {
            Op::Copy { from, to, .. } | Op::Move { from, to, .. } => from.shard() != to.shard(),
            Op::Replace(replace) if replace.mailbox.shard() != self.home(&replace.append.login) => true,
            _ => {
                let targets = self.targets(op);
                op.bodies().any(|body| body.row().is_some() && targets.iter().any(|to| body.row_in(*to).is_none()))
            }
        }
    }

    pub(crate) fn targets(&self, op: &Op) -> Vec<u8> {
        match op {
            Op::Deliver(deliver) => deliver.recipients.iter().map(|(login, _)| self.home(login)).collect(),
            Op::Append(append) => vec![self.home(&append.login)],
            Op::Replace(replace) => vec![self.home(&replace.append.login)],
            Op::Import(import) => vec![self.home(&import.login)],
            Op::PutBackTaken(back) => vec![back.shard],
            _ => vec![0],
        }
    }

    fn home(&self, login: &Login) -> u8 {
        self.homes.lock().unwrap_or_else(PoisonError::into_inner).get(&fold(login)).copied().unwrap_or(0)
    }

    /// The shard of an account that may be new.
    fn settle(&self, login: &Login) -> u8 {
        let login = fold(login);
        let drawn = blake3::hash(login.as_bytes()).as_bytes()[0] % self.shards.len() as u8;
        *self.homes.lock().unwrap_or_else(PoisonError::into_inner).entry(login).or_insert(drawn)
    }

    /// An op as its shards see it.
    fn split(&self, op: Op) -> Vec<(u8, Op)> {
        let shard = match &op {
            Op::Deliver(deliver) => return self.split_delivery(deliver),
            Op::ErasePerson { login } => return self.split_erasing(login),
            Op::UpsertPerson { person, verifier, mailboxes, origin } => {
                let shard = self.settle(&person.login);
                let account = Part::Account {
                    login: person.login.clone(),
                    quota_octets: person.quota_octets,
                    mailboxes: mailboxes.clone(),
                };
                let (person, verifier, origin) = (person.clone(), verifier.clone(), origin.clone());
                let directory = Part::Directory { person, verifier, origin, shard };
                return vec![(shard, Op::Part(Box::new(account))), (0, Op::Part(Box::new(directory)))];
            }
            Op::UpsertAlias(alias) => return self.split_alias(alias),
            Op::Append(append) => self.home(&append.login),
            Op::Replace(replace) => self.home(&replace.append.login),
            Op::Import(import) => self.home(&import.login),
            Op::SetRights(set) => self.home(&set.login),
            Op::SetFlags(set) => set.mailbox.shard(),
            Op::Copy { from: mailbox, .. } | Op::Move { from: mailbox, .. } | Op::Expunge { mailbox, .. } => {
                mailbox.shard()
            }
            Op::CreateMailbox { login, .. }
            | Op::DeleteMailbox { login, .. }
            | Op::RenameMailbox { login, .. }
            | Op::Subscribe { login, .. }
            | Op::Unsubscribe { login, .. }
            | Op::SetSpecialUse { login, .. }
            | Op::SetAnnotation { login, .. }
            | Op::Warned { login, .. } => self.home(login),
            Op::TakeOut(take) => return self.split_taking(take),
            Op::PutBackTaken(back) => back.shard,
            Op::TrimDeliveries { .. } | Op::ForgetTaken { .. } => {
                return (0..self.shards.len() as u8).map(|shard| (shard, op.clone())).collect();
            }
            _ => 0,
        };
        // A mailbox number nobody gave leads nowhere; shard 0 says so.
        let shard = if usize::from(shard) < self.shards.len() { shard } else { 0 };
        vec![(shard, op)]
    }

    /// The address lies in shard 0, the account of its own mailboxes where it was drawn.
    fn split_alias(&self, alias: &Alias) -> Vec<(u8, Op)> {
        let mut shares = Vec::new();
        if let (Some(login), AliasKind::FunctionMailbox { quota_octets }) = (alias.account(), alias.kind) {
            let shard = self.settle(&login);
            shares.push((shard, Op::Part(Box::new(Part::Account { login, quota_octets, mailboxes: Vec::new() }))));
        }
        shares.push((0, Op::Part(Box::new(Part::Alias(alias.clone())))));
        shares
    }

    /// Others gave rights in every shard.
    fn split_erasing(&self, login: &Login) -> Vec<(u8, Op)> {
        let part = |shard, part| (shard, Op::Part(Box::new(part)));
        let account = |shard| part(shard, Part::EraseAccount { login: login.clone() });
        let directory = part(0, Part::EraseDirectory { login: login.clone() });
        (0..self.shards.len() as u8).map(account).chain([directory]).collect()
    }

    fn split_taking(&self, take: &TakeOut) -> Vec<(u8, Op)> {
        let mut shares: BTreeMap<u8, Vec<_>> = BTreeMap::new();
        for (mailbox, uids) in &take.messages {
            // A mailbox number nobody gave leads nowhere; shard 0 finds nothing there.
            let shard = Some(mailbox.shard()).filter(|shard| usize::from(*shard) < self.shards.len()).unwrap_or(0);
            shares.entry(shard).or_default().push((*mailbox, uids.clone()));
        }
        if shares.is_empty() {
            shares.insert(0, Vec::new());
        }
        let share = |(shard, messages)| (shard, Op::TakeOut(Box::new(TakeOut { item: take.item, messages })));
        shares.into_iter().map(share).collect()
    }

    fn split_delivery(&self, deliver: &Deliver) -> Vec<(u8, Op)> {
        let mut shares: BTreeMap<u8, Vec<_>> = BTreeMap::new();
        for recipient in &deliver.recipients {
            shares.entry(self.home(&recipient.0)).or_default().push(recipient.clone());
        }
        if shares.is_empty() {
            shares.insert(0, Vec::new());
        }
        let share = |(shard, recipients)| (shard, Op::Deliver(Box::new(Deliver { recipients, ..deliver.clone() })));
        shares.into_iter().map(share).collect()
    }
}

fn homes(shards: &[Shard]) -> Result<HashMap<String, u8>, ReadError> {
    let mut homes = HashMap::new();
    // What a shard holds counts; a person whose commit was cut in half has an account and no row yet.
    for (number, shard) in shards.iter().enumerate() {
        let logins: Vec<String> = shard.pool.read(|tx| {
            let mut query = tx.prepare("SELECT login FROM account")?;
            Ok(query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        })?;
        homes.extend(logins.into_iter().map(|login| (login, number as u8)));
    }
    Ok(homes)
}

fn run(table: &Table, jobs: &Receiver<Job>) {
    for Job { ops, done } in jobs {
        done(transfer::commit(table, ops));
    }
}
