//! What a first boot is given: from credentials of the machine (systemd reads SMBIOS type 11 and fw_cfg), else from a NoCloud
//! disk. Every value may come from either; credentials win.
//!
//! | credential | file on the disk labelled `cidata` | what |
//! |---|---|---|
//! | `facteur.site` | `site.ron` | the facts of this machine |
//! | `facteur.secret.NAME` | `secrets/NAME` | what the plan calls `Secret("NAME")` |
//! | `facteur.secret.password.LOGIN` | `secrets/password.LOGIN` | the first password of somebody in `people.ron` |
//! | `facteur.people` | `people.ron` | who there is at first |
//! | `facteur.keys` | `keys` | whose plans are taken: lines `facteur-key NAME BASE64`, and `needed N` |
//! | `facteur.operators` | `operators` | who operates it from elsewhere: lines `NAME administrator FINGERPRINT`, or `manager` |
//!
//! `user-data` and `meta-data` have to be on such a disk for others and are not read; a `#cloud-config` is told of.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Largest value.
const OCTETS_MAX: u64 = 1 << 20;
/// Entries of a folder that are looked at.
const ENTRIES_MAX: usize = 1_024;

/// All values by item: `site`, `people`, `keys`, `operators`, `secret/NAME`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    pub values: BTreeMap<String, String>,
    /// What could not be used, a line each.
    pub notes: Vec<String>,
}

pub const SITE: &str = "site";
/// The credential with it.
pub const SITE_CREDENTIAL: &str = "facteur.site";
pub const PEOPLE: &str = "people";
pub const KEYS: &str = "keys";
pub const OPERATORS: &str = "operators";
pub const SECRET: &str = "secret/";
/// The first password of somebody is a secret of this name; the login follows.
pub const PASSWORD: &str = "secret/password.";

impl Given {
    /// What is in the two folders, where they are there.
    pub fn read(credentials: Option<&Path>, cidata: Option<&Path>) -> Given {
        let mut given = Given::default();
        for path in credentials.map(files).unwrap_or_default() {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let item = match name.strip_prefix("facteur.") {
                Some(item @ (SITE | PEOPLE | KEYS | OPERATORS)) => item.to_owned(),
                Some(other) => match other.strip_prefix("secret.") {
                    Some(name) => format!("{SECRET}{name}"),
                    None => continue,
                },
                // Credentials of others.
                None => continue,
            };
            given.take(&path, item);
        }
        let Some(cidata) = cidata else { return given };
        for (file, item) in [("site.ron", SITE), ("people.ron", PEOPLE), ("keys", KEYS), ("operators", OPERATORS)] {
            if cidata.join(file).is_file() {
                given.take(&cidata.join(file), item.to_owned());
            }
        }
        for path in files(&cidata.join("secrets")) {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            given.take(&path, format!("{SECRET}{name}"));
        }
        if read(&cidata.join("user-data")).is_ok_and(|text| text.starts_with("#cloud-config")) {
            let note = "user-data on the disk `cidata` is a #cloud-config, which is not read: put site.ron beside it";
            given.notes.push(note.to_owned());
        }
        given
    }

    fn take(&mut self, path: &Path, item: String) {
        if self.values.contains_key(&item) {
            return;
        }
        let name = item.strip_prefix(SECRET).unwrap_or("named");
        if !is_name(name) {
            self.notes.push(format!("{}: no name of a secret", path.display()));
            return;
        }
        match read(path) {
            Ok(text) => drop(self.values.insert(item, text)),
            Err(why) => self.notes.push(format!("{}: {why}", path.display())),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// Letters, digits, `.`, `-`, `_`.
fn is_name(name: &str) -> bool {
    let fits = |octet: u8| octet.is_ascii_alphanumeric() || b".-_".contains(&octet);
    !name.is_empty() && name.len() <= 128 && name.bytes().all(fits)
}

/// Files of a folder in order of name.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.flatten().take(ENTRIES_MAX).map(|entry| entry.path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

/// Text without the line ends behind it.
fn read(path: &Path) -> Result<String, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut octets = Vec::new();
    file.take(OCTETS_MAX + 1).read_to_end(&mut octets).map_err(|error| error.to_string())?;
    if octets.len() as u64 > OCTETS_MAX {
        return Err(format!("more than {OCTETS_MAX} octets"));
    }
    octets.truncate(octets.trim_ascii_end().len());
    String::from_utf8(octets).map_err(|_| "it is no text".to_owned())
}
