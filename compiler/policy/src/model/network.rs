//! Where clients are and what listens.

use serde::Deserialize;

use super::literal::{DomainName, NetworkPrefix};
use crate::syntax::{Items, Spanned, WordOr};

/// `Everywhere`, or names of networks.
pub type Names = WordOr<Everywhere, Items<String>>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub enum Everywhere {
    #[default]
    Everywhere,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Network {
    In(Items<NetworkPrefix>),
    Front { prefixes: Items<NetworkPrefix>, carries: Carries },
    Rest,
}

impl Network {
    pub fn prefixes(&self) -> &[Spanned<NetworkPrefix>] {
        match self {
            Network::In(prefixes) | Network::Front { prefixes, .. } => prefixes,
            Network::Rest => &[],
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub enum Carries {
    ClientAddress,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    pub from: Items<NetworkPrefix>,
    pub on: Items<String>,
    #[serde(default)]
    pub refuse_others: bool,
    pub client_address: ClientAddress,
    #[serde(default)]
    pub results: Option<GatewayResults>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ClientAddress {
    Received { depth: u32 },
    Proxy2,
    Xclient,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub enum GatewayResults {
    AuthenticationResults(String),
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    pub oldest: Spanned<TlsVersion>,
    pub certificate: Certificate,
    #[serde(default)]
    pub called_ssl_by: Vec<String>,
}

/// Wider than the Plan's: what is too old is understood, and refused with its reason (E0407).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum TlsVersion {
    Ssl3,
    Tls10,
    Tls11,
    Tls12,
    Tls13,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub enum Certificate {
    Acme(String),
    Internal,
    SelfSigned,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    pub host: DomainName,
    pub port: Spanned<u32>,
    pub speaks: plan::Speaks,
    #[serde(default)]
    pub tls: Spanned<TlsMode>,
    pub auth: Spanned<plan::ListenerAuth>,
    #[serde(default)]
    pub also: Items<DomainName>,
    #[serde(default)]
    pub certificate: Option<Certificate>,
}

/// Not an `Option`: `None` is a word of its own here, and an absent field means what the port is known for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum TlsMode {
    #[default]
    #[serde(skip)]
    AsPort,
    None,
    StartTls(StartTls),
    Implicit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum StartTls {
    Offered,
    Required,
}

impl Listener {
    /// The mode in force: without one, 465, 993 and 995 are implicit (RFC 8314), port 25 offers, and a listener that
    /// takes passwords elsewhere requires.
    pub fn tls_mode(&self) -> plan::TlsMode {
        match self.tls.value {
            TlsMode::None => plan::TlsMode::None,
            TlsMode::StartTls(StartTls::Offered) => plan::TlsMode::Offered,
            TlsMode::StartTls(StartTls::Required) => plan::TlsMode::Required,
            TlsMode::Implicit => plan::TlsMode::Implicit,
            TlsMode::AsPort => match (self.port.value, self.auth.value) {
                (465 | 993 | 995, _) => plan::TlsMode::Implicit,
                (_, plan::ListenerAuth::Required) => plan::TlsMode::Required,
                (_, plan::ListenerAuth::Never) => plan::TlsMode::Offered,
            },
        }
    }
}
