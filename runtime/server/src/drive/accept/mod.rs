//! The end of a content: the steps of the plan in order, and one commit.
//!
//! INVARIANT (durable-before-250): a positive reply is returned only after the commit that took the message is durable.
//! INVARIANT (once): the delivery's id is drawn at MAIL; the store delivers one id once.

mod antispam;
mod body;
mod place;
mod reading;
mod stopped;

use std::net::IpAddr;
use std::sync::Arc;

use decide::{AntivirusVerdict, Block, Client, ContentDirection, Fate, FromClaim, Reason, Refusal, Step};
use mail::{Address, ReversePath, header, reply};
use proto::smtp::{Hello, Transport};
use store::PutError;

use super::transaction::Open;
use crate::authenticate::{self, Authenticated};
use crate::content::Content;
use crate::outcome::{Event, Outcome, Peer};
use crate::service::Service;
use crate::{durable, scan, spam, standing};

pub(super) use antispam::is_spared;
use body::put_trouble;
pub(super) use body::{Ending, head, put};
pub(super) use place::Share;
use place::place;
pub(super) use reading::Reading;
use stopped::stopped;

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
    /// Lists in DNS that noted the client.
    pub listed: &'a [String],
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
    judge_start(service, session, &mut open, &start, octets)?;
    let direction = ContentDirection::of(session.block, session.client.account.is_some());
    let came = Arc::new(content);
    let content = if direction == ContentDirection::Inbound { ours_only(service, &came).await? } else { came.clone() };
    let start =
        if Arc::ptr_eq(&content, &came) { start } else { content.start(HEADER_OCTETS_MAX).map_err(|_| lost())? };
    super::blocked::judge_header(service, session, &open, &start)?;
    let mut accepted = false;
    let mut read: Option<Reading> = None;
    let steps = decide::steps(service.tables.plan(), direction);
    for (at, step) in steps.iter().enumerate() {
        if read.is_none() && looks(*step) {
            read = Some(inside(service, session, &open, &content, &steps[at..]).await?);
        }
        match step {
            // A redirect was judged at RCPT, too: its copies go with the others, in one commit.
            Step::Earlier | Step::Redirect => {}
            // Nothing to do in this build; said at start.
            Step::Filters => {}
            Step::Authenticate => match authenticated(service, session, &open, &came).await {
                Ok(authenticated) => {
                    let claim = decide::from_claim(&service.tables, &authenticated.results.claims);
                    open.recorded().content(|end| end.claim = Some(claim));
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
            Step::Antispam => match scored(service, session, &open, &content, &mut read).await {
                Ok(judgement) => open.judgement = judgement,
                Err(refusal) if accepted => {
                    return stopped(service, session, open, content, kept(refusal), accepted).await;
                }
                Err(refusal) => return Err(refusal),
            },
            Step::Antivirus if !decide::is_scanned(&service.tables, direction) => {}
            Step::Antivirus => {
                if let Some(fate) = infection(service, &mut open, &content, direction).await {
                    return stopped(service, session, open, content, fate, accepted).await;
                }
            }
            Step::Place => {
                standing::hold(service, session.client, &mut open);
                place(service, session, &open, &content, &start, read.get_or_insert_default()).await?;
            }
        }
    }
    Ok(accepted_as(service, session, open, &start))
}

/// The step `Antivirus`: what becomes of a message it stops. One that passes without an engine is owed a look by it.
async fn infection(
    service: &Arc<Service>,
    open: &mut Open,
    content: &Arc<Content>,
    direction: ContentDirection,
) -> Option<Fate> {
    let results = scan::all(service, content).await;
    match decide::antivirus(&service.tables, direction, &results) {
        AntivirusVerdict::Stop(fate) => Some(fate),
        AntivirusVerdict::Pass { rescan, .. } => {
            if rescan {
                tracing::warn!(queue_id = %open.queue_id, "passed without an engine that is down");
                open.owed_scans = scan::rescan::owed(&results);
            }
            None
        }
    }
}

/// Judges a content of so many octets by its beginning, and by who gets it.
fn judge_start(
    service: &Service,
    session: &Session<'_>,
    open: &mut Open,
    start: &[u8],
    octets: u64,
) -> Result<(), Refusal> {
    if let Some(account) = &session.client.account {
        // It may have been locked since MAIL.
        standing::may_send(service, &account.login)?;
    }
    open.judge_content(octets, mail::mime::is_report(start))?;
    header_ends(start, octets)?;
    open.sender = super::authors::judge(service, session, start)?;
    open.judge_room(session.client, octets)?;
    decide::loops(header::fields(start).filter(|field| field.is("received")).count())?;
    if open.recipients.is_empty() {
        // Under LMTP all of them were refused for themselves.
        return Err(Refusal::new(reply::MAILBOX_FULL_NOW, Reason::MailboxFull, "", "no recipient has room"));
    }
    Ok(())
}

/// Is this a step before which the message is read? What `Authenticate` finds is a fact for the passes, and nothing is
/// refused any more behind `Accept`.
fn looks(step: Step) -> bool {
    matches!(step, Step::Accept | Step::Antivirus | Step::Antispam | Step::Place)
}

/// Reads a message once for all the steps that follow, and judges by what is blocked.
async fn inside(
    service: &Arc<Service>,
    session: &Session<'_>,
    open: &Open,
    content: &Arc<Content>,
    steps: &[Step],
) -> Result<Reading, Refusal> {
    let wanted = reading::Wanted::of(service, session, open, steps);
    let mut read = Box::pin(reading::read(service, wanted, content)).await?;
    super::blocked::judge_inside(service, session, open, &read)?;
    (read.mailto, read.url_hosts, read.attachments) = Default::default();
    Ok(read)
}

/// The step `Antispam`. Where the plan authenticates behind `Accept`, the passes had to wait for it.
async fn scored(
    service: &Arc<Service>,
    session: &Session<'_>,
    open: &Open,
    content: &Arc<Content>,
    read: &mut Option<Reading>,
) -> Result<Option<spam::Judgement>, Refusal> {
    let ours = match read.as_mut().and_then(|read| read.scores.take()) {
        Some(scores) => scores,
        None => {
            let wanted = reading::Wanted::of_passes(service, session, open);
            Box::pin(reading::read(service, wanted, content)).await?.scores.unwrap_or_default()
        }
    };
    antispam::judged(service, session, open, content, ours).await
}

/// Counts and tells that a message was accepted: the text of its 250.
fn accepted_as(service: &Service, session: &Session<'_>, open: Open, start: &[u8]) -> String {
    let id = open.queue_id;
    if let Some(told) = session.told_address {
        tracing::debug!(queue_id = %id, gateway = %session.peer.client, %told, "from a client somebody speaks for");
    }
    let direction = if matches!(session.block, Block::Send(_)) { "outbound" } else { "inbound" };
    service.metrics.accepted.with_label_values(&[direction]).inc();
    let outcome = Outcome::done(Event::Accepted, &open.reverse_path).of(id).from_peer(session.peer);
    service.outcome(outcome.with_message_id(start));
    open.accepted();
    format!("OK, kept as {id}")
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

/// The content without fields that claim to be our own (RFC 8601 5), or that only this server's spam filter writes.
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
    let authenticated = Box::pin(authenticate::authenticate(service, &from, came)).await;
    if authenticated.as_ref().is_err_and(|refusal| refusal.reason == Reason::PosesAsUs) {
        open.recorded().content(|end| end.claim = Some(FromClaim::OursNotAligned));
    }
    authenticated
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

/// Loss records of what was refused for its content name everybody who does not get it.
pub fn refused(service: &Service, open_recipients: &[Address], reverse_path: &ReversePath, reason: Reason) {
    let kind = match reason {
        Reason::TooLarge => plan::Loss::TooLarge,
        Reason::PosesAsUs | Reason::Spam | Reason::Blocked => plan::Loss::NotDelivered,
        // The others leave records where they are found, or lose nothing of ours.
        _ => return,
    };
    for recipient in open_recipients {
        if !service.records.refused(kind, reverse_path, recipient.to_string(), reason.word()) {
            service.metrics.records_dropped.inc();
        }
    }
}
