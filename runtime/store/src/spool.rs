//! Rows of the spool. The states and steps between them are `queue`'s; here are only their shapes.

use mail::{Address, ReversePath};

use crate::body::BodyRef;
use crate::id::QueueId;

/// A message we took responsibility for and have not placed yet.
#[derive(Clone, Debug)]
pub struct Enqueue {
    pub queue_id: QueueId,
    pub body: BodyRef,
    pub reverse_path: ReversePath,
    /// In the order of RCPT; never empty. The index is the recipient's number from now on.
    pub recipients: Vec<QueueRecipient>,
    /// Hash of the plan that accepted it.
    pub plan: String,
    pub accepted_at_s: i64,
    /// Opaque: DSN parameters, steps still to do.
    pub facts: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueRecipient {
    pub forward_path: Address,
    pub next_hop: NextHop,
    pub due_at_s: i64,
    /// Opaque: NOTIFY, ORCPT.
    pub facts: Vec<u8>,
}

/// Where a recipient's copy goes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextHop {
    /// A mailbox here.
    Local,
    /// What DNS says (RFC 5321 5.1).
    Mx,
    /// An entry of the plan's routes: a smart host, a capture.
    Route(String),
}

/// How a recipient ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    Delivered,
    /// A DSN or a loss record is in the same commit.
    Failed,
    /// Removed by an operator.
    Removed,
}

/// A spooled message with the recipients that still wait.
#[derive(Clone, Debug)]
pub struct QueueItem {
    pub queue_id: QueueId,
    pub body: BodyRef,
    pub reverse_path: ReversePath,
    pub plan: String,
    pub accepted_at_s: i64,
    pub facts: Vec<u8>,
    /// Never empty, in the order of their numbers.
    pub recipients: Vec<WaitingRecipient>,
}

/// What a schedule needs to know of a recipient that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waits {
    pub queue_id: QueueId,
    pub number: u32,
    pub forward_path: Address,
    pub next_hop: NextHop,
    pub due_at_s: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingRecipient {
    pub number: u32,
    pub forward_path: Address,
    pub next_hop: NextHop,
    pub due_at_s: i64,
    pub attempts: u32,
    pub last_reply: String,
    pub facts: Vec<u8>,
}
