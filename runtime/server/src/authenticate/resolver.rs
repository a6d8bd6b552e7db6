//! Questions to DNS about the clients and senders of mail that comes in. The answers are kept for as long as they say, in
//! a bounded number.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use crate::site::World;

/// Answers kept, of all kinds together.
const KEPT_MAX: u64 = 16_384;
/// Kept no longer than this, whatever an answer says.
const POSITIVE_MAX: Duration = Duration::from_secs(86_400);
const NEGATIVE_MAX: Duration = Duration::from_secs(3_600);

/// How long a name server has, and how often it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub timeout: Duration,
    pub attempts: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { timeout: Duration::from_millis(2_500), attempts: 2 }
    }
}

/// No answer: a time-out, a name server in trouble, none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAnswer;

/// What a name has. Empty when there is no such name, when it has nothing of the kind, and for what cannot be a name.
pub type Answer<T> = Result<Vec<T>, NoAnswer>;

/// Asks the name servers of the site.
#[derive(Clone)]
pub struct Resolver {
    /// `None` where no name server is known.
    inner: Option<TokioResolver>,
}

impl Resolver {
    /// The site's name servers, else those of the system.
    pub fn new(world: &World) -> Resolver {
        if world.name_servers.is_empty() {
            let system = TokioResolver::builder_tokio().map(|builder| {
                let options = options(Patience::default(), KEPT_MAX);
                builder.with_options(options).build()
            });
            let inner = system.and_then(|built| built);
            let inner = inner.inspect_err(|error| tracing::warn!("no name server is known: {error}")).ok();
            return Resolver { inner };
        }
        Resolver::asking(&world.name_servers, Patience::default(), KEPT_MAX)
    }

    /// Asks these servers and keeps `kept` answers.
    pub fn asking(servers: &[SocketAddr], patience: Patience, kept: u64) -> Resolver {
        let servers = servers.iter().map(|server| {
            let mut config = NameServerConfig::udp_and_tcp(server.ip());
            config.connections.iter_mut().for_each(|connection| connection.port = server.port());
            config
        });
        let config = ResolverConfig::from_parts(None, Vec::new(), servers.collect());
        let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let inner = builder.with_options(options(patience, kept)).build();
        Resolver { inner: inner.inspect_err(|error| tracing::error!("name servers: {error}")).ok() }
    }

    /// For checks that ask by themselves.
    pub fn inner(&self) -> Option<&TokioResolver> {
        self.inner.as_ref()
    }

    /// TXT records, each with its strings joined (RFC 7208 3.3).
    pub async fn txt(&self, name: &str) -> Answer<Vec<u8>> {
        let text = |data: &RData| match data {
            RData::TXT(txt) => Some(txt.txt_data.iter().flat_map(|string| string.iter().copied()).collect()),
            _ => None,
        };
        self.ask(name, RecordType::TXT, text).await
    }

    pub async fn a(&self, name: &str) -> Answer<Ipv4Addr> {
        self.ask(name, RecordType::A, |data| if let RData::A(a) = data { Some(a.0) } else { None }).await
    }

    pub async fn aaaa(&self, name: &str) -> Answer<Ipv6Addr> {
        self.ask(name, RecordType::AAAA, |data| if let RData::AAAA(aaaa) = data { Some(aaaa.0) } else { None }).await
    }

    /// Addresses of the family `like` is of.
    pub async fn addresses(&self, name: &str, like: IpAddr) -> Answer<IpAddr> {
        Ok(match like {
            IpAddr::V4(_) => self.a(name).await?.into_iter().map(IpAddr::V4).collect(),
            IpAddr::V6(_) => self.aaaa(name).await?.into_iter().map(IpAddr::V6).collect(),
        })
    }

    /// The hosts of MX records, in no order.
    pub async fn mx(&self, name: &str) -> Answer<String> {
        let host = |data: &RData| if let RData::MX(mx) = data { Some(plain(&mx.exchange)) } else { None };
        self.ask(name, RecordType::MX, host).await
    }

    /// The names an address has.
    pub async fn ptr(&self, address: IpAddr) -> Answer<String> {
        let name = |data: &RData| if let RData::PTR(ptr) = data { Some(plain(&ptr.0)) } else { None };
        let arpa = match address {
            IpAddr::V4(_) => "in-addr.arpa",
            IpAddr::V6(_) => "ip6.arpa",
        };
        self.ask(&format!("{}.{arpa}", reversed(address)), RecordType::PTR, name).await
    }

    async fn ask<T>(&self, name: &str, kind: RecordType, read: impl Fn(&RData) -> Option<T>) -> Answer<T> {
        let Some(resolver) = &self.inner else { return Err(NoAnswer) };
        let Some(name) = named(name) else { return Ok(Vec::new()) };
        match resolver.lookup(name, kind).await {
            Ok(lookup) => Ok(lookup.answers().iter().filter_map(|record| read(&record.data)).collect()),
            Err(NetError::Dns(DnsError::NoRecordsFound(none))) => match none.response_code {
                ResponseCode::NoError | ResponseCode::NXDomain => Ok(Vec::new()),
                _ => Err(NoAnswer),
            },
            Err(_) => Err(NoAnswer),
        }
    }
}

fn options(patience: Patience, kept: u64) -> ResolverOpts {
    let mut options = ResolverOpts::default();
    options.timeout = patience.timeout;
    options.attempts = patience.attempts;
    options.cache_size = kept;
    options.use_hosts_file = ResolveHosts::Never;
    options.positive_max_ttl = Some(POSITIVE_MAX);
    options.negative_max_ttl = Some(NEGATIVE_MAX);
    options
}

/// A full name of 1 to 127 labels of any octets, below the root.
fn named(name: &str) -> Option<Name> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() || name.len() > 253 || name.split('.').any(|label| label.is_empty() || label.len() > 63) {
        return None;
    }
    let mut name = Name::from_labels(name.split('.').map(str::as_bytes)).ok()?;
    name.set_fqdn(true);
    Some(name)
}

/// A name as it is, without the escapes of zone files, in lower case.
fn plain(name: &Name) -> String {
    let labels = name.iter().map(|label| String::from_utf8_lossy(label).to_ascii_lowercase());
    labels.collect::<Vec<_>>().join(".")
}

/// The labels of an address in the order of DNS: octets of IPv4, nibbles of IPv6 (RFC 1035 3.5, RFC 3596 2.5).
pub fn reversed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}")
        }
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
            nibbles.map(|nibble| format!("{nibble:x}")).collect::<Vec<_>>().join(".")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_in_the_order_of_dns() {
        for (address, labels) in [
            ("192.0.2.99", "99.2.0.192"),
            ("2001:db8:1:2:3:4:567:89ab", "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2"),
        ] {
            assert_eq!(reversed(address.parse().unwrap()), labels);
        }
    }

    #[test]
    fn what_cannot_be_a_name_is_not_asked_for() {
        let long = format!("{}.example", "a".repeat(64));
        for name in ["", ".", "a..example", &long, &"a.".repeat(128)] {
            assert_eq!(named(name), None, "{name}");
        }
        assert_eq!(named("A_b.example.").unwrap().to_ascii(), "A_b.example.");
    }
}
