//! Messages on their way in: written as bodies, then committed some at a time.

use std::time::Duration;

use mail::flag::KEYWORDS_MAX;
use mail::{Flags, MailboxName};
use store::{Append, CommitError, InternalDate, Op, PutError, Refusal};

use super::Run;
use crate::operate::{OperateError, Problem};

/// Messages of one commit. Deliveries wait for it, so it is short.
const MESSAGES_MAX: usize = 64;
/// Octets of one commit.
const OCTETS_MAX: u64 = 8 << 20;
/// How long to wait when the store's queue is full.
const BUSY_WAIT: Duration = Duration::from_millis(50);

/// A message of the source.
pub(super) struct Arrival {
    /// Where it comes from, for people.
    pub place: String,
    pub octets: Vec<u8>,
    pub flags: Flags,
    pub internal_date: InternalDate,
}

pub(super) struct Batch {
    mailbox: MailboxName,
    appends: Vec<(String, Append)>,
    octets: u64,
}

impl Batch {
    pub fn new(mailbox: MailboxName) -> Batch {
        Batch { mailbox, appends: Vec::new(), octets: 0 }
    }

    /// Adds a message; commits when there are enough. One that cannot fit into the quota is noted and writes nothing.
    pub fn add(&mut self, run: &mut Run, arrival: Arrival) -> Result<(), OperateError> {
        let Arrival { place, octets, mut flags, internal_date } = arrival;
        let size = octets.len() as u64;
        let left_octets = left(run)?.saturating_sub(self.octets);
        if size > left_octets {
            run.problem(Problem::OverQuota { place, octets: size, left_octets });
            return Ok(());
        }
        let body = match run.context.store.put_body(&[&octets]) {
            Ok(body) => body,
            Err(PutError::TooLarge) => {
                run.problem(Problem::TooLong { place });
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        flags.keywords = flags.keywords.into_iter().take(KEYWORDS_MAX).collect();
        let summary = crate::drive::summary(&octets);
        let (login, mailbox) = (run.login.clone(), self.mailbox.clone());
        self.appends.push((place, Append { login, mailbox, body, summary, flags, internal_date }));
        self.octets += size;
        if self.appends.len() >= MESSAGES_MAX || self.octets >= OCTETS_MAX {
            self.commit(run)?;
        }
        Ok(())
    }

    /// Commits what there is. A message the store refuses is noted and the others go in without it.
    pub fn commit(&mut self, run: &mut Run) -> Result<(), OperateError> {
        while !self.appends.is_empty() {
            run.context.go_on()?;
            let ops = self.appends.iter().map(|(_, append)| Op::Append(Box::new(append.clone()))).collect();
            match run.context.store.commit_wait(ops) {
                Ok(_) => {
                    run.imported.messages += self.appends.len() as u64;
                    run.imported.octets += self.octets;
                    self.appends.clear();
                    self.octets = 0;
                }
                Err(CommitError::Busy) => std::thread::sleep(BUSY_WAIT),
                Err(CommitError::Refused { op, why }) if op < self.appends.len() => {
                    let (place, append) = self.appends.remove(op);
                    self.octets -= append.body.len();
                    run.problem(problem(place, append.body.len(), why));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// What the account's quota leaves now, without the batch.
fn left(run: &Run) -> Result<u64, OperateError> {
    let usage = run.context.store.usage(&run.login)?;
    Ok(usage.quota_octets.saturating_sub(usage.used_octets))
}

fn problem(place: String, octets: u64, why: Refusal) -> Problem {
    match why {
        // Mail that came meanwhile took the room.
        Refusal::OverQuota { used_octets, quota_octets } => {
            Problem::OverQuota { place, octets, left_octets: quota_octets.saturating_sub(used_octets) }
        }
        other => Problem::Refused { place, why: other.to_string() },
    }
}
