//! The table of all metrics, for people who write alerts and boards.

use serde::Serialize;

/// A metric as it is documented.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Described {
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    pub help: &'static str,
    pub labels: &'static [&'static str],
}

/// All metrics, by name.
pub fn table() -> Vec<Described> {
    let plain = |name, kind, help| Described { name, kind, help, labels: &[] };
    let store = super::store::STORE.iter().map(|(name, kind, help, _)| plain(*name, *kind, *help));
    let process = super::process::PROCESS.iter().map(|(name, kind, help, _)| plain(*name, *kind, *help));
    let mut all: Vec<Described> = super::OWN.iter().cloned().chain(store).chain(process).collect();
    all.sort_by_key(|one| one.name);
    all
}
