//! `facteur compromise`: accounts a detector of the policy went off for, and how a case ends.

mod lift;
mod list;

use serde::{Deserialize, Serialize};

use super::OperateError;
use crate::compromise::Case;

pub use lift::{LiftCompromise, LiftedCompromise};
pub use list::{HeldOfCase, ListCompromise, ShowCompromise, ShownCompromise};

/// A case. Times are Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompromiseCase {
    pub id: String,
    pub login: String,
    /// Path in the policy.
    pub rule: String,
    pub evidence: String,
    /// `open`, `ending`, `ended`.
    pub state: String,
    pub at_s: i64,
    /// It ends by itself then.
    pub until_s: i64,
    /// Reactions, each with the time it was done, 0 when it is still to be done.
    pub reactions: Vec<(String, i64)>,
    /// Where the account was used lately.
    pub from: Vec<String>,
    pub ended_by: String,
    pub because: String,
    pub ended_s: i64,
    pub released: u64,
    pub discarded: u64,
}

impl CompromiseCase {
    fn of(id: &str, case: &Case) -> CompromiseCase {
        CompromiseCase {
            id: id.to_owned(),
            login: case.login.clone(),
            rule: case.rule(),
            evidence: case.evidence.clone(),
            state: case.state.word().to_owned(),
            at_s: case.at_s,
            until_s: case.until_s,
            reactions: case.reactions.iter().map(|done| (done.what.clone(), done.at_s)).collect(),
            from: case.from.clone(),
            ended_by: case.ended_by.clone(),
            because: case.because.clone(),
            ended_s: case.ended_s,
            released: case.released,
            discarded: case.discarded,
        }
    }
}

fn no_case(id: &str) -> OperateError {
    OperateError::BadRequest { why: format!("there is no case {id}; facteur compromise list names them") }
}
