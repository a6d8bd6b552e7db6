//! How another plan takes the place of this one.

use serde::{Deserialize, Serialize};

/// What a deployed plan has to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// How long it is on trial where the deployment does not say; unless it is confirmed by then the plan before comes back.
    pub trial_s: u64,
    pub guards: Guards,
}

/// When a plan on trial is taken back before its time. Those of the plan before count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guards {
    /// More accounts refused than so many times those of the same hour last week.
    pub accounts_times: u32,
    /// And more than so many.
    pub accounts_floor: u32,
    /// A listener, or all engines, down for so long.
    pub down_s: u64,
    /// So many more messages wait than when it was deployed.
    pub queue: u64,
}

impl Default for Deployment {
    fn default() -> Deployment {
        let guards = Guards { accounts_times: 3, accounts_floor: 20, down_s: 60, queue: 1_000 };
        Deployment { trial_s: 600, guards }
    }
}

impl Deployment {
    /// A plan that says nothing of it has the text it had before there was such a thing.
    pub(crate) fn is_silent(&self) -> bool {
        *self == Deployment::default()
    }
}
