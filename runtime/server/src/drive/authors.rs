//! Header From of what is submitted, as facts for `decide::authors`.

use decide::{Block, Client, Reason, Refusal, SenderClass};
use mail::{Address, ReversePath, header, mime, reply};

use super::accept::Session;
use super::transaction::{delegated, owns};
use crate::delegations::Manner;
use crate::service::Service;

/// Authors looked at; a message has one, a few at most.
const AUTHORS_MAX: usize = 100;

/// Judges the header that `start` begins with: the address that belongs into a field Sender, where it has to be written.
pub(super) fn judge(service: &Service, session: &Session<'_>, start: &[u8]) -> Result<Option<Address>, Refusal> {
    match session.block {
        Block::Send(_) => {
            let authors = authors(start)?;
            let classes = classes(service, session.client, &authors)?;
            decide::authors(&service.tables, session.block, &classes)?;
            sender(service, session, &authors, start)
        }
        Block::Receive(_) | Block::Read(_) => Ok(None),
    }
}

/// Who writes on behalf of somebody is named in Sender (RFC 5322 3.6.2), and nobody else is.
fn sender(
    service: &Service,
    session: &Session<'_>,
    authors: &[Option<Address>],
    start: &[u8],
) -> Result<Option<Address>, Refusal> {
    let client = session.client;
    let (Some(account), Block::Send(index)) = (&client.account, session.block) else { return Ok(None) };
    let mut on_behalf = false;
    for author in authors.iter().flatten() {
        on_behalf |= delegated(service, client, author)? == Some(Manner::OnBehalf);
    }
    if !on_behalf {
        return Ok(None);
    }
    let trouble = |error: store::ReadError| {
        tracing::error!("the directory cannot be read: {error}");
        Refusal::new(reply::TROUBLE, Reason::StoreTrouble, "", "the sender cannot be checked now, try later")
    };
    let Some(row) = service.store.person(&account.login).map_err(trouble)? else { return Ok(None) };
    let fields: Vec<_> = header::fields(start).filter(|field| field.is("sender")).collect();
    let named: Vec<_> = fields.iter().flat_map(|field| mime::parse_addresses(&field.value())).collect();
    let mut is_theirs = fields.is_empty() || !named.is_empty();
    for named in &named {
        is_theirs &= match address(named) {
            Some(named) => service.store.owns(&account.login, &named).map_err(trouble)?,
            None => false,
        };
    }
    if !is_theirs {
        let rule = format!("may_send.{}.header_from", service.tables.send_block(index).0);
        let text = "the Sender of this message is not yours, and you write on behalf of its author";
        return Err(Refusal::new(reply::POLICY, Reason::SenderNotYours, rule, text));
    }
    Ok(fields.is_empty().then_some(row.person.address))
}

/// The authors; `None` for one that is no address here.
fn authors(start: &[u8]) -> Result<Vec<Option<Address>>, Refusal> {
    let mut authors = Vec::new();
    for field in header::fields(start).filter(|field| field.is("from")) {
        let listed = mime::parse_addresses(&field.value());
        let before = authors.len();
        for author in listed.iter().filter(|author| author.is_mailbox()) {
            if authors.len() == AUTHORS_MAX {
                let text = "more authors than a message can have";
                return Err(Refusal::new(reply::BAD_CONTENT, Reason::BadContent, "", text));
            }
            authors.push(address(author));
        }
        // A field no address can be read from shows people something all the same.
        if authors.len() == before {
            authors.push(None);
        }
    }
    Ok(authors)
}

fn classes(service: &Service, client: &Client, authors: &[Option<Address>]) -> Result<Vec<SenderClass>, Refusal> {
    let class = |author: &Option<Address>| {
        let Some(address) = author else { return Ok(SenderClass::Foreign) };
        let path = ReversePath::Address(address.clone());
        let own = owns(service, client, &path)?;
        Ok(service.tables.sender_class(&path, own))
    };
    authors.iter().map(class).collect()
}

fn address(author: &mime::Addr) -> Option<Address> {
    let text = |octets: &Option<Vec<u8>>| String::from_utf8_lossy(octets.as_deref().unwrap_or_default()).into_owned();
    text(&author.host).parse().ok().and_then(|host| Address::new(&text(&author.mailbox), host).ok())
}
