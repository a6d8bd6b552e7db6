//! `facteur drain`: nothing new is taken, and what can go goes, before a machine is worked on.

use std::sync::atomic::Ordering;
use std::time::Duration;

use decide::roles;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::operate::{Context, OperateError, Operation, Progress, Unit, audit};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// `POST /drain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drain {
    /// Take mail again instead.
    pub end: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drained {
    pub draining: bool,
    /// Messages that wait for another time, or are held.
    pub left: u64,
}

impl Operation for Drain {
    type Response = Drained;
    const PATH: &'static str = "/drain";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::Drain
    }

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<Drained, OperateError> {
        let Some(service) = &context.server else { return Err(OperateError::NoServer) };
        audit(context, if self.end { "drain: mail is taken again" } else { "drain: no mail is taken any more" });
        service.draining.store(!self.end, Ordering::Relaxed);
        let start = context.store.queue_count()?;
        if self.end {
            return Ok(Drained { draining: false, left: start });
        }
        loop {
            context.go_on()?;
            let busy = service.spool.has_news() || service.spool.schedule().is_busy(clock::unix_s());
            let left = context.store.queue_count()?;
            let done = start.saturating_sub(left);
            tell(Progress { on: "delivering".to_owned(), done, total: Some(start.max(left)), unit: Unit::Messages });
            if !busy {
                return Ok(Drained { draining: true, left });
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}
