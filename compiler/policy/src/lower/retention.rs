//! How long things live, and backups.

use super::list;
use crate::model::retention::{Backup, BackupTo, Every, Life, LifeWord, Retention};
use crate::syntax::WordOr;

pub(super) fn retention(retention: &Retention) -> plan::Retention {
    plan::Retention {
        mail: life(&retention.mail),
        trash: life(&retention.trash),
        junk: life(&retention.junk),
        closed_accounts: life(&retention.closed_accounts),
        quarantine: life(&retention.quarantine),
        queue: life(&retention.queue),
        losses: life(&retention.losses),
        decisions: life(&retention.decisions),
        accesses: life(&retention.accesses),
        audit: life(&retention.audit),
        training: life(&retention.training),
        statistics: life(&retention.statistics),
        limits: life(&retention.limits),
        ledger: life(&retention.ledger),
    }
}

fn life(life: &Life) -> plan::Life {
    match life {
        WordOr::Word(LifeWord::WhileAccountLives) => plan::Life::WhileAccountLives,
        WordOr::Word(LifeWord::Forever) => plan::Life::Forever,
        WordOr::Value(span) => plan::Life::For { s: span.0 },
    }
}

pub(super) fn backup(backup: &Backup) -> plan::Backup {
    let Every::Night(at) = backup.every;
    plan::Backup {
        every_night_at_min: at.0,
        covers: list(&backup.covers),
        to: match &backup.to {
            Some(BackupTo::Elsewhere(name)) => plan::BackupTo::Elsewhere(name.clone()),
            Some(BackupTo::SameDisk) | None => plan::BackupTo::SameDisk,
        },
        keep_at_least_s: backup.keep.at_least.0,
        keep_at_most_s: backup.keep.at_most.0,
        restores: list(&backup.restores),
    }
}
