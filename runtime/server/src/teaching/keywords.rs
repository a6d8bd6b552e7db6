//! `$Junk` and `$NotJunk` (RFC 9051 2.3.2) set by a person, or `Junk` and `NonJunk` as Thunderbird has them: a proposal like
//! any other. It comes once nothing changed for a moment, and goes when the keyword is taken back before somebody decided.
//!
//! Programs set these keywords by themselves, too. What agrees with the tag the message was delivered with is no correction,
//! and no proposal. A crash forgets keywords of the last moments; they stay on the messages.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use mail::{Flags, Login};
use store::{BodyRef, FlagMode, FlagRow, Kept, MailboxId, Op, QueueId, ReadError, Store, UidSet};
use tokio::time::Instant;

use super::facts::{Proposal, Proposer, Way, read};
use super::find::{self, Asker};
use super::report::{described, proposal};
use super::{ours, row_id};
use crate::service::Service;
use crate::{clock, durable};

/// A person seems to have decided when nothing changed for so long.
const QUIET: Duration = Duration::from_secs(3);
/// Messages of one STORE, and of all, that are followed.
const STORED_MAX: usize = 100;
const MARKED_MAX: usize = 10_000;

const SPAM: [&str; 2] = ["$junk", "junk"];
const NO_SPAM: [&str; 3] = ["$notjunk", "notjunk", "nonjunk"];

/// Messages whose keywords changed a moment ago, by person and EMAILID.
#[derive(Default)]
pub struct Marked {
    waiting: HashMap<(Login, u64), Mark>,
}

impl Marked {
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

struct Mark {
    body: BodyRef,
    /// What the keywords say now.
    spam: Option<bool>,
    due: Instant,
}

/// Hears of a STORE that was committed.
pub async fn marked(
    service: &Arc<Service>,
    login: &Login,
    mailbox: MailboxId,
    mode: FlagMode,
    named: &Flags,
    rows: &[FlagRow],
) {
    let replaces = matches!(mode, FlagMode::Replace | FlagMode::ReplaceWithin(_));
    if service.tables.plan().antispam.is_none() || rows.is_empty() || !(replaces || mentions(named)) {
        return;
    }
    let rows = &rows[..rows.len().min(STORED_MAX)];
    // A program that replaces all flags mostly changes others.
    if !mentions(named) && !rows.iter().any(|row| mentions(&row.flags)) && !service.teaching.may_withdraw(login) {
        return;
    }
    let uids: UidSet = rows.iter().map(|row| row.uid).collect();
    let store = service.store.clone();
    let found = durable::blocking(move || found(&store, mailbox, &uids)).await;
    let Some(Ok(found)) = found else { return };
    let mut marked = service.teaching.marked();
    for (uid, email, body) in found {
        let Some(row) = rows.iter().find(|row| row.uid == uid) else { continue };
        let key = (login.clone(), email);
        if marked.waiting.len() < MARKED_MAX || marked.waiting.contains_key(&key) {
            marked.waiting.insert(key, Mark { body, spam: says(&row.flags), due: Instant::now() + QUIET });
        }
    }
    drop(marked);
    service.teaching.arrived();
}

/// UID, EMAILID and body: they stay what they are when the message is moved.
fn found(store: &Store, mailbox: MailboxId, uids: &UidSet) -> Result<Vec<(u32, u64, BodyRef)>, ReadError> {
    let bodies: HashMap<u32, BodyRef> = store.bodies_of(mailbox, uids)?.into_iter().collect();
    let named = store.identities(mailbox, uids)?.into_iter();
    Ok(named.filter_map(|one| Some((one.uid, one.email.number(), bodies.get(&one.uid)?.clone()))).collect())
}

fn mentions(flags: &Flags) -> bool {
    flags.keywords.iter().any(|keyword| {
        let keyword = keyword.as_str().to_ascii_lowercase();
        SPAM.contains(&keyword.as_str()) || NO_SPAM.contains(&keyword.as_str())
    })
}

/// `None` where they say nothing, or both.
fn says(flags: &Flags) -> Option<bool> {
    let has = |names: &[&str]| {
        flags.keywords.iter().any(|keyword| names.iter().any(|name| keyword.as_str().eq_ignore_ascii_case(name)))
    };
    match (has(&SPAM), has(&NO_SPAM)) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}

/// Makes proposals of what waited long enough; the time until there is more to do.
pub async fn settle(service: &Arc<Service>) -> Option<Duration> {
    let now = Instant::now();
    let due: Vec<((Login, u64), Mark)> = {
        let mut marked = service.teaching.marked();
        let (due, later) = marked.waiting.drain().partition(|(_, mark)| mark.due <= now);
        marked.waiting = later;
        let due: HashMap<_, _> = due;
        due.into_iter().collect()
    };
    for ((login, email), mark) in due {
        let worker = service.clone();
        let settled = durable::blocking(move || one(&worker, &login, email, &mark)).await;
        if let Some(Err(why)) = settled {
            tracing::error!("a keyword made no proposal: {why}");
        }
    }
    let marked = service.teaching.marked();
    marked.waiting.values().map(|mark| mark.due.saturating_duration_since(now)).min()
}

fn one(service: &Service, login: &Login, email: u64, mark: &Mark) -> Result<(), String> {
    let store = &service.store;
    let id = row_id(&[b"keyword", login.as_str().to_lowercase().as_bytes(), &email.to_le_bytes()]);
    let kept = store.kept_one(id).map_err(|error| error.to_string())?.filter(|row| row.kind == Kept::Proposal);
    let before = kept.and_then(|row| read::<Proposal>(&row.facts));
    let wanted = match mark.spam {
        Some(spam) if before.as_ref().is_some_and(|before| before.spam == spam) => return Ok(()),
        // Who had their share today costs nothing more.
        Some(_) if before.is_none() && !service.teaching.open().has_place(login.as_str(), clock::unix_s()) => None,
        Some(spam) => located(service, login, mark, spam)?,
        None => None,
    };
    let mut ops = Vec::new();
    if before.is_some() {
        ops.push(Op::ReleaseQuarantined { id });
        service.teaching.withdrawn(id);
    }
    if let Some((octets, facts)) = wanted {
        ops.extend(if before.is_some() {
            replaced(service, id, &octets, facts)?
        } else {
            proposal(service, id, &octets, facts, clock::unix_s())?
        });
    }
    if ops.is_empty() {
        return Ok(());
    }
    let result = store.commit_wait(ops);
    if result.is_err() {
        service.teaching.decided();
    }
    service.metrics.spam_reports.with_label_values(&["keyword"]).inc();
    result.map(drop).map_err(|error| error.to_string())
}

/// Nothing for a message that was not delivered here, or was judged as the person does.
fn located(service: &Service, login: &Login, mark: &Mark, spam: bool) -> Result<Option<(Vec<u8>, Proposal)>, String> {
    let octets = service.store.read_body(&mark.body).map_err(|error| error.to_string())?;
    let located = find::locate(&service.store, &ours(service), &octets, Asker::Owner(login), clock::unix_s());
    let located = located.map_err(|error| error.to_string())?;
    if !located.ours || located.tagged == spam {
        return Ok(None);
    }
    let proposer = Proposer { name: login.to_string(), proved: true };
    let facts = described(&located, proposer, Way::Keyword, spam);
    Ok(Some((located.octets, facts)))
}

/// The row goes in the same commit, so that it is no matter that it is there.
fn replaced(service: &Service, id: QueueId, octets: &[u8], facts: Proposal) -> Result<Option<Op>, String> {
    let body =
        super::kept::body(&service.store, &service.signing.seal, id, octets).map_err(|error| error.to_string())?;
    let row = super::kept::row(id, Kept::Proposal, body, super::facts::written(&facts), clock::unix_s());
    Ok(Some(Op::Quarantine(Box::new(row))))
}

#[cfg(test)]
mod tests {
    use mail::Keyword;

    use super::*;

    #[test]
    fn keywords_of_every_program_are_read_and_both_at_once_say_nothing() {
        let flags = |words: &[&str]| Flags {
            keywords: words.iter().filter_map(|word| Keyword::new(word)).collect(),
            ..Flags::default()
        };
        let cases: [(&[&str], Option<bool>); 7] = [
            (&["$Junk"], Some(true)),
            (&["junk", "$Forwarded"], Some(true)),
            (&["$NotJunk"], Some(false)),
            (&["NonJunk"], Some(false)),
            (&["$Junk", "NonJunk"], None),
            (&["$Forwarded"], None),
            (&[], None),
        ];
        for (words, said) in cases {
            assert_eq!(says(&flags(words)), said, "{words:?}");
            assert_eq!(
                mentions(&flags(words)),
                said.is_some() || words.len() == 2 && words[1] == "NonJunk",
                "{words:?}"
            );
        }
    }
}
