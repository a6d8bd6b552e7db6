//! A signed update: one file that holds a version for the slot that does not run.
//!
//! ```text
//! "FACTEUR-UPDATE 1\n" │ u32 length │ header (canonical RON) │ u32 length │ signatures (canonical RON) │ root │ verity │ kernel image
//! ```
//!
//! Lengths are big-endian. The signatures are over the header, and the header has the digest of each part, so that nothing is
//! written before the header is known to be ours and every part to be whole. Root is an erofs that is
//! compressed in itself: there is no second compression.

mod pack;
mod read;
mod seal;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use pack::{Content, PackError, content_of_disk, pack};
pub use read::{Reader, read_through};
pub use seal::{SigningKey, Trusted};

/// What a bundle begins with.
pub const MAGIC: &[u8; 17] = b"FACTEUR-UPDATE 1\n";
/// Longest header, and longest text of signatures, in octets.
pub const HEADER_OCTETS_MAX: usize = 64 * 1024;
/// Largest kernel image in octets.
pub const KERNEL_OCTETS_MAX: u64 = 256 << 20;
/// Largest root and largest hash tree in octets.
pub const ROOT_OCTETS_MAX: u64 = 16 << 30;
/// Longest version in octets.
const VERSION_OCTETS_MAX: usize = 64;

/// What the version in a bundle is, and what it can read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Letters, digits, `.` and `~`; what is newer sorts higher (UAPI.10).
    pub version: String,
    /// Name of the overlay it was built with, as `staging`; empty for the system itself. No update leads from one to another.
    pub variant: String,
    /// Of the verity tree over root: SHA-256, 64 hexadecimal digits in lower case.
    pub root_hash: String,
    /// Oldest and newest format of plans it serves.
    pub plan: (u32, u32),
    pub store: StoreFormats,
    pub root: Part,
    pub verity: Part,
    pub kernel: Part,
}

/// Formats of the store, as the program of a version has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreFormats {
    /// What it writes.
    pub writes: i64,
    /// The format floor: programs that write this format or a later one can serve what it writes, and lose nothing of it.
    pub served_by: i64,
    /// The oldest format it leads to its own.
    pub leads_from: i64,
}

/// A part of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    pub octets: u64,
    /// 64 hexadecimal digits in lower case.
    pub blake3: String,
}

/// Why a file is no bundle that is taken.
#[derive(Debug)]
pub enum BundleError {
    Io(std::io::Error),
    /// It does not begin as one.
    NotOne,
    /// Its header or its signatures do not parse, or are not written as this program writes them.
    Unreadable(&'static str, String),
    /// A field of the header is not what it may be.
    Field(&'static str),
    /// Fewer good signatures of trusted keys than are needed.
    NotSigned {
        good: usize,
        needed: usize,
    },
    /// It ends in this part.
    CutShort(&'static str),
    /// The digest of this part is another one.
    Damaged(&'static str),
    /// Something follows the last part.
    Trailing,
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BundleError::Io(error) => error.fmt(f),
            BundleError::NotOne => f.write_str("this is no update bundle, or one of a later form"),
            BundleError::Unreadable(what, why) => write!(f, "its {what} cannot be read: {why}"),
            BundleError::Field(field) => write!(f, "the header's {field} is not what it may be"),
            BundleError::NotSigned { good, needed } => {
                write!(f, "it has {good} good signatures of trusted keys, and {needed} are needed")
            }
            BundleError::CutShort(part) => write!(f, "it ends in the {part}: it was not copied whole"),
            BundleError::Damaged(part) => write!(f, "its {part} is not what was signed"),
            BundleError::Trailing => f.write_str("something follows its last part"),
        }
    }
}

impl std::error::Error for BundleError {}

impl From<std::io::Error> for BundleError {
    fn from(error: std::io::Error) -> BundleError {
        BundleError::Io(error)
    }
}

impl Header {
    /// Reads canonical text.
    pub fn read(text: &str) -> Result<Header, BundleError> {
        let header: Header = canonical("header", text)?;
        match header.fault() {
            None => Ok(header),
            Some(field) => Err(BundleError::Field(field)),
        }
    }

    pub fn text(&self) -> String {
        plan::emit(self)
    }

    /// Of all parts.
    pub fn octets(&self) -> u64 {
        // Each is bounded far below the half of what a number holds.
        self.root.octets + self.verity.octets + self.kernel.octets
    }

    fn fault(&self) -> Option<&'static str> {
        let is_hash = |text: &str| text.len() == 64 && text.bytes().all(is_lower_hex);
        let sized = |part: &Part, max: u64| (1..=max).contains(&part.octets) && is_hash(&part.blake3);
        let faults = [
            ("version", is_version(&self.version)),
            ("variant", is_variant(&self.variant)),
            ("root_hash", is_hash(&self.root_hash)),
            ("plan", self.plan.0 <= self.plan.1),
            ("store", self.store.leads_from <= self.store.writes && self.store.served_by <= self.store.writes),
            ("root", sized(&self.root, ROOT_OCTETS_MAX)),
            ("verity", sized(&self.verity, ROOT_OCTETS_MAX)),
            ("kernel", sized(&self.kernel, KERNEL_OCTETS_MAX)),
        ];
        faults.into_iter().find(|(_, good)| !good).map(|(field, _)| field)
    }
}

/// Can it stand in the name of a kernel image, and be ordered?
pub fn is_version(text: &str) -> bool {
    let known = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'.' || octet == b'~';
    text.len() <= VERSION_OCTETS_MAX && text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().all(known)
}

/// As os-release(5) has `VARIANT_ID`, or nothing.
pub(crate) fn is_variant(text: &str) -> bool {
    let known = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"._-".contains(&octet);
    text.len() <= VERSION_OCTETS_MAX && text.bytes().all(known)
}

fn is_lower_hex(octet: u8) -> bool {
    octet.is_ascii_digit() || (b'a'..=b'f').contains(&octet)
}

/// A text that has one form only, read.
fn canonical<T: Serialize + for<'a> Deserialize<'a>>(what: &'static str, text: &str) -> Result<T, BundleError> {
    let read: T = ron::from_str(text).map_err(|error| BundleError::Unreadable(what, error.to_string()))?;
    if plan::emit(&read) == text {
        return Ok(read);
    }
    Err(BundleError::Unreadable(what, "it is not in canonical form".to_owned()))
}

#[cfg(test)]
pub(crate) mod tests;
