//! The search index gives too much and never too little, whatever happened to its file.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use mail::fold;
use mail::mime::Searched;

use super::*;
use crate::{Expunged, OpenError, UidSet};

const WORDS: [&str; 14] = [
    "étéœuf",
    "Cœur",
    "naïveté",
    "Straße",
    "ÎLOT",
    "plain",
    "zyxwvu",
    "Ωmega",
    "ёлка",
    "日本語",
    "l’heure",
    "a\"b*c",
    "tor^tue",
    "été",
];
const MAILBOXES: [&str; 3] = ["INBOX", "Corbeille", "Dossier"];

/// xorshift: a failing run is the same again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.roll(WORDS.len())]
    }

    /// A line of words, and a message that says it in some encoding.
    fn message(&mut self) -> (String, Vec<u8>) {
        let line: Vec<&str> = (0..1 + self.roll(4)).map(|_| self.word()).collect();
        let line = line.join(" ");
        let subject: String = line.bytes().map(|byte| format!("={byte:02X}")).collect();
        let latin: Option<Vec<u8>> = line.chars().map(|letter| u8::try_from(letter as u32).ok()).collect();
        let escaped = |octets: &[u8]| octets.iter().map(|byte| format!("={byte:02X}")).collect::<String>();
        let (fields, body) = match (self.roll(5), latin) {
            (0, _) => (format!("Subject: =?utf-8?q?{subject}?="), Vec::new()),
            (1, Some(latin)) => ("Content-Type: text/plain; charset=iso-8859-1".to_owned(), latin),
            (2, _) => {
                let fields = "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable";
                (fields.to_owned(), format!("<p class=3D\"x\">{}</p>", escaped(line.as_bytes())).into_bytes())
            }
            (3, _) => {
                let part = format!("--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{line}\r\n--b--\r\n");
                ("Content-Type: multipart/mixed; boundary=b".to_owned(), part.into_bytes())
            }
            _ => ("Content-Type: text/plain; charset=utf-8".to_owned(), line.clone().into_bytes()),
        };
        let mut message = format!("{fields}\r\n\r\n").into_bytes();
        message.extend(body);
        message.extend(b"\r\n");
        (line, message)
    }

    /// A part of a word or of two, with or without its accents.
    fn needle(&mut self) -> String {
        let words: Vec<char> = format!("{} {}", self.word(), self.word()).chars().collect();
        let from = self.roll(words.len());
        let length = 1 + self.roll(words.len() - from);
        let needle: String = words[from..from + length].iter().collect();
        match self.roll(3) {
            0 => needle.to_uppercase(),
            1 => fold(&needle),
            _ => needle,
        }
    }
}

/// What the index and a look into what it leaves open find.
fn found(store: &Store, mailbox: MailboxId, needle: &str) -> Vec<u32> {
    let candidates = store.search_candidates(mailbox, &[fold(needle)]).remove(0);
    assert!(candidates.maybe.is_sorted() && candidates.maybe.iter().all(|uid| *uid <= candidates.known_to));
    let open = |uid: &u32| *uid > candidates.known_to || candidates.maybe.contains(uid);
    looked_into(store, mailbox, needle).into_iter().filter(open).collect()
}

fn looked_into(store: &Store, mailbox: MailboxId, needle: &str) -> Vec<u32> {
    let needle = fold(needle);
    let holds = |content: &[u8]| {
        let searched = Searched::of(content);
        searched.header.contains(&needle) || searched.body.contains(&needle)
    };
    let bodies = store.bodies_of(mailbox, &UidSet::all()).unwrap();
    bodies.into_iter().filter(|(_, body)| holds(&store.read_body(body).unwrap())).map(|(uid, _)| uid).collect()
}

fn all_mailboxes(store: &Store) -> Vec<MailboxId> {
    store.mailboxes(&login("a")).unwrap().iter().map(|mailbox| mailbox.id).collect()
}

fn assert_exact(store: &Store, dice: &mut Dice) {
    for mailbox in all_mailboxes(store) {
        for _ in 0..6 {
            let needle = dice.needle();
            assert_eq!(found(store, mailbox, &needle), looked_into(store, mailbox, &needle), "{needle:?}");
        }
    }
}

/// Opens a folder again. A process that another test starts has our lock for the moment between its fork and its exec.
fn reopen(folder: &Folder) -> Store {
    loop {
        match Store::open(folder.path(), Options::default()) {
            Err(OpenError::Locked { .. }) => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

fn index_file(folder: &Folder) -> PathBuf {
    folder.path().join("search-00.db")
}

fn change(store: &Store, dice: &mut Dice, n: u64) {
    let login = login("a");
    let id = |dice: &mut Dice| store.mailbox(&login, &name(MAILBOXES[dice.roll(3)])).unwrap().map(|it| it.id);
    let uids: UidSet = (0..3).map(|_| 1 + dice.roll(100) as u32).collect();
    let op = match (dice.roll(12), id(dice), id(dice)) {
        (0, Some(from), Some(to)) => Op::Copy { from, uids, to, flags: crate::FlagScope::ALL },
        (1, Some(from), Some(to)) => Op::Move { from, uids, to, flags: crate::FlagScope::ALL },
        (2, Some(mailbox), _) => Op::Expunge { mailbox, which: Expunged::Exactly(uids) },
        (3, ..) if dice.roll(4) == 0 => Op::DeleteMailbox { login, name: name("Dossier") },
        (4, ..) => Op::CreateMailbox { login, name: name("Dossier"), special_use: None },
        _ => {
            let (line, message) = dice.message();
            let body = store.put_body(&[&message]).unwrap();
            let to = if dice.roll(3) == 0 { Target::Special(SpecialUse::Trash) } else { Target::Inbox };
            store.commit_wait(vec![deliver(n, &[("a", to)], &body)]).unwrap();
            let searched = Searched::of(&message);
            let (header, body, line) = (searched.header, searched.body, fold(&line));
            assert!(header.contains(&line) || body.contains(&line), "{line:?} in {header:?} {body:?}");
            return;
        }
    };
    // One that is refused changes nothing.
    let _ = store.commit_wait(vec![op]);
}

/// Something that happens to the file between two runs. `kept` is a copy of an earlier file.
fn mishap(folder: &Folder, dice: &mut Dice, kept: &mut Option<Vec<u8>>) {
    let path = index_file(folder);
    let now = std::fs::read(&path).unwrap_or_default();
    match dice.roll(7) {
        0 => drop(std::fs::remove_file(&path)),
        1 => std::fs::write(&path, &now[..dice.roll(now.len() + 1)]).unwrap(),
        2 => std::fs::write(&path, &now[..now.len() / 4096 / 2 * 4096]).unwrap(),
        3 => std::fs::write(&path, b"not a database, as far as anybody can say").unwrap(),
        4 if now.len() > 8192 => {
            let mut torn = now.clone();
            let page = dice.roll(now.len() / 4096) * 4096;
            torn[page..page + 4096].fill(0);
            std::fs::write(&path, torn).unwrap();
        }
        5 => {
            if let Some(earlier) = kept {
                std::fs::write(&path, earlier).unwrap();
            }
        }
        _ => *kept = Some(now),
    }
}

#[test]
fn answers_are_exact_whatever_happens_to_mail_and_index() {
    for seed in 1..=6 {
        let (folder, mut dice) = (Folder::new("search"), Dice(0x9E37_79B9_7F4A_7C15 ^ seed));
        let mut store = store_with(&folder, &["a"]);
        let (mut kept, mut spared) = (None, 0);
        for n in 1..=160 {
            change(&store, &mut dice, n);
            if dice.roll(4) == 0 {
                assert!(store.settle_search());
            }
            if dice.roll(8) == 0 {
                assert_exact(&store, &mut dice);
            }
            if dice.roll(16) == 0 {
                drop(store);
                mishap(&folder, &mut dice, &mut kept);
                store = reopen(&folder);
                assert_exact(&store, &mut dice);
            }
        }
        assert!(store.settle_search());
        assert_exact(&store, &mut dice);
        for mailbox in all_mailboxes(&store) {
            let candidates = store.search_candidates(mailbox, &["zyxwvu".to_owned()]).remove(0);
            let messages = store.messages(mailbox, &UidSet::all()).unwrap();
            assert!(messages.iter().all(|message| message.uid <= candidates.known_to), "everything is indexed");
            spared += messages.iter().filter(|message| !candidates.maybe.contains(&message.uid)).count();
        }
        assert!(spared > 20, "the index spares looks: {spared}");
    }
}

#[test]
fn an_index_that_is_ahead_of_its_store_is_made_anew() {
    let (folder, other) = (Folder::new("search-back"), Folder::new("search-ahead"));
    let store = store_with(&folder, &["a"]);
    put(&store, 1, "a", "Subject: one\r\n\r\nalpha\r\n");
    assert!(store.settle_search());
    drop(store);
    std::fs::create_dir_all(other.path().join("segments")).unwrap();
    copy_folder(folder.path(), other.path());
    let store = reopen(&folder);
    put(&store, 2, "a", "Subject: two\r\n\r\nbravo\r\n");
    assert!(store.settle_search());
    drop(store);
    // The store of before with the index of after: UID 2 will be another message.
    std::fs::copy(index_file(&folder), index_file(&other)).unwrap();
    let store = reopen(&other);
    put(&store, 3, "a", "Subject: three\r\n\r\ncharlie\r\n");
    assert!(store.settle_search());
    assert_eq!(store.metrics().now().search_rebuilds, 1);
    assert_eq!(found(&store, inbox(&store, "a"), "charlie"), [2]);
    assert_eq!(store.search_candidates(inbox(&store, "a"), &["bravo".to_owned()])[0].maybe, [0; 0]);
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn damage_found_by_a_question_is_mended() {
    let folder = Folder::new("search-damage");
    let store = store_with(&folder, &["a"]);
    let (mut dice, mailbox) = (Dice(7), inbox(&store, "a"));
    (1..=60).for_each(|n| {
        put(&store, n, "a", &format!("Subject: {n}\r\n\r\nzyxwvu {}\r\n", dice.word()));
    });
    assert!(store.settle_search());
    // Under the feet of the open index; its own connection wrote the pages and has them still.
    let file = std::fs::OpenOptions::new().write(true).open(index_file(&folder)).unwrap();
    file.set_len(4096).unwrap();
    std::fs::write(folder.path().join("search-00.db-wal"), b"").unwrap();
    assert_eq!(found(&store, mailbox, "zyxwvu").len(), 60);
    assert!(store.settle_search());
    assert_eq!(store.search_candidates(mailbox, &["zyxwvu".to_owned()])[0].maybe.len(), 60);
    assert_eq!(store.metrics().now().search_rebuilds, 1);
}

#[test]
fn what_cannot_be_indexed_is_always_a_candidate() {
    let folder = Folder::new("search-long");
    let store = store_with(&folder, &["a"]);
    let mailbox = inbox(&store, "a");
    put(&store, 1, "a", "Subject: short\r\n\r\nx\r\n");
    let letters = (0x4e00..0x9fa0).filter_map(char::from_u32).zip(('a'..='z').cycle()).cycle();
    let many: String = letters.take(70_000).flat_map(|(a, b)| [a, b]).collect();
    put(&store, 2, "a", &format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{many} needle\r\n"));
    put(&store, 3, "a", &format!("{}Subject: needle\r\n\r\nx\r\n", "a: b\r\n".repeat(10_000)));
    assert!(store.settle_search());
    let candidates = store.search_candidates(mailbox, &["needle".to_owned()]);
    assert_eq!((candidates[0].known_to, &candidates[0].maybe[..]), (3, &[2, 3][..]));
    store.commit_wait(vec![Op::Expunge { mailbox, which: Expunged::Exactly(UidSet::all()) }]).unwrap();
    assert!(store.settle_search());
    assert_eq!(store.search_candidates(mailbox, &["needle".to_owned()])[0].maybe, [0; 0]);
    assert_eq!(store.search_candidates(mailbox, &["ne".to_owned()])[0].known_to, 0, "too short for the index");
}

#[test]
fn a_mailbox_longer_than_a_read_and_a_batch_is_indexed_whole() {
    let folder = Folder::new("search-many");
    let store = store_with(&folder, &["a"]);
    let mailbox = inbox(&store, "a");
    for slice in 0..13 {
        let ops = (1..=100u64).map(|n| {
            let body = store.put_body(&[format!("Subject: x\r\n\r\nodd{} n{n}\r\n", n % 2).as_bytes()]).unwrap();
            deliver(slice * 1000 + n, &[("a", Target::Inbox)], &body)
        });
        store.commit_wait(ops.collect()).unwrap();
    }
    drop(store);
    std::fs::remove_file(index_file(&folder)).unwrap();
    let store = reopen(&folder);
    assert!(store.settle_search());
    let candidates = store.search_candidates(mailbox, &["odd1".to_owned(), "odd".to_owned()]);
    assert_eq!((candidates[0].known_to, candidates[0].maybe.len()), (1300, 650));
    assert_eq!(candidates[1].maybe.len(), 1300);
    assert_eq!(store.metrics().now().search_indexed, 1300);
    assert_eq!(found(&store, mailbox, "ODD1"), looked_into(&store, mailbox, "odd1"));
}

const FOLDER_VARIABLE: &str = "FACTEUR_SEARCH_CRASH_FOLDER";

/// Runs this test again as the process that is killed.
#[test]
fn an_index_killed_while_it_writes_stays_exact() {
    if let Ok(folder) = std::env::var(FOLDER_VARIABLE) {
        let store = Store::open(folder, Options::default()).unwrap();
        let first = store.mailbox_by_id(inbox(&store, "a")).unwrap().unwrap().uidnext;
        let mut dice = Dice((u64::from(first) << 32) | 1);
        for n in 0..1_000_000u64 {
            change(&store, &mut dice, (u64::from(first) << 32) | (n + 1));
            if n % 3 == 0 {
                store.settle_search();
            }
            std::io::stdout().write_all(b"done.\n").unwrap();
        }
    }
    let folder = Folder::new("search-crash");
    drop(store_with(&folder, &["a"]));
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    for _ in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["tests::search::an_index_killed_while_it_writes_stays_exact", "--exact", "--nocapture"])
            .env(FOLDER_VARIABLE, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let enough = 1 + dice.roll(60);
        assert_eq!(lines.filter(|line| line.contains("done.")).take(enough).count(), enough, "it ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
        let store = reopen(&folder);
        assert_exact(&store, &mut dice);
        assert!(store.settle_search());
        assert_exact(&store, &mut dice);
        assert_eq!(store.metrics().now().search_rebuilds, 0, "a kill damages nothing");
    }
}
