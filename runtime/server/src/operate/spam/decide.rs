//! `facteur spam accept` and `reject`.

use decide::roles;
use serde::{Deserialize, Serialize};
use store::Op;

use super::super::manager::{Decider, decider};
use super::super::{Context, OperateError, Operation, Progress};
use super::counts::{self, Change, New, State};
use super::{Judged, alone, decided, opened, queue};
use crate::clock;
use crate::teaching::cases::{Case, Waiting};
use crate::teaching::facts::{Proposer, Taught};
use crate::teaching::kept;

/// Messages of one case that are learned: copies beyond say nothing new and would outweigh other mail.
const LEARNED_MAX: usize = 10;
/// Proposals closed in one commit.
const CLOSED_AT_ONCE: usize = 500;
/// Proposers that are kept beside a taught message.
const PROPOSERS_MAX: usize = 20;

/// `POST /spam/decide`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideSpam {
    /// Of the case, or of any proposal in it.
    pub id: String,
    /// Learn it; else only close the case.
    pub accept: bool,
    /// What it is; as proposed where this does not say.
    pub judged: Option<Judged>,
    /// The proposals of that very message alone, not those of its case.
    pub only: bool,
    /// The manager who decides.
    pub by: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecidedSpam {
    /// Messages that were learned, by the ids they can be forgotten under.
    pub taught: Vec<String>,
    /// Messages that had been learned as the same before.
    pub known: u64,
    pub closed: u64,
}

impl Operation for DecideSpam {
    type Response = DecidedSpam;
    const PATH: &'static str = "/spam/decide";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::Teach
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<DecidedSpam, OperateError> {
        let who = decider(context, &self, self.by.as_deref())?;
        let _alone = alone(context);
        let mut case = queue::case_of(context, &self.id)?;
        if self.only {
            let id = queue::id(&self.id)?;
            let hash = case.proposals.iter().find(|one| one.id == id).map(|one| one.facts.hash.clone());
            case.proposals.retain(|one| Some(&one.facts.hash) == hash.as_ref());
        }
        let done = if self.accept { accept(context, &case, self.judged, &who) } else { Ok(DecidedSpam::default()) };
        let done = done.and_then(|done| close(context, &case, &who, self.accept, done));
        decided(context);
        done
    }
}

/// Each message in a commit of its own with the proposals of it: whatever comes in between, what is learned is closed.
fn accept(context: &Context, case: &Case, judged: Option<Judged>, who: &Decider) -> Result<DecidedSpam, OperateError> {
    let judged = judged.or_else(|| case.spam().map(Judged::of)).ok_or_else(|| OperateError::BadRequest {
        why: "the proposals do not agree: say `--as spam` or `--as ham`".to_owned(),
    })?;
    let messages = case.messages();
    if messages.is_empty() {
        let why = "nothing can be learned from it: it was altered, or no message is attached; `reject` closes it";
        return Err(OperateError::BadRequest { why: why.to_owned() });
    }
    let mut done = DecidedSpam::default();
    for message in messages.into_iter().take(LEARNED_MAX) {
        context.go_on()?;
        let Some(row) = context.store.kept_one(message.id)? else { continue };
        let octets = opened(context, &row)?;
        let state = State::read(&context.store)?;
        let new = New { octets: &octets, taught: taught(case, message, judged, who) };
        let id = kept::taught_id(&message.facts.hash);
        let same: Vec<&Waiting> = case.proposals.iter().filter(|one| one.facts.hash == message.facts.hash).collect();
        let closing: Vec<Op> =
            same.iter().take(CLOSED_AT_ONCE).map(|one| Op::ReleaseQuarantined { id: one.id }).collect();
        let closed = closing.len() as u64;
        match counts::teach(context, &state, new)? {
            Some(change) => {
                let what = format!("taught message {id} as {}, proposed by {}", judged.word(), names(&same));
                change.commit(context, who, &what, closing)?;
                done.taught.push(id.to_string());
            }
            None => {
                let what =
                    format!("message {id} is taught as {} already, proposed again by {}", judged.word(), names(&same));
                Change::default().commit(context, who, &what, closing)?;
                done.known += 1;
            }
        }
        done.closed += closed;
    }
    Ok(done)
}

fn taught(case: &Case, message: &Waiting, judged: Judged, who: &Decider) -> Taught {
    let same = case.proposals.iter().filter(|one| one.facts.hash == message.facts.hash);
    let mut proposers: Vec<Proposer> = same.map(|one| one.facts.proposer.clone()).collect();
    proposers.sort();
    proposers.dedup();
    proposers.truncate(PROPOSERS_MAX);
    Taught {
        spam: judged.is_spam(),
        by: who.name(),
        at_s: clock::unix_s(),
        proposers,
        hash: message.facts.hash.clone(),
        message_id: message.facts.message_id.clone(),
        subject: message.facts.subject.clone(),
        from: message.facts.from.clone(),
        ..Taught::default()
    }
}

fn names(proposals: &[&Waiting]) -> String {
    let mut names: Vec<&str> = proposals.iter().map(|one| one.facts.proposer.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(5);
    names.join(", ")
}

/// Closes what is left of a case.
fn close(
    context: &Context,
    case: &Case,
    who: &Decider,
    accepted: bool,
    mut done: DecidedSpam,
) -> Result<DecidedSpam, OperateError> {
    let mut left = Vec::new();
    for one in &case.proposals {
        if context.store.kept_one(one.id)?.is_some() {
            left.push(one);
        }
    }
    for part in left.chunks(CLOSED_AT_ONCE) {
        let ops = part.iter().map(|one| Op::ReleaseQuarantined { id: one.id }).collect();
        let how = if accepted { "closed with its case" } else { "rejected" };
        let what = format!("{} proposals {how}, {}, by {}", part.len(), case.id(), names(part));
        Change { ops, ..Change::default() }.commit(context, who, &what, Vec::new())?;
        done.closed += part.len() as u64;
    }
    Ok(done)
}
