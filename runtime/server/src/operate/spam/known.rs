//! What was learned of tokens: whoever explains the score of a message that is not ours asks by their names alone.

use serde::{Deserialize, Serialize};

use super::super::{Context, OperateError, Operation, Progress};
use super::ALL;

/// Tokens of one request.
pub const TOKENS_AT_ONCE: usize = 2_000;

/// `POST /spam/counts`: at most [`TOKENS_AT_ONCE`] tokens; 0 is for the messages themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountsOfTokens {
    pub tokens: Vec<u64>,
}

impl Operation for CountsOfTokens {
    /// In how many messages of spam and of other mail each was, in the order of the request.
    type Response = Vec<(u32, u32)>;
    const PATH: &'static str = "/spam/counts";
    const LONG: bool = false;

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<Vec<(u32, u32)>, OperateError> {
        if self.tokens.len() > TOKENS_AT_ONCE {
            let why = format!("more than {TOKENS_AT_ONCE} tokens at once");
            return Err(OperateError::Refused { why, rule: String::new() });
        }
        let counts = context.store.token_counts(ALL, &self.tokens)?;
        Ok(counts.into_iter().map(|count| (count.spam, count.ham)).collect())
    }
}
