//! The loopback view of a policy's networks: 127.N.0.0/16 stands for the N-th network, 127.0.0.1 for `Rest`.

use std::net::{IpAddr, Ipv4Addr};

use decide::{ClassId, Tables};
use plan::{Prefix, SourceMap};
use server::SeenAs;

/// How `Rest` is seen: a benchmarking address no institution has (RFC 2544).
const REST: Ipv4Addr = Ipv4Addr::new(198, 18, 4, 7);

/// One network as a client on this machine reaches it.
#[derive(Clone, Debug)]
pub struct Network {
    pub name: String,
    pub class: ClassId,
    /// The address a client binds to be in it.
    pub source: IpAddr,
    /// The address the server sees.
    pub seen_as: IpAddr,
}

/// The networks in the order the policy writes them; those the source map does not place come last, by name.
pub fn networks(tables: &Tables, map: &SourceMap) -> Vec<Network> {
    let plan = tables.plan();
    let place = |name: &String| {
        let place = map.places.get(&format!("networks.{name}"));
        place.map_or((u32::MAX, 0, 0), |place| (place.file, place.line, place.column))
    };
    let mut names: Vec<&String> = plan.networks.keys().collect();
    names.sort_by_key(|name| (place(name), name.as_str()));
    let mut list = Vec::new();
    for (index, name) in names.into_iter().enumerate().take(254) {
        let Some(class) = tables.network(name) else { continue };
        let source = IpAddr::V4(Ipv4Addr::new(127, index as u8 + 1, 0, 1));
        list.push(Network { name: name.clone(), class, source, seen_as: seen_as(tables, name, class) });
    }
    list
}

/// The first host of the network's first prefix that no narrower network holds.
fn seen_as(tables: &Tables, name: &str, class: ClassId) -> IpAddr {
    let prefixes = tables.plan().networks[name].prefixes();
    let first = prefixes.iter().map(Prefix::first_host).find(|host| tables.class_of(*host) == class);
    let rest = [REST, Ipv4Addr::new(203, 0, 113, 9), Ipv4Addr::new(198, 51, 100, 9), Ipv4Addr::new(192, 0, 2, 9)];
    let any = rest.into_iter().map(IpAddr::V4).find(|host| tables.class_of(*host) == class);
    first.or(any).unwrap_or(IpAddr::V4(REST))
}

/// The rows of the site's client address table.
pub fn view(networks: &[Network]) -> Vec<SeenAs> {
    let mut rows = Vec::new();
    for network in networks {
        let IpAddr::V4(source) = network.source else { continue };
        let base = Ipv4Addr::new(127, source.octets()[1], 0, 0);
        if let Ok(source) = Prefix::new(IpAddr::V4(base), 16) {
            rows.push(SeenAs { source, seen_as: network.seen_as });
        }
    }
    if let Ok(loopback) = Prefix::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8) {
        rows.push(SeenAs { source: loopback, seen_as: IpAddr::V4(REST) });
    }
    rows
}
