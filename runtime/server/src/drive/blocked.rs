//! Blocks, as facts for `decide::blocked`: at each recipient by client and reverse-path, at the end of a content by what is
//! in it. Whoever has a complaint reaches postmaster and abuse all the same.

use std::net::IpAddr;
use std::sync::Arc;

use decide::{Block, BlockFacts, Reason, Refusal, Wants};
use mail::{Address, header, mime, reply};
use proto::smtp::ForwardPath;
use ring::digest;
use spam::view::{Scheme, View};

use super::accept::{Session, is_spared};
use super::transaction::{Open, Recipient, lost};
use crate::content::Content;
use crate::service::Service;
use crate::{clock, durable};

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

/// Judges a whole content, of which `start` holds the header. It is read no further than something blocked asks for.
pub(super) async fn judge(
    service: &Arc<Service>,
    session: &Session<'_>,
    open: &Open,
    content: &Arc<Content>,
    start: &[u8],
) -> Result<(), Refusal> {
    let complains = |address: &Address| decide::hears_complaints(&service.tables, address);
    if open.recipients.iter().all(|recipient| complains(&recipient.forward_path)) {
        return Ok(());
    }
    // What people report holds what is blocked.
    let reported = |it: &Recipient| complains(&it.forward_path) || is_spared(service, it);
    let is_report = open.recipients.iter().all(reported);
    let outgoing = matches!(session.block, Block::Send(_));
    let current = service.blocks.current();
    let wants = decide::wanted(&service.tables, &current.live, outgoing);
    let mut found = Found::default();
    if wants.authors || wants.reply_to {
        found.authors = addresses(start, "from");
    }
    if wants.reply_to {
        found.reply_to = addresses(start, "reply-to");
    }
    if !is_report && (wants.reply_to || wants.url_hosts || wants.attachments) {
        inside(service, content, wants, &mut found).await?;
    }
    let facts = BlockFacts {
        outgoing,
        client: Some(session.told_address.unwrap_or(session.client.address)),
        reverse_path: open.reverse_path.address(),
        authors: &found.authors,
        reply_to: &found.reply_to,
        url_hosts: &found.url_hosts,
        attachments: &found.attachments,
        today: &service.today(),
    };
    decide::blocked(&service.tables, &current.live, &facts, clock::unix_s()).map_or(Ok(()), Err)
}

/// What was found in a content.
#[derive(Debug, Default)]
struct Found {
    authors: Vec<Address>,
    reply_to: Vec<Address>,
    url_hosts: Vec<String>,
    attachments: Vec<String>,
}

/// Reads the whole content.
async fn inside(
    service: &Arc<Service>,
    content: &Arc<Content>,
    wants: Wants,
    found: &mut Found,
) -> Result<(), Refusal> {
    let trouble = || {
        let text = "the message cannot be looked at now, try later";
        Refusal::new(reply::TROUBLE, Reason::StoreTrouble, "", text)
    };
    let read = if !content.is_read_at_once() {
        // Long ones are read whole a few at a time, by their own thread.
        let permit = if content.is_spilled() { service.long_contents.acquire().await.ok() } else { None };
        let content = content.clone();
        let read = durable::blocking(move || content.start(usize::MAX).map(|whole| seen(&whole, wants))).await;
        drop(permit);
        read.ok_or_else(trouble)?
    } else {
        content.start(usize::MAX).map(|whole| seen(&whole, wants))
    };
    let read = read.map_err(|error| {
        tracing::error!("the content cannot be read: {error}");
        trouble()
    })?;
    found.reply_to.extend(read.reply_to);
    (found.url_hosts, found.attachments) = (read.url_hosts, read.attachments);
    Ok(())
}

/// Links and attachments of a message.
fn seen(message: &[u8], wants: Wants) -> Found {
    let view = View::read(message);
    let mut found = Found::default();
    if wants.reply_to {
        let links = view.links.iter().filter(|link| link.scheme == Scheme::Mailto);
        found.reply_to = links.flat_map(|link| mailto(&link.href)).collect();
    }
    if wants.url_hosts {
        found.url_hosts = view.url_hosts().into_iter().map(str::to_owned).collect();
    }
    if wants.attachments {
        found.attachments = view.attachments().iter().map(|file| sha256(&file.decoded())).collect();
    }
    found
}

/// In hexadecimal digits.
fn sha256(octets: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, octets);
    hash.as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
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
fn mailto(href: &str) -> Vec<Address> {
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
