//! Where clients are and what listens: networks, gateways, listeners, TLS.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An address prefix without host bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

/// Why a text is no prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPrefix {
    Syntax,
    Length,
    /// The network the text lies in.
    HostBits(IpAddr),
}

impl fmt::Display for BadPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadPrefix::Syntax => f.write_str("not an address prefix"),
            BadPrefix::Length => f.write_str("prefix length out of range"),
            BadPrefix::HostBits(network) => write!(f, "host bits are set, the network is {network}"),
        }
    }
}

impl Prefix {
    pub fn new(address: IpAddr, length: u8) -> Result<Prefix, BadPrefix> {
        let width = if address.is_ipv4() { 32 } else { 128 };
        if length > width {
            return Err(BadPrefix::Length);
        }
        let network = mask(address, length);
        if network != address {
            return Err(BadPrefix::HostBits(network));
        }
        Ok(Prefix { address, length })
    }

    /// The network's own address.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Length in bits.
    pub fn length(&self) -> u8 {
        self.length
    }

    /// The prefix of `length` bits this one lies in; itself when it is no longer than that.
    pub fn widened(self, length: u8) -> Prefix {
        let length = length.min(self.length);
        Prefix { address: mask(self.address, length), length }
    }

    /// Does `client` lie inside? An IPv4-mapped IPv6 address is its IPv4 address.
    pub fn contains(&self, client: IpAddr) -> bool {
        let client = client.to_canonical();
        client.is_ipv4() == self.address.is_ipv4() && mask(client, self.length) == self.address
    }

    /// The first address a machine can have: the network's own one for the widest length, else the next.
    pub fn first_host(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(v4) if self.length < 31 => IpAddr::V4(Ipv4Addr::from(u32::from(v4) + 1)),
            IpAddr::V6(v6) if self.length < 127 => IpAddr::V6(Ipv6Addr::from(u128::from(v6) + 1)),
            address => address,
        }
    }
}

fn mask(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let bits = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from(u32::from(v4) & bits))
        }
        IpAddr::V6(v6) => {
            let bits = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(v6) & bits))
        }
    }
}

impl FromStr for Prefix {
    type Err = BadPrefix;

    fn from_str(text: &str) -> Result<Prefix, BadPrefix> {
        let (address, length) = text.split_once('/').ok_or(BadPrefix::Syntax)?;
        let address: IpAddr = address.parse().map_err(|_| BadPrefix::Syntax)?;
        if length.is_empty() || length.len() > 3 || !length.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BadPrefix::Syntax);
        }
        let length: u8 = length.parse().map_err(|_| BadPrefix::Length)?;
        Prefix::new(address, length)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

impl TryFrom<String> for Prefix {
    type Error = BadPrefix;

    fn try_from(text: String) -> Result<Prefix, BadPrefix> {
        text.parse()
    }
}

impl From<Prefix> for String {
    fn from(prefix: Prefix) -> String {
        prefix.to_string()
    }
}

/// A network: a class of client addresses. The longest prefix over all networks wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Network {
    /// Never empty, sorted.
    In(Vec<Prefix>),
    /// Machines that speak for people; they carry the client's address. Never empty, sorted.
    Front(Vec<Prefix>),
    /// Every address no other network holds.
    Rest,
}

impl Network {
    pub fn prefixes(&self) -> &[Prefix] {
        match self {
            Network::In(prefixes) | Network::Front(prefixes) => prefixes,
            Network::Rest => &[],
        }
    }
}

/// A trusted upstream hop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    pub from: Vec<Prefix>,
    /// Listeners it may hand mail to.
    pub on: Vec<String>,
    pub refuse_others: bool,
    pub client_address: ClientAddress,
    pub results: GatewayResults,
}

/// How a gateway tells the true client address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientAddress {
    /// The Received field at this depth, 1 the newest.
    Received {
        depth: u32,
    },
    Proxy2,
    Xclient,
}

/// Whose SPF, DKIM and DMARC results are believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GatewayResults {
    /// The `authserv-id` of RFC 8601.
    AuthenticationResults(String),
    Nothing,
}

/// TLS for all listeners.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    pub oldest: TlsVersion,
    pub certificate: Certificate,
    /// Mail programs that call TLS "SSL", for the users' pages.
    pub called_ssl_by: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TlsVersion {
    Tls12,
    Tls13,
}

/// Where a certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Certificate {
    /// ACME (RFC 8555) with this contact.
    Acme(String),
    /// The institution's own authority; a file of the site.
    Internal,
    SelfSigned,
    /// The certificate of `tls`.
    Default,
}

/// One listening service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// The name clients use.
    pub host: mail::Domain,
    pub port: u16,
    pub speaks: Speaks,
    pub tls: TlsMode,
    pub auth: ListenerAuth,
    /// Other names the certificate covers.
    pub also: Vec<mail::Domain>,
    pub certificate: Certificate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Speaks {
    Smtp,
    Imap,
    Pop,
    Lmtp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TlsMode {
    None,
    /// STARTTLS may be used.
    Offered,
    /// STARTTLS must come before anything else.
    Required,
    Implicit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ListenerAuth {
    Never,
    Required,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_hold_their_addresses() {
        let prefix: Prefix = "192.0.2.0/24".parse().unwrap();
        assert!(prefix.contains("192.0.2.255".parse().unwrap()));
        assert!(prefix.contains("::ffff:192.0.2.1".parse().unwrap()));
        assert!(!prefix.contains("192.0.3.0".parse().unwrap()));
        assert_eq!(prefix.first_host().to_string(), "192.0.2.1");
        assert_eq!("2001:db8:44::80/128".parse::<Prefix>().unwrap().first_host().to_string(), "2001:db8:44::80");
        assert!("0.0.0.0/0".parse::<Prefix>().unwrap().contains("203.0.113.9".parse().unwrap()));
    }

    #[test]
    fn host_bits_and_lengths_are_checked() {
        assert_eq!("192.0.2.1/24".parse::<Prefix>(), Err(BadPrefix::HostBits("192.0.2.0".parse().unwrap())));
        assert_eq!("192.0.2.0/33".parse::<Prefix>(), Err(BadPrefix::Length));
        assert_eq!("192.0.2.0".parse::<Prefix>(), Err(BadPrefix::Syntax));
        assert_eq!("192.0.2.0/+4".parse::<Prefix>(), Err(BadPrefix::Syntax));
    }
}
