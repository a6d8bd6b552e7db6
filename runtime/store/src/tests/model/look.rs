//! Everything that can be read of a store is what the model has.

use std::collections::BTreeMap;

use mail::Grantee;
use mail::date::DateTime;
use mail::mime::SummaryParts;
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};

use super::lockstep::{Checked, Waist};
use super::naive::{Mailbox, Message, Naive, Number, among, fold};
use super::steps::{LOGINS, NAMES, login_of, name_of};
use super::translate::{Known, date, set, summary, text};
use super::{look_people, look_records};
use crate::{Counts, InternalDate, MailboxId, MailboxInfo, MessageRow, Renderings, Summary, UidSet, Usage};

pub fn at_everything(store: &dyn Waist, model: &Naive, known: &mut Known, shards: u8) -> Checked {
    look_people::at_all(store, model)?;
    look_records::at_all(store, model, known, shards)?;
    for login in LOGINS {
        at_account(store, model, known, login)?;
    }
    for (at, mailbox) in model.mailboxes.iter().enumerate() {
        if mailbox.alive {
            at_mailbox(store, model, known, at)?;
        } else if known.mailboxes.get(at).is_some() {
            at_nothing(store, known.mailbox(at))?;
        }
    }
    validities_only_grow(model, known)?;
    at_shares(store, model, known)?;
    at_sums(store, model)
}

/// What the store finds when it looks at itself.
fn at_sums(store: &dyn Waist, model: &Naive) -> Checked {
    let report = store.verify()?;
    prop_assert_eq!(&report.findings, &[]);
    let alive = || model.mailboxes.iter().filter(|mailbox| mailbox.alive);
    let counts = (alive().count(), alive().map(|mailbox| mailbox.messages.len()).sum::<usize>());
    prop_assert_eq!((report.mailboxes as usize, report.messages as usize), counts);
    prop_assert_eq!(report.accounts as usize, model.accounts.len());
    Ok(())
}

/// What is shared with somebody is found by looking at every list.
fn at_shares(store: &dyn Waist, model: &Naive, known: &Known) -> Checked {
    let names: Vec<Grantee> = ["anyone", "b", "$physics"].iter().filter_map(|name| Grantee::parse(name)).collect();
    let mut found: Vec<_> = store.shared_with(&names, 1_000)?;
    let numbered =
        model.mailboxes.iter().enumerate().filter(|(_, mailbox)| mailbox.alive && !mailbox.grants.is_empty());
    let mut expected: Vec<(MailboxId, &Mailbox)> = numbered.map(|(at, mailbox)| (known.mailbox(at), mailbox)).collect();
    expected.sort_by_key(|(id, _)| *id);
    found.sort_by_key(|shared| shared.mailbox.id);
    prop_assert_eq!(found.len(), expected.len());
    for (mut shared, (id, mailbox)) in found.into_iter().zip(expected) {
        prop_assert_eq!((shared.mailbox.id, shared.account.as_str()), (id, mailbox.account.as_str()));
        shared.grants.sort_by_key(|grant| (grant.identifier.grantee.to_string(), grant.identifier.negative));
        prop_assert_eq!(&shared.grants, &mailbox.grants);
        prop_assert_eq!(store.account_of(id)?, Some(shared.account));
    }
    Ok(())
}

fn at_account(store: &dyn Waist, model: &Naive, known: &mut Known, login: &str) -> Checked {
    let (login, folded) = (login_of(login), fold(&login_of(login)));
    let account = model.accounts.get(&folded).cloned().unwrap_or_default();
    let (used_octets, messages) = model.used(&folded);
    let usage = Usage { used_octets, messages, quota_octets: account.quota, warned_permille: account.warned };
    prop_assert_eq!(store.usage(&login)?, usage, "{}", login);
    let mut expected: Vec<(Number, &Mailbox)> = model.of(&folded).collect();
    expected.sort_by(|one, other| one.1.name.cmp(&other.1.name));
    let found = store.mailboxes(&login)?;
    prop_assert_eq!(found.len(), expected.len(), "{} has {:?}", login, found);
    for ((at, mailbox), info) in expected.into_iter().zip(&found) {
        prop_assert!(known.is(at, info.id, info.uidvalidity), "{:?} is not mailbox {}", info, at);
        prop_assert_eq!(info, &info_of(mailbox, &account.subscribed, info));
    }
    prop_assert_eq!(store.subscriptions(&login)?, account.subscribed.iter().cloned().collect::<Vec<_>>());
    let notes = |notes: &BTreeMap<String, Vec<u8>>| notes.clone().into_iter().collect::<Vec<_>>();
    prop_assert_eq!(store.annotations(&login, None)?, notes(&account.notes));
    for name in NAMES.map(name_of) {
        let mailbox = model.find(&folded, &name).map(|at| &model.mailboxes[at]);
        let notes = mailbox.map(|mailbox| notes(&mailbox.notes)).unwrap_or_default();
        prop_assert_eq!(store.annotations(&login, Some(&name))?, notes, "of {} {}", login, name);
        let info = store.mailbox(&login, &name)?;
        if let (Some(info), Some(mailbox)) = (&info, mailbox) {
            prop_assert_eq!(store.grants(info.id)?, mailbox.grants.clone(), "of {} {}", login, name);
        }
        prop_assert_eq!(info.as_ref(), found.iter().find(|info| info.name == name));
        prop_assert_eq!(store.select(&login, &name)?.map(|selected| selected.mailbox), info);
    }
    Ok(())
}

/// What a mailbox is but for its number and UIDVALIDITY.
fn info_of(
    mailbox: &Mailbox,
    subscribed: &std::collections::BTreeSet<mail::MailboxName>,
    got: &MailboxInfo,
) -> MailboxInfo {
    let with = |flag| mailbox.messages.values().filter(|message| message.mail.flags.system.contains(flag)).count();
    MailboxInfo {
        id: got.id,
        name: mailbox.name.clone(),
        special_use: mailbox.special,
        subscribed: subscribed.contains(&mailbox.name),
        uidvalidity: got.uidvalidity,
        uidnext: mailbox.uidnext,
        highestmodseq: mailbox.modseq,
        counts: Counts {
            messages: mailbox.messages.len() as u32,
            unseen: (mailbox.messages.len() - with(mail::SystemFlags::SEEN)) as u32,
            deleted: with(mail::SystemFlags::DELETED) as u32,
            size_octets: mailbox.messages.values().map(|message| message.mail.octets).sum(),
        },
    }
}

/// Rows as they print, for keywords compare without case.
fn printed(rows: &[MessageRow]) -> Vec<String> {
    let print = |row: &MessageRow| {
        let (date, flags) = (row.internal_date, row.flags.to_string());
        format!("{} ({flags}) {} {} {date:?}", row.uid, row.modseq, row.size_octets)
    };
    rows.iter().map(print).collect()
}

/// The same of an index.
fn entry(entry: mail::index::Entry) -> String {
    let DateTime { unix_seconds: seconds, offset_minutes } = entry.internal_date;
    let (internal_date, size_octets) = (InternalDate { seconds, offset_minutes }, entry.size_octets);
    let row =
        MessageRow { uid: entry.uid, modseq: entry.mod_seq, flags: entry.flags.clone(), size_octets, internal_date };
    printed(&[row]).concat()
}

fn row(uid: u32, message: &Message) -> MessageRow {
    let (flags, size_octets) = (message.mail.flags.clone(), message.mail.octets);
    MessageRow { uid, modseq: message.modseq, flags, size_octets, internal_date: date(&message.mail) }
}

fn at_mailbox(store: &dyn Waist, model: &Naive, known: &mut Known, at: Number) -> Checked {
    let (mailbox, id) = (&model.mailboxes[at], known.mailbox(at));
    let login = login_of(&mailbox.account);
    let selected = store.select(&login, &mailbox.name)?;
    let Some(selected) = selected else { return Err(TestCaseError::fail(format!("no {} {}", login, mailbox.name))) };
    let by_id = store.mailbox_by_id(id)?;
    prop_assert_eq!(by_id.as_ref(), Some(&selected.mailbox));
    let rows = |chosen: &dyn Fn(u32, &Message) -> bool| {
        let chosen = mailbox.messages.iter().filter(|(uid, message)| chosen(**uid, message));
        printed(&chosen.map(|(uid, message)| row(*uid, message)).collect::<Vec<_>>())
    };
    prop_assert_eq!(printed(&selected.messages), rows(&|_, _| true), "{} {}", login, mailbox.name);
    for ranges in [vec![], vec![(2, 3), (5, u32::MAX)], vec![(1, 1), (4, 4), (7, 900)]] {
        prop_assert_eq!(printed(&store.messages(id, &set(&ranges))?), rows(&|uid, _| among(&ranges, uid)));
    }
    for since in 0..=mailbox.modseq + 1 {
        let changes = store.changes_since(id, since)?;
        let Some(changes) = changes else { return Err(TestCaseError::fail("no changes of a mailbox that is there")) };
        prop_assert_eq!((changes.highestmodseq, changes.uidnext), (mailbox.modseq, mailbox.uidnext));
        prop_assert_eq!(printed(&changes.messages), rows(&|_, message| message.modseq > since), "since {}", since);
        let mut gone: Vec<u32> = mailbox.gone.iter().filter(|(modseq, _)| *modseq > since).map(|gone| gone.1).collect();
        gone.sort_unstable();
        prop_assert_eq!(&changes.vanished, &gone, "since {}", since);
        if since % 4 == 0 {
            let listing = store.listing(id, since)?;
            let Some(listing) = listing else {
                return Err(TestCaseError::fail("no listing of a mailbox that is there"));
            };
            prop_assert_eq!(listing.changes, changes);
            prop_assert_eq!(listing.index.iter().map(entry).collect::<Vec<_>>(), rows(&|_, _| true));
        }
    }
    at_summaries(store, mailbox, id)?;
    at_identities(store, mailbox, id, known)?;
    at_bodies(store, mailbox, id)
}

fn at_summaries(store: &dyn Waist, mailbox: &Mailbox, id: MailboxId) -> Checked {
    let few = SummaryParts::SUBJECT.with(SummaryParts::MESSAGE_ID).with(SummaryParts::DATE);
    for (parts, limit) in [(SummaryParts::ALL, usize::MAX), (few, 2)] {
        let found = store.summaries(id, &set(&vec![(1, 2), (4, u32::MAX)]), parts, limit)?;
        let expected = mailbox.messages.iter().filter(|(uid, _)| **uid != 3).take(limit).map(|(uid, message)| {
            let all = summary(&message.mail);
            let whole = all.whole.among(parts);
            let few = Summary {
                subject: all.subject.clone(),
                message_id: all.message_id.clone(),
                sent_date: all.sent_date,
                ..Summary::default()
            };
            (*uid, Summary { whole, ..if parts == SummaryParts::ALL { all } else { few } })
        });
        prop_assert_eq!(found, expected.collect::<Vec<_>>());
    }
    let rendered = mailbox.messages.iter().filter(|(uid, _)| **uid != 3);
    let all: Vec<(u32, Summary)> = rendered.map(|(uid, message)| (*uid, summary(&message.mail))).collect();
    let parts = SummaryParts::ENVELOPE.with(SummaryParts::BODYSTRUCTURE).with(SummaryParts::PREVIEW);
    for octets_max in [30, usize::MAX] {
        let found = store.renderings(id, &set(&vec![(1, 2), (4, u32::MAX)]), parts, octets_max)?;
        let (mut octets, mut messages, mut more_from) = (Vec::new(), Vec::new(), None);
        for (uid, summary) in &all {
            if octets.len() >= octets_max {
                more_from = Some(*uid);
                break;
            }
            octets.extend_from_slice(&summary.envelope_imap);
            let end = octets.len();
            octets.extend_from_slice(&summary.bodystructure_imap);
            let structure_end = octets.len();
            octets.extend_from_slice(summary.preview.as_bytes());
            messages.push((*uid, [end, end, structure_end, octets.len()]));
        }
        prop_assert_eq!(found, Renderings { octets, messages, more_from });
    }
    Ok(())
}

/// Messages have one EMAILID where the model says so, and one THREADID.
fn at_identities(store: &dyn Waist, mailbox: &Mailbox, id: MailboxId, known: &mut Known) -> Checked {
    let found = store.identities(id, &UidSet::all())?;
    prop_assert_eq!(found.len(), mailbox.messages.len());
    for (identity, (uid, message)) in found.iter().zip(&mailbox.messages) {
        prop_assert_eq!(identity.uid, *uid);
        prop_assert!(identity.saved_s > 1_700_000_000);
        let Some(email) = message.mail.email else { return Err(TestCaseError::fail("the model forgot an EMAILID")) };
        prop_assert!(known.emails.same(email, identity.email), "{:?} and {:?}", identity, message);
        let Some(thread) = identity.thread else { return Err(TestCaseError::fail("a message without a thread")) };
        prop_assert!(known.threads.same(message.thread, thread), "{:?} and {:?}", identity, message);
    }
    Ok(())
}

fn at_bodies(store: &dyn Waist, mailbox: &Mailbox, id: MailboxId) -> Checked {
    let found = store.bodies_of(id, &UidSet::all())?;
    prop_assert_eq!(found.len(), mailbox.messages.len());
    for ((found, body), (uid, message)) in found.iter().zip(&mailbox.messages) {
        let text = text(&message.mail);
        prop_assert_eq!((*found, body.len()), (*uid, text.len() as u64));
        prop_assert_eq!(&store.read_body(body)?, &text);
        prop_assert_eq!(store.read_body_range(body, 3, 9)?, text[text.len().min(3)..text.len().min(12)].to_vec());
    }
    Ok(())
}

/// A deleted mailbox is gone in every way.
fn at_nothing(store: &dyn Waist, id: MailboxId) -> Checked {
    prop_assert_eq!(store.mailbox_by_id(id)?, None);
    prop_assert_eq!(store.grants(id)?, []);
    prop_assert_eq!(store.changes_since(id, 0)?, None);
    prop_assert!(store.listing(id, 0)?.is_none());
    prop_assert_eq!(store.messages(id, &UidSet::all())?, []);
    prop_assert_eq!(store.identities(id, &UidSet::all())?, []);
    prop_assert_eq!(store.summaries(id, &UidSet::all(), SummaryParts::ALL, 9)?, []);
    prop_assert_eq!(store.bodies_of(id, &UidSet::all())?.len(), 0);
    Ok(())
}

/// No mailbox of an account, living or gone, has a UIDVALIDITY that one made before it had (RFC 9051 2.3.1.1).
fn validities_only_grow(model: &Naive, known: &Known) -> Checked {
    let mut newest: BTreeMap<&str, u32> = BTreeMap::new();
    for (at, mailbox) in model.mailboxes.iter().enumerate() {
        let Some((_, validity)) = known.validities.get(at) else { continue };
        let before = newest.insert(&mailbox.account, validity);
        prop_assert!(before < Some(validity), "mailbox {} of {} has {}", at, mailbox.account, validity);
    }
    Ok(())
}
