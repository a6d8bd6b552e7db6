//! `facteur store compact`: gives the room of freed bodies back.

use serde::{Deserialize, Serialize};

use super::progress::Throttled;
use super::{Context, OperateError, Operation, Progress, Unit, audit};

/// `POST /store/compact`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compact {
    /// Bodies freed less than so many seconds ago stay: somebody may be reading one.
    pub keep_s: u64,
}

/// What it did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compacted {
    /// Bodies nobody pointed at any more.
    pub bodies: u64,
    pub segments_removed: u64,
    /// Octets of the segments that went.
    pub octets_freed: u64,
    /// Live octets of them, written again elsewhere.
    pub octets_moved: u64,
}

impl Operation for Compact {
    type Response = Compacted;
    const PATH: &'static str = "/store/compact";
    const LONG: bool = true;

    fn act(&self) -> decide::roles::Act {
        decide::roles::Act::Maintain
    }

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<Compacted, OperateError> {
        audit(context, "compaction of the store");
        tell(Progress { on: "looking for what nobody has".to_owned(), done: 0, total: None, unit: Unit::Segments });
        let mut throttled = Throttled::new(tell);
        let compacted = context.store.compact(self.keep_s, &mut |progress| {
            let (on, total) = (String::new(), Some(progress.total));
            throttled.tell(Progress { on, done: progress.done, total, unit: Unit::Segments });
        });
        let compacted = compacted.map_err(|error| OperateError::Store { why: error.to_string() })?;
        Ok(Compacted {
            bodies: compacted.swept,
            segments_removed: compacted.segments_removed,
            octets_freed: compacted.bytes_freed,
            octets_moved: compacted.bytes_moved,
        })
    }
}
