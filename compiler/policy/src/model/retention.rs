//! How long things live, and backups (guide §5).

use serde::Deserialize;

use super::literal::{Span, TimeOfDay};
use crate::syntax::{Items, Spanned, WordOr};

/// A word, or a duration.
pub type Life = WordOr<LifeWord, Span>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub enum LifeWord {
    #[default]
    WhileAccountLives,
    Forever,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
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

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    pub every: Every,
    pub covers: Items<plan::BackupCover>,
    #[serde(default)]
    pub to: Option<BackupTo>,
    pub keep: Spanned<Keep>,
    pub restores: Items<plan::Restores>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub enum Every {
    Night(TimeOfDay),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub enum BackupTo {
    SameDisk,
    Elsewhere(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    pub at_least: Span,
    pub at_most: Span,
}
