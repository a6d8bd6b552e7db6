//! Sends a notification: into the mailbox of one of our people, or on its way through the spool; always as part of the
//! commit that settles what it tells of.

use std::sync::Arc;

use decide::RecipientClass;
use mail::{Address, Flags, ReversePath};
use plan::Loss;
use queue::dsn::{self, About, Kind, Notification};
use queue::{MessageFacts, Route, end_s};
use store::{Deliver, Enqueue, InternalDate, Op, PutError, QueueId, QueueRecipient, RecordEnvelope, Target};

use crate::service::Service;
use crate::{clock, durable, random, trace};

/// What goes into the commit, and the message that is in the spool afterwards.
#[derive(Default)]
pub struct Notice {
    pub ops: Vec<Op>,
    pub queued: Option<QueueId>,
}

/// The message a notification tells of.
#[derive(Clone, Copy, Debug)]
pub struct Of<'a> {
    pub reverse_path: &'a ReversePath,
    /// Unix seconds.
    pub accepted_at_s: i64,
    pub facts: &'a MessageFacts,
    /// All of it, or its beginning where only the header comes back.
    pub content: &'a [u8],
}

/// Writes the notification on `about`. Nothing for a null reverse-path, to which none is due. An error is trouble with the
/// store: nothing may be settled then.
pub async fn notice(service: &Arc<Service>, of: &Of<'_>, kind: Kind, about: &[About<'_>]) -> Result<Notice, PutError> {
    let ReversePath::Address(to) = of.reverse_path else { return Ok(Notice::default()) };
    let id = QueueId(random::timed_id(clock::unix_ms()));
    let plan = service.tables.plan();
    let at_s = clock::unix_s();
    let octets = dsn::write(&Notification {
        kind,
        language: plan.institution.pages,
        institution: &plan.institution.name,
        contact: &plan.institution.contact,
        reporting_mta: &plan.institution.domain,
        to,
        id: &id.to_string(),
        at_s,
        accepted_at_s: of.accepted_at_s,
        will_retry_until_s: end_s(plan.retention.queue, of.accepted_at_s),
        message: of.facts,
        content: of.content,
        about,
    });
    let keep = service.clone();
    let to = to.clone();
    let found = durable::blocking(move || place(&keep, id, &to, octets, at_s)).await;
    found.unwrap_or(Err(PutError::Poisoned))
}

/// A message of ours that nobody answers, under a null reverse-path.
pub async fn to(service: &Arc<Service>, to: &Address, octets: Vec<u8>) -> Result<Notice, PutError> {
    let (keep, to) = (service.clone(), to.clone());
    let id = QueueId(random::timed_id(clock::unix_ms()));
    let found = durable::blocking(move || place(&keep, id, &to, octets, clock::unix_s())).await;
    found.unwrap_or(Err(PutError::Poisoned))
}

fn place(service: &Service, id: QueueId, to: &Address, octets: Vec<u8>, at_s: i64) -> Result<Notice, PutError> {
    let found = service.directory.find(&service.tables, &service.store, &ReversePath::Null, to, 0);
    if found.class == RecipientClass::Unsure && found.leads_nowhere() {
        return Err(PutError::Poisoned);
    }
    // A mailbox that is full takes it: nobody else could be told.
    let logins = found.logins.iter().chain(found.left_out.iter().map(|(login, _)| login));
    let recipients: Vec<_> = logins.map(|login| (login.clone(), Target::Inbox)).collect();
    let envelope = RecordEnvelope {
        delivery_id: id.0,
        reverse_path: Some(ReversePath::Null),
        recipients: vec![to.clone()],
        accepted_at_s: at_s,
    };
    let mut notice = Notice::default();
    if !recipients.is_empty() {
        let mut head = String::new();
        trace::return_path(&ReversePath::Null, &mut head);
        let whole = [head.as_bytes(), &octets].concat();
        let body = service.store.put_body_for(&envelope, b"", &[&whole])?;
        notice.ops.push(Op::Deliver(Box::new(Deliver {
            delivery_id: id.0,
            recipients,
            body,
            summary: crate::drive::summary(&whole),
            internal_date: InternalDate { seconds: at_s, offset_minutes: 0 },
            flags: Flags::default(),
            marks: Vec::new(),
        })));
    }
    let away: Vec<(Address, Route)> = found.copies_away().collect();
    if !away.is_empty() {
        let body = service.store.put_body_for(&envelope, b"", &[&octets])?;
        let facts = MessageFacts { smtputf8: to.needs_utf8(), source: "usual".to_owned(), ..MessageFacts::default() };
        let recipient = |(forward_path, route): &(Address, Route)| QueueRecipient {
            forward_path: forward_path.clone(),
            next_hop: route.next_hop(),
            due_at_s: at_s,
            facts: Vec::new(),
        };
        notice.ops.push(Op::Enqueue(Box::new(Enqueue {
            queue_id: id,
            body,
            reverse_path: ReversePath::Null,
            recipients: away.iter().map(recipient).collect(),
            plan: service.plan_full.clone(),
            accepted_at_s: at_s,
            facts: queue::facts::written(&facts),
        })));
        notice.queued = Some(id);
    }
    if notice.ops.is_empty() {
        let why = "the sender who should be told is not known here";
        notice.ops.extend(service.records.op(Loss::NotDelivered, id, &ReversePath::Null, to.to_string(), why));
    }
    Ok(notice)
}
