//! `site.ron`: the facts of this machine (`policy-language` 4.6), read here and handed to the server as values.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use decide::Tables;
use proto::sasl::Secret;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use server::{
    AccountBinding, Acme, Certificate, CertificateFrom, Certificates, Challenge, ClientAddress, DEFAULT, DirectoryAt,
    Outbound, PortalAddress, Site, Syslog, World,
};

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
    hosts: BTreeMap<String, HostAddress>,
    /// `default`, or a listener that shows another certificate, or `portal`.
    #[serde(default = "self_signed")]
    certificates: BTreeMap<String, CertificateFile>,
    #[serde(default)]
    client_address: ClientAddressFile,
    outbound: OutboundFile,
    /// Name servers; those of the system where nothing is written.
    #[serde(default)]
    dns: DnsFile,
    /// PEM files of authorities that are believed besides the public ones.
    #[serde(default)]
    authorities: Vec<PathBuf>,
    /// Addresses mail leaves from, by the names in the plan, and `usual`.
    #[serde(default)]
    sources: BTreeMap<String, Vec<IpAddr>>,
    #[serde(default)]
    secrets: SecretsFile,
    /// Where backups go that the plan keeps elsewhere, by the name it gives the place.
    #[serde(default)]
    backups: BTreeMap<String, BackupPlace>,
    /// Where `/metrics` and `/healthz` listen.
    #[serde(default)]
    metrics: Option<SocketAddr>,
    /// Where the portal listens.
    #[serde(default)]
    portal: Vec<SocketAddr>,
    /// Where operators of other machines are listened to.
    #[serde(default)]
    control: Option<SocketAddr>,
    /// Who gets the log over TLS.
    #[serde(default)]
    syslog: Option<SyslogFile>,
}

#[derive(Deserialize)]
enum CertificateFile {
    File {
        chain: PathBuf,
        key: PathBuf,
    },
    SelfSigned,
    Acme {
        directory: String,
        #[serde(default)]
        contact: Vec<String>,
        challenge: ChallengeFile,
        #[serde(default)]
        account_binding: Option<AccountBindingFile>,
    },
}

#[derive(Deserialize)]
enum ChallengeFile {
    Http01(SocketAddr),
    TlsAlpn01(SocketAddr),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountBindingFile {
    key: String,
    secret: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SyslogFile {
    /// `host:port`.
    to: String,
    /// What this machine calls itself.
    name: String,
    /// PEM of the authority that is believed for it.
    #[serde(default)]
    authority: Option<PathBuf>,
}

fn self_signed() -> BTreeMap<String, CertificateFile> {
    BTreeMap::from([(DEFAULT.to_owned(), CertificateFile::SelfSigned)])
}

/// An address, or an address with another port than the plan's.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum HostAddress {
    Port(SocketAddr),
    Plain(IpAddr),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct DnsFile {
    servers: Vec<SocketAddr>,
    /// DNSKEY records that are trusted, in the form of a zone file; the root's own where nothing is written.
    anchors: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
enum SecretsFile {
    #[default]
    Nothing,
    /// Files in the folder that the service manager hands over as `$CREDENTIALS_DIRECTORY`.
    Credentials,
    /// Files in this folder.
    Folder(PathBuf),
    /// Those the store keeps sealed (`facteur appliance first-boot`).
    Sealed,
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

/// Reads a site for the plan of `tables`; `None` lets it name listeners the plan does not have.
pub fn read(path: &Path, tables: Option<&Tables>) -> Result<Site, Anything> {
    let file = parse(path)?;
    for name in file.listeners.keys() {
        if tables.is_some_and(|tables| tables.listener(name).is_none()) {
            return Err(named(path, format!("the plan has no listener `{name}`")));
        }
    }
    Ok(Site {
        twin: false,
        data: file.data,
        listeners: file.listeners,
        hosts: file.hosts.into_iter().map(|(host, address)| (host.clone(), address.of(&host))).collect(),
        certificates: certificates(path, file.certificates)?,
        outbound: match file.outbound {
            OutboundFile::Network => Outbound::Network,
            OutboundFile::Sink => Outbound::Sink,
        },
        world: World {
            name_servers: file.dns.servers,
            trust_anchors: file.dns.anchors.as_deref().map(text).transpose()?,
            authorities: authorities(&file.authorities)?,
        },
        sources: file.sources,
        sealed_secrets: matches!(file.secrets, SecretsFile::Sealed),
        secrets: secrets(file.secrets)?,
        client_address: match file.client_address {
            ClientAddressFile::FromSocket => ClientAddress::FromSocket,
        },
        scanners: BTreeMap::new(),
        backups: file.backups.into_iter().map(|(name, BackupPlace::Folder(folder))| (name, folder)).collect(),
        directory: DirectoryAt::Servers,
        http: file.metrics,
        portal: file.portal.into_iter().map(|bind| PortalAddress { bind, seen_as: None }).collect(),
        control: file.control,
        syslog: file.syslog.map(syslog).transpose()?,
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

impl HostAddress {
    /// Where `host`, or `host:port`, is. Port 0 keeps the port that is asked for.
    fn of(self, host: &str) -> SocketAddr {
        match self {
            HostAddress::Port(address) => address,
            HostAddress::Plain(address) => {
                let port = host.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(0);
                SocketAddr::new(address, port)
            }
        }
    }
}

fn text(path: &Path) -> Result<String, Anything> {
    std::fs::read_to_string(path).map_err(|error| named(path, error))
}

fn authorities(files: &[PathBuf]) -> Result<Vec<CertificateDer<'static>>, Anything> {
    let mut all = Vec::new();
    for file in files {
        let certificates = CertificateDer::pem_file_iter(file).map_err(|error| named(file, error))?;
        for certificate in certificates {
            all.push(certificate.map_err(|error| named(file, error))?);
        }
    }
    Ok(all)
}

/// Each file is a secret under its name; a line end behind it is not part of it.
fn secrets(from: SecretsFile) -> Result<BTreeMap<String, Secret>, Anything> {
    let folder = match from {
        SecretsFile::Nothing | SecretsFile::Sealed => return Ok(BTreeMap::new()),
        SecretsFile::Credentials => match std::env::var_os("CREDENTIALS_DIRECTORY") {
            Some(folder) => PathBuf::from(folder),
            None => return Err("`secrets: Credentials`, and $CREDENTIALS_DIRECTORY is not set".into()),
        },
        SecretsFile::Folder(folder) => folder,
    };
    let mut secrets = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).map_err(|error| named(&folder, error))? {
        let path = entry.map_err(|error| named(&folder, error))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| path.is_file()) else { continue };
        let mut octets = std::fs::read(&path).map_err(|error| named(&path, error))?;
        octets.truncate(octets.trim_ascii_end().len());
        // Certificates may lie beside them: what is no text is no secret of ours.
        if let Ok(secret) = String::from_utf8(octets) {
            secrets.insert(name.to_owned(), Secret::new(secret));
        }
    }
    Ok(secrets)
}

fn certificates(path: &Path, files: BTreeMap<String, CertificateFile>) -> Result<Certificates, Anything> {
    let mut by_listener = BTreeMap::new();
    for (name, file) in files {
        by_listener.insert(name, certificate(path, file)?);
    }
    let default = by_listener.remove(DEFAULT);
    let default = default.ok_or_else(|| named(path, "`certificates` lacks `default`"))?;
    Ok(Certificates { default, by_listener })
}

fn certificate(path: &Path, file: CertificateFile) -> Result<CertificateFrom, Anything> {
    match file {
        CertificateFile::File { chain, key } => {
            let certificates: Result<Vec<_>, _> =
                CertificateDer::pem_file_iter(&chain).map_err(|error| named(&chain, error))?.collect();
            let chain = certificates.map_err(|error| named(&chain, error))?;
            let key = PrivateKeyDer::from_pem_file(&key).map_err(|error| named(&key, error))?;
            Ok(CertificateFrom::Given(Certificate { chain, key }))
        }
        CertificateFile::SelfSigned => Ok(CertificateFrom::SelfSigned),
        CertificateFile::Acme { directory, contact, challenge, account_binding } => {
            if !directory.starts_with("https://") {
                return Err(named(path, format!("the directory of `Acme` is no https URL: {directory}")));
            }
            let challenge = match challenge {
                ChallengeFile::Http01(at) => Challenge::Http01(at),
                ChallengeFile::TlsAlpn01(at) => Challenge::TlsAlpn01(at),
            };
            let account_binding =
                account_binding.map(|AccountBindingFile { key, secret }| AccountBinding { key, secret });
            Ok(CertificateFrom::Acme(Acme { directory, contact, challenge, account_binding }))
        }
    }
}

fn syslog(SyslogFile { to, name, authority }: SyslogFile) -> Result<Syslog, Anything> {
    Ok(Syslog { to, name, authority: authorities(&Vec::from_iter(authority))? })
}
