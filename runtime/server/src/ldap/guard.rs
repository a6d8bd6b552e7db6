//! When a directory changes too much at once, nothing changes until somebody looked. Pure.

use decide::people;
use plan::MassChange;

/// What a sync would do to people who are known already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Extent {
    /// People the directory has no more.
    pub gone: u64,
    pub changed: u64,
    /// People of the directory before.
    pub known: u64,
    /// Entries it gave.
    pub entries: u64,
}

/// Why a sync changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Stop {
    /// Nobody at all: the directory is empty, or shows us nobody. No word of an operator lets that through.
    Nobody,
    /// More people would go or change than the policy lets pass unasked.
    TooMuch { at_most: u64 },
}

impl Extent {
    /// What an operator has to name to let it through.
    pub fn changes(&self) -> u64 {
        self.gone.saturating_add(self.changed)
    }

    /// May it happen? `allowed` is what an operator let through, exactly.
    pub fn judge(&self, rules: MassChange, allowed: Option<u64>) -> Result<(), Stop> {
        if self.entries == 0 {
            return Err(Stop::Nobody);
        }
        let extent = people::Extent { leaving: self.gone, changed: self.changed, known: self.known };
        match people::too_much(rules, extent, allowed) {
            Some(at_most) => Err(Stop::TooMuch { at_most }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: MassChange = MassChange { at_most_percent: 5, floor: 20 };

    #[test]
    fn what_is_more_than_the_share_and_the_floor_stops_unless_it_is_named_exactly() {
        let cases = [
            // gone, changed, known, entries, allowed
            ((0, 0, 0, 100_000, None), Ok(())),
            ((20, 0, 50, 30, None), Ok(())),
            ((21, 0, 50, 29, None), Err(Stop::TooMuch { at_most: 20 })),
            ((21, 0, 50, 29, Some(21)), Ok(())),
            ((5_000, 0, 100_000, 95_000, None), Ok(())),
            ((3_100, 1_901, 100_000, 96_900, None), Err(Stop::TooMuch { at_most: 5_000 })),
            ((3_100, 1_901, 100_000, 96_900, Some(5_000)), Err(Stop::TooMuch { at_most: 5_000 })),
            ((3_100, 1_901, 100_000, 96_900, Some(5_001)), Ok(())),
            ((1, 0, 1, 0, Some(1)), Err(Stop::Nobody)),
            ((0, 0, 0, 0, None), Err(Stop::Nobody)),
        ];
        for ((gone, changed, known, entries, allowed), judged) in cases {
            let extent = Extent { gone, changed, known, entries };
            assert_eq!(extent.judge(RULES, allowed), judged, "{extent:?} {allowed:?}");
        }
    }
}
