//! Blocks, and bounds of what managers do.

use crate::model::response::{Blocked, BlockedWhat, Response};

pub(super) fn response(response: &Response) -> plan::Response {
    plan::Response {
        recall_alone_at_most: response.recall_alone_at_most.value,
        block_at_most_s: response.block_at_most.value.0,
    }
}

pub(super) fn blocked(blocked: &Blocked) -> plan::Blocked {
    plan::Blocked {
        what: what(&blocked.what.value),
        because: blocked.because.clone(),
        until: blocked.until.as_ref().map(|until| until.value.0.clone()),
    }
}

pub(crate) fn what(what: &BlockedWhat) -> plan::BlockedWhat {
    match what {
        BlockedWhat::Sender(address) => plan::BlockedWhat::Sender(address.0.clone()),
        BlockedWhat::SenderDomain(domain) => plan::BlockedWhat::SenderDomain(domain.0.clone()),
        BlockedWhat::Client(prefix) => plan::BlockedWhat::Client(prefix.0),
        BlockedWhat::UrlHost(domain) => plan::BlockedWhat::UrlHost(domain.0.clone()),
        BlockedWhat::Attachment(hash) => plan::BlockedWhat::Attachment(hash.0.clone()),
        BlockedWhat::ReplyTo(address) => plan::BlockedWhat::ReplyTo(address.0.clone()),
    }
}
