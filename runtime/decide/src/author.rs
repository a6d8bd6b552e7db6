//! Who may be named in header From (RFC 5322 3.6.2) of what is submitted: what people read, and the reverse-path is not.

use mail::reply;
use plan::{As, HeaderFrom};

use crate::class::Block;
use crate::envelope::SenderClass;
use crate::reason::{Reason, Refusal};
use crate::tables::Tables;

/// Judges each author of a message a sending block takes; a receiving block judges none. No author poses as nobody. An
/// address that cannot be read is `Foreign`.
pub fn authors(tables: &Tables, block: Block, authors: &[SenderClass]) -> Result<(), Refusal> {
    let Block::Send(index) = block else { return Ok(()) };
    let (name, rules) = tables.send_block(index);
    let (allowed, field) = match rules.header_from {
        HeaderFrom::AsReversePath => (rules.as_, "as"),
        HeaderFrom::OwnAddresses => (As::OwnAddresses, "header_from"),
        HeaderFrom::OwnDomain => (As::OwnDomain, "header_from"),
        HeaderFrom::AnyAddress => (As::AnyAddress, "header_from"),
    };
    let passes = |author: &SenderClass| match (author, allowed) {
        (SenderClass::Empty | SenderClass::Own, _) | (_, As::AnyAddress) => true,
        (SenderClass::OwnDomain, As::OwnDomain) => true,
        (SenderClass::OwnDomain | SenderClass::Foreign, As::OwnAddresses) => false,
        (SenderClass::Foreign, As::OwnDomain) => false,
    };
    if authors.iter().all(passes) {
        return Ok(());
    }
    let text = match allowed {
        As::OwnAddresses => "the From of this message is not yours",
        As::OwnDomain | As::AnyAddress => "the From of this message is not in a domain of ours",
    };
    Err(Refusal::new(reply::POLICY, Reason::SenderNotYours, format!("may_send.{name}.{field}"), text))
}
