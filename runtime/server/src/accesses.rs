//! Who logged in from where, by which protocol and with which program: one row for each way, with its first and last time and
//! how often. Written behind the answer, many in one commit: a login costs no flush of its own, and a crash forgets a few
//! seconds of them. They live as long as `retention.accesses` says.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mail::Login;
use store::{Access, Op, ReadError, Store};

use crate::outcome::Peer;
use crate::service::{Service, stopped};
use crate::sessions::Protocol;
use crate::{clock, durable};

/// A crash forgets at most this much.
const FLUSH_EVERY: Duration = Duration::from_secs(5);
/// Ways that wait for the store; beyond, the log has the login alone.
const WAITING_MAX: usize = 20_000;
/// Rows of one commit.
const COMMIT_MAX: usize = 1_000;
/// Longest name of a program, in characters.
const PROGRAM_CHARS_MAX: usize = 64;
/// Ways of one login that are looked through.
const WAYS_MAX: u32 = 200;
/// A client that was here so lately is one of theirs.
const LATELY_S: i64 = 30 * 86_400;

/// A way to log in. As a key its parts stand apart by tabs, which no part holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct How {
    /// `smtp`, `imap`, `pop` or `portal`.
    pub protocol: String,
    /// The network of the plan.
    pub network: String,
    /// An IPv4 /24 or an IPv6 /48.
    pub client: String,
    /// As the program calls itself; empty where it does not say.
    pub program: String,
}

impl How {
    pub fn new(protocol: Protocol, peer: &Peer, program: &str) -> How {
        let program = program.chars().filter(|c| !c.is_control()).take(PROGRAM_CHARS_MAX).collect();
        How { protocol: protocol.word().to_owned(), network: peer.class.clone(), client: client(peer.seen_as), program }
    }

    fn key(&self) -> String {
        [&*self.protocol, &self.network, &self.client, &self.program].join("\t")
    }

    /// An address of the neighbourhood.
    pub fn address(&self) -> Option<IpAddr> {
        self.client.split('/').next()?.parse().ok()
    }

    /// `None` for what no build of ours wrote.
    pub fn read(key: &str) -> Option<How> {
        let mut parts = key.split('\t').map(str::to_owned);
        let (protocol, network, client, program) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        parts.next().is_none().then_some(How { protocol, network, client, program })
    }
}

impl fmt::Display for How {
    /// `imap from 203.0.113.0/24 (outside)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {} ({})", self.protocol, self.client, self.network)?;
        if self.program.is_empty() { Ok(()) } else { write!(f, " with {}", self.program) }
    }
}

/// The neighbourhood of an address: what a telephone or a house keeps although its address changes.
fn client(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => format!("{}/24", Ipv4Addr::from(u32::from(v4) >> 8 << 8)),
        IpAddr::V6(v6) => format!("{}/48", Ipv6Addr::from(u128::from(v6) >> 80 << 80)),
    }
}

/// Logins on their way to the store.
#[derive(Default)]
pub struct Accesses {
    waiting: Mutex<BTreeMap<(String, String), Access>>,
}

impl Accesses {
    /// Somebody logged in. `program` is empty where it does not say what it is.
    pub fn note(&self, login: &Login, protocol: Protocol, peer: &Peer, program: &str) {
        let (how, at_s) = (How::new(protocol, peer, program).key(), clock::unix_s());
        let mut waiting = self.waiting();
        let key = (login.to_string(), how);
        if let Some(access) = waiting.get_mut(&key) {
            (access.last_s, access.times) = (at_s, access.times + 1);
        } else if waiting.len() < WAITING_MAX {
            let access = Access { login: login.clone(), how: key.1.clone(), first_s: at_s, last_s: at_s, times: 1 };
            waiting.insert(key, access);
        }
    }

    /// Whoever logged in a moment ago says by now which program it is (RFC 2971). What is written already stays beside it.
    pub fn named(&self, login: &Login, protocol: Protocol, peer: &Peer, program: &str) {
        let unnamed = (login.to_string(), How::new(protocol, peer, "").key());
        let mut waiting = self.waiting();
        if let Some(access) = waiting.get_mut(&unnamed) {
            access.times -= 1;
            if access.times == 0 {
                waiting.remove(&unnamed);
            }
        }
        drop(waiting);
        self.note(login, protocol, peer, program);
    }

    /// All ways of a login, the newest first, those on their way included.
    pub fn of(&self, store: &Store, login: &Login, limit: u32) -> Result<Vec<Access>, ReadError> {
        let mut all: BTreeMap<String, Access> =
            store.accesses_of(login, limit)?.into_iter().map(|access| (access.how.clone(), access)).collect();
        for ((of, how), new) in self.waiting().iter() {
            if of != login.as_str() {
                continue;
            }
            let joined = all.entry(how.clone()).or_insert_with(|| Access { times: 0, ..new.clone() });
            joined.last_s = joined.last_s.max(new.last_s);
            joined.times += new.times;
        }
        let mut all: Vec<Access> = all.into_values().collect();
        all.sort_by_key(|access| std::cmp::Reverse(access.last_s));
        all.truncate(limit as usize);
        Ok(all)
    }

    /// Did this login come from this neighbourhood in the last weeks? Trouble is no.
    pub fn is_known(&self, store: &Store, login: &Login, address: IpAddr) -> bool {
        let (client, since_s) = (client(address), clock::unix_s().saturating_sub(LATELY_S));
        let is_it = |access: &Access| {
            access.last_s >= since_s && How::read(&access.how).is_some_and(|how| how.client == client)
        };
        self.of(store, login, WAYS_MAX).is_ok_and(|all| all.iter().any(is_it))
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<(String, String), Access>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes until the server stops.
pub async fn keep(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    while tokio::time::timeout(FLUSH_EVERY, stopped(&mut stop)).await.is_err() {
        flush(&service).await;
    }
}

/// Writes what waits. What could not be written waits on.
pub async fn flush(service: &Service) {
    loop {
        let some: Vec<Access> = {
            let waiting = service.accesses.waiting();
            waiting.values().take(COMMIT_MAX).cloned().collect()
        };
        if some.is_empty() {
            return;
        }
        if let Err(error) = durable::commit(&service.store, vec![Op::NoteAccesses(some.clone())]).await {
            return tracing::error!("who logged in could not be kept: {error}");
        }
        let mut waiting = service.accesses.waiting();
        for written in some {
            let key = (written.login.to_string(), written.how);
            // It may have come again meanwhile.
            let left = waiting.get(&key).map_or(0, |now| now.times.saturating_sub(written.times));
            if left == 0 {
                waiting.remove(&key);
            } else if let Some(now) = waiting.get_mut(&key) {
                now.times = left;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> Peer {
        let seen_as = address.parse().unwrap();
        Peer { listener: "imaps".into(), class: "outside".into(), client: seen_as, seen_as }
    }

    #[test]
    fn a_way_is_the_neighbourhood_and_the_program_not_the_address() {
        let how = How::new(Protocol::Imap, &peer("203.0.113.77"), "Thunder\tbird\r\n 128");
        assert_eq!(how.key(), "imap\toutside\t203.0.113.0/24\tThunderbird 128");
        assert_eq!(How::read(&how.key()), Some(how));
        let six = How::new(Protocol::Smtp, &peer("2001:db8:1:2::3"), &"x".repeat(500));
        assert_eq!((six.client.as_str(), six.program.len()), ("2001:db8:1::/48", 64));
        assert_eq!([How::read(""), How::read("a\tb\tc"), How::read("a\tb\tc\td\te")], [None, None, None]);
    }

    #[test]
    fn the_same_way_again_is_one_row_and_memory_has_a_bound() {
        let accesses = Accesses::default();
        let login = Login::new("toto-j").unwrap();
        (0..3).for_each(|_| accesses.note(&login, Protocol::Imap, &peer("203.0.113.1"), ""));
        accesses.note(&login, Protocol::Smtp, &peer("203.0.113.1"), "");
        let times: Vec<u64> = accesses.waiting().values().map(|access| access.times).collect();
        assert_eq!(times, [3, 1]);
        accesses.named(&login, Protocol::Imap, &peer("203.0.113.1"), "Thunderbird");
        accesses.named(&login, Protocol::Smtp, &peer("203.0.113.1"), "Thunderbird");
        let of = |(key, access): (&(String, String), &Access)| (How::read(&key.1).unwrap().program, access.times);
        let named: Vec<(String, u64)> = accesses.waiting().iter().map(of).collect();
        let thunderbird = || "Thunderbird".to_owned();
        assert_eq!(named, [(String::new(), 2), (thunderbird(), 1), (thunderbird(), 1)]);
        for number in 0..WAITING_MAX + 10 {
            let login = Login::new(&format!("user{number}")).unwrap();
            accesses.note(&login, Protocol::Imap, &peer("203.0.113.1"), "");
        }
        assert_eq!(accesses.waiting().len(), WAITING_MAX);
    }
}
