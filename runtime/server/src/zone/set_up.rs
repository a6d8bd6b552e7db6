//! Set-up of mail programs: the records that lead to it, and whether its hosts answer with the files of the plan.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use mail::Address;
use plan::{Plan, Portal};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::compare::{Finding, Standing};
use super::data::{Data, Kind, Record};
use super::implied::mta_sts;
use super::lookup::Lookup;
use super::place::Place;
use crate::setup;
use crate::signing::keys;
use crate::site::Site;

const ANSWER_MAX: Duration = Duration::from_secs(10);
const BODY_OCTETS_MAX: usize = 64 * 1024;

/// The host of the portal's URL, without a port.
pub(crate) fn host(portal: &Portal) -> &str {
    let host = portal.at.strip_prefix("https://").unwrap_or(&portal.at);
    host.split(':').next().unwrap_or(host)
}

fn port(portal: &Portal) -> u16 {
    portal.at.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(443)
}

/// Where Outlook looks first (MS-OXDISCO 3.1.5.4), and the addresses of the hosts of set-up and of the portal.
pub(super) fn records(plan: &Plan, place: &Place, name: &str) -> Vec<Record> {
    let Some(portal) = &plan.portal else { return Vec::new() };
    let mut records = Vec::new();
    let mut hosts = setup::hosts(plan, name);
    if hosts.iter().any(|host| host.starts_with("autodiscover.")) {
        let data = Data::Srv { priority: 0, weight: 1, port: port(portal), target: host(portal).to_owned() };
        records.push(Record { name: format!("_autodiscover._tcp.{name}"), data, why: "portal".to_owned() });
    }
    let own = host(portal);
    let ours = own.parse().is_ok_and(|own| keys::signs_for(&keys::domains(plan), &own).is_some());
    if plan.institution.domain.as_str() == name && ours {
        hosts.push(own.to_owned());
    }
    for host in hosts {
        records.extend(place.portal.iter().map(|address| Record {
            name: host.clone(),
            data: match address.to_canonical() {
                IpAddr::V4(v4) => Data::A(v4),
                IpAddr::V6(v6) => Data::Aaaa(v6),
            },
            why: "the portal at this site".to_owned(),
        }));
    }
    records
}

/// What the records of set-up lack.
pub(super) fn note(plan: &Plan, place: &Place, name: &str) -> Option<String> {
    let hosts = setup::hosts(plan, name).join(", ");
    match &plan.portal {
        _ if hosts.is_empty() => None,
        None => Some(format!("no portal: {hosts} have to be served elsewhere (`facteur autoconfig` writes the files)")),
        Some(_) if place.portal.is_empty() => {
            Some(format!("{hosts}: addresses of the portal are the site's (`portal`, --site)"))
        }
        Some(_) => None,
    }
}

/// The plan can say what each domain's mail programs need.
pub fn files(plan: &Plan) -> Vec<Finding> {
    let with_people = plan.domains.keys().filter(|name| {
        !matches!(pages::autoconfig(plan, name, None), Err(pages::NoAutoconfig::PassedOn)) && !name.contains('{')
    });
    let finding = |name: &String| {
        let what = format!("set-up of mail programs for {name}");
        match asked(plan, name) {
            Ok(_) => Finding::ok(what),
            Err(_) => Finding::new(Standing::Bad, what, "no listener offers TLS for reading or for sending"),
        }
    };
    with_people.map(finding).collect()
}

/// A request and its answer.
struct Exchange {
    host: String,
    path: &'static str,
    /// What is posted; empty: it is a GET.
    body: String,
    answer: String,
}

/// What mail programs ask at the hosts of one domain, for an address that need not exist.
fn asked(plan: &Plan, name: &str) -> Result<Vec<Exchange>, pages::NoAutoconfig> {
    let address: Address = format!("somebody@{name}").parse().map_err(|_| pages::NoAutoconfig::NotOurs)?;
    let schema = pages::OUTLOOK;
    let body = format!(
        "<Autodiscover><Request><EMailAddress>{address}</EMailAddress>\
         <AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"
    );
    let (autoconfig, autodiscover) = (pages::autoconfig(plan, name, None)?, pages::autodiscover(plan, &address)?);
    let one = |label: &str, path, body, answer| Exchange { host: format!("{label}.{name}"), path, body, answer };
    Ok(vec![
        one("autoconfig", "/mail/config-v1.1.xml", String::new(), autoconfig),
        one("autodiscover", "/autodiscover/autodiscover.xml", body, autodiscover),
    ])
}

/// Each host of set-up answers with what the plan says.
pub async fn hosts(plan: &Plan, site: &Site, lookup: &Lookup) -> Vec<Finding> {
    if plan.portal.is_none() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for name in plan.domains.keys() {
        let mut exchanges = asked(plan, name).unwrap_or_default();
        let policy = mta_sts(plan).filter(|_| setup::hosts(plan, name).iter().any(|host| host.starts_with("mta-sts.")));
        exchanges.extend(policy.map(|answer| Exchange {
            host: format!("mta-sts.{name}"),
            path: "/.well-known/mta-sts.txt",
            body: String::new(),
            answer,
        }));
        for exchange in exchanges {
            let what = format!("https://{}{}", exchange.host, exchange.path);
            let answer = tokio::time::timeout(ANSWER_MAX, fetched(site, lookup, &exchange)).await;
            let answer = answer.unwrap_or_else(|_| Err(format!("no answer in {} s", ANSWER_MAX.as_secs())));
            findings.push(match answer {
                Ok(body) if body == exchange.answer.as_bytes() => Finding::ok(what),
                Ok(_) => Finding::new(Standing::Different, what, "it answers, and not with what this plan says"),
                Err(says) => Finding::new(Standing::Bad, what, says),
            });
        }
    }
    findings
}

async fn fetched(site: &Site, lookup: &Lookup, exchange: &Exchange) -> Result<Bytes, String> {
    let host = exchange.host.as_str();
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let stream = TcpStream::connect(address(site, lookup, host).await?).await.map_err(|error| told(&error))?;
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    roots.add_parsable_certificates(site.world.authorities.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| told(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|error| told(&error))?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| told(&error))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| told(&error))?;
    let asking = async {
        let method = if exchange.body.is_empty() { Method::GET } else { Method::POST };
        let request = Request::builder().method(method).uri(exchange.path).header(header::HOST, host);
        let request = request.header(header::CONTENT_TYPE, "text/xml");
        let request = request.body(Full::new(Bytes::from(exchange.body.clone()))).map_err(|error| told(&error))?;
        let (parts, body) = sender.send_request(request).await.map_err(|error| told(&error))?.into_parts();
        if parts.status != StatusCode::OK {
            return Err(format!("it answers {}", parts.status));
        }
        Ok(Limited::new(body, BODY_OCTETS_MAX).collect().await.map_err(|error| told(&error))?.to_bytes())
    };
    tokio::pin!(connection);
    tokio::pin!(asking);
    tokio::select! {
        answer = &mut asking => answer,
        // The server has said all it will say.
        _ = &mut connection => asking.await,
    }
}

/// As the site says, else as DNS does.
async fn address(site: &Site, lookup: &Lookup, host: &str) -> Result<SocketAddr, String> {
    if let Some(address) = site.host(&format!("{host}:443")) {
        return Ok(address);
    }
    for kind in [Kind::A, Kind::Aaaa] {
        let found = lookup.records(host, kind).await.map_err(|error| error.to_string())?;
        let address = found.into_iter().find_map(|data| match data {
            Data::A(v4) => Some(IpAddr::V4(v4)),
            Data::Aaaa(v6) => Some(IpAddr::V6(v6)),
            _ => None,
        });
        if let Some(address) = address {
            return Ok(SocketAddr::new(address, 443));
        }
    }
    Err("the name has no address".to_owned())
}
