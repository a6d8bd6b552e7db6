//! For which hosts a certificate has to be.

use plan::{Plan, TlsMode};

use crate::setup;
use crate::site::{PORTAL, Site};
use crate::zone;

/// Hosts of all listeners that show the certificate `name`, of the portal and of set-up where it shows it; sorted.
pub(crate) fn hosts(plan: &Plan, site: &Site, name: &str) -> Vec<String> {
    let shows = |listener: &str| site.certificates.name(listener) == name;
    let listeners = plan.listeners.iter().filter(|(listener, rules)| rules.tls != TlsMode::None && shows(listener));
    let of_listeners = listeners.flat_map(|(_, rules)| std::iter::once(&rules.host).chain(&rules.also));
    let mut hosts: Vec<String> = of_listeners.map(ToString::to_string).collect();
    if let Some(portal) = plan.portal.as_ref().filter(|_| shows(PORTAL) && !site.portal.is_empty()) {
        hosts.push(zone::portal_host(portal).to_owned());
        hosts.extend(plan.domains.keys().flat_map(|domain| setup::hosts(plan, domain)));
    }
    hosts.sort();
    hosts.dedup();
    hosts
}
