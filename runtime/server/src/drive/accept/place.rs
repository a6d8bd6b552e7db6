//! Where a message goes that passed every step: mailboxes and spool, in one commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use decide::{Block, Reason, Refusal};
use mail::{Address, Flags};
use store::{Deliver, Enqueue, InternalDate, Op, PutError, QueueRecipient, Target};

use super::Session;
use super::body::{Ending, head, put, put_trouble, trouble};
use crate::content::Content;
use crate::drive::transaction::Open;
use crate::drive::{facts, onward, success};
use crate::service::Service;
use crate::{clock, durable, reports, signing, teaching};

/// Mailboxes and spool in one commit.
pub async fn place(
    service: &Arc<Service>,
    session: &Session<'_>,
    open: &Open,
    content: &Arc<Content>,
    start: &[u8],
) -> Result<(), Refusal> {
    // INVARIANT (never-lost): no 250 for a recipient nothing of this commit is for.
    if open.recipients.iter().any(|recipient| recipient.found.leads_nowhere()) {
        return Err(put_trouble(PutError::Poisoned));
    }
    let mut ops = Vec::new();
    let at_s = clock::unix_s();
    let logins = open.recipients.iter().flat_map(|recipient| recipient.found.logins.iter());
    let recipients: Vec<_> = logins.map(|login| (login.clone(), Target::Inbox)).collect();
    if !recipients.is_empty() {
        let head = head(service, session, open, start, Ending::Delivered);
        let (body, summary) = put(service, open, content, head, true).await?;
        ops.push(Op::Deliver(Box::new(Deliver {
            delivery_id: open.queue_id.0,
            recipients,
            body,
            summary,
            internal_date: InternalDate { seconds: at_s, offset_minutes: 0 },
            flags: Flags::default(),
            marks: Vec::new(),
        })));
    }
    let recipients = away(open, at_s);
    let queued = !recipients.is_empty();
    if queued {
        let mut head = head(service, session, open, start, Ending::Relayed);
        // INVARIANT (no-vouching): mail that came in is not ours to sign.
        if matches!(session.block, Block::Send(_)) {
            head.splice(0..0, signing::head(service, &head, content).await);
        }
        let (body, _) = put(service, open, content, head, false).await?;
        ops.push(Op::Enqueue(Box::new(Enqueue {
            queue_id: open.queue_id,
            body,
            reverse_path: open.reverse_path.clone(),
            recipients,
            plan: service.plan_full.clone(),
            accepted_at_s: at_s,
            facts: queue::facts::written(&facts::of_message(service, session, open)),
        })));
    }
    let message = onward::Message { session, open, content, start, at_s };
    let onward = onward::ops(service, &message).await?;
    let (onward, more): (Vec<_>, Vec<_>) = onward.into_iter().unzip();
    ops.extend(more);
    ops.extend(left_out(service, open));
    let notice = success::notice(service, open, start, at_s).await.map_err(put_trouble)?;
    ops.extend(notice.ops);
    let reported = teaching::mark(service, session, open, start, at_s);
    let is_report = reported.is_some();
    ops.extend(reported);
    durable::commit(&service.store, ops).await.map_err(trouble)?;
    if is_report {
        service.teaching.arrived();
    }
    let arrived = queued.then_some(open.queue_id).into_iter().chain(notice.queued).chain(onward);
    arrived.for_each(|id| service.spool.arrived(id));
    let kept = open.recipients.iter().filter(|recipient| !recipient.found.logins.is_empty());
    let kept: Vec<&Address> = kept.map(|recipient| &recipient.forward_path).collect();
    reports::take(service, &kept, content, &open.authenticated.results);
    Ok(())
}

/// Loss records of members whose mailbox is full while others behind the same address take the message.
fn left_out(service: &Service, open: &Open) -> Vec<Op> {
    let logins: BTreeSet<_> = open.recipients.iter().flat_map(|recipient| &recipient.found.logins).collect();
    let mut left_out: BTreeMap<_, _> =
        open.recipients.iter().flat_map(|r| &r.found.left_out).map(|(l, a)| (l, a)).collect();
    // Who gets it by another of its recipients loses nothing.
    left_out.retain(|login, _| !logins.contains(login));
    let word = Reason::MailboxFull.word();
    let record = |address: &Address| {
        service.records.op(plan::Loss::QuotaFull, open.queue_id, &open.reverse_path, address.to_string(), word)
    };
    left_out.into_values().filter_map(record).collect()
}

/// Copies that leave this machine, each address once.
fn away(open: &Open, at_s: i64) -> Vec<QueueRecipient> {
    let mut seen = BTreeSet::new();
    let away = open.recipients.iter().flat_map(|recipient| recipient.found.away.iter().map(move |it| (it, recipient)));
    away.map(|((address, route), recipient)| (address, route, facts::of_recipient(recipient, address)))
        .filter(|(address, route, _)| seen.insert((address.folded(), route.to_string())))
        .map(|(address, route, facts)| QueueRecipient {
            forward_path: address.clone(),
            next_hop: route.next_hop(),
            due_at_s: at_s,
            facts,
        })
        .collect()
}
