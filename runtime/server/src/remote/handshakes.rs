//! Connections whose handshake is not done: anybody opens them, so they have bounds of their own, and whoever comes is let in. Over a
//! bound the oldest one ends instead: an operator needs a moment for a handshake, a silent stranger is the oldest soon.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// At a time.
const ALL_MAX: usize = 64;
/// Of one network.
const OF_NETWORK_MAX: usize = 4;

#[derive(Debug, Default)]
pub(super) struct Handshakes(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    turn: u64,
    /// The oldest first. Dropping the sender ends the handshake.
    all: VecDeque<(u64, IpAddr, oneshot::Sender<()>)>,
}

/// One of them; its end gives the place back.
#[derive(Debug)]
pub(super) struct Handshake {
    of: Arc<Handshakes>,
    turn: u64,
    ended: oneshot::Receiver<()>,
}

impl Handshakes {
    /// Never refused.
    pub fn enter(self: &Arc<Handshakes>, client: IpAddr) -> Handshake {
        let network = network(client);
        let (end, ended) = oneshot::channel();
        let mut open = self.open();
        let of_network = open.all.iter().filter(|(_, of, _)| *of == network).count();
        if of_network >= OF_NETWORK_MAX {
            let oldest = open.all.iter().position(|(_, of, _)| *of == network);
            drop(oldest.and_then(|at| open.all.remove(at)));
        } else if open.all.len() >= ALL_MAX {
            // Of the network that has most: few networks keep nobody of another one out.
            let crowd = |at: usize| open.all.iter().filter(|(_, of, _)| *of == open.all[at].1).count();
            let at = (0..open.all.len()).max_by_key(|at| (crowd(*at), Reverse(*at)));
            drop(at.and_then(|at| open.all.remove(at)));
        }
        open.turn += 1;
        let turn = open.turn;
        open.all.push_back((turn, network, end));
        Handshake { of: self.clone(), turn, ended }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handshake {
    /// Comes when another one needs the place.
    pub async fn ended(&mut self) {
        // It is told by being dropped.
        let _ = (&mut self.ended).await;
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        self.of.open().all.retain(|(turn, _, _)| *turn != self.turn);
    }
}

/// Whoever has one address of IPv6 has a /64 of them (RFC 4291 2.5.4).
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_ended(handshake: &mut Handshake) -> bool {
        handshake.ended.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    #[test]
    fn a_newcomer_is_let_in_and_the_oldest_of_a_network_or_of_all_goes() {
        let all = Arc::new(Handshakes::default());
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut silent: Vec<Handshake> = (0..10).map(|host| all.enter(address(&format!("2001:db8::{host}")))).collect();
        let ended: Vec<bool> = silent.iter_mut().map(is_ended).collect();
        assert_eq!(ended, [true, true, true, true, true, true, false, false, false, false]);
        let mut others: Vec<Handshake> =
            (0..100).map(|number| all.enter(address(&format!("192.0.2.{number}")))).collect();
        assert!(silent.iter_mut().all(is_ended), "of all the oldest go");
        assert_eq!(others.iter_mut().map(is_ended).filter(|ended| !ended).count(), ALL_MAX);
        let mut operator = all.enter(address("198.51.100.7"));
        assert!(!is_ended(&mut operator) && all.open().all.len() == ALL_MAX);
        drop((silent, others));
        assert_eq!(all.open().all.len(), 1, "places are given back");
        drop(operator);
        assert!(all.open().all.is_empty());
    }

    #[test]
    fn strangers_of_few_networks_keep_nobody_of_another_out() {
        let all = Arc::new(Handshakes::default());
        let mut operator = all.enter("198.51.100.7".parse().unwrap());
        let of = |number: usize| format!("192.0.2.{}", number % 16).parse::<IpAddr>().unwrap();
        let _strangers: Vec<Handshake> = (0..1_000).map(|number| all.enter(of(number))).collect();
        assert!(!is_ended(&mut operator) && all.open().all.len() == ALL_MAX);
    }
}
