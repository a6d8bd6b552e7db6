//! How fast one large mailbox is read: `cargo run --release -p store --example mailbox_bench -- [MESSAGES...]`.
//!
//! Each figure is the median of nine rounds. `select`, which reads every row into a value of its own, is the measure for the
//! others: absolute times move with the machine, ratios in one run hold.

use std::path::Path;
use std::time::Instant;

use mail::mime::SummaryParts;
use mail::{Flags, Login, MailboxName, Person, SystemFlags};
use store::{Deliver, FlagMode, InternalDate, MailboxId, Op, Options, SetFlags, Store, Summary, Target, UidSet};

const ROUNDS: usize = 9;

fn main() {
    let mut sizes: Vec<u32> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![100_000, 400_000];
    }
    for messages in sizes {
        let folder = std::env::temp_dir().join("facteur-mailbox-bench");
        let _ = std::fs::remove_dir_all(&folder);
        let store = Store::open(&folder, Options::default()).expect("a folder of our own");
        println!("{messages} messages");
        fill(&store, messages);
        drop(store);
        let first = first_looks(&folder);
        let store = Store::open(&folder, Options::default()).expect("the same folder");
        let inbox = inbox(&store);
        read(&store, inbox, messages, first);
        change(&store, inbox);
        drop(store);
        let _ = std::fs::remove_dir_all(&folder);
    }
}

fn login() -> Login {
    Login::new("toto-j").expect("a login")
}

/// Messages that share a body: only the metadata matters here. One in eight is unseen, one in fifty has a keyword.
fn fill(store: &Store, messages: u32) {
    let person = Person {
        login: login(),
        first: "Jean".to_owned(),
        last: "Toto".to_owned(),
        address: "toto-j@example.org".parse().expect("an address"),
        profile: "standard".to_owned(),
        unit: "bench".to_owned(),
        home: None,
        quota_octets: 1 << 40,
    };
    let person = Op::UpsertPerson { person: Box::new(person), verifier: None, mailboxes: Vec::new() };
    store.commit_wait(vec![person]).expect("a person");
    let body = store.put_body(&[b"shared"]).expect("a body");
    let keyword = mail::Keyword::new("$Forwarded").expect("a keyword");
    let numbers: Vec<u32> = (0..messages).collect();
    for slice in numbers.chunks(1_000) {
        let ops = slice.iter().map(|n| {
            let mut delivery_id = [0; 16];
            delivery_id[12..].copy_from_slice(&n.to_be_bytes());
            let system = if n % 8 == 0 { SystemFlags::NONE } else { SystemFlags::SEEN };
            let keywords = (n % 50 == 0).then(|| keyword.clone()).into_iter().collect();
            Op::Deliver(Box::new(Deliver {
                delivery_id,
                recipients: vec![(login(), Target::Inbox)],
                body: body.clone(),
                summary: Summary {
                    envelope_imap: vec![b'e'; 280],
                    bodystructure_imap: vec![b's'; 90],
                    body_imap: vec![b'b'; 70],
                    preview: "p".repeat(100),
                    subject: "s".repeat(40),
                    from: "f".repeat(40),
                    to: "t".repeat(30),
                    message_id: "m".repeat(40),
                    ..Summary::default()
                },
                internal_date: InternalDate { seconds: 1_700_000_000 + i64::from(*n), offset_minutes: 60 },
                flags: Flags { system, keywords },
            }))
        });
        store.commit_wait(ops.collect()).expect("a delivery");
    }
}

fn inbox(store: &Store) -> MailboxId {
    store.mailbox(&login(), &MailboxName::inbox()).expect("a read").expect("INBOX").id
}

/// The first look at a mailbox in a store that was just opened; its pages are in the cache of the system. In milliseconds.
fn first_looks(folder: &Path) -> f64 {
    let look = || {
        let store = Store::open(folder, Options::default()).expect("the same folder");
        let inbox = inbox(&store);
        let modseq = store.mailbox_by_id(inbox).expect("a read").expect("INBOX").highestmodseq;
        time(1, || store.listing(inbox, modseq).expect("a read").expect("INBOX").index.len()).0
    };
    let mut looks: Vec<f64> = (0..5).map(|_| look()).collect();
    looks.sort_unstable_by(f64::total_cmp);
    looks[2]
}

fn read(store: &Store, inbox: MailboxId, messages: u32, first: f64) {
    let newest = store.mailbox_by_id(inbox).expect("a read").expect("INBOX");
    let modseq = newest.highestmodseq;
    let (select, _) =
        time(ROUNDS, || store.select(&login(), &newest.name).expect("a read").expect("INBOX").messages.len());
    let say = |what: &str, ms: f64| println!("  {what:<44} {ms:>9.3} ms   {:>8.4} of select", ms / select);
    say("select: every row a value of its own", select);
    let (status, _) = time(ROUNDS, || store.mailbox(&login(), &newest.name).expect("a read").map_or(0, |_| 1));
    say("SELECT, nothing read lately: the mailbox row", status);
    say("index, nothing read lately: every row", first);
    let warm = || store.listing(inbox, modseq).expect("a read").expect("INBOX").index;
    let (ms, _) = time(ROUNDS, || warm().len());
    say("index at hand", ms);
    let (ms, _) = time(ROUNDS, || {
        let index = warm();
        index.keywords().len() + index.first_without(SystemFlags::SEEN).unwrap_or(0)
    });
    say("SELECT, index at hand: keywords, first unseen", ms);
    let (ms, _) = time(ROUNDS, || warm().iter().filter(|row| row.flags.system.contains(SystemFlags::SEEN)).count());
    say("flags of all, index at hand", ms);
    println!("    {:.1} million messages/s; read row by row {:.1}", rate(messages, ms), rate(messages, first));
    let last = UidSet::from_ranges([newest.uidnext - 50..=newest.uidnext]);
    let (ms, _) = time(ROUNDS, || store.summaries(inbox, &last, SummaryParts::ALL, 50).expect("a read").len());
    say("summaries of the newest 50, all parts", ms);
    let (ms, _) = time(ROUNDS, || {
        store.renderings(inbox, &last, SummaryParts::ENVELOPE, 1 << 20).expect("a read").messages.len()
    });
    say("renderings of the newest 50", ms);
    let everything = |octets_max| {
        let (mut from, mut found) = (Some(1), 0);
        while let Some(first) = from {
            let set = UidSet::from_ranges([first..=u32::MAX]);
            let slice = store.renderings(inbox, &set, SummaryParts::ENVELOPE, octets_max).expect("a read");
            found += slice.messages.len();
            from = slice.more_from;
        }
        found
    };
    let (ms, _) = time(3, || everything(256 * 1024));
    say("ENVELOPE of all, in slices", ms);
    println!("    {:.2} million messages/s", rate(messages, ms));
    println!("    the index takes {:.1} octets a message", warm().octets() as f64 / f64::from(messages));
}

/// The work has to grow with the changes.
fn change(store: &Store, inbox: MailboxId) {
    for count in [1, 10, 100, 1_000, 10_000] {
        let since = store.mailbox_by_id(inbox).expect("a read").expect("INBOX").highestmodseq;
        store.listing(inbox, since).expect("a read");
        let uids = (0..count).map(|n| 1 + n * 7).collect();
        let flags = Flags::system(SystemFlags::from_bits(if since.is_multiple_of(2) { 4 } else { 2 }));
        let set = SetFlags { mailbox: inbox, uids, mode: FlagMode::Replace, flags, unchanged_since: None };
        store.commit_wait(vec![Op::SetFlags(Box::new(set))]).expect("a change");
        // The first look brings the index up to date; the others only list the changes.
        let (first, _) =
            time(1, || store.listing(inbox, since).expect("a read").expect("INBOX").changes.messages.len());
        let (ms, found) =
            time(ROUNDS, || store.changes_since(inbox, since).expect("a read").expect("INBOX").messages.len());
        println!(
            "  {found:>6} changes: {ms:>8.3} ms, {:>6.2} µs each; with the index {first:>8.3} ms",
            ms * 1e3 / f64::from(count)
        );
    }
}

fn rate(messages: u32, ms: f64) -> f64 {
    f64::from(messages) / ms / 1e3
}

/// Median in milliseconds, and what the work gave.
fn time(rounds: usize, work: impl Fn() -> usize) -> (f64, usize) {
    let mut found = 0;
    let mut times: Vec<f64> = (0..rounds)
        .map(|_| {
            let started = Instant::now();
            found = std::hint::black_box(work());
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_unstable_by(f64::total_cmp);
    (times[rounds / 2], found)
}
