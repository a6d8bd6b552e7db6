//! Turns at the password check, by client address: a flood from one address waits for itself and delays nobody else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Logins of one address that may wait for their turn.
const WAITING_PER_ADDRESS_MAX: usize = 1_024;

/// Who has a turn and who waits for one, by address.
#[derive(Debug)]
pub struct Turns {
    /// Turns of one address at a time.
    at_once: usize,
    addresses: Mutex<HashMap<String, Line>>,
}

#[derive(Debug)]
struct Line {
    turns: Arc<Semaphore>,
    /// With a turn or waiting. A line with nobody in it is forgotten.
    present: usize,
}

/// A turn; given back on drop.
#[derive(Debug)]
pub struct Turn<'a> {
    // Dropped in this order: the turn goes on before its line may be forgotten.
    _permit: OwnedSemaphorePermit,
    _present: Present<'a>,
}

/// Somebody in a line, also when the connection goes away while it waits.
#[derive(Debug)]
struct Present<'a> {
    turns: &'a Turns,
    address: String,
}

impl Turns {
    /// So many turns at a time for each address.
    pub fn new(at_once: usize) -> Turns {
        Turns { at_once, addresses: Mutex::default() }
    }

    /// Waits for a turn of `address` (`decide::address_key`). `None`: too many of this address wait.
    pub async fn take(&self, address: &str) -> Option<Turn<'_>> {
        let (present, line) = self.join(address)?;
        let permit = line.acquire_owned().await.ok()?;
        Some(Turn { _permit: permit, _present: present })
    }

    fn join(&self, address: &str) -> Option<(Present<'_>, Arc<Semaphore>)> {
        let mut addresses = self.addresses();
        let line = addresses
            .entry(address.to_owned())
            .or_insert_with(|| Line { turns: Arc::new(Semaphore::new(self.at_once)), present: 0 });
        if line.present >= self.at_once + WAITING_PER_ADDRESS_MAX {
            return None;
        }
        line.present += 1;
        Some((Present { turns: self, address: address.to_owned() }, line.turns.clone()))
    }

    fn addresses(&self) -> MutexGuard<'_, HashMap<String, Line>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        let mut addresses = self.turns.addresses();
        let Some(line) = addresses.get_mut(&self.address) else { return };
        line.present -= 1;
        if line.present == 0 {
            addresses.remove(&self.address);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn once<'a>(mut take: Pin<&mut impl Future<Output = Option<Turn<'a>>>>) -> Poll<Option<Turn<'a>>> {
        take.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn a_third_login_of_an_address_waits_and_another_address_does_not() {
        let turns = Turns::new(2);
        let first = turns.take("192.0.2.1").await;
        let _second = turns.take("192.0.2.1").await;
        let mut third = Box::pin(turns.take("192.0.2.1"));
        assert!(once(third.as_mut()).is_pending());
        assert!(matches!(once(Box::pin(turns.take("192.0.2.2")).as_mut()), Poll::Ready(Some(_))));
        drop(first);
        assert!(matches!(once(third.as_mut()), Poll::Ready(Some(_))));
    }

    #[tokio::test]
    async fn a_line_has_an_end_and_is_forgotten_when_all_have_left() {
        let turns = Turns::new(1);
        let turn = turns.take("192.0.2.1").await;
        let mut waiting = Vec::new();
        for _ in 0..WAITING_PER_ADDRESS_MAX {
            let mut one = Box::pin(turns.take("192.0.2.1"));
            assert!(once(one.as_mut()).is_pending());
            waiting.push(one);
        }
        assert!(matches!(once(Box::pin(turns.take("192.0.2.1")).as_mut()), Poll::Ready(None)));
        drop(waiting);
        assert_eq!(turns.addresses()["192.0.2.1"].present, 1);
        drop(turn);
        assert!(turns.addresses().is_empty());
    }
}
