//! How long things live, and backups (guide §5).

use serde::{Deserialize, Serialize};

/// A life for every stored datum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    pub mail: Life,
    pub trash: Life,
    pub junk: Life,
    pub closed_accounts: Life,
    pub quarantine: Life,
    pub queue: Life,
    pub losses: Life,
    pub decisions: Life,
    pub accesses: Life,
    pub audit: Life,
    pub training: Life,
    pub statistics: Life,
    pub limits: Life,
    pub ledger: Life,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Life {
    For { s: u64 },
    WhileAccountLives,
    Forever,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// Local time of day of the nightly backup, minutes after midnight.
    pub every_night_at_min: u32,
    pub covers: Vec<BackupCover>,
    pub to: BackupTo,
    pub keep_at_least_s: u64,
    pub keep_at_most_s: u64,
    pub restores: Vec<Restores>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BackupCover {
    System,
    Mailboxes,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BackupTo {
    SameDisk,
    Elsewhere(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Restores {
    ServerFolders,
    Messages,
}
