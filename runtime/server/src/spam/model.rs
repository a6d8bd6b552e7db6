//! What the learned pass knows: the counts of the store in memory, as teaching changes them.

use std::sync::{PoisonError, RwLock};

use spam::learned::{Counts, TAUGHT_MIN, Table};
use spam::view::View;
use spam::{PassScore, learned, tokens};
use store::{ReadError, Store, TokenCount};

/// The bucket of the store's statistics that judges mail.
const BUCKET: u32 = 0;
/// Tokens read at a time.
const SLICE: usize = 10_000;

/// All counts. Teaching commits them first, then tells.
#[derive(Debug, Default)]
pub struct Model(RwLock<Table>);

impl Model {
    /// Reads what was taught, slice by slice.
    pub fn load(store: &Store) -> Result<Model, ReadError> {
        let mut table = Table::default();
        let mut after = None;
        loop {
            let slice = store.statistics(BUCKET, after, SLICE)?;
            let Some((last, _)) = slice.last() else { break };
            after = Some(*last);
            for (token, counts) in slice {
                let few = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
                table.add_token(token, few(counts.spam), few(counts.ham));
            }
        }
        Ok(Model(RwLock::new(table)))
    }

    /// The counts changed by these, in a commit that holds.
    pub fn apply(&self, changes: &[TokenCount]) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            table.add_token(change.token, change.spam, change.ham);
        }
    }

    pub fn score(&self, view: &View<'_>) -> PassScore {
        // While too little was taught to say anything, nobody needs the tokens.
        let tokens = if self.says_something() { tokens::tokens(view) } else { Vec::new() };
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        learned::score(&tokens, &*table)
    }

    fn says_something(&self) -> bool {
        let taught = self.0.read().unwrap_or_else(PoisonError::into_inner).messages();
        taught.spam.min(taught.ham) >= TAUGHT_MIN
    }
}
