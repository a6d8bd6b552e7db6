//! `facteur spam`: what people reported, what managers decide, what was learned.
//!
//! The counts are in two buckets of the store's statistics: [`BASE`] has what was imported, [`ALL`] that and every taught
//! message. What a message added stands in its row, so that forgetting it is the exact inverse, and all can be counted anew.

mod counts;
mod decide;
mod exchange;
mod known;
mod queue;
mod recount;
mod stats;
mod taught;
mod teach;

use std::sync::MutexGuard;

use serde::{Deserialize, Serialize};
use store::Quarantined;

use super::{Context, OperateError};
use crate::signing::Seal;
use crate::teaching::{Teaching, kept};

pub use decide::{DecideSpam, DecidedSpam};
pub use exchange::{ExportCounts, ImportCounts, Moved};
pub use known::{CountsOfTokens, TOKENS_AT_ONCE as COUNTED_TOKENS_AT_ONCE};
pub use queue::{ShowSpam, ShownSpam, SpamCase, SpamQueue};
pub use recount::{RecountSpam, Recounted};
pub use stats::{SpamStats, StatsOfSpam};
pub use taught::{ForgetSpam, ListTaught, ListedTaught};
pub use teach::{TaughtSpam, TeachSpam};

/// What is counted: what the learned pass looks at.
pub const ALL: u32 = 0;
/// What was imported.
pub const BASE: u32 = 1;

/// How a message was judged, as people say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judged {
    Spam,
    Ham,
}

impl Judged {
    pub fn is_spam(self) -> bool {
        self == Judged::Spam
    }

    pub fn of(spam: bool) -> Judged {
        if spam { Judged::Spam } else { Judged::Ham }
    }

    pub fn word(self) -> &'static str {
        if self.is_spam() { "spam" } else { "ham" }
    }
}

/// What opens the rows' bodies.
fn seal(context: &Context) -> Result<Seal, OperateError> {
    Seal::of(&context.data).map_err(|error| OperateError::file(&context.data.join("seal.key"), error))
}

/// The body of a row.
fn opened(context: &Context, row: &Quarantined) -> Result<Vec<u8>, OperateError> {
    let octets = kept::read_body(&context.store, &seal(context)?, row);
    octets.map_err(|error| OperateError::Store { why: error.to_string() })
}

/// Alone with what is learned. Without a server nobody else has the store.
fn alone(context: &Context) -> Option<MutexGuard<'_, ()>> {
    context.server.as_ref().map(|service| service.teaching.decide())
}

/// What waits is another than the server knows.
fn decided(context: &Context) {
    if let Some(service) = &context.server {
        Teaching::decided(&service.teaching);
    }
}
