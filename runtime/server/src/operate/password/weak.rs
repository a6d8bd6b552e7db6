//! `facteur person weak`: who still has a password of another server's scheme, and who has none.

use std::collections::BTreeMap;

use decide::roles::Act;
use serde::{Deserialize, Serialize};
use store::PersonRow;

use crate::operate::{Context, OperateError, Operation, Progress};
use crate::passwords::facts::Facts;
use crate::{schemes, verifier};

/// People of one look.
const PAGE: u32 = 500;
/// Logins named of each kind.
const NAMED_MAX: usize = 1_000;

/// `POST /password/weak`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeakPasswords {}

/// How the passwords of people are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedPasswords {
    pub people: u64,
    /// By the word of the scheme. They are renewed when their owner logs in with them in clear, under TLS.
    pub weak: BTreeMap<String, Named>,
    /// Of a letter, and not changed yet.
    pub given: Named,
    /// There is none.
    pub without: Named,
    /// No login is known.
    pub never: Named,
}

/// Some people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub count: u64,
    /// The first thousand logins.
    pub logins: Vec<String>,
}

impl Named {
    fn add(&mut self, row: &PersonRow) {
        self.count += 1;
        if self.logins.len() < NAMED_MAX {
            self.logins.push(row.person.login.to_string());
        }
    }
}

impl Operation for WeakPasswords {
    type Response = CountedPasswords;
    const PATH: &'static str = "/password/weak";
    const LONG: bool = true;

    fn act(&self) -> Act {
        Act::SeeStatistics
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<CountedPasswords, OperateError> {
        let mut counted = CountedPasswords::default();
        let mut after = None;
        loop {
            context.go_on()?;
            let people = context.store.people(after.as_ref(), PAGE)?;
            let Some(last) = people.last() else { return Ok(counted) };
            after = Some(last.person.login.clone());
            for row in &people {
                count(context, &mut counted, row)?;
            }
        }
    }
}

fn count(context: &Context, counted: &mut CountedPasswords, row: &PersonRow) -> Result<(), OperateError> {
    counted.people += 1;
    let kept = row.verifier.as_deref().unwrap_or_default();
    if kept.is_empty() {
        counted.without.add(row);
    } else if !verifier::is_own(kept) && !verifier::is_locked(kept) {
        let word = schemes::read(kept).map_or("unknown", |imported| imported.word());
        counted.weak.entry(word.to_owned()).or_default().add(row);
    }
    if Facts::read(&row.secret).must_change {
        counted.given.add(row);
    }
    let accesses = match &context.server {
        Some(server) => server.accesses.of(&context.store, &row.person.login, 1)?,
        None => context.store.accesses_of(&row.person.login, 1)?,
    };
    if accesses.is_empty() {
        counted.never.add(row);
    }
    Ok(())
}
