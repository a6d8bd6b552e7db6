//! The way to other servers: who takes mail for a domain, at which addresses, and how sure we must be of them.

mod absent;
pub mod asking;
pub mod assure;
pub mod certificate;
pub mod exchange;
pub mod resolver;
pub mod sts;
pub mod sts_policy;
pub mod tally;
pub mod tls_report;
mod tlsa;
pub mod web;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use decide::DomainSet;
use mail::{Code, Domain};
use plan::Plan;
use rustls::RootCertStore;
use tokio::net::{TcpSocket, TcpStream};

use crate::random;
use crate::site::{self, Site};
pub use sts_policy::fuzz_mta_sts;
pub use tlsa::fuzz_tlsa;

use assure::{Assurance, Facts, StsFacts, TlsaFacts, Unsure};
use resolver::{Fault, Resolver};
use sts_policy::{Mode, StsPolicy};

/// To one address.
const CONNECT_MAX: Duration = Duration::from_secs(30);
/// The port of SMTP.
pub const SMTP: u16 = 25;

/// What a server knows of the others.
#[derive(Clone)]
pub struct World {
    pub resolver: Arc<Resolver>,
    pub roots: Arc<RootCertStore>,
    pub sts: Arc<sts::Policies>,
    pub tally: Arc<tally::Tally>,
    /// Recipients next hops were asked about.
    pub asked: Arc<asking::Asked>,
    /// `delivery.tls_always_to`.
    always: Arc<DomainSet>,
}

fn always(plan: &Plan) -> Arc<DomainSet> {
    Arc::new(DomainSet::new(plan.delivery.tls_always_to.iter().map(|pattern| (pattern, 0))))
}

/// A host that takes mail for a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    pub name: String,
    /// That it does is proven by DNSSEC.
    pub secure: bool,
}

/// Why there is no host to hand a message to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    pub code: Code,
    pub why: String,
}

fn lost(code: Code, why: impl Into<String>) -> Lost {
    Lost { code, why: why.into() }
}

/// Addresses of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub addresses: Vec<SocketAddr>,
    pub secure: bool,
    /// The name behind all aliases.
    pub name: String,
}

impl World {
    pub fn new(site: &site::World, plan: &Plan) -> Result<World, String> {
        Ok(World {
            resolver: Arc::new(Resolver::new(site)?),
            roots: Arc::new(certificate::authorities(&site.authorities)),
            sts: Arc::default(),
            tally: Arc::default(),
            asked: Arc::default(),
            always: always(plan),
        })
    }

    /// The same under another plan.
    pub fn under(&self, plan: &Plan) -> World {
        World { always: always(plan), ..self.clone() }
    }

    /// The hosts for `domain`, best first (RFC 5321 5.1).
    pub async fn hosts(&self, plan: &Plan, domain: &Domain) -> Result<Vec<Host>, Lost> {
        if let Some(address) = literal(domain) {
            return Ok(vec![Host { name: address.to_string(), secure: false }]);
        }
        let ours = |host: &str| plan.listeners.values().any(|listener| listener.host.as_str() == host);
        let answers = match self.resolver.mx(domain.as_str()).await {
            Ok(answers) => answers,
            Err(Fault::NoName) => return Err(lost(Code::new(550, 5, 1, 2), format!("no domain is called {domain}"))),
            Err(fault) => return Err(lost(Code::new(451, 4, 4, 3), format!("the MX of {domain}: {fault}"))),
        };
        if answers.records.is_empty() {
            // The implicit MX: the domain itself.
            return match ours(domain.as_str()) {
                true => Err(loops(domain)),
                false => Ok(vec![Host { name: domain.to_string(), secure: answers.secure }]),
            };
        }
        let hosts = exchange::hosts(&answers.records, ours, draw).map_err(|fault| match fault {
            exchange::NoRoute::NullMx => lost(Code::new(556, 5, 1, 10), format!("{domain} takes no mail (null MX)")),
            exchange::NoRoute::Loop => loops(domain),
            exchange::NoRoute::Unusable => lost(Code::new(451, 4, 4, 4), format!("no MX of {domain} names a host")),
        })?;
        Ok(hosts.into_iter().map(|name| Host { name, secure: answers.secure }).collect())
    }

    /// The addresses of a host; the site's own table goes before DNS, which is then only asked for what it proves of the
    /// name, and only when `proof` is wanted. The error is `Fault::NoName` for a host without any.
    pub async fn addresses(&self, site: &Site, host: &str, port: u16, proof: bool) -> Result<Found, Fault> {
        if let Some(address) = site.host(&format!("{host}:{port}")) {
            let mut found = Found { addresses: vec![address], secure: false, name: host.to_owned() };
            if proof {
                let (v6, v4) = tokio::join!(self.resolver.aaaa(host), self.resolver.a(host));
                let known = [v6, v4].into_iter().flatten().find(|found| !found.records.is_empty());
                if let Some(known) = known {
                    (found.secure, found.name) = (known.secure, known.name);
                }
            }
            return Ok(found);
        }
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(Found { addresses: vec![(ip, port).into()], secure: false, name: host.to_owned() });
        }
        let (v6, v4) = tokio::join!(self.resolver.aaaa(host), self.resolver.a(host));
        let found = [&v6, &v4].into_iter().flatten().find(|found| !found.records.is_empty());
        let Some(name) = found.map(|found| found.name.clone()) else {
            // Trouble with one family is not proof that there is no address.
            return Err(v6
                .err()
                .into_iter()
                .chain(v4.err())
                .find(|fault| *fault != Fault::NoName)
                .unwrap_or(Fault::NoName));
        };
        let secure =
            [&v6, &v4].into_iter().flatten().filter(|found| !found.records.is_empty()).all(|found| found.secure);
        let records =
            |found: Result<resolver::Answers<IpAddr>, Fault>| found.map(|found| found.records).unwrap_or_default();
        let all = exchange::addresses(records(v6), records(v4), draw);
        Ok(Found { addresses: all.into_iter().map(|ip| (ip, port).into()).collect(), secure, name })
    }

    /// How sure we must be of `host`, which takes mail for `domain`, and the name it is asked for in TLS.
    pub async fn assurance(
        &self,
        plan: &Plan,
        domain: &Domain,
        host: &Host,
        found: &Found,
        sts: Option<&StsPolicy>,
        require_tls: bool,
    ) -> Result<(Assurance, String), Unsure> {
        let (tlsa, name) = match plan.delivery.dane && host.secure && found.secure {
            true => tlsa::facts(&self.resolver, &host.name, &found.name).await,
            false => (TlsaFacts::None, host.name.clone()),
        };
        let always = self.always.find(domain).is_some();
        let assurance = assure::assure(Facts { tlsa, sts: sts_facts(sts, &host.name), always, require_tls })?;
        // RFC 7672 3.2.3: the TLSA base domain where DANE binds, the host of the MX record else.
        let name = if matches!(assurance, Assurance::Dane(_)) { name } else { host.name.clone() };
        Ok((assurance, name))
    }

    /// Connects from our address of the family, where the site says one.
    pub async fn connect(&self, to: SocketAddr, sources: &[IpAddr]) -> io::Result<TcpStream> {
        let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(source) = sources.iter().find(|source| source.is_ipv4() == to.is_ipv4()) {
            socket.bind((*source, 0).into())?;
        }
        let connecting = socket.connect(to);
        tokio::time::timeout(CONNECT_MAX, connecting).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
    }

    /// The addresses of a host the plan names: the system may know it by other means than DNS.
    pub async fn addresses_known_here(&self, site: &Site, host: &str, port: u16) -> Vec<SocketAddr> {
        match self.addresses(site, host, port, false).await {
            Ok(found) => found.addresses,
            Err(_) => tokio::net::lookup_host((host, port)).await.map(Iterator::collect).unwrap_or_default(),
        }
    }

    /// Connects to the first address of a name that answers.
    pub async fn connect_by_name(&self, site: &Site, host: &str, port: u16) -> io::Result<TcpStream> {
        let mut last = io::Error::other("no address");
        for address in self.addresses_known_here(site, host, port).await {
            match self.connect(address, sources(site, "")).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// The site's addresses for `source`, a name of the plan; those called `usual` where it has none.
pub fn sources<'a>(site: &'a Site, source: &str) -> &'a [IpAddr] {
    let named = site.sources.get(source).or_else(|| site.sources.get("usual"));
    named.map(Vec::as_slice).unwrap_or_default()
}

pub fn sts_facts(policy: Option<&StsPolicy>, host: &str) -> StsFacts {
    match policy.map(|policy| (policy.mode, policy.allows(host))) {
        Some((Mode::Enforce, host_allowed)) => StsFacts::Enforce { host_allowed },
        Some((Mode::Testing, _)) => StsFacts::Testing,
        Some((Mode::None, _)) | None => StsFacts::None,
    }
}

fn loops(domain: &Domain) -> Lost {
    lost(Code::new(554, 5, 4, 6), format!("mail for {domain} would come back to us"))
}

/// The address of a literal (RFC 5321 4.1.3).
fn literal(domain: &Domain) -> Option<IpAddr> {
    let inner = domain.as_str().strip_prefix('[')?.strip_suffix(']')?;
    match inner.strip_prefix("ipv6:") {
        Some(v6) => v6.parse().ok().map(IpAddr::V6),
        None => inner.parse().ok(),
    }
}

/// A number below `below`.
fn draw(below: usize) -> usize {
    let number = u64::from_le_bytes(random::octets());
    usize::try_from(number % below.max(1) as u64).unwrap_or(0)
}
