//! Steps as the store's ops, and its answers as those of the model.

use std::collections::BTreeMap;

use mail::mime::SummaryParts;
use mail::{Address, Grant, MailboxName, ReversePath};
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};

use super::naive::{self, Answer, Item, Mail, Number, Refused, Step, Waiting};
use super::steps::address_of;
use crate::{
    Access, Append, BodyRef, DefaultMailbox, Deliver, Expunged, FlagMode, Given, GivenKind, Import, Imported,
    InternalDate, Kept, Loss, MailboxId, NextHop, ObjectId, Op, OpResult, Origin, PersonSource, Quarantined, QueueId,
    QueueRecipient, Refusal, Replace, Ring, SetFlags, SetRights, Settled, Summary, Target, TokenCount, UidSet, Until,
};

/// Which thing of the store is which of the model: found out once, the same ever after.
#[derive(Debug)]
pub struct Pairs<A, B> {
    to: BTreeMap<A, B>,
    back: BTreeMap<B, A>,
}

impl<A: Ord + Copy, B: Ord + Copy> Pairs<A, B> {
    pub fn new() -> Pairs<A, B> {
        Pairs { to: BTreeMap::new(), back: BTreeMap::new() }
    }

    /// Neither was ever paired with another.
    pub fn same(&mut self, one: A, other: B) -> bool {
        *self.to.entry(one).or_insert(other) == other && *self.back.entry(other).or_insert(one) == one
    }

    pub fn get(&self, one: A) -> Option<B> {
        self.to.get(&one).copied()
    }
}

/// What the store calls the things of the model.
pub struct Known {
    pub mailboxes: Pairs<Number, MailboxId>,
    /// Of a number there is one in each shard.
    pub validities: Pairs<Number, (u8, u32)>,
    pub emails: Pairs<naive::Email, ObjectId>,
    pub threads: Pairs<u64, ObjectId>,
}

impl Known {
    pub fn new() -> Known {
        let (mailboxes, validities) = (Pairs::new(), Pairs::new());
        Known { mailboxes, validities, emails: Pairs::new(), threads: Pairs::new() }
    }

    pub fn mailbox(&self, number: Number) -> MailboxId {
        self.mailboxes.get(number).unwrap_or(MailboxId(nowhere(number)))
    }

    /// UIDVALIDITY is one of the mailbox alone in its shard.
    pub fn is(&mut self, number: Number, mailbox: MailboxId, uidvalidity: u32) -> bool {
        self.mailboxes.same(number, mailbox) && self.validities.same(number, (mailbox.shard(), uidvalidity))
    }

    fn check(&mut self, number: Number, mailbox: MailboxId, uidvalidity: u32) -> Result<(), TestCaseError> {
        let same = self.is(number, mailbox, uidvalidity);
        prop_assert!(same, "mailbox {} is not {:?} with UIDVALIDITY {}", number, mailbox, uidvalidity);
        Ok(())
    }
}

/// What stands for a mailbox nobody has: a number of a shard there is, or of one there is not.
pub fn nowhere(number: Number) -> u32 {
    if number.is_multiple_of(2) { 0x03ff_fff0 } else { 31 << MailboxId::NUMBER_BITS | 5 }
}

/// The octets of a body.
pub fn text(mail: &Mail) -> Vec<u8> {
    let mut text = format!("{:08}", mail.put).into_bytes();
    text.resize(text.len().max(mail.octets as usize), b'x');
    text.truncate(mail.octets as usize);
    text
}

pub fn set(ranges: &naive::Ranges) -> UidSet {
    UidSet::from_ranges(ranges.iter().map(|(first, last)| *first..=*last))
}

/// What the model keeps of a summary and, by the message's number, what it does not look at.
pub fn summary(mail: &Mail) -> Summary {
    let [message_id, in_reply_to, references] = mail.ids.clone();
    let word = |part: &str| format!("{part} {}", mail.date.0);
    Summary {
        envelope_imap: word("envelope").into_bytes(),
        bodystructure_imap: word("structure").into_bytes(),
        body_imap: word("body").into_bytes(),
        preview: word("preview"),
        subject: word("sujet é"),
        from: word("from"),
        to: word("to"),
        cc: word("cc"),
        bcc: word("bcc"),
        message_id,
        in_reply_to,
        references,
        sent_date: (mail.date.0 % 3 > 0).then_some(mail.date.0),
        whole: SummaryParts::from_bits(mail.date.0 as u16),
    }
}

pub fn date(mail: &Mail) -> InternalDate {
    InternalDate { seconds: mail.date.0, offset_minutes: mail.date.1 }
}

/// `body` gives what was written for a message.
pub fn op(step: &Step, known: &Known, body: &dyn Fn(&Mail) -> BodyRef) -> Op {
    let append = |login: &mail::Login, name: &MailboxName, mail: &Mail| Append {
        login: login.clone(),
        mailbox: name.clone(),
        body: body(mail),
        summary: summary(mail),
        flags: mail.flags.clone(),
        internal_date: date(mail),
    };
    match step.clone() {
        Step::Deliver(delivery_id, to, mail) => Op::Deliver(Box::new(Deliver {
            delivery_id,
            recipients: to.into_iter().map(|(login, name, special)| (login, target(name, special))).collect(),
            body: body(&mail),
            summary: summary(&mail),
            internal_date: date(&mail),
            flags: mail.flags,
            marks: vec![mail.octets, u64::MAX],
        })),
        Step::Append(login, name, mail) => Op::Append(Box::new(append(&login, &name, &mail))),
        Step::Replace(login, name, mail, (old, uid)) => {
            let (append, mailbox) = (append(&login, &name, &mail), known.mailbox(old));
            Op::Replace(Box::new(Replace { append, mailbox, uid }))
        }
        Step::Import(login, mailbox, mails, within_quota) => {
            let imported = |mail: &Mail| Imported {
                body: body(mail),
                summary: summary(mail),
                flags: mail.flags.clone(),
                internal_date: date(mail),
            };
            let messages = mails.iter().map(imported).collect();
            Op::Import(Box::new(Import { login, mailbox, messages, within_quota }))
        }
        Step::SetFlags(at, uids, mode, flags, unchanged_since) => {
            let mode = match mode {
                '+' => FlagMode::Add,
                '-' => FlagMode::Remove,
                _ => FlagMode::Replace,
            };
            let (mailbox, uids) = (known.mailbox(at), set(&uids));
            Op::SetFlags(Box::new(SetFlags { mailbox, uids, mode, flags, unchanged_since }))
        }
        Step::Copy(from, uids, to) => Op::Copy {
            from: known.mailbox(from),
            uids: set(&uids),
            to: known.mailbox(to),
            flags: crate::FlagScope::ALL,
        },
        Step::Move(from, uids, to) => Op::Move {
            from: known.mailbox(from),
            uids: set(&uids),
            to: known.mailbox(to),
            flags: crate::FlagScope::ALL,
        },
        Step::Expunge(at, uids, only_deleted) => {
            let which = match (only_deleted, set(&uids)) {
                (true, all) if all == UidSet::all() => Expunged::Deleted,
                (true, some) => Expunged::DeletedAmong(some),
                (false, these) => Expunged::Exactly(these),
            };
            Op::Expunge { mailbox: known.mailbox(at), which }
        }
        Step::Keep(place, id, item) => keep(place, id, &item, body(&item.mail)),
        other => plain(other),
    }
}

fn target(name: Option<MailboxName>, special: Option<mail::SpecialUse>) -> Target {
    match (name, special) {
        (Some(name), _) => Target::Mailbox(name),
        (None, Some(special)) => Target::Special(special),
        (None, None) => Target::Inbox,
    }
}

/// Ops without messages.
fn plain(step: Step) -> Op {
    match step {
        Step::Create(login, name, special_use) => Op::CreateMailbox { login, name, special_use },
        Step::Delete(login, name) => Op::DeleteMailbox { login, name },
        Step::Rename(login, from, to) => Op::RenameMailbox { login, from, to },
        Step::Subscribe(login, name, true) => Op::Subscribe { login, name },
        Step::Subscribe(login, name, false) => Op::Unsubscribe { login, name },
        Step::Annotate(login, mailbox, entry, value) => Op::SetAnnotation { login, mailbox, entry, value },
        Step::Grant(login, mailbox, Grant { identifier, rights, until_s }, change, at_s) => {
            let until = Until::Given(until_s);
            Op::SetRights(Box::new(SetRights { login, mailbox, identifier, change, rights, until, at_s }))
        }
        Step::Warned(login, fill_permille) => Op::Warned { login, fill_permille },
        Step::Person(person, verifier, mailboxes, origin) => {
            let mailbox = |(name, special_use)| DefaultMailbox { name, special_use };
            let mailboxes = mailboxes.into_iter().map(mailbox).collect();
            Op::UpsertPerson { person: Box::new(person), verifier, mailboxes, origin: origin.map(origin_of) }
        }
        Step::Alias(alias) => Op::UpsertAlias(Box::new(alias)),
        Step::NoAlias(address) => Op::RemoveAlias(address),
        Step::Claim(login) => Op::ClaimLogin { login, at_s: 5 },
        Step::Verifier(login, verifier) => Op::SetVerifier { login, verifier },
        Step::Standing(login, standing, due_s) => Op::SetStanding { login, standing, due_s },
        Step::Secret(login, secret) => Op::SetSecret { login, secret },
        Step::Erase(login) => Op::ErasePerson { login },
        Step::Access(login, how, at_s, times) => {
            Op::NoteAccesses(vec![Access { login, how, first_s: at_s, last_s: at_s, times }])
        }
        Step::TrimAccesses(before_s) => Op::TrimAccesses { before_s },
        Step::Given(what, login, holder, freed_at_s) => {
            let kind = if login { GivenKind::Login } else { GivenKind::Address };
            Op::NoteGiven(vec![Given { what, kind, holder, at_s: 5, freed_at_s }])
        }
        Step::Progress(id, facts) => Op::Progress { queue_id: QueueId(id), facts },
        Step::Attempt(id, recipient, due_at_s, reply) => {
            Op::Attempt { queue_id: QueueId(id), recipient, at_s: 0, due_at_s, reply }
        }
        Step::Reschedule(id, due_at_s) => Op::Reschedule { queue_id: QueueId(id), due_at_s },
        Step::TrimLog(log, before_s) => trim(log, before_s),
        Step::Settle(id, recipient) => {
            let outcome = [Settled::Delivered, Settled::Failed, Settled::Removed][recipient as usize % 3];
            Op::Settle { queue_id: QueueId(id), recipient, outcome }
        }
        Step::Recast(id, word, facts) => Op::Recast { id: QueueId(id), kind: kind(&word), facts },
        Step::Release(id) => Op::ReleaseQuarantined { id: QueueId(id) },
        Step::Write("loss", words) => Op::RecordLoss(Box::new(Loss {
            kind: words[0].clone(),
            queue_id: QueueId([7; 16]),
            reverse_path: reverse_path(&words[2]),
            recipient: words[3].clone(),
            reason: words[4].clone(),
            at_s: number(&words[5]),
        })),
        Step::Write("decision", words) => Op::LogDecision { at_s: number(&words[0]), row: words[1].clone() },
        Step::Write(_, words) => Op::Audit { at_s: number(&words[0]), who: words[1].clone(), what: words[2].clone() },
        Step::Put("ring", rings) => Op::FlushRings(rings.into_iter().map(|(key, ticks)| Ring { key, ticks }).collect()),
        Step::Put(_, entries) => {
            let (key, value) = entries[0].clone();
            let key = String::from_utf8(key).expect("a setting's name is text");
            Op::Setting { key, value: (!value.is_empty()).then_some(value) }
        }
        Step::Tokens(bucket, counts) => {
            let count = |(token, spam, ham)| TokenCount { token, spam, ham };
            Op::CountTokens { bucket, tokens: counts.into_iter().map(count).collect() }
        }
        Step::Trim(before_ms) => Op::TrimDeliveries { before_ms },
        other => unreachable!("{other:?} has a body or is a half"),
    }
}

/// Where somebody comes from, in the words of the model.
pub fn origin_of([source, foreign_id, registered, until]: naive::Origin) -> Origin {
    let named = PersonSource::ALL.into_iter().find(|it| format!("{it:?}") == source);
    Origin { source: named.unwrap_or_default(), foreign_id, registered, until }
}

fn keep(place: &str, id: naive::Id, item: &Item, body: BodyRef) -> Op {
    let words = &item.words;
    if place == "quarantine" {
        return Op::Quarantine(Box::new(Quarantined {
            id: QueueId(id),
            kind: kind(&words[6]),
            body,
            why: words[0].clone(),
            engine: words[1].clone(),
            signature: words[2].clone(),
            reverse_path: reverse_path(&words[3]),
            recipients: words[4].split_whitespace().map(address_of).collect(),
            facts: item.facts.clone(),
            at_s: number(&words[5]),
        }));
    }
    let recipient = |(due_at_s, _, [path, hop, facts, _]): &Waiting| QueueRecipient {
        forward_path: address_of(path),
        next_hop: match hop.as_str() {
            "local" => NextHop::Local,
            "mx" => NextHop::Mx,
            route => NextHop::Route(route.to_owned()),
        },
        due_at_s: *due_at_s,
        facts: facts.clone().into_bytes(),
    };
    Op::Enqueue(Box::new(crate::Enqueue {
        queue_id: QueueId(id),
        body,
        reverse_path: reverse_path(&words[0]),
        recipients: item.waiting.values().map(recipient).collect(),
        plan: words[1].clone(),
        accepted_at_s: number(&words[2]),
        facts: item.facts.clone(),
    }))
}

fn kind(word: &str) -> Kept {
    Kept::ALL.into_iter().find(|kind| format!("{kind:?}") == word).expect("a kind of a step")
}

fn reverse_path(text: &str) -> ReversePath {
    if text.is_empty() { ReversePath::Null } else { ReversePath::Address(address_of(text)) }
}

/// A reverse-path as the model keeps it.
pub fn path_text(path: &ReversePath) -> String {
    path.address().map(Address::to_string).unwrap_or_default()
}

fn number(text: &str) -> i64 {
    text.parse().expect("a number of a step")
}

/// A refusal in the model's words.
pub fn refused(why: &Refusal) -> Refused {
    let of = |name: &'static str, what: &dyn ToString| (name, what.to_string());
    match why {
        Refusal::NoSuchLogin(login) => of("NoSuchLogin", login),
        Refusal::NoSuchMailbox => of("NoSuchMailbox", &""),
        Refusal::MailboxExists(name) => of("MailboxExists", name),
        Refusal::OverQuota { used_octets, quota_octets } => of("OverQuota", &format!("{used_octets} {quota_octets}")),
        Refusal::InboxStays => of("InboxStays", &""),
        Refusal::TooManyMailboxes => of("TooManyMailboxes", &""),
        Refusal::SpecialUseTaken => of("SpecialUseTaken", &""),
        Refusal::LoginTaken(login) => of("LoginTaken", login),
        Refusal::AddressTaken(address) => of("AddressTaken", address),
        Refusal::Circle(address) => of("Circle", address),
        Refusal::BadName => of("BadName", &""),
        Refusal::NoSuchQueueItem => of("NoSuchQueueItem", &""),
        Refusal::QueueItemExists => of("QueueItemExists", &""),
        Refusal::NoRecipients => of("NoRecipients", &""),
        Refusal::NoSuchQuarantined => of("NoSuchQuarantined", &""),
        Refusal::TooLarge => of("TooLarge", &""),
        Refusal::NoSuchMessage => of("NoSuchMessage", &""),
        Refusal::BodyGone => of("BodyGone", &""),
        Refusal::TooManyAnnotations => of("TooManyAnnotations", &""),
        Refusal::TooManyGrants => of("TooManyGrants", &""),
        Refusal::AlreadyWarned => of("AlreadyWarned", &""),
    }
}

/// The store's answer to one op is the model's. What comes from several shards comes in any order.
pub fn agree(known: &mut Known, expected: &Answer, got: &OpResult, ordered: bool) -> Result<(), TestCaseError> {
    match (expected, got) {
        (Answer::Delivered(one, expected), OpResult::Delivered { duplicate, placed }) => {
            let (mut expected, mut placed) = (expected.clone(), placed.clone());
            if !ordered {
                expected.sort();
                placed.sort_by_key(|it| (it.login.clone(), it.mailbox));
            }
            prop_assert_eq!((*one, expected.len()), (*duplicate, placed.len()));
            for ((login, at, uid), it) in expected.iter().zip(&placed) {
                prop_assert_eq!((login, *uid), (&it.login, it.uid));
                known.check(*at, it.mailbox, it.uidvalidity)?;
            }
        }
        (Answer::Placed(at, expected), OpResult::Appended { mailbox, uidvalidity, uid }) => {
            prop_assert_eq!(expected, &[*uid]);
            known.check(*at, *mailbox, *uidvalidity)?;
        }
        (Answer::Placed(at, expected), OpResult::Imported { mailbox, uidvalidity, uids }) => {
            prop_assert_eq!(expected, uids);
            known.check(*at, *mailbox, *uidvalidity)?;
        }
        (Answer::Placed(at, _), OpResult::Created(mailbox)) => {
            prop_assert!(known.mailboxes.same(*at, *mailbox), "mailbox {} is not {:?}", at, mailbox);
        }
        (Answer::Flagged(expected, failed), OpResult::Flagged { rows, modified }) => {
            let rows: Vec<_> = rows.iter().map(|row| (row.uid, row.flags.to_string(), row.modseq)).collect();
            prop_assert_eq!((expected, failed), (&rows, modified));
        }
        (Answer::Copied(to, expected), OpResult::Copied { uidvalidity, uids }) => {
            prop_assert_eq!(expected, uids);
            known.check(*to, known.mailbox(*to), *uidvalidity)?;
        }
        (Answer::Expunged(expected, at), OpResult::Expunged { uids, modseq }) => {
            prop_assert_eq!((expected, at), (uids, modseq));
        }
        (Answer::Trimmed(expected), OpResult::Trimmed(rows)) => prop_assert_eq!(expected, rows),
        (Answer::Done, OpResult::Done) => {}
        other => return Err(TestCaseError::fail(format!("different answers: {other:?}"))),
    }
    Ok(())
}

fn trim(log: &str, before_s: i64) -> Op {
    match log {
        "loss" => Op::TrimLosses { before_s },
        "audit" => Op::TrimAudit { before_s },
        _ => Op::TrimDecisions { before_s },
    }
}
