//! What follows for a recipient when a try came to something: the one transition function of the spool.

use decide::Dsn;
use mail::{EnhancedCode, Notify};
use plan::Delivery;

use crate::retry::{end_s, next_attempt_s};

/// A destination that blocks us is probed again after this, in seconds.
pub const PROBE_AFTER_S: i64 = 4 * 3_600;

/// What a try came to for one recipient, and the words for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    pub came: Came,
    /// One line, bounded, without control characters: what the next hop said, or our own words.
    pub said: String,
    /// RFC 3463.
    pub status: EnhancedCode,
    /// The host that said it; nothing when the words are ours.
    pub remote: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// A next hop has it. Where it knows DSN (RFC 3461 5.2.1) the sender hears from it.
    Taken { tells: bool },
    /// A mailbox here has it.
    Placed,
    /// The site's sink has it.
    Sunk,
    /// A temporary refusal, or trouble.
    Later,
    /// The destination could not be reached at all.
    Unreachable,
    /// The destination refuses this server whatever it brings.
    Blocked,
    /// A permanent refusal of this message or recipient.
    Never,
    /// Our own end cut the try short: it is made up for at the next start.
    CutShort,
}

/// What is known of the recipient before the try. Times are Unix seconds.
#[derive(Clone, Copy, Debug)]
pub struct Before {
    pub null_reverse_path: bool,
    pub notify: Option<Notify>,
    pub delay_told: bool,
    /// Tries so far.
    pub attempts: u32,
    pub accepted_at_s: i64,
    pub now_s: i64,
}

/// The next state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `Settle(Delivered)`; `tell` asks for a DSN of success.
    Delivered { tell: bool },
    /// `Attempt`; `warn` asks for a DSN of delay.
    Wait { due_at_s: i64, warn: bool },
    /// `Settle(Failed)` with a loss record and what `told` says.
    Failed { expired: bool, told: Told },
}

/// Does the sender of what failed hear of it?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Dsn,
    Silent(Silence),
}

/// Why not: the closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// RFC 5321 4.5.5: a notification is never answered by one.
    NullReversePath,
    /// RFC 3461 4.1: NOTIFY without FAILURE.
    NotAsked,
}

impl Silence {
    /// For the loss record.
    pub fn word(self) -> &'static str {
        match self {
            Silence::NullReversePath => "nobody to tell",
            Silence::NotAsked => "the sender asked not to be told",
        }
    }
}

/// The transition. INVARIANT (never-lost): a recipient ends only as delivered, or failed with a reason and a word on who
/// was told; everything else waits, and not for longer than `keep`.
pub fn step(before: &Before, came: Came, delivery: &Delivery, keep: plan::Life, spread: u64) -> Step {
    match came {
        Came::Taken { tells: true } | Came::Sunk => Step::Delivered { tell: false },
        Came::Taken { tells: false } | Came::Placed => Step::Delivered { tell: wants(before, Dsn::Success) },
        Came::Never => Step::Failed { expired: false, told: told(before) },
        Came::CutShort => Step::Wait { due_at_s: before.now_s, warn: false },
        Came::Later | Came::Unreachable | Came::Blocked => {
            let end_s = end_s(keep, before.accepted_at_s);
            if end_s.is_some_and(|end_s| before.now_s >= end_s) {
                return Step::Failed { expired: true, told: told(before) };
            }
            let mut due_at_s = match came {
                Came::Blocked => next_attempt_s(&[PROBE_AFTER_S.unsigned_abs()], 0, before.now_s, spread),
                _ => next_attempt_s(&delivery.retry_s, before.attempts, before.now_s, spread),
            };
            let warn_at_s =
                before.accepted_at_s.saturating_add(i64::try_from(delivery.warn_after_s).unwrap_or(i64::MAX));
            let to_be_warned = delivery.warn_after_s > 0 && !before.delay_told && wants_delay(before);
            let warn = to_be_warned && before.now_s >= warn_at_s;
            // The word on the delay and the end come on time, not with the next try after it.
            for at_s in [end_s, (to_be_warned && !warn).then_some(warn_at_s)].into_iter().flatten() {
                due_at_s = due_at_s.min(at_s.max(before.now_s.saturating_add(1)));
            }
            Step::Wait { due_at_s, warn }
        }
    }
}

fn told(before: &Before) -> Told {
    if before.null_reverse_path {
        Told::Silent(Silence::NullReversePath)
    } else if wants(before, Dsn::Failure) {
        Told::Dsn
    } else {
        Told::Silent(Silence::NotAsked)
    }
}

/// By the policy's own table, which knows one kind of NOTIFY at a time. What ends in silence never comes to the spool.
fn wants(before: &Before, dsn: Dsn) -> bool {
    use decide::Notify as Asked;
    let asked = match before.notify {
        None => vec![Asked::Absent],
        Some(notify) => {
            [(notify.success, Asked::Success), (notify.failure, Asked::Failure), (notify.delay, Asked::Delay)]
                .into_iter()
                .filter_map(|(set, asked)| set.then_some(asked))
                .collect()
        }
    };
    let due = |asked| decide::dsn(dsn == Dsn::Success, false, asked) == Some(dsn);
    !before.null_reverse_path && asked.into_iter().any(due)
}

/// RFC 3461 4.1: whoever says nothing may hear of a delay.
fn wants_delay(before: &Before) -> bool {
    !before.null_reverse_path && before.notify.is_none_or(|notify| notify.delay)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn delivery() -> Delivery {
        Delivery {
            retry_s: vec![60, 300],
            warn_after_s: 1_000,
            connections_at_once: 10,
            providers: std::collections::BTreeMap::new(),
            dane: false,
            mta_sts: false,
            tls_always_to: Vec::new(),
            tls_reports: plan::Reports::Nothing,
        }
    }

    const KEEP: plan::Life = plan::Life::For { s: 5_000 };
    const FRESH: Before = Before {
        null_reverse_path: false,
        notify: None,
        delay_told: false,
        attempts: 0,
        accepted_at_s: 10_000,
        now_s: 10_000,
    };

    fn after(came: Came, before: Before) -> Step {
        step(&before, came, &delivery(), KEEP, 0)
    }

    fn asks(success: bool, failure: bool, delay: bool) -> Option<Notify> {
        Some(Notify { success, failure, delay })
    }

    #[test]
    fn each_state_follows_from_what_the_try_came_to() {
        let null = Before { null_reverse_path: true, ..FRESH };
        let silent = |why| Step::Failed { expired: false, told: Told::Silent(why) };
        let failed = |expired| Step::Failed { expired, told: Told::Dsn };
        let wait = |s: i64, warn| Step::Wait { due_at_s: 10_000 + s, warn };
        let at = |s: i64, attempts| Before { now_s: 10_000 + s, attempts, ..FRESH };
        let asked = |notify, before| Before { notify, ..before };
        for (came, before, expected) in [
            (Came::Taken { tells: false }, FRESH, Step::Delivered { tell: false }),
            (Came::Taken { tells: false }, asked(asks(true, true, false), FRESH), Step::Delivered { tell: true }),
            (Came::Taken { tells: true }, asked(asks(true, true, false), FRESH), Step::Delivered { tell: false }),
            (Came::Placed, asked(asks(true, false, false), FRESH), Step::Delivered { tell: true }),
            (Came::Placed, asked(asks(true, false, false), null), Step::Delivered { tell: false }),
            (Came::Never, FRESH, failed(false)),
            (Came::Never, null, silent(Silence::NullReversePath)),
            (Came::Never, asked(asks(false, false, false), FRESH), silent(Silence::NotAsked)),
            (Came::Never, asked(asks(false, false, true), FRESH), silent(Silence::NotAsked)),
            (Came::Never, asked(asks(true, true, false), FRESH), failed(false)),
            (Came::Later, FRESH, wait(60, false)),
            (Came::Unreachable, at(60, 1), wait(360, false)),
            (Came::Later, at(900, 1), wait(1_000, false)),
            (Came::Later, at(1_000, 1), wait(1_300, true)),
            (Came::Later, asked(asks(false, true, false), at(1_000, 1)), wait(1_300, false)),
            (Came::Later, Before { delay_told: true, ..at(1_000, 1) }, wait(1_300, false)),
            (Came::Later, at(4_900, 1), wait(5_000, true)),
            (Came::Later, at(5_000, 1), failed(true)),
            (Came::Blocked, Before { delay_told: true, ..FRESH }, wait(5_000, false)),
            (Came::CutShort, at(9_000, 1), wait(9_000, false)),
        ] {
            assert_eq!(after(came, before), expected, "{came:?} {before:?}");
        }
        let forever = step(&at(1 << 40, 9), Came::Blocked, &delivery(), plan::Life::Forever, 0);
        assert!(matches!(forever, Step::Wait { .. }), "{forever:?}");
    }

    fn came() -> impl Strategy<Value = Came> {
        proptest::sample::select(vec![Came::Later, Came::Unreachable, Came::Blocked, Came::Never, Came::CutShort])
    }

    proptest! {
        /// Whatever next hops say, a recipient ends within its life and one try, told or with the reason why not; and no
        /// try is due before the last one.
        #[test]
        fn nothing_ends_untold_and_nothing_waits_for_ever(
            cames in proptest::collection::vec(came(), 1..200), null in any::<bool>(), ask in any::<Option<[bool; 3]>>(),
            spread in any::<u64>(),
        ) {
            let notify = ask.map(|[success, failure, delay]| Notify { success, failure, delay });
            let mut before = Before { null_reverse_path: null, notify, ..FRESH };
            let mut warned = 0;
            for came in cames {
                match step(&before, came, &delivery(), KEEP, spread) {
                    Step::Wait { due_at_s, warn } => {
                        prop_assert!(due_at_s > before.now_s || came == Came::CutShort);
                        prop_assert!(due_at_s <= before.accepted_at_s + 5_000 || came == Came::CutShort);
                        warned += usize::from(warn);
                        before = Before {
                            now_s: due_at_s, attempts: before.attempts + 1, delay_told: before.delay_told || warn, ..before
                        };
                    }
                    Step::Failed { told, expired } => {
                        let asked = notify.is_none_or(|notify| notify.failure);
                        prop_assert_eq!(told == Told::Dsn, !null && asked);
                        prop_assert_eq!(expired, came != Came::Never);
                        break;
                    }
                    Step::Delivered { .. } => prop_assert!(false, "{:?} delivers nothing", came),
                }
            }
            prop_assert!(warned <= 1);
        }
    }
}
