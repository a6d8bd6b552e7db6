//! What went wrong with one message or one file while the rest went on.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Problems told one by one; the others are counted.
const TOLD_MAX: usize = 1_000;

/// `place` is a file, or a mailbox with the number of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// It does not fit into what is left of the account's quota.
    OverQuota {
        place: String,
        octets: u64,
        left_octets: u64,
    },
    /// Longer than a message may be here.
    TooLong {
        place: String,
    },
    /// A link, a pipe, a device: only files are read.
    NotAFile {
        place: String,
    },
    BadName {
        place: String,
        why: String,
    },
    Unreadable {
        place: String,
        why: String,
    },
    /// The stored body does not match its checksum.
    Damaged {
        place: String,
    },
    /// The store refused it for another reason.
    Refused {
        place: String,
        why: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::OverQuota { place, octets, left_octets } => {
                write!(f, "{place}: does not fit, {octets} octets where the quota leaves {left_octets}")
            }
            Problem::TooLong { place } => write!(f, "{place}: longer than a message may be"),
            Problem::NotAFile { place } => write!(f, "{place}: no regular file, passed over"),
            Problem::BadName { place, why } => write!(f, "{place}: passed over: {why}"),
            Problem::Unreadable { place, why } => write!(f, "{place}: cannot be read: {why}"),
            Problem::Damaged { place } => write!(f, "{place}: the stored message is damaged"),
            Problem::Refused { place, why } => write!(f, "{place}: refused: {why}"),
        }
    }
}

/// The first problems, and how many more there were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problems {
    pub told: Vec<Problem>,
    pub untold: u64,
}

impl Problems {
    pub(crate) fn add(&mut self, problem: Problem) {
        if self.told.len() < TOLD_MAX {
            self.told.push(problem);
        } else {
            self.untold += 1;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    pub fn count(&self) -> u64 {
        self.told.len() as u64 + self.untold
    }
}
