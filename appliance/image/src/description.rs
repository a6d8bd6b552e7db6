//! `image.ron`: what is in the image, in one file that a person can read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::fault::{Fault, Result};
use crate::layout::Layout;

/// Largest description in octets.
const FILE_OCTETS_MAX: u64 = 1 << 20;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename = "Image")]
pub struct Description {
    /// Goes into the names of the kernel image, which the firmware sorts by it.
    pub version: String,
    /// Unix seconds: the date of every file.
    pub epoch: u64,
    pub debian: Debian,
    pub initrd: Initrd,
    /// Words of the kernel command line behind those that name the root.
    pub command_line: Vec<String>,
    pub layout: Layout,
    /// Identifiers that would else be drawn by chance.
    pub identity: Identity,
    pub users: Vec<User>,
    /// A unit and what starts it: `"sysinit.target": ["first.service"]`.
    pub wanted: BTreeMap<String, Vec<String>>,
    /// The same, where the one that starts it may not do without it.
    #[serde(default)]
    pub required: BTreeMap<String, Vec<String>>,
    /// Units that never start.
    pub masked: Vec<String>,
    /// Symbolic links: path to what it says.
    pub links: BTreeMap<String, String>,
    /// Empty folders, for what is mounted.
    pub folders: Vec<String>,
    /// Paths that stay whatever is taken out.
    pub keep: Vec<String>,
    /// Paths taken out at the end, `*` within one name. A trailing `/*` empties a folder.
    pub remove: Vec<String>,
    /// Packages, of which nothing stays but the licence.
    pub remove_packages: Vec<String>,
    /// The folder `image.ron` is in.
    #[serde(skip)]
    pub folder: PathBuf,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Debian {
    pub suite: String,
    pub packages: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Initrd {
    pub dracut_modules: Vec<String>,
    /// Kernel modules loaded in any case.
    pub load: Vec<String>,
    /// Kernel modules there for the disks of hypervisors.
    pub have: Vec<String>,
    /// Path in the initrd to a file of the image's `tree` folder.
    pub files: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub disk: String,
    pub esp: String,
    /// Eight hexadecimal digits.
    pub esp_volume: String,
    /// Of root and verity partition of each slot as long as it holds nothing.
    pub empty: [[String; 2]; 2],
    pub root: String,
    pub verity: String,
    /// 64 hexadecimal digits.
    pub verity_salt: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    pub name: String,
    /// Of user and group.
    pub id: u32,
    pub home: String,
}

impl Description {
    /// Reads a description; the folder `tree` beside it goes into the image.
    pub fn read(path: &Path) -> Result<Description> {
        let size = std::fs::metadata(path).map_err(Fault::at(path))?.len();
        if size > FILE_OCTETS_MAX {
            return Err(Fault::new(format!("{}: larger than a description can be", path.display())));
        }
        let text = std::fs::read_to_string(path).map_err(Fault::at(path))?;
        let mut description =
            Description::parse(&text).map_err(|fault| Fault(format!("{}: {fault}", path.display())))?;
        description.folder = path.parent().unwrap_or(Path::new(".")).to_path_buf();
        Ok(description)
    }

    pub fn parse(text: &str) -> Result<Description> {
        let description: Description = ron::from_str(text).map_err(|error| Fault(error.to_string()))?;
        if let Some(fault) = description.layout.fault() {
            return Err(Fault(fault));
        }
        let plain = |it: char| it.is_ascii_alphanumeric() || it == '.' || it == '~' || it == '^';
        if description.version.is_empty() || !description.version.chars().all(plain) {
            return Err(Fault::new("version has letters, digits, `.`, `~` and `^` alone"));
        }
        let paths = description.remove.iter().chain(&description.folders).chain(description.links.keys());
        for path in paths {
            if path.starts_with('/') || path.split('/').any(|part| part == ".." || part.is_empty()) {
                return Err(Fault(format!("`{path}` is no path below the root without its first `/`")));
            }
        }
        Ok(description)
    }
}
