//! `mailbox`: what clients do in one mailbox of many messages.

use std::path::Path;

use mail::index::Index;
use mail::mime::SummaryParts;
use mail::{Flags, MailboxName, SystemFlags};
use store::{
    Append, Expunged, FlagMode, InternalDate, MailboxId, MailboxInfo, Op, Options, Renderings, SetFlags, Store, UidSet,
};

use crate::arguments::Arguments;
use crate::folder::{self, Scratch};
use crate::load::{create_people, delivery, login, summary, text};
use crate::measure::{median, median_ms, timed};
use crate::table::figure;

/// Who has the large mailbox, and who has the small one.
const HUGE: u64 = 0;
const SMALL: u64 = 1;
/// Messages of one commit while the mailbox is filled.
const FILL: u64 = 1000;

pub fn run(arguments: &Arguments) {
    let scratch = Scratch::new(arguments.folder());
    let (messages, rounds) = (arguments.number("messages", 400_000), arguments.rounds(5));
    let mut store = open(scratch.path());
    create_people(&store, 2);
    let (took, ()) = timed(|| fill(&store, HUGE, messages));
    println!("{messages} messages in {:.1} s, {} MiB", took.as_secs_f64(), folder::octets(scratch.path()) >> 20);
    println!("medians of {rounds}; the target stands behind it");
    select(&mut store, scratch.path(), rounds);
    list(&store, rounds);
    changes(&store, rounds);
    write(&store, rounds);
    append(&store);
}

fn open(path: &Path) -> Store {
    Store::open(path, Options::default()).expect("a folder of our own")
}

/// Messages that share a body, which is what makes filling quick and changes nothing of the rows.
pub fn fill(store: &Store, person: u64, messages: u64) {
    let body = store.put_body(&[b"Subject: shared\r\n\r\nshared\r\n"]).expect("a body");
    let numbers: Vec<u64> = (0..messages).map(|n| person << 32 | n).collect();
    for slice in numbers.chunks(FILL as usize) {
        let ops = slice.iter().map(|number| delivery(*number, [person], body.clone()));
        store.commit_wait(ops.collect()).expect("deliveries");
    }
}

fn inbox(store: &Store, person: u64) -> MailboxInfo {
    store.mailbox(&login(person), &MailboxName::inbox()).expect("a read").expect("INBOX")
}

fn row(what: &str, value: f64, unit: &str, target: &str) {
    println!("  {what:<46} {:>12} {unit:<12} {target}", figure(value));
}

/// SELECT needs the row of the mailbox, and its index (`mail::index`) with the first command that asks for messages.
fn select(store: &mut Store, path: &Path, rounds: u64) {
    let (mut first, mut cold) = (Vec::new(), Vec::new());
    for round in 0..rounds * 2 {
        // Every second time the files have to be read from the device as well.
        let elsewhere = Store::open(path.join("elsewhere"), Options::default()).expect("a folder of our own");
        drop(std::mem::replace(store, elsewhere));
        if round % 2 == 1 {
            folder::forget(path);
        }
        *store = open(path);
        let ms = timed(|| index(store).len()).0.as_secs_f64() * 1e3;
        if round % 2 == 1 { cold.push(ms) } else { first.push(ms) }
    }
    row("SELECT: the row of the mailbox", median_ms(rounds, || drop(inbox(store, HUGE))), "ms", "at most 5 ms");
    let warm = median_ms(rounds, || {
        let index = index(store);
        assert!(index.first_without(SystemFlags::SEEN).is_some() && index.keywords().is_empty());
    });
    row("SELECT: with the index at hand, first unseen", warm, "ms", "at most 5 ms");
    row("  index of a store just opened", median(first), "ms", "");
    row("  the same, files read from the device", median(cold), "ms", "");
    let rows = || drop(store.select(&login(HUGE), &MailboxName::inbox()).expect("a read"));
    row("  every row a value of its own", median_ms(rounds, rows), "ms", "");
}

fn index(store: &Store) -> Index {
    let mailbox = inbox(store, HUGE);
    store.listing(mailbox.id, mailbox.highestmodseq).expect("a read").expect("INBOX").index
}

fn list(store: &Store, rounds: u64) {
    let mailbox = inbox(store, HUGE);
    let mut rows = 0;
    let ms = median_ms(rounds, || {
        // Each row is looked at, whatever the compiler thinks of it.
        rows = index(store).iter().map(std::hint::black_box).count();
    });
    row("listing flags", rows as f64 / ms * 1e3, "messages/s", "at least 2,000,000");
    let newest = UidSet::from_ranges([mailbox.uidnext.saturating_sub(50)..=mailbox.uidnext]);
    let ms = median_ms(rounds, || {
        assert_eq!(store.summaries(mailbox.id, &newest, SummaryParts::ALL, 50).expect("a read").len(), 50);
    });
    row("summaries of the newest 50", ms, "ms", "at most 2 ms");
    let ms = median_ms(rounds, || drop(renderings(store, mailbox.id, &newest)));
    row("ENVELOPE of the newest 50", ms, "ms", "");
    let ms = median_ms(rounds, || {
        let (mut from, mut found) = (Some(1), 0);
        while let Some(first) = from {
            let slice = renderings(store, mailbox.id, &UidSet::from_ranges([first..=u32::MAX]));
            found += slice.messages.len();
            from = slice.more_from;
        }
        assert_eq!(found, rows);
    });
    row("ENVELOPE of all", ms * 100_000.0 / rows as f64, "ms/100,000", "at most 300");
}

fn renderings(store: &Store, mailbox: MailboxId, uids: &UidSet) -> Renderings {
    store.renderings(mailbox, uids, SummaryParts::ENVELOPE, 256 << 10).expect("a read")
}

/// So many messages, spread over the mailbox.
fn spread(mailbox: &MailboxInfo, count: u32, shift: u32) -> UidSet {
    let step = (mailbox.uidnext / count).max(1);
    (0..count).map(|n| 1 + (shift + n * step) % (mailbox.uidnext - 1)).collect()
}

fn set_flags(store: &Store, mailbox: MailboxId, uids: UidSet, mode: FlagMode, flag: SystemFlags) {
    let flags = Flags { system: flag, ..Flags::default() };
    let set = SetFlags { mailbox, uids, mode, flags, unchanged_since: None };
    store.commit_wait(vec![Op::SetFlags(Box::new(set))]).expect("flags");
}

fn changes(store: &Store, rounds: u64) {
    let mailbox = inbox(store, HUGE);
    for count in [1, 100, 10_000] {
        let since = inbox(store, HUGE).highestmodseq;
        set_flags(store, mailbox.id, spread(&mailbox, count, count), FlagMode::Add, SystemFlags::FLAGGED);
        let mut found = 0;
        let ms = median_ms(rounds, || {
            found = store.changes_since(mailbox.id, since).expect("a read").expect("INBOX").messages.len();
        });
        row(&format!("changes since, {found} changed"), ms, "ms", "grows with the changes");
    }
}

fn write(store: &Store, rounds: u64) {
    let mailbox = inbox(store, HUGE);
    let mut shift = 0;
    for count in [1, 1000] {
        let mut round = || {
            shift += 1;
            set_flags(store, mailbox.id, spread(&mailbox, count, shift), FlagMode::Add, SystemFlags::SEEN);
        };
        row(&format!("STORE of {count}, durable"), median_ms(rounds, &mut round), "ms", "");
    }
    let mut expunged = Vec::new();
    for round in 0..rounds as u32 {
        set_flags(store, mailbox.id, spread(&mailbox, 1000, round * 7), FlagMode::Add, SystemFlags::DELETED);
        let op = Op::Expunge { mailbox: mailbox.id, which: Expunged::Deleted };
        expunged.push(timed(|| store.commit_wait(vec![op]).expect("an expunge")).0.as_secs_f64() * 1e3);
    }
    row("EXPUNGE of 1000, durable", median(expunged), "ms", "");
}

fn append(store: &Store) {
    const APPENDS: u64 = 200;
    let mut of_small = Vec::new();
    let mut of_huge = Vec::new();
    for n in 0..APPENDS {
        of_small.push(append_one(store, SMALL, n));
        of_huge.push(append_one(store, HUGE, n));
    }
    let (small, huge) = (median(of_small), median(of_huge));
    row("APPEND of 4 KB, durable, into a small account", small, "ms", "at most 1 ms");
    row("APPEND of 4 KB, durable, into the large one", huge, "ms", "the same");
    row("  ratio", huge / small, "", "");
}

/// In milliseconds.
fn append_one(store: &Store, person: u64, number: u64) -> f64 {
    let work = || {
        let append = Append {
            login: login(person),
            mailbox: MailboxName::inbox(),
            body: store.put_body(&[text(4000)]).expect("a body"),
            summary: summary(1 << 60 | number << 8 | person),
            flags: Flags::default(),
            internal_date: InternalDate::default(),
        };
        store.commit_wait(vec![Op::Append(Box::new(append))]).expect("an append");
    };
    timed(work).0.as_secs_f64() * 1e3
}
