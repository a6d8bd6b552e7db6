//! `facteur backup` and `facteur restore`: snapshots of the store (`store::snapshot`), and messages put back from one.

mod drill;
mod list;
mod restore;
mod take;
mod whole;

use store::snapshot::{self, SnapshotError, Snapshots, Step};

use super::{Context, OperateError, Progress, Unit};

pub use drill::{Drilled, VerifyBackup};
pub use list::{Backups, KeptBackup, ListBackups};
pub use restore::{Restore, RestoredMail};
pub use take::{BackupNow, TakenBackup};
pub use whole::{RestoredStore, restore_all};

/// Where snapshots are made into stores for a while, in the data folder.
const SCRATCH: &str = "scratch";

impl From<SnapshotError> for OperateError {
    fn from(error: SnapshotError) -> OperateError {
        match error {
            SnapshotError::NoSuchSnapshot { name } => OperateError::NoSuchBackup { of: name.to_string() },
            other => OperateError::Store { why: other.to_string() },
        }
    }
}

fn snapshots(context: &Context) -> Result<Snapshots, OperateError> {
    Ok(Snapshots::open(&context.snapshots)?)
}

/// What the snapshot says of its progress, in words.
fn words(progress: snapshot::Progress) -> Progress {
    let on = match progress.step {
        Step::Pages => "databases",
        Step::Segments => "segments",
        Step::Bodies => "bodies",
    };
    Progress { on: on.to_owned(), done: progress.done, total: Some(progress.total), unit: Unit::Octets }
}
