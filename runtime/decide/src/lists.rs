//! Lists in DNS at the door (`dns_lists`): which look at a client, and what follows from their answers.

use std::net::{IpAddr, Ipv4Addr};

use mail::{Code, reply};
use plan::{DnsList, OnListed};

use crate::class::{Block, Client};
use crate::reason::{Reason, Refusal};
use crate::row;
use crate::tables::Tables;

/// What the lists come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The refusal of every recipient, if one follows.
    pub refusal: Option<Refusal>,
    /// Lists the client is on that only say so.
    pub noted: Vec<String>,
}

/// The lists a client of a receiving block is looked up in, by name.
pub fn lists<'t>(tables: &'t Tables, client: &Client) -> Vec<(&'t str, &'t DnsList)> {
    let receiving = matches!(tables.block(client.listener, client.class), Some(Block::Receive(_)));
    if !receiving || !row::strangers_judge(tables, client) {
        return Vec::new();
    }
    let listener = tables.listener_name(client.listener);
    let lists = tables.plan().dns_lists.iter();
    lists
        .filter(|(_, list)| list.on.iter().any(|on| on == listener))
        .map(|(name, list)| (name.as_str(), list))
        .collect()
}

/// The verdict on what each list answered. A list without an entry here did not answer: the client is as if not on it.
/// What refuses for good is worse than what refuses for now.
pub fn listed(tables: &Tables, answers: &[(&str, Vec<Ipv4Addr>)]) -> Listing {
    let mut listing = Listing::default();
    for (name, addresses) in answers {
        let Some(list) = tables.plan().dns_lists.get(*name) else { continue };
        let counts = |address: &Ipv4Addr| list.answers.iter().any(|prefix| prefix.contains(IpAddr::V4(*address)));
        if !addresses.iter().any(counts) {
            continue;
        }
        match list.then {
            OnListed::Note => listing.noted.push((*name).to_owned()),
            OnListed::Refuse => {
                if listing.refusal.as_ref().is_none_or(|refusal| refusal.code.is_temporary()) {
                    listing.refusal = Some(refusal(reply::POLICY, name, list));
                }
            }
            OnListed::TryLater => {
                listing.refusal.get_or_insert_with(|| refusal(reply::WINDOW_FULL, name, list));
            }
        }
    }
    listing
}

fn refusal(code: Code, name: &str, list: &DnsList) -> Refusal {
    let text = format!("your address is on the list {}", list.zone);
    Refusal::new(code, Reason::Listed, format!("dns_lists.{name}"), text)
}
