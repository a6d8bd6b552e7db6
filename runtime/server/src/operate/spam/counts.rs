//! What is added for a taught message, and under which version of the tokens.

use serde::{Deserialize, Serialize};
use store::{Kept, Op, Quarantined, ReadError, Store, TokenCount};

use super::super::manager::Decider;
use super::super::{Context, OperateError};
use super::{ALL, seal};
use crate::teaching::facts::{Taught, Tokens, read, written};
use crate::teaching::kept;
use crate::teaching::learned::{MESSAGES, TOKENS_VERSION, tokens};

/// Where it stands which tokens are counted.
const STATE: &str = "spam/counts";

/// Of the counts as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// 0 before anything was counted.
    pub tokens_version: u32,
    /// All is being counted anew, or was until a crash.
    pub recounting: bool,
    /// Of the imported counts; 0 without any.
    pub base_version: u32,
    /// They are being imported, or were until a crash.
    pub importing: bool,
}

impl State {
    pub fn read(store: &Store) -> Result<State, ReadError> {
        let kept = store.setting(STATE)?;
        Ok(kept.and_then(|octets| serde_json::from_slice(&octets).ok()).unwrap_or_default())
    }

    pub fn op(&self) -> Op {
        Op::Setting { key: STATE.to_owned(), value: Some(written(self)) }
    }

    /// Is nothing half done?
    pub fn whole(&self) -> Result<(), OperateError> {
        if self.recounting || self.importing {
            return Err(refused("the counts are not whole: a recount or an import did not end"));
        }
        Ok(())
    }

    /// May something be added? Counts of two versions are never mixed.
    pub fn ready(&self) -> Result<(), OperateError> {
        self.whole()?;
        if self.tokens_version != 0 && self.tokens_version != TOKENS_VERSION {
            return Err(refused("what was learned is of another version of this program"));
        }
        Ok(())
    }
}

fn refused(why: &str) -> OperateError {
    let why = format!("{why}; `facteur spam retrain` counts afresh");
    OperateError::Refused { why, rule: "antispam.taught_by".to_owned() }
}

/// The counts of a message with these tokens, to add (`sign` 1) or to take away (-1).
pub fn of(tokens: &[u64], spam: bool, sign: i32) -> Vec<TokenCount> {
    let count = |token| TokenCount { token, spam: if spam { sign } else { 0 }, ham: if spam { 0 } else { sign } };
    [MESSAGES].into_iter().chain(tokens.iter().copied()).map(count).collect()
}

/// What changes, and the ops that make it so in one commit.
#[derive(Debug, Default)]
pub struct Change {
    pub ops: Vec<Op>,
    pub counts: Vec<TokenCount>,
}

/// A message as it came, about to be taught. `taught` says everything but the tokens.
pub struct New<'a> {
    pub octets: &'a [u8],
    pub taught: Taught,
}

/// Teaches a message. `None` where it is taught as the same already; where it is taught as the opposite, that is forgotten.
pub fn teach(context: &Context, state: &State, new: New<'_>) -> Result<Option<Change>, OperateError> {
    state.ready()?;
    let store = &context.store;
    let id = kept::taught_id(&new.taught.hash);
    let mut change = Change::default();
    if let Some(row) = store.kept_one(id)? {
        let before: Taught = read(&row.facts).ok_or_else(damaged)?;
        if before.spam == new.taught.spam {
            return Ok(None);
        }
        change = forget(state, &row, &before);
    }
    let tokens = tokens(new.octets);
    change.counts.extend(of(&tokens, new.taught.spam, 1));
    let taught = Taught { tokens_version: TOKENS_VERSION, tokens: Tokens(tokens), ..new.taught };
    let body = kept::body(store, &seal(context)?, id, new.octets)?;
    let row = kept::row(id, Kept::Taught, body, written(&taught), taught.at_s);
    change.ops.push(Op::Quarantine(Box::new(row)));
    if state.tokens_version == 0 {
        change.ops.push(State { tokens_version: TOKENS_VERSION, ..state.clone() }.op());
    }
    Ok(Some(change))
}

/// The way back. What was never part of these counts is not subtracted from them.
pub fn forget(state: &State, row: &Quarantined, taught: &Taught) -> Change {
    let counted = taught.tokens_version == state.tokens_version;
    let counts = if counted { of(&taught.tokens.0, taught.spam, -1) } else { Vec::new() };
    Change { ops: vec![Op::ReleaseQuarantined { id: row.id }], counts }
}

impl Change {
    /// One commit of everything, with its line of the audit; then what judges mail hears of it.
    pub fn commit(self, context: &Context, who: &Decider, what: &str, more: Vec<Op>) -> Result<(), OperateError> {
        let mut ops = self.ops;
        if !self.counts.is_empty() {
            ops.push(Op::CountTokens { bucket: ALL, tokens: self.counts.clone() });
        }
        ops.extend(more);
        ops.push(who.audited(what));
        context.store.commit_wait(ops)?;
        told(context, &self.counts);
        Ok(())
    }
}

/// The counts changed by these.
pub fn told(context: &Context, counts: &[TokenCount]) {
    if let Some(service) = &context.server {
        service.spam.model.apply(counts);
    }
}

pub fn damaged() -> OperateError {
    OperateError::Store { why: "a row of what was taught cannot be read".to_owned() }
}
