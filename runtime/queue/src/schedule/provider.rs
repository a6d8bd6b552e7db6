//! A provider many domains have their mail at, with a pace of its own (`delivery.providers`).

use std::collections::VecDeque;

use decide::DomainSet;
use mail::Domain;
use plan::Window;

/// Looked at again after this when all its connections are taken, in seconds.
const BUSY_S: i64 = 1;

pub struct Provider {
    pub name: String,
    hosts: DomainSet,
    at_once: u32,
    windows: Vec<Window>,
    in_flight: u32,
    /// When messages went to it, Unix seconds; no more than the widest window asks for.
    begun: VecDeque<i64>,
}

impl Provider {
    pub fn new(name: &str, rules: &plan::Provider) -> Provider {
        Provider {
            name: name.to_owned(),
            hosts: DomainSet::new(rules.mx.iter().map(|pattern| (pattern, 0))),
            at_once: rules.connections_at_once.max(1),
            windows: rules.messages.list().to_vec(),
            in_flight: 0,
            begun: VecDeque::new(),
        }
    }

    /// Is this host its?
    pub fn has(&self, host: &Domain) -> bool {
        self.hosts.find(host).is_some()
    }

    /// When it may be given the next message; `now_s` or before is at once.
    pub fn free_at_s(&self, now_s: i64) -> i64 {
        if self.in_flight >= self.at_once {
            return now_s + BUSY_S;
        }
        let full = |window: &Window| {
            let nth = self.begun.len().checked_sub(window.max.max(1) as usize)?;
            let free_at_s = self.begun.get(nth)? + i64::from(window.width_s);
            (free_at_s > now_s).then_some(free_at_s)
        };
        self.windows.iter().filter_map(full).max().unwrap_or(now_s)
    }

    pub fn begin(&mut self, now_s: i64) {
        self.in_flight += 1;
        self.begun.push_back(now_s);
        let most = self.windows.iter().map(|window| window.max.max(1) as usize).max().unwrap_or(0);
        while self.begun.len() > most {
            self.begun.pop_front();
        }
    }

    pub fn end(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }
}
