//! What waits for the writer: bounded, closed once.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

use crate::error::CommitError;
use crate::op::Op;
use crate::store::Done;

/// One commit on its way.
pub(crate) struct Queued {
    pub(crate) ops: Vec<Op>,
    pub(crate) done: Done,
}

impl Queued {
    /// Octets of bodies this commit still has to flush.
    fn unflushed_bytes(&self) -> u64 {
        self.ops.iter().flat_map(Op::bodies).filter(|body| !body.is_flushed()).map(|body| body.len()).sum()
    }
}

pub(crate) struct Queue {
    ops_max: usize,
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Queued>,
    ops: usize,
    /// The writer has nothing to do.
    idle: bool,
    closed: Option<CommitError>,
}

impl Queue {
    pub(crate) fn new(ops_max: usize) -> Queue {
        Queue { ops_max, state: Mutex::default(), filled: Condvar::new() }
    }

    /// Gives the commit back when there is no room or no writer. One that is longer than the queue goes in alone.
    pub(crate) fn push(&self, queued: Queued) -> Result<(), (Queued, CommitError)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(closed) = &state.closed {
            return Err((queued, closed.clone()));
        }
        if state.ops > 0 && state.ops + queued.ops.len() > self.ops_max {
            return Err((queued, CommitError::Busy));
        }
        state.ops += queued.ops.len();
        state.waiting.push_back(queued);
        // A call of the system that a writer at work does not need.
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        if idle {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Waits for work and takes a group: in order, within both bounds, at least one commit. `None` once closed and empty.
    pub(crate) fn take_group(&self, ops_max: usize, bytes_max: u64) -> Option<Vec<Queued>> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = |state: &mut State| {
            state.idle = state.waiting.is_empty() && state.closed.is_none();
            state.idle
        };
        let mut state = self.filled.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner);
        let (mut group, mut ops, mut bytes) = (Vec::new(), 0, 0);
        while let Some(next) = state.waiting.front() {
            let (next_ops, next_bytes) = (next.ops.len(), next.unflushed_bytes());
            if !group.is_empty() && (ops + next_ops > ops_max || bytes + next_bytes > bytes_max) {
                break;
            }
            ops += next_ops;
            bytes += next_bytes;
            state.ops -= next_ops;
            group.extend(state.waiting.pop_front());
        }
        if group.is_empty() { None } else { Some(group) }
    }

    /// No more commits come in, `why` is what they hear; what waits is still taken.
    pub(crate) fn close(&self, why: CommitError) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.closed.get_or_insert(why);
        drop(state);
        self.filled.notify_all();
    }

    /// Ops that wait now.
    pub(crate) fn ops(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).ops
    }
}
