//! Where mail for people here goes on to. Redirects are facts: the store keeps them as settings, this is the same in
//! memory. The policy judges each when it is set, and again for each message (`decide::redirect_holds`).

pub mod asked;

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use decide::{Grant, RedirectStop, Tables};
use mail::{Address, Domain, Login};
use plan::GrantNeeds;
use serde::{Deserialize, Serialize};
use store::{Op, ReadError, Store};

/// Keys of settings: this and the login.
const PREFIX: &str = "redirect/";
/// Redirects one server keeps.
const REDIRECTS_MAX: usize = 200_000;

/// Where the mail of one person goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    pub to: Address,
    /// A copy stays in the mailbox.
    pub keeps_copy: bool,
    /// Who approved it, where the policy asks for that.
    pub approval: Option<Approval>,
    /// Who set it, and when in Unix seconds.
    pub set_by: String,
    pub set_at_s: i64,
}

/// What somebody approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The domain of the institution the person comes from.
    pub home: Option<Domain>,
    pub approver: String,
    pub because: String,
    /// The last day, `YYYY-MM-DD`; empty when it has none.
    pub until: String,
}

impl Redirect {
    /// The rule that allows it on `today`, or why mail does not go there.
    pub fn holds(&self, tables: &Tables, today: &str) -> Result<String, RedirectStop> {
        let grant = self.approval.as_ref().map(|approval| Grant {
            home: approval.home.as_ref(),
            approver: &approval.approver,
            because: &approval.because,
            until: &approval.until,
        });
        decide::redirect_holds(tables, &self.to, grant, today)
    }
}

/// The redirects of all people.
#[derive(Debug, Default)]
pub struct Redirects {
    by_login: RwLock<BTreeMap<String, Redirect>>,
}

impl Redirects {
    pub fn load(store: &Store) -> Result<Redirects, ReadError> {
        let mut by_login = BTreeMap::new();
        for (key, value) in store.settings(PREFIX, "", REDIRECTS_MAX)? {
            let login = key.strip_prefix(PREFIX).unwrap_or_default().to_owned();
            match serde_json::from_slice(&value) {
                Ok(redirect) => drop(by_login.insert(login, redirect)),
                Err(error) => tracing::error!("the redirect of {login} cannot be read, its mail stays here: {error}"),
            }
        }
        Ok(Redirects { by_login: RwLock::new(by_login) })
    }

    pub fn of(&self, login: &Login) -> Option<Redirect> {
        self.by_login.read().unwrap_or_else(PoisonError::into_inner).get(login.as_str()).cloned()
    }

    /// In order of login.
    pub fn all(&self) -> Vec<(String, Redirect)> {
        let by_login = self.by_login.read().unwrap_or_else(PoisonError::into_inner);
        by_login.iter().map(|(login, redirect)| (login.clone(), redirect.clone())).collect()
    }

    /// Is there room for one more?
    pub fn is_full(&self) -> bool {
        self.by_login.read().unwrap_or_else(PoisonError::into_inner).len() >= REDIRECTS_MAX
    }

    /// What is committed is believed.
    pub fn put(&self, login: &Login, redirect: Option<Redirect>) {
        let mut by_login = self.by_login.write().unwrap_or_else(PoisonError::into_inner);
        match redirect {
            Some(redirect) => by_login.insert(login.to_string(), redirect),
            None => by_login.remove(login.as_str()),
        };
    }
}

/// The redirect of `login` as the store has it.
pub fn kept(store: &Store, login: &Login) -> Result<Option<Redirect>, ReadError> {
    let octets = store.setting(&format!("{PREFIX}{login}"))?;
    Ok(octets.and_then(|octets| serde_json::from_slice(&octets).ok()))
}

/// The change of the store that sets or ends the redirect of `login`.
pub fn op(login: &Login, redirect: Option<&Redirect>) -> Op {
    // INVARIANT: strings, numbers and booleans always have a JSON form.
    let value = redirect.map(|redirect| serde_json::to_vec(redirect).unwrap_or_default());
    Op::Setting { key: format!("{PREFIX}{login}"), value }
}

/// A part of an approval, in [`words`].
pub const fn need_word(need: GrantNeeds) -> &'static str {
    match need {
        GrantNeeds::Approver => "an approver",
        GrantNeeds::Reason => "a reason",
        GrantNeeds::EndDate => "an end date",
    }
}

/// For people: why mail does not go on, and what to do.
pub fn words(stop: &RedirectStop) -> String {
    match stop {
        RedirectStop::Denied { because, .. } => match because {
            decide::RedirectDenial::Ours => "the address is one of ours, mail would come back".to_owned(),
            decide::RedirectDenial::Example => "the policy refuses public mailbox providers like this one".to_owned(),
            decide::RedirectDenial::NotAllowed => "the policy allows no redirect to this domain".to_owned(),
        },
        RedirectStop::Lacks { needs, .. } => {
            let needs: Vec<&str> = needs.iter().map(|need| need_word(*need)).collect();
            format!("somebody has to approve it; what is missing: {}", needs.join(", "))
        }
        RedirectStop::Ended { until, .. } => format!("the approval ended on {until}"),
    }
}
