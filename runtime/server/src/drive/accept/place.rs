//! Where a message goes that passed every step: mailboxes and spool, in one commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use decide::{Block, ContentDirection, Reason, Refusal};
use mail::{Address, Flags};
use queue::Route;
use store::{Deliver, Enqueue, InternalDate, Op, PutError, QueueId, QueueRecipient, Target};

use super::Session;
use super::antispam::is_spared;
use super::body::{Ending, head, put, put_trouble, trouble};
use super::reading::Reading;
use crate::content::Content;
use crate::drive::transaction::{Open, Recipient};
use crate::drive::{facts, onward, success};
use crate::service::Service;
use crate::spam::{Shape, Shapes};
use crate::{clock, durable, left, random, reports, scan, signing, standing, teaching};

/// Recipients whose copies are alike, with all that their copies are made from.
pub struct Share<'a> {
    pub session: &'a Session<'a>,
    pub open: &'a Open,
    pub recipients: Vec<&'a Recipient>,
    /// What stays, and what leaves the house.
    pub here: &'a Shape,
    pub away: &'a Shape,
    /// As much of the content's beginning as holds its header.
    pub start: &'a [u8],
    pub at_s: i64,
    /// What a delivered copy can be found by, of the message without our tag.
    pub marks: &'a [u64],
}

/// What the commit gets, and who is in it already: nobody gets two copies because two of the recipients lead there.
#[derive(Default)]
struct Placed {
    /// The message's own id, which the first delivery and the first message in the spool have; others get new ones.
    of_delivery: Option<QueueId>,
    of_spool: Option<QueueId>,
    ops: Vec<Op>,
    queued: Vec<QueueId>,
    logins: BTreeSet<String>,
    away: BTreeSet<(String, String)>,
    forwards: BTreeSet<String>,
}

/// Mailboxes and spool in one commit.
pub async fn place(
    service: &Arc<Service>,
    session: &Session<'_>,
    open: &Open,
    content: &Arc<Content>,
    start: &[u8],
    read: &Reading,
) -> Result<(), Refusal> {
    // INVARIANT (never-lost): no 250 for a recipient nothing of this commit is for.
    if open.recipients.iter().any(|recipient| recipient.found.leads_nowhere()) {
        return Err(put_trouble(PutError::Poisoned));
    }
    let at_s = clock::unix_s();
    let shapes = Shapes::of(service, open.judgement.as_ref(), open.authenticated.tagged, content, start);
    let (spared, others): (Vec<_>, Vec<_>) =
        open.recipients.iter().partition(|recipient| shapes.is_marked() && is_spared(service, recipient));
    let own = Some(open.queue_id);
    let mut placed = Placed { of_delivery: own, of_spool: own, ..Placed::default() };
    let plain = &shapes.plain;
    for (recipients, here, away) in [(others, &shapes.here, shapes.away()), (spared, plain, plain)] {
        if !recipients.is_empty() {
            let share = Share { session, open, recipients, here, away, start, at_s, marks: &read.marks };
            placed.take(service, &share).await?;
        }
    }
    let Placed { mut ops, queued, .. } = placed;
    ops.extend(left::ops(&ops, &read.marks));
    ops.extend(left_out(service, open));
    let direction = ContentDirection::of(session.block, session.client.account.is_some());
    ops.extend(scan::rescan::marks(&ops, &open.owed_scans, direction, &open.reverse_path, at_s));
    let notice = success::notice(service, open, start, at_s).await.map_err(put_trouble)?;
    ops.extend(notice.ops);
    let replies = standing::replies(service, open, start).await.map_err(put_trouble)?;
    let (replied, reply_ops): (Vec<_>, Vec<_>) = replies.into_iter().map(|reply| (reply.queued, reply.ops)).unzip();
    ops.extend(reply_ops.into_iter().flatten());
    let reported = teaching::mark(service, session, open, start, at_s);
    let is_report = reported.is_some();
    ops.extend(reported);
    durable::commit(&service.store, ops).await.map_err(trouble)?;
    if is_report {
        service.teaching.arrived();
    }
    queued
        .into_iter()
        .chain(notice.queued)
        .chain(replied.into_iter().flatten())
        .for_each(|id| service.spool.arrived(id));
    let kept = open.recipients.iter().filter(|recipient| !recipient.found.logins.is_empty());
    let kept: Vec<&Address> = kept.map(|recipient| &recipient.forward_path).collect();
    reports::take(service, &kept, content, &open.authenticated.results);
    Ok(())
}

impl Placed {
    async fn take(&mut self, service: &Arc<Service>, share: &Share<'_>) -> Result<(), Refusal> {
        self.delivered(service, share).await?;
        let away = self.away(share);
        // Copies that stay with us in another house are as those in mailboxes.
        let (home, remote): (Vec<_>, Vec<_>) = away.into_iter().partition(|(_, stays)| *stays || share.is_alike());
        for (recipients, shape) in [(home, share.here), (remote, share.away)] {
            let recipients: Vec<QueueRecipient> = recipients.into_iter().map(|(recipient, _)| recipient).collect();
            if !recipients.is_empty() {
                self.enqueued(service, share, recipients, shape).await?;
            }
        }
        let (queued, ops): (Vec<_>, Vec<_>) =
            onward::ops(service, share, &mut self.forwards).await?.into_iter().unzip();
        self.queued.extend(queued);
        self.ops.extend(ops);
        Ok(())
    }

    async fn delivered(&mut self, service: &Arc<Service>, share: &Share<'_>) -> Result<(), Refusal> {
        let logins = share.recipients.iter().flat_map(|recipient| recipient.found.logins.iter());
        let new = logins.filter(|login| self.logins.insert(login.to_string()));
        let recipients: Vec<_> = new.map(|login| (login.clone(), Target::Inbox)).collect();
        if recipients.is_empty() {
            return Ok(());
        }
        let Share { session, open, here, .. } = share;
        let head = head(service, session, open, share.start, &here.lines, Ending::Delivered);
        let (body, summary) = put(service, open, &here.content, head, true).await?;
        let id = own_or_new(&mut self.of_delivery);
        self.ops.push(Op::Deliver(Box::new(Deliver {
            delivery_id: id.0,
            recipients,
            body,
            summary,
            internal_date: InternalDate { seconds: share.at_s, offset_minutes: 0 },
            flags: Flags::default(),
            marks: share.marks.to_vec(),
        })));
        Ok(())
    }

    async fn enqueued(
        &mut self,
        service: &Arc<Service>,
        share: &Share<'_>,
        recipients: Vec<QueueRecipient>,
        shape: &Shape,
    ) -> Result<(), Refusal> {
        let Share { session, open, .. } = share;
        let mut head = head(service, session, open, share.start, &shape.lines, Ending::Relayed);
        // INVARIANT (no-vouching): mail that came in is not ours to sign.
        if matches!(session.block, Block::Send(_)) {
            head.splice(0..0, signing::head(service, &head, &shape.content).await);
        }
        let (body, _) = put(service, open, &shape.content, head, false).await?;
        let queue_id = own_or_new(&mut self.of_spool);
        self.ops.push(Op::Enqueue(Box::new(Enqueue {
            queue_id,
            body,
            reverse_path: open.reverse_path.clone(),
            recipients,
            plan: service.plan_full.clone(),
            accepted_at_s: share.at_s,
            facts: queue::facts::written(&facts::of_message(service, session, open)),
        })));
        self.queued.push(queue_id);
        Ok(())
    }

    /// Copies that leave this machine, each address once, and whether each stays in the house: at the mail store behind us, or
    /// at a home of our people.
    fn away(&mut self, share: &Share<'_>) -> Vec<(QueueRecipient, bool)> {
        let of = |recipient: &&Recipient| -> Vec<_> {
            let away = recipient.found.away.iter();
            away.map(|(address, route)| (address.clone(), route.clone(), facts::of_recipient(recipient, address)))
                .collect()
        };
        let away = share.recipients.iter().flat_map(of);
        away.filter(|(address, route, _)| self.away.insert((address.folded(), route.to_string())))
            .map(|(forward_path, route, facts)| {
                let stays = matches!(route, Route::Held | Route::Home(_));
                let next_hop = route.next_hop();
                (QueueRecipient { forward_path, next_hop, due_at_s: share.at_s, facts }, stays)
            })
            .collect()
    }
}

fn own_or_new(own: &mut Option<QueueId>) -> QueueId {
    own.take().unwrap_or_else(|| QueueId(random::timed_id(clock::unix_ms())))
}

impl Share<'_> {
    /// Is what leaves the house as what stays?
    pub fn is_alike(&self) -> bool {
        std::ptr::eq(self.here, self.away)
    }
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
