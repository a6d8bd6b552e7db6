//! A message that ends before it is placed.

use std::sync::Arc;

use decide::{Fate, Refusal};
use store::{BodyRef, Op, PutError, Quarantined};

use super::body::{Ending, head, put, put_trouble, trouble};
use super::{HEADER_OCTETS_MAX, Session};
use crate::content::Content;
use crate::drive::transaction::Open;
use crate::outcome::{Event, Outcome};
use crate::service::Service;
use crate::{clock, durable};

/// A message a scanner stopped: quarantine and loss records in one commit, then the reply the plan wants.
pub async fn stopped(
    service: &Arc<Service>,
    session: &Session<'_>,
    open: Open,
    content: Arc<Content>,
    fate: Fate,
    accepted: bool,
) -> Result<String, Refusal> {
    // INVARIANT (accept-is-final): the plan's steps put no refusal behind `Accept`; should one, the message is kept.
    let refusal = fate.refusal.clone().filter(|_| !accepted);
    let quarantine = fate.quarantine || (accepted && fate.refusal.is_some());
    let mut ops = Vec::new();
    if quarantine {
        let start = content.start(HEADER_OCTETS_MAX).map_err(|error| put_trouble(PutError::Io(error)))?;
        let head = head(service, session, &open, &start, b"", Ending::Relayed);
        let (body, _) = put(service, &open, &content, head, false).await?;
        ops.push(Op::Quarantine(Box::new(quarantined(&open, &fate, body))));
    }
    if quarantine || refusal.as_ref().is_none_or(|refusal| !refusal.code.is_temporary()) {
        let word = fate.reason.word();
        let recipients = open.recipients.iter().map(|recipient| recipient.forward_path.to_string());
        ops.extend(
            recipients.filter_map(|r| service.records.op(fate.loss, open.queue_id, &open.reverse_path, r, word)),
        );
    }
    if !ops.is_empty() {
        durable::commit(&service.store, ops).await.map_err(trouble)?;
    }
    if quarantine {
        service.metrics.quarantined.inc();
        let outcome = Outcome::done(Event::Quarantined, &open.reverse_path).of(open.queue_id).from_peer(session.peer);
        service.outcome(Outcome { reason: Some(fate.reason), rule: fate.rule.clone(), ..outcome });
        tracing::info!(queue_id = %open.queue_id, found = fate.found, tell = ?fate.tell, "quarantined");
    }
    match refusal {
        Some(refusal) => Err(refusal),
        None => {
            let id = open.queue_id;
            open.accepted();
            // The very words of a delivery: who sends viruses learns nothing.
            Ok(format!("OK, kept as {id}"))
        }
    }
}

fn quarantined(open: &Open, fate: &Fate, body: BodyRef) -> Quarantined {
    let (engine, signature) = fate.found.split_once(": ").unwrap_or(("", &fate.found));
    Quarantined {
        id: open.queue_id,
        body,
        why: fate.rule.clone(),
        engine: engine.to_owned(),
        signature: signature.to_owned(),
        reverse_path: open.reverse_path.clone(),
        recipients: open.recipients.iter().map(|recipient| recipient.forward_path.clone()).collect(),
        facts: Vec::new(),
        at_s: clock::unix_s(),
    }
}
