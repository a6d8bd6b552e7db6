//! Has a plan on trial to go? Facts in, verdict out; the clock is a parameter.

use std::fmt;

use plan::Guards;

/// What was seen since a plan is on trial.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Unix seconds.
    pub now_s: i64,
    /// When it has to be confirmed.
    pub until_s: i64,
    /// Accounts that logged in, are not contained, and were refused something.
    pub refused: u32,
    /// How many there were in the same hour a week ago.
    pub refused_a_week_ago: u32,
    /// It only forbids more than the plan before: whoever hammers against it must not bring that one back.
    pub only_tighter: bool,
    /// What is down, and since when.
    pub down: Vec<(String, i64)>,
    pub panics: u64,
    /// Of those the ones of work in the background, which worked until the trial began.
    pub panics_in_background: u64,
    /// Messages that wait now, and when the trial began.
    pub queue: u64,
    pub queue_before: u64,
    /// Accounts that are not contained and have mail waiting which came since the trial began.
    pub queue_accounts: u32,
}

/// Why a plan is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    NotConfirmed,
    Refusals {
        accounts: u32,
        a_week_ago: u32,
    },
    Down {
        what: String,
        for_s: i64,
    },
    Panic,
    Queue {
        more: u64,
    },
    /// The server was started again before it was confirmed.
    Restart,
    /// Somebody asked for it.
    Asked,
}

impl Cause {
    /// The label of the metric.
    pub fn word(&self) -> &'static str {
        match self {
            Cause::NotConfirmed => "timeout",
            Cause::Refusals { .. } => "guard:refusals",
            Cause::Down { .. } => "guard:down",
            Cause::Panic => "guard:panic",
            Cause::Queue { .. } => "guard:queue",
            Cause::Restart => "restart",
            Cause::Asked => "asked",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::NotConfirmed => f.write_str("it was not confirmed in time"),
            Cause::Refusals { accounts, a_week_ago } => {
                write!(f, "{accounts} accounts were refused, {a_week_ago} in the same hour a week ago")
            }
            Cause::Down { what, for_s } => write!(f, "{what} was down for {for_s} s"),
            Cause::Panic => f.write_str("the server panicked"),
            Cause::Queue { more } => write!(f, "{more} more messages wait than before"),
            Cause::Restart => f.write_str("the server started again before it was confirmed"),
            Cause::Asked => f.write_str("somebody asked for it"),
        }
    }
}

/// The first reason to take the plan back (policy-language 9, sequence 4). `rules` are those of the plan before: a plan cannot
/// switch off what guards against it. Whoever holds one account, or sends from outside, cannot bring the plan before back: what they
/// bring about counts only with what happens to as many accounts as `accounts_floor` says, and under a plan that only forbids more
/// not at all.
pub fn judge(rules: &Guards, watched: &Watched) -> Option<Cause> {
    let panics = if watched.only_tighter { watched.panics_in_background } else { watched.panics };
    if panics > 0 {
        return Some(Cause::Panic);
    }
    let bound = rules.accounts_times.saturating_mul(watched.refused_a_week_ago).max(rules.accounts_floor);
    if !watched.only_tighter && watched.refused > bound {
        return Some(Cause::Refusals { accounts: watched.refused, a_week_ago: watched.refused_a_week_ago });
    }
    let down_s = i64::try_from(rules.down_s).unwrap_or(i64::MAX);
    let down = watched.down.iter().map(|(what, since_s)| (what, watched.now_s.saturating_sub(*since_s)));
    if let Some((what, for_s)) = down.filter(|(_, for_s)| *for_s >= down_s).max_by_key(|(_, for_s)| *for_s) {
        return Some(Cause::Down { what: what.clone(), for_s });
    }
    let more = watched.queue.saturating_sub(watched.queue_before);
    // Mail of strangers proves nothing: anybody sends a thousand messages to where they wait.
    let of_many = !watched.only_tighter && watched.queue_accounts > rules.accounts_floor;
    if of_many && more > rules.queue {
        return Some(Cause::Queue { more });
    }
    (watched.now_s >= watched.until_s).then_some(Cause::NotConfirmed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Guards {
        plan::Deployment::default().guards
    }

    /// Begun at 1000, to be confirmed at 1600.
    fn quiet() -> Watched {
        Watched { now_s: 1_000, until_s: 1_600, queue: 31, queue_before: 31, ..Watched::default() }
    }

    #[test]
    fn a_plan_nobody_confirms_goes_at_its_time_and_not_before() {
        for (now_s, cause) in [(1_000, None), (1_599, None), (1_600, Some(Cause::NotConfirmed))] {
            assert_eq!(judge(&rules(), &Watched { now_s, ..quiet() }), cause, "{now_s}");
        }
        // A clock that was set back cannot make a trial end early, nor one set forward keep it.
        assert_eq!(judge(&rules(), &Watched { now_s: 0, ..quiet() }), None);
        assert_eq!(judge(&rules(), &Watched { now_s: i64::MAX, ..quiet() }), Some(Cause::NotConfirmed));
    }

    #[test]
    fn accounts_count_above_the_floor_and_above_three_times_last_weeks() {
        for (refused, a_week_ago, trips) in
            [(20, 0, false), (21, 0, true), (21, 7, false), (22, 7, true), (30, 10, false), (31, 10, true)]
        {
            let watched = Watched { refused, refused_a_week_ago: a_week_ago, ..quiet() };
            assert_eq!(judge(&rules(), &watched).is_some(), trips, "{refused} of {a_week_ago}");
        }
    }

    #[test]
    fn who_hammers_cannot_bring_the_looser_plan_back() {
        let watched = Watched { refused: 5_000, only_tighter: true, ..quiet() };
        assert_eq!(judge(&rules(), &watched), None);
        // It still has to be confirmed, and to work.
        assert_eq!(judge(&rules(), &Watched { panics: 1, ..watched.clone() }), None, "who knows how to make it panic");
        let of_ours = Watched { panics: 1, panics_in_background: 1, ..watched.clone() };
        assert_eq!(judge(&rules(), &of_ours), Some(Cause::Panic));
        let queue = Watched { queue: 90_000, queue_accounts: 500, ..watched.clone() };
        assert_eq!(judge(&rules(), &queue), None, "who fills the queue");
        assert_eq!(judge(&rules(), &Watched { now_s: 1_600, ..watched }), Some(Cause::NotConfirmed));
    }

    #[test]
    fn what_is_down_may_come_back_within_a_minute() {
        let down = |since_s| vec![("listener mx".to_owned(), since_s)];
        for (since_s, trips) in [(1_000, false), (970, false), (941, false), (940, true), (0, true)] {
            let watched = Watched { now_s: 1_000, down: down(since_s), ..quiet() };
            assert_eq!(judge(&rules(), &watched).is_some(), trips, "{since_s}");
        }
    }

    #[test]
    fn a_queue_that_grows_trips_and_a_long_one_does_not() {
        for (queue, queue_before, trips) in
            [(1_031, 31, false), (1_032, 31, true), (90_000, 90_000, false), (3, 90, false)]
        {
            let watched = Watched { queue, queue_before, queue_accounts: 21, ..quiet() };
            assert_eq!(judge(&rules(), &watched).is_some(), trips, "{queue}");
        }
    }

    #[test]
    fn a_queue_of_one_account_or_of_strangers_brings_nothing_back() {
        for (queue_accounts, trips) in [(0, false), (1, false), (20, false), (21, true), (500, true)] {
            let watched = Watched { queue: 90_000, queue_accounts, ..quiet() };
            assert_eq!(judge(&rules(), &watched).is_some(), trips, "{queue_accounts}");
        }
    }
}
