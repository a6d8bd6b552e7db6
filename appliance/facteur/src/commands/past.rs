//! Plans that ran: the appliance keeps them with their maps under their hashes, for replies people paste weeks later.

use std::path::{Path, PathBuf};

use plan::PlanHash;

/// How plans are called there.
const SUFFIX: &str = ".plan.ron";

/// The kept plan a short hash names, in the data folder; the newest of two that share it, which nobody has seen yet.
pub fn find(data: &Path, short: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(data.join("plans")).ok()?;
    let is_it = |name: &str| {
        let full = name.strip_suffix(SUFFIX).and_then(PlanHash::of_full);
        full.is_some_and(|hash| hash.short() == short)
    };
    let mut found: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_str().is_some_and(is_it))
        .map(|entry| entry.path())
        .collect();
    found.sort_by_key(|path| path.metadata().and_then(|kept| kept.modified()).ok());
    found.pop()
}
