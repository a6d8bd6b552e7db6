//! Who sends in whose name: a person lets a colleague send as them, or on their behalf, until a day. Each is a fact that
//! is asked when mail is submitted. Limits count on whoever logged in.

use mail::{Address, AliasKind, Login};
use serde::{Deserialize, Serialize};
use store::{ReadError, Resolution, Store};

use crate::facts::Facts;

const PREFIX: &str = "delegation/";
const DELEGATIONS_MAX: usize = 100_000;
/// Owners one person may send for: each submission in a name that is not one's own asks for all of them.
pub const OF_ONE_MAX: usize = 50;

/// How mail shows who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// It does not: the message is as if its author had sent it.
    As,
    /// By a field Sender (RFC 5322 3.6.2).
    OnBehalf,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    pub manner: Manner,
    pub because: String,
    /// The last day, `YYYY-MM-DD`; empty when it has none.
    pub until: String,
    /// Who gave it, and when in Unix seconds.
    pub by: String,
    pub at_s: i64,
}

impl Delegation {
    /// Dates are `YYYY-MM-DD`, so text order is the order of days.
    pub fn holds(&self, today: &str) -> bool {
        self.until.is_empty() || today <= self.until.as_str()
    }
}

/// Is it an address of this person alone? What they have as a member of a functional address is not theirs to give.
fn is_own(store: &Store, owner: &Login, address: &Address) -> Result<bool, ReadError> {
    Ok(match store.resolve(address)? {
        Resolution::Person(row) => row.person.login == *owner,
        Resolution::Alias(alias) => {
            matches!(alias.kind, AliasKind::Former | AliasKind::Alias) && alias.members == [owner.clone()]
        }
        Resolution::Unknown => false,
    })
}

/// The delegations of all people.
#[derive(Debug)]
pub struct Delegations {
    /// By the login that may send, then whose name it is: neither holds a `/`.
    facts: Facts<Delegation>,
}

/// The key of who sends for whom; logins are compared without case.
fn key(delegate: &Login, owner: &Login) -> String {
    format!("{}/{}", delegate.as_str().to_lowercase(), owner.as_str().to_lowercase())
}

impl Delegations {
    pub fn load(store: &Store) -> Result<Delegations, ReadError> {
        Ok(Delegations { facts: Facts::load(store, PREFIX, DELEGATIONS_MAX)? })
    }

    pub fn of(&self, delegate: &Login, owner: &Login) -> Option<Delegation> {
        self.facts.of(&key(delegate, owner))
    }

    /// Whom `delegate` sends for, whether it still holds or not.
    pub fn given_to(&self, delegate: &Login) -> Vec<(Login, Delegation)> {
        let start = format!("{}/", delegate.as_str().to_lowercase());
        let all = self.facts.under(&start).into_iter();
        all.filter_map(|(key, fact)| Some((Login::new(key.strip_prefix(&start)?)?, fact))).collect()
    }

    /// Who sends for whom, all of them.
    pub fn all(&self) -> Vec<(Login, Login, Delegation)> {
        let all = self.facts.under("").into_iter();
        all.filter_map(|(key, fact)| {
            let (delegate, owner) = key.split_once('/')?;
            Some((Login::new(delegate)?, Login::new(owner)?, fact))
        })
        .collect()
    }

    /// Who sends in the name of `owner`.
    pub fn given_by(&self, owner: &Login) -> Vec<(Login, Delegation)> {
        let mine = self.all().into_iter().filter(|(_, of, _)| of.as_str().eq_ignore_ascii_case(owner.as_str()));
        mine.map(|(delegate, _, fact)| (delegate, fact)).collect()
    }

    /// How `delegate` may write `address` as an author today, where it is somebody's who lets them. To send as somebody is
    /// more than on their behalf. What an account gave that is contained (`gives` says no) rests until that is undone:
    /// whoever had the account may have given it.
    pub fn manner(
        &self,
        store: &Store,
        delegate: &Login,
        address: &Address,
        today: &str,
        gives: impl Fn(&Login) -> bool,
    ) -> Result<Option<Manner>, ReadError> {
        let mut manner = None;
        for (owner, delegation) in self.given_to(delegate) {
            if delegation.holds(today) && gives(&owner) && is_own(store, &owner, address)? {
                match delegation.manner {
                    Manner::As => return Ok(Some(Manner::As)),
                    Manner::OnBehalf => manner = Some(Manner::OnBehalf),
                }
            }
        }
        Ok(manner)
    }

    pub fn is_full(&self, delegate: &Login) -> bool {
        self.facts.is_full() || self.given_to(delegate).len() >= OF_ONE_MAX
    }

    pub fn op(&self, delegate: &Login, owner: &Login, delegation: Option<&Delegation>) -> store::Op {
        self.facts.op(&key(delegate, owner), delegation)
    }

    /// What is committed is believed.
    pub fn put(&self, delegate: &Login, owner: &Login, delegation: Option<Delegation>) {
        self.facts.put(&key(delegate, owner), delegation);
    }
}
