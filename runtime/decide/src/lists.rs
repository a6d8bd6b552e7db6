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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn tables(lists: &[(&str, OnListed)]) -> Option<Tables> {
        let top = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/office/policy.plan.ron");
        let mut plan = plan::read(&std::fs::read_to_string(top).ok()?).ok()?;
        for (name, then) in lists {
            let list = DnsList {
                zone: format!("{name}.example").parse().ok()?,
                on: vec!["mx".to_owned()],
                answers: vec!["127.0.0.0/29".parse().ok()?],
                then: *then,
            };
            plan.dns_lists.insert((*name).to_owned(), list);
        }
        Tables::new(Arc::new(plan)).ok()
    }

    #[test]
    fn the_worst_list_decides_and_answers_outside_its_prefixes_do_not_count() {
        let tables = tables(&[("a", OnListed::TryLater), ("b", OnListed::Refuse), ("c", OnListed::Note)]).unwrap();
        let on = |name: &'static str, last: u8| (name, vec![Ipv4Addr::new(127, 0, 0, last)]);
        let rule = |answers: &[_]| listed(&tables, answers).refusal.map(|it| (it.code.basic, it.rule));
        assert_eq!(rule(&[]), None);
        assert_eq!(rule(&[on("a", 2)]), Some((451, "dns_lists.a".to_owned())));
        assert_eq!(rule(&[on("a", 2), on("b", 2)]), Some((550, "dns_lists.b".to_owned())));
        assert_eq!(rule(&[on("b", 255), ("a", vec![])]), None);
        assert_eq!(rule(&[("b", vec![Ipv4Addr::new(192, 0, 2, 1)])]), None);
        let noted = listed(&tables, &[on("c", 4)]);
        assert_eq!((noted.refusal, noted.noted), (None, vec!["c".to_owned()]));
    }
}
