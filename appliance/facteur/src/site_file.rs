//! `site.ron`: the facts of this machine (`policy-language` 4.6), read here and handed to the server as values.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use decide::Tables;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use server::{Certificate, Certificates, ClientAddress, Outbound, Site};

use crate::serving::named;

type Anything = Box<dyn std::error::Error + Send + Sync>;

/// Largest site file in octets.
const FILE_OCTETS_MAX: u64 = 1 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Site")]
struct SiteFile {
    data: PathBuf,
    /// Listener to the addresses it binds.
    listeners: BTreeMap<String, Vec<SocketAddr>>,
    /// Host, or host:port, of the plan to the address it has here.
    #[serde(default)]
    hosts: BTreeMap<String, IpAddr>,
    /// `default`, or a listener that shows another certificate.
    certificates: BTreeMap<String, CertificateFiles>,
    #[serde(default)]
    client_address: ClientAddressFile,
    outbound: OutboundFile,
    /// Where backups go that the plan keeps elsewhere, by the name it gives the place.
    #[serde(default)]
    backups: BTreeMap<String, BackupPlace>,
    /// Where `/metrics` and `/healthz` listen.
    #[serde(default)]
    metrics: Option<SocketAddr>,
}

#[derive(Deserialize)]
enum CertificateFiles {
    File { chain: PathBuf, key: PathBuf },
}

#[derive(Deserialize)]
enum BackupPlace {
    /// On another disk.
    Folder(PathBuf),
}

#[derive(Default, Deserialize)]
enum ClientAddressFile {
    #[default]
    FromSocket,
}

#[derive(Deserialize)]
enum OutboundFile {
    Network,
    Sink,
}

/// Reads a site for the plan of `tables`.
pub fn read(path: &Path, tables: &Tables) -> Result<Site, Anything> {
    let file = parse(path)?;
    for name in file.listeners.keys() {
        if tables.listener(name).is_none() {
            return Err(named(path, format!("the plan has no listener `{name}`")));
        }
    }
    Ok(Site {
        data: file.data,
        listeners: file.listeners,
        hosts: file.hosts.into_iter().map(|(host, address)| (host, SocketAddr::new(address, 0))).collect(),
        certificates: certificates(path, file.certificates)?,
        outbound: match file.outbound {
            OutboundFile::Network => Outbound::Network,
            OutboundFile::Sink => Outbound::Sink,
        },
        client_address: match file.client_address {
            ClientAddressFile::FromSocket => ClientAddress::FromSocket,
        },
        scanners: BTreeMap::new(),
        backups: file.backups.into_iter().map(|(name, BackupPlace::Folder(folder))| (name, folder)).collect(),
        http: file.metrics,
    })
}

/// The data folder a site names, for commands that need no plan.
pub fn data(path: &Path) -> Result<PathBuf, Anything> {
    Ok(parse(path)?.data)
}

/// The one place elsewhere a site names for backups, for commands that need no plan.
pub fn backups(path: &Path) -> Result<Option<PathBuf>, Anything> {
    let places = parse(path)?.backups;
    Ok(if places.len() == 1 { places.into_values().next().map(|BackupPlace::Folder(folder)| folder) } else { None })
}

fn parse(path: &Path) -> Result<SiteFile, Anything> {
    let size = std::fs::metadata(path).map_err(|error| named(path, error))?.len();
    if size > FILE_OCTETS_MAX {
        return Err(named(path, "larger than a site can be"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| named(path, error))?;
    let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    options.from_str(&text).map_err(|error| named(path, error))
}

fn certificates(path: &Path, files: BTreeMap<String, CertificateFiles>) -> Result<Certificates, Anything> {
    let mut by_listener = BTreeMap::new();
    for (name, CertificateFiles::File { chain, key }) in files {
        let certificates: Result<Vec<_>, _> =
            CertificateDer::pem_file_iter(&chain).map_err(|error| named(&chain, error))?.collect();
        let chain = certificates.map_err(|error| named(&chain, error))?;
        let key = PrivateKeyDer::from_pem_file(&key).map_err(|error| named(&key, error))?;
        by_listener.insert(name, Certificate { chain, key });
    }
    let default = by_listener.remove("default");
    let default = default.ok_or_else(|| named(path, "`certificates` lacks `default`"))?;
    Ok(Certificates { default, by_listener })
}
