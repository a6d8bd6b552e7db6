//! Lists in DNS (RFC 5782), asked while the client still says who it is.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use decide::{Client, Listing};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::authenticate::reversed;
use crate::service::Service;

/// A list has so long from the beginning of the connection; who waits for it waits no longer.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// Questions under way, then what they came to.
pub struct Lists {
    answers: JoinSet<(String, Option<Vec<Ipv4Addr>>)>,
    until: Instant,
    listing: Listing,
}

impl Lists {
    /// Asks the lists that look at this client.
    pub fn ask(service: &Arc<Service>, client: &Client) -> Lists {
        let mut answers = JoinSet::new();
        if let Some(resolver) = &service.resolver {
            for (name, list) in decide::lists(&service.tables, client) {
                let question = format!("{}.{}", reversed(client.address.to_canonical()), list.zone);
                let (name, resolver) = (name.to_owned(), resolver.clone());
                answers.spawn(async move { (name, resolver.a(&question).await.ok()) });
            }
        }
        Lists { answers, until: Instant::now() + ANSWER_MAX, listing: Listing::default() }
    }

    /// What they came to. A list that does not answer in time is as if the client were not on it.
    pub async fn listing(&mut self, service: &Service, client: &Client) -> &Listing {
        if self.answers.is_empty() {
            return &self.listing;
        }
        let mut known: Vec<(String, Vec<Ipv4Addr>)> = Vec::new();
        while let Ok(Some(answer)) = timeout_at(self.until, self.answers.join_next()).await {
            match answer {
                Ok((name, Some(addresses))) => known.push((name, addresses)),
                Ok((name, None)) => tracing::debug!(list = name, "does not answer"),
                Err(error) => tracing::error!("a list was not asked: {error}"),
            }
        }
        self.answers = JoinSet::new();
        known.sort();
        let known: Vec<_> = known.iter().map(|(name, addresses)| (name.as_str(), addresses.clone())).collect();
        self.listing = decide::listed(&service.tables, &known);
        for list in &self.listing.noted {
            tracing::info!(client = %client.address, list, "listed");
        }
        &self.listing
    }
}
