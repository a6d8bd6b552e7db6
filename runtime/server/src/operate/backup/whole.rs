//! `facteur restore --all`: the whole store as it was at a backup. The one command no owner may be there for: what a server
//! has in memory would be of another time.

use std::path::Path;

use serde::{Deserialize, Serialize};
use store::snapshot::Snapshots;

use super::restore::{Scratch, named};
use super::words;
use crate::operate::progress::Throttled;
use crate::operate::{OperateError, Progress};

/// What was put back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoredStore {
    /// The backup it came from.
    pub backup: String,
    pub mailboxes: u64,
    /// Mailboxes whose UIDVALIDITY is what it was: clients need not fetch them anew.
    pub kept_uidvalidity: u64,
    /// Messages deleted since that are back, with new UIDs.
    pub returned: u64,
    /// Messages that came since and are gone; they are still in what was replaced.
    pub vanished: u64,
    /// Where the databases of before lie.
    pub replaced: Option<String>,
}

/// Puts the store in `data` back as it was at `from` (see [`super::Restore::from`]).
pub fn restore_all(
    data: &Path,
    snapshots: &Path,
    from: &str,
    tell: &mut dyn FnMut(Progress),
) -> Result<RestoredStore, OperateError> {
    let trouble = |error: String| OperateError::Store { why: error };
    store::not_owned(data).map_err(|error| trouble(error.to_string()))?;
    let all = Snapshots::open(snapshots)?;
    let name = named(&all, from)?;
    let scratch = Scratch::new(data, name)?;
    let mut throttled = Throttled::new(tell);
    all.materialise(name, scratch.folder(), &mut |progress| throttled.tell(words(progress)))?;
    let floor = all.newest_segment()?;
    let done = store::put_back(scratch.folder(), data, floor).map_err(|error| trouble(error.to_string()))?;
    tracing::info!("audit: the whole store was put back from backup {name}");
    Ok(RestoredStore {
        backup: name.to_string(),
        mailboxes: done.mailboxes,
        kept_uidvalidity: done.kept_uidvalidity,
        returned: done.returned,
        vanished: done.vanished,
        replaced: done.replaced.map(|path| path.display().to_string()),
    })
}
