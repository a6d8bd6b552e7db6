//! Header From of what is submitted, as facts for `decide::authors`.

use decide::{Block, Client, Reason, Refusal, SenderClass};
use mail::{Address, ReversePath, header, mime, reply};

use super::accept::Session;
use super::transaction::owns;
use crate::service::Service;

/// Authors looked at; a message has one, a few at most.
const AUTHORS_MAX: usize = 100;

/// Judges the header that `start` begins with.
pub(super) fn judge(service: &Service, session: &Session<'_>, start: &[u8]) -> Result<(), Refusal> {
    match session.block {
        Block::Send(_) => {
            let classes = classes(service, session.client, start)?;
            decide::authors(&service.tables, session.block, &classes)
        }
        Block::Receive(_) | Block::Read(_) => Ok(()),
    }
}

fn classes(service: &Service, client: &Client, start: &[u8]) -> Result<Vec<SenderClass>, Refusal> {
    let mut classes = Vec::new();
    for field in header::fields(start).filter(|field| field.is("from")) {
        let listed = mime::parse_addresses(&field.value());
        let before = classes.len();
        for author in listed.iter().filter(|author| author.is_mailbox()) {
            if classes.len() == AUTHORS_MAX {
                let text = "more authors than a message can have";
                return Err(Refusal::new(reply::BAD_CONTENT, Reason::BadContent, "", text));
            }
            classes.push(class(service, client, author)?);
        }
        // A field no address can be read from shows people something all the same.
        if classes.len() == before {
            classes.push(SenderClass::Foreign);
        }
    }
    Ok(classes)
}

fn class(service: &Service, client: &Client, author: &mime::Addr) -> Result<SenderClass, Refusal> {
    let text = |octets: &Option<Vec<u8>>| String::from_utf8_lossy(octets.as_deref().unwrap_or_default()).into_owned();
    let address = text(&author.host).parse().ok().and_then(|host| Address::new(&text(&author.mailbox), host).ok());
    let Some(address) = address else { return Ok(SenderClass::Foreign) };
    let path = ReversePath::Address(address);
    let own = owns(service, client, &path)?;
    Ok(service.tables.sender_class(&path, own))
}
