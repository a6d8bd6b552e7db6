//! Copies that go on because a person here asked for it: sealed (RFC 8617), and under a reverse-path of ours (SRS), so that
//! what comes back finds the sender.

use std::collections::BTreeSet;
use std::sync::Arc;

use decide::{Block, Refusal};
use queue::facts::{MessageFacts, RecipientFacts, written};
use queue::{Route, srs};
use store::{Enqueue, Op, QueueId, QueueRecipient};

use super::accept::{Ending, Session, head, put};
use super::facts;
use super::transaction::{Open, Recipient};
use crate::content::Content;
use crate::service::Service;
use crate::{clock, random, signing};

/// The copies as one message of the spool, each address once; nothing where nobody behind the recipients asked for one.
pub(super) async fn queued(
    service: &Arc<Service>,
    session: &Session<'_>,
    open: &Open,
    content: &Arc<Content>,
    start: &[u8],
    at_s: i64,
) -> Result<Option<(QueueId, Op)>, Refusal> {
    let recipients = recipients(open, at_s);
    if recipients.is_empty() {
        return Ok(None);
    }
    let facts = MessageFacts { forwarded: true, ..facts::of_session(service, session, open) };
    let mut front = head(service, session, open, start, Ending::Relayed);
    let signed = match session.block {
        Block::Send(_) => signing::head(service, &front, content).await,
        Block::Receive(_) | Block::Read(_) => signing::forwarded_head(service, &facts, &front, content).await,
    };
    front.splice(0..0, signed);
    let (body, _) = put(service, open, content, front, false).await?;
    let ours = &service.tables.plan().institution.domain;
    let rewritten = service.directory.srs().forward(&open.reverse_path, ours, at_s);
    let reverse_path = rewritten.unwrap_or_else(|srs::TooLong| {
        tracing::warn!(queue_id = %open.queue_id, "goes on under the sender's own path: rewritten it is too long");
        open.reverse_path.clone()
    });
    let queue_id = QueueId(random::timed_id(clock::unix_ms()));
    tracing::info!(queue_id = %open.queue_id, as_ = %queue_id, "goes on by redirect");
    let enqueue = Enqueue {
        queue_id,
        body,
        reverse_path,
        recipients,
        plan: service.plan_full.clone(),
        accepted_at_s: at_s,
        facts: written(&facts),
    };
    Ok(Some((queue_id, Op::Enqueue(Box::new(enqueue)))))
}

fn recipients(open: &Open, at_s: i64) -> Vec<QueueRecipient> {
    let mut seen = BTreeSet::new();
    let forwards = open.recipients.iter().flat_map(|it| it.found.forwards.iter().map(move |forward| (it, forward)));
    forwards
        .filter(|(_, forward)| seen.insert(forward.to.folded()))
        .map(|(recipient, forward)| QueueRecipient {
            forward_path: forward.to.clone(),
            next_hop: Route::Remote.next_hop(),
            due_at_s: at_s,
            facts: written(&RecipientFacts { behind: Some(forward.behind.clone()), ..asked(recipient) }),
        })
        .collect()
}

/// What the client asked of delivery. Where a mailbox here has the message, its success was told already.
fn asked(recipient: &Recipient) -> RecipientFacts {
    let mut notify = recipient.parameters.notify;
    if let (Some(notify), false) = (&mut notify, recipient.found.logins.is_empty()) {
        notify.success = false;
    }
    RecipientFacts { notify, orcpt: recipient.parameters.orcpt.clone(), behind: None }
}
