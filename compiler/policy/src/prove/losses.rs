//! `EveryLossIsRecorded`: each verdict by which mail is lost for good has its kind in `losses.record`.

use std::collections::BTreeMap;

use decide::{Cell, ContentCell, Reachable, RecipientClass, Tables};
use plan::{Loss, WhenOver};

use super::dialogue::{self, About};
use super::{Breach, Judged};
use crate::figures::grouped;

/// What loses mail without a record.
enum Cause {
    Envelope(Cell),
    Content(ContentCell),
    /// Counts and retries are no cells.
    Formula(&'static str),
}

pub(super) fn judge(tables: &Tables) -> Judged {
    let mut missing: BTreeMap<Loss, (Cause, usize)> = BTreeMap::new();
    let mut visited = 0;
    let recorded = &tables.plan().losses.record;
    let mut lost = |loss: Option<Loss>, cause: Cause| match loss {
        Some(loss) if !recorded.contains(&loss) => missing.entry(loss).or_insert((cause, 0)).1 += 1,
        Some(_) | None => {}
    };
    for cell in tables.cells() {
        visited += 1;
        let verdict = tables.envelope(cell);
        if let Some(refusal) = verdict.refusal().filter(|refusal| !refusal.code.is_temporary())
            && tables.reachable(cell) == Reachable::Yes
        {
            lost(refusal.reason.loss(), Cause::Envelope(cell));
        }
    }
    for cell in tables.content_cells() {
        visited += 1;
        lost(tables.content(cell).loss, Cause::Content(cell));
    }
    for (loss, why) in formulas(tables) {
        lost(Some(loss), Cause::Formula(why));
    }
    let mut judged = Judged::of(format!("{} envelope and content cases", grouped(visited as u64)));
    for (loss, (cause, cases)) in missing {
        let about = About { guarantee: "EveryLossIsRecorded", cases, of: visited, fault: "leaves no record" };
        let (what, counterexample) = match cause {
            Cause::Envelope(cell) => ("a refused recipient", Some(dialogue::of_envelope(tables, cell, about))),
            Cause::Content(cell) => {
                let carrier = dialogue::carrier(tables, cell.direction, None);
                let verdict = tables.content(cell);
                let of_content = |carrier| dialogue::of_content(tables, carrier, cell, &verdict, about);
                ("a message that is not delivered", carrier.map(of_content))
            }
            Cause::Formula(why) => (why, None),
        };
        judged.counterexample = judged.counterexample.take().or(counterexample);
        judged.breaches.push(Breach {
            message: format!("{what} is a loss of the kind {loss:?}, which `losses.record` does not name"),
            help: format!("add {loss:?} to `losses.record`"),
            path: "losses.record".to_owned(),
            edits: Vec::new(),
        });
    }
    judged
}

/// Losses no cell shows: limits that refuse for good, and mail the queue gives up.
fn formulas(tables: &Tables) -> Vec<(Loss, &'static str)> {
    let plan = tables.plan();
    let mut found = Vec::new();
    let over = [plan.when_over.recipients_in_one_message, plan.when_over.window, plan.strangers.when_over];
    if over.contains(&WhenOver::Refuse) {
        found.push((Loss::OverLimit, "what a full limit refuses for good"));
    }
    let queued = |cell: Cell| match cell.recipient {
        RecipientClass::Remote | RecipientClass::PassedOn | RecipientClass::Redirected => {
            tables.reachable(cell) == Reachable::Yes && tables.envelope(cell).accepts()
        }
        RecipientClass::Local
        | RecipientClass::Full
        | RecipientClass::FullForLong
        | RecipientClass::Closed
        | RecipientClass::Unknown
        | RecipientClass::Unsure
        | RecipientClass::Malformed => false,
    };
    if tables.cells().any(queued) {
        found.push((Loss::NotDelivered, "what a next hop never takes"));
    }
    found
}
