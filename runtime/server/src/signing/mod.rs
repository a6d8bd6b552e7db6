//! What we put our name to: DKIM signatures on mail of ours that leaves, ARC seals on mail of others that goes on.
//!
//! INVARIANT (no-vouching): a domain of ours signs what its own people, machines and this server sent. Mail that only passes
//! through is signed where its From is not ours, or was proved to be.
//! INVARIANT (never-in-the-way): a message that cannot be signed leaves unsigned, and the log says why.

mod arc;
mod canonical;
mod dkim;
mod keeper;
mod key;
pub mod keys;
mod message;
pub mod rotation;
mod seal;

use std::sync::Arc;
use std::time::Duration;

use mail::Domain;
use plan::{Plan, SigningAlgorithm};
use queue::MessageFacts;
use store::{ReadError, Store};

use dkim::Signer;
pub use keeper::keep;
use keys::Keys;
pub use message::Octets;
use message::{Message, Unsigned};
pub use seal::Seal;

use crate::service::Service;
use crate::site::{Outbound, Site};
use crate::{clock, durable};

/// Longest time a message waits for its signatures.
const SIGNED_WITHIN: Duration = Duration::from_secs(10);

/// The keys of this server, and whom they are for.
pub struct Signing {
    pub(crate) seal: Seal,
    /// The institution's own first; empty where nothing is signed.
    domains: Vec<Domain>,
    keys: Keys,
}

impl Signing {
    /// Takes the keys of the store into use. Nothing is signed where nothing leaves.
    pub fn load(plan: &Plan, site: &Site, store: &Store, seal: Seal) -> Result<Signing, ReadError> {
        let signs = plan.signing.is_some() && site.outbound == Outbound::Network;
        let domains = if signs { keys::domains(plan) } else { Vec::new() };
        let signing = Signing { seal, domains, keys: Keys::default() };
        for domain in &signing.domains {
            signing.keys.set(domain, &keys::read(store, domain)?, &signing.seal);
        }
        Ok(signing)
    }

    /// DKIM signatures of a message that is ours.
    fn own(&self, message: &Message, at_s: i64) -> Result<Vec<u8>, Unsigned> {
        let Some(institution) = self.domains.first() else { return Ok(Vec::new()) };
        let from = from_domain(message);
        let domain = from.and_then(|from| keys::signs_for(&self.domains, &from)).unwrap_or(institution);
        self.signatures(domain, message, at_s)
    }

    /// Signature and seal of a message that goes on.
    fn forwarded(&self, message: &Message, results: &str, at_s: i64) -> Result<Vec<u8>, Unsigned> {
        let Some(institution) = self.domains.first() else { return Ok(Vec::new()) };
        // INVARIANT (no-vouching)
        let ours = from_domain(message).is_none_or(|from| keys::signs_for(&self.domains, &from).is_some());
        let vouched = !ours || arc::result_of(results, "dmarc") == Some("pass");
        let signatures = if vouched { self.signatures(institution, message, at_s)? } else { Vec::new() };
        let keys = self.keys.of(institution);
        let rsa = keys.iter().find(|key| key.private.algorithm() == SigningAlgorithm::RsaSha256);
        let Some(key) = rsa.or(keys.first()) else { return Err(Unsigned::NoKey) };
        let signer = Signer { domain: institution, selector: &key.selector, key: &key.private };
        let set = arc::set(&signer, &message.under(&signatures), results, at_s)?;
        Ok([set, signatures].concat())
    }

    fn signatures(&self, domain: &Domain, message: &Message, at_s: i64) -> Result<Vec<u8>, Unsigned> {
        let keys = self.keys.of(domain);
        if keys.is_empty() {
            return Err(Unsigned::NoKey);
        }
        let mut all = Vec::new();
        for key in &keys {
            let signer = Signer { domain, selector: &key.selector, key: &key.private };
            all.extend(dkim::signature(&signer, message, at_s)?);
        }
        Ok(all)
    }
}

/// The domain of the one address in From, as far as it has one.
fn from_domain(message: &Message) -> Option<Domain> {
    let field = message.fields().find(|field| field.is("from"))?;
    let addresses = mail::mime::parse_addresses(&field.value());
    let host = addresses.into_iter().find_map(|address| address.host)?;
    std::str::from_utf8(&host).ok()?.parse().ok()
}

/// The lines that go in front of a message of ours that leaves: its signatures. The message is `front`, lines of its header
/// section, and `content` behind them.
pub async fn head<M: Octets + Send + Sync + 'static>(
    service: &Arc<Service>,
    front: &[u8],
    content: &Arc<M>,
) -> Vec<u8> {
    made(service, front, content, |signing, message, at_s| signing.own(message, at_s)).await
}

/// The lines that go in front of a message of others that goes on: an ARC set, and our signature where it vouches for
/// nothing. `facts` has what authentication said.
pub async fn forwarded_head<M: Octets + Send + Sync + 'static>(
    service: &Arc<Service>,
    facts: &MessageFacts,
    front: &[u8],
    content: &Arc<M>,
) -> Vec<u8> {
    let results = facts.authentication_results.clone();
    made(service, front, content, move |signing, message, at_s| signing.forwarded(message, &results, at_s)).await
}

async fn made<M: Octets + Send + Sync + 'static>(
    service: &Arc<Service>,
    front: &[u8],
    content: &Arc<M>,
    make: impl FnOnce(&Signing, &Message, i64) -> Result<Vec<u8>, Unsigned> + Send + 'static,
) -> Vec<u8> {
    if service.signing.domains.is_empty() {
        return Vec::new();
    }
    let (worker, front, content) = (service.clone(), front.to_vec(), content.clone());
    let work = durable::blocking(move || {
        let message = Message::read(&front, content.as_ref())?;
        make(&worker.signing, &message, clock::unix_s())
    });
    let signed = match tokio::time::timeout(SIGNED_WITHIN, work).await {
        Ok(signed) => signed.unwrap_or(Err(Unsigned::Crypto)),
        Err(_) => Err(Unsigned::Slow),
    };
    match signed {
        Ok(lines) => {
            service.metrics.signed.with_label_values(&["signed"]).inc();
            lines
        }
        Err(why) => {
            service.metrics.signed.with_label_values(&["unsigned"]).inc();
            tracing::warn!("a message leaves unsigned: {why}");
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests;
