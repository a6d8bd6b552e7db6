//! What every step of a thread is made of: the intent in the journal, the commit, and how it ended.

use std::collections::HashMap;

use super::super::{id, login};
use super::journal::{Answer, Journal, Mark, Record};
use super::random::Random;
use super::step::{Messages, Step, body_of, number_in};
use super::workload::{ALONGSIDE, PEOPLE, Settings};
use crate::{
    BodyRef, CommitError, MailboxId, MailboxInfo, Op, OpResult, PutError, QueueId, ReadError, RecordEnvelope, Store,
};

/// Messages of one step.
const MESSAGES_MAX: u64 = 5;
/// Steps a thread still tries after the store stopped: none of them may succeed.
const TRIES_AFTER_STOP: u32 = 3;

pub(super) struct Worker<'a> {
    settings: &'a Settings,
    journal: &'a Journal,
    pub(super) store: &'a Store,
    thread: u64,
    pub(super) login: &'static str,
    pub(super) random: Random,
    /// Messages made in this round.
    pub(super) count: u64,
    /// Numbers of messages read before, by mailbox and UID.
    known: HashMap<(u32, u32), u64>,
    /// Commits that failed in a row.
    failures: u32,
    /// Steps tried since the store stopped.
    pub(super) stopped: u32,
}

impl<'a> Worker<'a> {
    pub(super) fn new(settings: &'a Settings, journal: &'a Journal, store: &'a Store, thread: u64) -> Worker<'a> {
        let login = PEOPLE[thread as usize % PEOPLE.len()];
        let random = Random::from(settings.seed ^ settings.round << 16 ^ thread << 8);
        let known = HashMap::new();
        Worker { settings, journal, store, thread, login, random, count: 0, known, failures: 0, stopped: 0 }
    }

    pub(super) fn run(mut self) {
        let mut steps = 0;
        while self.settings.steps == 0 || steps < self.settings.steps {
            steps += 1;
            if self.stopped > TRIES_AFTER_STOP {
                return;
            }
            let kind = if self.stopped > 0 { 0 } else { self.random.below(110) };
            match kind {
                0..32 => drop(self.deliver()),
                32..38 => drop(self.append()),
                38..40 => drop(self.replace()),
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

    fn work_alongside(&mut self) {
        let work = *self.random.of(&ALONGSIDE);
        if let Some(wrong) = work(self.store, &mut self.random) {
            self.expect(false, &wrong);
        }
    }

    pub(super) fn next_number(&mut self) -> u64 {
        self.count += 1;
        self.settings.round << 40 | self.thread << 32 | self.count
    }

    /// The intent, the commit, and how it ended.
    pub(super) fn commit(&mut self, step: Step, ops: Vec<Op>) -> Option<()> {
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

    /// After some commits that failed in a row somebody makes room on the device.
    fn relieve(&mut self) {
        self.failures += 1;
        if let (3, Some(relief)) = (self.failures, &self.settings.relief) {
            std::fs::write(relief, b"").unwrap();
        }
        if self.settings.relief.is_some() {
            // Who is told to come later does; a store that was full looks for room a few times a second only.
            std::thread::park_timeout(std::time::Duration::from_millis(25));
        }
    }

    pub(super) fn expect(&self, holds: bool, what: &str) {
        if !holds {
            self.journal.say(&Record::Bad(what.to_owned()));
        }
    }

    pub(super) fn put(&mut self, n: u64) -> Option<BodyRef> {
        let text = body_of(n);
        let envelope = RecordEnvelope { delivery_id: id(n), accepted_at_s: 1, ..RecordEnvelope::default() };
        let put = if text.len() < 262_144 {
            let (head, rest) = text.split_at(text.len() / 3);
            self.store.put_body_for(&envelope, head, &[rest])
        } else {
            self.put_long(&envelope, &text)
        };
        match put {
            Ok(body) => return Some(body),
            Err(PutError::Poisoned) => self.stopped += 1,
            Err(_) => {}
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

    pub(super) fn read<T>(&mut self, ask: impl FnOnce(&Store, &mail::Login) -> Result<T, ReadError>) -> Option<T> {
        match ask(self.store, &login(self.login)) {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.expect(self.settings.faulty, &format!("a read failed: {error}"));
                None
            }
        }
    }

    pub(super) fn some_mailbox(&mut self) -> Option<MailboxInfo> {
        let all = self.read(|store, login| store.mailboxes(login))?;
        Some(self.random.of(&all).clone())
    }

    /// A few messages of one mailbox, those with `\Deleted` told apart by `wanted`; journals what the mailbox reached.
    pub(super) fn some_messages(&mut self, wanted: impl Fn(bool) -> bool) -> Option<(MailboxId, Messages)> {
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
    pub(super) fn number_at(&mut self, mailbox: MailboxId, uid: u32) -> Option<u64> {
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

    pub(super) fn is_mine(&self, n: u64) -> bool {
        n >> 32 & 0xff == self.thread
    }

    /// A recipient that waits, of a message this thread enqueued.
    pub(super) fn waiting(&mut self) -> Option<Waiting> {
        let items = self.read(|store, _| store.queue_list(None, 100))?;
        let item = items.into_iter().find(|item| self.is_mine(number_of(item.queue_id)))?;
        Some(Waiting { n: number_of(item.queue_id), recipient: item.recipients.last()?.number, body: item.body })
    }
}

/// A recipient in the spool.
pub(super) struct Waiting {
    pub(super) n: u64,
    pub(super) recipient: u32,
    pub(super) body: BodyRef,
}

pub(super) fn number_of(queue_id: QueueId) -> u64 {
    u64::from_be_bytes(queue_id.0[8..].try_into().unwrap())
}

fn doubled(results: &[OpResult]) -> bool {
    results.iter().any(|result| matches!(result, OpResult::Delivered { duplicate: true, .. }))
}
