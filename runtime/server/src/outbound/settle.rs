//! What follows a try: the steps of the spool, the notifications, and the one commit of both.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mail::EnhancedCode;
use plan::Loss;
use queue::dsn::{About, Action, Kind};
use queue::{Before, Came, MessageFacts, RecipientFacts, Silence, Step, Told, step};
use store::{CommitError, Op, PutError, QueueId, QueueItem, ReadError, Refusal, Settled, WaitingRecipient};

use super::attempt::{Next, whole};
use super::notify::{self, Of};
use crate::outcome::{Event, Outcome};
use crate::service::Service;
use crate::{clock, compromise, durable, random};

/// A commit that the store could not take is tried again so often: a next hop has the message, and would get it twice.
const COMMITS_MAX: u32 = 60;
/// Between two of these.
const COMMIT_WAIT: Duration = Duration::from_secs(1);
/// A message that came to its end by the plan's `retention.queue`, and the rule's name.
const EXPIRED: (EnhancedCode, &str) = (EnhancedCode(4, 4, 7), "retention.queue");

/// Trouble with the spool itself: it was logged.
#[derive(Debug)]
pub struct Trouble;

impl From<ReadError> for Trouble {
    fn from(error: ReadError) -> Trouble {
        tracing::error!("the spool cannot be read: {error}");
        Trouble
    }
}

impl From<CommitError> for Trouble {
    fn from(error: CommitError) -> Trouble {
        tracing::error!("the spool cannot be written: {error}");
        Trouble
    }
}

impl From<PutError> for Trouble {
    fn from(error: PutError) -> Trouble {
        tracing::error!("a notification cannot be kept: {error}");
        Trouble
    }
}

/// One recipient's transition.
struct Moved<'a> {
    next: &'a Next,
    recipient: &'a WaitingRecipient,
    facts: RecipientFacts,
    step: Step,
}

/// Commits what follows for each of `nexts`. INVARIANT (never-lost): what settles a recipient and what tells of it are one
/// commit. The message may have changed since it was tried, so it is read again; an operator's step waits meanwhile.
pub async fn settle(service: &Arc<Service>, queue_id: QueueId, nexts: &[Next]) -> Result<(), Trouble> {
    let (mut tries, mut untold) = (0, false);
    loop {
        let turn = service.spool.turn(queue_id).await;
        let Some(item) = service.store.queue_item(queue_id)? else { return Ok(()) };
        let facts: MessageFacts = queue::facts::read(&item.facts);
        let mut moved = moved(service, &item, &facts, nexts);
        let mut left = false;
        let told = if untold { Err(Trouble) } else { ops(service, &item, &facts, &moved).await };
        let (ops, queued) = match told {
            Ok(told) => told,
            Err(Trouble) => {
                left = leave_others(&mut moved)?;
                (steps(service, &item, &moved), Vec::new())
            }
        };
        match durable::commit(&service.store, ops).await {
            Ok(_) => {
                drop(turn);
                queued.into_iter().for_each(|id| service.spool.arrived(id));
                moved.iter().for_each(|moved| tell(service, queue_id, moved));
                if let Some(login) = &facts.login {
                    for _ in moved.iter().filter(|moved| moved.is_bounce()) {
                        compromise::bounced(service, login).await;
                    }
                }
                return if left { Err(Trouble) } else { Ok(()) };
            }
            Err(CommitError::Refused { why, .. }) if tries < COMMITS_MAX => {
                tries += 1;
                // The message changed meanwhile; else it is the notification that finds no place.
                untold |= why != Refusal::NoSuchQueueItem;
            }
            Err(error @ (CommitError::Busy | CommitError::Full | CommitError::Failed)) if tries < COMMITS_MAX => {
                tracing::error!(queue_id = %queue_id, "the spool cannot be written, again in a moment: {error}");
                tries += 1;
                untold |= error == CommitError::Full;
                drop(turn);
                tokio::time::sleep(COMMIT_WAIT).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Where nothing can be told now, what arrived is settled without a word of success: it would arrive twice else. The others
/// wait for a later try; true when there are any. An error when nothing arrived.
fn leave_others(moved: &mut Vec<Moved<'_>>) -> Result<bool, Trouble> {
    let all = moved.len();
    moved.retain(|one| matches!(one.step, Step::Delivered { .. }));
    if moved.is_empty() { Err(Trouble) } else { Ok(moved.len() < all) }
}

fn moved<'a>(service: &Service, item: &'a QueueItem, facts: &MessageFacts, nexts: &'a [Next]) -> Vec<Moved<'a>> {
    let plan = service.tables.plan();
    let waiting: BTreeMap<u32, &WaitingRecipient> = item.recipients.iter().map(|it| (it.number, it)).collect();
    let now_s = clock::unix_s();
    let one = |next: &'a Next| {
        let recipient = *waiting.get(&next.number)?;
        let facts_of: RecipientFacts = queue::facts::read(&recipient.facts);
        let before = Before {
            null_reverse_path: item.reverse_path.address().is_none(),
            notify: facts_of.notify,
            delay_told: facts.delay_told,
            attempts: recipient.attempts,
            accepted_at_s: item.accepted_at_s,
            now_s,
        };
        let decided_nothing = matches!(next.tried.came, Came::Later | Came::Unreachable);
        let came = if decided_nothing && service.stopping() { Came::CutShort } else { next.tried.came };
        let spread = u64::from_le_bytes(random::octets());
        let step = step(&before, came, &plan.delivery, plan.retention.queue, spread);
        Some(Moved { next, recipient, facts: facts_of, step })
    };
    nexts.iter().filter_map(one).collect()
}

/// The transitions, without what tells of them.
fn steps(service: &Service, item: &QueueItem, moved: &[Moved<'_>]) -> Vec<Op> {
    moved.iter().flat_map(|one| one.next.with.iter().cloned().chain(one.ops(service, item))).collect()
}

/// The ops of one commit, and the notifications that are in the spool after it.
async fn ops(
    service: &Arc<Service>,
    item: &QueueItem,
    facts: &MessageFacts,
    moved: &[Moved<'_>],
) -> Result<(Vec<Op>, Vec<QueueId>), Trouble> {
    let mut ops = steps(service, item, moved);
    let mut told: BTreeMap<u8, (Kind, Vec<About<'_>>)> = BTreeMap::new();
    for (kind, about) in moved.iter().filter_map(Moved::about) {
        told.entry(kind as u8).or_insert_with(|| (kind, Vec::new())).1.push(about);
    }
    if told.is_empty() {
        return Ok((ops, Vec::new()));
    }
    let content = whole(service, item).await.unwrap_or_default();
    let of = Of { reverse_path: &item.reverse_path, accepted_at_s: item.accepted_at_s, facts, content: &content };
    let mut queued = Vec::new();
    for (kind, about) in told.into_values() {
        let notice = notify::notice(service, &of, kind, &about).await?;
        ops.extend(notice.ops);
        queued.extend(notice.queued);
        if kind == Kind::Delay {
            let facts = MessageFacts { delay_told: true, ..facts.clone() };
            // Before the last recipient can take the message along.
            ops.insert(0, Op::Progress { queue_id: item.queue_id, facts: queue::facts::written(&facts) });
        }
    }
    Ok((ops, queued))
}

impl<'a> Moved<'a> {
    fn ops(&self, service: &Service, item: &QueueItem) -> Vec<Op> {
        let (queue_id, recipient, tried) = (item.queue_id, self.recipient.number, &self.next.tried);
        match self.step {
            Step::Delivered { .. } => vec![Op::Settle { queue_id, recipient, outcome: Settled::Delivered }],
            Step::Wait { due_at_s, .. } => {
                let reply = tried.said.clone();
                vec![Op::Attempt { queue_id, recipient, at_s: clock::unix_s(), due_at_s, reply }]
            }
            Step::Failed { told, expired } => {
                let silence = match told {
                    Told::Dsn => String::new(),
                    Told::Silent(silence) => format!(" ({})", Silence::word(silence)),
                };
                let expired = if expired { "expired; " } else { "" };
                let reason = format!("{expired}{}{silence}", tried.said);
                let about = self.recipient.forward_path.to_string();
                let loss = service.records.op(Loss::NotDelivered, queue_id, &item.reverse_path, about, &reason);
                let settle = Op::Settle { queue_id, recipient, outcome: Settled::Failed };
                loss.into_iter().chain([settle]).collect()
            }
        }
    }

    /// Was it refused for good by whom it was for? What expired, or an operator returned, says nothing of the address.
    fn is_bounce(&self) -> bool {
        matches!(self.step, Step::Failed { expired: false, .. }) && self.next.tried.remote.is_some()
    }

    /// What its sender is told, if anything.
    fn about(&'a self) -> Option<(Kind, About<'a>)> {
        let tried = &self.next.tried;
        let (kind, action, status, rule) = match self.step {
            Step::Delivered { tell: true } if tried.came == Came::Placed => {
                (Kind::Success, Action::Delivered, EnhancedCode(2, 1, 5), "")
            }
            Step::Delivered { tell: true } => (Kind::Success, Action::Relayed, EnhancedCode(2, 1, 9), ""),
            Step::Wait { warn: true, .. } => (Kind::Delay, Action::Delayed, tried.status, ""),
            Step::Failed { told: Told::Dsn, expired: true } => (Kind::Failure, Action::Failed, EXPIRED.0, EXPIRED.1),
            Step::Failed { told: Told::Dsn, expired: false } => (Kind::Failure, Action::Failed, tried.status, ""),
            Step::Delivered { tell: false }
            | Step::Wait { warn: false, .. }
            | Step::Failed { told: Told::Silent(_), .. } => return None,
        };
        let about = About {
            recipient: self.facts.behind.as_ref().unwrap_or(&self.recipient.forward_path),
            facts: &self.facts,
            action,
            status,
            remote: tried.remote.as_deref(),
            said: &tried.said,
            rule,
            last_attempt_s: Some(clock::unix_s()),
        };
        Some((kind, about))
    }

    /// How it is logged, and the label of `facteur_outbound_total`.
    fn told_as(&self) -> (Event, &'static str) {
        match self.step {
            Step::Delivered { .. } => (self.next.event, self.next.result),
            Step::Wait { .. } if self.next.tried.came == Came::Blocked => (Event::Deferred, "blocked"),
            Step::Wait { .. } => (Event::Deferred, "deferred"),
            Step::Failed { expired: true, .. } => (Event::NotDelivered, "expired"),
            Step::Failed { expired: false, .. } => (Event::NotDelivered, "refused"),
        }
    }
}

fn tell(service: &Service, queue_id: QueueId, moved: &Moved<'_>) {
    let (event, result) = moved.told_as();
    service.metrics.outbound.with_label_values(&[result]).inc();
    let status = moved.next.tried.status;
    let hop = service.spool.hop_name(&moved.recipient.next_hop, moved.next.tried.remote.as_deref());
    service.metrics.outbound_statuses.with_label_values(&[&hop, subject(status)]).inc();
    service.outcome(Outcome::done(event, &moved.next.about).of(queue_id).saying(&moved.next.tried.said));
    if let Step::Failed { told: Told::Dsn, .. } | Step::Wait { warn: true, .. } = moved.step {
        service.metrics.notifications.inc();
    }
}

/// Class and subject of a status, from RFC 3463's list.
fn subject(status: EnhancedCode) -> &'static str {
    const NAMES: [[&str; 8]; 3] = [
        ["2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7"],
        ["4.0", "4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7"],
        ["5.0", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6", "5.7"],
    ];
    let class = match status.0 {
        2 => 0,
        4 => 1,
        _ => 2,
    };
    NAMES[class].get(usize::from(status.1)).copied().unwrap_or(NAMES[class][0])
}

#[cfg(test)]
mod tests {
    use mail::Address;
    use queue::Tried;
    use store::NextHop;

    use super::*;
    use crate::outbound::attempt;

    #[test]
    fn where_nothing_can_be_told_what_arrived_is_settled_and_nothing_else() {
        let address: Address = "a@elsewhere.example".parse().unwrap();
        let (said, remote) = (String::new(), None);
        let recipient = WaitingRecipient {
            number: 0,
            forward_path: address,
            next_hop: NextHop::Mx,
            due_at_s: 0,
            attempts: 0,
            last_reply: String::new(),
            facts: Vec::new(),
        };
        let tried = Tried { came: Came::Later, said, status: EnhancedCode(4, 0, 0), remote };
        let next = attempt::next(&recipient, tried);
        let (failed, waits) =
            (Step::Failed { expired: false, told: Told::Dsn }, Step::Wait { due_at_s: 1, warn: true });
        let arrived = Step::Delivered { tell: true };
        let cases = [
            (&[arrived, failed, waits][..], Some((1, true))),
            (&[arrived, arrived], Some((2, false))),
            (&[failed, waits], None),
        ];
        for (steps, expected) in cases {
            let moved = |step: &Step| Moved {
                next: &next,
                recipient: &recipient,
                facts: RecipientFacts::default(),
                step: *step,
            };
            let mut all: Vec<_> = steps.iter().map(moved).collect();
            let left = leave_others(&mut all);
            assert_eq!(left.ok().map(|left| (all.len(), left)), expected, "{steps:?}");
            assert!(all.iter().all(|one| one.step == arrived));
        }
    }
}
