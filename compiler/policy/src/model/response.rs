//! What is turned away by name, and how far managers may go against mail that is already here.

use serde::Deserialize;

use super::literal::{Date, DomainName, MailAddress, NetworkPrefix, Sha256, Span};
use crate::syntax::Spanned;

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    pub recall_alone_at_most: Spanned<u32>,
    pub block_at_most: Spanned<Span>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blocked {
    pub what: Spanned<BlockedWhat>,
    pub because: String,
    /// For good where nothing is written.
    #[serde(default)]
    pub until: Option<Spanned<Date>>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub enum BlockedWhat {
    Sender(MailAddress),
    SenderDomain(DomainName),
    Client(NetworkPrefix),
    UrlHost(DomainName),
    Attachment(Sha256),
    ReplyTo(MailAddress),
}
