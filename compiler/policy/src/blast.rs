//! What one stolen password can do: arithmetic on the rows of a plan (policy-language.md 6.4). For accounts without a
//! grant; recipients reached, in the worst case that the windows allow.

use std::fmt;

use crate::figures::grouped;
use plan::{Limits, ListenerAuth, Network, Plan, Row, SendBlock, SeveralBlocks, To, Windows};

const HOUR_S: u32 = 3_600;
const DAY_S: u32 = 86_400;

/// Recipients one account can reach; `None` is without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlastRadius {
    pub hour: Option<u64>,
    /// Through blocks that can be used from `Rest`, directly or through a `Front`.
    pub internet_hour: Option<u64>,
    pub internet_day: Option<u64>,
}

impl BlastRadius {
    pub fn of(plan: &Plan) -> BlastRadius {
        BlastRadius {
            hour: recipients(plan, HOUR_S, false),
            internet_hour: recipients(plan, HOUR_S, true),
            internet_day: recipients(plan, DAY_S, true),
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

/// Most recipients one account reaches in any `width_s` seconds.
pub(crate) fn recipients(plan: &Plan, width_s: u32, from_internet: bool) -> Option<u64> {
    let blocks = plan.may_send.values().filter(|block| {
        let with_login = block
            .connecting_to
            .iter()
            .any(|name| plan.listeners.get(name).is_some_and(|listener| listener.auth == ListenerAuth::Required));
        with_login && block.to == To::Anyone && (!from_internet || is_open_to_internet(plan, block))
    });
    let each: Vec<Option<u64>> = blocks.map(|block| of_block(block, width_s)).collect();
    match plan.one_account_in_several_blocks {
        SeveralBlocks::CountedSeparately => each.into_iter().try_fold(0u64, |sum, most| sum.checked_add(most?)),
        // One ring, read by each block with its own figures: the widest block decides.
        SeveralBlocks::CountedTogether => each.into_iter().try_fold(0, |widest, most| Some(most?.max(widest))),
    }
}

fn is_open_to_internet(plan: &Plan, block: &SendBlock) -> bool {
    block.from.iter().any(|name| matches!(plan.networks.get(name), Some(Network::Rest | Network::Front(_))))
}

/// The widest row of a block: anybody's password may be the one that is stolen.
fn of_block(block: &SendBlock, width_s: u32) -> Option<u64> {
    let own = match &block.limits {
        Limits::EachAccount(row) => of_row(row, width_s),
        // A stolen password has as many addresses as the thief.
        Limits::EachClientAddress(_) => None,
    };
    block.by_profile.values().map(|row| of_row(row, width_s)).try_fold(own?, |widest, most| Some(most?.max(widest)))
}

/// The tightest of what recipient windows allow and of what messages times recipients allow.
fn of_row(row: &Row, width_s: u32) -> Option<u64> {
    let of_recipients = [bound(&row.recipients_attempted, width_s), bound(&row.recipients_accepted, width_s)];
    let of_messages = [bound(&row.messages_attempted, width_s), bound(&row.messages_accepted, width_s)];
    let in_one = u64::from(row.recipients_in_one_message);
    let through_messages = of_messages.into_iter().flatten().map(|messages| messages.saturating_mul(in_one));
    of_recipients.into_iter().flatten().chain(through_messages).min()
}

/// Most events in any `width_s` seconds: a window of `max` per `w` lets `max` through in each of `ceil(width_s / w)`.
fn bound(windows: &Windows, width_s: u32) -> Option<u64> {
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
        };
        assert_eq!(of_row(&row, HOUR_S), Some(5_000));
    }
}
