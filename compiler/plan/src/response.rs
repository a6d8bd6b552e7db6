//! What is turned away by name, and how far managers may go against mail that is already here.

use serde::{Deserialize, Serialize};

use crate::network::Prefix;

/// Bounds of what managers do against an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// Mailboxes one manager may take a message out of; more ask for a second one.
    pub recall_alone_at_most: u32,
    /// The longest life of a block that is no entry of the policy.
    pub block_at_most_s: u64,
}

/// One thing mail is refused for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blocked {
    pub what: BlockedWhat,
    pub because: String,
    /// `YYYY-MM-DD`, the last day; `None` is for good.
    pub until: Option<String>,
}

/// What a block looks at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum BlockedWhat {
    /// Reverse-path or author of mail from outside.
    Sender(mail::Address),
    /// Their domain, and every one under it.
    SenderDomain(mail::Domain),
    /// The client that hands mail in.
    Client(Prefix),
    /// The host of a link, and every one under it.
    UrlHost(mail::Domain),
    /// SHA-256 of the decoded octets of an attachment, 64 hexadecimal digits in lower case.
    Attachment(String),
    /// Reply-To, From or a `mailto:` link of mail that people here send.
    ReplyTo(mail::Address),
}
