//! When which message is tried: fair between destinations, in order of their due times inside one, and patient with those
//! that are down. Pure: it is told the time and what tries came to, and says what to try next.
//!
//! INVARIANT (one-at-a-time): a message waits at a destination once, or is being tried there once, never both; so no two
//! tries hand over the same copy.

mod lane;
mod provider;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt;

use store::QueueId;

use crate::retry::next_attempt_s;
use crate::route::Destination;
use crate::step::PROBE_AFTER_S;
pub use lane::{Down, Trouble};
use lane::{Lane, Place};
pub use provider::Provider;

/// A destination that could not be reached is probed at least so often, in seconds.
const DOWN_MAX_S: i64 = 3_600;
/// Destinations whose provider is remembered.
const PROVIDERS_KNOWN_MAX: usize = 20_000;

/// Where messages wait together: a destination, and the domain where DNS leads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Toward {
    pub destination: Destination,
    /// For [`Destination::Mx`].
    pub domain: Option<String>,
}

impl fmt::Display for Toward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.destination, &self.domain) {
            (Destination::Mx, domain) => f.write_str(domain.as_deref().unwrap_or("mx")),
            (Destination::Smtp(host), _) => f.write_str(host),
            (Destination::Lmtp(host), _) => write!(f, "lmtp {host}"),
            (Destination::Capture(address), _) => write!(f, "capture {address}"),
            (Destination::Local, _) => f.write_str("mailboxes here"),
            (Destination::Gone, _) => f.write_str("no route"),
        }
    }
}

/// How much may happen at once.
#[derive(Clone, Debug)]
pub struct Bounds {
    pub at_once: usize,
    pub per_destination: u32,
    /// Seconds between probes of a destination that is down, as the plan retries messages.
    pub retry_s: Vec<u64>,
}

/// What is to be done with a message now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Go {
    Try,
    /// The destination is down: its messages share the outcome, and nothing is connected.
    Share(Down),
}

/// Work for the driver; it ends with [`Schedule::finish`].
#[derive(Clone, Debug)]
pub struct Taken {
    pub lane: u32,
    pub toward: Toward,
    pub queue_id: QueueId,
    pub go: Go,
}

/// What a try said of the destination itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It spoke with us. `host` is the one that did, for the provider's pace.
    Alive {
        host: Option<String>,
    },
    Unreachable {
        why: String,
    },
    Blocked {
        why: String,
    },
    Nothing,
}

/// All that waits.
pub struct Schedule {
    bounds: Bounds,
    lanes: Vec<Option<Lane>>,
    free: Vec<u32>,
    by_toward: HashMap<Toward, u32>,
    /// Lanes that may be tried now: those that took mail before, and the others, which may have half of all places.
    ready: [VecDeque<u32>; 2],
    turn: usize,
    timed: BTreeSet<(i64, u32)>,
    /// True: what is waiting changed meanwhile.
    in_flight: HashMap<(u32, QueueId), bool>,
    unproven_in_flight: usize,
    waiting: usize,
    providers: Vec<Provider>,
    provider_of: HashMap<Toward, usize>,
    blocks_changed: bool,
}

impl Schedule {
    pub fn new(bounds: Bounds, providers: Vec<Provider>) -> Schedule {
        Schedule {
            bounds,
            lanes: Vec::new(),
            free: Vec::new(),
            by_toward: HashMap::new(),
            ready: [VecDeque::new(), VecDeque::new()],
            turn: 0,
            timed: BTreeSet::new(),
            in_flight: HashMap::new(),
            unproven_in_flight: 0,
            waiting: 0,
            providers,
            provider_of: HashMap::new(),
            blocks_changed: false,
        }
    }

    /// Other bounds and providers hold from now on. What is under way is not counted against the new providers.
    pub fn rebound(&mut self, bounds: Bounds, providers: Vec<Provider>) {
        (self.bounds, self.providers) = (bounds, providers);
        self.provider_of.clear();
        self.lanes.iter_mut().flatten().for_each(|lane| lane.provider = None);
    }

    /// A message waits at a destination from now on, or is due there earlier than it was. One that is being tried is left
    /// to that try.
    pub fn put(&mut self, toward: &Toward, queue_id: QueueId, due_at_s: i64, now_s: i64) {
        let number = self.lane_of(toward);
        if let Some(changed) = self.in_flight.get_mut(&(number, queue_id)) {
            *changed = true;
            return;
        }
        let Some(lane) = self.lane_mut(number) else { return };
        if lane.waiting.insert((due_at_s, queue_id)) {
            self.waiting += 1;
        }
        self.place(number, now_s);
    }

    /// Forgets these messages, which changed in the store; the caller puts back what still waits of them.
    pub fn forget(&mut self, ids: &HashSet<QueueId>, now_s: i64) {
        for number in 0..self.lanes.len() as u32 {
            let Some(lane) = self.lane_mut(number) else { continue };
            let before = lane.waiting.len();
            lane.waiting.retain(|(_, id)| !ids.contains(id));
            let gone = before - lane.waiting.len();
            self.waiting -= gone;
            if gone > 0 {
                self.place(number, now_s);
            }
        }
        for ((_, id), changed) in &mut self.in_flight {
            *changed |= ids.contains(id);
        }
    }

    /// The next piece of work, if there is any and a place for it.
    pub fn take(&mut self, now_s: i64) -> Option<Taken> {
        while let Some((at_s, number)) = self.timed.first().copied()
            && at_s <= now_s
        {
            // It goes on, or to a later second.
            self.timed.remove(&(at_s, number));
            self.place(number, now_s);
        }
        if self.in_flight.len() >= self.bounds.at_once {
            return None;
        }
        self.turn = 1 - self.turn;
        [self.turn, 1 - self.turn].into_iter().find_map(|ring| self.take_from(ring, now_s))
    }

    fn take_from(&mut self, ring: usize, now_s: i64) -> Option<Taken> {
        if ring == UNPROVEN && self.unproven_in_flight * 2 >= self.bounds.at_once.max(2) {
            return None;
        }
        while let Some(number) = self.ready[ring].pop_front() {
            let Some(lane) = self.lane_mut(number) else { continue };
            if lane.place != Place::Ready {
                continue;
            }
            lane.place = Place::Nowhere;
            if let Some(taken) = self.begin(number, now_s) {
                self.place(number, now_s);
                return Some(taken);
            }
            self.place(number, now_s);
        }
        None
    }

    /// Takes the first message of a lane, if it may go now.
    fn begin(&mut self, number: u32, now_s: i64) -> Option<Taken> {
        let (per_destination, at_once) = (self.bounds.per_destination, self.bounds.at_once);
        let provider = self.lane(number)?.provider;
        let room = provider.and_then(|one| self.providers.get(one)).is_none_or(|one| one.free_at_s(now_s) <= now_s);
        let lane = self.lane_mut(number)?;
        if lane.waiting.first().is_none_or(|(due_at_s, _)| *due_at_s > now_s) {
            return None;
        }
        let go = lane.go(now_s, per_destination, at_once)?;
        if go == Go::Try && !room {
            return None;
        }
        let (_, queue_id) = lane.waiting.pop_first()?;
        if let Some(changed) = self.in_flight.get_mut(&(number, queue_id)) {
            // It was put here twice, with two times.
            *changed = true;
            self.waiting -= 1;
            return None;
        }
        let lane = self.lane_mut(number)?;
        lane.in_flight += 1;
        let (toward, proven) = (lane.toward.clone(), lane.proven);
        self.waiting -= 1;
        self.unproven_in_flight += usize::from(!proven);
        if let (Go::Try, Some(provider)) = (&go, provider.and_then(|one| self.providers.get_mut(one))) {
            provider.begin(now_s);
        }
        self.in_flight.insert((number, queue_id), false);
        Some(Taken { lane: number, toward, queue_id, go })
    }

    /// A piece of work ended. `next_s` is when the message is due again at this destination. True when the message changed
    /// meanwhile: then it does not wait here, and the caller reads it again and puts back what waits.
    #[must_use]
    pub fn finish(&mut self, taken: &Taken, next_s: Option<i64>, said: Said, now_s: i64) -> bool {
        let number = taken.lane;
        let changed = self.in_flight.remove(&(number, taken.queue_id)).unwrap_or(false);
        let provider = self.lane(number).and_then(|lane| lane.provider);
        if let (Go::Try, Some(provider)) = (&taken.go, provider.and_then(|one| self.providers.get_mut(one))) {
            provider.end();
        }
        let known = self.learned(&taken.toward, &said);
        let (bounds, retry_s) = (self.bounds.per_destination, self.bounds.retry_s.clone());
        let Some(lane) = self.lane_mut(number) else { return changed };
        lane.in_flight = lane.in_flight.saturating_sub(1);
        let (was_proven, was_blocked) = (lane.proven, lane.is_blocked());
        let since = lane.down.as_ref().map(|down| down.until_s);
        lane.provider = known;
        match said {
            Said::Alive { .. } => lane.alive(bounds),
            Said::Unreachable { why } => {
                let failures = lane.failures();
                let wait_s = next_attempt_s(&retry_s, failures, 0, 0).min(DOWN_MAX_S);
                lane.down(Trouble::Unreachable, why, now_s, wait_s);
            }
            Said::Blocked { why } => lane.down(Trouble::Blocked, why, now_s, PROBE_AFTER_S),
            Said::Nothing => {}
        }
        let (proven, is_blocked) = (lane.proven, lane.is_blocked());
        let blocks_changed =
            was_blocked != is_blocked || (is_blocked && since != lane.down.as_ref().map(|down| down.until_s));
        if let (Some(due_at_s), false) = (next_s, changed) {
            lane.waiting.insert((due_at_s, taken.queue_id));
            self.waiting += 1;
        }
        self.blocks_changed |= blocks_changed;
        self.count_proof(number, was_proven, proven);
        self.place(number, now_s);
        changed
    }

    /// Keeps the count of tries at destinations that never took mail right when one turns out to.
    fn count_proof(&mut self, number: u32, was: bool, is: bool) {
        let others = self.lane(number).map_or(0, |lane| lane.in_flight as usize);
        self.unproven_in_flight = self.unproven_in_flight.saturating_sub(usize::from(!was));
        match (was, is) {
            (false, true) => self.unproven_in_flight = self.unproven_in_flight.saturating_sub(others),
            (true, false) => self.unproven_in_flight += others,
            _ => {}
        }
    }

    /// The provider of a destination: by the host that spoke, from then on.
    fn learned(&mut self, toward: &Toward, said: &Said) -> Option<usize> {
        if let Said::Alive { host: Some(host) } = said
            && let Ok(host) = host.parse()
            && let Some(found) = self.providers.iter().position(|provider| provider.has(&host))
            && (self.provider_of.len() < PROVIDERS_KNOWN_MAX || self.provider_of.contains_key(toward))
        {
            self.provider_of.insert(toward.clone(), found);
        }
        self.provider_of.get(toward).copied()
    }

    /// Did a destination begin or end to block us since this was last asked?
    pub fn blocks_changed(&mut self) -> bool {
        std::mem::take(&mut self.blocks_changed)
    }

    /// The provider a host is of, by the name the plan gives it.
    pub fn provider_of_host(&self, host: &str) -> Option<&str> {
        let host = host.parse().ok()?;
        self.providers.iter().find(|provider| provider.has(&host)).map(|provider| provider.name.as_str())
    }

    /// When there will be something to take that is not there now; `None` when nothing waits for a time.
    pub fn next_s(&self) -> Option<i64> {
        self.timed.first().map(|(at_s, _)| *at_s)
    }

    /// Is something being tried, or about to be?
    pub fn is_busy(&self, now_s: i64) -> bool {
        !self.in_flight.is_empty()
            || self.ready.iter().any(|ring| !ring.is_empty())
            || self.next_s().is_some_and(|next_s| next_s <= now_s)
    }

    /// Messages that wait, each once per destination.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Destinations that are down, in order.
    pub fn down(&self) -> Vec<(Toward, Down, usize)> {
        let lanes = self.lanes.iter().flatten();
        let mut down: Vec<_> =
            lanes.filter_map(|lane| Some((lane.toward.clone(), lane.down.clone()?, lane.waiting.len()))).collect();
        down.sort_by(|a, b| a.0.cmp(&b.0));
        down
    }

    /// An operator says that destinations are to be tried again now. How many were down.
    pub fn revive(&mut self, which: impl Fn(&Toward) -> bool, now_s: i64) -> usize {
        let mut revived = 0;
        for number in 0..self.lanes.len() as u32 {
            let Some(lane) = self.lane_mut(number) else { continue };
            if lane.down.is_some() && which(&lane.toward) {
                lane.down = None;
                self.blocks_changed = true;
                revived += 1;
                self.place(number, now_s);
            }
        }
        revived
    }

    /// A block that was known before a restart.
    pub fn remember_blocked(&mut self, toward: &Toward, down: Down, now_s: i64) {
        let number = self.lane_of(toward);
        if let Some(lane) = self.lane_mut(number) {
            lane.down = Some(down);
        }
        self.place(number, now_s);
    }

    fn lane_of(&mut self, toward: &Toward) -> u32 {
        if let Some(number) = self.by_toward.get(toward) {
            return *number;
        }
        let lane = Some(Lane::new(toward.clone(), self.provider_of.get(toward).copied()));
        let number = match self.free.pop() {
            Some(number) => {
                self.lanes[number as usize] = lane;
                number
            }
            None => {
                self.lanes.push(lane);
                self.lanes.len() as u32 - 1
            }
        };
        self.by_toward.insert(toward.clone(), number);
        number
    }

    fn lane(&self, number: u32) -> Option<&Lane> {
        self.lanes.get(number as usize)?.as_ref()
    }

    fn lane_mut(&mut self, number: u32) -> Option<&mut Lane> {
        self.lanes.get_mut(number as usize)?.as_mut()
    }

    /// Puts a lane where it belongs: among those that can be taken now, among those that wait for a time, nowhere while a
    /// try has to end first, or out of here when nothing waits.
    fn place(&mut self, number: u32, now_s: i64) {
        let (per_destination, at_once) = (self.bounds.per_destination, self.bounds.at_once);
        let Some(lane) = self.lane(number) else { return };
        if let Place::Timed(at_s) = lane.place {
            self.timed.remove(&(at_s, number));
        }
        let Some(lane) = self.lane(number) else { return };
        if lane.is_done(now_s) {
            let toward = lane.toward.clone();
            self.by_toward.remove(&toward);
            self.lanes[number as usize] = None;
            self.free.push(number);
            return;
        }
        let provider = lane.provider.and_then(|one| self.providers.get(one));
        let place = match lane.waiting.first() {
            None => match &lane.down {
                Some(down) if down.until_s > now_s => Place::Timed(down.until_s),
                Some(_) | None => Place::Nowhere,
            },
            Some((due_at_s, _)) if *due_at_s > now_s => Place::Timed(*due_at_s),
            Some(_) => match lane.go(now_s, per_destination, at_once) {
                None => Place::Nowhere,
                Some(Go::Share(_)) => Place::Ready,
                Some(Go::Try) => match provider.map_or(now_s, |provider| provider.free_at_s(now_s)) {
                    free_at_s if free_at_s > now_s => Place::Timed(free_at_s),
                    _ => Place::Ready,
                },
            },
        };
        let (was, ring) = (lane.place, if lane.proven { PROVEN } else { UNPROVEN });
        if let Some(lane) = self.lane_mut(number) {
            lane.place = place;
        }
        match place {
            Place::Ready if was != Place::Ready => self.ready[ring].push_back(number),
            Place::Timed(at_s) => {
                self.timed.insert((at_s, number));
            }
            Place::Ready | Place::Nowhere => {}
        }
    }
}

const PROVEN: usize = 0;
const UNPROVEN: usize = 1;
