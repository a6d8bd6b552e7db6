//! `facteur spam stats`.

use decide::roles;
use serde::{Deserialize, Serialize};
use store::Kept;

use super::super::{Context, OperateError, Operation, Progress};
use super::counts::State;
use super::{ALL, BASE};
use crate::teaching::learned::{MESSAGES, TOKENS_VERSION};

/// `POST /spam/stats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatsOfSpam {}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpamStats {
    /// Messages that are counted, imported ones among them.
    pub spam: u32,
    pub ham: u32,
    pub imported_spam: u32,
    pub imported_ham: u32,
    /// Tokens that are counted.
    pub tokens: u64,
    pub tokens_version: u32,
    /// Taught messages that are kept, and their octets.
    pub taught: u64,
    pub taught_octets: u64,
    pub proposals: u64,
    /// When the oldest of them came, in Unix seconds.
    pub oldest_s: Option<i64>,
    /// Why nothing can be taught now; empty where it can.
    pub trouble: String,
}

impl Operation for StatsOfSpam {
    type Response = SpamStats;
    const PATH: &'static str = "/spam/stats";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::SeeTeaching
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<SpamStats, OperateError> {
        let store = &context.store;
        let state = State::read(store)?;
        let messages =
            |bucket| store.token_counts(bucket, &[MESSAGES]).map(|counts| counts.first().copied().unwrap_or_default());
        let (all, base) = (messages(ALL)?, messages(BASE)?);
        let (taught, proposals) = (store.kept_amounts(Kept::Taught)?, store.kept_amounts(Kept::Proposal)?);
        let (mut tokens, mut after) = (0, None);
        loop {
            context.go_on()?;
            let slice = store.statistics(ALL, after, 10_000)?;
            let Some((last, _)) = slice.last() else { break };
            after = Some(*last);
            tokens += slice.iter().filter(|(token, _)| *token != MESSAGES).count() as u64;
        }
        Ok(SpamStats {
            spam: all.spam,
            ham: all.ham,
            imported_spam: base.spam,
            imported_ham: base.ham,
            tokens,
            tokens_version: if state.tokens_version == 0 { TOKENS_VERSION } else { state.tokens_version },
            taught: taught.messages,
            taught_octets: taught.octets,
            proposals: proposals.messages,
            oldest_s: proposals.oldest_s,
            trouble: state.ready().err().map(|error| error.to_string()).unwrap_or_default(),
        })
    }
}
