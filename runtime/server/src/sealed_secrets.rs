//! Secrets of the site that the store keeps, sealed: what the plan names by `Secret("name")`, put there at first boot.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proto::sasl::Secret;
use store::{CommitError, Op, ReadError, Store};

use crate::signing::Seal;

/// What settings with secrets start with; the name follows.
const PREFIX: &str = "secret/";
/// Secrets one site may have.
pub const SECRETS_MAX: usize = 256;
/// Octets of one.
pub const SECRET_OCTETS_MAX: usize = 64 * 1024;

/// All that open. One that does not is said, and is as if it were not there.
pub(crate) fn read(store: &Store, seal: &Seal) -> Result<BTreeMap<String, Secret>, ReadError> {
    let mut secrets = BTreeMap::new();
    for (setting, sealed) in store.settings(PREFIX, "", SECRETS_MAX)? {
        let opened = seal.open(&setting, &sealed).and_then(|octets| String::from_utf8(octets).ok());
        match (opened, setting.strip_prefix(PREFIX)) {
            (Some(secret), Some(name)) => drop(secrets.insert(name.to_owned(), Secret::new(secret))),
            _ => tracing::error!("the {setting} that is kept does not open: import it again"),
        }
    }
    Ok(secrets)
}

/// Why secrets were not kept.
#[derive(Debug)]
pub enum NotKept {
    /// The key of the data folder.
    Seal(std::io::Error),
    /// More than one site may have.
    TooMany,
    Read(ReadError),
    Commit(CommitError),
}

impl std::fmt::Display for NotKept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NotKept::Seal(error) => write!(f, "seal.key in the data folder: {error}"),
            NotKept::TooMany => {
                write!(f, "more than {SECRETS_MAX} secrets, or one of more than {SECRET_OCTETS_MAX} octets")
            }
            NotKept::Read(error) => error.fmt(f),
            NotKept::Commit(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NotKept {}

/// A data folder whose store nobody serves now: what a first boot puts there.
pub struct Vault<'a> {
    store: &'a Store,
    seal: Seal,
}

impl Vault<'_> {
    /// Of a store that is open on `data`.
    pub fn of<'a>(store: &'a Store, data: &Path) -> Result<Vault<'a>, NotKept> {
        Ok(Vault { store, seal: Seal::of(data).map_err(NotKept::Seal)? })
    }

    /// Is there such a setting, and does it not open? Then the key of the folder is another than it was.
    pub fn is_closed(&self, setting: &str) -> Result<bool, ReadError> {
        Ok(self.store.setting(setting)?.is_some_and(|sealed| self.seal.open(setting, &sealed).is_none()))
    }

    /// Secrets that do not open, by name.
    pub fn closed(&self) -> Result<Vec<String>, ReadError> {
        let all = self.store.settings(PREFIX, "", SECRETS_MAX)?.into_iter();
        let closed = all.filter(|(setting, sealed)| self.seal.open(setting, sealed).is_none());
        Ok(closed.filter_map(|(setting, _)| Some(setting.strip_prefix(PREFIX)?.to_owned())).collect())
    }

    /// A sealed setting that is no secret of the site; `None` where there is none or it does not open.
    pub fn note(&self, setting: &str) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.store.setting(setting)?.and_then(|sealed| self.seal.open(setting, &sealed)))
    }

    /// Keeps `secrets`, by name, and `notes`, sealed settings beside them, in one commit. Not for async threads.
    pub fn keep(&self, secrets: &BTreeMap<String, String>, notes: &[(&str, Vec<u8>)]) -> Result<(), NotKept> {
        let known: BTreeSet<String> = kept_secrets(self.store).map_err(NotKept::Read)?.into_iter().collect();
        let new = secrets.keys().filter(|name| !known.contains(*name)).count();
        if known.len() + new > SECRETS_MAX || secrets.values().any(|secret| secret.len() > SECRET_OCTETS_MAX) {
            return Err(NotKept::TooMany);
        }
        let secrets = secrets.iter().map(|(name, secret)| (format!("{PREFIX}{name}"), secret.as_bytes()));
        let notes = notes.iter().map(|(setting, note)| ((*setting).to_owned(), note.as_slice()));
        let sealed = |(key, plain): (String, &[u8])| {
            // `None` is for more octets than memory holds.
            let value = Some(self.seal.seal(&key, plain).ok_or(NotKept::TooMany)?);
            Ok(Op::Setting { key, value })
        };
        let ops: Result<Vec<Op>, NotKept> = secrets.chain(notes).map(sealed).collect();
        self.store.commit_wait(ops?).map(drop).map_err(NotKept::Commit)
    }
}

/// Names of secrets that are kept, without opening them.
pub fn kept_secrets(store: &Store) -> Result<Vec<String>, ReadError> {
    let settings = store.settings(PREFIX, "", SECRETS_MAX)?;
    Ok(settings.into_iter().filter_map(|(key, _)| Some(key.strip_prefix(PREFIX)?.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use store::Options;

    use super::*;

    #[test]
    fn secrets_are_kept_sealed_and_read_by_name() {
        let name = format!("facteur-vault-{:016x}", u64::from_le_bytes(crate::random::octets()));
        let folder = std::env::temp_dir().join(name);
        let store = Store::open(&folder, Options::default()).unwrap();
        let vault = Vault::of(&store, &folder).unwrap();
        let of = |name: &str, secret: &str| BTreeMap::from([(name.to_owned(), secret.to_owned())]);
        vault.keep(&of("ldap", "one"), &[("first-boot/taken", b"note".to_vec())]).unwrap();
        vault.keep(&of("ldap", "two"), &[]).unwrap();
        vault.keep(&of("acme", "three"), &[]).unwrap();
        assert_eq!(vault.note("first-boot/taken").unwrap().as_deref(), Some(b"note".as_slice()));
        assert_eq!(kept_secrets(&store).unwrap(), ["acme", "ldap"]);
        let read = read(&store, &Seal::of(&folder).unwrap()).unwrap();
        let read: Vec<(&str, &str)> = read.iter().map(|(name, secret)| (name.as_str(), secret.reveal())).collect();
        assert_eq!(read, [("acme", "three"), ("ldap", "two")]);
        assert!(matches!(vault.keep(&of("long", &"x".repeat(SECRET_OCTETS_MAX + 1)), &[]), Err(NotKept::TooMany)));
        let many = (0..SECRETS_MAX).map(|n| (format!("n{n}"), String::new())).collect();
        assert!(matches!(vault.keep(&many, &[]), Err(NotKept::TooMany)));
        let kept = store.setting("secret/ldap").unwrap().unwrap();
        assert!(!kept.windows(3).any(|octets| octets == b"two"));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
