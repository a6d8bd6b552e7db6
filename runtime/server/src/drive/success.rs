//! Notifications of success for what ended here (RFC 3461 5.2.3, 5.2.7.3): in mailboxes, or spread by an alias. What goes
//! on to one other server is told of when that server has it.

use std::sync::Arc;

use mail::{EnhancedCode, Notify};
use queue::dsn::{About, Action, Kind};
use queue::{MessageFacts, RecipientFacts};
use store::PutError;

use super::transaction::{Open, Recipient};
use crate::outbound::notify::{self, Notice, Of};
use crate::service::Service;

/// 2.1.5, RFC 3463 3.2: the destination address is valid.
const STATUS: EnhancedCode = EnhancedCode(2, 1, 5);

/// What goes into the commit that places the message. `start` is its beginning: only the header comes back.
pub async fn notice(service: &Arc<Service>, open: &Open, start: &[u8], at_s: i64) -> Result<Notice, PutError> {
    let asks = |notify: Option<Notify>| {
        let due = decide::dsn(true, false, decide::Notify::Success) == Some(decide::Dsn::Success);
        due && notify.is_some_and(|notify| notify.success)
    };
    let told: Vec<_> = open
        .recipients
        .iter()
        .filter(|recipient| asks(recipient.parameters.notify))
        .filter_map(|recipient| Some((recipient, action(recipient)?, facts(recipient))))
        .collect();
    if told.is_empty() {
        return Ok(Notice::default());
    }
    let about = told.iter().map(|(recipient, action, facts)| About {
        recipient: &recipient.forward_path,
        facts,
        action: *action,
        status: STATUS,
        remote: None,
        said: "",
        rule: "",
        last_attempt_s: None,
    });
    let facts = MessageFacts {
        envid: open.parameters.envid.clone(),
        smtputf8: open.parameters.smtputf8,
        ..MessageFacts::default()
    };
    let of = Of { reverse_path: &open.reverse_path, accepted_at_s: at_s, facts: &facts, content: start };
    notify::notice(service, &of, Kind::Success, &about.collect::<Vec<_>>()).await
}

/// What became of it here; nothing where it only goes on.
fn action(recipient: &Recipient) -> Option<Action> {
    match (recipient.found.logins.len(), recipient.found.away.len()) {
        (0, 0 | 1) => None,
        (1, 0) => Some(Action::Delivered),
        _ => Some(Action::Expanded),
    }
}

fn facts(recipient: &Recipient) -> RecipientFacts {
    RecipientFacts { orcpt: recipient.parameters.orcpt.clone(), ..RecipientFacts::default() }
}
