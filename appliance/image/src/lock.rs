//! The package lock: every Debian package of the base tree with its version and the digest Debian signed for it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use crate::fault::{Fault, Result};

/// A package as it is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub architecture: String,
    /// Of the `.deb`, from the signed index.
    pub sha256: String,
}

/// Packages by name. The text is one line a package: name, version, architecture, SHA-256.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock(pub BTreeMap<String, Package>);

const HEAD: &str = "# name version architecture sha256; written by `facteur image build --update-lock`\n";

impl Lock {
    pub fn new(packages: impl IntoIterator<Item = Package>) -> Lock {
        Lock(packages.into_iter().map(|package| (package.name.clone(), package)).collect())
    }

    pub fn read(path: &Path) -> Result<Lock> {
        let text = std::fs::read_to_string(path).map_err(Fault::at(path))?;
        Lock::parse(&text).map_err(|fault| Fault(format!("{}: {fault}", path.display())))
    }

    pub fn parse(text: &str) -> Result<Lock> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let packages: Result<Vec<Package>> = lines
            .map(|(index, line)| {
                let words: Vec<&str> = line.split(' ').collect();
                let [name, version, architecture, sha256] = words[..] else {
                    return Err(Fault(format!("line {}: four words are wanted", index + 1)));
                };
                if sha256.len() != 64 || !sha256.bytes().all(|it| it.is_ascii_hexdigit()) {
                    return Err(Fault(format!("line {}: `{sha256}` is no SHA-256", index + 1)));
                }
                let own = str::to_owned;
                Ok(Package {
                    name: own(name),
                    version: own(version),
                    architecture: own(architecture),
                    sha256: own(sha256),
                })
            })
            .collect();
        Ok(Lock::new(packages?))
    }

    pub fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        for Package { name, version, architecture, sha256 } in self.0.values() {
            let _ = writeln!(text, "{name} {version} {architecture} {sha256}");
        }
        text
    }

    /// What is otherwise in `now`, a line each; empty when nothing is.
    pub fn moved(&self, now: &Lock) -> Vec<String> {
        let mut moved = Vec::new();
        for (name, was) in &self.0 {
            match now.0.get(name) {
                None => moved.push(format!("{name} {} is no longer there", was.version)),
                Some(is) if is.version != was.version => {
                    moved.push(format!("{name} {} is now {}", was.version, is.version));
                }
                Some(is) if is != was => moved.push(format!("{name} {} has other contents", was.version)),
                Some(_) => {}
            }
        }
        let added = now.0.values().filter(|it| !self.0.contains_key(&it.name));
        moved.extend(added.map(|it| format!("{} {} is new", it.name, it.version)));
        moved
    }

    /// From the records of `apt-cache show`, of which each has the version that is installed.
    pub fn of_records(records: &str) -> Result<Lock> {
        let mut packages = Vec::new();
        for record in records.split("\n\n").filter(|record| !record.trim().is_empty()) {
            let field = |key: &str| {
                let line = record.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
                line.map(str::to_owned).ok_or_else(|| Fault(format!("a package has no {key}: {record:.200}")))
            };
            packages.push(Package {
                name: field("Package")?,
                version: field("Version")?,
                architecture: field("Architecture")?,
                sha256: field("SHA256")?,
            });
        }
        Ok(Lock::new(packages))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str, digit: char) -> Package {
        let sha256 = digit.to_string().repeat(64);
        Package { name: name.into(), version: version.into(), architecture: "amd64".into(), sha256 }
    }

    #[test]
    fn a_lock_is_read_back_as_it_was_written() {
        let lock = Lock::new([package("zlib1g", "1:1.3", 'a'), package("apt", "3.0", 'b')]);
        assert_eq!(Lock::parse(&lock.text()), Ok(lock.clone()));
        assert!(lock.text().find("apt 3.0") < lock.text().find("zlib1g"));
    }

    #[test]
    fn a_broken_line_is_named() {
        for (text, says) in
            [("# fine\napt 3.0\n", "line 2: four words"), ("apt 3.0 amd64 nothing\n", "line 1: `nothing`")]
        {
            let fault = Lock::parse(text).expect_err(text);
            assert!(fault.0.starts_with(says), "{fault}");
        }
    }

    #[test]
    fn what_moved_is_said() {
        let was =
            Lock::new([package("a", "1", 'a'), package("b", "1", 'b'), package("c", "1", 'c'), package("d", "1", 'd')]);
        let now =
            Lock::new([package("a", "1", 'a'), package("b", "2", 'b'), package("c", "1", 'f'), package("e", "1", 'e')]);
        assert_eq!(was.moved(&was), Vec::<String>::new());
        assert_eq!(was.moved(&now), ["b 1 is now 2", "c 1 has other contents", "d 1 is no longer there", "e 1 is new"]);
    }

    #[test]
    fn records_of_apt_are_read() {
        let sha256 = "0".repeat(64);
        let record = format!("Package: apt\nArchitecture: amd64\nVersion: 3.0\nDescription: a\n b\nSHA256: {sha256}\n");
        let lock = Lock::of_records(&format!("{record}\n{}", record.replace("apt", "dpkg"))).expect("two records");
        assert_eq!(lock, Lock::new([package("apt", "3.0", '0'), package("dpkg", "3.0", '0')]));
        assert!(Lock::of_records("Package: apt\n").is_err());
    }
}
