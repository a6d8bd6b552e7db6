//! The steps a thread can make.

use mail::{ReversePath, SpecialUse};

use super::super::{id, login, name};
use super::step::{self, Messages, Step, date_of, flags_of};
use super::worker::{Waiting, Worker, number_of};
use super::workload::PEOPLE;
use crate::{
    Append, Deliver, Enqueue, Expunged, FlagMode, Kept, MailboxInfo, NextHop, Op, Quarantined, QueueId, QueueRecipient,
    SetFlags, Settled, Summary, TakeOut, Target, UidSet,
};

/// Mailboxes mail is sent to and people make.
const NAMES: [&str; 7] = ["INBOX", "Indésirables", "Corbeille", "M0", "M1", "M2/x", "M3"];

/// Each gives `None` when there is nothing to do it with, or after an error.
impl Worker<'_> {
    pub(super) fn deliver(&mut self) -> Option<()> {
        let waiting = if self.stopped == 0 && self.random.one_in(6) { self.waiting() } else { None };
        let settles = waiting.as_ref().map(|waiting| (waiting.n, waiting.recipient));
        // The last recipient of a spooled message gets that message; the others stand for something else that is done.
        let (n, body) = match waiting {
            Some(Waiting { n, recipient: 0, body }) => (n, body),
            _ => {
                let n = self.next_number();
                (n, self.put(n)?)
            }
        };
        let mut people = PEOPLE.to_vec();
        let mut to = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            let person = people.swap_remove(self.random.below(people.len() as u64) as usize);
            to.push((person.to_owned(), (*self.random.of(&NAMES)).to_owned()));
        }
        let step = Step::Deliver { n, to: to.clone(), settles };
        let mut ops = vec![Op::Deliver(Box::new(Deliver {
            delivery_id: id(n),
            recipients: to.iter().map(|(to, mailbox)| (login(to), target(mailbox))).collect(),
            body,
            summary: summary(n),
            internal_date: date_of(n),
            flags: flags_of(n),
            marks: Vec::new(),
        }))];
        ops.extend(settles.map(|(n, recipient)| settle(n, recipient)));
        self.commit(step, ops)
    }

    pub(super) fn append(&mut self) -> Option<()> {
        let mailbox = self.some_mailbox()?;
        let n = self.next_number();
        let op = self.append_op(n, &mailbox)?;
        let step = Step::Append { n, login: self.login.to_owned(), mailbox: mailbox.name.as_str().to_owned() };
        self.commit(step, vec![op])
    }

    pub(super) fn replace(&mut self) -> Option<()> {
        let (from, mut of) = self.some_messages(|_| true)?;
        of.truncate(1);
        let mailbox = self.some_mailbox()?;
        let n = self.next_number();
        let expunge = Op::Expunge { mailbox: from, which: Expunged::Exactly(uids(&of)) };
        let ops = vec![self.append_op(n, &mailbox)?, expunge];
        let (login, mailbox) = (self.login.to_owned(), mailbox.name.as_str().to_owned());
        self.commit(Step::Replace { n, login, mailbox, from: from.number(), of }, ops)
    }

    fn append_op(&mut self, n: u64, mailbox: &MailboxInfo) -> Option<Op> {
        Some(Op::Append(Box::new(Append {
            login: login(self.login),
            mailbox: mailbox.name.clone(),
            body: self.put(n)?,
            summary: summary(n),
            flags: flags_of(n),
            internal_date: date_of(n),
        })))
    }

    pub(super) fn flag(&mut self) -> Option<()> {
        let (mailbox, of) = self.some_messages(|_| true)?;
        let mode = *self.random.of(&[FlagMode::Add, FlagMode::Remove, FlagMode::Replace]);
        let flags = step::some_flags(&mut self.random);
        let op = SetFlags { mailbox, uids: uids(&of), mode, flags: flags.clone(), unchanged_since: None };
        self.commit(Step::Flag { mailbox: mailbox.number(), of, mode, flags }, vec![Op::SetFlags(Box::new(op))])
    }

    pub(super) fn copy(&mut self) -> Option<()> {
        let (from, of) = self.some_messages(|_| true)?;
        let to = self.some_mailbox()?.id;
        let op = Op::Copy { from, uids: uids(&of), to, flags: crate::FlagScope::ALL };
        self.commit(Step::Copy { from: from.number(), of, to: to.number() }, vec![op])
    }

    pub(super) fn move_on(&mut self) -> Option<()> {
        let (from, of) = self.some_messages(|_| true)?;
        let to = self.some_mailbox()?.id;
        if from == to {
            return None;
        }
        let op = Op::Move { from, uids: uids(&of), to, flags: crate::FlagScope::ALL };
        self.commit(Step::Move { from: from.number(), of, to: to.number() }, vec![op])
    }

    pub(super) fn expunge(&mut self) -> Option<()> {
        let exactly = self.random.one_in(2);
        let (mailbox, of) = self.some_messages(|deleted| exactly || deleted)?;
        let set = uids(&of);
        let op = match (exactly, self.random.one_in(2)) {
            (true, true) => {
                let item = QueueId(id(self.next_number()));
                Op::TakeOut(Box::new(TakeOut { item, messages: vec![(mailbox, set)] }))
            }
            (true, false) => Op::Expunge { mailbox, which: Expunged::Exactly(set) },
            (false, _) => Op::Expunge { mailbox, which: Expunged::DeletedAmong(set) },
        };
        self.commit(Step::Expunge { mailbox: mailbox.number(), of }, vec![op])
    }

    pub(super) fn change_mailboxes(&mut self) -> Option<()> {
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

    pub(super) fn spool(&mut self) -> Option<()> {
        let waiting = self.waiting();
        let settles = waiting.map(|waiting| (waiting.n, waiting.recipient)).filter(|_| self.random.below(3) > 0);
        if let (true, Some((n, recipient))) = (self.random.one_in(2), settles) {
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
        let mut ops = vec![Op::Enqueue(Box::new(enqueue))];
        ops.extend(settles.map(|(n, recipient)| settle(n, recipient)));
        self.commit(Step::Enqueue { n, recipients, settles }, ops)
    }

    pub(super) fn quarantine(&mut self) -> Option<()> {
        let kept = self.read(|store, _| store.quarantined(None, 50))?;
        let own = kept.iter().map(|one| number_of(one.id)).find(|n| self.is_mine(*n));
        if let (true, Some(n)) = (self.random.one_in(2), own) {
            return self.commit(Step::Release { n }, vec![Op::ReleaseQuarantined { id: QueueId(id(n)) }]);
        }
        let n = self.next_number();
        let quarantined = Quarantined {
            id: QueueId(id(n)),
            kind: Kept::ALL[n as usize % Kept::ALL.len()],
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
    pub(super) fn abandon(&mut self) -> Option<()> {
        let n = self.next_number();
        self.put(n).map(drop)
    }

    pub(super) fn list(&mut self) -> Option<()> {
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
