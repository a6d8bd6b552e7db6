//! What people ask for, through the portal or by whoever keys it in: one request a person. The policy answers at once where
//! it can; what somebody has to approve waits.

use std::sync::Arc;

use decide::RedirectVerdict;
use mail::{Address, Domain, Login};
use plan::AskedThrough;
use serde::{Deserialize, Serialize};
use store::{CommitError, Op, ReadError, Store};

use super::{Redirect, op as redirect_op, words};
use crate::clock;
use crate::facts::Facts;
use crate::service::Service;

const PREFIX: &str = "redirect-asked/";
const REQUESTS_MAX: usize = 200_000;

/// A redirect somebody wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub to: Address,
    pub keeps_copy: bool,
    /// Why, in the person's words.
    pub because: String,
    /// The institution they say they come from.
    pub home: Option<Domain>,
    /// Until when they want it, `YYYY-MM-DD`; empty for no end.
    pub until: String,
    /// Who asked, and when in Unix seconds.
    pub by: String,
    pub at_s: i64,
    pub state: State,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// At once, by this rule.
    Allowed {
        rule: String,
    },
    /// Somebody has to approve it, says this rule.
    Waits {
        rule: String,
    },
    Refused {
        why: String,
        rule: String,
        /// The person who refused it; empty where the policy did.
        by: String,
    },
    Approved {
        by: String,
        rule: String,
        at_s: i64,
    },
    Ended {
        by: String,
        at_s: i64,
    },
}

/// The requests of all people, by login.
#[derive(Debug)]
pub struct Requests(Facts<Asked>);

impl Requests {
    pub fn load(store: &Store) -> Result<Requests, ReadError> {
        Ok(Requests(Facts::load(store, PREFIX, REQUESTS_MAX)?))
    }

    pub fn of(&self, login: &Login) -> Option<Asked> {
        self.0.of(login.as_str())
    }

    pub fn all(&self) -> Vec<(String, Asked)> {
        self.0.under("")
    }

    pub fn op(&self, login: &Login, asked: Option<&Asked>) -> Op {
        self.0.op(login.as_str(), asked)
    }

    /// What is committed is believed.
    pub fn put(&self, login: &Login, asked: Option<Asked>) {
        self.0.put(login.as_str(), asked);
    }
}

/// What the policy makes of a request, before anybody looks at it.
fn judge(service: &Service, asked: &Asked) -> State {
    let tables = &service.tables;
    let refused = |why: String, rule: String| State::Refused { why, rule, by: String::new() };
    if tables.plan().redirects.asked_through == AskedThrough::Nobody {
        let why = "redirects are not asked for here: a mail manager sets them".to_owned();
        return refused(why, "redirects.asked_through".to_owned());
    }
    match decide::redirect_from(tables, &asked.to, asked.home.as_ref()) {
        RedirectVerdict::Allowed { rule } => State::Allowed { rule },
        RedirectVerdict::OnGrant { rule } => State::Waits { rule },
        RedirectVerdict::Denied { rule, because } => {
            let stop = decide::RedirectStop::Denied { rule: rule.clone(), because };
            refused(words(&stop), rule)
        }
    }
}

/// Judges a request and keeps it with its answer; what is allowed at once holds from now on. The same request again changes
/// nothing. Blocks. `audited` says what the audit has of it.
pub(crate) fn asked(
    service: &Arc<Service>,
    login: &Login,
    mut asked: Asked,
    audited: impl FnOnce(&str) -> Op,
) -> Result<Asked, CommitError> {
    asked.state = judge(service, &asked);
    if let Some(before) = service.requests.of(login).filter(|before| is_same(before, &asked)) {
        let goes_there = |redirect: Redirect| redirect.to == asked.to;
        let stands = match (&before.state, &asked.state) {
            (State::Allowed { .. }, State::Allowed { .. }) => service.redirects.of(login).is_some_and(goes_there),
            (State::Approved { .. } | State::Waits { .. } | State::Refused { .. }, State::Waits { .. }) => true,
            (one, other) => one == other,
        };
        if stands {
            return Ok(before);
        }
    }
    let what = format!("redirect of {login} to {} asked for: {}", asked.to, told(&asked.state));
    let mut ops = vec![service.requests.op(login, Some(&asked)), audited(&what)];
    let redirect = matches!(asked.state, State::Allowed { .. }).then(|| Redirect {
        to: asked.to.clone(),
        keeps_copy: asked.keeps_copy,
        approval: None,
        set_by: asked.by.clone(),
        set_at_s: clock::unix_s(),
    });
    ops.extend(redirect.as_ref().map(|redirect| redirect_op(login, Some(redirect))));
    service.store.commit_wait(ops)?;
    service.requests.put(login, Some(asked.clone()));
    if redirect.is_some() {
        service.redirects.put(login, redirect);
        // What a directory or a manager says is no deed of the account.
        if asked.by.split(' ').next() == Some(login.as_str()) {
            crate::compromise::redirected(service, login);
        }
    }
    Ok(asked)
}

fn is_same(one: &Asked, other: &Asked) -> bool {
    (&one.to, one.keeps_copy, &one.home) == (&other.to, other.keeps_copy, &other.home)
}

fn told(state: &State) -> String {
    match state {
        State::Allowed { rule } => format!("allowed by {rule}"),
        State::Waits { rule } => format!("waits for an approval, by {rule}"),
        State::Refused { why, rule, .. } => format!("refused by {rule}: {why}"),
        State::Approved { by, rule, .. } => format!("approved by {by}, by {rule}"),
        State::Ended { by, .. } => format!("ended by {by}"),
    }
}
