//! The end of a content under another plan, as far as its facts go.

use plan::Plan;

use crate::content::ContentDirection;
use crate::content_table::{Unaligned, authenticate};
use crate::facts::{End, Facts, Judged};
use crate::reason::Reason;
use crate::spam::{SpamVerdict, antispam};
use crate::steps::{Step, steps};
use crate::tables::Tables;
use crate::transaction::Transaction;

/// Reasons the facts of a row can be judged by again.
const JUDGED_AGAIN: [Reason; 4] = [Reason::TooLarge, Reason::NotAReport, Reason::PosesAsUs, Reason::Spam];

/// Why the content is refused; what other facts refused it for is what it was.
pub(super) fn judged(tables: &Tables, transaction: &Transaction, facts: &Facts, end: &End) -> Option<Judged> {
    let again = |refused: &&Judged| !JUDGED_AGAIN.iter().any(|reason| reason.word() == refused.reason);
    if let Some(refused) = end.refused.as_ref().filter(again) {
        return Some(refused.clone());
    }
    let octets = end.octets.unwrap_or_default();
    if let Err(refusal) = transaction.content(tables, octets, end.report.unwrap_or(true)) {
        return Some(Judged::from(&refusal));
    }
    let direction = ContentDirection::of(transaction.block(), facts.is_of_account());
    for step in refusing_steps(tables.plan(), direction) {
        let refused = match step {
            Step::Authenticate => end.claim.and_then(|claim| match authenticate(tables, claim) {
                Unaligned::Refuse(refusal) => Some(refusal),
                Unaligned::Pass | Unaligned::Tag(_) => None,
            }),
            Step::Antispam => end.score.and_then(|total| match antispam(tables, total) {
                SpamVerdict::Refuse(refusal) => Some(refusal),
                SpamVerdict::Pass | SpamVerdict::Tag(_) => None,
            }),
            _ => None,
        };
        if let Some(refusal) = refused {
            return Some(Judged::from(&refusal));
        }
    }
    // It was refused for a fact the row does not have.
    let known = |reason: Reason| match reason {
        Reason::PosesAsUs => end.claim.is_some(),
        Reason::Spam => end.score.is_some(),
        _ => true,
    };
    let unknown =
        |refused: &&Judged| JUDGED_AGAIN.iter().any(|reason| reason.word() == refused.reason && !known(*reason));
    end.refused.as_ref().filter(unknown).cloned()
}

/// Behind `Accept` nothing refuses.
fn refusing_steps(plan: &Plan, direction: ContentDirection) -> Vec<Step> {
    steps(plan, direction).into_iter().take_while(|step| *step != Step::Accept).collect()
}
