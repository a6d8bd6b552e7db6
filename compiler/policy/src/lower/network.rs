//! Networks, gateways, listeners, TLS.

use std::collections::BTreeMap;

use super::block::prefixes;
use super::{set, try_sorted};
use crate::model::network::{Certificate, ClientAddress, Gateway, GatewayResults, Listener, Network, Tls, TlsVersion};
use crate::syntax::Entries;

pub(super) fn network(network: &Network) -> plan::Network {
    match network {
        Network::In(within) => plan::Network::In(prefixes(within)),
        Network::Front { prefixes: within, carries: _ } => plan::Network::Front(prefixes(within)),
        Network::Rest => plan::Network::Rest,
    }
}

pub(super) fn gateway(gateway: &Gateway) -> plan::Gateway {
    plan::Gateway {
        from: prefixes(&gateway.from),
        on: set(&gateway.on),
        refuse_others: gateway.refuse_others,
        client_address: match gateway.client_address {
            ClientAddress::Received { depth } => plan::ClientAddress::Received { depth },
            ClientAddress::Proxy2 => plan::ClientAddress::Proxy2,
            ClientAddress::Xclient => plan::ClientAddress::Xclient,
        },
        results: match &gateway.results {
            Some(GatewayResults::AuthenticationResults(id)) => plan::GatewayResults::AuthenticationResults(id.clone()),
            Some(GatewayResults::Nothing) | None => plan::GatewayResults::Nothing,
        },
    }
}

/// `None` for a version that is too old, which `check` has reported.
pub(super) fn tls(tls: &Tls) -> Option<plan::Tls> {
    Some(plan::Tls {
        oldest: match tls.oldest.value {
            TlsVersion::Ssl3 | TlsVersion::Tls10 | TlsVersion::Tls11 => return None,
            TlsVersion::Tls12 => plan::TlsVersion::Tls12,
            TlsVersion::Tls13 => plan::TlsVersion::Tls13,
        },
        certificate: certificate(&tls.certificate),
        called_ssl_by: tls.called_ssl_by.clone(),
    })
}

fn certificate(certificate: &Certificate) -> plan::Certificate {
    match certificate {
        Certificate::Acme(contact) => plan::Certificate::Acme(contact.clone()),
        Certificate::Internal => plan::Certificate::Internal,
        Certificate::SelfSigned => plan::Certificate::SelfSigned,
    }
}

/// `None` when a port is out of range, which `check` has reported.
pub(super) fn listeners(listeners: &Entries<Listener>) -> Option<BTreeMap<String, plan::Listener>> {
    try_sorted(listeners, |listener| {
        let mut also: Vec<mail::Domain> = listener.also.values().map(|name| name.0.clone()).collect();
        also.sort();
        also.dedup();
        Some(plan::Listener {
            host: listener.host.0.clone(),
            port: u16::try_from(listener.port.value).ok().filter(|port| *port > 0)?,
            speaks: listener.speaks,
            tls: listener.tls_mode(),
            auth: listener.auth.value,
            also,
            certificate: listener.certificate.as_ref().map_or(plan::Certificate::Default, certificate),
        })
    })
}
