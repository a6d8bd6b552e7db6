//! What a message becomes besides the copies of its own transaction: copies that go on because people here asked for it,
//! and mail for an address that many are behind, which is spread over their mailboxes from the spool.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use decide::{Block, Refusal};
use mail::header;
use queue::Route;
use queue::facts::{self, MessageFacts, RecipientFacts};
use store::{Enqueue, NextHop, Op, QueueId, QueueRecipient};

use super::accept::{self, Ending, Share};
use super::transaction::Recipient;
use crate::directory::Forward;
use crate::service::Service;
use crate::spam::{self, Shape};
use crate::{clock, random, signing};

/// Mailboxes one commit delivers to when a message is spread: few enough that nobody waits long behind it.
pub(crate) const SPREAD_AT_ONCE: usize = 16;

/// The ops that put these copies into the spool, with the ids they have there.
/// `seen` are addresses that have their copy already.
pub(super) async fn ops(
    service: &Arc<Service>,
    message: &Share<'_>,
    seen: &mut BTreeSet<String>,
) -> Result<Vec<(QueueId, Op)>, Refusal> {
    let mut ops = Vec::new();
    ops.extend(forwarded(service, message, seen).await?);
    ops.extend(spread(service, message).await?);
    Ok(ops)
}

/// One message for all who asked for it: sealed, and under a reverse-path of ours, so that its next hops can believe it.
async fn forwarded(
    service: &Arc<Service>,
    message: &Share<'_>,
    seen: &mut BTreeSet<String>,
) -> Result<Option<(QueueId, Op)>, Refusal> {
    let recipients = message.recipients.iter().copied();
    let forwards = recipients.flat_map(|recipient| recipient.found.forwards.iter().map(move |it| (it, recipient)));
    let forwards: Vec<(&Forward, &Recipient)> = forwards.filter(|(it, _)| seen.insert(it.to.folded())).collect();
    if forwards.is_empty() {
        return Ok(None);
    }
    let mut front = String::new();
    for (forward, _) in &forwards {
        // RFC 9228 4: who has had it does not get it again.
        if has_had_it(message.start, &forward.behind.to_string()) {
            return Err(decide::runs_in_a_circle());
        }
        let _ = write!(front, "Delivered-To: {}\r\n", forward.behind);
        tracing::info!(queue_id = %message.open.queue_id, to = %forward.to, rule = forward.rule, "goes on");
    }
    let id = QueueId(random::timed_id(clock::unix_ms()));
    let facts = MessageFacts { forwarded: true, ..super::facts::of_message(service, message.session, message.open) };
    let mut head = front.into_bytes();
    let Shape { lines, content } = message.away;
    head.extend(accept::head(service, message.session, message.open, message.start, lines, Ending::Relayed));
    let signed = match message.session.block {
        Block::Send(_) => signing::head(service, &head, content).await,
        Block::Receive(_) | Block::Read(_) => signing::forwarded_head(service, &facts, &head, content).await,
    };
    head.splice(0..0, signed);
    let (body, _) = accept::put(service, message.open, content, head, false).await?;
    let recipients = forwards.iter().map(|(forward, recipient)| QueueRecipient {
        forward_path: forward.to.clone(),
        next_hop: Route::Remote.next_hop(),
        due_at_s: message.at_s,
        facts: super::facts::of_recipient(recipient, &forward.to),
    });
    let enqueue = Enqueue {
        queue_id: id,
        body,
        reverse_path: service.directory.goes_on_under(&service.tables, &message.open.reverse_path, message.at_s),
        recipients: recipients.collect(),
        plan: service.plan_full.clone(),
        accepted_at_s: message.at_s,
        facts: facts::written(&facts),
    };
    Ok(Some((id, Op::Enqueue(Box::new(enqueue)))))
}

/// Does a Delivered-To field name this address?
fn has_had_it(start: &[u8], address: &str) -> bool {
    let mut fields = header::fields(start).filter(|field| field.is("delivered-to"));
    fields.any(|field| field.text().trim().eq_ignore_ascii_case(address))
}

/// One message for all addresses that many are behind: `outbound::local` spreads it.
///
/// Where copies that leave the house are no different it is marked already; else each part marks what stays.
async fn spread(service: &Arc<Service>, message: &Share<'_>) -> Result<Option<(QueueId, Op)>, Refusal> {
    let many = |recipient: &Recipient| {
        let members = recipient.found.many?;
        let parts = members.div_ceil(SPREAD_AT_ONCE).min(1 << 15);
        Some(QueueRecipient {
            forward_path: recipient.found.address.clone(),
            next_hop: NextHop::Local,
            due_at_s: message.at_s,
            facts: facts::written(&RecipientFacts {
                notify: recipient.parameters.notify,
                orcpt: recipient.parameters.orcpt.clone(),
                parts: parts as u16,
                ..RecipientFacts::default()
            }),
        })
    };
    let recipients: Vec<QueueRecipient> = message.recipients.iter().copied().filter_map(many).collect();
    if recipients.is_empty() {
        return Ok(None);
    }
    let id = QueueId(random::timed_id(clock::unix_ms()));
    let Shape { lines, content } = message.away;
    let head = accept::head(service, message.session, message.open, message.start, lines, Ending::Relayed);
    let (body, _) = accept::put(service, message.open, content, head, false).await?;
    let mut facts = super::facts::of_message(service, message.session, message.open);
    if !message.is_alike() {
        (facts.spam_fields, facts.spam_tagged) = spam::kept(service, message.open);
    }
    let enqueue = Enqueue {
        queue_id: id,
        body,
        reverse_path: message.open.reverse_path.clone(),
        recipients,
        plan: service.plan_full.clone(),
        accepted_at_s: message.at_s,
        facts: facts::written(&facts),
    };
    Ok(Some((id, Op::Enqueue(Box::new(enqueue)))))
}
