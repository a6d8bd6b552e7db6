//! The child: threads that do everything at once on one data folder, through nothing but the store's public calls.
//!
//! Each thread owns one account: it alone changes flags and mailboxes there, while mail from all threads comes in. So the
//! outcome of every step is known from the journal, although nothing waits for anything else.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use mail::{ReversePath, SpecialUse};

use super::super::{id, login, name, person};
use super::journal::{Answer, Journal, Mark, Record, Stage};
use super::random::Random;
use super::step::{self, Messages, Step, body_of, date_of, flags_of, number_in};
use crate::{
    Append, BodyRef, CommitError, Deliver, Enqueue, Expunged, FlagMode, MailboxId, MailboxInfo, NextHop, Op, OpResult,
    Options, PutError, Quarantined, QueueId, QueueRecipient, ReadError, RecordEnvelope, SetFlags, Settled, Store,
    Summary, Target, UidSet,
};

/// Account of thread 0, of thread 1, ...
pub(super) const PEOPLE: [&str; 4] = ["anne", "bilal", "chloe", "denis"];
const VARIABLE: &str = "FACTEUR_STORE_CRASH";
/// Mailboxes mail is sent to and people make.
const NAMES: [&str; 7] = ["INBOX", "Indésirables", "Corbeille", "M0", "M1", "M2/x", "M3"];
/// Messages of one step.
const MESSAGES_MAX: u64 = 5;
/// Steps a thread still tries after the store stopped: none of them may succeed.
const TRIES_AFTER_STOP: u32 = 3;
/// Work that changes no mail and is done now and then between two steps. What it finds wrong is the answer.
const ALONGSIDE: [fn(&Store, &mut Random) -> Option<String>; 2] = [recount, list_spool];

/// How a child works.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) folder: PathBuf,
    pub(super) seed: u64,
    /// Numbers of messages of one data folder begin with it.
    pub(super) round: u64,
    pub(super) threads: u64,
    /// Of each thread; 0 goes on until it is killed.
    pub(super) steps: u64,
    /// Errors are expected.
    pub(super) faulty: bool,
    /// Created by the child once the store said several times that it cannot write.
    pub(super) relief: Option<PathBuf>,
}

impl Settings {
    pub(super) fn from_environment() -> Option<Settings> {
        let text = std::env::var(VARIABLE).ok()?;
        let mut lines = text.lines();
        let mut number = || lines.next()?.parse::<u64>().ok();
        let (seed, round, threads, steps, faulty) = (number()?, number()?, number()?, number()?, number()? == 1);
        let folder = PathBuf::from(lines.next()?);
        let relief = lines.next().filter(|line| !line.is_empty()).map(PathBuf::from);
        Some(Settings { folder, seed, round, threads, steps, faulty, relief })
    }

    pub(super) fn environment(&self) -> (&'static str, String) {
        let relief = self.relief.as_deref().map(Path::to_string_lossy).unwrap_or_default();
        let Settings { seed, round, threads, steps, .. } = self;
        let (faulty, folder) = (u8::from(self.faulty), self.folder.display());
        (VARIABLE, format!("{seed}\n{round}\n{threads}\n{steps}\n{faulty}\n{folder}\n{relief}"))
    }

    /// Small limits, so that segments end and checkpoints begin within seconds.
    pub(super) fn options(&self) -> Options {
        let mut random = Random::from(self.seed ^ self.round << 32);
        Options {
            segment_bytes_max: 2 << 20 | random.below(4) << 20,
            wal_bytes_checkpoint: 1 << (16 + random.below(6)),
            group_ops_max: 1 + random.below(64) as usize,
            ..Options::default()
        }
    }
}

/// Never returns: the process ends when the steps are made, or by its parent.
pub(super) fn run(settings: &Settings) -> ! {
    let journal = Journal::default();
    journal.say(&Record::Stage(Stage::Opening));
    let Some(store) = open(settings, &journal) else { std::process::exit(3) };
    journal.say(&Record::Stage(Stage::Opened));
    if !make_people(settings, &journal, &store) {
        drop(store);
        std::process::exit(3);
    }
    journal.say(&Record::Stage(Stage::People));
    std::thread::scope(|scope| {
        for thread in 0..settings.threads {
            let (store, journal) = (&store, &journal);
            scope.spawn(move || Worker::new(settings, journal, store, thread).run());
        }
    });
    drop(store);
    journal.say(&Record::Stage(Stage::Done));
    std::process::exit(0);
}

/// A fault hits once: what cannot be opened now can be opened then.
fn open(settings: &Settings, journal: &Journal) -> Option<Store> {
    for _ in 0..if settings.faulty { 3 } else { 1 } {
        match Store::open(&settings.folder, settings.options()) {
            Ok(store) => return Some(store),
            Err(error) if settings.faulty => journal.say(&Record::Stage(unopened(&error))),
            Err(error) => journal.say(&Record::Bad(format!("open: {error}"))),
        }
    }
    None
}

fn unopened(error: &crate::OpenError) -> Stage {
    super::random::say(&format!("open: {error}"));
    Stage::Unopened
}

fn make_people(settings: &Settings, journal: &Journal, store: &Store) -> bool {
    let there = || store.people_count().is_ok_and(|count| count == PEOPLE.len() as u64);
    if there() {
        return true;
    }
    for _ in 0..if settings.faulty { 3 } else { 1 } {
        match store.commit_wait(PEOPLE.iter().map(|login| person(login, 1 << 40)).collect()) {
            Ok(_) => return true,
            Err(error) if settings.faulty => journal.say(&Record::Not(0, format!("people: {error}"))),
            Err(error) => journal.say(&Record::Bad(format!("people: {error}"))),
        }
    }
    false
}

struct Worker<'a> {
    settings: &'a Settings,
    journal: &'a Journal,
    store: &'a Store,
    thread: u64,
    login: &'static str,
    random: Random,
    /// Messages made in this round.
    count: u64,
    /// Numbers of messages read before, by mailbox and UID.
    known: HashMap<(u32, u32), u64>,
    /// Errors in a row.
    failures: u32,
    /// Steps tried since the store stopped.
    stopped: u32,
}

impl<'a> Worker<'a> {
    fn new(settings: &'a Settings, journal: &'a Journal, store: &'a Store, thread: u64) -> Worker<'a> {
        let login = PEOPLE[thread as usize % PEOPLE.len()];
        let random = Random::from(settings.seed ^ settings.round << 16 ^ thread << 8);
        let known = HashMap::new();
        Worker { settings, journal, store, thread, login, random, count: 0, known, failures: 0, stopped: 0 }
    }

    fn run(mut self) {
        let mut steps = 0;
        while self.settings.steps == 0 || steps < self.settings.steps {
            steps += 1;
            if self.stopped > TRIES_AFTER_STOP {
                return;
            }
            let kind = if self.stopped > 0 { 0 } else { self.random.below(110) };
            match kind {
                0..32 => drop(self.deliver()),
                32..40 => drop(self.append()),
                40..58 => drop(self.flag()),
                58..64 => drop(self.copy()),
                64..72 => drop(self.move_on()),
                72..82 => drop(self.expunge()),
                82..89 => drop(self.change_mailboxes()),
                89..98 => drop(self.spool()),
                98..102 => drop(self.quarantine()),
                102..104 => drop(self.abandon()),
                104..108 => drop(self.list()),
                _ => self.work_alongside(),
            }
        }
    }

    fn next_number(&mut self) -> u64 {
        self.count += 1;
        self.settings.round << 40 | self.thread << 32 | self.count
    }

    // Steps. Each gives `None` when there is nothing to do it with, or after an error.

    fn deliver(&mut self) -> Option<()> {
        let n = self.next_number();
        let body = self.put(n)?;
        let mut people = PEOPLE.to_vec();
        let mut to = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            let person = people.swap_remove(self.random.below(people.len() as u64) as usize);
            to.push((person.to_owned(), (*self.random.of(&NAMES)).to_owned()));
        }
        let settles = if self.stopped == 0 && self.random.one_in(8) { self.waiting() } else { None };
        let step = Step::Deliver { n, to: to.clone(), settles };
        let mut ops = vec![Op::Deliver(Box::new(Deliver {
            delivery_id: id(n),
            recipients: to.iter().map(|(to, mailbox)| (login(to), target(mailbox))).collect(),
            body,
            summary: summary(n),
            internal_date: date_of(n),
            flags: flags_of(n),
        }))];
        ops.extend(settles.map(|(n, recipient)| settle(n, recipient)));
        self.commit(step, ops)
    }

    fn append(&mut self) -> Option<()> {
        let mailbox = self.some_mailbox()?;
        let n = self.next_number();
        let body = self.put(n)?;
        let op = Append {
            login: login(self.login),
            mailbox: mailbox.name.clone(),
            body,
            summary: summary(n),
            flags: flags_of(n),
            internal_date: date_of(n),
        };
        let step = Step::Append { n, login: self.login.to_owned(), mailbox: mailbox.name.as_str().to_owned() };
        self.commit(step, vec![Op::Append(Box::new(op))])
    }

    fn flag(&mut self) -> Option<()> {
        let (mailbox, of) = self.some_messages(|_| true)?;
        let mode = *self.random.of(&[FlagMode::Add, FlagMode::Remove, FlagMode::Replace]);
        let flags = step::some_flags(&mut self.random);
        let op = SetFlags { mailbox, uids: uids(&of), mode, flags: flags.clone(), unchanged_since: None };
        self.commit(Step::Flag { mailbox: mailbox.number(), of, mode, flags }, vec![Op::SetFlags(Box::new(op))])
    }

    fn copy(&mut self) -> Option<()> {
        let (from, of) = self.some_messages(|_| true)?;
        let to = self.some_mailbox()?.id;
        let op = Op::Copy { from, uids: uids(&of), to };
        self.commit(Step::Copy { from: from.number(), of, to: to.number() }, vec![op])
    }

    fn move_on(&mut self) -> Option<()> {
        let (from, of) = self.some_messages(|_| true)?;
        let to = self.some_mailbox()?.id;
        if from == to {
            return None;
        }
        let op = Op::Move { from, uids: uids(&of), to };
        self.commit(Step::Move { from: from.number(), of, to: to.number() }, vec![op])
    }

    fn expunge(&mut self) -> Option<()> {
        let exactly = self.random.one_in(2);
        let (mailbox, of) = self.some_messages(|deleted| exactly || deleted)?;
        let set = uids(&of);
        let which = if exactly { Expunged::Exactly(set) } else { Expunged::DeletedAmong(set) };
        self.commit(Step::Expunge { mailbox: mailbox.number(), of }, vec![Op::Expunge { mailbox, which }])
    }

    fn change_mailboxes(&mut self) -> Option<()> {
        let all = self.read(|store, login| store.mailboxes(login))?;
        let there = |text: &str| all.iter().any(|mailbox| mailbox.name.as_str() == text);
        let own: Vec<&MailboxInfo> = all.iter().filter(|mailbox| mailbox.special_use.is_none()).collect();
        let text = self.login.to_owned();
        let fresh = format!("N{}", self.count);
        match self.random.below(8) {
            0..4 => {
                let new = (*self.random.of(&NAMES)).to_owned();
                let op = Op::CreateMailbox { login: login(self.login), name: name(&new), special_use: None };
                if there(&new) { None } else { self.commit(Step::Create { login: text, name: new }, vec![op]) }
            }
            4..6 => {
                let going = *self.random.of(&own);
                let op = Op::DeleteMailbox { login: login(self.login), name: going.name.clone() };
                let (gone, mailbox) = (going.name.as_str().to_owned(), going.id.number());
                let step = Step::Delete { login: text, name: gone, mailbox };
                if going.name.is_inbox() { None } else { self.commit(step, vec![op]) }
            }
            _ => {
                let (from, to) = (self.random.of(&own).name.clone(), name(&fresh));
                // INBOX gives all its messages away: seldom, or nothing else would be tried in it.
                if there(&fresh) || from.is_inbox() && !self.random.one_in(4) {
                    return None;
                }
                let step = Step::Rename { login: text, from: from.as_str().to_owned(), to: fresh };
                self.commit(step, vec![Op::RenameMailbox { login: login(self.login), from, to }])
            }
        }
    }

    fn spool(&mut self) -> Option<()> {
        if let (true, Some((n, recipient))) = (self.random.one_in(2), self.waiting()) {
            return self.commit(Step::Settle { n, recipient }, vec![settle(n, recipient)]);
        }
        let n = self.next_number();
        let body = self.put(n)?;
        let recipients = 1 + self.random.below(3) as u32;
        let recipient = |number: u32| QueueRecipient {
            forward_path: format!("r{number}@example.net").parse().unwrap(),
            next_hop: NextHop::Mx,
            due_at_s: 1,
            facts: Vec::new(),
        };
        let enqueue = Enqueue {
            queue_id: QueueId(id(n)),
            body,
            reverse_path: ReversePath::Null,
            recipients: (0..recipients).map(recipient).collect(),
            plan: "plan".to_owned(),
            accepted_at_s: 1,
            facts: Vec::new(),
        };
        self.commit(Step::Enqueue { n, recipients }, vec![Op::Enqueue(Box::new(enqueue))])
    }

    fn quarantine(&mut self) -> Option<()> {
        let kept = self.read(|store, _| store.quarantined(None, 50))?;
        let own = kept.iter().map(|one| number_of(one.id)).find(|n| self.is_mine(*n));
        if let (true, Some(n)) = (self.random.one_in(2), own) {
            return self.commit(Step::Release { n }, vec![Op::ReleaseQuarantined { id: QueueId(id(n)) }]);
        }
        let n = self.next_number();
        let quarantined = Quarantined {
            id: QueueId(id(n)),
            body: self.put(n)?,
            why: "virus".to_owned(),
            engine: "test".to_owned(),
            signature: "none".to_owned(),
            reverse_path: ReversePath::Null,
            recipients: vec!["x@example.net".parse().unwrap()],
            facts: Vec::new(),
            at_s: 1,
        };
        self.commit(Step::Quarantine { n }, vec![Op::Quarantine(Box::new(quarantined))])
    }

    /// A body nobody commits.
    fn abandon(&mut self) -> Option<()> {
        let n = self.next_number();
        self.put(n).map(drop)
    }

    fn list(&mut self) -> Option<()> {
        let mailbox = self.some_mailbox()?;
        let changes = self.read(|store, _| store.changes_since(mailbox.id, mailbox.highestmodseq.saturating_sub(9)))?;
        if let Some(changes) = changes {
            self.expect(changes.highestmodseq >= mailbox.highestmodseq, "a MODSEQ went back");
            self.expect(changes.uidnext >= mailbox.uidnext, "a UIDNEXT went back");
        }
        let all = mail::mime::SummaryParts::ALL;
        let summaries = self.read(|store, _| store.summaries(mailbox.id, &UidSet::all(), all, 20))?;
        for (uid, summary) in summaries {
            let n = self.number_at(mailbox.id, uid);
            self.expect(n.is_none_or(|n| summary.subject == format!("number {n}")), "a summary of another message");
        }
        Some(())
    }

    fn work_alongside(&mut self) {
        let work = *self.random.of(&ALONGSIDE);
        if let Some(wrong) = work(self.store, &mut self.random) {
            self.expect(false, &wrong);
        }
    }

    // What they are made of.

    /// The intent, the commit, and how it ended.
    fn commit(&mut self, step: Step, ops: Vec<Op>) -> Option<()> {
        self.journal.say(&Record::Intent(self.thread, step));
        let ended = self.store.commit_wait(ops);
        match ended {
            Ok(results) => {
                self.expect(!doubled(&results), "a new delivery is called a double");
                self.journal.say(&Record::Acknowledged(self.thread, Answer::from_result(&results[0])));
                self.failures = 0;
                Some(())
            }
            Err(error) => {
                self.failed(&error);
                None
            }
        }
    }

    fn failed(&mut self, error: &CommitError) {
        let known = match error {
            CommitError::Refused { .. } => false,
            CommitError::Poisoned | CommitError::Closed => {
                self.stopped += 1;
                self.journal.say(&Record::Unknown(self.thread));
                self.expect(self.settings.faulty, "the store stopped");
                return;
            }
            _ => true,
        };
        self.journal.say(&Record::Not(self.thread, error.to_string()));
        self.expect(self.settings.faulty && known, &error.to_string());
        self.relieve();
    }

    /// After some failures in a row somebody makes room on the device.
    fn relieve(&mut self) {
        self.failures += 1;
        if let (5, Some(relief)) = (self.failures, &self.settings.relief) {
            std::fs::write(relief, b"").unwrap();
        }
    }

    fn expect(&self, holds: bool, what: &str) {
        if !holds {
            self.journal.say(&Record::Bad(what.to_owned()));
        }
    }

    fn put(&mut self, n: u64) -> Option<BodyRef> {
        let text = body_of(n);
        let envelope = RecordEnvelope { delivery_id: id(n), accepted_at_s: 1, ..RecordEnvelope::default() };
        let put = if text.len() < 262_144 {
            let (head, rest) = text.split_at(text.len() / 3);
            self.store.put_body_for(&envelope, &[head, rest])
        } else {
            self.put_long(&envelope, &text)
        };
        match put {
            Ok(body) => return Some(body),
            Err(PutError::Poisoned) => self.stopped += 1,
            Err(_) => self.relieve(),
        }
        self.expect(self.settings.faulty, "a body could not be written");
        None
    }

    fn put_long(&self, envelope: &RecordEnvelope, text: &[u8]) -> Result<BodyRef, PutError> {
        let (head, rest) = text.split_at(100);
        let mut spill = self.store.spill()?;
        for part in rest.chunks(65_536) {
            spill.append(part)?;
        }
        self.store.put_body_from_spill(envelope, head, &spill)
    }

    fn read<T>(&mut self, ask: impl FnOnce(&Store, &mail::Login) -> Result<T, ReadError>) -> Option<T> {
        match ask(self.store, &login(self.login)) {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.expect(self.settings.faulty, &format!("a read failed: {error}"));
                None
            }
        }
    }

    fn some_mailbox(&mut self) -> Option<MailboxInfo> {
        let all = self.read(|store, login| store.mailboxes(login))?;
        Some(self.random.of(&all).clone())
    }

    /// A few messages of one mailbox, those with `\Deleted` told apart by `wanted`; journals what the mailbox reached.
    fn some_messages(&mut self, wanted: impl Fn(bool) -> bool) -> Option<(MailboxId, Messages)> {
        let mailbox = self.some_mailbox()?;
        let selected = self.read(|store, login| store.select(login, &mailbox.name))??;
        let info = &selected.mailbox;
        self.expect(info.counts.messages as usize == selected.messages.len(), "a count is not what is listed");
        self.journal.say(&Record::Mark(Mark {
            mailbox: info.id.number(),
            uidvalidity: info.uidvalidity,
            uidnext: info.uidnext,
            modseq: info.highestmodseq,
        }));
        let deleted = |flags: &mail::Flags| flags.system.contains(mail::SystemFlags::DELETED);
        let mut choice: Vec<u32> =
            selected.messages.iter().filter(|row| wanted(deleted(&row.flags))).map(|row| row.uid).collect();
        let mut of = Vec::new();
        for _ in 0..1 + self.random.below(MESSAGES_MAX) {
            if choice.is_empty() {
                break;
            }
            let uid = choice.swap_remove(self.random.below(choice.len() as u64) as usize);
            of.push((uid, self.number_at(info.id, uid)?));
        }
        of.sort_unstable();
        if of.is_empty() { None } else { Some((info.id, of)) }
    }

    /// Which message this is, by its body, which is compared octet by octet the first time.
    fn number_at(&mut self, mailbox: MailboxId, uid: u32) -> Option<u64> {
        if let Some(n) = self.known.get(&(mailbox.number(), uid)) {
            return Some(*n);
        }
        let body = self.read(|store, _| store.body_of(mailbox, uid))??;
        let text = self.read(|store, _| store.read_body(&body))?;
        let n = number_in(&text);
        self.expect(n.is_some_and(|n| body_of(n) == text), "a body is not what was delivered");
        self.known.insert((mailbox.number(), uid), n?);
        n
    }

    fn is_mine(&self, n: u64) -> bool {
        n >> 32 & 0xff == self.thread
    }

    /// A recipient that waits, of a message this thread enqueued.
    fn waiting(&mut self) -> Option<(u64, u32)> {
        let items = self.read(|store, _| store.queue_list(None, 100))?;
        let item = items.iter().find(|item| self.is_mine(number_of(item.queue_id)))?;
        Some((number_of(item.queue_id), item.recipients.last()?.number))
    }
}

pub(super) fn number_of(queue_id: QueueId) -> u64 {
    u64::from_be_bytes(queue_id.0[8..].try_into().unwrap())
}

fn doubled(results: &[OpResult]) -> bool {
    results.iter().any(|result| matches!(result, OpResult::Delivered { duplicate: true, .. }))
}

fn uids(of: &Messages) -> UidSet {
    of.iter().map(|(uid, _)| *uid).collect()
}

fn settle(n: u64, recipient: u32) -> Op {
    Op::Settle { queue_id: QueueId(id(n)), recipient, outcome: Settled::Delivered }
}

fn target(mailbox: &str) -> Target {
    match mailbox {
        "INBOX" => Target::Inbox,
        "Indésirables" => Target::Special(SpecialUse::Junk),
        other => Target::Mailbox(name(other)),
    }
}

fn summary(n: u64) -> Summary {
    Summary {
        subject: format!("number {n}"),
        message_id: format!("<{n}@example.org>"),
        whole: mail::mime::SummaryParts::SUBJECT,
        ..Summary::default()
    }
}

/// While others write: each check of it sees one moment.
fn recount(store: &Store, random: &mut Random) -> Option<String> {
    let report = if random.one_in(10) { store.verify().ok()? } else { return None };
    if report.findings.is_empty() { None } else { Some(format!("a recount found {:?}", report.findings)) }
}

fn list_spool(store: &Store, _: &mut Random) -> Option<String> {
    let due = store.queue_due(2, 50).ok()?;
    due.iter().any(|item| item.recipients.is_empty()).then(|| "a spooled message without recipients".to_owned())
}
