//! The step `Antispam`: its facts, and who is judged at all.

use std::sync::Arc;

use decide::{Block, Refusal};
use mail::ReversePath;
use plan::BuiltInPass;

use super::Session;
use crate::clock;
use crate::content::Content;
use crate::drive::transaction::{Open, Recipient};
use crate::scan::score;
use crate::service::Service;
use crate::spam::{self, Facts, Judgement, Scored};

/// Does this recipient get the message unjudged and untagged?
pub fn is_spared(service: &Service, recipient: &Recipient) -> bool {
    decide::takes_corrections(&service.tables, &recipient.found.address)
}

fn is_judged(service: &Service, open: &Open) -> bool {
    service.tables.plan().antispam.is_some() && open.recipients.iter().any(|recipient| !is_spared(service, recipient))
}

/// The passes of our own that look at this message.
pub fn built_in(service: &Service, open: &Open) -> Vec<(String, BuiltInPass)> {
    if is_judged(service, open) { spam::ours(&service.tables) } else { Vec::new() }
}

/// What they judge by beside its octets.
pub fn facts(session: &Session<'_>, open: &Open) -> Facts {
    let stranger = !matches!(session.block, Block::Send(_));
    let client = session.told_address.unwrap_or(session.client.address);
    Facts {
        now_s: clock::unix_s(),
        reverse_path: match &open.reverse_path {
            ReversePath::Null => None,
            ReversePath::Address(address) => Some(address.to_string()),
        },
        stranger: stranger.then_some(client),
        hello: session.hello.as_ref().map(|hello| hello.name.as_str().to_owned()),
        results: stranger.then(|| open.authenticated.results.clone()),
        listed: session.listed.to_vec(),
    }
}

/// What the passes of the plan say, of which `ours` has our own; `None` where nobody among the recipients is judged.
pub async fn judged(
    service: &Arc<Service>,
    session: &Session<'_>,
    open: &Open,
    content: &Arc<Content>,
    ours: Vec<Scored>,
) -> Result<Option<Judgement>, Refusal> {
    if !is_judged(service, open) {
        return Ok(None);
    }
    let spares = open.recipients.iter().any(|recipient| is_spared(service, recipient));
    let client = session.told_address.unwrap_or(session.client.address);
    let hello = session.hello.as_ref().map(|hello| hello.name.as_str());
    let login = session.client.account.as_ref().map(|account| account.login.to_string());
    let queue_id = open.queue_id.to_string();
    let asked = score::Facts {
        client,
        hello,
        host: service.tables.listener_rules(session.client.listener).host.as_str(),
        login: login.as_deref(),
        reverse_path: &open.reverse_path,
        recipients: open.recipients.iter().map(|recipient| &recipient.forward_path).collect(),
        queue_id: &queue_id,
    };
    // Boxed: rare long waits for others, in a future every connection holds.
    let mut total = None;
    let judged = Box::pin(spam::judge(service, ours, &asked, content, spares, &mut total)).await;
    // Where somebody is spared no total refuses.
    open.recorded().content(|end| end.score = total.filter(|_| !spares));
    judged.map(Some)
}
