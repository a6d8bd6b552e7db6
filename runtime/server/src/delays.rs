//! Answers to failed logins that wait a moment (`logins.delay`). Who waits holds its connection and a timer, no thread and no
//! buffer; when many wait already the answer comes at once, because limits on guessing hold without any delay.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::service::stopped;

/// Answers that wait at a time.
const WAITING_MAX: usize = 1_000;
/// The same for one address.
const WAITING_OF_ADDRESS_MAX: usize = 32;

#[derive(Default)]
pub struct Delays {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    all: usize,
    by_address: HashMap<String, usize>,
}

/// A place among those that wait; given back when it is dropped.
struct Place<'a> {
    delays: &'a Delays,
    address: &'a str,
}

impl Delays {
    /// Waits so long, if there is a place, and no longer than the server runs. `address` as `decide::address_key` names it.
    pub async fn wait(&self, address: &str, seconds: u32, stop: &mut watch::Receiver<bool>) {
        if seconds == 0 {
            return;
        }
        let Some(place) = self.place(address) else { return };
        let _ = tokio::time::timeout(Duration::from_secs(seconds.into()), stopped(stop)).await;
        drop(place);
    }

    fn place<'a>(&'a self, address: &'a str) -> Option<Place<'a>> {
        let mut waiting = self.waiting();
        let of_address = waiting.by_address.get(address).copied().unwrap_or(0);
        if waiting.all >= WAITING_MAX || of_address >= WAITING_OF_ADDRESS_MAX {
            return None;
        }
        waiting.all += 1;
        waiting.by_address.insert(address.to_owned(), of_address + 1);
        Some(Place { delays: self, address })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.delays.waiting();
        waiting.all = waiting.all.saturating_sub(1);
        let left = waiting.by_address.get(self.address).map_or(0, |many| many.saturating_sub(1));
        if left == 0 {
            waiting.by_address.remove(self.address);
        } else {
            waiting.by_address.insert(self.address.to_owned(), left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_in_all_and_by_address_and_come_back() {
        let delays = Delays::default();
        let one: Vec<_> = (0..100).filter_map(|_| delays.place("192.0.2.1")).collect();
        assert_eq!(one.len(), WAITING_OF_ADDRESS_MAX);
        let addresses: Vec<String> = (0..10_000).map(|number| format!("2001:db8:{number:x}::")).collect();
        let many: Vec<_> = addresses.iter().filter_map(|address| delays.place(address)).collect();
        assert_eq!(many.len() + one.len(), WAITING_MAX);
        drop((one, many));
        assert!(delays.waiting().by_address.is_empty() && delays.waiting().all == 0);
    }

    #[tokio::test]
    async fn a_server_that_stops_waits_for_nobody() {
        let delays = Delays::default();
        let (_running, mut stop) = watch::channel(true);
        delays.wait("192.0.2.1", u32::MAX, &mut stop).await;
        delays.wait("192.0.2.1", 0, &mut stop).await;
        assert!(delays.waiting().by_address.is_empty());
    }
}
