//! Single operations of the store: `cargo bench -p tests --bench micro`. A commit pays for its flushes here, alone; what it
//! costs in company says `--bench store -- workload`.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use mail::mime::SummaryParts;
use mail::{Flags, Keyword, Login, MailboxName, Person, SystemFlags};
use store::{
    BodyRef, Deliver, FlagMode, InternalDate, MailboxInfo, Op, Options, RecordEnvelope, SetFlags, Store, Summary,
    Target, UidSet,
};

/// Messages of the mailboxes the reads go to.
const LARGE: u32 = 100_000;
const SMALL: u32 = 1_000;
/// Typical bodies: a short one, and the mean of the workload.
const SIZES: [usize; 2] = [4 << 10, 44 << 10];

static FOLDER: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("facteur-store-micro-{}", std::process::id())));
static STORE: LazyLock<Store> = LazyLock::new(|| filled(&FOLDER.join("indexed")));
/// The same without a search index: something that is no file has its place.
static UNINDEXED: LazyLock<Store> = LazyLock::new(|| {
    let folder = FOLDER.join("unindexed");
    std::fs::create_dir_all(folder.join("search-00.db").join("in-the-way")).expect("a folder of our own");
    filled(&folder)
});
static NEXT: AtomicU64 = AtomicU64::new(0);

fn main() {
    divan::main();
    let _ = std::fs::remove_dir_all(&*FOLDER);
}

/// `large`, `small` and `tagged` have an INBOX each; every message of `tagged` has keywords; `new` gets what the benches
/// deliver.
fn filled(folder: &Path) -> Store {
    let store = Store::open(folder, Options::default()).expect("a folder of our own");
    let people = ["large", "small", "tagged", "new"].map(|name| Op::UpsertPerson {
        person: Box::new(person(name)),
        verifier: None,
        mailboxes: Vec::new(),
        origin: None,
    });
    store.commit_wait(people.into()).expect("new people");
    let body = store.put_body(&[b"Subject: shared\r\n\r\nshared\r\n"]).expect("a body");
    let keywords = ["$Forwarded", "$NotJunk", "Project"].iter().filter_map(|word| Keyword::new(word)).collect();
    let tagged = Flags { system: SystemFlags::SEEN, keywords };
    for (name, messages, flags) in
        [("large", LARGE, Flags::default()), ("small", SMALL, Flags::default()), ("tagged", SMALL, tagged)]
    {
        for start in (0..messages).step_by(1000) {
            let ops = (start..start + 1000).map(|_| delivery(name, body.clone(), flags.clone()));
            store.commit_wait(ops.collect()).expect("deliveries");
        }
    }
    store
}

fn person(name: &str) -> Person {
    Person {
        login: login(name),
        first: "Jean".to_owned(),
        last: "Toto".to_owned(),
        address: format!("{name}@example.org").parse().expect("an address"),
        profile: "standard".to_owned(),
        unit: "bench".to_owned(),
        home: None,
        quota_octets: 1 << 50,
    }
}

fn login(name: &str) -> Login {
    Login::new(name).expect("a login")
}

fn delivery(to: &str, body: BodyRef, flags: Flags) -> Op {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut delivery_id = [0; 16];
    delivery_id[8..].copy_from_slice(&number.to_be_bytes());
    // Conversations of ten, half of them told apart by their subject only, written by some hundreds of people.
    let id = |number: u64| format!("<{number:016x}.micro@mail.example.org>");
    let conversation = number % 10_000;
    let address = |n: u64| format!("((\"Person Number {n}\" NIL \"person.{n}\" \"example.org\"))");
    let (from, addressee) = (address(number * 7_919 % 701), address(number % 13));
    let summary = Summary {
        envelope_imap: format!("(NIL NIL {from} {from} {from} {addressee} NIL NIL NIL NIL)").into_bytes(),
        bodystructure_imap: vec![b's'; 60],
        body_imap: vec![b'b'; 50],
        preview: "p".repeat(40),
        subject: format!("Re: subject {} of a conversation", conversation * 7_919 % 10_007),
        message_id: id(number),
        references: if number < 20_000 {
            String::new()
        } else {
            format!("{} {}", id(conversation), id(number - 10_000))
        },
        sent_date: Some(1_700_000_000 + (number * 7_919 % 100_003) as i64),
        ..Summary::default()
    };
    Op::Deliver(Box::new(Deliver {
        delivery_id,
        recipients: vec![(login(to), Target::Inbox)],
        body,
        summary,
        internal_date: InternalDate::default(),
        flags,
        marks: Vec::new(),
    }))
}

fn inbox(name: &str) -> MailboxInfo {
    inbox_in(&STORE, name)
}

fn inbox_in(store: &Store, name: &str) -> MailboxInfo {
    store.mailbox(&login(name), &MailboxName::inbox()).expect("a read").expect("INBOX")
}

fn body(octets: usize) -> Vec<u8> {
    (0..octets).map(|n| b' ' + (n % 90) as u8).collect()
}

mod bodies {
    use super::*;

    #[divan::bench(args = SIZES)]
    fn crc32c_of(bencher: Bencher, octets: usize) {
        let body = body(octets);
        bencher.counter(BytesCount::new(octets)).bench(|| crc32c::crc32c(black_box(&body)));
    }

    #[divan::bench(args = SIZES)]
    fn blake3_of(bencher: Bencher, octets: usize) {
        let body = body(octets);
        bencher.counter(BytesCount::new(octets)).bench(|| blake3::hash(black_box(&body)));
    }

    /// A record without a body is what the record itself costs: header, envelope, checksums, the write.
    #[divan::bench(args = [0, SIZES[0], SIZES[1]], max_time = 1)]
    fn put(bencher: Bencher, octets: usize) {
        let (body, envelope) = (body(octets), RecordEnvelope { accepted_at_s: 1, ..RecordEnvelope::default() });
        let put = || STORE.put_body_for(&envelope, b"Received: from bench\r\n", &[&body]).expect("a body");
        bencher.counter(BytesCount::new(octets)).bench(put);
    }

    #[divan::bench(args = [0, SIZES[0], SIZES[1]])]
    fn read(bencher: Bencher, octets: usize) {
        let stored = STORE.put_body(&[&body(octets)]).expect("a body");
        bencher.counter(BytesCount::new(octets)).bench(|| STORE.read_body(black_box(&stored)).expect("a body"));
    }
}

mod uids {
    use super::*;

    /// Every second UID: as many ranges as UIDs.
    #[divan::bench(args = [100, 10_000])]
    fn collect(bencher: Bencher, uids: u32) {
        bencher.counter(ItemsCount::new(uids)).bench(|| (0..uids).map(|n| 1 + 2 * n).collect::<UidSet>());
    }

    #[divan::bench(args = [100, 10_000])]
    fn contains(bencher: Bencher, uids: u32) {
        let set: UidSet = (0..uids).map(|n| 1 + 2 * n).collect();
        bencher.bench(|| black_box(&set).contains(black_box(uids)));
    }
}

mod reads {
    use super::*;

    #[divan::bench(args = [SMALL, LARGE])]
    fn select(bencher: Bencher, messages: u32) {
        let login = login(if messages == LARGE { "large" } else { "small" });
        let select = || STORE.select(&login, &MailboxName::inbox()).expect("a read");
        bencher.counter(ItemsCount::new(messages)).bench(select);
    }

    #[divan::bench]
    fn status(bencher: Bencher) {
        LazyLock::force(&STORE);
        bencher.bench(|| inbox("large"));
    }

    /// Rows of a thousand messages: without keywords, and with three each.
    #[divan::bench(args = ["small", "tagged"])]
    fn flags(bencher: Bencher, name: &str) {
        let mailbox = inbox(name).id;
        let read = || STORE.messages(mailbox, &UidSet::all()).expect("a read");
        bencher.counter(ItemsCount::new(SMALL)).bench(read);
    }

    #[divan::bench]
    fn newest_50_envelopes(bencher: Bencher) {
        let mailbox = inbox("large");
        let uids = UidSet::from_ranges([mailbox.uidnext - 50..=mailbox.uidnext]);
        let read = || STORE.summaries(mailbox.id, &uids, SummaryParts::ENVELOPE, 50).expect("a read");
        bencher.counter(ItemsCount::new(50u32)).bench(read);
    }

    /// Arrivals, of a hundred thousand messages.
    #[divan::bench(args = [0, 1, 100])]
    fn changes_since(bencher: Bencher, changes: u64) {
        let mailbox = inbox("large");
        let since = mailbox.highestmodseq - changes;
        bencher.bench(|| STORE.changes_since(mailbox.id, since).expect("a read").expect("INBOX"));
    }
}

/// SORT and THREAD of a hundred thousand messages: what they are ordered by, read from the search index or without it, and the
/// order.
mod order {
    use super::*;
    use mail::order::{Criterion, Facts, Key, KeyParts, Keys, sort};
    use mail::thread::{Algorithm, threads};

    fn keys(store: &Store, parts: KeyParts) -> Keys {
        let uids: Vec<u32> = (1..=LARGE).collect();
        let keys = store.order_keys(inbox_in(store, "large").id, &uids, parts).expect("a read");
        assert_eq!(keys.len(), uids.len());
        keys
    }

    fn facts() -> Vec<Facts> {
        (0..LARGE).map(|n| Facts { arrived_s: i64::from(n), size_octets: u64::from(n % 977) }).collect()
    }

    #[divan::bench(args = [Key::Date, Key::Subject, Key::From])]
    fn read(bencher: Bencher, key: Key) {
        assert!(STORE.settle_search());
        bencher.counter(ItemsCount::new(LARGE)).bench(|| keys(&STORE, key.parts()));
    }

    #[divan::bench(args = [Key::Date, Key::Subject, Key::From], max_time = 2)]
    fn read_unindexed(bencher: Bencher, key: Key) {
        LazyLock::force(&UNINDEXED);
        bencher.counter(ItemsCount::new(LARGE)).bench(|| keys(&UNINDEXED, key.parts()));
    }

    #[divan::bench]
    fn read_for_threads(bencher: Bencher) {
        assert!(STORE.settle_search());
        bencher.counter(ItemsCount::new(LARGE)).bench(|| keys(&STORE, KeyParts::THREAD));
    }

    #[divan::bench(args = [Key::Date, Key::Subject, Key::From])]
    fn sort_by(bencher: Bencher, key: Key) {
        let (keys, facts) = (keys(&STORE, key.parts()), facts());
        let criteria = [Criterion { key, reverse: true }];
        bencher.counter(ItemsCount::new(LARGE)).bench(|| sort(&criteria, black_box(&keys), &facts));
    }

    #[divan::bench(args = [Algorithm::OrderedSubject, Algorithm::References])]
    fn thread_by(bencher: Bencher, algorithm: Algorithm) {
        let keys = keys(&STORE, KeyParts::THREAD);
        let sent: Vec<i64> = (0..keys.len()).map(|at| keys.sent_s(at).unwrap_or(0)).collect();
        bencher.counter(ItemsCount::new(LARGE)).bench(|| threads(algorithm, black_box(&keys), &sent));
    }
}

mod commits {
    use super::*;

    #[divan::bench(args = SIZES, max_time = 2)]
    fn delivery_alone(bencher: Bencher, octets: usize) {
        let content = body(octets);
        LazyLock::force(&STORE);
        bencher.bench(|| {
            let body = STORE.put_body(&[&content]).expect("a body");
            STORE.commit_wait(vec![delivery("new", body, Flags::default())]).expect("a delivery")
        });
    }

    /// In turns set and removed, so that each changes every row.
    #[divan::bench(args = [1, 1000], max_time = 2)]
    fn set_flags(bencher: Bencher, messages: u32) {
        let mailbox = inbox("large").id;
        let uids = UidSet::from_ranges([1..=messages]);
        let flags = Flags { system: SystemFlags::SEEN, ..Flags::default() };
        let set = |mode| SetFlags { mailbox, uids: uids.clone(), mode, flags: flags.clone(), unchanged_since: None };
        let op = |mode| vec![Op::SetFlags(Box::new(set(mode)))];
        bencher.counter(ItemsCount::new(2 * messages)).bench(|| {
            STORE.commit_wait(op(FlagMode::Add)).expect("flags set");
            STORE.commit_wait(op(FlagMode::Remove)).expect("flags removed")
        });
    }
}
