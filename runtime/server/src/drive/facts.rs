//! What the spool keeps of the session beside a message: what the client asked of delivery, and which block took it.

use decide::Block;
use mail::Address;
use queue::facts::{HeldBy, MessageFacts, RecipientFacts, written};

use super::accept::Session;
use super::transaction::{Open, Recipient};
use crate::service::Service;

/// Of the message.
pub fn of_message(service: &Service, session: &Session<'_>, open: &Open) -> MessageFacts {
    let parameters = &open.parameters;
    let source = match session.block {
        Block::Send(index) => service.tables.send_block(index).1.source.clone(),
        Block::Receive(_) | Block::Read(_) => String::new(),
    };
    MessageFacts {
        ret: parameters.ret,
        envid: parameters.envid.clone(),
        body: parameters.body,
        smtputf8: parameters.smtputf8,
        require_tls: parameters.require_tls,
        source,
        login: session.client.account.as_ref().map(|account| account.login.to_string()),
        block: service.tables.block_path(session.block),
        authentication_results: open.authenticated.value.clone(),
        held: open.held_because.is_some(),
        held_by: if open.held_because.is_some() { HeldBy::Outgoing } else { HeldBy::Operator },
        held_because: open.held_because.clone().unwrap_or_default(),
        ..MessageFacts::default()
    }
}

/// Of a copy for `address` that `recipient` led to.
pub fn of_recipient(recipient: &Recipient, address: &Address) -> Vec<u8> {
    let same = recipient.found.address.folded() == address.folded();
    written(&RecipientFacts {
        notify: recipient.parameters.notify,
        orcpt: recipient.parameters.orcpt.clone(),
        behind: (!same).then(|| recipient.forward_path.clone()),
        parts: 0,
    })
}
