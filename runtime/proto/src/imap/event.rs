//! NOTIFY as a value (RFC 5465).

use super::command::{FetchItem, Name};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notify {
    /// Nothing is told that the client did not ask for.
    Nothing,
    /// `status`: how each mailbox stands now is told first.
    Set { status: bool, groups: Vec<EventGroup> },
}

/// Some mailboxes and what is told of them. A mailbox belongs to the first group that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventGroup {
    pub mailboxes: Mailboxes,
    pub events: Events,
}

/// RFC 5465 6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mailboxes {
    /// The selected one. `delayed`: that a message is gone is told when a command allows it.
    Selected {
        delayed: bool,
    },
    /// Where mail arrives.
    Inboxes,
    Personal,
    Subscribed,
    Subtree(Vec<Name>),
    Named(Vec<Name>),
}

/// RFC 5465 5. Nothing at all is `NONE`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// With what is fetched of a new message in the selected mailbox.
    pub message_new: Option<Vec<FetchItem>>,
    pub message_expunge: bool,
    pub flag_change: bool,
    pub mailbox_name: bool,
    pub subscription_change: bool,
    pub mailbox_metadata: bool,
    pub server_metadata: bool,
    /// One this server does not tell.
    pub unknown: bool,
}

impl Events {
    /// Is something told of messages?
    pub fn of_messages(&self) -> bool {
        self.message_new.is_some() || self.message_expunge || self.flag_change
    }
}
