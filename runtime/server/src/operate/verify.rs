//! `facteur store verify`: recounts every sum and reads every body. When that was, and what it found, is kept.

use serde::{Deserialize, Serialize};
use store::{Finding, Holder, MailboxId, Op, ReadError, Store};

use super::progress::Throttled;
use super::{Context, OperateError, Operation, Progress, Unit};
use crate::{clock, verifying};

/// Findings told one by one; the others are counted.
const TOLD_MAX: usize = 1_000;
/// Those of which is told who has the body, which takes a look at all messages; and how many of these are told.
const NAMED_MAX: usize = 100;
const HOLDERS_MAX: usize = 5;
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

/// What is known to be wrong: what the last one found, and one that goes on since then.
pub(crate) fn findings(store: &Store) -> Result<u64, ReadError> {
    let (last, pass) = (last(store)?, verifying::Pass::load(store)?);
    let found = last.map_or(0, |last| last.findings);
    let is_newer = last.is_none_or(|last| pass.found_s > last.at_s);
    Ok(if is_newer { found.max(pass.findings) } else { found })
}

/// Keeps what a verification of everything found. One that goes on begins again.
pub(crate) fn keep(store: &Store, findings: u64) {
    let last = Last { at_s: clock::unix_s(), findings };
    let op = Op::Setting { key: LAST.to_owned(), value: serde_json::to_vec(&last).ok() };
    // A store that takes nothing more is told of in other ways; what was found is answered all the same.
    if let Err(error) = store.commit_wait(vec![op, verifying::forget()]) {
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

    fn act(&self) -> decide::roles::Act {
        decide::roles::Act::Maintain
    }

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<Verified, OperateError> {
        tell(Progress { on: "recounting".to_owned(), done: 0, total: None, unit: Unit::Bodies });
        let mut throttled = Throttled::new(tell);
        let report = context.store.verify_with(&mut |progress| {
            let (on, total) = (String::new(), Some(progress.total));
            throttled.tell(Progress { on, done: progress.done, total, unit: Unit::Bodies });
        })?;
        keep(&context.store, report.findings.len() as u64);
        let told = report.findings.iter().take(TOLD_MAX).enumerate();
        let told = told.map(|(number, finding)| sentence(&context.store, finding, number < NAMED_MAX));
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

/// What was found, in words; of a damaged body also who has it, where that is asked for.
pub(crate) fn sentence(store: &Store, finding: &Finding, named: bool) -> String {
    match finding {
        Finding::Counters { mailbox } => {
            format!("{}: its counters are not what its messages add up to", of_mailbox(store, *mailbox))
        }
        Finding::Ahead { mailbox } => {
            format!("{}: a message has a UID or MODSEQ the mailbox has not given yet", of_mailbox(store, *mailbox))
        }
        Finding::Summaries { mailbox } => {
            format!("{}: messages without a summary, or summaries without a message", of_mailbox(store, *mailbox))
        }
        Finding::NoAccount { login } => format!("{login}: a person without an account, where it should lie"),
        Finding::References { shard, blob } => {
            format!("shard {shard:02}, body {blob}: another number of messages has it than it counts")
        }
        Finding::Body { shard, blob } => {
            let held = if named { held(store, *shard, *blob) } else { String::new() };
            format!("shard {shard:02}, body {blob}: it does not match its checksum, or its record is gone{held}")
        }
        Finding::Database { shard, what } => format!("shard {shard:02}: SQLite says: {what}"),
    }
}

/// Who has a body: mailbox and message.
fn held(store: &Store, shard: u8, blob: i64) -> String {
    let holders = match store.holders(shard, blob, HOLDERS_MAX + 1) {
        Ok(holders) => holders,
        Err(error) => return format!(" (who has it cannot be read: {error})"),
    };
    let mut names: Vec<String> = holders
        .iter()
        .take(HOLDERS_MAX)
        .map(|holder| match holder {
            Holder::Message { mailbox, uid } => format!("{}, message UID {uid}", of_mailbox(store, *mailbox)),
            Holder::Spool(id) => format!("message {id} in the queue"),
            Holder::Apart(id) => format!("message {id} in quarantine"),
        })
        .collect();
    if holders.len() > HOLDERS_MAX {
        names.push("and others".to_owned());
    }
    if names.is_empty() { String::new() } else { format!(" ({})", names.join("; ")) }
}

fn of_mailbox(store: &Store, mailbox: MailboxId) -> String {
    let owner = match store.account_of(mailbox) {
        Ok(Some(login)) => format!(" of {login}"),
        Ok(None) | Err(_) => String::new(),
    };
    match store.mailbox_by_id(mailbox) {
        Ok(Some(info)) => format!("mailbox {} ({}){owner}", mailbox.number(), info.name),
        Ok(None) | Err(_) => format!("mailbox {}{owner}", mailbox.number()),
    }
}
