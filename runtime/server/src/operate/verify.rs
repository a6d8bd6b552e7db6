//! `facteur store verify`: recounts every sum and reads every body. When that was, and what it found, is kept.

use serde::{Deserialize, Serialize};
use store::{Finding, MailboxId, Op, ReadError, Store};

use super::progress::Throttled;
use super::{Context, OperateError, Operation, Progress, Unit};
use crate::clock;

/// Findings told one by one; the others are counted.
const TOLD_MAX: usize = 1_000;
/// The setting that keeps the last one.
const LAST: &str = "store/verified";

/// A verification that came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Last {
    pub at_s: i64,
    pub findings: u64,
}

/// The last one of this store.
pub(crate) fn last(store: &Store) -> Result<Option<Last>, ReadError> {
    Ok(store.setting(LAST)?.and_then(|octets| serde_json::from_slice(&octets).ok()))
}

fn keep(store: &Store, findings: u64) {
    let last = Last { at_s: clock::unix_s(), findings };
    let op = Op::Setting { key: LAST.to_owned(), value: serde_json::to_vec(&last).ok() };
    // A store that takes nothing more is told of in other ways; what was found is answered all the same.
    if let Err(error) = store.commit_wait(vec![op]) {
        tracing::warn!("that the store was verified cannot be kept: {error}");
    }
}

/// `POST /store/verify`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verify {}

/// What was looked at, and what was wrong. A store is sound when `findings` is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    pub accounts: u64,
    pub mailboxes: u64,
    pub messages: u64,
    pub bodies: u64,
    pub body_octets: u64,
    /// One sentence each.
    pub findings: Vec<String>,
    pub untold: u64,
}

impl Operation for Verify {
    type Response = Verified;
    const PATH: &'static str = "/store/verify";
    const LONG: bool = true;

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<Verified, OperateError> {
        tell(Progress { on: "recounting".to_owned(), done: 0, total: None, unit: Unit::Bodies });
        let mut throttled = Throttled::new(tell);
        let report = context.store.verify_with(&mut |progress| {
            let (on, total) = (String::new(), Some(progress.total));
            throttled.tell(Progress { on, done: progress.done, total, unit: Unit::Bodies });
        })?;
        keep(&context.store, report.findings.len() as u64);
        let told = report.findings.iter().take(TOLD_MAX).map(|finding| sentence(context, finding));
        Ok(Verified {
            accounts: report.accounts,
            mailboxes: report.mailboxes,
            messages: report.messages,
            bodies: report.bodies,
            body_octets: report.body_bytes,
            findings: told.collect(),
            untold: report.findings.len().saturating_sub(TOLD_MAX) as u64,
        })
    }
}

fn sentence(context: &Context, finding: &Finding) -> String {
    match finding {
        Finding::Counters { mailbox } => {
            format!("{}: its counters are not what its messages add up to", named(context, *mailbox))
        }
        Finding::Ahead { mailbox } => {
            format!("{}: a message has a UID or MODSEQ the mailbox has not given yet", named(context, *mailbox))
        }
        Finding::Summaries { mailbox } => {
            format!("{}: messages without a summary, or summaries without a message", named(context, *mailbox))
        }
        Finding::NoAccount { login } => format!("{login}: a person without an account, where it should lie"),
        Finding::References { shard, blob } => {
            format!("shard {shard:02}, body {blob}: another number of messages has it than it counts")
        }
        Finding::Body { shard, blob } => {
            format!("shard {shard:02}, body {blob}: it does not match its checksum, or its record is gone")
        }
        Finding::Database { shard, what } => format!("shard {shard:02}: SQLite says: {what}"),
    }
}

fn named(context: &Context, mailbox: MailboxId) -> String {
    match context.store.mailbox_by_id(mailbox) {
        Ok(Some(info)) => format!("mailbox {} ({})", mailbox.number(), info.name),
        Ok(None) | Err(_) => format!("mailbox {}", mailbox.number()),
    }
}
