//! The index of a mailbox against its rows, whatever happens between two looks.

use mail::{Flags, Keyword};

use super::*;
use crate::{Expunged, FlagMode, SetFlags, UidSet, Vanished};

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

/// What the index must say: each row as it is read one by one.
#[track_caller]
fn check(store: &Store, mailbox: MailboxId, since: u64) -> u64 {
    let listing = store.listing(mailbox, since).unwrap().unwrap();
    let rows = store.messages(mailbox, &UidSet::all()).unwrap();
    assert!(listing.index.iter().eq(rows.iter().map(crate::MessageRow::entry)));
    for (entry, row) in listing.index.iter().zip(&rows) {
        assert_eq!(entry.flags.to_string(), row.flags.to_string(), "as spelled");
    }
    assert_eq!(listing.changes, store.changes_since(mailbox, since).unwrap().unwrap());
    let vanished = &listing.changes.vanished;
    let named = |limit| store.vanished_since(mailbox, since, limit).unwrap().unwrap();
    assert_eq!(named(vanished.len()), Vanished::Uids(vanished.clone()));
    assert!(vanished.is_empty() || named(vanished.len() - 1) == Vanished::Many);
    listing.changes.highestmodseq
}

fn change(store: &Store, mailbox: MailboxId, other: MailboxId, dice: &mut Dice, n: u64) {
    let top = store.mailbox_by_id(mailbox).unwrap().unwrap().uidnext as usize;
    let from = dice.roll(top) as u32;
    let uids = UidSet::from_ranges([from..=from + dice.roll(30) as u32]);
    let op = match dice.roll(6) {
        0 | 1 => return (0..=dice.roll(3) as u64).for_each(|more| drop(put(store, n * 8 + more, "a", "hello"))),
        2 => Op::Expunge { mailbox, which: Expunged::Exactly(UidSet::from_ranges([from..=from + 1])) },
        3 => Op::Move {
            from: mailbox,
            uids: UidSet::from_ranges([from..=from]),
            to: [mailbox, other][dice.roll(2)],
            flags: crate::FlagScope::ALL,
        },
        _ => {
            let word = ["a", "A", "$Junk"][dice.roll(3)];
            let keywords = Keyword::new(word).into_iter().filter(|_| dice.roll(2) == 0).collect();
            let flags = Flags { system: SystemFlags::from_bits(dice.roll(32) as u8), keywords };
            let mode = [FlagMode::Add, FlagMode::Remove, FlagMode::Replace][dice.roll(3)];
            Op::SetFlags(Box::new(SetFlags { mailbox, uids, mode, flags, unchanged_since: None }))
        }
    };
    store.commit_wait(vec![op]).unwrap();
}

#[test]
fn an_index_says_what_the_rows_say_whenever_it_was_looked_at_last() {
    let folder = Folder::new("listing");
    let mut store = store_with(&folder, &["a"]);
    let mailbox = inbox(&store, "a");
    let other = store.mailbox(&login("a"), &name("Corbeille")).unwrap().unwrap().id;
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut since = 0;
    let mut held = store.listing(mailbox, 0).unwrap().unwrap().index;
    for n in 1..=250 {
        change(&store, mailbox, other, &mut dice, n);
        if dice.roll(3) > 0 {
            let before: Vec<u32> = held.iter().map(|entry| entry.uid).collect();
            let now = check(&store, mailbox, since);
            assert!(held.iter().map(|entry| entry.uid).eq(before), "what somebody holds stays as it was");
            if dice.roll(3) == 0 {
                since = now;
                held = store.listing(mailbox, since).unwrap().unwrap().index;
            }
        }
        if n == 125 {
            drop(store);
            store = folder.open();
            assert!(!store.has_index(&store.mailbox_by_id(mailbox).unwrap().unwrap()));
        }
    }
    check(&store, other, 0);
    store.commit_wait(vec![Op::DeleteMailbox { login: login("a"), name: name("Corbeille") }]).unwrap();
    assert!(store.listing(other, 0).unwrap().is_none());
}

#[test]
fn renderings_lie_side_by_side_and_go_on_where_they_stopped() {
    let folder = Folder::new("renderings");
    let store = store_with(&folder, &["a"]);
    let mailbox = inbox(&store, "a");
    let body = store.put_body(&[b"hello"]).unwrap();
    for n in 1..=5u64 {
        let Op::Deliver(mut message) = deliver(n, &[("a", Target::Inbox)], &body) else { unreachable!() };
        message.summary.envelope_imap = format!("(envelope {n})").into_bytes();
        message.summary.bodystructure_imap = format!("(structure {n})").into_bytes();
        message.summary.body_imap = format!("(body {n})").into_bytes();
        message.summary.preview = format!("é{n}");
        store.commit_wait(vec![Op::Deliver(message)]).unwrap();
    }
    let all = SummaryParts::ENVELOPE.with(SummaryParts::BODY).with(SummaryParts::BODYSTRUCTURE);
    let found = store.renderings(mailbox, &[1, 4, 9].into_iter().collect(), all, 1_000).unwrap();
    assert_eq!(found.octets, b"(envelope 1)(body 1)(structure 1)(envelope 4)(body 4)(structure 4)");
    assert_eq!(found.messages, [(1, [12, 20, 33, 33]), (4, [45, 53, 66, 66])]);
    assert_eq!(found.more_from, None);
    let parts = SummaryParts::PREVIEW.with(SummaryParts::BODY);
    let found = store.renderings(mailbox, &[2].into_iter().collect(), parts, 1_000).unwrap();
    assert_eq!((found.octets.as_slice(), found.messages), ("(body 2)é2".as_bytes(), vec![(2, [0, 8, 8, 11])]));
    let found = store.renderings(mailbox, &UidSet::all(), SummaryParts::BODY, 10).unwrap();
    assert_eq!((found.octets.as_slice(), found.more_from), (&b"(body 1)(body 2)"[..], Some(3)));
    assert_eq!(found.messages, [(1, [0, 8, 8, 8]), (2, [8, 16, 16, 16])]);
    let rest = store.renderings(mailbox, &UidSet::from_ranges([3..=u32::MAX]), SummaryParts::BODY, 100).unwrap();
    assert_eq!((rest.octets.as_slice(), rest.more_from), (&b"(body 3)(body 4)(body 5)"[..], None));
}
