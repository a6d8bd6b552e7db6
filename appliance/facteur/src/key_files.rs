//! Keys of people on disk: `NAME.key`, their user's alone, and `NAME.pub`, for everybody.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use plan::signed::PublicKey;
use server::keys::SigningKey;

/// Longest file of a key, of signatures or of a request.
const FILE_OCTETS_MAX: u64 = 64 * 1024;

/// A small text; the error names the file.
pub fn text(path: &Path) -> Result<String, String> {
    let named = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut text = String::new();
    let mut file = crate::files::open(path).map_err(named)?.take(FILE_OCTETS_MAX + 1);
    file.read_to_string(&mut text).map_err(named)?;
    if text.len() as u64 > FILE_OCTETS_MAX {
        return Err(format!("{}: larger than {FILE_OCTETS_MAX} octets", path.display()));
    }
    Ok(text)
}

/// A public key.
pub fn public(path: &Path) -> Result<PublicKey, String> {
    text(path)?.parse().map_err(|error| format!("{}: {error}", path.display()))
}

/// A private key, named as its file is. One that others may read is not used.
pub fn private(path: &Path) -> Result<SigningKey, String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let mode = fs::metadata(path).map_err(|error| named(&error))?.mode();
    if mode & 0o077 != 0 {
        return Err(named(&"others may read this key; `chmod 600` first, and think about who did"));
    }
    let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    SigningKey::read(name, &text(path)?).map_err(|error| named(&error))
}

/// Makes a key; both files. Nothing is written over what is there.
pub fn make(name: &str, folder: &Path) -> Result<(PublicKey, PathBuf), String> {
    let (key, pem) = SigningKey::generate(name).map_err(|error| error.to_string())?;
    let (private, public) = (folder.join(format!("{name}.key")), folder.join(format!("{name}.pub")));
    if public.exists() {
        return Err(format!("{}: something is there; nothing is written over it", public.display()));
    }
    fresh(&private, &pem, 0o600)?;
    fresh(&public, &format!("{}\n", key.public()), 0o644)?;
    Ok((key.public().clone(), private))
}

/// Writes a file that is not there yet, durably.
pub fn fresh(path: &Path, text: &str, mode: u32) -> Result<(), String> {
    let written = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            format!("{}: something is there; nothing is written over it", path.display())
        }
        _ => format!("{}: {error}", path.display()),
    })
}
