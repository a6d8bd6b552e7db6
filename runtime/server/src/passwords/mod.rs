//! Passwords: argon2id (RFC 9106) on a bounded number of threads, with a short-lived memory of successes.
//!
//! INVARIANT (same-cost): a login nobody has costs what a wrong password costs.
//! INVARIANT (bounded-hashing): at most one hash per processor at a time, and at most `WAITING_MAX` wait; one more hears
//! "try later", never "wrong".
//! INVARIANT (own-line): the logins of one client address wait for each other before they wait for a processor.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use decide::Refusal;
use proto::sasl::Secret;
use tokio::sync::Semaphore;

use crate::turns::Turns;
use crate::verifier::{opens, verifier};

/// How long a success is remembered.
const REMEMBER: Duration = Duration::from_secs(600);
/// Successes remembered at a time: 48 octets each, with the table about 5 MB.
const REMEMBERED_MAX: usize = 65_536;
/// Hashes of one client address at a time, unless half of the processors are more.
const HASHING_PER_ADDRESS_MIN: usize = 2;
/// Logins that may wait for a thread.
const WAITING_MAX: usize = 4_096;
/// Longest password that is hashed, in octets.
const SECRET_OCTETS_MAX: usize = 1_024;

/// What a check of a password says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    Right,
    Wrong,
    /// Too many are waiting.
    Busy,
}

/// A password to be checked.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    pub login: &'a str,
    pub secret: &'a Secret,
    /// Of the login in the store. `None`: there is no such login.
    pub verifier: Option<&'a str>,
    /// Who asks, as `decide::address_key` names it.
    pub address: &'a str,
}

pub struct Passwords {
    /// Drawn at start: the table is useless to whoever reads this process's memory later.
    key: [u8; 32],
    remembered: Mutex<HashMap<[u8; 32], Instant>>,
    turns: Turns,
    hashing: Semaphore,
    waiting: AtomicUsize,
    /// A verifier of nobody's password.
    nobody: String,
}

impl Passwords {
    pub fn new() -> Passwords {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut unguessable = [0; 32];
        crate::random::fill(&mut unguessable);
        Passwords {
            key: crate::random::octets(),
            remembered: Mutex::new(HashMap::new()),
            turns: Turns::new(HASHING_PER_ADDRESS_MIN.max(threads / 2)),
            hashing: Semaphore::new(threads),
            waiting: AtomicUsize::new(0),
            nobody: verifier(&Secret::new(blake3::Hash::from(unguessable).to_hex().to_string())),
        }
    }

    /// Does `attempt.secret` open the login? `still_allowed` is asked when the turn has come, before anything is hashed:
    /// guesses that failed meanwhile may have barred this one.
    pub async fn check(
        &self,
        attempt: Attempt<'_>,
        still_allowed: impl Fn() -> Result<(), Refusal>,
    ) -> Result<Checked, Refusal> {
        let Attempt { login, secret, verifier, address } = attempt;
        if secret.reveal().len() > SECRET_OCTETS_MAX {
            return Ok(Checked::Wrong);
        }
        let name = verifier.map(|verifier| self.name_of(login, secret, verifier));
        if name.is_some_and(|name| self.is_remembered(&name)) {
            return Ok(Checked::Right);
        }
        // INVARIANT (own-line)
        let Some(_turn) = self.turns.take(address).await else { return Ok(Checked::Busy) };
        let Some(_place) = Place::take(&self.waiting) else { return Ok(Checked::Busy) };
        let Ok(_permit) = self.hashing.acquire().await else { return Ok(Checked::Busy) };
        still_allowed()?;
        // INVARIANT (same-cost)
        let against = verifier.unwrap_or(&self.nobody).to_owned();
        let tried = secret.clone();
        let opens = tokio::task::spawn_blocking(move || opens(&tried, &against)).await.unwrap_or(false);
        match name {
            Some(name) if opens => {
                self.remember(name);
                Ok(Checked::Right)
            }
            _ => Ok(Checked::Wrong),
        }
    }

    /// The secret as limits on guessing tell two wrong passwords apart: not reversible, of this run only.
    pub fn guess_of(&self, login: &str, secret: &Secret) -> u64 {
        let name = self.name_of(login, secret, "");
        u64::from_le_bytes([name[0], name[1], name[2], name[3], name[4], name[5], name[6], name[7]])
    }

    /// A changed verifier makes another name: a success under the old password is forgotten by the change itself.
    fn name_of(&self, login: &str, secret: &Secret, verifier: &str) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        for part in [login, secret.reveal(), verifier] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }

    fn is_remembered(&self, name: &[u8; 32]) -> bool {
        let remembered = self.remembered.lock().unwrap_or_else(|e| e.into_inner());
        remembered.get(name).is_some_and(|until| *until > Instant::now())
    }

    fn remember(&self, name: [u8; 32]) {
        let mut remembered = self.remembered.lock().unwrap_or_else(|e| e.into_inner());
        let now = Instant::now();
        if remembered.len() >= REMEMBERED_MAX {
            remembered.retain(|_, until| *until > now);
        }
        if remembered.len() < REMEMBERED_MAX {
            remembered.insert(name, now + REMEMBER);
        }
    }
}

impl Default for Passwords {
    fn default() -> Passwords {
        Passwords::new()
    }
}

/// A place among those that wait; given back on drop, also when the connection goes away meanwhile.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Option<Place<'a>> {
        if waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX {
            waiting.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Place(waiting))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use decide::Reason;
    use mail::reply;

    use super::*;

    async fn check(passwords: &Passwords, login: &str, secret: &str, verifier: Option<&str>) -> Checked {
        let secret = Secret::new(secret);
        let attempt = Attempt { login, secret: &secret, verifier, address: "192.0.2.1" };
        passwords.check(attempt, || Ok(())).await.unwrap()
    }

    #[tokio::test]
    async fn a_success_is_remembered_until_the_verifier_changes() {
        let passwords = Passwords::new();
        let secret = Secret::new("correct horse");
        let first = verifier(&secret);
        assert_eq!(check(&passwords, "toto-j", "correct horse", Some(&first)).await, Checked::Right);
        assert!(passwords.is_remembered(&passwords.name_of("toto-j", &secret, &first)));
        let second = verifier(&Secret::new("battery staple"));
        assert_eq!(check(&passwords, "toto-j", "correct horse", Some(&second)).await, Checked::Wrong);
        assert_eq!(check(&passwords, "toto-j", "correct hors", Some(&first)).await, Checked::Wrong);
    }

    #[tokio::test]
    async fn nobody_is_never_right() {
        let passwords = Passwords::new();
        assert_eq!(check(&passwords, "ghost", "", None).await, Checked::Wrong);
        assert_eq!(passwords.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_full_waiting_room_says_busy_and_not_wrong() {
        let passwords = Passwords::new();
        passwords.waiting.store(WAITING_MAX, Ordering::Relaxed);
        assert_eq!(check(&passwords, "ghost", "x", None).await, Checked::Busy);
    }

    #[tokio::test]
    async fn a_login_that_was_barred_while_it_waited_is_not_hashed() {
        let passwords = Passwords::new();
        let secret = Secret::new("correct horse");
        let kept = verifier(&secret);
        let attempt = Attempt { login: "toto-j", secret: &secret, verifier: Some(&kept), address: "192.0.2.1" };
        let barred = || Err(Refusal::new(reply::AUTH_LATER, Reason::TooManyFailedLogins, "", "later"));
        let refusal = passwords.check(attempt, barred).await.unwrap_err();
        assert_eq!(refusal.reason, Reason::TooManyFailedLogins);
        assert!(passwords.remembered.lock().unwrap().is_empty(), "the right password would be remembered");
    }
}
