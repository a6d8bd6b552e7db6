//! The end of a content: the steps of the plan in order, and one commit.
//!
//! INVARIANT (durable-before-250): a positive reply is returned only after the commit that took the message is durable.
//! INVARIANT (once): the delivery's id is drawn at MAIL; the store delivers one id once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use decide::{AntivirusVerdict, Block, Client, ContentDirection, Fate, Reason, Refusal, Step};
use mail::{Address, Flags, ReversePath, header, reply};
use proto::smtp::{Hello, Transport};
use store::{
    BodyRef, CommitError, Deliver, Enqueue, InternalDate, Op, PutError, Quarantined, QueueRecipient, RecordEnvelope,
    Summary, Target,
};

use super::facts;
use super::onward;
use super::success;
use super::transaction::Open;
use crate::authenticate::{self, Authenticated};
use crate::content::Content;
use crate::outcome::{Event, Outcome, Peer};
use crate::service::Service;
use crate::{clock, durable, reports, scan, signing, trace};

/// Longest header section that is taken: what stands behind could not be judged, and programs show it all the same.
pub(crate) const HEADER_OCTETS_MAX: usize = 256 * 1024;

/// What the trace lines tell of the session.
pub struct Session<'a> {
    pub client: &'a Client,
    pub block: Block,
    pub peer: &'a Peer,
    /// The client a trusted one speaks for: SPF is judged by it.
    pub told_address: Option<IpAddr>,
    pub hello: Option<Hello>,
    pub transport: Transport,
}

/// Executes the plan's steps on a whole content; `Ok` is the text of the 250.
pub async fn content(
    service: &Arc<Service>,
    session: &Session<'_>,
    open: Open,
    octets: u64,
) -> Result<String, Refusal> {
    let mut open = open;
    let lost =
        || Refusal::new(reply::STORE_FULL, Reason::StoreTrouble, "", "the message cannot be kept now, try later");
    let content = open.content.take().filter(|_| !open.content_lost).ok_or_else(lost)?;
    let start = content.start(HEADER_OCTETS_MAX).map_err(|_| lost())?;
    open.judge_content(octets, mail::mime::is_report(&start))?;
    header_ends(&start, octets)?;
    super::authors::judge(service, session, &start)?;
    open.judge_room(session.client, octets)?;
    decide::loops(header::fields(&start).filter(|field| field.is("received")).count())?;
    if open.recipients.is_empty() {
        // Under LMTP all of them were refused for themselves.
        return Err(Refusal::new(reply::MAILBOX_FULL_NOW, Reason::MailboxFull, "", "no recipient has room"));
    }
    let direction = ContentDirection::of(session.block, session.client.account.is_some());
    let came = Arc::new(content);
    let content = if direction == ContentDirection::Inbound { ours_only(service, &came).await? } else { came.clone() };
    let mut accepted = false;
    for step in decide::steps(service.tables.plan(), direction) {
        match step {
            // A redirect was judged at RCPT, too: its copies go with the others, in one commit.
            Step::Earlier | Step::Redirect => {}
            // Nothing to do in this build; said at start.
            Step::Antispam | Step::Filters => {}
            Step::Authenticate => match authenticated(service, session, &open, &came).await {
                Ok(authenticated) => {
                    if let Some(rule) = authenticated.tagged {
                        tracing::info!(queue_id = %open.queue_id, rule, "tagged");
                    }
                    open.authenticated = authenticated;
                }
                Err(refusal) if accepted => {
                    return stopped(service, session, open, content, kept(refusal), accepted).await;
                }
                Err(refusal) => return Err(refusal),
            },
            Step::Accept => accepted = true,
            Step::Antivirus if !decide::is_scanned(&service.tables, direction) => {}
            Step::Antivirus => {
                let results = scan::all(service, &content).await;
                match decide::antivirus(&service.tables, direction, &results) {
                    AntivirusVerdict::Stop(fate) => {
                        return stopped(service, session, open, content, fate, accepted).await;
                    }
                    AntivirusVerdict::Pass { rescan: true, .. } => {
                        tracing::warn!(queue_id = %open.queue_id, "passed without an engine that is down");
                        open.owed_scans = scan::rescan::owed(&results);
                    }
                    AntivirusVerdict::Pass { rescan: false, .. } => {}
                }
            }
            Step::Place => place(service, session, &open, &content, &start).await?,
        }
    }
    let id = open.queue_id;
    if let Some(told) = session.told_address {
        tracing::debug!(queue_id = %id, gateway = %session.peer.client, %told, "from a client somebody speaks for");
    }
    let direction = if matches!(session.block, Block::Send(_)) { "outbound" } else { "inbound" };
    service.metrics.accepted.with_label_values(&[direction]).inc();
    let outcome = Outcome::done(Event::Accepted, &open.reverse_path).of(id).from_peer(session.peer);
    service.outcome(outcome.with_message_id(&start));
    open.accepted();
    Ok(format!("OK, kept as {id}"))
}

/// Is the whole header section in `start`, with which a content of `octets` begins?
fn header_ends(start: &[u8], octets: u64) -> Result<(), Refusal> {
    let blank = start.split_inclusive(|octet| *octet == b'\n').any(header::is_blank);
    if blank || octets <= start.len() as u64 {
        return Ok(());
    }
    let text = "the header section is longer than 256 KiB";
    Err(Refusal::new(reply::BAD_CONTENT, Reason::BadContent, "", text))
}

/// The content without fields that claim to be our own (RFC 8601 5).
async fn ours_only(service: &Arc<Service>, came: &Arc<Content>) -> Result<Arc<Content>, Refusal> {
    let (worker, content) = (service.clone(), came.clone());
    let kept = if came.is_spilled() {
        durable::blocking(move || authenticate::without_forged(&worker, &content)).await
    } else {
        Some(authenticate::without_forged(service, came))
    };
    match kept {
        Some(Ok(kept)) => Ok(kept.map_or_else(|| came.clone(), Arc::new)),
        Some(Err(_)) | None => Err(put_trouble(PutError::Poisoned)),
    }
}

/// The step `Authenticate`, on the message as it came.
async fn authenticated(
    service: &Arc<Service>,
    session: &Session<'_>,
    open: &Open,
    came: &Arc<Content>,
) -> Result<Authenticated, Refusal> {
    let from = authenticate::From {
        peer: session.peer,
        client: session.told_address.unwrap_or(session.client.address),
        hello: session.hello.as_ref(),
        reverse_path: &open.reverse_path,
        host: &service.tables.listener_rules(session.client.listener).host,
    };
    Box::pin(authenticate::authenticate(service, &from, came)).await
}

/// A refusal behind `Accept`: the message goes to quarantine.
fn kept(refusal: Refusal) -> Fate {
    Fate {
        quarantine: true,
        silent: false,
        tell: plan::Tell::Nobody,
        loss: refusal.reason.loss().unwrap_or(plan::Loss::NotDelivered),
        reason: refusal.reason,
        rule: refusal.rule.clone(),
        found: refusal.text.clone(),
        refusal: None,
    }
}

/// A message a scanner stopped: quarantine and loss records in one commit, then the reply the plan wants.
async fn stopped(
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
        let head = head(service, session, &open, &start, Ending::Relayed);
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

/// Who reads the body next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// A mailbox here: the final delivery.
    Delivered,
    Relayed,
}

/// Mailboxes and spool in one commit.
async fn place(
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
    ops.extend(scan::rescan::mark(open.queue_id, &open.owed_scans, at_s));
    let notice = success::notice(service, open, start, at_s).await.map_err(put_trouble)?;
    ops.extend(notice.ops);
    durable::commit(&service.store, ops).await.map_err(trouble)?;
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

/// The lines in front of the content.
pub(super) fn head(service: &Service, session: &Session<'_>, open: &Open, start: &[u8], ending: Ending) -> Vec<u8> {
    let host = &service.tables.listener_rules(session.client.listener).host;
    let id = open.queue_id.to_string();
    let at_s = clock::unix_s();
    let mut head = String::with_capacity(512);
    if ending == Ending::Delivered {
        trace::return_path(&open.reverse_path, &mut head);
    }
    let forward_path = match open.recipients.as_slice() {
        [only] => Some(&only.forward_path),
        _ => None,
    };
    if !open.authenticated.value.is_empty() {
        let _ = write!(head, "Authentication-Results: {}\r\n", open.authenticated.value);
    }
    let received = trace::Received {
        hello: session.hello.as_ref(),
        client: session.client.address,
        by: host,
        with: session.transport,
        id: &id,
        forward_path,
        at_s,
    };
    received.write(&mut head);
    if matches!(session.block, Block::Send(_)) {
        trace::complete(start, &id, host, at_s, &mut head);
    }
    head.into_bytes()
}

/// Writes the body, and reads it once for its summary when mailboxes will list it.
pub(super) async fn put(
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
    Ok((body, super::summary(&whole)))
}

fn put_trouble(error: PutError) -> Refusal {
    tracing::error!("{error}");
    let (code, text) = match error {
        PutError::TooLarge => (reply::TOO_LARGE, "larger than this server can keep"),
        PutError::Full | PutError::Io(_) => (reply::STORE_FULL, "no room for the message now, try later"),
        PutError::Poisoned => (reply::TROUBLE, "the message cannot be kept now, try later"),
    };
    Refusal::new(code, Reason::StoreTrouble, "", text)
}

fn trouble(error: CommitError) -> Refusal {
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

/// Loss records of what was refused for its content name everybody who does not get it.
pub fn refused(service: &Service, open_recipients: &[Address], reverse_path: &ReversePath, reason: Reason) {
    let kind = match reason {
        Reason::TooLarge => plan::Loss::TooLarge,
        Reason::PosesAsUs => plan::Loss::NotDelivered,
        // The others leave records where they are found, or lose nothing of ours.
        _ => return,
    };
    for recipient in open_recipients {
        if !service.records.refused(kind, reverse_path, recipient.to_string(), reason.word()) {
            service.metrics.records_dropped.inc();
        }
    }
}
