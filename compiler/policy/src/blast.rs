//! What one stolen password can do: arithmetic on the rows of a plan (policy-language.md 6.4). For accounts without a
//! grant; recipients reached, in the worst case that the windows allow.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::figures::grouped;
use plan::{Limits, ListenerAuth, Network, Plan, Row, SendBlock, SeveralBlocks, Windows};

pub(crate) const HOUR_S: u32 = 3_600;
pub(crate) const DAY_S: u32 = 86_400;

/// Recipients one account can reach; `None` is without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlastRadius {
    pub hour: Option<u64>,
    pub day: Option<u64>,
    /// Through blocks that can be used from `Rest`, directly or through a `Front`.
    pub internet_hour: Option<u64>,
    pub internet_day: Option<u64>,
}

impl BlastRadius {
    pub fn of(plan: &Plan) -> BlastRadius {
        BlastRadius::through(&doors(plan), plan.one_account_in_several_blocks)
    }

    pub(crate) fn through(doors: &[Door], several: SeveralBlocks) -> BlastRadius {
        BlastRadius {
            hour: through(doors, several, HOUR_S, false),
            day: through(doors, several, DAY_S, false),
            internet_hour: through(doors, several, HOUR_S, true),
            internet_day: through(doors, several, DAY_S, true),
        }
    }
}

impl fmt::Display for BlastRadius {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |count: Option<u64>| count.map_or("unlimited".to_owned(), |count| count.to_string());
        write!(
            f,
            "one password: {} recipients an hour; from the Internet alone {} an hour, {} a day",
            plain(self.hour),
            plain(self.internet_hour),
            self.internet_day.map_or("unlimited".to_owned(), grouped)
        )
    }
}

/// A sending block that an account can use.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    pub name: String,
    /// It can be used from `Rest`, directly or through a `Front`.
    pub from_internet: bool,
    /// `None` where limits are kept per address: a stolen password has as many addresses as the thief.
    pub row: Option<Row>,
    pub by_profile: BTreeMap<String, Row>,
}

impl Door {
    /// The row of an account with this profile.
    fn row_of(&self, profile: Option<&str>) -> Option<&Row> {
        profile.and_then(|profile| self.by_profile.get(profile)).or(self.row.as_ref())
    }

    /// Most recipients an account reaches through this block, whatever its profile.
    pub(crate) fn most(&self, width_s: u32) -> Option<u64> {
        let own = of_row(self.row.as_ref()?, width_s)?;
        self.by_profile.values().try_fold(own, |most, row| Some(of_row(row, width_s)?.max(most)))
    }
}

/// Most recipients one account reaches in any `width_s` seconds.
pub(crate) fn recipients(plan: &Plan, width_s: u32, from_internet: bool) -> Option<u64> {
    through(&doors(plan), plan.one_account_in_several_blocks, width_s, from_internet)
}

/// The sending blocks of a plan that a password opens.
fn doors(plan: &Plan) -> Vec<Door> {
    let with_login = |name: &String| plan.listeners.get(name).is_some_and(|l| l.auth == ListenerAuth::Required);
    let blocks = plan.may_send.iter().filter(|(_, block)| block.connecting_to.iter().any(with_login));
    let door = |(name, block): (&String, &SendBlock)| Door {
        name: name.clone(),
        from_internet: is_open_to_internet(plan, block),
        row: match &block.limits {
            Limits::EachAccount(row) => Some(row.clone()),
            Limits::EachClientAddress(_) => None,
        },
        by_profile: block.by_profile.clone(),
    };
    blocks.map(door).collect()
}

fn is_open_to_internet(plan: &Plan, block: &SendBlock) -> bool {
    block.from.iter().any(|name| matches!(plan.networks.get(name), Some(Network::Rest | Network::Front(_))))
}

/// More profiles times blocks than this are judged as if one account had the widest row of each block.
const ROWS_MAX: usize = 100_000;

/// Anybody's password may be the one that is stolen: the worst profile.
pub(crate) fn through(doors: &[Door], several: SeveralBlocks, width_s: u32, from_internet: bool) -> Option<u64> {
    let doors: Vec<&Door> = doors.iter().filter(|door| !from_internet || door.from_internet).collect();
    let profiles: BTreeSet<&str> = doors.iter().flat_map(|door| door.by_profile.keys()).map(String::as_str).collect();
    if profiles.len().saturating_mul(doors.len()) > ROWS_MAX {
        return doors.iter().try_fold(0u64, |sum, door| sum.checked_add(door.most(width_s)?));
    }
    let profiles = std::iter::once(None).chain(profiles.into_iter().map(Some));
    profiles.map(|profile| of_profile(&doors, profile, several, width_s)).try_fold(0, |most, one| Some(one?.max(most)))
}

fn of_profile(doors: &[&Door], profile: Option<&str>, several: SeveralBlocks, width_s: u32) -> Option<u64> {
    let rows: Option<Vec<&Row>> = doors.iter().map(|door| door.row_of(profile)).collect();
    let rows = rows?;
    let sum = rows.iter().try_fold(0u64, |sum, row| sum.checked_add(of_row(row, width_s)?));
    match several {
        SeveralBlocks::CountedSeparately => sum,
        SeveralBlocks::CountedTogether => {
            let in_one = rows.iter().map(|row| u64::from(row.recipients_in_one_message)).max().unwrap_or(0);
            let of_messages = [
                together(rows.iter().map(|row| &row.messages_attempted), width_s),
                together(rows.iter().map(|row| &row.messages_accepted), width_s),
            ];
            let of_recipients = [
                together(rows.iter().map(|row| &row.recipients_attempted), width_s),
                together(rows.iter().map(|row| &row.recipients_accepted), width_s),
            ];
            let of_messages = of_messages.into_iter().flatten().map(|messages| messages.saturating_mul(in_one));
            of_recipients.into_iter().flatten().chain(of_messages).chain(sum).min()
        }
    }
}

/// Most events in one ring that every block reads with its own windows. In any `w` seconds the last event was let
/// through by a block that saw at most its own `max` of a window at least `w` wide, so the widest such `max` bounds
/// them all. Blocks with one set of widths give the maximum over blocks; with different widths the maximum of what each
/// allows alone would be too little.
fn together<'r>(windows: impl Iterator<Item = &'r Windows> + Clone, width_s: u32) -> Option<u64> {
    let widths: BTreeSet<u32> = windows.clone().flat_map(Windows::list).map(|window| window.width_s).collect();
    let bound = |w: &u32| -> Option<u64> {
        let of_block = |windows: &Windows| -> Option<u32> {
            windows.list().iter().filter(|window| window.width_s >= *w).map(|window| window.max).min()
        };
        let most = windows.clone().map(of_block).try_fold(0, |most, max| Some(max?.max(most)))?;
        Some(u64::from(most) * u64::from(width_s.div_ceil(*w)))
    };
    widths.iter().take(WIDTHS_MAX).filter_map(bound).min()
}

/// More different widths than this are not looked at: the bound found is still one.
const WIDTHS_MAX: usize = 64;

/// The tightest of what recipient windows allow and of what messages times recipients allow.
pub(crate) fn of_row(row: &Row, width_s: u32) -> Option<u64> {
    let of_recipients = [bound(&row.recipients_attempted, width_s), bound(&row.recipients_accepted, width_s)];
    let of_messages = [bound(&row.messages_attempted, width_s), bound(&row.messages_accepted, width_s)];
    let in_one = u64::from(row.recipients_in_one_message);
    let through_messages = of_messages.into_iter().flatten().map(|messages| messages.saturating_mul(in_one));
    of_recipients.into_iter().flatten().chain(through_messages).min()
}

/// Most events in any `width_s` seconds: a window of `max` per `w` lets `max` through in each of `ceil(width_s / w)`.
pub(crate) fn bound(windows: &Windows, width_s: u32) -> Option<u64> {
    let each = windows.list().iter().map(|window| u64::from(window.max) * u64::from(width_s.div_ceil(window.width_s)));
    each.min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use plan::Window;

    #[test]
    fn a_short_window_bounds_a_long_time_in_whole_steps() {
        let windows = Windows::Within(vec![Window { max: 250, width_s: 900 }, Window { max: 500, width_s: HOUR_S }]);
        assert_eq!(bound(&windows, 900), Some(250));
        assert_eq!(bound(&windows, HOUR_S), Some(500));
        assert_eq!(bound(&windows, DAY_S), Some(12_000));
        assert_eq!(bound(&Windows::Unlimited, HOUR_S), None);
    }

    #[test]
    fn without_a_recipient_window_messages_bound_recipients() {
        let row = Row {
            recipients_in_one_message: 50,
            messages_attempted: Windows::NotCounted,
            messages_accepted: Windows::Within(vec![Window { max: 100, width_s: HOUR_S }]),
            recipients_attempted: Windows::Unlimited,
            recipients_accepted: Windows::NotCounted,
            observed: None,
        };
        assert_eq!(of_row(&row, HOUR_S), Some(5_000));
    }

    fn row(recipients: &[(u32, u32)]) -> Row {
        let windows = recipients.iter().map(|(max, width_s)| Window { max: *max, width_s: *width_s }).collect();
        Row {
            recipients_in_one_message: 50,
            messages_attempted: Windows::NotCounted,
            messages_accepted: Windows::Unlimited,
            recipients_attempted: Windows::Within(windows),
            recipients_accepted: Windows::NotCounted,
            observed: None,
        }
    }

    fn door(row: Row) -> Door {
        Door { name: String::new(), from_internet: true, row: Some(row), by_profile: BTreeMap::new() }
    }

    #[test]
    fn blocks_counted_together_with_different_widths_let_more_through_than_each_alone() {
        // 15 through the second at once, and a second later the first sees an empty window: 25 in two seconds.
        let doors = [door(row(&[(10, 1)])), door(row(&[(15, 2)]))];
        let most = through(&doors, SeveralBlocks::CountedTogether, 2, false).expect("a bound");
        assert!((25..=30).contains(&most), "{most}");
        let same = [door(row(&[(500, 900), (1_000, HOUR_S)])), door(row(&[(250, 900), (500, HOUR_S)]))];
        assert_eq!(through(&same, SeveralBlocks::CountedTogether, HOUR_S, false), Some(1_000));
        assert_eq!(through(&same, SeveralBlocks::CountedSeparately, HOUR_S, false), Some(1_500));
    }

    #[test]
    fn one_account_has_one_profile() {
        let mut first = door(row(&[(100, HOUR_S)]));
        first.by_profile.insert("a".to_owned(), row(&[(300, HOUR_S)]));
        let mut second = door(row(&[(100, HOUR_S)]));
        second.by_profile.insert("b".to_owned(), row(&[(300, HOUR_S)]));
        assert_eq!(through(&[first, second], SeveralBlocks::CountedSeparately, HOUR_S, false), Some(400));
    }
}
