//! `facteur spam retrain`: everything counted afresh from the taught messages, as under a new version of the tokens.
//!
//! What is there is compared with what should be, and the differences are committed, some thousand tokens at a time: a
//! recount that a crash ended is ended by the next one.

use std::collections::BTreeMap;

use decide::roles;
use serde::{Deserialize, Serialize};
use store::{Kept, Op, TokenCount, TokenCounts};

use super::super::manager::{Decider, decider};
use super::super::{Context, OperateError, Operation, Progress};
use super::counts::{self, Change, State};
use super::{ALL, BASE, alone, opened};
use crate::teaching::facts::{Taught, Tokens, read, written};
use crate::teaching::kept;
use crate::teaching::learned::{MESSAGES, TOKENS_VERSION, tokens};

/// Tokens of one commit, and rows of the statistics read at a time.
const SLICE: usize = 5_000;

/// `POST /spam/retrain`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecountSpam {
    pub by: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recounted {
    pub messages: u64,
    /// Taught messages whose text is gone and whose tokens are of another version: they are not counted any more.
    pub lost: u64,
    /// Imported counts of another version, or of an import that did not end, went.
    pub base_dropped: bool,
    /// Tokens whose counts changed.
    pub changed: u64,
}

impl Operation for RecountSpam {
    type Response = Recounted;
    const PATH: &'static str = "/spam/retrain";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::Teach
    }

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<Recounted, OperateError> {
        let who = decider(context, &self, self.by.as_deref())?;
        let _alone = alone(context);
        recount(context, &who, tell)
    }
}

pub type Counts = BTreeMap<u64, TokenCounts>;

/// Brings [`ALL`] to what it should be: imported counts and taught messages.
pub fn recount(context: &Context, who: &Decider, _tell: &mut dyn FnMut(Progress)) -> Result<Recounted, OperateError> {
    let store = &context.store;
    let mut state = State { recounting: true, ..State::read(store)? };
    let mut recounted = Recounted {
        base_dropped: state.base_version != 0 && state.base_version != TOKENS_VERSION || state.importing,
        ..Recounted::default()
    };
    store.commit_wait(vec![state.op()])?;
    if recounted.base_dropped {
        become_(context, BASE, &Counts::new())?;
        (state.base_version, state.importing) = (0, false);
    }
    let mut wanted = bucket(context, BASE)?;
    kept::each(store, Kept::Taught, |row| {
        context.go_on()?;
        let taught: Taught = read(&row.facts).ok_or_else(counts::damaged)?;
        let tokens = if taught.tokens_version == TOKENS_VERSION {
            taught.tokens.0
        } else if taught.purged {
            recounted.lost += 1;
            return Ok(());
        } else {
            let tokens = tokens(&opened(context, &row)?);
            let taught = Taught { tokens_version: TOKENS_VERSION, tokens: Tokens(tokens.clone()), ..taught.clone() };
            let facts = written(&taught);
            store.commit_wait(vec![Op::Recast { id: row.id, kind: Kept::Taught, facts }])?;
            tokens
        };
        recounted.messages += 1;
        for token in [MESSAGES].into_iter().chain(tokens) {
            let counts = wanted.entry(token).or_default();
            *(if taught.spam { &mut counts.spam } else { &mut counts.ham }) += 1;
        }
        Ok::<(), OperateError>(())
    })?;
    recounted.changed = become_(context, ALL, &wanted)?;
    let state = State { tokens_version: TOKENS_VERSION, recounting: false, ..state };
    let what = format!("counted {} taught messages afresh, {} tokens changed", recounted.messages, recounted.changed);
    Change { ops: vec![state.op()], ..Change::default() }.commit(context, who, &what, Vec::new())?;
    Ok(recounted)
}

/// All counts of a bucket.
pub fn bucket(context: &Context, bucket: u32) -> Result<Counts, OperateError> {
    let mut counts = Counts::new();
    let mut after = None;
    loop {
        context.go_on()?;
        let slice = context.store.statistics(bucket, after, SLICE)?;
        let Some((last, _)) = slice.last() else { return Ok(counts) };
        after = Some(*last);
        counts.extend(slice);
    }
}

/// Commits the differences; how many there were.
pub fn become_(context: &Context, of: u32, wanted: &Counts) -> Result<u64, OperateError> {
    let now = bucket(context, of)?;
    let tokens: std::collections::BTreeSet<u64> = now.keys().chain(wanted.keys()).copied().collect();
    let less = |wanted: u32, now: u32| i32::try_from(i64::from(wanted) - i64::from(now)).unwrap_or(i32::MAX);
    let difference = |token: u64| {
        let counts = |of: &Counts| of.get(&token).copied().unwrap_or_default();
        let (wanted, now) = (counts(wanted), counts(&now));
        TokenCount { token, spam: less(wanted.spam, now.spam), ham: less(wanted.ham, now.ham) }
    };
    let differences: Vec<TokenCount> =
        tokens.into_iter().map(difference).filter(|one| (one.spam, one.ham) != (0, 0)).collect();
    for slice in differences.chunks(SLICE) {
        context.go_on()?;
        context.store.commit_wait(vec![Op::CountTokens { bucket: of, tokens: slice.to_vec() }])?;
        if of == ALL {
            counts::told(context, slice);
        }
    }
    Ok(differences.len() as u64)
}
