//! E0402 and E0408: every address has exactly one class.

use std::collections::BTreeMap;

use plan::Prefix;

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::Policy;
use crate::model::network::Network;
use crate::syntax::{Entries, Span, Spanned};

pub(super) fn check(policy: &Policy, sink: &mut Vec<Diagnostic>) {
    let Some(networks) = policy.networks.seen() else { return };
    prefixes(networks, sink);
    let rests: Vec<(&Spanned<String>, Span)> = networks
        .iter()
        .filter(|(_, network)| network.value == Network::Rest)
        .map(|(name, network)| (name, network.span))
        .collect();
    if let [(first, first_span), (second, second_span), ..] = rests.as_slice() {
        let message = format!("every other address belongs to both \"{first}\" and \"{second}\"");
        let diagnostic = Diagnostic::new(Code::E0402, message)
            .help("one network is `Rest`; give the other its prefixes")
            .at(*second_span, "again here")
            .also(*first_span, "first here");
        sink.push(diagnostic);
    }
    if rests.is_empty() && !policy.networks.has_mistakes() {
        let place = networks.keys().next().map(|name| name.span).unwrap_or_default();
        let diagnostic = Diagnostic::new(Code::E0408, "networks leave addresses without a class")
            .help("add one `Rest`, for example `\"outside\": Rest`")
            .at(place, "none of these is `Rest`")
            .rule("networks");
        sink.push(diagnostic);
    }
}

fn prefixes(networks: &Entries<Network>, sink: &mut Vec<Diagnostic>) {
    let mut owners: BTreeMap<Prefix, (&str, Span)> = BTreeMap::new();
    for (name, network) in networks.iter() {
        for prefix in network.prefixes() {
            match owners.get(&prefix.value.0) {
                None => {
                    owners.insert(prefix.value.0, (&name.value, prefix.span));
                }
                // The same prefix twice in one network says nothing wrong.
                Some((owner, _)) if *owner == name.value => {}
                Some((owner, first)) => {
                    let message = format!("{} belongs to both \"{owner}\" and \"{name}\"", prefix.value.0);
                    let diagnostic = Diagnostic::new(Code::E0402, message)
                        .help("give it to one; a more specific prefix may sit inside a wider one")
                        .at(prefix.span, "again here")
                        .also(*first, "first here")
                        .rule(format!("networks.{name}"));
                    sink.push(diagnostic);
                }
            }
        }
    }
}
