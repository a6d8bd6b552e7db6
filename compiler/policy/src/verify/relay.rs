//! An own scan for open relays and for passwords in clear: from listeners, blocks and networks alone, without a table.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use plan::{Guarantee, ListenerAuth, Network, Plan, Prefix, Reach, Speaks, TlsMode, To};

use super::Faults;
use crate::codes::Code;

/// Widest prefixes that may be trusted without being private.
const WIDEST_V4: u8 = 16;
const WIDEST_V6: u8 = 40;

pub(super) fn judge(plan: &Plan, faults: &mut Faults<'_, '_>) {
    // The institution's list of networks that send without a password.
    let trusted: BTreeSet<&String> = plan.never_reachable_beyond.get(&Reach::Relay).into_iter().flatten().collect();
    let mut relaying: BTreeSet<&String> = BTreeSet::new();
    for (name, block) in plan.may_send.iter().filter(|(_, block)| block.to == To::Anyone) {
        let Some(listener) = block.connecting_to.iter().find(|listener| asks_nobody(plan, listener)) else { continue };
        relaying.extend(&block.from);
        for network in block.from.iter().filter(|network| !trusted.contains(network)) {
            let what = format!("open relay: \"{network}\" reaches the outside at \"{listener}\" without a login");
            faults.coded(Code::E0501, &["may_send", name, "from"], what);
        }
    }
    for (name, block) in plan.may_receive.iter().filter(|(_, block)| block.to == To::Anyone) {
        if let Some(listener) = block.connecting_to.iter().find(|listener| asks_nobody(plan, listener)) {
            let what = format!("open relay: strangers reach the outside at \"{listener}\"");
            faults.coded(Code::E0501, &["may_receive", name, "to"], what);
        }
    }
    trusted_are_bounded(plan, &relaying, faults);
    clear_passwords(plan, faults);
}

/// Is mail taken there without a login?
fn asks_nobody(plan: &Plan, listener: &str) -> bool {
    plan.listeners
        .get(listener)
        .is_some_and(|rules| matches!(rules.speaks, Speaks::Smtp | Speaks::Lmtp) && rules.auth == ListenerAuth::Never)
}

/// A trusted network that sends without a login is private, or no wider than an institution.
fn trusted_are_bounded(plan: &Plan, relaying: &BTreeSet<&String>, faults: &mut Faults<'_, '_>) {
    for name in plan.never_reachable_beyond.get(&Reach::Relay).into_iter().flatten() {
        let unbounded = match plan.networks.get(name) {
            Some(Network::Rest) => Some("everybody else".to_owned()),
            Some(network) => network.prefixes().iter().find(|prefix| !is_bounded(prefix)).map(Prefix::to_string),
            None => None,
        };
        if let Some(what) = unbounded.filter(|_| relaying.contains(name)) {
            let what = format!("\"{name}\" sends without a login and holds {what}");
            faults.at(&["never_reachable_beyond", "Relay"], what);
        }
    }
}

fn is_bounded(prefix: &Prefix) -> bool {
    let inside = |address: IpAddr, length| {
        Prefix::new(address, length).is_ok_and(|space| space.contains(prefix.address()) && prefix.length() >= length)
    };
    let private = [
        (IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), 8),
        (IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)), 12),
        (IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)), 16),
        (IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)), 7),
    ];
    let widest = if prefix.address().is_ipv4() { WIDEST_V4 } else { WIDEST_V6 };
    prefix.length() >= widest || private.into_iter().any(|(address, length)| inside(address, length))
}

/// `NoClearPassword`: where a login is asked for, TLS comes first.
fn clear_passwords(plan: &Plan, faults: &mut Faults<'_, '_>) {
    let mut promised: BTreeSet<&String> = BTreeSet::new();
    for guarantee in &plan.guarantees {
        if let Guarantee::NoClearPassword { from } = guarantee {
            promised.extend(from);
        }
    }
    for (name, rules) in &plan.listeners {
        let clear = matches!(rules.tls, TlsMode::None | TlsMode::Offered) && rules.auth == ListenerAuth::Required;
        let served = plan.may_send.values().map(|block| (&block.connecting_to, &block.from));
        let served = served.chain(plan.may_read.values().map(|block| (&block.connecting_to, &block.from)));
        let mut networks = served.filter(|(listeners, _)| listeners.contains(name)).flat_map(|(_, networks)| networks);
        if clear && let Some(network) = networks.find(|network| promised.contains(network)) {
            let what = format!("passwords may cross in clear from \"{network}\", against `NoClearPassword`");
            faults.coded(Code::E0901, &["listeners", name, "tls"], what);
        }
    }
}
