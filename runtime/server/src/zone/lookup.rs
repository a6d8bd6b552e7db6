//! Asking DNS what a zone has now.

use std::fmt;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use super::{Data, Kind};
use crate::site::World;

/// One server's time for one question.
const QUESTION_MAX: Duration = Duration::from_secs(3);

/// Asks the site's name servers, or the system's.
pub struct Lookup(TokioResolver);

/// No answer: nobody could be asked, or who was asked had trouble.
#[derive(Debug)]
pub struct LookupError(String);

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DNS does not answer: {}", self.0)
    }
}

impl std::error::Error for LookupError {}

impl From<NetError> for LookupError {
    fn from(error: NetError) -> LookupError {
        LookupError(error.to_string())
    }
}

impl Lookup {
    pub fn new(world: &World) -> Result<Lookup, LookupError> {
        let provider = TokioRuntimeProvider::default();
        let mut builder = if world.name_servers.is_empty() {
            TokioResolver::builder(provider)?
        } else {
            let servers = world.name_servers.iter().map(|server| {
                let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
                connections.iter_mut().for_each(|connection| connection.port = server.port());
                NameServerConfig::new(server.ip(), true, connections)
            });
            TokioResolver::builder_with_config(ResolverConfig::from_parts(None, vec![], servers.collect()), provider)
        };
        let options = builder.options_mut();
        options.timeout = QUESTION_MAX;
        options.use_hosts_file = hickory_resolver::config::ResolveHosts::Never;
        // What was changed a moment ago is to be seen.
        options.cache_size = 0;
        Ok(Lookup(builder.build()?))
    }

    /// The records of `kind` at `name`, in no order; none when the name or the kind is not there.
    pub async fn records(&self, name: &str, kind: Kind) -> Result<Vec<Data>, LookupError> {
        let mut name = Name::from_utf8(name).map_err(|error| LookupError(error.to_string()))?;
        name.set_fqdn(true);
        let asked = match kind {
            Kind::A => RecordType::A,
            Kind::Aaaa => RecordType::AAAA,
            Kind::Mx => RecordType::MX,
            Kind::Txt => RecordType::TXT,
            Kind::Tlsa => RecordType::TLSA,
            Kind::Srv => RecordType::SRV,
            Kind::Ptr => RecordType::PTR,
        };
        match self.0.lookup(name, asked).await {
            Ok(found) => Ok(found.answers().iter().filter_map(|record| data(&record.data)).collect()),
            Err(error) if is_empty(&error) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// Texts at `name`, the strings of each record joined (RFC 7208 3.3).
    pub async fn texts(&self, name: &str) -> Result<Vec<String>, LookupError> {
        let records = self.records(name, Kind::Txt).await?;
        Ok(records.into_iter().filter_map(|data| if let Data::Txt(text) = data { Some(text) } else { None }).collect())
    }
}

/// NXDOMAIN, or a name without such records.
fn is_empty(error: &NetError) -> bool {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => {
            matches!(none.response_code, ResponseCode::NoError | ResponseCode::NXDomain)
        }
        _ => false,
    }
}

fn data(data: &RData) -> Option<Data> {
    let host = |name: &Name| name.to_ascii().trim_end_matches('.').to_ascii_lowercase();
    Some(match data {
        RData::A(address) => Data::A(address.0),
        RData::AAAA(address) => Data::Aaaa(address.0),
        RData::MX(mx) => Data::Mx { preference: mx.preference, host: host(&mx.exchange) },
        RData::TXT(text) => Data::Txt(String::from_utf8_lossy(&text.txt_data.concat()).into_owned()),
        RData::TLSA(tlsa) => Data::Tlsa {
            usage: tlsa.cert_usage.into(),
            selector: tlsa.selector.into(),
            matching: tlsa.matching.into(),
            octets: tlsa.cert_data.clone(),
        },
        RData::SRV(srv) => {
            Data::Srv { priority: srv.priority, weight: srv.weight, port: srv.port, target: host(&srv.target) }
        }
        RData::PTR(ptr) => Data::Ptr(host(&ptr.0)),
        _ => return None,
    })
}
