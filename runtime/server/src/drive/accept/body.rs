//! The body of a copy: the lines this server writes in front of the content, and the writing.

use std::fmt::Write as _;
use std::sync::Arc;

use decide::{Block, Reason, Refusal};
use mail::{Address, reply};
use store::{BodyRef, CommitError, PutError, RecordEnvelope, Summary};

use super::Session;
use crate::content::Content;
use crate::drive::transaction::Open;
use crate::service::Service;
use crate::{clock, durable, trace};

/// Who reads the body next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A mailbox here: the final delivery.
    Delivered,
    Relayed,
}

/// The lines in front of the content, `lines` of its shape among them.
pub fn head(
    service: &Service,
    session: &Session<'_>,
    open: &Open,
    start: &[u8],
    lines: &[u8],
    ending: Ending,
) -> Vec<u8> {
    let host = &service.tables.listener_rules(session.client.listener).host;
    let id = open.queue_id.to_string();
    let at_s = clock::unix_s();
    let mut head = Vec::with_capacity(512 + lines.len());
    if ending == Ending::Delivered {
        let mut return_path = String::new();
        trace::return_path(&open.reverse_path, &mut return_path);
        head.extend(return_path.into_bytes());
    }
    head.extend_from_slice(lines);
    let mut fields = String::with_capacity(512);
    let forward_path = match open.recipients.as_slice() {
        [only] => Some(&only.forward_path),
        _ => None,
    };
    if !open.authenticated.value.is_empty() {
        let _ = write!(fields, "Authentication-Results: {}\r\n", open.authenticated.value);
    }
    let received = trace::Received {
        hello: session.hello.as_ref(),
        client: session.client.address,
        by: host,
        twin: service.site.twin,
        with: session.transport,
        id: &id,
        forward_path,
        at_s,
    };
    received.write(&mut fields);
    if matches!(session.block, Block::Send(_)) {
        trace::complete(start, &id, host, at_s, &mut fields);
        if let Some(sender) = &open.sender {
            let _ = write!(fields, "Sender: {sender}\r\n");
        }
    }
    head.extend(fields.into_bytes());
    head
}

/// Writes the body, and reads it once for its summary when mailboxes will list it.
pub async fn put(
    service: &Arc<Service>,
    open: &Open,
    content: &Arc<Content>,
    head: Vec<u8>,
    summarise: bool,
) -> Result<(BodyRef, Summary), Refusal> {
    let envelope = RecordEnvelope {
        delivery_id: open.queue_id.0,
        reverse_path: Some(open.reverse_path.clone()),
        recipients: open.recipients.iter().map(|recipient| recipient.forward_path.clone()).collect::<Vec<Address>>(),
        accepted_at_s: clock::unix_s(),
    };
    if !content.is_spilled() {
        return write(content, &envelope, &head, summarise).map_err(put_trouble);
    }
    // Long ones are flushed by their own thread, and a few at a time are read whole.
    let permit = service.long_contents.acquire().await;
    let content = content.clone();
    let written = durable::blocking(move || write(&content, &envelope, &head, summarise)).await;
    drop(permit);
    written.unwrap_or(Err(PutError::Poisoned)).map_err(put_trouble)
}

fn write(
    content: &Content,
    envelope: &RecordEnvelope,
    head: &[u8],
    summarise: bool,
) -> Result<(BodyRef, Summary), PutError> {
    let body = content.put(envelope, head)?;
    if !summarise {
        return Ok((body, Summary::default()));
    }
    let mut whole = head.to_vec();
    whole.extend(content.start(usize::MAX)?);
    Ok((body, crate::drive::summary(&whole)))
}

pub fn put_trouble(error: PutError) -> Refusal {
    tracing::error!("{error}");
    let (code, text) = match error {
        PutError::TooLarge => (reply::TOO_LARGE, "larger than this server can keep"),
        PutError::Full | PutError::Io(_) => (reply::STORE_FULL, "no room for the message now, try later"),
        PutError::Poisoned => (reply::TROUBLE, "the message cannot be kept now, try later"),
    };
    Refusal::new(code, Reason::StoreTrouble, "", text)
}

pub fn trouble(error: CommitError) -> Refusal {
    tracing::error!("{error}");
    let code = match error {
        CommitError::Full => reply::STORE_FULL,
        CommitError::Busy
        | CommitError::Failed
        | CommitError::Poisoned
        | CommitError::Closed
        | CommitError::Refused { .. } => reply::TROUBLE,
    };
    Refusal::new(code, Reason::StoreTrouble, "", "the message cannot be kept now, try later")
}
