//! Steps of the workload, each one commit, and how they stand in the journal. What a message is follows from its number
//! alone, so that the journal is short and a body cannot be confused with another.

use std::str::SplitWhitespace;

use mail::{Flags, Keyword, SystemFlags};

use super::random::Random;
use crate::{FlagMode, InternalDate};

/// Messages of one mailbox: (UID, number of the message).
pub(super) type Messages = Vec<(u32, u64)>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// To a mailbox of each account; with `settles`, a recipient of the spool is done in the same commit.
    Deliver {
        n: u64,
        to: Vec<(String, String)>,
        settles: Option<(u64, u32)>,
    },
    Append {
        n: u64,
        login: String,
        mailbox: String,
    },
    /// A new message for an old one, in one commit (RFC 8508).
    Replace {
        n: u64,
        login: String,
        mailbox: String,
        from: u32,
        of: Messages,
    },
    Flag {
        mailbox: u32,
        of: Messages,
        mode: FlagMode,
        flags: Flags,
    },
    Copy {
        from: u32,
        of: Messages,
        to: u32,
    },
    Move {
        from: u32,
        of: Messages,
        to: u32,
    },
    Expunge {
        mailbox: u32,
        of: Messages,
    },
    Create {
        login: String,
        name: String,
    },
    Delete {
        login: String,
        name: String,
        mailbox: u32,
    },
    Rename {
        login: String,
        from: String,
        to: String,
    },
    /// With `settles`, a notice about a recipient that is done in the same commit.
    Enqueue {
        n: u64,
        recipients: u32,
        settles: Option<(u64, u32)>,
    },
    Settle {
        n: u64,
        recipient: u32,
    },
    Quarantine {
        n: u64,
    },
    Release {
        n: u64,
    },
}

impl Step {
    pub(super) fn write(&self) -> String {
        match self {
            Step::Deliver { n, to, settles } => {
                let to: Vec<String> = to.iter().map(|(login, mailbox)| format!("{login}:{mailbox}")).collect();
                format!("deliver {n} {} {}", to.join(","), write_pairs(settles.as_slice()))
            }
            Step::Append { n, login, mailbox } => format!("append {n} {login} {mailbox}"),
            Step::Replace { n, login, mailbox, from, of } => {
                format!("substitute {n} {login} {mailbox} {from} {}", write_pairs(of))
            }
            Step::Flag { mailbox, of, mode, flags } => {
                let mode = match mode {
                    FlagMode::Add => "add",
                    FlagMode::Remove => "remove",
                    FlagMode::Replace | FlagMode::ReplaceWithin(_) => "replace",
                };
                format!("flag {mailbox} {} {mode} {}", write_pairs(of), write_flags(flags))
            }
            Step::Copy { from, of, to } => format!("copy {from} {} {to}", write_pairs(of)),
            Step::Move { from, of, to } => format!("move {from} {} {to}", write_pairs(of)),
            Step::Expunge { mailbox, of } => format!("expunge {mailbox} {}", write_pairs(of)),
            Step::Create { login, name } => format!("create {login} {name}"),
            Step::Delete { login, name, mailbox } => format!("delete {login} {name} {mailbox}"),
            Step::Rename { login, from, to } => format!("rename {login} {from} {to}"),
            Step::Enqueue { n, recipients, settles } => {
                format!("enqueue {n} {recipients} {}", write_pairs(settles.as_slice()))
            }
            Step::Settle { n, recipient } => format!("settle {n} {recipient}"),
            Step::Quarantine { n } => format!("quarantine {n}"),
            Step::Release { n } => format!("release {n}"),
        }
    }

    pub(super) fn read(words: &mut SplitWhitespace) -> Step {
        let kind = words.next().unwrap();
        let mut word = || words.next().unwrap();
        match kind {
            "deliver" => Step::Deliver {
                n: number(word()),
                to: word().split(',').map(|one| one.split_once(':').unwrap()).map(owned).collect(),
                settles: read_settled(word()),
            },
            "append" => Step::Append { n: number(word()), login: word().to_owned(), mailbox: word().to_owned() },
            "flag" => Step::Flag {
                mailbox: number(word()) as u32,
                of: read_messages(word()),
                mode: match word() {
                    "add" => FlagMode::Add,
                    "remove" => FlagMode::Remove,
                    _ => FlagMode::Replace,
                },
                flags: read_flags(word()),
            },
            "copy" => Step::Copy { from: number(word()) as u32, of: read_messages(word()), to: number(word()) as u32 },
            "move" => Step::Move { from: number(word()) as u32, of: read_messages(word()), to: number(word()) as u32 },
            "expunge" => Step::Expunge { mailbox: number(word()) as u32, of: read_messages(word()) },
            "create" => Step::Create { login: word().to_owned(), name: word().to_owned() },
            "delete" => {
                Step::Delete { login: word().to_owned(), name: word().to_owned(), mailbox: number(word()) as u32 }
            }
            "rename" => Step::Rename { login: word().to_owned(), from: word().to_owned(), to: word().to_owned() },
            "enqueue" => {
                Step::Enqueue { n: number(word()), recipients: number(word()) as u32, settles: read_settled(word()) }
            }
            "substitute" => Step::Replace {
                n: number(word()),
                login: word().to_owned(),
                mailbox: word().to_owned(),
                from: number(word()) as u32,
                of: read_messages(word()),
            },
            "settle" => Step::Settle { n: number(word()), recipient: number(word()) as u32 },
            "quarantine" => Step::Quarantine { n: number(word()) },
            "release" => Step::Release { n: number(word()) },
            other => panic!("no step is called {other}"),
        }
    }

    /// The messages the step found in a mailbox before it was made, with that mailbox.
    pub(super) fn found(&self) -> Option<(u32, &Messages)> {
        match self {
            Step::Flag { mailbox, of, .. } | Step::Expunge { mailbox, of } => Some((*mailbox, of)),
            Step::Copy { from, of, .. } | Step::Move { from, of, .. } | Step::Replace { from, of, .. } => {
                Some((*from, of))
            }
            _ => None,
        }
    }
}

fn read_settled(word: &str) -> Option<(u64, u32)> {
    read_pairs(word).first().map(|(n, recipient)| (*n, *recipient as u32))
}

fn owned((login, mailbox): (&str, &str)) -> (String, String) {
    (login.to_owned(), mailbox.to_owned())
}

pub(super) fn number(word: &str) -> u64 {
    word.parse().unwrap_or_else(|_| panic!("not a number: {word}"))
}

/// `a:b,c:d`, or `-` for none.
pub(super) fn write_pairs<A: ToString, B: ToString>(pairs: &[(A, B)]) -> String {
    let words: Vec<String> = pairs.iter().map(|(a, b)| format!("{}:{}", a.to_string(), b.to_string())).collect();
    if words.is_empty() { "-".to_owned() } else { words.join(",") }
}

pub(super) fn read_pairs(word: &str) -> Vec<(u64, u64)> {
    let pairs = word.split(',').filter_map(|pair| pair.split_once(':'));
    pairs.map(|(a, b)| (number(a), number(b))).collect()
}

fn read_messages(word: &str) -> Messages {
    read_pairs(word).into_iter().map(|(uid, n)| (uid as u32, n)).collect()
}

fn write_flags(flags: &Flags) -> String {
    let keywords: Vec<&str> = flags.keywords.iter().map(Keyword::as_str).collect();
    format!("{}/{}", flags.system.bits(), keywords.join("+"))
}

fn read_flags(word: &str) -> Flags {
    let (bits, keywords) = word.split_once('/').unwrap();
    let keywords = keywords.split('+').filter_map(Keyword::new).collect();
    Flags { system: SystemFlags::from_bits(bits.parse().unwrap()), keywords }
}

/// Flags a client may set, `\Deleted` among them.
pub(super) fn some_flags(random: &mut Random) -> Flags {
    let words = ["$Forwarded", "a", "b", "$Junk"];
    let keywords = (0..random.below(3)).filter_map(|_| Keyword::new(words[random.below(4) as usize])).collect();
    Flags { system: SystemFlags::from_bits(random.below(32) as u8), keywords }
}

/// Flags message `n` comes with.
pub(super) fn flags_of(n: u64) -> Flags {
    let mut random = Random::from(n ^ 0xF1A6);
    let flags = some_flags(&mut random);
    Flags { system: flags.system.without(SystemFlags::DELETED), ..flags }
}

pub(super) fn date_of(n: u64) -> InternalDate {
    let seconds = 1_600_000_000 + (n % 100_000_007) as i64;
    InternalDate { seconds, offset_minutes: (n % 27) as i16 * 60 - 720 }
}

/// The body of message `n`: its number on the first line, then octets that belong to no other. Most are short, some
/// go through a spill file, few are flushed by their own thread.
pub(super) fn body_of(n: u64) -> Vec<u8> {
    let mut random = Random::from(n ^ 0xB0D7);
    let len = match random.below(100) {
        0..82 => random.below(6_000),
        82..96 => random.below(50_000),
        96..99 => 262_144 + random.below(60_000),
        _ => (1 << 20) + random.below(200_000),
    };
    let mut body = format!("{n}\r\n").into_bytes();
    while (body.len() as u64) < len {
        body.extend_from_slice(&random.below(1 << 47).to_le_bytes());
    }
    body
}

/// The number on the first line of a body.
pub(super) fn number_in(body: &[u8]) -> Option<u64> {
    let line = body.split(|byte| *byte == b'\r').next()?;
    std::str::from_utf8(line).ok()?.parse().ok()
}
