//! The mail of the store workload (`design.md` 7): lognormal sizes (median 10 KB, mean 44 KB, cap 5 MB), 1 to 3 recipients
//! (mean 1.4) of 10,000 people, some 300 octets of summary, a Message-ID each, every fifth an answer.

use std::sync::LazyLock;

use mail::{Flags, Login, Person};
use store::{BodyRef, Deliver, InternalDate, Op, RecordEnvelope, Store, Summary, Target};

pub const PEOPLE: u64 = 10_000;
const SIZE_MAX: usize = 5 << 20;

/// What bodies are cut from.
static TEXT: LazyLock<Vec<u8>> = LazyLock::new(|| (0..SIZE_MAX).map(|n| b' ' + (n % 90) as u8).collect());

pub fn text(octets: usize) -> &'static [u8] {
    &TEXT[..octets]
}

pub fn login(n: u64) -> Login {
    Login::new(&format!("user{n:05}")).expect("a login")
}

pub fn create_people(store: &Store, people: u64) {
    let all: Vec<u64> = (0..people).collect();
    for slice in all.chunks(500) {
        let ops = slice.iter().map(|n| {
            let person = Person {
                login: login(*n),
                first: "Jean".to_owned(),
                last: "Toto".to_owned(),
                address: format!("user{n:05}@example.org").parse().expect("an address"),
                profile: "standard".to_owned(),
                unit: "bench".to_owned(),
                home: None,
                quota_octets: 1 << 50,
            };
            Op::UpsertPerson { person: Box::new(person), verifier: None, mailboxes: Vec::new(), origin: None }
        });
        store.commit_wait(ops.collect()).expect("new people");
    }
}

/// What a listing shows of the message of this number.
pub fn summary(number: u64) -> Summary {
    let id = |number: u64| format!("<{number:016x}.bench@mail.example.org>");
    Summary {
        envelope_imap: vec![b'e'; 120],
        bodystructure_imap: vec![b's'; 60],
        body_imap: vec![b'b'; 50],
        preview: "p".repeat(40),
        subject: "s".repeat(30),
        message_id: id(number),
        in_reply_to: if number.is_multiple_of(5) { id(number.wrapping_sub(5)) } else { String::new() },
        ..Summary::default()
    }
}

/// One message to these people.
pub fn delivery(number: u64, recipients: impl IntoIterator<Item = u64>, body: BodyRef) -> Op {
    Op::Deliver(Box::new(Deliver {
        delivery_id: delivery_id(number),
        recipients: recipients.into_iter().map(|n| (login(n), Target::Inbox)).collect(),
        body,
        summary: summary(number),
        internal_date: InternalDate { seconds: 1_700_000_000 + (number >> 10) as i64, offset_minutes: 60 },
        flags: Flags::default(),
        marks: Vec::new(),
    }))
}

fn now_ns() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

/// Begins with the time, as ids of the server do.
fn delivery_id(number: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&now_ns().to_be_bytes());
    id[8..].copy_from_slice(&number.to_be_bytes());
    id
}

/// One delivery of the workload, from the octets to the answer.
pub fn deliver(store: &Store, random: &mut Random) -> usize {
    let size = random.size();
    let envelope = RecordEnvelope::default();
    let body = store.put_body_for(&envelope, b"Received: from bench\r\n", &[text(size)]).expect("a body");
    let recipients: Vec<u64> = (0..random.recipients()).map(|_| random.next() % PEOPLE).collect();
    store.commit_wait(vec![delivery(random.next(), recipients, body)]).expect("a delivery");
    size
}

/// xorshift; the figures do not need better.
pub struct Random(pub u64);

impl Random {
    pub fn of(producer: u64) -> Random {
        Random(0x9E37_79B9_7F4A_7C15 ^ (producer << 40) ^ (producer << 20) ^ 1)
    }

    /// Other numbers each time.
    pub fn anew(producer: u64) -> Random {
        Random::of(producer ^ now_ns() << 8)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64 + 1e-12
    }

    /// Mean 1.4: 1 in 70 %, 2 in 20 %, 3 in 10 % of the cases.
    pub fn recipients(&mut self) -> u64 {
        match self.next() % 10 {
            0 => 3,
            1 | 2 => 2,
            _ => 1,
        }
    }

    /// Box and Muller; sigma so that the mean is 4.4 times the median.
    pub fn size(&mut self) -> usize {
        let gauss = (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos();
        ((10_240.0 * (1.721 * gauss).exp()) as usize).clamp(200, SIZE_MAX)
    }
}
