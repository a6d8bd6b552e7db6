//! From how many networks an account is used at a time.

use std::collections::HashMap;
use std::net::IpAddr;

use plan::Window;

use super::Seen;
use crate::rings::{TICKS_PER_S, Tick};

/// Networks remembered of one account; of more the one that was quiet for the longest is forgotten.
const NETWORKS_MAX: usize = 64;
/// Nothing is remembered for longer than the widest window, a day.
const DAY: u32 = 86_400 * TICKS_PER_S;

/// The networks accounts logged in from lately. In memory alone: [`Networks::recall`] is for what is known of them elsewhere.
#[derive(Debug, Default)]
pub struct Networks {
    /// The newest moment of each network, by detector and account.
    seen: HashMap<String, Vec<(u64, u32)>>,
}

impl Networks {
    /// Notes a login, and says whether it makes them more than the window allows. Then it begins anew.
    pub(super) fn entered(&mut self, key: &str, from: IpAddr, window: Window, now: Tick) -> Option<Seen> {
        let network = network(from);
        let seen = self.seen.entry(key.to_owned()).or_default();
        seen.retain(|(other, _)| *other != network);
        if seen.len() >= NETWORKS_MAX.max(window.max as usize + 1) {
            seen.remove(0);
        }
        // The clock never goes back, so the newest is the last.
        seen.push((network, now.0));
        let width = u64::from(window.width_s) * u64::from(TICKS_PER_S);
        let inside = |entry: &&(u64, u32)| u64::from(entry.1) + width > u64::from(now.0);
        let count = u32::try_from(seen.iter().rev().take_while(inside).count()).unwrap_or(u32::MAX);
        if count <= window.max {
            return None;
        }
        self.seen.remove(key);
        Some(Seen { count, of: None, within_s: window.width_s })
    }

    /// Puts back what an account was seen from before, each with its moment, where nothing is known of it yet. What would have
    /// set the detector off did so then, and it began anew.
    pub(super) fn recall(&mut self, key: &str, from: &[(IpAddr, Tick)], window: Window, now: Tick) {
        if self.seen.contains_key(key) {
            return;
        }
        let width = u64::from(window.width_s) * u64::from(TICKS_PER_S);
        let mut newest: HashMap<u64, u32> = HashMap::new();
        for (address, at) in from.iter().filter(|(_, at)| *at <= now && u64::from(at.0) + width > u64::from(now.0)) {
            let known = newest.entry(network(*address)).or_default();
            *known = at.0.max(*known);
        }
        let mut seen: Vec<(u64, u32)> = newest.into_iter().collect();
        seen.sort_unstable_by_key(|(network, at)| (*at, *network));
        if !seen.is_empty() && seen.len() <= window.max as usize {
            self.seen.insert(key.to_owned(), seen);
        }
    }

    /// Drops what is older than any window.
    pub fn sweep(&mut self, now: Tick) {
        self.seen.retain(|_, seen| {
            seen.retain(|(_, at)| at.saturating_add(DAY) > now.0);
            !seen.is_empty()
        });
    }

    /// Accounts that are remembered.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }
}

/// An IPv4 /16 or an IPv6 /32: what one provider gives to one region, so that a telephone on a train stays in a few.
fn network(from: IpAddr) -> u64 {
    match from.to_canonical() {
        IpAddr::V4(v4) => u64::from(u32::from(v4) >> 16),
        IpAddr::V6(v6) => 1 << 32 | u64::from((u128::from(v6) >> 96) as u32),
    }
}
