//! `facteur queue`, `facteur drain`: what waits in the spool, and what an operator does with it.

mod act;
mod drain;
mod list;

use mail::Domain;
use serde::{Deserialize, Serialize};
use store::{NextHop, QueueId, QueueItem, WaitingRecipient};

use super::{Context, OperateError};
use crate::outbound;
pub use act::{Act, ActOn, Acted};
pub use drain::{Drain, Drained};
pub use list::{DownDestination, Listed, QueueList, QueueShow, Shown};

/// Messages read at a time.
const PAGE: usize = 200;

/// Which messages; all conditions that are given hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Filter {
    /// A waiting recipient is in this domain.
    pub domain: Option<String>,
    /// The reverse-path; empty for the null one.
    pub sender: Option<String>,
    /// Who sent it.
    pub login: Option<String>,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }

    fn has(&self, item: &QueueItem) -> bool {
        let domain = |wanted: &String| {
            let is = |one: &Domain| one.as_str().eq_ignore_ascii_case(wanted);
            item.recipients.iter().any(|recipient| is(recipient.forward_path.domain()))
        };
        let sender = |wanted: &String| match item.reverse_path.address() {
            Some(address) => address.to_string().eq_ignore_ascii_case(wanted),
            None => wanted.is_empty() || wanted == "<>",
        };
        let login = |wanted: &String| {
            let facts: queue::MessageFacts = queue::facts::read(&item.facts);
            facts.login.as_ref() == Some(wanted)
        };
        self.domain.as_ref().is_none_or(domain)
            && self.sender.as_ref().is_none_or(sender)
            && self.login.as_ref().is_none_or(login)
    }
}

/// A message of the spool. Times are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    pub queue_id: String,
    /// Empty for the null reverse-path.
    pub sender: String,
    pub login: Option<String>,
    pub accepted_at_s: i64,
    pub size_octets: u64,
    pub held: bool,
    /// Why it is held; empty when it is not.
    pub because: String,
    pub recipients: Vec<Waiting>,
    /// Recipients that are not shown.
    pub more: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub address: String,
    pub next_hop: String,
    pub due_at_s: i64,
    pub attempts: u32,
    pub last_reply: String,
}

fn queued(context: &Context, item: &QueueItem, recipients_max: usize) -> Queued {
    let facts: queue::MessageFacts = queue::facts::read(&item.facts);
    let because = match &context.server {
        Some(service) => outbound::held_because(service, &facts),
        None => facts.held.then(|| facts.held_because.clone()),
    };
    Queued {
        queue_id: item.queue_id.to_string(),
        sender: item.reverse_path.address().map(ToString::to_string).unwrap_or_default(),
        login: facts.login,
        accepted_at_s: item.accepted_at_s,
        size_octets: item.body.len(),
        held: because.is_some(),
        because: because.unwrap_or_default(),
        recipients: item.recipients.iter().take(recipients_max).map(waiting).collect(),
        more: item.recipients.len().saturating_sub(recipients_max),
    }
}

fn waiting(recipient: &WaitingRecipient) -> Waiting {
    Waiting {
        address: recipient.forward_path.to_string(),
        next_hop: match &recipient.next_hop {
            NextHop::Local => "local".to_owned(),
            NextHop::Mx => "remote".to_owned(),
            NextHop::Route(route) => route.clone(),
        },
        due_at_s: recipient.due_at_s,
        attempts: recipient.attempts,
        last_reply: recipient.last_reply.clone(),
    }
}

/// 32 hexadecimal digits, as replies and logs have them.
pub(crate) fn parse_id(text: &str) -> Option<QueueId> {
    let mut id = [0; 16];
    if text.len() != 32 || !text.is_ascii() {
        return None;
    }
    for (at, octet) in id.iter_mut().enumerate() {
        *octet = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(QueueId(id))
}

fn id(text: &str) -> Result<QueueId, OperateError> {
    parse_id(text).ok_or_else(|| OperateError::NoSuchMessage { id: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written_and_nothing_else_is() {
        let id = QueueId([7; 16]);
        assert_eq!(parse_id(&id.to_string()), Some(id));
        for bad in ["", "07", "g7070707070707070707070707070707", "é070707070707070707070707070707"] {
            assert_eq!(parse_id(bad), None, "{bad}");
        }
    }
}
