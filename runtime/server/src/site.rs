//! Where this copy of the server runs: addresses, files, keys. Facts of one machine, never part of a plan; no decision
//! reads them. The program that starts the server reads `site.ron` and hands the values over here.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use plan::{Backup, BackupTo, Prefix};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// The name of the certificate that listeners without one of their own show.
pub const DEFAULT: &str = "default";
/// The name of the portal where listeners are named.
pub(crate) const PORTAL: &str = "portal";
/// The folder in the data folder with the public half of certificates that are made or ordered, for commands.
pub(crate) const CERTIFICATES: &str = "certificates";

/// The site of one server.
#[derive(Debug)]
pub struct Site {
    /// The data folder; the control socket is `control.sock` in it. The store that `Server::start` gets lives here.
    pub data: PathBuf,
    /// Listener name to the addresses it binds. A listener of the plan that is absent here does not listen, and the
    /// start says so. Port 0 lets the kernel choose.
    pub listeners: BTreeMap<String, Vec<SocketAddr>>,
    /// Hosts written in the plan that are reached at another address: `host` or `host:port`, the latter wins.
    pub hosts: BTreeMap<String, SocketAddr>,
    pub certificates: Certificates,
    pub outbound: Outbound,
    /// A test platform: banner, pages, status and what it stores say so.
    pub twin: bool,
    pub world: World,
    /// Addresses mail leaves from, by the name the plan's blocks give them (`source`); `usual` for all else. Without an
    /// entry the system chooses. One of each family is used.
    pub sources: BTreeMap<String, Vec<IpAddr>>,
    /// What the plan names by `Secret("name")`.
    pub secrets: BTreeMap<String, proto::sasl::Secret>,
    /// The store has secrets, too (`facteur appliance first-boot`); those of `secrets` come first.
    pub sealed_secrets: bool,
    pub client_address: ClientAddress,
    /// Scanner name to what stands in for it.
    pub scanners: BTreeMap<String, StandIn>,
    /// Where backups that go elsewhere are kept, by the name the plan gives the place: a folder on another disk.
    pub backups: BTreeMap<String, PathBuf>,
    /// Who is asked about people, where the plan names a directory server.
    pub directory: DirectoryAt,
    /// Where `/metrics` and `/healthz` listen.
    pub http: Option<SocketAddr>,
    /// Where the portal listens, with the certificate under the name `portal` or the default one.
    pub portal: Vec<PortalAddress>,
    /// Where operators of other machines are listened to.
    pub control: Option<SocketAddr>,
    /// Who gets the log, too.
    pub syslog: Option<Syslog>,
}

/// A collector of logs over TLS (RFC 5425).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syslog {
    /// `host:port`.
    pub to: String,
    /// What this machine calls itself in the log.
    pub name: String,
    /// Whose certificates are believed; empty for the public authorities and those of `World`.
    pub authority: Vec<CertificateDer<'static>>,
}

/// An address the portal binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortalAddress {
    /// Port 0 lets the kernel choose.
    pub bind: SocketAddr,
    /// Whoever comes here is seen as this address, and may name the portal by the address it binds: a browser cannot
    /// choose where it comes from.
    pub seen_as: Option<IpAddr>,
}

/// Something on this machine that takes a scanner's place, by the protocol it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandIn {
    Clamd(SocketAddr),
    Icap(SocketAddr),
    /// Nobody: it is not asked.
    Nobody,
}

/// Where people of a directory server come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DirectoryAt {
    /// The servers the plan names.
    #[default]
    Servers,
    /// Nobody is asked: the people in the store stand in for them.
    StandIn,
}

/// A certificate chain with its key.
#[derive(Debug)]
pub struct Certificate {
    /// The server's own first. Never empty in a site that starts.
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

/// The certificate each listener shows.
#[derive(Debug)]
pub struct Certificates {
    pub default: CertificateFrom,
    /// Listeners that show another one.
    pub by_listener: BTreeMap<String, CertificateFrom>,
}

/// Where a certificate comes from. Those that are made or ordered are kept in the store, their keys sealed.
#[derive(Debug)]
pub enum CertificateFrom {
    Given(Certificate),
    /// Made here; nobody else believes it.
    SelfSigned,
    /// Ordered by ACME (RFC 8555) and renewed.
    Acme(Acme),
}

/// Whom certificates are ordered from, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acme {
    /// The URL of the directory.
    pub directory: String,
    /// Mail addresses; the plan's where nothing is written.
    pub contact: Vec<String>,
    pub challenge: Challenge,
    pub account_binding: Option<AccountBinding>,
}

/// How we show that a name is ours. The address is bound while an order asks for it and at no other time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// RFC 8555 8.3. The authority comes to port 80.
    Http01(SocketAddr),
    /// RFC 8737. The authority comes to port 443.
    TlsAlpn01(SocketAddr),
}

/// An account of the authority that exists already (RFC 8555 7.3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountBinding {
    /// What the authority calls the key.
    pub key: String,
    /// The secret that holds it, base64url.
    pub secret: String,
}

impl Certificates {
    /// What the listener, or `portal`, shows.
    pub fn of(&self, listener: &str) -> &CertificateFrom {
        self.by_listener.get(listener).unwrap_or(&self.default)
    }

    /// Under which name the certificate of the listener, or of `portal`, is kept.
    pub fn name<'a>(&self, listener: &'a str) -> &'a str {
        if self.by_listener.contains_key(listener) { listener } else { DEFAULT }
    }
}

/// What becomes of mail for other places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outbound {
    /// Nothing leaves this machine: what is due is taken, counted, written to the log and forgotten.
    Sink,
    Network,
}

/// How this copy sees the Internet.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Name servers that are asked; empty for those of the system.
    pub name_servers: Vec<SocketAddr>,
    /// DNSSEC trust anchors, DNSKEY records in the form of a zone file; `None` for the root's own.
    pub trust_anchors: Option<String>,
    /// Authorities whose certificates are believed besides the public ones, for next hops, MTA-STS and token issuers.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// Which address a session believes its client has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientAddress {
    FromSocket,
    /// The first entry whose prefix holds the socket's address says how it is seen; no entry means as it is.
    Table(Vec<SeenAs>),
}

/// A row of `ClientAddress::Table`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenAs {
    pub source: Prefix,
    pub seen_as: IpAddr,
}

impl Site {
    /// The folder backups are kept in: on the data folder's own disk unless the plan and this site say otherwise.
    pub fn snapshots(&self, backup: Option<&Backup>) -> PathBuf {
        let elsewhere = match backup.map(|backup| &backup.to) {
            Some(BackupTo::Elsewhere(name)) => self.backups.get(name),
            Some(BackupTo::SameDisk) | None => None,
        };
        elsewhere.cloned().unwrap_or_else(|| self.data.join(crate::operate::SNAPSHOTS))
    }
}

impl ClientAddress {
    /// The address sessions and decisions see for a connection from `source`. IPv4-mapped addresses are unfolded.
    pub fn view(&self, source: IpAddr) -> IpAddr {
        let source = source.to_canonical();
        match self {
            ClientAddress::FromSocket => source,
            ClientAddress::Table(rows) => {
                rows.iter().find(|row| row.source.contains(source)).map_or(source, |row| row.seen_as)
            }
        }
    }
}

impl Site {
    /// The chain the listener, or `portal`, shows, for whoever has the data folder and not its keys. Empty where it was
    /// not made yet.
    pub fn chain(&self, listener: &str) -> Vec<CertificateDer<'static>> {
        if let CertificateFrom::Given(given) = self.certificates.of(listener) {
            return given.chain.clone();
        }
        let file = self.data.join(CERTIFICATES).join(format!("{}.pem", self.certificates.name(listener)));
        let chain = CertificateDer::pem_file_iter(file).map(Iterator::collect::<Result<Vec<_>, _>>);
        chain.ok().and_then(Result::ok).unwrap_or_default()
    }

    /// Where `host:port` of the plan is reached by this site's host table; `None` leaves it to DNS.
    pub fn host(&self, host_and_port: &str) -> Option<SocketAddr> {
        if let Ok(literal) = host_and_port.parse() {
            return Some(self.hosts.get(host_and_port).copied().unwrap_or(literal));
        }
        if let Some(address) = self.hosts.get(host_and_port) {
            return Some(*address);
        }
        let (host, port) = host_and_port.rsplit_once(':')?;
        let mut address = *self.hosts.get(host)?;
        address.set_port(port.parse().ok()?);
        Some(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_prefix_that_holds_a_source_says_how_it_is_seen() {
        let row =
            |source: &str, seen_as: &str| SeenAs { source: source.parse().unwrap(), seen_as: seen_as.parse().unwrap() };
        let view = ClientAddress::Table(vec![row("127.4.0.0/16", "198.18.4.7"), row("127.1.0.0/16", "2001:db8::1")]);
        for (source, seen_as) in [
            ("127.4.9.9", "198.18.4.7"),
            ("127.1.0.1", "2001:db8::1"),
            ("127.0.0.1", "127.0.0.1"),
            ("::ffff:127.4.0.1", "198.18.4.7"),
        ] {
            assert_eq!(view.view(source.parse().unwrap()), seen_as.parse::<IpAddr>().unwrap(), "{source}");
        }
        assert_eq!(
            ClientAddress::FromSocket.view("127.4.9.9".parse().unwrap()),
            "127.4.9.9".parse::<IpAddr>().unwrap()
        );
    }
}
