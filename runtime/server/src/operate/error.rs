//! Why a command did nothing, or stopped. It travels over the control socket, so what the store or the system said is kept
//! as text.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use store::{CommitError, PutError, ReadError};

use crate::quality::Advice;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperateError {
    /// Another user than root and the one the server runs as.
    Forbidden {
        uid: u32,
    },
    /// A request that cannot be read.
    BadRequest {
        why: String,
    },
    /// The owner knows no such command; another version of the program runs there.
    UnknownCommand {
        path: String,
    },
    /// Another one of these runs.
    Busy {
        path: String,
    },
    NoSuchLogin {
        login: String,
    },
    NoSuchMailbox {
        mailbox: String,
    },
    /// No backup of this name, or of this day or before.
    NoSuchBackup {
        of: String,
    },
    /// No message of this id waits in the queue.
    NoSuchMessage {
        id: String,
    },
    /// Nothing of this id is kept apart.
    NotKept {
        id: String,
    },
    BadDate {
        text: String,
    },
    /// A text that names no mailbox, or a mailbox that cannot be a file here.
    BadName {
        name: String,
        why: String,
    },
    /// A path must be absolute: the owner has another current folder than who asks.
    RelativePath {
        path: PathBuf,
    },
    /// The data folder itself, or a place in it.
    InsideData {
        path: PathBuf,
    },
    /// Nothing is written over what is there.
    NotEmpty {
        path: PathBuf,
    },
    NotMaildir {
        path: PathBuf,
    },
    NotMbox {
        path: PathBuf,
    },
    /// A single mbox does not say which mailbox it is.
    WhichMailbox {
        path: PathBuf,
    },
    File {
        path: PathBuf,
        why: String,
    },
    Store {
        why: String,
    },
    /// The policy judges this, and a command without a server knows none.
    NoServer,
    /// The policy says no.
    Refused {
        why: String,
        /// Path in the policy.
        rule: String,
    },
    /// E1001.
    NotSigned {
        why: String,
    },
    /// A password is refused, for all these reasons.
    WeakPassword {
        advice: Vec<Advice>,
    },
    /// The roles of who asks do not allow it.
    NotAllowed {
        why: String,
        /// Path in the policy.
        rule: String,
    },
    /// Whoever asked went away, or the server stops.
    Interrupted,
    /// A bug of ours.
    Panicked,
}

impl OperateError {
    pub(crate) fn file(path: &Path, error: impl fmt::Display) -> OperateError {
        OperateError::File { path: path.to_owned(), why: error.to_string() }
    }
}

impl fmt::Display for OperateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OperateError::Forbidden { uid } => {
                write!(f, "uid {uid} may not do this: only root and the user the server runs as may")
            }
            OperateError::BadRequest { why } => write!(f, "the request cannot be read: {why}"),
            OperateError::UnknownCommand { path } => {
                write!(f, "the process that owns the data folder knows no {path}: is it of another version?")
            }
            OperateError::Busy { path } => write!(f, "{path} runs already; one at a time"),
            OperateError::NoSuchLogin { login } => write!(f, "there is no account {login}"),
            OperateError::NoSuchMailbox { mailbox } => write!(f, "there is no mailbox {mailbox}"),
            OperateError::NoSuchBackup { of } => {
                write!(f, "there is no backup of {of} or before; `facteur backup list` says which there are")
            }
            OperateError::NoSuchMessage { id } => {
                write!(f, "no message {id} waits in the queue; `facteur why` may know")
            }
            OperateError::NotKept { id } => {
                write!(f, "no message {id} is in quarantine; `facteur why` may know")
            }
            OperateError::BadDate { text } => {
                write!(f, "{text} is no date: give 2026-11-30, 2026-11-30T14:00 in UTC, or the name of a backup")
            }
            OperateError::BadName { name, why } => write!(f, "mailbox {name}: {why}"),
            OperateError::RelativePath { path } => write!(f, "{}: the path must be absolute", path.display()),
            OperateError::InsideData { path } => {
                write!(f, "{}: inside the data folder, which is the server's alone", path.display())
            }
            OperateError::NotEmpty { path } => {
                write!(f, "{}: something is there; nothing is written over it", path.display())
            }
            OperateError::NotMaildir { path } => write!(f, "{}: no Maildir, it lacks cur or new", path.display()),
            OperateError::NotMbox { path } => {
                write!(f, "{}: no mbox, it does not begin with a From line", path.display())
            }
            OperateError::WhichMailbox { path } => {
                write!(f, "{}: one mbox is one mailbox; say which with --mailbox", path.display())
            }
            OperateError::File { path, why } => write!(f, "{}: {why}", path.display()),
            OperateError::Store { why } | OperateError::NotSigned { why } => f.write_str(why),
            OperateError::NoServer => {
                f.write_str("no server runs on this data folder, and only its plan can judge this")
            }
            OperateError::Refused { why, rule } | OperateError::NotAllowed { why, rule } => write!(f, "{why} [{rule}]"),
            OperateError::WeakPassword { advice } => {
                let told: Vec<String> = advice.iter().map(|one| one.english()).collect();
                write!(f, "this password is refused. {}", told.join(" "))
            }
            OperateError::Interrupted => f.write_str("interrupted"),
            OperateError::Panicked => f.write_str("a bug: the command panicked, the log of the server says where"),
        }
    }
}

impl std::error::Error for OperateError {}

impl From<ReadError> for OperateError {
    fn from(error: ReadError) -> OperateError {
        OperateError::Store { why: error.to_string() }
    }
}

impl From<CommitError> for OperateError {
    fn from(error: CommitError) -> OperateError {
        OperateError::Store { why: error.to_string() }
    }
}

impl From<PutError> for OperateError {
    fn from(error: PutError) -> OperateError {
        OperateError::Store { why: error.to_string() }
    }
}
