//! What `Cargo.lock` may hold: one version of each crate where we choose, and nothing that brings its own cryptography.

use std::collections::BTreeMap;

use super::Fault;

/// Crates that must not be linked: we use *ring* only.
const FORBIDDEN: [&str; 4] = ["aws-lc-sys", "aws-lc-rs", "openssl-sys", "native-tls"];
const INDEX: &str = concat!("registry+https://github.com/rust-lang/", "crates.io-index");

/// The versions of each crate.
pub fn versions(lock: &str) -> BTreeMap<String, Vec<String>> {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut name = None;
    for line in lock.lines() {
        if let Some(value) = quoted(line, "name = ") {
            name = Some(value);
        } else if let (Some(value), Some(name)) = (quoted(line, "version = "), name.take()) {
            versions.entry(name.into()).or_default().push(value.into());
        }
    }
    versions
}

fn quoted<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.strip_prefix(key)?.strip_prefix('"')?.strip_suffix('"')
}

/// Faults of the lock file.
pub fn faults(lock: &str) -> Vec<Fault> {
    let fault = |rule: &'static str, place: &str, says: String| Fault { rule, place: place.into(), line: 0, says };
    let mut faults = Vec::new();
    for (name, versions) in versions(lock) {
        if FORBIDDEN.contains(&name.as_str()) {
            faults.push(fault("forbidden-crate", &name, "must not be linked".into()));
        }
        if versions.len() > 1 {
            faults.push(fault("duplicate-crate", &name, format!("is there as {}", versions.join(", "))));
        }
    }
    for (index, line) in lock.lines().enumerate() {
        if let Some(source) = quoted(line, "source = ")
            && source != INDEX
        {
            let says = format!("a crate comes from {source}");
            faults.push(Fault { rule: "crate-source", place: "Cargo.lock".into(), line: index + 1, says });
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(lock: &str) -> Vec<(&'static str, String)> {
        faults(lock).into_iter().map(|fault| (fault.rule, fault.place)).collect()
    }

    #[test]
    fn two_versions_of_a_crate_are_a_fault() {
        let one = "[[package]]\nname = \"nom\"\nversion = \"7.1.3\"\n";
        let other = "[[package]]\nname = \"nom\"\nversion = \"8.0.0\"\n";
        assert_eq!(rules(one), []);
        assert_eq!(rules(&format!("{one}{other}")), [("duplicate-crate", "nom".into())]);
    }

    #[test]
    fn other_cryptography_and_other_sources_are_faults() {
        let lock = "[[package]]\nname = \"aws-lc-sys\"\nversion = \"0.1.0\"\nsource = \"git+https://example.org/a\"\n";
        assert_eq!(rules(lock), [("forbidden-crate", "aws-lc-sys".into()), ("crate-source", "Cargo.lock".into())]);
    }
}
