//! Hold, release, retry, bounce, remove: on the record with who did it.

use std::fmt;

use decide::roles;
use mail::EnhancedCode;
use plan::Loss;
use queue::{Came, MessageFacts, Tried};
use serde::{Deserialize, Serialize};
use store::{CommitError, Op, QueueId, QueueItem, Refusal, Settled};

use super::{Filter, PAGE, id};
use crate::clock;
use crate::operate::{Context, OperateError, Operation, Progress, Unit, audit};
use crate::outbound;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Nobody tries until it is released.
    Hold,
    Release,
    /// It is due now, and its destinations are tried whatever they said.
    Retry,
    /// It fails now: its sender is told.
    Bounce,
    /// It goes without a word to its sender.
    Remove,
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Act::Hold => "hold",
            Act::Release => "release",
            Act::Retry => "retry",
            Act::Bounce => "bounce",
            Act::Remove => "remove",
        })
    }
}

/// `POST /queue/act`: on these messages, or on all the filter lets through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActOn {
    pub act: Act,
    pub ids: Vec<String>,
    pub filter: Filter,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    pub messages: u64,
    pub recipients: u64,
    /// Destinations that were down and are tried again.
    pub revived: u64,
}

impl Operation for ActOn {
    type Response = Acted;
    const PATH: &'static str = "/queue/act";
    const LONG: bool = true;

    fn act(&self) -> roles::Act {
        roles::Act::ChangeQueue
    }

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<Acted, OperateError> {
        if self.ids.is_empty() && self.filter.is_empty() {
            let why = "say which messages: ids, or a filter".to_owned();
            return Err(OperateError::BadRequest { why });
        }
        if self.act == Act::Bounce && context.server.is_none() {
            return Err(OperateError::NoServer);
        }
        let ids = self.ids.iter().map(|text| id(text)).collect::<Result<Vec<QueueId>, _>>()?;
        audit(context, &format!("queue {}: {}", self.act, self.words()));
        let mut acted = Acted::default();
        if !ids.is_empty() {
            let mut items = Vec::new();
            for (id, text) in ids.into_iter().zip(&self.ids) {
                let gone = || OperateError::NoSuchMessage { id: text.clone() };
                items.push(context.store.queue_item(id)?.ok_or_else(gone)?);
            }
            self.on(context, &items, &mut acted)?;
            return Ok(acted);
        }
        let total = Some(context.store.queue_count()?);
        let (mut after, mut done) = (None, 0);
        loop {
            context.go_on()?;
            let page = context.store.queue_list(after, PAGE)?;
            let Some(last) = page.last() else { return Ok(acted) };
            after = Some(last.queue_id);
            done += page.len() as u64;
            let items: Vec<QueueItem> = page.into_iter().filter(|item| self.filter.has(item)).collect();
            self.on(context, &items, &mut acted)?;
            tell(Progress { on: self.act.to_string(), done, total, unit: Unit::Messages });
        }
    }
}

impl ActOn {
    /// For the audit.
    fn words(&self) -> String {
        let Filter { domain, sender, login } = &self.filter;
        let named = [("domain", domain), ("sender", sender), ("login", login)];
        let named = named.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)));
        self.ids.iter().cloned().chain(named).collect::<Vec<_>>().join(", ")
    }

    fn on(&self, context: &Context, items: &[QueueItem], acted: &mut Acted) -> Result<(), OperateError> {
        for item in items {
            let recipients = match self.act {
                Act::Bounce => bounce(context, item)?,
                _ => self.commit(context, item)?,
            };
            acted.messages += u64::from(recipients > 0);
            acted.recipients += recipients;
        }
        let Some(service) = &context.server else { return Ok(()) };
        if matches!(self.act, Act::Retry | Act::Release) {
            let plan = service.tables.plan();
            let recipients = items.iter().flat_map(|item| &item.recipients);
            let there: std::collections::BTreeSet<_> =
                recipients.map(|it| outbound::toward(plan, &it.next_hop, it.forward_path.domain())).collect();
            let revived = service.spool.schedule().revive(|toward| there.contains(toward), clock::unix_s());
            acted.revived += revived as u64;
        }
        service.spool.changed(items.iter().map(|item| item.queue_id));
        Ok(())
    }

    /// One commit for one message; recipients it concerned. A message that ended meanwhile is nobody's any more.
    fn commit(&self, context: &Context, item: &QueueItem) -> Result<u64, OperateError> {
        let _turn = context.server.as_ref().map(|service| service.spool.blocking_turn(item.queue_id));
        let Some(item) = context.store.queue_item(item.queue_id)? else { return Ok(0) };
        let queue_id = item.queue_id;
        let facts: MessageFacts = queue::facts::read(&item.facts);
        let held = |held| {
            // What an operator lets go goes, also where the account it is from is held.
            let facts = queue::facts::written(&MessageFacts { held, let_go: !held, ..facts.clone() });
            Op::Progress { queue_id, facts }
        };
        let due = Op::Reschedule { queue_id, due_at_s: clock::unix_s() };
        let ops = match self.act {
            Act::Hold => vec![held(true)],
            Act::Release => vec![held(false), due],
            Act::Retry => vec![due],
            Act::Bounce => return Ok(0),
            Act::Remove => removed(context, &item),
        };
        match context.store.commit_wait(ops) {
            Ok(_) => Ok(item.recipients.len() as u64),
            Err(CommitError::Refused { why: Refusal::NoSuchQueueItem, .. }) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }
}

fn removed(context: &Context, item: &QueueItem) -> Vec<Op> {
    let loss = |recipient: &store::WaitingRecipient| {
        let about = recipient.forward_path.to_string();
        let service = context.server.as_ref()?;
        service.records.op(Loss::NotDelivered, item.queue_id, &item.reverse_path, about, "removed by an operator")
    };
    let settle = |recipient: &store::WaitingRecipient| Op::Settle {
        queue_id: item.queue_id,
        recipient: recipient.number,
        outcome: Settled::Removed,
    };
    item.recipients.iter().flat_map(|recipient| loss(recipient).into_iter().chain([settle(recipient)])).collect()
}

/// The end of a refusal, with its notification.
fn bounce(context: &Context, item: &QueueItem) -> Result<u64, OperateError> {
    let Some(service) = &context.server else { return Err(OperateError::NoServer) };
    let said = |recipient: &store::WaitingRecipient| match recipient.last_reply.as_str() {
        "" => "returned by an operator".to_owned(),
        last => format!("returned by an operator; the last answer was: {last}"),
    };
    let next = |recipient: &store::WaitingRecipient| {
        let tried = Tried { came: Came::Never, said: said(recipient), status: EnhancedCode(5, 0, 0), remote: None };
        outbound::next(recipient, tried)
    };
    let nexts: Vec<_> = item.recipients.iter().map(next).collect();
    // Handlers run on threads that may block.
    let settled = tokio::runtime::Handle::current().block_on(outbound::settle(service, item.queue_id, &nexts));
    settled.map_err(|_| OperateError::Store { why: "the spool cannot be written, the log says why".to_owned() })?;
    Ok(nexts.len() as u64)
}
