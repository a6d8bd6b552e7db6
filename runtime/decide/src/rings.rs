//! Exact sliding windows: a ring of timestamps per key (`policy-language` 3, "Semantics of a window").
//!
//! A window `max / w` refuses an event at *t* when `max` counted events lie in `(t−w, t]`. All windows on one event of
//! one key share one ring, as long as the largest `max`.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};

use plan::Window;

/// Ticks of 0.1 s.
pub const TICKS_PER_S: u32 = 10;

/// Most rings kept. When more keys than this are alive the quietest are forgotten first, so that an attacker with many
/// addresses costs bounded memory; 5,000 accounts in every block of a large policy need a tenth of it.
const RINGS_MAX: usize = 200_000;
/// The same of rings that refuse nothing (`observed`): they have room of their own, and push out none that do.
const OBSERVED_MAX: usize = 50_000;

/// How keys of limits that only watch begin: what they count, and what was said of them.
pub(crate) const OBSERVED: &str = "observed.";
pub(crate) const WOULD: &str = "would|";

/// By key: moments in their order.
pub(crate) type Shelf = HashMap<String, VecDeque<u32>>;

/// A moment, in ticks of 0.1 s since the store's epoch (13 years).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(pub u32);

impl Tick {
    /// This moment and so many seconds, never past the end of time.
    #[must_use]
    pub fn after_s(self, s: u32) -> Tick {
        Tick(self.0.saturating_add(s.saturating_mul(TICKS_PER_S)))
    }

    /// This moment less so many seconds, never before the epoch.
    #[must_use]
    pub fn before_s(self, s: u32) -> Tick {
        Tick(self.0.saturating_sub(s.saturating_mul(TICKS_PER_S)))
    }
}

/// All rings.
#[derive(Debug, Default)]
pub struct Rings {
    pub(crate) rings: Shelf,
    /// Those of limits that only watch.
    pub(crate) observed: Shelf,
    pub(crate) dirty: BTreeSet<String>,
    /// By event: how many a plan needs that may come back.
    pub(crate) at_least: HashMap<String, u32>,
    pub(crate) turns: u64,
}

impl Rings {
    /// Turns are numbered from here on, if that is later than they are.
    pub fn turns_from(&mut self, turn: u64) {
        self.turns = self.turns.max(turn);
    }

    /// The number of a decision: whoever holds the rings decides before whoever has them next.
    pub fn turn(&mut self) -> u64 {
        self.turns = self.turns.saturating_add(1);
        self.turns
    }

    /// The window that refuses an event now; of several, the one that frees last.
    pub fn full<'w>(&self, key: &str, windows: &'w [Window], now: Tick) -> Option<&'w Window> {
        let ring = self.ring(key)?;
        let frees = |window: &Window| -> Option<u64> {
            let max = usize::try_from(window.max).unwrap_or(usize::MAX);
            // The max-th newest event: while it is inside, so are all newer ones.
            let oldest = *ring.get(ring.len().checked_sub(max)?)?;
            let leaves = u64::from(oldest) + u64::from(window.width_s) * u64::from(TICKS_PER_S);
            (leaves > u64::from(now.0)).then_some(leaves)
        };
        windows.iter().filter_map(|w| frees(w).map(|at| (at, w))).max_by_key(|(at, _)| *at).map(|(_, w)| w)
    }

    /// Counts an event and says at which moment. `keep` is the largest `max` that any window on this key asks for; 0
    /// keeps nothing.
    pub fn count(&mut self, key: &str, keep: u32, now: Tick) -> Tick {
        let keep = keep.max(self.kept_for_another(key));
        if keep == 0 {
            return now;
        }
        let (shelf, most, dirty) = self.shelf(key);
        if !shelf.contains_key(key) {
            make_room(shelf, most, dirty);
            shelf.insert(key.to_owned(), VecDeque::new());
        }
        let Some(ring) = shelf.get_mut(key) else { return now };
        // The clock never goes back; a store that was written by a later clock must not unsort a ring.
        let at = ring.back().map_or(now.0, |newest| now.0.max(*newest));
        ring.push_back(at);
        while ring.len() > keep as usize {
            ring.pop_front();
        }
        mark(dirty, key);
        Tick(at)
    }

    fn ring(&self, key: &str) -> Option<&VecDeque<u32>> {
        if is_observed(key) { self.observed.get(key) } else { self.rings.get(key) }
    }

    /// Where a ring is kept, and how many there may be.
    fn shelf(&mut self, key: &str) -> (&mut Shelf, usize, &mut BTreeSet<String>) {
        match is_observed(key) {
            true => (&mut self.observed, OBSERVED_MAX, &mut self.dirty),
            false => (&mut self.rings, RINGS_MAX, &mut self.dirty),
        }
    }

    fn kept_for_another(&self, key: &str) -> u32 {
        if self.at_least.is_empty() {
            return 0;
        }
        key.split('|').next().and_then(|event| self.at_least.get(event)).copied().unwrap_or(0)
    }

    /// Events in `(now − width, now]`, and the moment of the oldest of them; `now` where there is none.
    pub fn within(&self, key: &str, width_s: u32, now: Tick) -> (u32, Tick) {
        let width = u64::from(width_s) * u64::from(TICKS_PER_S);
        let inside = |tick: &&u32| u64::from(**tick) + width > u64::from(now.0);
        let Some(ring) = self.ring(key) else { return (0, now) };
        let count = ring.iter().rev().take_while(inside).count();
        let oldest = ring.get(ring.len().saturating_sub(count)).copied().unwrap_or(now.0);
        (u32::try_from(count).unwrap_or(u32::MAX), Tick(oldest))
    }

    /// Events from `from` on.
    pub fn since(&self, key: &str, from: Tick) -> u32 {
        let count = self.ring(key).map_or(0, |ring| ring.iter().rev().take_while(|tick| **tick >= from.0).count());
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Takes one event of that moment back: a reservation whose transaction ended without a 250.
    pub fn give_back(&mut self, key: &str, at: Tick) {
        let (shelf, _, dirty) = self.shelf(key);
        let Some(ring) = shelf.get_mut(key) else { return };
        if let Some(place) = ring.iter().rposition(|tick| *tick == at.0) {
            ring.remove(place);
            mark(dirty, key);
        }
    }

    /// Forgets everything about `key`.
    pub fn forget(&mut self, key: &str) {
        let (shelf, _, dirty) = self.shelf(key);
        if shelf.remove(key).is_some() {
            mark(dirty, key);
        }
    }

    /// Forgets all keys `which` names, and says how many there were.
    pub fn forget_all(&mut self, which: impl Fn(&str) -> bool) -> usize {
        let keys: Vec<String> =
            self.rings.keys().chain(self.observed.keys()).filter(|key| which(key)).cloned().collect();
        keys.iter().for_each(|key| self.forget(key));
        keys.len()
    }

    /// What changed since the last call, for the store; an empty list means the key is gone.
    pub fn drain_dirty(&mut self) -> Vec<(String, Vec<u32>)> {
        let dirty = std::mem::take(&mut self.dirty);
        let ticks = |key: &String| self.ring(key).map(|ring| ring.iter().copied().collect()).unwrap_or_default();
        dirty.into_iter().map(|key| (key.clone(), ticks(&key))).collect()
    }

    /// Puts a ring back as the store kept it; sorted here, whatever the store says.
    pub fn load(&mut self, key: &str, ticks: &[u32]) {
        let mut ticks = ticks.to_vec();
        ticks.sort_unstable();
        if !ticks.is_empty() {
            self.shelf(key).0.insert(key.to_owned(), ticks.into());
        }
    }

    /// The newest moment any ring knows; the clock starts no earlier.
    pub fn newest(&self) -> Option<Tick> {
        self.rings.values().chain(self.observed.values()).filter_map(|ring| ring.back()).max().map(|tick| Tick(*tick))
    }

    /// Number of rings.
    pub fn len(&self) -> usize {
        self.rings.len() + self.observed.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rings.is_empty() && self.observed.is_empty()
    }

    /// Drops the rings whose newest event is older than any window, a day.
    pub fn sweep(&mut self, now: Tick) {
        let day = 86_400 * TICKS_PER_S;
        for shelf in [&mut self.rings, &mut self.observed] {
            shelf.retain(|key, ring| {
                let alive = ring.back().is_some_and(|newest| newest.saturating_add(day) > now.0);
                if !alive {
                    mark(&mut self.dirty, key);
                }
                alive
            });
        }
    }
}

/// Is it the key of a limit that only watches?
fn is_observed(key: &str) -> bool {
    key.starts_with(OBSERVED) || key.starts_with(WOULD)
}

/// Most keys that change have changed before.
fn mark(dirty: &mut BTreeSet<String>, key: &str) {
    if !dirty.contains(key) {
        dirty.insert(key.to_owned());
    }
}

/// Forgets the quietest tenth when full.
fn make_room(shelf: &mut Shelf, most: usize, dirty: &mut BTreeSet<String>) {
    if shelf.len() < most {
        return;
    }
    let newest = |ring: &VecDeque<u32>| ring.back().copied().unwrap_or(0);
    let mut ages: Vec<u32> = shelf.values().map(newest).collect();
    let tenth = ages.len() / 10;
    let (_, limit, _) = ages.select_nth_unstable(tenth);
    let limit = *limit;
    let mut spare = tenth.max(1);
    shelf.retain(|key, ring| {
        let goes = spare > 0 && newest(ring) <= limit;
        if goes {
            spare -= 1;
            mark(dirty, key);
        }
        !goes
    });
}

/// The client address limits are kept for: an IPv6 /64 is one address.
pub fn address_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) >> 64 << 64).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUARTER: Window = Window { max: 250, width_s: 900 };

    fn fill(rings: &mut Rings, events: u32, every: u32) {
        for event in 0..events {
            assert_eq!(rings.full("k", &[QUARTER], Tick(event * every)), None);
            rings.count("k", QUARTER.max, Tick(event * every));
        }
    }

    #[test]
    fn the_door_opens_when_the_oldest_event_is_exactly_as_old_as_the_window() {
        for every in [0, 24] {
            let mut rings = Rings::default();
            fill(&mut rings, 250, every);
            assert_eq!(rings.full("k", &[QUARTER], Tick(8_999)), Some(&QUARTER), "spread by {every}");
            assert_eq!(rings.full("k", &[QUARTER], Tick(9_000)), None, "spread by {every}");
        }
    }

    #[test]
    fn refused_attempts_count_too() {
        let mut rings = Rings::default();
        fill(&mut rings, 250, 0);
        rings.count("k", 250, Tick(8_999));
        assert_eq!(rings.full("k", &[QUARTER], Tick(9_000)), None);
        for _ in 0..249 {
            rings.count("k", 250, Tick(9_000));
        }
        assert_eq!(rings.full("k", &[QUARTER], Tick(17_998)), Some(&QUARTER));
        assert_eq!(rings.full("k", &[QUARTER], Tick(17_999)), None);
    }

    #[test]
    fn of_two_full_windows_the_one_that_frees_last_is_named() {
        let hour = Window { max: 3, width_s: 3_600 };
        let minute = Window { max: 2, width_s: 60 };
        let mut rings = Rings::default();
        for _ in 0..3 {
            rings.count("k", 3, Tick(0));
        }
        assert_eq!(rings.full("k", &[minute, hour], Tick(1)), Some(&hour));
    }

    #[test]
    fn a_reservation_given_back_leaves_no_trace() {
        let window = Window { max: 1, width_s: 60 };
        let mut rings = Rings::default();
        rings.count("k", 1, Tick(5));
        assert!(rings.full("k", &[window], Tick(6)).is_some());
        rings.give_back("k", Tick(5));
        assert!(rings.full("k", &[window], Tick(6)).is_none());
    }

    #[test]
    fn many_keys_cost_bounded_memory() {
        let mut rings = Rings::default();
        for key in 0..(RINGS_MAX as u32 + 10) {
            rings.count(&key.to_string(), 1, Tick(key));
        }
        assert!(rings.len() <= RINGS_MAX);
        assert!(rings.rings.contains_key(&(RINGS_MAX + 9).to_string()));
        assert!(!rings.rings.contains_key("0"));
    }

    #[test]
    fn limits_that_only_watch_push_out_none_that_refuses() {
        let mut rings = Rings::default();
        rings.count("messages_attempted|a|account:toto-j", 1, Tick(0));
        for key in 0..(OBSERVED_MAX as u32 + 10) {
            let prefix = if key % 2 == 0 { OBSERVED } else { WOULD };
            rings.count(&format!("{prefix}messages_attempted|a|account:{key}"), 1, Tick(key + 1));
        }
        assert!(rings.observed.len() <= OBSERVED_MAX);
        assert_eq!((rings.rings.len(), rings.since("messages_attempted|a|account:toto-j", Tick(0))), (1, 1));
        // Both kinds are written, read back and swept.
        let written = rings.drain_dirty();
        let mut again = Rings::default();
        written.iter().for_each(|(key, ticks)| again.load(key, ticks));
        assert_eq!((again.rings, again.observed.len()), (rings.rings.clone(), rings.observed.len()));
        rings.sweep(Tick(u32::MAX));
        assert!(rings.is_empty());
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_address() {
        assert_eq!(address_key("2001:db8::1".parse().unwrap()), address_key("2001:db8::ffff:2".parse().unwrap()));
        assert_eq!(address_key("::ffff:192.0.2.1".parse().unwrap()), "192.0.2.1");
    }

    proptest! {
        /// Against the definition: count the events in `(t−w, t]`.
        #[test]
        fn rings_agree_with_a_naive_list(
            steps in proptest::collection::vec((0u32..40, any::<bool>()), 1..300),
            short in (1u32..6, 1u32..4),
            long in (1u32..12, 4u32..9),
        ) {
            let windows = [Window { max: short.0, width_s: short.1 }, Window { max: long.0, width_s: long.1 }];
            let keep = short.0.max(long.0);
            let (mut rings, mut list, mut now) = (Rings::default(), Vec::<u32>::new(), 0u32);
            for (gap, attempt) in steps {
                now += gap;
                let refused = windows.iter().any(|w| {
                    let within = |t: &&u32| i64::from(**t) > i64::from(now) - i64::from(w.width_s * TICKS_PER_S);
                    list.iter().filter(within).count() >= w.max as usize
                });
                prop_assert_eq!(rings.full("k", &windows, Tick(now)).is_some(), refused);
                if attempt || !refused {
                    rings.count("k", keep, Tick(now));
                    list.push(now);
                }
            }
        }
    }
}
