//! Addresses of this machine, as `ip -j address` tells them.

use std::net::IpAddr;
use std::process::Command;

use serde::Deserialize;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    pub name: String,
    pub addresses: Vec<IpAddr>,
}

#[derive(Deserialize)]
struct Told {
    ifname: String,
    #[serde(default)]
    addr_info: Vec<ToldAddress>,
}

#[derive(Deserialize)]
struct ToldAddress {
    local: Option<IpAddr>,
    #[serde(default)]
    scope: String,
}

/// All but loopback. Empty where nobody can say.
pub fn interfaces() -> Vec<Interface> {
    let told = Command::new("ip").args(["-j", "address"]).output();
    told.map(|ran| read(&ran.stdout)).unwrap_or_default()
}

/// In the order of the system, IPv4 first; addresses of a link alone are left out.
pub fn read(json: &[u8]) -> Vec<Interface> {
    let told: Vec<Told> = serde_json::from_slice(json).unwrap_or_default();
    let one = |told: Told| {
        let global = told.addr_info.into_iter().filter(|address| address.scope == "global");
        let mut addresses: Vec<IpAddr> = global.filter_map(|address| address.local).collect();
        addresses.sort_by_key(IpAddr::is_ipv6);
        Interface { name: told.ifname, addresses }
    };
    told.into_iter().map(one).filter(|interface| interface.name != "lo").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_others_can_reach_are_read() {
        let json = br#"[{"ifname":"lo","addr_info":[{"local":"127.0.0.1","scope":"host"}]},
            {"ifname":"eth0","addr_info":[{"local":"2001:db8::5","scope":"global"},{"local":"10.0.2.15","scope":"global"},
             {"local":"fe80::1","scope":"link"},{"scope":"global"}]},{"ifname":"eth1"}]"#;
        let expected = ["10.0.2.15", "2001:db8::5"].map(|address| address.parse().unwrap()).to_vec();
        assert_eq!(
            read(json),
            [
                Interface { name: "eth0".into(), addresses: expected },
                Interface { name: "eth1".into(), addresses: Vec::new() }
            ]
        );
        assert_eq!(read(b"Object \"-j\" is unknown"), []);
    }
}
