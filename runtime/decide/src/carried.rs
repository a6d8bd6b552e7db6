//! Counters under another plan (policy-language 9, "Counters survive"). A ring is known by its event and by block and account
//! or address: what keeps its names keeps its ring.
//!
//! A smaller `max` holds at once, as a window looks at the newest events alone. While a plan is on trial rings stay as long as the
//! plan before needs them, so that nothing is forgotten when it comes back.

use std::collections::{BTreeSet, HashMap, VecDeque};

use plan::{SeveralBlocks, Windows};

use crate::rings::{OBSERVED, Rings, Shelf};
use crate::tables::Tables;

/// In place of a block, where an account's blocks are counted together.
const TOGETHER: &str = "*";

/// The events windows of `tables` count, each with the events its rings keep.
fn lengths(tables: &Tables) -> [(&'static str, u32); 7] {
    let longest = |windows: &Windows| windows.list().iter().map(|window| window.max).max().unwrap_or(0);
    let strangers = &tables.plan().strangers;
    [
        ("messages_attempted", tables.keep.messages_attempted),
        ("messages_accepted", tables.keep.messages_accepted),
        ("recipients_attempted", tables.keep.recipients_attempted),
        ("recipients_accepted", tables.keep.recipients_accepted),
        ("connections", longest(&strangers.connections_attempted)),
        ("stranger_messages", longest(&strangers.messages_attempted)),
        ("unknown_recipients", longest(&strangers.unknown_recipients_attempted)),
    ]
}

/// The same for limits that only watch, by the same events.
fn observed_lengths(tables: &Tables) -> [(String, u32); 4] {
    let keep = &tables.keep_observed;
    [
        ("messages_attempted", keep.messages_attempted),
        ("messages_accepted", keep.messages_accepted),
        ("recipients_attempted", keep.recipients_attempted),
        ("recipients_accepted", keep.recipients_accepted),
    ]
    .map(|(event, keep)| (format!("{OBSERVED}{event}"), keep))
}

fn all_lengths(tables: &Tables) -> HashMap<String, u32> {
    let refusing = lengths(tables).into_iter().map(|(event, keep)| (event.to_owned(), keep));
    refusing.chain(observed_lengths(tables)).collect()
}

impl Rings {
    /// `new` takes the place of `old`, which may come back: nothing is forgotten yet.
    pub fn carry(&mut self, old: &Tables, new: &Tables) {
        self.at_least = all_lengths(old);
        let together = |tables: &Tables| tables.plan().one_account_in_several_blocks == SeveralBlocks::CountedTogether;
        if together(new) && !together(old) {
            self.merge();
        }
    }

    /// `tables` is there to stay: rings are as long as it needs them.
    pub fn settle(&mut self, tables: &Tables) {
        self.at_least = HashMap::new();
        let lengths = all_lengths(tables);
        for (key, ring) in self.rings.iter_mut().chain(&mut self.observed) {
            let keep = key.split('|').next().and_then(|event| lengths.get(event));
            let Some(keep) = keep.filter(|keep| ring.len() > **keep as usize) else { continue };
            ring.drain(..ring.len() - *keep as usize);
            self.dirty.insert(key.clone());
        }
        self.rings.retain(|_, ring| !ring.is_empty());
        self.observed.retain(|_, ring| !ring.is_empty());
    }

    /// Brings the rings of an account's blocks together. They stay for the plan before. An event that was brought over already is
    /// not counted twice.
    fn merge(&mut self) {
        for shelf in [&mut self.rings, &mut self.observed] {
            for (key, ticks) in merged(shelf) {
                self.dirty.insert(key.clone());
                shelf.insert(key, ticks.into());
            }
        }
    }
}

/// What accounts counted in all their blocks.
fn merged(shelf: &Shelf) -> Vec<(String, Vec<u32>)> {
    let mut merged: HashMap<String, HashMap<u32, usize>> = HashMap::new();
    for (key, ring) in shelf {
        let mut parts = key.splitn(3, '|');
        let (Some(event), Some(scope), Some(subject)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let counts = event.strip_prefix(OBSERVED).unwrap_or(event);
        let is_sending = counts.starts_with("messages_") || counts.starts_with("recipients_");
        if scope == TOGETHER || !is_sending || !subject.starts_with("account:") {
            continue;
        }
        let all = merged.entry(format!("{event}|{TOGETHER}|{subject}")).or_default();
        ring.iter().for_each(|tick| *all.entry(*tick).or_default() += 1);
    }
    let with_former = |(key, mut all): (String, HashMap<u32, usize>)| {
        for (tick, times) in counted(shelf.get(&key)) {
            let of = all.entry(tick).or_default();
            *of = times.max(*of);
        }
        let mut ticks: Vec<u32> = all.into_iter().flat_map(|(tick, times)| std::iter::repeat_n(tick, times)).collect();
        ticks.sort_unstable();
        (key, ticks)
    };
    merged.into_iter().map(with_former).collect()
}

fn counted(ring: Option<&VecDeque<u32>>) -> HashMap<u32, usize> {
    let mut all = HashMap::new();
    ring.into_iter().flatten().for_each(|tick| *all.entry(*tick).or_default() += 1);
    all
}

/// What becomes of counters when `new` takes the place of `old`, a line each.
pub fn carried(old: &Tables, new: &Tables) -> Vec<String> {
    let mut lines = Vec::new();
    let blocks = |tables: &Tables| tables.plan().may_send.keys().cloned().collect::<BTreeSet<String>>();
    for name in blocks(new).difference(&blocks(old)) {
        lines.push(format!("may_send.{name}: a new name, its windows start empty"));
    }
    for ((event, before), (_, after)) in lengths(old).into_iter().zip(lengths(new)) {
        if after > before && before > 0 {
            lines.push(format!(
                "{event}: what is older than the {before} kept is not known; lenient for one window at most"
            ));
        }
    }
    match (old.plan().one_account_in_several_blocks, new.plan().one_account_in_several_blocks) {
        (SeveralBlocks::CountedSeparately, SeveralBlocks::CountedTogether) => {
            lines.push("windows of an account's blocks are brought together".to_owned());
        }
        (SeveralBlocks::CountedTogether, SeveralBlocks::CountedSeparately) => {
            lines.push("windows of each block start empty".to_owned());
        }
        (SeveralBlocks::CountedSeparately, SeveralBlocks::CountedSeparately)
        | (SeveralBlocks::CountedTogether, SeveralBlocks::CountedTogether) => {}
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rings::Tick;

    fn ticks(rings: &Rings, key: &str) -> Vec<u32> {
        rings.rings.get(key).into_iter().flatten().copied().collect()
    }

    #[test]
    fn blocks_that_are_counted_together_share_what_each_counted() {
        let mut rings = Rings::default();
        for (key, at) in [("messages_attempted|a|account:toto-j", 5), ("messages_attempted|b|account:toto-j", 3)] {
            rings.count(key, 10, Tick(at));
        }
        rings.count("messages_attempted|a|address:192.0.2.1", 10, Tick(7));
        rings.count("failed_logins|campus|account:toto-j", 10, Tick(7));
        for _ in 0..2 {
            // The second time nothing is counted twice.
            rings.merge();
            assert_eq!(ticks(&rings, "messages_attempted|*|account:toto-j"), [3, 5]);
            assert_eq!(rings.len(), 5);
        }
        rings.count("messages_attempted|*|account:toto-j", 10, Tick(9));
        rings.merge();
        assert_eq!(ticks(&rings, "messages_attempted|*|account:toto-j"), [3, 5, 9]);
        assert_eq!(ticks(&rings, "messages_attempted|a|account:toto-j"), [5], "for the plan before");
    }

    /// A plan that watches, one that does not, and the first again.
    #[test]
    fn what_limits_that_only_watch_counted_is_there_when_their_plan_comes_back() {
        let plan = || plan::read(include_str!("../../../policies/nantes/policy.plan.ron")).unwrap().0;
        let watching = |max: u32| {
            let mut plan = plan();
            let windows = Windows::Within(vec![plan::Window { max, width_s: 3_600 }]);
            for block in plan.may_send.values_mut() {
                let (plan::Limits::EachAccount(row) | plan::Limits::EachClientAddress(row)) = &mut block.limits;
                row.observed = Some(plan::Observed {
                    recipients_in_one_message: None,
                    messages_attempted: windows.clone(),
                    messages_accepted: Windows::NotCounted,
                    recipients_attempted: Windows::NotCounted,
                    recipients_accepted: Windows::NotCounted,
                });
            }
            Tables::new(plan).unwrap()
        };
        let (wide, narrow, none) = (watching(6), watching(2), Tables::new(plan()).unwrap());
        let key = "observed.messages_attempted|a|account:toto-j";
        let seen = |rings: &Rings| rings.since(key, Tick(0));
        let mut rings = Rings::default();
        for at in 0..6 {
            rings.count(key, wide.keep_observed.messages_attempted, Tick(at));
        }
        // On trial nothing is forgotten, whether the new plan watches less or not at all.
        for new in [&narrow, &none] {
            rings.carry(&wide, new);
            rings.count(key, new.keep_observed.messages_attempted, Tick(7));
            assert_eq!(seen(&rings), 6);
            // Taken back.
            rings.settle(&wide);
            assert_eq!((seen(&rings), rings.observed.len()), (6, 1));
        }
        // Confirmed.
        rings.carry(&wide, &narrow);
        rings.settle(&narrow);
        assert_eq!(seen(&rings), 2);
        rings.settle(&none);
        assert!(rings.is_empty());
        // Blocks that are counted together share these, too.
        rings.count(key, 6, Tick(8));
        rings.merge();
        assert_eq!(rings.since("observed.messages_attempted|*|account:toto-j", Tick(0)), 1);
    }

    #[test]
    fn a_trial_forgets_nothing_the_plan_before_needs() {
        let mut rings = Rings { at_least: HashMap::from([("connections".to_owned(), 4)]), ..Rings::default() };
        for at in 0..6 {
            rings.count("connections|192.0.2.1", 2, Tick(at));
        }
        assert_eq!(ticks(&rings, "connections|192.0.2.1"), [2, 3, 4, 5]);
        // A window the plan on trial does not have is counted all the same.
        rings.count("connections|192.0.2.2", 0, Tick(6));
        assert_eq!(ticks(&rings, "connections|192.0.2.2"), [6]);
        rings.count("messages_attempted|a|account:toto-j", 0, Tick(6));
        assert_eq!(rings.len(), 2);
    }
}
