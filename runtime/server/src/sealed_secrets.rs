//! Secrets of the site that the store keeps, sealed: what the plan names by `Secret("name")`, put there at first boot.

use std::collections::BTreeMap;

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
    Commit(CommitError),
}

impl std::fmt::Display for NotKept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NotKept::Seal(error) => write!(f, "seal.key in the data folder: {error}"),
            NotKept::TooMany => {
                write!(f, "more than {SECRETS_MAX} secrets, or one of more than {SECRET_OCTETS_MAX} octets")
            }
            NotKept::Commit(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NotKept {}

/// Keeps `secrets`, by name, and `marks`, settings beside them that say so, all in one commit. Not for async threads.
pub fn keep_secrets(
    store: &Store,
    data: &std::path::Path,
    secrets: &BTreeMap<String, String>,
    marks: &[(&str, Vec<u8>)],
) -> Result<(), NotKept> {
    if secrets.len() > SECRETS_MAX || secrets.values().any(|secret| secret.len() > SECRET_OCTETS_MAX) {
        return Err(NotKept::TooMany);
    }
    let seal = Seal::of(data).map_err(NotKept::Seal)?;
    let mut ops = Vec::new();
    for (name, secret) in secrets {
        let key = format!("{PREFIX}{name}");
        // `None` is for more octets than memory holds.
        let value = Some(seal.seal(&key, secret.as_bytes()).ok_or(NotKept::TooMany)?);
        ops.push(Op::Setting { key, value });
    }
    ops.extend(marks.iter().map(|(key, value)| Op::Setting { key: (*key).to_owned(), value: Some(value.clone()) }));
    store.commit_wait(ops).map(drop).map_err(NotKept::Commit)
}

/// Names of secrets that are kept, without opening them.
pub fn kept_secrets(store: &Store) -> Result<Vec<String>, ReadError> {
    let settings = store.settings(PREFIX, "", SECRETS_MAX)?;
    Ok(settings.into_iter().filter_map(|(key, _)| Some(key.strip_prefix(PREFIX)?.to_owned())).collect())
}
