//! Store and model, step by step side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;

use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};

use super::look;
use super::naive::{Email, Mail, Mailbox, Naive, Number, Step, fold};
use super::split::{Homes, mails, numbers, place_of};
use super::steps::{Drawn, Happening, LOGINS, Source, address_of, login_of, name_of, person_of};
use super::translate::{Known, agree, op, refused, text};
use crate::{BlobStore, BodyRef, CommitError, MailboxId, MetaStore, Op, OpResult, Watcher};

pub type Checked = Result<(), TestCaseError>;

/// A store of any kind behind the two traits.
pub trait Waist: MetaStore + BlobStore {}

impl<S: MetaStore + BlobStore> Waist for S {}

/// Rows kept of the decision log.
pub const DECISIONS_MAX: usize = 4;
/// Mailboxes from this number on there never are.
pub const NOWHERE: Number = 1000;
/// Steps between two looks at everything.
const LOOK_EVERY: usize = 12;

pub struct Lockstep<'a> {
    open: &'a dyn Fn() -> Box<dyn Waist>,
    store: Option<Box<dyn Waist>>,
    shards: u8,
    pub model: Naive,
    pub known: Known,
    homes: Homes,
    /// Bodies that can be named: fresh ones, and for one commit those read back.
    bodies: BTreeMap<(u64, Option<Email>), BodyRef>,
    puts: u64,
    last: Option<Mail>,
    /// The newest group heard of, by shard.
    heard: Vec<u64>,
    watchers: BTreeMap<Number, Watcher>,
}

impl<'a> Lockstep<'a> {
    /// `a` and `b` are there, with quotas that can be filled.
    pub fn new(open: &'a dyn Fn() -> Box<dyn Waist>, shards: u8) -> Result<Lockstep<'a>, TestCaseError> {
        let mut model = Naive::default();
        (model.places, model.decisions_max) = (places(shards), DECISIONS_MAX);
        let mut lockstep = Lockstep {
            open,
            store: Some(open()),
            shards,
            model,
            known: Known::new(),
            homes: Homes::default(),
            bodies: BTreeMap::new(),
            puts: 0,
            last: None,
            heard: vec![0; usize::from(shards)],
            watchers: BTreeMap::new(),
        };
        let commit = beginning().into_iter().map(|step| Drawn { step, source: Source::Fresh }).collect();
        lockstep.happen(&Happening::Commit(commit))?;
        Ok(lockstep)
    }

    pub fn run(&mut self, happenings: &[Happening]) -> Checked {
        for (n, happening) in happenings.iter().enumerate() {
            self.happen(happening)?;
            if n % LOOK_EVERY == LOOK_EVERY - 1 {
                self.look()?;
            }
        }
        self.look()
    }

    pub fn store(&self) -> &dyn Waist {
        self.store.as_deref().expect("open but for a moment in `restart`")
    }

    fn happen(&mut self, happening: &Happening) -> Checked {
        match happening {
            Happening::Commit(drawn) => self.commit(drawn),
            Happening::Restart => self.restart(),
            Happening::Compact => {
                self.store().compact(0, &mut |_| ())?;
                self.model.compact();
                Ok(())
            }
        }
    }

    pub fn look(&mut self) -> Checked {
        let store = self.store.as_deref().expect("open but for a moment in `restart`");
        look::at_everything(store, &self.model, &mut self.known, self.shards)
    }

    pub fn restart(&mut self) -> Checked {
        self.watchers.clear();
        self.bodies.clear();
        self.store = None;
        self.store = Some((self.open)());
        self.homes = Homes(self.model.accounts.keys().cloned().collect());
        self.learn()
    }

    fn commit(&mut self, drawn: &[Drawn]) -> Checked {
        let mut drawn = drawn.to_vec();
        if self.shards > 1 {
            // Where an account lies is asked when a commit begins: those it makes come before what they get.
            drawn.sort_by_key(|drawn| !matches!(drawn.step, Step::Person(..)));
        }
        let (steps, slow) = self.resolve(&drawn)?;
        let body = |mail: &Mail| self.bodies[&(mail.put, mail.email)].clone();
        let ops: Vec<Op> = steps.iter().map(|step| op(step, &self.known, &body)).collect();
        if self.shards == 1 {
            self.bodies.retain(|(_, email), _| email.is_none());
        } else {
            self.bodies.clear();
        }
        let before = self.model.mailboxes.clone();
        let expected = match self.shards {
            1 => self.model.commit(&steps).map_err(|refused| vec![refused]),
            _ => self.homes.commit(&mut self.model, &steps, slow),
        };
        let got = commit_wait(self.store(), ops);
        let holds = got.is_ok();
        match (expected, got) {
            (Ok(answers), Ok(results)) => {
                prop_assert_eq!(answers.len(), results.len(), "{:?} answered {:?}", steps, results);
                for (answer, result) in answers.iter().zip(&results) {
                    agree(&mut self.known, answer, result, self.shards == 1)?;
                }
            }
            (Err(expected), Err(CommitError::Refused { op, why })) => {
                let got = (op, refused(&why));
                prop_assert!(expected.contains(&got), "{:?}: {:?}, not {:?}", steps, got, expected);
            }
            other => return Err(TestCaseError::fail(format!("{steps:?}: {other:?}"))),
        }
        self.learn()?;
        self.hear(&before, holds)
    }

    /// Gives the bodies numbers and writes them. Tells whether a store of several shards takes the ops one by one.
    fn resolve(&mut self, drawn: &[Drawn]) -> Result<(Vec<Step>, bool), TestCaseError> {
        let (mut steps, mut slow) = (Vec::new(), false);
        let mut sources: BTreeSet<usize> = BTreeSet::new();
        for (n, drawn) in drawn.iter().enumerate() {
            let mut step = drawn.step.clone();
            for at in numbers(&mut step) {
                // One that the same commit makes cannot be named before it is answered.
                *at += if self.known.mailboxes.get(*at).is_none() { NOWHERE } else { 0 };
            }
            let mut shards = BTreeSet::new();
            for mail in mails(&mut step) {
                let found = match drawn.source {
                    Source::Of(at, uid) => self.read_back(at, uid)?.map(|found| (found, place_of(&self.model, at))),
                    _ => None,
                };
                if let Some((found, shard)) = found {
                    (mail.put, mail.octets, mail.email) = (found.put, found.octets, found.email);
                    shards.insert(shard);
                } else if matches!(drawn.source, Source::Again) {
                    sources.insert(n);
                } else {
                    self.write(mail)?;
                }
            }
            slow |= self.homes.is_slow(&self.model, &step, &shards);
            steps.push(step);
        }
        for n in sources {
            // Ops that go one by one would find the body in the shard of the first.
            let last = self.last.clone().filter(|last| !slow && self.bodies.contains_key(&(last.put, None)));
            for mail in mails(&mut steps[n]) {
                match &last {
                    Some(last) => (mail.put, mail.octets) = (last.put, last.octets),
                    None => self.write(mail)?,
                }
            }
        }
        Ok((steps, slow))
    }

    /// The body of a message, if there is one.
    fn read_back(&mut self, at: Number, uid: u32) -> Result<Option<Mail>, TestCaseError> {
        let mailbox = self.model.mailboxes.get(at).filter(|mailbox| mailbox.alive);
        let Some(message) = mailbox.and_then(|mailbox| mailbox.messages.get(&uid)) else { return Ok(None) };
        let found = self.store().bodies_of(self.known.mailbox(at), &[uid].into_iter().collect())?;
        let mail = message.mail.clone();
        prop_assert_eq!(found.len(), 1);
        self.bodies.insert((mail.put, mail.email), found[0].1.clone());
        Ok(Some(mail))
    }

    fn write(&mut self, mail: &mut Mail) -> Checked {
        self.puts += 1;
        mail.put = self.puts;
        let text = text(mail);
        let (head, tail) = text.split_at(text.len() / 2);
        self.bodies.insert((mail.put, None), self.store().put_body(&[head, tail])?);
        self.last = Some(mail.clone());
        Ok(())
    }

    /// What new mailboxes are called.
    pub fn learn(&mut self) -> Checked {
        let store = self.store.as_deref().expect("open but for a moment in `restart`");
        for (at, mailbox) in self.model.mailboxes.iter().enumerate().filter(|(_, mailbox)| mailbox.alive) {
            if self.known.validities.get(at).is_none() {
                let info = store.mailbox(&login_of(&mailbox.account), &mailbox.name)?;
                let Some(info) = info else { return Err(TestCaseError::fail(format!("no {}", mailbox.name))) };
                prop_assert!(self.known.is(at, info.id, info.uidvalidity), "{:?} is an old one", info);
                prop_assert_eq!(info.id.shard(), self.model.place(&mailbox.account));
            }
            let watch = || store.watch(self.known.mailbox(at), Box::new(|| ()));
            self.watchers.entry(at).or_insert_with(watch);
        }
        Ok(())
    }

    /// The change log and the watchers tell of just the mailboxes that changed.
    fn hear(&mut self, before: &[Mailbox], holds: bool) -> Checked {
        let state = |mailbox: &Mailbox| (mailbox.alive, mailbox.name.clone(), mailbox.modseq, mailbox.grants.clone());
        let changed = |at: Number| before.get(at).map(state) != self.model.mailboxes.get(at).map(state);
        let changed: BTreeSet<Number> = (0..self.model.mailboxes.len()).filter(|at| changed(*at)).collect();
        let mut logged: BTreeSet<MailboxId> = BTreeSet::new();
        for shard in 0..self.shards {
            let heard = self.heard[usize::from(shard)];
            let rows = self.store().changed_mailboxes(shard, heard, 1000)?.unwrap_or_default();
            prop_assert!(rows.iter().all(|(seq, mailbox)| *seq > heard && mailbox.shard() == shard));
            prop_assert!(rows.is_sorted());
            self.heard[usize::from(shard)] = rows.last().map_or(heard, |(seq, _)| *seq);
            logged.extend(rows.into_iter().map(|(_, mailbox)| mailbox));
        }
        for at in (0..self.model.mailboxes.len()).filter(|at| self.known.mailboxes.get(*at).is_some()) {
            let told = logged.contains(&self.known.mailbox(at));
            prop_assert_eq!(told, changed.contains(&at), "the change log on mailbox {}", at);
        }
        for (at, watcher) in &self.watchers {
            let (fired, existed) = (watcher.take(), *at < before.len());
            let expected = changed.contains(at);
            prop_assert!(!existed || fired == expected || (fired && !holds), "the watcher of mailbox {}", at);
        }
        self.watchers.retain(|at, _| self.model.mailboxes[*at].alive);
        Ok(())
    }
}

/// The people every case begins with.
pub fn beginning() -> Vec<Step> {
    let defaults = vec![
        (name_of("Corbeille"), Some(mail::SpecialUse::Trash)),
        (name_of("Indésirables"), Some(mail::SpecialUse::Junk)),
    ];
    let person = |login: &str, quota| {
        let person = person_of(login_of(login), address_of(&format!("{login}@example.org")), quota);
        Step::Person(person, Some("secret".to_owned()), defaults.clone(), None)
    };
    vec![person("a", 5000), person("b", 900)]
}

/// The shard each login is drawn into.
pub fn places(shards: u8) -> BTreeMap<String, u8> {
    let place = |login: &&str| {
        let login = fold(&login_of(login));
        let place = blake3::hash(login.as_bytes()).as_bytes()[0] % shards;
        (login, place)
    };
    LOGINS.iter().map(place).collect()
}

pub fn commit_wait(store: &dyn Waist, ops: Vec<Op>) -> Result<Vec<OpResult>, CommitError> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let done = move |result| {
        let _ = sender.send(result);
    };
    store.commit(ops, Box::new(done));
    receiver.recv().unwrap_or(Err(CommitError::Closed))
}
