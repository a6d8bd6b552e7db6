//! `facteur backup now`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use store::snapshot::{Keep, Pace};

use super::{snapshots, words};
use crate::clock;
use crate::operate::progress::Throttled;
use crate::operate::{Context, OperateError, Operation, Progress, audit};

/// `POST /backup/now`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupNow {}

/// What was kept, what it cost, and what was old enough to go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenBackup {
    pub name: String,
    pub messages: u64,
    /// Pages of the databases, and those no earlier backup has.
    pub pages: u64,
    pub pages_new: u64,
    pub segments: u64,
    /// Those of which the backup has the very file, so that they cost nothing until the store lets go of it.
    pub segments_linked: u64,
    pub segment_octets_copied: u64,
    pub took_ms: u64,
    /// Backups that went because of their age. Only a server knows the plan that says how long they are kept.
    pub removed: Vec<String>,
    pub octets_freed: u64,
    /// Why old ones could not go. The new one is kept all the same.
    pub not_removed: Option<String>,
}

impl Operation for BackupNow {
    type Response = TakenBackup;
    const PATH: &'static str = "/backup/now";
    const LONG: bool = true;

    fn act(&self) -> decide::roles::Act {
        decide::roles::Act::Maintain
    }

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<TakenBackup, OperateError> {
        let snapshots = snapshots(context)?;
        let pace = if context.served { Pace::GENTLE } else { Pace::FULL };
        let mut throttled = Throttled::new(tell);
        let mut report = |progress| throttled.tell(words(progress));
        let taken = context.store.snapshot(&snapshots, clock::unix_s(), pace, &mut report)?;
        let mut backup = TakenBackup {
            name: taken.name.to_string(),
            messages: taken.databases.iter().map(|database| database.messages).sum(),
            pages: taken.pages,
            pages_new: taken.pages_new,
            segments: taken.segments,
            segments_linked: taken.segments_linked,
            segment_octets_copied: taken.segment_octets_copied,
            took_ms: u64::try_from(taken.took.as_millis()).unwrap_or(u64::MAX),
            ..TakenBackup::default()
        };
        if let Some(plan) = &context.backup {
            let keep = Keep {
                at_least: Duration::from_secs(plan.keep_at_least_s),
                at_most: Duration::from_secs(plan.keep_at_most_s),
            };
            match snapshots.purge(keep, clock::unix_s()) {
                Ok(purged) => {
                    backup.removed = purged.removed.iter().map(ToString::to_string).collect();
                    backup.octets_freed = purged.octets_freed;
                }
                Err(error) => backup.not_removed = Some(error.to_string()),
            }
        }
        audit(context, &format!("backup {}, {} old ones removed", backup.name, backup.removed.len()));
        Ok(backup)
    }
}
