//! How fast the search index grows and answers: `cargo run --release -p store --example search_bench -- [MESSAGES] [TEXTS]`.
//!
//! TEXTS is a file that names text files, one on a line; without it the text is made of 20,000 words as often as words are
//! (Zipf). Messages are lognormal about 2.5 KB of text, a fifth of them HTML beside plain text in base64. Each figure
//! stands beside a scan of the same mailbox in the same run.

use std::path::Path;
use std::time::Instant;

use mail::mime::Searched;
use mail::{Flags, Login, MailboxName, Person, fold};
use store::{Deliver, InternalDate, MailboxId, Op, Options, Store, Summary, Target, UidSet};

/// Each is in one message: the last but nine.
const RARE: &str = "Zyxwœvut";

fn main() {
    let mut arguments = std::env::args().skip(1);
    let messages: usize = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let texts = arguments.next().map_or_else(|| words(&mut random), |list| read_texts(&list));
    let folder = std::env::temp_dir().join("facteur-search-bench");
    let _ = std::fs::remove_dir_all(&folder);
    let store = Store::open(&folder, Options::default()).expect("a folder of our own");
    let (octets, text) = fill(&store, &texts, messages, &mut random);
    println!("{messages} messages, {:.1} MB, {:.1} MB of folded text", octets as f64 / 1e6, text as f64 / 1e6);
    let store = rebuild(&folder, store, messages, octets, text);
    let inbox = store.mailbox(&login(), &MailboxName::inbox()).expect("a read").expect("INBOX").id;
    println!("needle                candidates  found   index ms   look ms   both ms     scan ms   ratio");
    for needle in ["zyxwœvut", "qqxzj kkq", "the", "information", "license", "because of the", "é", "x-number: 77"] {
        ask(&store, inbox, needle);
    }
    freshness(&store, inbox);
    drop(store);
    let _ = std::fs::remove_dir_all(&folder);
}

/// Deletes the index and waits until it is there again: messages per second, CPU, size.
fn rebuild(folder: &Path, store: Store, messages: usize, octets: u64, text: u64) -> Store {
    store.settle_search();
    drop(store);
    let file = folder.join("search-00.db");
    std::fs::remove_file(&file).expect("an index");
    let (started, cpu) = (Instant::now(), cpu_us());
    let store = Store::open(folder, Options::default()).expect("the same folder");
    assert!(store.settle_search());
    let (elapsed, cpu) = (started.elapsed().as_secs_f64(), (cpu_us() - cpu) as f64);
    drop(store);
    let size = std::fs::metadata(&file).map_or(0, |file| file.len());
    println!(
        "indexed: {:.1} s, {:.0} messages/s, {:.1} MB/s of mail, {:.0} µs CPU each; {:.1} MB on disk, {:.2} of the text; RSS {} MB",
        elapsed,
        messages as f64 / elapsed,
        octets as f64 / elapsed / 1e6,
        cpu / messages as f64,
        size as f64 / 1e6,
        size as f64 / text as f64,
        resident_mb(),
    );
    Store::open(folder, Options::default()).expect("the same folder")
}

fn ask(store: &Store, inbox: MailboxId, needle: &str) {
    store.settle_search();
    let folded = fold(needle);
    let texts = [folded.clone()];
    let mut index_ms = f64::MAX;
    for _ in 0..5 {
        let started = Instant::now();
        store.search_candidates(inbox, &texts);
        index_ms = index_ms.min(started.elapsed().as_secs_f64() * 1e3);
    }
    let candidates = store.search_candidates(inbox, &texts).remove(0);
    let maybe = candidates.maybe.iter().map(|uid| *uid..=*uid);
    let open = UidSet::from_ranges(maybe.chain([candidates.known_to.saturating_add(1)..=u32::MAX]));
    let (found, look_ms) = look(store, inbox, &open, &folded);
    let (all, scan_ms) = look(store, inbox, &UidSet::all(), &folded);
    assert_eq!(found, all, "exact");
    let both = index_ms + look_ms;
    println!(
        "{needle:<20}  {:>10}  {found:>5}  {index_ms:>9.2}  {look_ms:>8.1}  {both:>8.1}  {scan_ms:>10.1}  {:>6.1}",
        if candidates.known_to == 0 { -1 } else { candidates.maybe.len() as i64 },
        scan_ms / both
    );
}

fn look(store: &Store, inbox: MailboxId, uids: &UidSet, folded: &str) -> (usize, f64) {
    let started = Instant::now();
    let bodies = store.bodies_of(inbox, uids).expect("a read");
    let holds = |content: &[u8]| {
        let searched = Searched::of(content);
        searched.header.contains(folded) || searched.body.contains(folded)
    };
    let found = bodies.iter().filter(|(_, body)| holds(&store.read_body(body).expect("a body"))).count();
    (found, started.elapsed().as_secs_f64() * 1e3)
}

/// From a delivery to its place in the index, when somebody waits for it.
fn freshness(store: &Store, inbox: MailboxId) {
    let mut worst: f64 = 0.0;
    for n in 0..20u64 {
        deliver(store, &[format!("Subject: fresh\r\n\r\nfresh {n}\r\n").into_bytes()], u64::MAX - n);
        let started = Instant::now();
        assert!(store.settle_search());
        worst = worst.max(started.elapsed().as_secs_f64() * 1e3);
    }
    let found = store.search_candidates(inbox, &["fresh 19".to_owned()]).remove(0).maybe.len();
    println!("one message indexed in at most {worst:.1} ms, {found} found");
}

fn fill(store: &Store, texts: &str, messages: usize, random: &mut Random) -> (u64, u64) {
    let person = Person {
        login: login(),
        first: "Jean".to_owned(),
        last: "Toto".to_owned(),
        address: "user@example.org".parse().expect("an address"),
        profile: "standard".to_owned(),
        unit: "bench".to_owned(),
        home: None,
        quota_octets: 1 << 50,
    };
    store
        .commit_wait(vec![Op::UpsertPerson {
            person: Box::new(person),
            verifier: None,
            mailboxes: Vec::new(),
            origin: None,
        }])
        .expect("a person");
    let (mut octets, mut text, mut waiting) = (0, 0, Vec::new());
    for n in 0..messages {
        let mut start = random.next() as usize % (texts.len() - 300_000);
        start = texts.ceil_char_boundary(start);
        let mut content = texts[start..texts.ceil_char_boundary(start + random.size())].to_owned();
        if n + 10 == messages {
            content.push_str(RARE);
        }
        let message = message(n, &content, random);
        let searched = Searched::of(&message);
        text += (searched.header.len() + searched.body.len()) as u64;
        octets += message.len() as u64;
        waiting.push(message);
        if waiting.len() == 256 || n + 1 == messages {
            deliver(store, &waiting, n as u64);
            waiting.clear();
        }
    }
    (octets, text)
}

fn message(n: usize, content: &str, random: &mut Random) -> Vec<u8> {
    let head = format!(
        "Received: from relay{}.example.net by mx.example.org; Mon, 1 Feb 2021 00:30:00 +0100\r\nFrom: User {} <user{}@example.net>\r\n\
         To: user@example.org\r\nSubject: about {n}\r\nX-Number: {n}\r\nMessage-ID: <{n}.{}@example.net>\r\nMIME-Version: 1.0\r\n",
        random.next() % 100,
        random.next() % 1000,
        random.next() % 1000,
        random.next()
    );
    if !n.is_multiple_of(5) {
        return format!("{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{content}\r\n").into_bytes();
    }
    let encoded = base64(content.as_bytes());
    format!(
        "{head}Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{encoded}\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
         <html><body><p style=\"margin:0\">{content}</p></body></html>\r\n--b--\r\n"
    )
    .into_bytes()
}

fn base64(octets: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(octets.len() * 3 / 2);
    for (n, group) in octets.chunks(3).enumerate() {
        if n % 19 == 18 {
            text.push_str("\r\n");
        }
        let bits = group.iter().fold(0u32, |bits, octet| bits << 8 | u32::from(*octet)) << (8 * (3 - group.len()));
        let letters = (0..4)
            .map(|at| if at <= group.len() { char::from(LETTERS[(bits >> (18 - 6 * at) & 63) as usize]) } else { '=' });
        text.extend(letters);
    }
    text
}

fn deliver(store: &Store, messages: &[Vec<u8>], n: u64) {
    let ops = messages.iter().enumerate().map(|(at, message)| {
        let mut delivery_id = [0; 16];
        delivery_id[..8].copy_from_slice(&n.to_be_bytes());
        delivery_id[8..].copy_from_slice(&(at as u64).to_be_bytes());
        Op::Deliver(Box::new(Deliver {
            delivery_id,
            recipients: vec![(login(), Target::Inbox)],
            body: store.put_body(&[message]).expect("a body"),
            summary: Summary::default(),
            internal_date: InternalDate::default(),
            flags: Flags::default(),
            marks: Vec::new(),
        }))
    });
    store.commit_wait(ops.collect()).expect("a delivery");
}

fn login() -> Login {
    Login::new("user").expect("a login")
}

fn read_texts(list: &str) -> String {
    let mut texts = String::new();
    for file in std::fs::read_to_string(list).expect("a list of files").lines() {
        texts.push_str(&std::fs::read_to_string(file).unwrap_or_default());
        if texts.len() > 200_000_000 {
            break;
        }
    }
    texts
}

/// Syllables make words, and the n-th word is n times rarer than the first.
fn words(random: &mut Random) -> String {
    const SYLLABLES: [&str; 24] = [
        "ta", "ren", "mé", "lo", "che", "in", "for", "ma", "tion", "qu", "é", "vi", "sur", "pre", "con", "de", "bli",
        "ness", "our", "ment", "ça", "œu", "gra", "ter",
    ];
    let mut vocabulary: Vec<String> = ["the", "information", "license", "because of the"].map(str::to_owned).to_vec();
    while vocabulary.len() < 20_000 {
        let syllables = 1 + random.next() % 4;
        vocabulary.push((0..syllables).map(|_| SYLLABLES[(random.next() % 24) as usize]).collect());
    }
    let mut text = String::new();
    while text.len() < 30_000_000 {
        let rank = (20_000f64.powf(random.unit()) as usize).min(vocabulary.len() - 1);
        text.push_str(&vocabulary[rank]);
        text.push_str(if random.next().is_multiple_of(12) { ".\r\n" } else { " " });
    }
    text
}

/// xorshift; the figures do not need better.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64 + 1e-12
    }

    /// Box and Muller.
    fn size(&mut self) -> usize {
        let gauss = (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos();
        ((2_500.0 * (1.2 * gauss).exp()) as usize).clamp(200, 200_000)
    }
}

/// User and system time of this process; the kernel counts in hundredths of a second.
fn cpu_us() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| after_name.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    (ticks(11) + ticks(12)) * 10_000
}

fn resident_mb() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) / 1024
}
