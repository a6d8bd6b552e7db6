//! The certificates listeners show: given, made here, or ordered. Each has a slot; what a slot shows can change while
//! connections are open, and a connection that is open keeps what it was opened with.

mod keep;
mod kept;
mod made;
mod names;

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use decide::Tables;
use rustls::sign::CertifiedKey;
use store::{CommitError, ReadError, Store};

pub(crate) use keep::{keep, renewed};
pub(crate) use kept::{Kept, Kind, pem};
pub(crate) use made::new_key;
pub(crate) use names::hosts;

use crate::acme::renewal_s;
use crate::metrics::Metrics;
use crate::setup::validity;
use crate::signing::Seal;
use crate::site::{CERTIFICATES, Certificate, CertificateFrom, DEFAULT, Site};
use crate::{clock, durable};

/// A certificate that is shown.
#[derive(Debug)]
pub(crate) struct Shown {
    pub certificate: Certificate,
    /// Its validity, Unix seconds; 0 for what cannot be read.
    pub from_s: i64,
    pub until_s: i64,
    pub self_signed: bool,
}

impl Shown {
    pub fn of(certificate: Certificate, self_signed: bool) -> Shown {
        let (from_s, until_s) = certificate.chain.first().and_then(|own| validity(own)).unwrap_or_default();
        Shown { certificate, from_s, until_s, self_signed }
    }
}

/// What is shown under one name, by all listeners that show it.
#[derive(Debug)]
pub(crate) struct Slot {
    pub name: String,
    now: RwLock<Arc<Shown>>,
    /// Why there is no newer one.
    trouble: Mutex<Option<String>>,
    /// How late it is renewed.
    jitter: u16,
}

impl Slot {
    fn new(name: &str, shown: Shown) -> Slot {
        let now = RwLock::new(Arc::new(shown));
        Slot { name: name.to_owned(), now, trouble: Mutex::default(), jitter: keep::jitter() }
    }

    pub fn now(&self) -> Arc<Shown> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When another one should take its place, Unix seconds.
    fn due_s(&self) -> i64 {
        let shown = self.now();
        renewal_s(shown.from_s, shown.until_s, self.jitter)
    }

    fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Shows another from the next connection on, unless it could not be used.
    fn show(&self, shown: Shown) -> Result<(), rustls::Error> {
        usable(&shown.certificate)?;
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(shown);
        Ok(())
    }
}

/// Is the key one we can use, and that of the certificate?
pub(crate) fn usable(certificate: &Certificate) -> Result<(), rustls::Error> {
    let provider = rustls::crypto::ring::default_provider();
    CertifiedKey::from_der(certificate.chain.clone(), certificate.key.clone_key(), &provider).map(drop)
}

/// Why there is nothing to show.
#[derive(Debug)]
pub enum NoCertificate {
    Read(ReadError),
    Commit(CommitError),
    /// None could be made.
    Made(String),
}

impl fmt::Display for NoCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoCertificate::Read(error) => error.fmt(f),
            NoCertificate::Commit(error) => error.fmt(f),
            NoCertificate::Made(why) => write!(f, "no certificate could be made: {why}"),
        }
    }
}

/// All slots of a site.
pub(crate) struct Shelf {
    slots: BTreeMap<String, Arc<Slot>>,
    pub(crate) seal: Seal,
}

impl Shelf {
    /// Something for every slot: what is given, what is kept, else one that is made now.
    pub async fn load(tables: &Tables, site: &Site, store: &Store, seal: Seal) -> Result<Shelf, NoCertificate> {
        let mut slots = BTreeMap::new();
        for (name, from) in all(site) {
            let shown = match from {
                CertificateFrom::Given(given) => {
                    let given = Certificate { chain: given.chain.clone(), key: given.key.clone_key() };
                    let own = given.chain.first().is_some_and(|own| crate::setup::is_self_signed(own));
                    Shown::of(given, own)
                }
                CertificateFrom::SelfSigned => self_signed(tables, site, store, &seal, name).await?,
                CertificateFrom::Acme(_) => match kept(store, &seal, name, Kind::Acme)? {
                    Some(shown) => shown,
                    None => self_signed(tables, site, store, &seal, name).await?,
                },
            };
            if !matches!(from, CertificateFrom::Given(_)) {
                publish(&site.data, name, &shown);
            }
            slots.insert(name.to_owned(), Arc::new(Slot::new(name, shown)));
        }
        Ok(Shelf { slots, seal })
    }

    /// What the listener, or `portal`, shows.
    pub fn of(&self, listener: &str) -> Arc<Slot> {
        let slot = self.slots.get(listener).or_else(|| self.slots.get(DEFAULT));
        slot.cloned().expect("a shelf is made with the default slot")
    }

    pub fn slots(&self) -> impl Iterator<Item = &Arc<Slot>> {
        self.slots.values()
    }

    /// Sets the gauges, which alerts look at.
    pub fn count(&self, metrics: &Metrics) {
        for slot in self.slots() {
            let shown = slot.now();
            metrics.certificate_until.with_label_values(&[slot.name.as_str()]).set(shown.until_s);
            let own = i64::from(shown.self_signed);
            metrics.certificate_self_signed.with_label_values(&[slot.name.as_str()]).set(own);
        }
    }

    /// What somebody should know who looks after this server, one line each.
    pub fn warnings(&self) -> Vec<String> {
        let now_s = clock::unix_s();
        let mut warnings = Vec::new();
        for slot in self.slots() {
            let (shown, name) = (slot.now(), &slot.name);
            if shown.until_s <= now_s {
                warnings.push(format!("the certificate `{name}` is past its end"));
            }
            if shown.self_signed {
                warnings.push(format!("the certificate `{name}` is self-signed: no client believes it unasked"));
            }
            let trouble = slot.trouble.lock().unwrap_or_else(PoisonError::into_inner);
            warnings.extend(trouble.as_ref().map(|why| format!("the certificate `{name}` cannot be renewed: {why}")));
        }
        warnings
    }
}

/// The names of a site's certificates, and where each comes from.
fn all(site: &Site) -> impl Iterator<Item = (&str, &CertificateFrom)> {
    let others = site.certificates.by_listener.iter().map(|(name, from)| (name.as_str(), from));
    std::iter::once((DEFAULT, &site.certificates.default)).chain(others)
}

/// The one that is kept under `name`, if it can be used.
fn kept(store: &Store, seal: &Seal, name: &str, kind: Kind) -> Result<Option<Shown>, NoCertificate> {
    let kept = Kept::read(store, seal, name, kind).map_err(NoCertificate::Read)?;
    let certificate = kept.and_then(|kept| kept.certificate()).filter(|certificate| usable(certificate).is_ok());
    Ok(certificate.map(|certificate| Shown::of(certificate, kind == Kind::SelfSigned)))
}

/// The self-signed one under `name`, made where there is none for the hosts of today.
async fn self_signed(
    tables: &Tables,
    site: &Site,
    store: &Store,
    seal: &Seal,
    name: &str,
) -> Result<Shown, NoCertificate> {
    let hosts = hosts(tables.plan(), site, name);
    let before = Kept::read(store, seal, name, Kind::SelfSigned).map_err(NoCertificate::Read)?;
    if let Some(before) = &before
        && before.hosts == hosts
        && let Some(certificate) = before.certificate().filter(|certificate| usable(certificate).is_ok())
    {
        let shown = Shown::of(certificate, true);
        if !renewed(shown.from_s, shown.until_s, clock::unix_s()) {
            return Ok(shown);
        }
    }
    let made = made::self_signed(&hosts, clock::unix_s()).map_err(|error| NoCertificate::Made(error.to_string()))?;
    let op = made.write(seal, name, Kind::SelfSigned).ok_or(NoCertificate::Made("it cannot be sealed".to_owned()))?;
    durable::commit(store, vec![op]).await.map_err(NoCertificate::Commit)?;
    tracing::warn!(
        certificate = name,
        hosts = hosts.join(" "),
        "a self-signed certificate was made: no client believes it unasked, and other servers may not deliver"
    );
    let certificate = made.certificate().ok_or(NoCertificate::Made("it cannot be read".to_owned()))?;
    Ok(Shown::of(certificate, true))
}

/// Writes the public half for commands that look from outside (`Site::chain`).
fn publish(data: &Path, name: &str, shown: &Shown) {
    let text: String = shown.certificate.chain.iter().map(|one| pem("CERTIFICATE", one)).collect();
    let folder = data.join(CERTIFICATES);
    let (file, started) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.pem.new")));
    let written = std::fs::create_dir_all(&folder).and_then(|()| {
        let mut new = std::fs::File::create(&started)?;
        new.write_all(text.as_bytes())?;
        new.sync_all()?;
        std::fs::rename(&started, &file)
    });
    // Nothing is served from there.
    if let Err(error) = written {
        tracing::warn!("{}: {error}", file.display());
    }
}

#[cfg(test)]
mod tests;
