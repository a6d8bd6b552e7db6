//! Questions to DNS, validated (RFC 4035): each answer says whether a chain of signatures leads to it.
//!
//! What a validator finds forged is trouble, never an answer. The cache follows the TTLs and is bounded; that of answers
//! without records is our own, because the resolver's keeps none that were validated.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::dnssec::{Proof, TrustAnchors};
use hickory_resolver::proto::rr::rdata::TLSA;
use hickory_resolver::proto::rr::{RData, Record, RecordType};

use super::absent::{Absent, Nothing};
use crate::site;

/// One question to one server; each is asked twice.
const ANSWER_MAX: Duration = Duration::from_secs(5);
const TRIES: usize = 2;
/// All of them together, and those that prove the answer.
const ASKING_MAX: Duration = Duration::from_secs(30);
/// Answers kept.
const CACHED_MAX: u64 = 20_000;
/// No answer is believed for longer, whatever its TTL.
const TTL_MAX: Duration = Duration::from_secs(86_400);

/// Records of one name and type. Empty: the name is there and has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers<T> {
    pub records: Vec<T>,
    /// All of it, aliases on the way included, is proven by DNSSEC.
    pub secure: bool,
    /// The name behind all aliases; without a final dot, in lower case.
    pub name: String,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// NXDOMAIN: nobody has this name.
    NoName,
    /// Signatures that should be there are missing or wrong.
    Bogus,
    /// The servers do not answer, or do not know.
    Trouble(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NoName => f.write_str("no such name"),
            Fault::Bogus => f.write_str("DNSSEC finds the answer forged"),
            Fault::Trouble(what) => f.write_str(what),
        }
    }
}

/// The resolver of one site.
pub struct Resolver {
    /// `None` where the system names no server: every question fails for now.
    asks: Option<TokioResolver>,
    absent: Absent,
}

impl Resolver {
    /// Asks the site's name servers, or the system's. Needs a tokio runtime. Anchors that hold no key at all turn
    /// validation off: nothing is secure then. The error says what is wrong with the anchors.
    pub fn new(world: &site::World) -> Result<Resolver, String> {
        let anchors = match &world.trust_anchors {
            None => Some(TrustAnchors::default()),
            Some(text) if text.trim().is_empty() => None,
            Some(text) => Some(text.parse().map_err(|error| format!("trust anchors of DNS: {error}"))?),
        };
        let mut builder = if world.name_servers.is_empty() {
            match TokioResolver::builder_tokio() {
                Ok(builder) => builder,
                Err(error) => {
                    tracing::warn!("no name server: {error}");
                    return Ok(Resolver { asks: None, absent: Absent::default() });
                }
            }
        } else {
            let servers = world.name_servers.iter().map(|server| {
                let at = |mut connection: ConnectionConfig| {
                    connection.port = server.port();
                    connection
                };
                let mut known = NameServerConfig::udp_and_tcp(server.ip());
                known.connections = vec![at(ConnectionConfig::udp()), at(ConnectionConfig::tcp())];
                known
            });
            let config = ResolverConfig::from_parts(None, Vec::new(), servers.collect());
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        limit(builder.options_mut(), anchors.is_some());
        if let Some(anchors) = anchors {
            builder = builder.with_trust_anchor(Arc::new(anchors));
        }
        let asks = builder.build().inspect_err(|error| tracing::warn!("no resolver: {error}")).ok();
        Ok(Resolver { asks, absent: Absent::default() })
    }

    /// MX: (preference, exchange), names without a final dot and in lower case; the root is "".
    pub async fn mx(&self, name: &str) -> Result<Answers<(u16, String)>, Fault> {
        let pick = |data: &RData| match data {
            RData::MX(mx) => Some((mx.preference, plain(&mx.exchange.to_ascii()))),
            _ => None,
        };
        self.ask(name, RecordType::MX, pick).await
    }

    pub async fn a(&self, name: &str) -> Result<Answers<IpAddr>, Fault> {
        let pick = |data: &RData| if let RData::A(a) = data { Some(IpAddr::V4(a.0)) } else { None };
        self.ask(name, RecordType::A, pick).await
    }

    pub async fn aaaa(&self, name: &str) -> Result<Answers<IpAddr>, Fault> {
        let pick = |data: &RData| if let RData::AAAA(aaaa) = data { Some(IpAddr::V6(aaaa.0)) } else { None };
        self.ask(name, RecordType::AAAA, pick).await
    }

    pub async fn tlsa(&self, name: &str) -> Result<Answers<TLSA>, Fault> {
        let pick = |data: &RData| if let RData::TLSA(tlsa) = data { Some(tlsa.clone()) } else { None };
        self.ask(name, RecordType::TLSA, pick).await
    }

    /// TXT, the strings of each record put together.
    pub async fn txt(&self, name: &str) -> Result<Answers<String>, Fault> {
        let pick = |data: &RData| match data {
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        };
        self.ask(name, RecordType::TXT, pick).await
    }

    async fn ask<T>(
        &self,
        name: &str,
        kind: RecordType,
        pick: impl Fn(&RData) -> Option<T>,
    ) -> Result<Answers<T>, Fault> {
        let asks = self.asks.as_ref().ok_or_else(|| Fault::Trouble("no name server".to_owned()))?;
        if let Some(nothing) = self.absent.get(name, kind) {
            return nothing.told(name);
        }
        // The final dot keeps the search list of the system out of it.
        let asking = tokio::time::timeout(ASKING_MAX, asks.lookup(format!("{name}."), kind));
        match asking.await {
            Ok(Ok(lookup)) => Ok(read(name, kind, lookup.answers(), pick)),
            Ok(Err(NetError::Dns(error))) => {
                let (nothing, ttl) = Nothing::read(error)?;
                self.absent.keep(name, kind, nothing, ttl);
                nothing.told(name)
            }
            Ok(Err(error)) => Err(Fault::Trouble(error.to_string())),
            Err(_) => Err(Fault::Trouble("no answer in time".to_owned())),
        }
    }
}

fn limit(options: &mut ResolverOpts, validate: bool) {
    options.timeout = ANSWER_MAX;
    options.attempts = TRIES;
    options.edns0 = true;
    options.validate = validate;
    options.cache_size = CACHED_MAX;
    options.use_hosts_file = ResolveHosts::Never;
    options.positive_max_ttl = Some(TTL_MAX);
    options.preserve_intermediates = true;
}

fn read<T>(asked: &str, kind: RecordType, records: &[Record], pick: impl Fn(&RData) -> Option<T>) -> Answers<T> {
    let told = |record: &&Record| matches!(record.record_type(), RecordType::CNAME) || record.record_type() == kind;
    let secure = !records.is_empty() && records.iter().filter(told).all(|record| record.proof == Proof::Secure);
    let name = records.iter().find(|record| record.record_type() == kind);
    Answers {
        records: records.iter().filter_map(|record| pick(&record.data)).collect(),
        secure,
        name: name.map_or_else(|| asked.to_ascii_lowercase(), |record| plain(&record.name.to_ascii())),
    }
}

/// Lower case, no final dot.
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}
