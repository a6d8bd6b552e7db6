//! Verifiers that logins made anew, and what a directory server said of passwords, on their way into the store: written behind
//! the replies, some of them in one commit.
//!
//! INVARIANT (no-revival): what is written stands on the verifier that was checked. Where another one was set meanwhile,
//! nothing is written. What a crash loses the next login makes again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mail::Login;
use store::{Op, Store};

use super::facts::{self, Facts};
use super::{Name, Passwords};

/// More than this waits for the next login of its person.
const WAITING_MAX: usize = 4_096;
/// People of one commit.
const COMMIT_MAX: usize = 128;

/// What is to be kept of a login.
#[derive(Debug)]
pub struct Renewal {
    login: String,
    /// The verifier that was checked; empty where there was none.
    before: String,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    /// The same password. The name is what a success is remembered under, with its account.
    Made { verifier: String, remembered: (Name, u64) },
    /// The password a directory server let in now; `None`: the one of before.
    Bound { verifier: Option<String>, now_s: i64 },
    /// A directory server refused it.
    Refused,
}

impl Renewal {
    /// The same password under a new verifier.
    pub fn made(login: &str, before: &str, verifier: String, remembered: (Name, u64)) -> Renewal {
        let kept = Kept::Made { verifier, remembered };
        Renewal { login: login.to_owned(), before: before.to_owned(), kept }
    }

    /// A directory server let the password in.
    pub fn bound(login: &str, before: &str, verifier: Option<String>, now_s: i64) -> Renewal {
        Renewal { login: login.to_owned(), before: before.to_owned(), kept: Kept::Bound { verifier, now_s } }
    }

    /// A directory server refused what it let in before.
    pub fn refused(login: &str, before: &str) -> Renewal {
        Renewal { login: login.to_owned(), before: before.to_owned(), kept: Kept::Refused }
    }
}

/// Those that wait, the newest of each login.
#[derive(Debug, Default)]
pub struct Renewals(Mutex<BTreeMap<String, Renewal>>);

impl Renewals {
    pub fn add(&self, renewal: Renewal) {
        let mut waiting = self.waiting();
        if waiting.len() < WAITING_MAX || waiting.contains_key(&renewal.login) {
            waiting.insert(renewal.login.clone(), renewal);
        }
    }

    /// Writes them. Blocks. What could not be written is left to the next logins.
    pub fn flush(&self, store: &Store, passwords: &Passwords) {
        loop {
            let mut batch = Vec::new();
            let mut waiting = self.waiting();
            while batch.len() < COMMIT_MAX
                && let Some((_, renewal)) = waiting.pop_first()
            {
                batch.push(renewal);
            }
            drop(waiting);
            if batch.is_empty() {
                return;
            }
            if let Err(error) = write(store, passwords, batch) {
                return tracing::warn!("renewed password verifiers could not be kept: {error}");
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<String, Renewal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(store: &Store, passwords: &Passwords, batch: Vec<Renewal>) -> Result<(), Box<dyn std::error::Error>> {
    let _changing = super::changing();
    let mut ops = Vec::new();
    let mut remembered = Vec::new();
    for Renewal { login, before, kept } in batch {
        let Some(login) = Login::new(&login) else { continue };
        let Some(row) = store.person(&login)? else { continue };
        // INVARIANT (no-revival)
        if row.verifier.unwrap_or_default() != before {
            continue;
        }
        let set = |verifier: String| Op::SetVerifier { login: login.clone(), verifier };
        match kept {
            Kept::Made { verifier, remembered: name } => {
                ops.push(set(verifier));
                remembered.push(name);
            }
            Kept::Bound { verifier, now_s } => {
                ops.extend(verifier.map(set));
                let facts = Facts { bound_s: Some(now_s), ..Facts::default() };
                ops.push(facts::op(&login, &facts));
            }
            Kept::Refused => {
                ops.extend([set(String::new()), facts::op(&login, &Facts::default())]);
                passwords.forget(&login);
            }
        }
    }
    if !ops.is_empty() {
        store.commit_wait(ops)?;
    }
    let now = passwords.now();
    remembered.into_iter().for_each(|(name, account)| passwords.remembered().put(name, account, now));
    Ok(())
}
