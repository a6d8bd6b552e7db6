//! Secrets the store keeps, sealed with a key beside it: a backup of the store alone signs nothing.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Prk, Salt};

use crate::random;

/// The file of the key in the data folder.
const FILE: &str = "seal.key";
const KEY_OCTETS: usize = 32;

/// Seals and opens (ChaCha20-Poly1305, RFC 8439). A sealed secret is bound to the name it was sealed under.
pub struct Seal {
    key: LessSafeKey,
    /// What keys for one thing each are made of (HKDF, RFC 5869).
    root: Prk,
}

impl Seal {
    /// The key of a data folder, made when there is none, readable by its owner alone.
    pub fn of(data: &Path) -> io::Result<Seal> {
        let path = data.join(FILE);
        match File::open(&path) {
            Ok(file) => {
                let mut octets = Vec::new();
                file.take(KEY_OCTETS as u64 + 1).read_to_end(&mut octets)?;
                Seal::new(&octets).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "seal.key is not a key"))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Seal::make(data, &path),
            Err(error) => Err(error),
        }
    }

    fn make(data: &Path, path: &Path) -> io::Result<Seal> {
        let octets: [u8; KEY_OCTETS] = random::octets();
        let started = data.join("seal.key.new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&started)?;
        file.write_all(&octets)?;
        file.sync_all()?;
        std::fs::rename(&started, path)?;
        File::open(data)?.sync_all()?;
        Seal::new(&octets).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Under a key the caller has, for what is sealed often.
    pub fn under(key: &[u8; KEY_OCTETS]) -> Seal {
        Seal::new(key).expect("32 octets are a key")
    }

    /// A key of this run alone.
    #[cfg(test)]
    pub fn unkept() -> Seal {
        Seal::new(&random::octets::<KEY_OCTETS>()).unwrap()
    }

    fn new(octets: &[u8]) -> Option<Seal> {
        let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, octets).ok()?);
        Some(Seal { key, root: Salt::new(HKDF_SHA256, b"facteur keys of one thing").extract(octets) })
    }

    /// A key for one thing, which `about` names. `None` only for more octets of it than there can be.
    pub fn key_about(&self, about: &[&[u8]]) -> Option<LessSafeKey> {
        let derived = self.root.expand(about, &CHACHA20_POLY1305).ok()?;
        Some(LessSafeKey::new(UnboundKey::from(derived)))
    }

    /// `secret` under `name`. `None` only for more octets than memory holds.
    pub fn seal(&self, name: &str, secret: &[u8]) -> Option<Vec<u8>> {
        // A nonce of 96 random bits does not come twice among the some 2^32 secrets one key may ever seal.
        let nonce: [u8; NONCE_LEN] = random::octets();
        let mut sealed = secret.to_vec();
        let (nonce_given, about) = (Nonce::assume_unique_for_key(nonce), Aad::from(name.as_bytes()));
        self.key.seal_in_place_append_tag(nonce_given, about, &mut sealed).ok()?;
        Some([nonce.as_slice(), &sealed].concat())
    }

    /// What was sealed under `name`; `None` for everything else.
    pub fn open(&self, name: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let mut secret = sealed.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let octets = self.key.open_in_place(nonce, Aad::from(name.as_bytes()), &mut secret).ok()?.len();
        secret.truncate(octets);
        Some(secret)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_secret_opens_under_its_name_with_the_key_of_its_folder_only() {
        let folder = |name: &str| {
            let path = std::env::temp_dir().join(format!("facteur-seal-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            path
        };
        let (here, there) = (folder("here"), folder("there"));
        let sealed = Seal::of(&here).unwrap().seal("dkim/a", b"secret").unwrap();
        assert!(!sealed.windows(6).any(|octets| octets == b"secret"));
        let again = Seal::of(&here).unwrap();
        assert_eq!(again.open("dkim/a", &sealed).as_deref(), Some(b"secret".as_slice()));
        assert_eq!(again.open("dkim/b", &sealed), None);
        assert_eq!(again.open("dkim/a", &sealed[1..]), None);
        assert_eq!(again.open("dkim/a", b""), None);
        assert_eq!(Seal::of(&there).unwrap().open("dkim/a", &sealed), None);
        assert_eq!(std::fs::metadata(here.join(FILE)).unwrap().mode() & 0o777, 0o600);
        std::fs::write(here.join(FILE), b"short").unwrap();
        assert!(Seal::of(&here).is_err());
        for path in [here, there] {
            std::fs::remove_dir_all(path).unwrap();
        }
    }
}
