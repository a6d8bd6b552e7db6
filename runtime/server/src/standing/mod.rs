//! Where each account stands beyond what the directory says of the person: states by date and by command, locks on sending,
//! containment. The store keeps it beside the person; this is the same in memory, of those with anything special, so that
//! every login, MAIL and RCPT can ask.

pub mod contain;
pub mod erase;
pub mod keep;
mod reply;
mod sending;
pub mod sent;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use decide::AccountState;
use mail::Login;
use serde::{Deserialize, Serialize};
use store::{CommitError, Op, PersonRow, ReadError, Store};

use crate::clock;
use crate::redirects::Redirect;

pub use reply::replies;
pub use sending::{hold, may_send};

/// People read at a time at start.
const PAGE: u32 = 1_000;

/// Of one account. What is default says nothing and is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// By command; it wins over the dates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<GivenState>,
    /// What the dates came to when they were last looked at.
    #[serde(skip_serializing_if = "is_active", with = "state_word")]
    pub by_dates: AccountState,
    /// MAIL is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sending_locked: Option<Lock>,
    /// What the account sends is taken and waits in the spool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outgoing_held: Option<Lock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contained: Option<Contained>,
    /// The last notice of a change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
    /// Since when the password is too old, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_expired_s: Option<i64>,
}

/// A state that was set by a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenState {
    #[serde(with = "state_word")]
    pub state: AccountState,
    /// The first day of it, `YYYY-MM-DD`.
    pub since: String,
    /// The last day of it; empty when somebody has to end it.
    pub until: String,
    pub because: String,
    pub by: String,
}

/// A lock on what an account sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    pub because: String,
    /// Path in the policy of what set it; empty for a command.
    pub rule: String,
    pub by: String,
    /// Unix seconds.
    pub at_s: i64,
    /// It holds before this moment; `None` until somebody lifts it.
    pub until_s: Option<i64>,
}

impl Lock {
    pub fn holds_at(&self, now_s: i64) -> bool {
        self.until_s.is_none_or(|until_s| now_s < until_s)
    }
}

/// What was taken from an account that somebody else used, to be put back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contained {
    pub because: String,
    pub by: String,
    /// Unix seconds.
    pub at_s: i64,
    /// Where the mail of the person went on to.
    pub redirect: Option<Redirect>,
    /// The lock that was there before.
    pub sending_locked: Option<Lock>,
}

/// A notice that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    #[serde(with = "state_word")]
    pub to: AccountState,
    pub on: String,
    pub before_s: u64,
}

impl Standing {
    /// The state as it was last looked at; looking is due at midnight of each change.
    pub fn account_state(&self) -> AccountState {
        match &self.state {
            Some(given) if given.state == AccountState::Suspended && self.by_dates == AccountState::Closed => {
                self.by_dates
            }
            Some(given) => given.state,
            None => self.by_dates,
        }
    }

    /// The lock that keeps this account from sending now.
    pub fn sending_lock(&self, now_s: i64) -> Option<&Lock> {
        self.sending_locked.as_ref().filter(|lock| lock.holds_at(now_s))
    }

    /// The lock that keeps what this account sends in the spool now.
    pub fn outgoing_hold(&self, now_s: i64) -> Option<&Lock> {
        self.outgoing_held.as_ref().filter(|lock| lock.holds_at(now_s))
    }

    /// Octets for the store; empty for what says nothing.
    pub fn written(&self) -> Vec<u8> {
        if *self == Standing::default() {
            return Vec::new();
        }
        // INVARIANT: strings, numbers and booleans always have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What the store kept. An account whose standing cannot be read stands still until somebody looks: nothing that was
    /// locked opens by an accident.
    pub fn read(login: &Login, octets: &[u8]) -> Standing {
        if octets.is_empty() {
            return Standing::default();
        }
        // Only an object: a list would be read as one whose fields are all missing.
        let object = serde_json::from_slice(octets).map(serde_json::Value::Object);
        object.and_then(serde_json::from_value).unwrap_or_else(|error| {
            tracing::error!("the standing of {login} cannot be read, it is suspended: {error}");
            let state = GivenState {
                state: AccountState::Suspended,
                since: String::new(),
                until: String::new(),
                because: "its standing cannot be read".to_owned(),
                by: String::new(),
            };
            Standing { state: Some(state), ..Standing::default() }
        })
    }
}

/// Of all accounts with anything special. One without a server reads the store at each change.
#[derive(Debug, Default)]
pub struct Standings {
    /// By login in lower case.
    by_login: RwLock<HashMap<String, Arc<Standing>>>,
    /// One change at a time: what is in memory is what the store has.
    changing: Mutex<()>,
}

impl Standings {
    pub fn load(store: &Store) -> Result<Standings, ReadError> {
        let mut by_login = HashMap::new();
        let mut after: Option<Login> = None;
        loop {
            let page = store.people_standing(after.as_ref(), PAGE)?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            by_login.extend(page.iter().map(|(login, octets)| (key(login), Arc::new(Standing::read(login, octets)))));
        }
        Ok(Standings { by_login: RwLock::new(by_login), changing: Mutex::default() })
    }

    pub fn of(&self, login: &Login) -> Arc<Standing> {
        let by_login = self.by_login.read().unwrap_or_else(PoisonError::into_inner);
        by_login.get(&key(login)).cloned().unwrap_or_default()
    }

    /// Changes where an account stands and has it looked at again. What is committed is believed.
    pub fn change(
        &self,
        store: &Store,
        login: &Login,
        change: impl FnOnce(&mut Standing),
    ) -> Result<Arc<Standing>, ChangeError> {
        self.change_with(store, login, Vec::new(), Some(clock::unix_s()), change)
    }

    /// The same in one commit with `ops`. `due_s` says when somebody looks at it again.
    pub fn change_with(
        &self,
        store: &Store,
        login: &Login,
        ops: Vec<Op>,
        due_s: Option<i64>,
        change: impl FnOnce(&mut Standing),
    ) -> Result<Arc<Standing>, ChangeError> {
        self.look(store, login, |_, standing| {
            change(standing);
            Ok((ops, due_s))
        })
    }

    /// Judges and changes where an account stands: what else is to be committed, and when somebody looks again.
    pub(super) fn look(
        &self,
        store: &Store,
        login: &Login,
        judge: impl FnOnce(&PersonRow, &mut Standing) -> Result<(Vec<Op>, Option<i64>), ChangeError>,
    ) -> Result<Arc<Standing>, ChangeError> {
        let _one = self.one_at_a_time();
        let kept = store.person(login)?.ok_or(ChangeError::NoSuchPerson)?;
        let mut standing = Standing::read(login, &kept.standing);
        let (mut ops, due_s) = judge(&kept, &mut standing)?;
        ops.push(Op::SetStanding { login: login.clone(), standing: standing.written(), due_s });
        store.commit_wait(ops)?;
        Ok(self.believe(login, standing))
    }

    /// Does something while nobody else changes where an account stands.
    fn alone<T>(&self, act: impl FnOnce() -> T) -> T {
        let _one = self.one_at_a_time();
        act()
    }

    /// Held while what is committed and what is in memory differ.
    fn one_at_a_time(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn believe(&self, login: &Login, standing: Standing) -> Arc<Standing> {
        let standing = Arc::new(standing);
        let mut by_login = self.by_login.write().unwrap_or_else(PoisonError::into_inner);
        if *standing == Standing::default() {
            by_login.remove(&key(login));
        } else {
            by_login.insert(key(login), standing.clone());
        }
        standing
    }

    /// The person is there no more.
    pub fn forget(&self, login: &Login) {
        self.by_login.write().unwrap_or_else(PoisonError::into_inner).remove(&key(login));
    }
}

/// Why a standing did not change.
#[derive(Debug)]
pub enum ChangeError {
    NoSuchPerson,
    Read(ReadError),
    Commit(CommitError),
    /// What waits could not be let go.
    Spool(String),
}

impl std::fmt::Display for ChangeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ChangeError::NoSuchPerson => f.write_str("nobody has this login"),
            ChangeError::Read(error) => error.fmt(f),
            ChangeError::Commit(error) => error.fmt(f),
            ChangeError::Spool(why) => f.write_str(why),
        }
    }
}

impl From<store::PutError> for ChangeError {
    fn from(error: store::PutError) -> ChangeError {
        ChangeError::Commit(match error {
            store::PutError::Full => CommitError::Full,
            _ => CommitError::Failed,
        })
    }
}

impl From<ReadError> for ChangeError {
    fn from(error: ReadError) -> ChangeError {
        ChangeError::Read(error)
    }
}

impl From<CommitError> for ChangeError {
    fn from(error: CommitError) -> ChangeError {
        ChangeError::Commit(error)
    }
}

fn key(login: &Login) -> String {
    login.as_str().to_ascii_lowercase()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_active(state: &AccountState) -> bool {
    *state == AccountState::Active
}

/// States as the store keeps them: by their words.
mod state_word {
    use decide::AccountState;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    pub fn serialize<S: Serializer>(state: &AccountState, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(state.word())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<AccountState, D::Error> {
        let word = String::deserialize(from)?;
        AccountState::of_word(&word).ok_or_else(|| D::Error::custom("no state of an account"))
    }
}

#[cfg(test)]
mod tests;
