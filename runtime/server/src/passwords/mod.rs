//! Passwords: argon2id (RFC 9106) in a line that is fair between addresses, and a memory of successes.
//!
//! INVARIANT (same-cost): a login nobody has costs what a wrong password costs. One that was imported, or made with other
//! figures than those of the plan, costs that and its own check: never less.
//! INVARIANT (bounded-hashing): at most one hash per processor at a time, and one an account; whoever would wait too long
//! hears "try later", never "wrong".
//! INVARIANT (own-line): the logins of one client address wait for each other (`line`).
//! INVARIANT (one-hash): connections that wait for the same hash share it (`flights`).

pub mod expiry;
pub mod facts;
mod flights;
pub mod kept;
mod line;
mod queue;
mod remembered;
pub mod renewals;
mod set;
pub mod totp;
pub mod warnings;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use decide::Refusal;
use mail::Login;
use proto::sasl::Secret;

use crate::clock;
use crate::signing::Seal;
use crate::verifier::{Making, opens};
use flights::Flights;
use queue::{Place, Queue};
use remembered::{Moment, Remembered};
use renewals::{Renewal, Renewals};
pub use set::{SetBy, history_of, import, import_where_none, set};

/// Longest password that is hashed, in octets.
const SECRET_OCTETS_MAX: usize = 1_024;
/// Whoever was let in and waited for so long all the same, because the machine got slower, hears "try later" before
/// the mail program gives up.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// A keyed hash of login, secret and verifier.
type Name = [u8; 32];

/// What a check of a password says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    Judged {
        right: bool,
        how: How,
    },
    /// Too many are waiting.
    Busy,
}

/// How it came to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Remembered,
    /// By the hash another connection asked for.
    Shared,
    Hashed,
}

impl How {
    /// For metrics.
    pub fn word(self) -> &'static str {
        match self {
            How::Remembered => "remembered",
            How::Shared => "shared",
            How::Hashed => "hashed",
        }
    }
}

/// A password to be checked.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// As the store has it, where it has it.
    pub login: &'a str,
    pub secret: &'a Secret,
    /// Of the login in the store. `None`: there is no such login.
    pub verifier: Option<&'a str>,
    /// Who asks, as `decide::address_key` names it.
    pub address: &'a str,
}

/// How verifiers are made.
#[derive(Clone)]
struct Made {
    /// A verifier of nobody's password.
    nobody: Arc<str>,
    with: Making,
}

impl Made {
    /// Takes as long as a hash.
    fn with(making: Making) -> Made {
        let unguessable = blake3::Hash::from(crate::random::octets::<32>());
        Made { nobody: making.verifier(&Secret::new(unguessable.to_hex().to_string())).into(), with: making }
    }
}

pub struct Passwords {
    /// Of names.
    key: [u8; 32],
    /// Of this run: what a wrong password was cannot be told from what limits on guessing keep of it.
    guesses_key: [u8; 32],
    /// What rows in the store are sealed with.
    rows: Seal,
    remembered: Mutex<Remembered>,
    /// Of those, the ones a restart would find.
    kept: AtomicUsize,
    flights: Flights,
    queue: Arc<Queue>,
    made: RwLock<Made>,
    /// Those that are not as they would be made today, and were opened.
    pub renewals: Renewals,
    started: Instant,
}

impl Passwords {
    /// Nothing is remembered yet; `key` names what will be. Takes as long as a hash.
    fn new(key: &[u8; 32], making: Making) -> Passwords {
        let started = Instant::now();
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Passwords {
            key: blake3::derive_key("facteur 2026 names of remembered logins", key),
            guesses_key: crate::random::octets(),
            rows: Seal::under(&blake3::derive_key("facteur 2026 rows of remembered logins", key)),
            remembered: Mutex::default(),
            kept: AtomicUsize::new(0),
            flights: Flights::default(),
            queue: Arc::new(Queue::new(processors, started.elapsed())),
            made: RwLock::new(Made::with(making)),
            renewals: Renewals::default(),
            started,
        }
    }

    /// Verifiers are made like this from now on.
    pub fn make_with(&self, making: Making) {
        if self.made().with != making {
            *self.made.write().unwrap_or_else(PoisonError::into_inner) = Made::with(making);
        }
    }

    fn made(&self) -> Made {
        self.made.read().unwrap_or_else(PoisonError::into_inner).clone()
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
            return Ok(Checked::Judged { right: false, how: How::Hashed });
        }
        let name = hash(&self.key, &[login, secret.reveal(), verifier.unwrap_or_default()]);
        if verifier.is_some() && self.remembered().holds(&name, self.now()) {
            return Ok(Checked::Judged { right: true, how: How::Remembered });
        }
        // INVARIANT (own-line)
        let account = self.account(login);
        let Some(mut place) = self.queue.join(address, account) else { return Ok(Checked::Busy) };
        let seat = self.flights.board(name);
        tokio::select! {
            biased;
            // INVARIANT (one-hash)
            right = seat.landed() => return Ok(Checked::Judged { right, how: How::Shared }),
            called = place.turn() => if !called { return Ok(Checked::Busy) },
            () = tokio::time::sleep(WAIT_MAX) => return Ok(Checked::Busy),
        }
        still_allowed()?;
        // INVARIANT (same-cost)
        let Made { nobody, with: making } = self.made();
        let against = Against { verifier: verifier.map_or_else(|| nobody.to_string(), str::to_owned), nobody, making };
        let Some((opens, renewed)) = self.hash(secret.clone(), against, place).await else { return Ok(Checked::Busy) };
        let right = opens && verifier.is_some();
        if let Some((renewed, before)) = renewed.filter(|_| right).zip(verifier) {
            let name = hash(&self.key, &[login, secret.reveal(), &renewed]);
            self.renewals.add(Renewal::made(login, before, renewed, (name, account)));
        }
        if right {
            let now = self.now();
            self.remembered().put(name, account, now);
        }
        seat.land(right);
        Ok(Checked::Judged { right, how: How::Hashed })
    }

    /// `None` when it panicked, which the panic hook counted.
    async fn hash(&self, secret: Secret, against: Against, place: Place) -> Option<(bool, Option<String>)> {
        let queue = self.queue.clone();
        let hashed = move || {
            let begun = Instant::now();
            let opens = against.judge(&secret);
            queue.took(begun.elapsed());
            // The turn ends with the hash, not with the connection that asked for it. INVARIANT (bounded-hashing)
            drop(place);
            opens
        };
        crate::durable::blocking(hashed).await
    }

    /// A verifier as the plan wants it, in turn with all other hashes. `None` where too many wait.
    pub async fn hashed(&self, login: &str, secret: &Secret, address: &str) -> Option<String> {
        let mut place = self.queue.join(address, self.account(login))?;
        if !tokio::time::timeout(WAIT_MAX, place.turn()).await.unwrap_or(false) {
            return None;
        }
        let (secret, making) = (secret.clone(), self.made().with);
        crate::durable::blocking(move || {
            let made = making.verifier(&secret);
            drop(place);
            made
        })
        .await
    }

    /// Logins that wait for a turn.
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// Remembered logins that a restart would find.
    pub fn kept(&self) -> usize {
        self.kept.load(Ordering::Relaxed)
    }

    /// Forgets what succeeded for this login: its password changed.
    pub fn forget(&self, login: &Login) {
        self.remembered().forget(self.account(login.as_str()));
    }

    /// The secret as limits on guessing tell two wrong passwords apart: not reversible, of this run only.
    pub fn guess_of(&self, login: &str, secret: &Secret) -> u64 {
        short(hash(&self.guesses_key, &[login, secret.reveal()]))
    }

    fn account(&self, login: &str) -> u64 {
        short(hash(&self.key, &[login]))
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Moment {
        Moment { running: self.started.elapsed(), unix_s: clock::unix_s() }
    }
}

/// What a secret is hashed against.
struct Against {
    verifier: String,
    nobody: Arc<str>,
    making: Making,
}

impl Against {
    /// Does it open, and as what is it to be kept from now on? INVARIANT (same-cost)
    fn judge(&self, secret: &Secret) -> (bool, Option<String>) {
        let right = opens(secret, &self.verifier);
        if right {
            let renewed = (!self.making.made(&self.verifier)).then(|| self.making.verifier(secret));
            return (true, renewed);
        }
        if !self.making.costs_as(&self.verifier) {
            opens(secret, &self.nobody);
        }
        (false, None)
    }
}

/// Held while the verifier of a person is read and written: a hash that is renewed never overwrites a password that was set
/// meanwhile.
static CHANGING: Mutex<()> = Mutex::new(());

pub(crate) fn changing() -> MutexGuard<'static, ()> {
    CHANGING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A changed verifier makes another name: a success under the old password is forgotten by the change itself.
fn hash(key: &[u8; 32], parts: &[&str]) -> Name {
    let mut hasher = blake3::Hasher::new_keyed(key);
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

fn short([a, b, c, d, e, f, g, h, ..]: Name) -> u64 {
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests;
