//! The plan that runs, and how another one takes its place.

use std::sync::{Arc, PoisonError, RwLock};

use decide::Tables;

use crate::service::Service;

/// A plan that is served.
#[allow(dead_code, reason = "the whole of what is known of a plan")]
pub(crate) struct Executed {
    pub tables: Arc<Tables>,
    /// Short hash.
    pub plan: String,
    pub plan_full: String,
    pub serial: u64,
    pub state: PlanState,
}

/// Is a plan there to stay?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanState {
    Confirmed,
    /// Unless it is confirmed until then, in Unix seconds, the one before comes back.
    Trial {
        until_s: i64,
    },
}

/// What runs now.
#[derive(Default)]
pub(crate) struct Plans {
    current: RwLock<Option<Arc<Service>>>,
}

impl Plans {
    /// `None` before the server runs and after it ended.
    pub fn current(&self) -> Option<Arc<Service>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
