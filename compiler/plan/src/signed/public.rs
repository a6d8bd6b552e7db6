//! Public keys, as people hand them on: one line, `facteur-key NAME BASE64`.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const WORD: &str = "facteur-key";
/// Longest name of a key.
const NAME_OCTETS_MAX: usize = 64;

/// The file `NAME.pub`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// Letters, digits, `.`, `_`, `-` and `@`.
    pub name: String,
    pub octets: [u8; 32],
}

/// Why a text is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPublicKey {
    /// Not `facteur-key NAME BASE64`.
    Form,
    Name,
    /// Not 32 octets in base 64.
    Octets,
    /// A point of small order: anybody could sign for it.
    Weak,
}

impl fmt::Display for BadPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadPublicKey::Form => "a public key is one line: facteur-key NAME BASE64",
            BadPublicKey::Name => "a key's name is of letters, digits, `.`, `_`, `-` and `@`, 64 at most",
            BadPublicKey::Octets => "a public key is 32 octets in base 64",
            BadPublicKey::Weak => "this is no key somebody has the private part of: anybody could sign for it",
        })
    }
}

impl std::error::Error for BadPublicKey {}

impl PublicKey {
    pub fn new(name: &str, octets: [u8; 32]) -> Result<PublicKey, BadPublicKey> {
        let is_name = |octet: u8| octet.is_ascii_alphanumeric() || b"._-@".contains(&octet);
        if name.is_empty() || name.len() > NAME_OCTETS_MAX || !name.bytes().all(is_name) {
            return Err(BadPublicKey::Name);
        }
        if is_weak(&octets) {
            return Err(BadPublicKey::Weak);
        }
        Ok(PublicKey { name: name.to_owned(), octets })
    }

    /// From a name and 32 octets in base 64.
    pub fn of(name: &str, base64: &str) -> Result<PublicKey, BadPublicKey> {
        let octets = STANDARD.decode(base64).ok().and_then(|octets| octets.try_into().ok());
        PublicKey::new(name, octets.ok_or(BadPublicKey::Octets)?)
    }

    pub fn base64(&self) -> String {
        STANDARD.encode(self.octets)
    }

    pub fn id(&self) -> String {
        key_id(&self.octets)
    }
}

impl FromStr for PublicKey {
    type Err = BadPublicKey;

    /// One line; a line end behind it is not part of it.
    fn from_str(text: &str) -> Result<PublicKey, BadPublicKey> {
        let mut words = text.trim_end().split(' ');
        let (Some(WORD), Some(name), Some(base64), None) = (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(BadPublicKey::Form);
        };
        PublicKey::of(name, base64)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{WORD} {} {}", self.name, self.base64())
    }
}

/// A key's id: the first 64 bits of BLAKE3 of its octets, in hexadecimal.
pub fn key_id(octets: &[u8; 32]) -> String {
    blake3::hash(octets).as_bytes()[..8].iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The y coordinates of the points of order 1, 2, 4 and 8 of Curve25519 (RFC 7748 4.1, RFC 8032 5.1), their forms that are
/// not canonical among them.
fn is_weak(octets: &[u8; 32]) -> bool {
    const EIGHTH: [u8; 32] = [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ];
    const OTHER_EIGHTH: [u8; 32] = [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ];
    let mut y = *octets;
    // The sign of x.
    y[31] &= 0x7f;
    // p - 1, p, p + 1: only their first octets differ.
    let is_about_p = y[1..31].iter().all(|octet| *octet == 0xff) && y[31] == 0x7f && y[0] >= 0xec;
    let is_small = y[1..].iter().all(|octet| *octet == 0) && y[0] <= 1;
    is_about_p || is_small || y == EIGHTH || y == OTHER_EIGHTH
}
