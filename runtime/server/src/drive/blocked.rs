//! Blocks, as facts for `decide::blocked`: at each recipient by client and reverse-path, at the end of a content by what is
//! in it. Whoever has a complaint reaches postmaster and abuse all the same.

use std::net::IpAddr;

use decide::{Block, BlockFacts, Reason, Refusal, Wants};
use mail::{Address, header, mime, reply};
use proto::smtp::ForwardPath;

use super::accept::{self, Reading, Session};
use super::transaction::{Open, lost};
use crate::clock;
use crate::service::Service;

/// The refusal of one recipient because of who sends.
pub(super) fn at_recipient(
    service: &Service,
    open: &Open,
    block: Block,
    client: IpAddr,
    forward_path: &ForwardPath,
) -> Option<Refusal> {
    let recipient = match forward_path {
        // The one of our main domain.
        ForwardPath::Postmaster => return None,
        ForwardPath::Address(address) if decide::hears_complaints(&service.tables, address) => return None,
        ForwardPath::Address(address) => address.folded(),
        // Judged for what it is.
        ForwardPath::Malformed(_) => return None,
    };
    let facts = BlockFacts {
        outgoing: matches!(block, Block::Send(_)),
        client: Some(client),
        reverse_path: open.reverse_path.address(),
        today: &service.today(),
        ..BlockFacts::default()
    };
    let current = service.blocks.current();
    let refusal = decide::blocked(&service.tables, &current.live, &facts, clock::unix_s())?;
    lost(service, &refusal, &open.reverse_path, &recipient);
    Some(refusal)
}

/// Whatever is in mail to those alone who hear complaints, they get it.
fn is_spared(service: &Service, open: &Open) -> bool {
    let complains = |address: &Address| decide::hears_complaints(&service.tables, address);
    open.recipients.iter().all(|recipient| complains(&recipient.forward_path))
}

fn wants(service: &Service, session: &Session<'_>) -> Wants {
    let outgoing = matches!(session.block, Block::Send(_));
    decide::wanted(&service.tables, &service.blocks.current().live, outgoing)
}

/// What a message must be read for: it is read no further than something blocked asks for.
pub(super) fn wants_inside(service: &Service, session: &Session<'_>, open: &Open) -> Wants {
    // What people report holds what is blocked.
    let hears = |address: &Address| decide::hears_complaints(&service.tables, address);
    let mut recipients = open.recipients.iter();
    if recipients.all(|recipient| hears(&recipient.forward_path) || accept::is_spared(service, recipient)) {
        return Wants::default();
    }
    Wants { authors: false, ..wants(service, session) }
}

/// Judges a content by its header, of which `start` has all.
pub(super) fn judge_header(service: &Service, session: &Session<'_>, open: &Open, start: &[u8]) -> Result<(), Refusal> {
    if is_spared(service, open) {
        return Ok(());
    }
    let wants = wants(service, session);
    let authors = if wants.authors || wants.reply_to { addresses(start, "from") } else { Vec::new() };
    let reply_to = if wants.reply_to { addresses(start, "reply-to") } else { Vec::new() };
    judge(service, session, open, BlockFacts { authors: &authors, reply_to: &reply_to, ..BlockFacts::default() })
}

/// Judges it by what is inside, as far as [`wants_inside`] asked for it.
pub(super) fn judge_inside(
    service: &Service,
    session: &Session<'_>,
    open: &Open,
    inside: &Reading,
) -> Result<(), Refusal> {
    let Reading { mailto, url_hosts, attachments, .. } = inside;
    if mailto.is_empty() && url_hosts.is_empty() && attachments.is_empty() {
        return Ok(());
    }
    judge(service, session, open, BlockFacts { reply_to: mailto, url_hosts, attachments, ..BlockFacts::default() })
}

fn judge(service: &Service, session: &Session<'_>, open: &Open, facts: BlockFacts<'_>) -> Result<(), Refusal> {
    let facts = BlockFacts {
        outgoing: matches!(session.block, Block::Send(_)),
        client: Some(session.told_address.unwrap_or(session.client.address)),
        reverse_path: open.reverse_path.address(),
        today: &service.today(),
        ..facts
    };
    let current = service.blocks.current();
    decide::blocked(&service.tables, &current.live, &facts, clock::unix_s()).map_or(Ok(()), Err)
}

/// What cannot be looked at may be blocked.
pub(super) fn trouble() -> Refusal {
    let text = "the message cannot be looked at now, try later";
    Refusal::new(reply::TROUBLE, Reason::StoreTrouble, "", text)
}

/// The addresses of every field of a name in a header section.
fn addresses(start: &[u8], name: &str) -> Vec<Address> {
    let text = |octets: &Option<Vec<u8>>| String::from_utf8_lossy(octets.as_deref().unwrap_or_default()).into_owned();
    let fields = header::fields(start).filter(|field| field.is(name));
    let listed = fields.flat_map(|field| mime::parse_addresses(&field.value()));
    let mailboxes = listed.filter(mime::Addr::is_mailbox);
    mailboxes.filter_map(|each| Address::new(&text(&each.mailbox), text(&each.host).parse().ok()?).ok()).collect()
}

/// The addresses a `mailto:` link writes to (RFC 6068 2).
pub(super) fn mailto(href: &str) -> Vec<Address> {
    let after = href.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:")).map_or(href, |_| &href[7..]);
    let (to, query) = after.split_once('?').unwrap_or((after, ""));
    let fields = query.split('&').filter_map(|field| field.split_once('='));
    let named = fields.filter(|(name, _)| ["to", "cc", "bcc"].iter().any(|field| name.eq_ignore_ascii_case(field)));
    let lists = std::iter::once(to).chain(named.map(|(_, value)| value));
    lists.flat_map(|list| list.split(',')).filter_map(|address| unescaped(address).trim().parse().ok()).collect()
}

/// Without percent escapes (RFC 3986 2.1).
fn unescaped(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.get(..2).and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match (first, escaped) {
            (b'%', Some(octet)) => {
                octets.push(octet);
                rest = &after[2..];
            }
            _ => {
                octets.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailto_link_says_whom_it_writes_to_however_it_is_escaped() {
        let cases = [
            ("mailto:a@b.example", "a@b.example"),
            ("MailTo:a%40b.example?subject=x", "a@b.example"),
            ("mailto:?to=a@b.example&Cc=c@d.example", "a@b.example c@d.example"),
            ("mailto:a@b.example,%20c@d.example", "a@b.example c@d.example"),
            ("mailto:%4", ""),
            ("mailto:é@", ""),
            ("", ""),
        ];
        for (href, wanted) in cases {
            let found: Vec<String> = mailto(href).iter().map(ToString::to_string).collect();
            assert_eq!(found.join(" "), wanted, "{href}");
        }
    }

    #[test]
    fn every_field_of_a_name_is_read() {
        let header = b"From: A <a@b.example>\r\nfrom: c@D.example, no address\r\nTo: e@f.example\r\n\r\n";
        let found: Vec<String> = addresses(header, "from").iter().map(Address::folded).collect();
        assert_eq!(found, ["a@b.example", "c@d.example"]);
    }
}
