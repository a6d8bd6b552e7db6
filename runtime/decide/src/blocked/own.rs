//! What may not be blocked: ourselves, and half the world.

use mail::Domain;
use plan::{BlockedWhat, Network, Prefix};

use crate::domain_set::provider_of;
use crate::domains::{self, DomainKind};
use crate::suffixes::{Division, PublicSuffixes};
use crate::tables::Tables;

/// The widest prefixes of clients, in bits.
const V4_BITS_MIN: u8 = 16;
const V6_BITS_MIN: u8 = 32;

/// Why a block of this would turn away what nobody means, in words for who asked.
pub fn too_wide(tables: &Tables, what: &BlockedWhat) -> Option<String> {
    match what {
        BlockedWhat::Sender(address) | BlockedWhat::ReplyTo(address) => {
            let ours = domains::find(tables.plan(), address.domain()) != DomainKind::NotOurs;
            ours.then(|| format!("{address} is one of ours; change the password of a stolen account instead"))
        }
        BlockedWhat::SenderDomain(domain) => our_domain(tables, domain).or_else(|| everybody(domain)),
        BlockedWhat::UrlHost(domain) => {
            our_domain(tables, domain).or_else(|| our_host(tables, domain)).or_else(|| everybody(domain))
        }
        BlockedWhat::Client(prefix) => our_client(tables, *prefix),
        BlockedWhat::Attachment(_) => None,
    }
}

/// Ours, or above one that is ours.
fn our_domain(tables: &Tables, domain: &Domain) -> Option<String> {
    let plan = tables.plan();
    if domains::find(plan, domain) != DomainKind::NotOurs {
        return Some(format!("{domain} is one of our domains"));
    }
    let under = |key: &&String| key.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'));
    plan.domains.keys().find(under).map(|key| format!("{domain} holds {key}, which is ours"))
}

/// A host people here are sent to.
fn our_host(tables: &Tables, domain: &Domain) -> Option<String> {
    let plan = tables.plan();
    let listeners = plan.listeners.values().map(|listener| listener.host.as_str());
    let web = plan.web.values().filter_map(|url| {
        let rest = url.split_once("://")?.1;
        let authority = rest.split(['/', '?', '#']).next()?;
        Some(authority.rsplit_once(':').map_or(authority, |(host, _)| host))
    });
    let within = |host: &&str| host.parse().is_ok_and(|host: Domain| host.is_within(domain));
    listeners.chain(web).find(within).map(|host| format!("{host} is a server of ours"))
}

/// A whole registry, or a provider of mailboxes for anybody.
fn everybody(domain: &Domain) -> Option<String> {
    if PublicSuffixes::pinned().is_suffix(domain, Division::Icann) {
        return Some(format!("{domain} is everybody under a registry; name one domain under it"));
    }
    let provider = provider_of(domain).filter(|provider| *provider == domain.as_str())?;
    Some(format!("{provider} is the provider of millions; block the one address with `sender`"))
}

fn our_client(tables: &Tables, prefix: Prefix) -> Option<String> {
    let shortest = if prefix.address().is_ipv4() { V4_BITS_MIN } else { V6_BITS_MIN };
    if prefix.length() < shortest {
        return Some(format!("{prefix} is too wide: at most a /{shortest}"));
    }
    let meets = |other: &&Prefix| prefix.contains(other.address()) || other.contains(prefix.address());
    let plan = tables.plan();
    let networks = plan.networks.iter().map(|(name, network)| (name, Network::prefixes(network)));
    let gateways = plan.gateways.iter().map(|(name, gateway)| (name, gateway.from.as_slice()));
    let found = networks.chain(gateways).find(|(_, prefixes)| prefixes.iter().any(|other| meets(&other)));
    found.map(|(name, _)| format!("{prefix} has addresses of \"{name}\", which the policy knows as ours"))
}
