//! Out of all mailboxes, and held back in the spool; where that are many mailboxes, with the word of a second manager.

use std::collections::BTreeSet;
use std::time::Instant;

use decide::roles;
use serde::{Deserialize, Serialize};
use store::DeliveryId;

use super::{BOUND_RULE, NAMED_MAX, bad, cleaned, kept, people_of, searched, server, trouble};
use crate::clock;
use crate::operate::manager::{self, Decider};
use crate::operate::quarantine::because;
use crate::operate::{Context, OperateError, Operation, Progress};
use crate::recall::{self, Gone, GoneState, Recall, Sought, State};
use crate::service::Service;
use crate::taken;

/// `POST /recall/take`: what a find found, or all that matches now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakeRecall {
    /// A find, or a take that was cut short.
    pub id: Option<String>,
    pub sought: Option<Sought>,
    /// The manager who decides.
    pub by: String,
    pub because: String,
}

/// `POST /recall/approve`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApproveRecall {
    pub id: String,
    /// Another manager than the one who asked.
    pub by: String,
}

/// What was done, or what it waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TookRecall {
    /// Empty when nothing matches.
    pub id: String,
    /// `taken`, or `waiting` for a second manager.
    pub state: String,
    /// Copies that went, out of how many mailboxes of how many people; of a take that waits, people it is about.
    pub messages: u64,
    pub mailboxes: u64,
    pub accounts: u64,
    /// Messages of the spool that nobody tries any more.
    pub held: Vec<String>,
    /// Copies that next hops have: nobody here can bring them back.
    pub handed_over: u64,
    pub gone: Vec<Gone>,
    pub ms: u64,
    /// One manager alone may take it from so many.
    pub alone_at_most: u32,
}

impl Operation for TakeRecall {
    type Response = TookRecall;
    const PATH: &'static str = "/recall/take";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::Recall
    }

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<TookRecall, OperateError> {
        let began = Instant::now();
        let service = server(context)?;
        let decider = manager::decider(context, &self, Some(&self.by))?;
        let because = because(&self.because)?;
        let (id, mut recall) = match (self.id, self.sought) {
            (Some(id), None) => {
                let recall = kept(context, &id)?;
                (id, recall)
            }
            (None, Some(sought)) => {
                let sought = cleaned(service, sought)?;
                match begun(context, &sought)? {
                    Some(begun) => begun,
                    None => {
                        let found = searched(context, service, &sought, tell)?;
                        let mut recall = Recall { sought, at_s: clock::unix_s(), ..Recall::default() };
                        recall.keep(found.ids);
                        (recall::new_id(), recall)
                    }
                }
            }
            _ => return Err(bad("give what to look for, or the id of a find")),
        };
        match recall.state {
            State::Found => {
                (recall.by, recall.because, recall.asked_at_s) = (decider.name(), because, clock::unix_s());
            }
            State::Taking | State::Taken => {}
            State::Waiting => {
                return Err(bad(format!("it waits for another manager: facteur recall approve {id} --by LOGIN")));
            }
            State::Expired => return Err(bad("nobody agreed within a day; ask again with a new find")),
            State::Undoing | State::Undone => return Err(bad("it was put back; ask again with a new find")),
        }
        if recall.ids.is_empty() {
            return Ok(TookRecall::default());
        }
        let most = service.tables.plan().response.recall_alone_at_most;
        let people = people_of(context, &recall.deliveries())?;
        if recall.state == State::Found && people > u64::from(most) {
            (recall.state, recall.accounts) = (State::Waiting, people);
            let what = format!(
                "asks for a second manager to take recall {id} ({}) from {people} people: {}",
                recall.sought.words(),
                recall.because
            );
            context.store.commit_wait(vec![recall::op(&id, Some(&recall)), decider.audited(&what)])?;
            let state = recall.state.word().to_owned();
            return Ok(TookRecall { id, state, accounts: people, alone_at_most: most, ..TookRecall::default() });
        }
        let take = Take { context, service, decider: &decider, id: &id };
        take.run(recall, began, tell)
    }
}

impl Operation for ApproveRecall {
    type Response = TookRecall;
    const PATH: &'static str = "/recall/approve";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::Recall
    }

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<TookRecall, OperateError> {
        let began = Instant::now();
        let service = server(context)?;
        let decider = manager::decider(context, &self, Some(&self.by))?;
        let mut recall = kept(context, &self.id)?;
        match recall.state {
            State::Waiting => {}
            State::Expired => return Err(bad("it waited for longer than a day; ask again with a new find")),
            state => return Err(bad(format!("recall {} waits for nobody: it is {}", self.id, state.word()))),
        }
        if decider.name().eq_ignore_ascii_case(&recall.by) {
            let why = format!("{} asked for it; another manager has to agree", recall.by);
            crate::operate::audit(context, &format!("refused: recall {}: {why}", self.id));
            return Err(OperateError::Refused { why, rule: BOUND_RULE.to_owned() });
        }
        recall.approved_by = decider.name();
        let take = Take { context, service, decider: &decider, id: &self.id };
        take.run(recall, began, tell)
    }
}

/// A take of the same that was begun and did not come to its end. `--since 1d` is another moment each time.
fn begun(context: &Context, sought: &Sought) -> Result<Option<(String, Recall)>, OperateError> {
    let all = recall::all(&context.store)?;
    let same = |of: &Sought| Sought { since_s: None, ..of.clone() } == Sought { since_s: None, ..sought.clone() };
    Ok(all.into_iter().find(|(_, recall)| recall.state == State::Taking && same(&recall.sought)))
}

struct Take<'a> {
    context: &'a Context,
    service: &'a Service,
    decider: &'a Decider,
    id: &'a str,
}

impl Take<'_> {
    /// The state is put down first, so that the same again goes on where this was cut short.
    fn run(
        &self,
        mut recall: Recall,
        began: Instant,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<TookRecall, OperateError> {
        let Take { context, service, decider, id } = *self;
        recall.state = State::Taking;
        let what = format!("takes recall {id} ({}): {}", recall.sought.words(), recall.because);
        context.store.commit_wait(vec![recall::op(id, Some(&recall)), decider.audited(&what)])?;
        let (by, why) = (recall.by.clone(), recall.why(id));
        let held = taken::hold_back(service, &recall.deliveries()).map_err(trouble)?;
        if !held.is_empty() {
            self.add_parts(&mut recall, tell)?;
        }
        let ids = recall.deliveries();
        let taken = taken::take(service, &ids, &why, &by).map_err(trouble)?;
        // What an earlier call took counts, too.
        recall.messages += taken.messages;
        recall.mailboxes += taken.mailboxes;
        recall.accounts = recall.accounts.max(taken.accounts);
        (recall.state, recall.taken_at_s) = (State::Taken, clock::unix_s());
        let what = format!("took recall {id}: {} copies, {} held in the queue", taken.messages, taken.held.len());
        context.store.commit_wait(vec![recall::op(id, Some(&recall)), decider.audited(&what)])?;
        let report = recall::report_of(&context.store, &ids, NAMED_MAX)?;
        Ok(TookRecall {
            id: id.to_owned(),
            state: recall.state.word().to_owned(),
            messages: taken.messages,
            mailboxes: taken.mailboxes,
            accounts: taken.accounts,
            held: taken.held.iter().map(ToString::to_string).collect(),
            handed_over: report.handed_over,
            gone: report.gone.into_iter().filter(|gone| gone.state == GoneState::HandedOver).collect(),
            ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            alone_at_most: service.tables.plan().response.recall_alone_at_most,
        })
    }

    /// A message for many was spread on until it was held: these parts are of it.
    fn add_parts(&self, recall: &mut Recall, tell: &mut dyn FnMut(Progress)) -> Result<(), OperateError> {
        let of: BTreeSet<DeliveryId> = recall.deliveries().into_iter().collect();
        let found = searched(self.context, self.service, &recall.sought, tell)?;
        let parts = recall::parts_of(&found, &of);
        if !parts.is_empty() {
            recall.keep(of.into_iter().chain(parts));
            self.context.store.commit_wait(vec![recall::op(self.id, Some(recall))])?;
        }
        Ok(())
    }
}
