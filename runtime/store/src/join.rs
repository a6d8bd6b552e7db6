//! One commit in several shards: the parts are sent out, the answers come together in the order of the ops.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::CommitError;
use crate::op::{Op, OpResult};
use crate::route::Share;
use crate::shard::Shard;
use crate::store::Done;

/// A commit under way.
pub(crate) struct Join(Mutex<State>);

struct State {
    /// What shard 0 is asked once the others are done.
    last: Option<Share>,
    waiting: usize,
    answers: BTreeMap<usize, Vec<OpResult>>,
    failed: Option<CommitError>,
    done: Option<Done>,
}

impl Join {
    pub(crate) fn start(shards: Arc<Vec<Shard>>, mut shares: BTreeMap<u8, Share>, done: Done) {
        let last = shares.remove(&0);
        if shares.is_empty() {
            let last = last.unwrap_or_default();
            // A person whose account lies in shard 0 is two ops there and one to the caller.
            if last.windows(2).any(|pair| pair[0].0 == pair[1].0) {
                let state = State { last: None, waiting: 1, answers: BTreeMap::new(), failed: None, done: Some(done) };
                return Join::send(&Arc::new(Join(Mutex::new(state))), &shards, 0, last);
            }
            return shards[0].commit(last.into_iter().map(|(_, op)| op).collect(), done);
        }
        if shares.len() == 1
            && last.is_none()
            && let Some((shard, share)) = shares.pop_first()
        {
            // Every op is in it, in order: the answer is the answer.
            return shards[usize::from(shard)].commit(share.into_iter().map(|(_, op)| op).collect(), done);
        }
        let state = State { last, waiting: shares.len(), answers: BTreeMap::new(), failed: None, done: Some(done) };
        let join = Arc::new(Join(Mutex::new(state)));
        for (shard, share) in shares {
            Join::send(&join, &shards, shard, share);
        }
    }

    fn send(join: &Arc<Join>, shards: &Arc<Vec<Shard>>, shard: u8, share: Share) {
        let (indexes, ops): (Vec<usize>, Vec<Op>) = share.into_iter().unzip();
        let (join, all) = (join.clone(), shards.clone());
        let heard = move |answer| Join::heard(&join, &all, &indexes, answer);
        shards[usize::from(shard)].commit(ops, Box::new(heard));
    }

    fn heard(
        join: &Arc<Join>,
        shards: &Arc<Vec<Shard>>,
        indexes: &[usize],
        answer: Result<Vec<OpResult>, CommitError>,
    ) {
        let mut state = join.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        match answer {
            Ok(results) => {
                for (index, result) in indexes.iter().zip(results) {
                    state.answers.entry(*index).or_default().push(result);
                }
            }
            Err(CommitError::Refused { op, why }) => {
                let op = indexes.get(op).copied().unwrap_or(op);
                state.failed = Some(CommitError::Refused { op, why });
            }
            Err(error) => {
                state.failed.get_or_insert(error);
            }
        }
        if state.waiting > 0 {
            return;
        }
        if state.failed.is_none()
            && let Some(last) = state.last.take()
        {
            state.waiting = 1;
            drop(state);
            return Join::send(join, shards, 0, last);
        }
        let Some(done) = state.done.take() else { return };
        let answer = match state.failed.take() {
            Some(error) => Err(error),
            None => Ok(std::mem::take(&mut state.answers).into_values().map(merge).collect()),
        };
        drop(state);
        done(answer);
    }
}

/// The answers of the shards to one op.
fn merge(answers: Vec<OpResult>) -> OpResult {
    let mut merged: Option<OpResult> = None;
    for answer in answers {
        merged = Some(match (merged, answer) {
            (
                Some(OpResult::Delivered { duplicate, mut placed }),
                OpResult::Delivered { duplicate: other, placed: more },
            ) => {
                placed.extend(more);
                OpResult::Delivered { duplicate: duplicate && other, placed }
            }
            (Some(OpResult::Taken(mut taken)), OpResult::Taken(more)) => {
                taken.extend(more);
                OpResult::Taken(taken)
            }
            (Some(OpResult::Trimmed(rows)), OpResult::Trimmed(more)) => OpResult::Trimmed(rows + more),
            (_, answer) => answer,
        });
    }
    merged.unwrap_or(OpResult::Done)
}
