//! The site of a machine that was given none: it greets, takes no risk, and says what is missing.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use plan::Plan;

/// The first line: whoever finds it may write the file again.
pub const HEAD: &str = "// Written by the appliance, which was given no site. Give it one, and this goes.\n";

/// The text of `site.ron`, and what it leaves out, a line each.
pub fn site(plan: &Plan, data: &Path, addresses: &[IpAddr]) -> (String, Vec<String>) {
    let usable = |address: &&IpAddr| !address.is_loopback() && !address.is_unspecified();
    // Before a lease comes there is none; every address is then better than none.
    let address = addresses.iter().find(usable).copied().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let (mut taken, mut missing) = (BTreeSet::new(), Vec::new());
    let mut text = format!("{HEAD}Site(\n    data: {data:?},\n    listeners: {{\n");
    for (name, listener) in &plan.listeners {
        if taken.insert(listener.port) {
            let at = SocketAddr::new(address, listener.port);
            let _ = writeln!(text, "        {name:?}: [\"{at}\"],");
        } else {
            missing.push(format!(
                "listener {name}: port {} of {address} is taken, it needs another address",
                listener.port
            ));
        }
    }
    text.push_str("    },\n");
    if plan.portal.is_some() && taken.insert(443) {
        let _ = writeln!(text, "    portal: [\"{}\"],", SocketAddr::new(address, 443));
    }
    text.push_str("    certificates: {\"default\": SelfSigned},\n    outbound: Sink,\n    secrets: Sealed,\n)\n");
    missing.push("no site was given: certificates are self-signed, and mail for others goes nowhere".to_owned());
    (text, missing)
}
