//! Hashes under way, shared by all connections that wait for the same one: a mail program that opens five connections with
//! one password costs one hash.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::watch;

use super::Name;

/// What became of a hash; `None` while nobody knows.
type Landing = watch::Sender<Option<bool>>;

/// The hashes somebody waits for, by name of what is hashed.
#[derive(Debug, Default)]
pub struct Flights(Mutex<HashMap<Name, Weak<Landing>>>);

/// Somebody who waits for a hash. With the last of them it is forgotten.
#[derive(Debug)]
pub struct Seat<'a> {
    flights: &'a Flights,
    name: Name,
    /// Taken out on drop.
    landing: Option<Arc<Landing>>,
}

impl Flights {
    pub fn board(&self, name: Name) -> Seat<'_> {
        let mut flights = self.flights();
        let landing = flights.get(&name).and_then(Weak::upgrade).unwrap_or_else(|| {
            let landing = Arc::new(watch::Sender::new(None));
            flights.insert(name, Arc::downgrade(&landing));
            landing
        });
        Seat { flights: self, name, landing: Some(landing) }
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<Name, Weak<Landing>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat<'_> {
    /// Waits until somebody has hashed it, and says whether it was right.
    pub async fn landed(&self) -> bool {
        let Some(landing) = &self.landing else { return std::future::pending().await };
        let mut told = landing.subscribe();
        // The sender is held here, so that it cannot be gone.
        let right = told.wait_for(Option::is_some).await.ok().and_then(|right| *right);
        match right {
            Some(right) => right,
            None => std::future::pending().await,
        }
    }

    /// Tells the others.
    pub fn land(&self, right: bool) {
        if let Some(landing) = &self.landing {
            landing.send_replace(Some(right));
        }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        // Under the lock nobody boards meanwhile.
        let mut flights = self.flights.flights();
        drop(self.landing.take());
        if flights.get(&self.name).is_some_and(|landing| landing.strong_count() == 0) {
            flights.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_on_board_hear_what_one_found_and_nothing_stays() {
        let flights = Flights::default();
        let (one, two, other) = (flights.board([1; 32]), flights.board([1; 32]), flights.board([2; 32]));
        one.land(true);
        drop(one);
        assert!(two.landed().await);
        other.land(false);
        assert!(!other.landed().await);
        drop((two, other));
        assert!(flights.flights().is_empty());
    }
}
