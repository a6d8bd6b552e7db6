//! What can go wrong, sorted by whose turn it is: the operator's (open), the client's (refusal), or nobody's but time's.

use std::fmt;
use std::path::PathBuf;

use mail::{Address, Login, MailboxName};

/// Why a data folder cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// Another process owns it; its pid, when it wrote one.
    Locked {
        pid: Option<u32>,
    },
    /// Written by a later version of this program, in a format that earlier ones cannot serve.
    Newer {
        format: i64,
        newest: i64,
    },
    /// Written by a version so old that no step leads from there.
    Older {
        format: i64,
        floor: i64,
    },
    /// A database file has the number of another shard, or one is missing.
    WrongShard {
        file: u8,
        is: i64,
    },
    /// Putting a snapshot back was interrupted: the databases may be of two times.
    HalfPutBack,
    /// More shards were asked for than there can be.
    TooManyShards {
        asked: u8,
    },
    Io {
        path: PathBuf,
        error: std::io::Error,
    },
    Sqlite(rusqlite::Error),
    /// The linked SQLite has the WAL-reset bug.
    SqliteTooOld {
        version: i32,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Locked { pid: Some(pid) } => write!(f, "the data folder belongs to process {pid}"),
            OpenError::Locked { pid: None } => f.write_str("the data folder belongs to another process"),
            OpenError::Newer { format, newest } => write!(
                f,
                "the data folder has format {format}; this program reads up to {newest}, so start the newer one that wrote it"
            ),
            OpenError::Older { format, floor } => write!(
                f,
                "the data folder has format {format}; this program reads from {floor} on, so start a version between first"
            ),
            OpenError::WrongShard { file, is } => write!(f, "meta-{file:02}.db holds shard {is}"),
            OpenError::HalfPutBack => {
                f.write_str("a snapshot was being put back here and that did not end; put it back again")
            }
            OpenError::TooManyShards { asked } => {
                write!(f, "{asked} shards are more than the {} there can be", crate::id::SHARDS_MAX)
            }
            OpenError::Io { path, error } => write!(f, "{}: {error}", path.display()),
            OpenError::Sqlite(error) => write!(f, "the database cannot be opened: {error}"),
            OpenError::SqliteTooOld { version } => write!(f, "SQLite {version} is older than 3.51.3"),
        }
    }
}

impl std::error::Error for OpenError {}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> OpenError {
        OpenError::Sqlite(error)
    }
}

/// A flush failed: what is on the device is unknown, so nothing may be acknowledged any more.
#[derive(Clone, Debug)]
pub struct Fatal {
    pub what: String,
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store stops: {}", self.what)
    }
}

/// Why a commit did not happen. Everything but `Refused` is temporary trouble of ours: 4yz, NO [UNAVAILABLE].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitError {
    /// The queue to the writer is full.
    Busy,
    /// No space on the device.
    Full,
    /// The database refused the group; the log says why.
    Failed,
    /// A flush failed earlier.
    Poisoned,
    /// The store is being closed.
    Closed,
    /// Op number `op` of the commit cannot hold; none of the commit does.
    Refused { op: usize, why: Refusal },
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommitError::Busy => f.write_str("too much is waiting to be stored"),
            CommitError::Full => f.write_str("no space left for mail"),
            CommitError::Failed => f.write_str("the store could not write"),
            CommitError::Poisoned => f.write_str("the store stopped after a failed flush"),
            CommitError::Closed => f.write_str("the store is closed"),
            CommitError::Refused { op, why } => write!(f, "op {op}: {why}"),
        }
    }
}

impl std::error::Error for CommitError {}

/// Why an op cannot hold. Permanent as far as the store knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    NoSuchLogin(Login),
    NoSuchMailbox,
    MailboxExists(MailboxName),
    /// RFC 9208 OVERQUOTA.
    OverQuota {
        used_octets: u64,
        quota_octets: u64,
    },
    /// INBOX cannot be deleted (RFC 9051 6.3.5).
    InboxStays,
    TooManyMailboxes,
    /// Another mailbox of the account has this use (RFC 6154).
    SpecialUseTaken,
    /// The ledger holds this login: it was given before, perhaps to somebody who left.
    LoginTaken(Login),
    /// The address leads to somebody else.
    AddressTaken(Address),
    /// The address would lead back to itself.
    Circle(Address),
    /// A name would get too long or too deep by a rename.
    BadName,
    NoSuchQueueItem,
    QueueItemExists,
    /// A spooled message without recipients.
    NoRecipients,
    NoSuchQuarantined,
    /// A mailbox has used up its 2^32 UIDs, or an op is larger than the store takes.
    TooLarge,
    /// RFC 8508: the message to be replaced is not there (any more).
    NoSuchMessage,
    /// The content an op names was freed meanwhile.
    BodyGone,
    /// RFC 5464 METADATA TOOMANY, of one mailbox or account.
    TooManyAnnotations,
    /// RFC 4314: the list of a mailbox has as many entries as it may.
    TooManyGrants,
    /// A warning of this fill was sent already; see [`crate::Op::Warned`].
    AlreadyWarned,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoSuchLogin(login) => write!(f, "there is no account {login}"),
            Refusal::NoSuchMailbox => f.write_str("there is no such mailbox"),
            Refusal::MailboxExists(name) => write!(f, "mailbox {name} exists already"),
            Refusal::OverQuota { used_octets, quota_octets } => {
                write!(f, "over quota: {used_octets} of {quota_octets} octets used")
            }
            Refusal::InboxStays => f.write_str("INBOX cannot be deleted"),
            Refusal::TooManyMailboxes => f.write_str("the account has as many mailboxes as it may"),
            Refusal::SpecialUseTaken => f.write_str("another mailbox has this special use"),
            Refusal::LoginTaken(login) => write!(f, "login {login} was given before"),
            Refusal::Circle(address) => write!(f, "address {address} would lead back to itself"),
            Refusal::AddressTaken(address) => write!(f, "address {address} leads to somebody else"),
            Refusal::BadName => f.write_str("the new name cannot be used"),
            Refusal::NoSuchQueueItem => f.write_str("no such message or recipient in the spool"),
            Refusal::QueueItemExists => f.write_str("the spool has a message of this id"),
            Refusal::NoRecipients => f.write_str("a spooled message has a recipient"),
            Refusal::NoSuchQuarantined => f.write_str("no such message in quarantine"),
            Refusal::TooLarge => f.write_str("larger than the store takes"),
            Refusal::NoSuchMessage => f.write_str("there is no such message"),
            Refusal::BodyGone => f.write_str("the content of the message is gone"),
            Refusal::TooManyAnnotations => f.write_str("there are as many annotations as there may be"),
            Refusal::TooManyGrants => f.write_str("the list of rights has as many entries as it may"),
            Refusal::AlreadyWarned => f.write_str("the owner was warned already"),
        }
    }
}

/// Why a body was not written.
#[derive(Debug)]
pub enum PutError {
    /// Longer than a segment.
    TooLarge,
    /// No space on the device: temporary.
    Full,
    /// Another write error: temporary.
    Io(std::io::Error),
    /// A flush failed earlier or now.
    Poisoned,
}

impl fmt::Display for PutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PutError::TooLarge => f.write_str("the message is longer than a segment"),
            PutError::Full => f.write_str("no space left for mail"),
            PutError::Io(error) => write!(f, "the message could not be written: {error}"),
            PutError::Poisoned => f.write_str("the store stopped after a failed flush"),
        }
    }
}

impl std::error::Error for PutError {}

impl From<std::io::Error> for PutError {
    fn from(error: std::io::Error) -> PutError {
        PutError::Io(error)
    }
}

/// Why a read has no answer. Temporary, except `Damaged`.
#[derive(Debug)]
pub enum ReadError {
    /// All reading connections were busy for too long.
    Busy,
    Sqlite(rusqlite::Error),
    Io(std::io::Error),
    /// A record does not match its checksum or its row.
    Damaged,
    Poisoned,
    /// A mailbox number that no mailbox of this store has.
    NoSuchShard,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Busy => f.write_str("too many reads at once"),
            ReadError::Sqlite(error) => write!(f, "the database could not be read: {error}"),
            ReadError::Io(error) => write!(f, "a segment could not be read: {error}"),
            ReadError::Damaged => f.write_str("a stored message is damaged"),
            ReadError::NoSuchShard => f.write_str("there is no such shard"),
            ReadError::Poisoned => f.write_str("the store stopped after a failed flush"),
        }
    }
}

impl std::error::Error for ReadError {}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> ReadError {
        ReadError::Sqlite(error)
    }
}

impl From<std::io::Error> for ReadError {
    fn from(error: std::io::Error) -> ReadError {
        ReadError::Io(error)
    }
}
