//! Admission to the processors: who may wait for a hash, for how long, and who hears "try later" at once instead.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::line::{Line, Ticket};

/// Mail programs give a login up after 30 s and more: whoever would wait longer than this hears so instead.
const EXPECTED_MAX: Duration = Duration::from_secs(20);
/// Places in all; there are no more connections than this.
const WAITING_MAX: usize = 10_000;
/// Places of one address, and of one account.
const WAITING_PER_ADDRESS_MAX: usize = 1_024;
const WAITING_PER_ACCOUNT_MAX: usize = 256;
/// Hashes of one client address at a time, unless half of the processors are more.
const HASHING_PER_ADDRESS_MIN: usize = 2;
/// A measured hash counts for so much of what the next is expected to take.
const WEIGHT: u64 = 8;

/// The line at the processors.
#[derive(Debug)]
pub struct Queue {
    line: Mutex<Line<oneshot::Sender<()>>>,
    /// What a hash takes, in microseconds: an average that forgets.
    hash_us: AtomicU64,
}

/// A place in the line, and later a turn; given back on drop.
#[derive(Debug)]
pub struct Place {
    queue: Arc<Queue>,
    ticket: Ticket,
    called: oneshot::Receiver<()>,
}

impl Queue {
    /// A line at `processors`; `hash` is what a hash took when somebody looked.
    pub fn new(processors: usize, hash: Duration) -> Queue {
        let line = Line::new(processors, HASHING_PER_ADDRESS_MIN.max(processors / 2));
        Queue { line: Mutex::new(line), hash_us: AtomicU64::new(micros(hash)) }
    }

    /// A place for a login of `address` (`decide::address_key`) to `account`. `None`: it would wait too long.
    pub fn join(self: &Arc<Self>, address: &str, account: u64) -> Option<Place> {
        let hash = Duration::from_micros(self.hash_us.load(Ordering::Relaxed));
        let mut line = self.line();
        let full = line.waiting() >= WAITING_MAX || line.of_address(address) >= WAITING_PER_ADDRESS_MAX;
        if full || line.expected(address, account, hash) > EXPECTED_MAX {
            return None;
        }
        if line.of_account(account) >= WAITING_PER_ACCOUNT_MAX && !line.make_way(address, account) {
            return None;
        }
        let (wake, called) = oneshot::channel();
        let ticket = line.join(address, account, wake);
        call(&mut line);
        drop(line);
        Some(Place { queue: self.clone(), ticket, called })
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.line().waiting()
    }

    /// What a hash took.
    pub fn took(&self, hash: Duration) {
        let before = self.hash_us.load(Ordering::Relaxed);
        // Two that come at once may lose one of them, which an average bears.
        self.hash_us.store((before * (WEIGHT - 1) + micros(hash)) / WEIGHT, Ordering::Relaxed);
    }

    fn line(&self) -> MutexGuard<'_, Line<oneshot::Sender<()>>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits for the turn. False when the place was given to somebody of another address.
    pub async fn turn(&mut self) -> bool {
        (&mut self.called).await.is_ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut line = self.queue.line();
        line.leave(self.ticket);
        call(&mut line);
    }
}

/// Tells whose turn has come. Whoever does not hear it is leaving, and gives the turn back.
fn call(line: &mut Line<oneshot::Sender<()>>) {
    while let Some(wake) = line.call() {
        let _ = wake.send(());
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX / WEIGHT).min(u64::MAX / WEIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_would_wait_too_long_hears_so_at_once_and_the_others_do_not() {
        let queue = Arc::new(Queue::new(1, Duration::from_secs(1)));
        let mut places: Vec<Place> = (0..40).map_while(|account| queue.join("192.0.2.1", account)).collect();
        assert_eq!(places.len(), 21, "one is served and twenty wait, the last of them for 20 s");
        let mut other = queue.join("192.0.2.2", 100).expect("another address waits for one round");
        assert!(places[0].turn().await);
        drop(places);
        assert!(other.turn().await);
        assert_eq!(queue.waiting(), 0);
    }

    #[test]
    fn what_a_hash_takes_is_learned() {
        let queue = Arc::new(Queue::new(1, Duration::from_millis(1)));
        let _first = queue.join("192.0.2.1", 1).unwrap();
        for _ in 0..100 {
            queue.took(Duration::from_secs(30));
        }
        assert!(queue.join("192.0.2.2", 2).is_none(), "a hash of 30 s is before it");
    }

    #[tokio::test]
    async fn a_place_that_is_dropped_makes_way() {
        let queue = Arc::new(Queue::new(1, Duration::from_millis(1)));
        let mut first = queue.join("192.0.2.1", 1).unwrap();
        let second = queue.join("192.0.2.2", 2).unwrap();
        let mut third = queue.join("192.0.2.3", 3).unwrap();
        assert!(first.turn().await);
        drop(second);
        drop(first);
        assert!(third.turn().await);
    }

    #[tokio::test]
    async fn guesses_of_one_address_do_not_keep_the_owner_out() {
        let queue = Arc::new(Queue::new(1, Duration::from_millis(1)));
        let mut guesses: Vec<Place> = (0..2_000).map_while(|_| queue.join("192.0.2.1", 1)).collect();
        assert_eq!(guesses.len(), WAITING_PER_ACCOUNT_MAX);
        let mut owner = queue.join("192.0.2.2", 1).expect("one of the guesses makes way");
        assert!(!guesses.pop().unwrap().turn().await, "the last one");
        // The first was served when it came, and the second was next before anybody else was there.
        for mut guess in guesses.drain(..2) {
            assert!(guess.turn().await);
        }
        assert!(owner.turn().await, "the other guesses wait behind it");
        assert_eq!(queue.waiting(), WAITING_PER_ACCOUNT_MAX - 3);
    }

    #[test]
    fn lines_have_an_end() {
        let queue = Arc::new(Queue::new(1, Duration::ZERO));
        let of_account = (0..2_000).map_while(|n| queue.join(&format!("a{n}"), 1)).collect::<Vec<_>>();
        assert_eq!(of_account.len(), WAITING_PER_ACCOUNT_MAX);
        let of_address = (10..5_000).map_while(|n| queue.join("192.0.2.1", n)).collect::<Vec<_>>();
        assert_eq!(of_address.len(), WAITING_PER_ADDRESS_MAX);
    }
}
