//! A message that ends before it is placed.

use std::sync::Arc;

use decide::{Block, Fate, Refusal};
use store::{Kept, Op, PutError, Quarantined, RecordEnvelope};

use super::body::{Ending, head, put_trouble, trouble};
use super::{HEADER_OCTETS_MAX, Session};
use crate::content::Content;
use crate::drive::facts;
use crate::drive::transaction::Open;
use crate::outcome::{Event, Outcome};
use crate::quarantine::Facts;
use crate::service::Service;
use crate::{clock, durable, quarantine};

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
        ops.push(quarantined(service, session, &open, &content, &fate, head).await?);
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

/// The message, sealed, with what its release needs to know.
async fn quarantined(
    service: &Arc<Service>,
    session: &Session<'_>,
    open: &Open,
    content: &Arc<Content>,
    fate: &Fate,
    head: Vec<u8>,
) -> Result<Op, Refusal> {
    let envelope = RecordEnvelope {
        delivery_id: open.queue_id.0,
        reverse_path: Some(open.reverse_path.clone()),
        recipients: open.recipients.iter().map(|recipient| recipient.forward_path.clone()).collect(),
        accepted_at_s: clock::unix_s(),
    };
    let facts = Facts {
        reason: fate.reason.word().to_owned(),
        octets: head.len() as u64 + content.len(),
        sent: matches!(session.block, Block::Send(_)),
        message: facts::of_message(service, session, open),
        taken: None,
    };
    let (recipients, at_s) = (envelope.recipients.clone(), envelope.accepted_at_s);
    let body = quarantine::shut_away(service, open.queue_id, envelope, head, content).await.map_err(put_trouble)?;
    let (engine, signature) = fate.found.split_once(": ").unwrap_or(("", &fate.found));
    Ok(Op::Quarantine(Box::new(Quarantined {
        id: open.queue_id,
        kind: Kept::Quarantine,
        body,
        why: fate.rule.clone(),
        engine: engine.to_owned(),
        signature: signature.to_owned(),
        reverse_path: open.reverse_path.clone(),
        recipients,
        facts: facts.written(),
        at_s,
    })))
}
