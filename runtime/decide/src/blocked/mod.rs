//! What is turned away by name: the entries of `blocked`, and the blocks managers set by a command. Both only narrow: a
//! block refuses mail that everything else would take, and takes nothing anything else refuses.

mod own;
mod register;

use std::net::IpAddr;

use mail::{Address, reply};
use plan::BlockedWhat;

use crate::domains::{self, DomainKind};
use crate::reason::{Reason, Refusal};
use crate::tables::Tables;

pub use own::too_wide;
pub(crate) use register::Register;
pub use register::{LiveBlock, LiveBlocks, Wants};

/// What is known of a message so far. What is not known yet is empty, and is not judged.
#[derive(Clone, Copy, Debug, Default)]
pub struct BlockFacts<'f> {
    /// People or machines here send it.
    pub outgoing: bool,
    /// The client it comes from, as a gateway tells it where one does.
    pub client: Option<IpAddr>,
    pub reverse_path: Option<&'f Address>,
    /// Header From.
    pub authors: &'f [Address],
    /// Reply-To and `mailto:` links; read of outgoing mail alone.
    pub reply_to: &'f [Address],
    /// Hosts of links: A-labels in lower case, or IP addresses.
    pub url_hosts: &'f [String],
    /// SHA-256 of the decoded octets of attachments, 64 hexadecimal digits in lower case.
    pub attachments: &'f [String],
    /// `YYYY-MM-DD` in the institution's time zone, for entries of the policy.
    pub today: &'f str,
}

/// The refusal of a message that something is blocked for; entries of the policy speak first.
///
/// `Sender` and `SenderDomain` judge mail from outside alone, `ReplyTo` mail of people here alone, the others both.
pub fn blocked(tables: &Tables, live: &LiveBlocks, facts: &BlockFacts<'_>, now_s: i64) -> Option<Refusal> {
    let found = tables.blocked.find(facts, now_s).or_else(|| live.find(facts, now_s))?;
    let text = match found.what {
        BlockedWhat::Sender(_) | BlockedWhat::SenderDomain(_) => "mail from this sender is not taken here",
        BlockedWhat::Client(_) => "mail from your address is not taken here",
        BlockedWhat::UrlHost(_) => "a link in this message leads where no mail of ours may lead",
        BlockedWhat::Attachment(_) => "an attachment of this message is not taken here",
        BlockedWhat::ReplyTo(_) => "this message asks for answers at an address that is blocked here",
    };
    Some(Refusal::new(reply::POLICY, Reason::Blocked, found.rule.clone(), text))
}

/// What has to be read of a message before it can be judged.
pub fn wanted(tables: &Tables, live: &LiveBlocks, outgoing: bool) -> Wants {
    tables.blocked.wants(outgoing).or(live.wants(outgoing))
}

/// Is this the address of ours that hears of complaints (RFC 5321 4.5.1, RFC 2142 4 and 5)? No block is in its way.
pub fn hears_complaints(tables: &Tables, address: &Address) -> bool {
    let named = ["postmaster", "abuse"].iter().any(|name| address.local().eq_ignore_ascii_case(name));
    named && domains::find(tables.plan(), address.domain()) != DomainKind::NotOurs
}

#[cfg(test)]
mod tests;
