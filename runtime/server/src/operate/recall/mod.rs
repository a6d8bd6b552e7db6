//! `facteur recall`: a delivered message out of all mailboxes, by what is known of it; and back.

mod find;
mod list;
mod take;
mod undo;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use store::{DeliveryId, NextHop, QueueId, Resolution};

use super::{Context, OperateError, Progress, Throttled, Unit};
use crate::clock;
use crate::recall::{self, Found, Recall, SearchError, Sought};
use crate::service::Service;
use crate::taken::TakenError;

pub use find::{FindRecall, FoundRecall};
pub use list::{ListRecalls, ListedRecall, ShowRecall, ShownRecall};
pub use take::{ApproveRecall, TakeRecall, TookRecall};
pub use undo::{UndidRecall, UndoRecall};

/// Most copies one report names.
const NAMED_MAX: usize = 10_000;
/// Where the plan says how many mailboxes are too many for one.
const BOUND_RULE: &str = "response.recall_alone_at_most";

/// A recall in words and numbers. Times are Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecallState {
    pub id: String,
    pub state: String,
    /// What was looked for.
    pub sought: String,
    pub at_s: i64,
    pub by: String,
    pub approved_by: String,
    pub because: String,
    pub messages: u64,
    pub mailboxes: u64,
    pub accounts: u64,
    pub taken_at_s: i64,
    pub undone_by: String,
    pub undone_at_s: i64,
}

impl RecallState {
    fn of(id: &str, recall: &Recall) -> RecallState {
        let recall = recall.clone();
        RecallState {
            id: id.to_owned(),
            state: recall.state.word().to_owned(),
            sought: super::quarantine::shown_line(&recall.sought.words()),
            at_s: recall.at_s,
            by: recall.by,
            approved_by: recall.approved_by,
            because: recall.because,
            messages: recall.messages,
            mailboxes: recall.mailboxes,
            accounts: recall.accounts,
            taken_at_s: recall.taken_at_s,
            undone_by: recall.undone_by,
            undone_at_s: recall.undone_at_s,
        }
    }
}

fn server(context: &Context) -> Result<&Arc<Service>, OperateError> {
    context.server.as_ref().ok_or(OperateError::NoServer)
}

fn bad(why: impl Into<String>) -> OperateError {
    OperateError::BadRequest { why: why.into() }
}

/// The recall of an id, as it is now.
fn kept(context: &Context, id: &str) -> Result<Recall, OperateError> {
    let found = recall::of(&context.store, id)?;
    let none = || bad(format!("there is no recall {id}; `facteur recall list` says which there are"));
    found.map(|recall| recall.now(clock::unix_s())).ok_or_else(none)
}

/// As marks have it, and narrow enough.
fn cleaned(service: &Service, sought: Sought) -> Result<Sought, OperateError> {
    let tag = service.tables.plan().antispam.as_ref().map_or("", |antispam| antispam.tag.subject.as_str());
    let sought = sought.cleaned(tag).map_err(bad)?;
    if sought.is_everything() {
        let why = "say what to look for: a Message-ID, a sender, a Subject, the host of a link or an attachment; a time \
                   alone would be all mail";
        return Err(bad(why));
    }
    Ok(sought)
}

fn searched(
    context: &Context,
    service: &Service,
    sought: &Sought,
    tell: &mut dyn FnMut(Progress),
) -> Result<Found, OperateError> {
    let mut tell = Throttled::new(tell);
    let mut go_on = |done: u64| {
        tell.tell(Progress { on: "looking".to_owned(), done, total: None, unit: Unit::Messages });
        context.go_on().is_ok()
    };
    recall::search(&context.store, &service.signing.seal, sought, &mut go_on).map_err(|error| match error {
        SearchError::Read(error) => error.into(),
        SearchError::TooMany => bad(format!(
            "more than {} deliveries match; look for something narrower, or since a later moment",
            recall::DELIVERIES_MAX
        )),
        SearchError::Interrupted => OperateError::Interrupted,
    })
}

/// People a copy of these is with, or may be in a moment: members of addresses a message is still spread to.
fn people_of(context: &Context, ids: &[DeliveryId]) -> Result<u64, OperateError> {
    let mut people: BTreeSet<_> = context.store.copies_of(ids)?.into_iter().map(|copy| copy.login).collect();
    for id in ids {
        let Some(item) = context.store.queue_item(QueueId(*id))? else { continue };
        for recipient in item.recipients.iter().filter(|recipient| recipient.next_hop == NextHop::Local) {
            match context.store.resolve(&recipient.forward_path)? {
                Resolution::Alias(alias) => people.extend(alias.members),
                Resolution::Person(row) => drop(people.insert(row.person.login)),
                Resolution::Unknown => {}
            }
        }
    }
    Ok(people.len() as u64)
}

fn trouble(error: TakenError) -> OperateError {
    OperateError::Store { why: error.to_string() }
}
