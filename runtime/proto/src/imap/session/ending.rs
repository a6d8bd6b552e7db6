//! How telling items of messages ends: with the tagged reply of a FETCH, or with whatever was going on when the server told
//! them on its own account.

use super::state::{Expunges, Selected, Turn};
use crate::imap::command::Tag;
use crate::imap::response::{Code, Out, Reply};

/// What goes on once something was told.
pub type Next = Box<dyn FnOnce(Box<Selected>, &mut Out) -> Turn + Send>;

pub enum Ending {
    Command {
        tag: Tag,
        by_uid: bool,
    },
    /// Nobody waits for a reply: what could not be told is not told.
    Unsolicited(Next),
}

impl Ending {
    /// A message that another session expunged meanwhile: UID FETCH ignores it, FETCH says why something is missing
    /// (RFC 5530 EXPUNGEISSUED).
    pub fn reply(&self, missed: bool) -> Reply {
        match self {
            Ending::Command { by_uid: false, .. } if missed => {
                Reply::no(Code::ExpungeIssued, "some of the messages are gone")
            }
            Ending::Command { .. } | Ending::Unsolicited(_) => Reply::ok("FETCH done"),
        }
    }

    pub fn end(self, state: Box<Selected>, reply: &Reply, out: &mut Out) -> Turn {
        match self {
            Ending::Command { tag, by_uid } => {
                let expunges = if by_uid { Expunges::Told } else { Expunges::Held };
                state.done(&tag, reply, expunges, out)
            }
            Ending::Unsolicited(next) => next(state, out),
        }
    }
}
