//! How much may change at once without anybody having looked.

use plan::MassChange;

/// What a list would take away or change of who is here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    pub leaving: u64,
    pub changed: u64,
    /// Everybody who is here.
    pub known: u64,
}

impl Extent {
    /// What somebody has to name to let it through.
    pub fn changes(&self) -> u64 {
        self.leaving.saturating_add(self.changed)
    }
}

/// How many may change unasked, when it is more; `allowed` is what somebody let through, exactly.
pub fn too_much(rules: MassChange, extent: Extent, allowed: Option<u64>) -> Option<u64> {
    let share = extent.known.saturating_mul(u64::from(rules.at_most_percent)) / 100;
    let at_most = share.max(u64::from(rules.floor));
    let passes = extent.changes() <= at_most || allowed == Some(extent.changes());
    (!passes).then_some(at_most)
}
