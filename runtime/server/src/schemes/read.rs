//! The text of a hash, taken apart.

use base64::Engine;
use base64::alphabet::Alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::{Digest, Imported, NoScheme, Scheme};
use crate::verifier;

/// Longer than any hash that is taken.
const OCTETS_MAX: usize = 1_024;
/// Rounds of SHA-crypt: some 200 ms.
const SHA_CRYPT_ROUNDS_MAX: u32 = 300_000;
/// What it does where no rounds are given.
const SHA_CRYPT_ROUNDS: u32 = 5_000;
/// Rounds of PBKDF2: some 300 ms.
const PBKDF2_ROUNDS_MAX: u32 = 1_000_000;
/// The cost of bcrypt: some 300 ms.
const BCRYPT_COST_MAX: u32 = 12;
/// Longest salt before a digest.
const SALT_OCTETS_MAX: usize = 64;

/// A hash with its scheme: `{SSHA}…`, `{CRYPT}$6$…`, or a bare `$6$…`.
pub fn read(text: &str) -> Result<Imported, NoScheme> {
    let text = text.trim();
    if text.is_empty() || text.len() > OCTETS_MAX {
        return Err(NoScheme::Malformed);
    }
    if text.starts_with(['!', '*']) {
        return Err(NoScheme::Locked);
    }
    let Some((name, rest)) = text.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
        return dollar(text);
    };
    // RFC 2307 5.3: the name is not case-sensitive. Dovecot puts the encoding behind a dot.
    let name = name.to_ascii_uppercase();
    let scheme = match name.strip_suffix(".B64").unwrap_or(&name) {
        "SHA" => digest(Digest::Sha1, rest, false)?,
        "SSHA" => digest(Digest::Sha1, rest, true)?,
        "SHA256" => digest(Digest::Sha256, rest, false)?,
        "SSHA256" => digest(Digest::Sha256, rest, true)?,
        "SHA512" => digest(Digest::Sha512, rest, false)?,
        "SSHA512" => digest(Digest::Sha512, rest, true)?,
        "PBKDF2" => return pbkdf2(Digest::Sha1, rest, text),
        "PBKDF2-SHA1" => return pbkdf2(Digest::Sha1, rest, text),
        "PBKDF2-SHA256" => return pbkdf2(Digest::Sha256, rest, text),
        "PBKDF2-SHA512" => return pbkdf2(Digest::Sha512, rest, text),
        "PBKDF2_SHA256" => pbkdf2_389(rest)?,
        "CRYPT" | "MD5-CRYPT" | "SHA256-CRYPT" | "SHA512-CRYPT" | "BLF-CRYPT" | "BCRYPT" | "ARGON2ID" | "ARGON2" => {
            return dollar(rest);
        }
        _ => return Err(NoScheme::Unknown),
    };
    Ok(Imported { scheme, text: text.to_owned() })
}

fn base64(text: &str) -> Result<Vec<u8>, NoScheme> {
    decoded(&base64::alphabet::STANDARD, text)
}

/// Padded or not.
fn decoded(alphabet: &Alphabet, text: &str) -> Result<Vec<u8>, NoScheme> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(alphabet, config).decode(text).map_err(|_| NoScheme::Malformed)
}

fn digest(kind: Digest, text: &str, salted: bool) -> Result<Scheme, NoScheme> {
    let mut hash = base64(text)?;
    if hash.len() < kind.octets() {
        return Err(NoScheme::Malformed);
    }
    let salt = hash.split_off(kind.octets());
    // Some servers write a hash without salt as a salted one.
    if salt.len() > SALT_OCTETS_MAX || (!salt.is_empty() && !salted) {
        return Err(NoScheme::Malformed);
    }
    Ok(Scheme::Digest { kind, hash, salt })
}

/// `rounds$salt$hash`, both in the base64 of passlib: `.` stands for `+`, and nothing is padded. Dovecot writes
/// `$1$salt$rounds$hash` with the hash in hexadecimal digits.
fn pbkdf2(kind: Digest, rest: &str, text: &str) -> Result<Imported, NoScheme> {
    let parts: Vec<&str> = rest.split('$').collect();
    let (rounds, salt, hash) = match parts[..] {
        ["", "1", salt, rounds, hash] => (rounds, salt.as_bytes().to_vec(), hexadecimal(hash)?),
        [rounds, salt, hash] => (rounds, passlib(salt)?, passlib(hash)?),
        _ => return Err(NoScheme::Malformed),
    };
    let scheme = pbkdf2_of(kind, number(rounds)?, salt, hash)?;
    Ok(Imported { scheme, text: text.to_owned() })
}

/// What 389 Directory Server keeps: rounds in four octets, 64 of salt, 256 of hash.
fn pbkdf2_389(text: &str) -> Result<Scheme, NoScheme> {
    let octets = base64(text)?;
    let (rounds, rest) = octets.split_first_chunk::<4>().ok_or(NoScheme::Malformed)?;
    let (salt, hash) = rest.split_at_checked(64).filter(|(_, hash)| hash.len() == 256).ok_or(NoScheme::Malformed)?;
    // 256 octets of SHA-256 are eight blocks, each as dear as one.
    let rounds = u32::from_be_bytes(*rounds);
    if rounds > PBKDF2_ROUNDS_MAX / 8 {
        return Err(NoScheme::TooDear);
    }
    pbkdf2_of(Digest::Sha256, rounds, salt.to_vec(), hash.to_vec())
}

fn pbkdf2_of(kind: Digest, rounds: u32, salt: Vec<u8>, hash: Vec<u8>) -> Result<Scheme, NoScheme> {
    if rounds == 0 || salt.len() > OCTETS_MAX || !(16..=256).contains(&hash.len()) {
        return Err(NoScheme::Malformed);
    }
    let blocks = u32::try_from(hash.len().div_ceil(kind.octets())).unwrap_or(u32::MAX);
    if rounds.saturating_mul(blocks) > PBKDF2_ROUNDS_MAX {
        return Err(NoScheme::TooDear);
    }
    Ok(Scheme::Pbkdf2 { kind, rounds, salt, hash })
}

/// A hash as crypt(3) and argon2 write it: `$name$…`.
fn dollar(text: &str) -> Result<Imported, NoScheme> {
    if text.starts_with(['!', '*']) {
        return Err(NoScheme::Locked);
    }
    let (name, rest) = text.strip_prefix('$').and_then(|rest| rest.split_once('$')).ok_or(NoScheme::Unknown)?;
    let scheme = match name {
        "1" => {
            let (salt, hash) = rest.split_once('$').ok_or(NoScheme::Malformed)?;
            let salt = crypt_salt(salt, 8)?;
            Scheme::Md5Crypt { salt, hash: crypt_hash(hash, 22)? }
        }
        "5" => sha_crypt(Digest::Sha256, rest, 43)?,
        "6" => sha_crypt(Digest::Sha512, rest, 86)?,
        "2a" | "2b" | "2y" => bcrypt(text)?,
        "argon2id" => argon2id(text)?,
        _ => return Err(NoScheme::Unknown),
    };
    Ok(Imported { scheme, text: text.to_owned() })
}

fn sha_crypt(kind: Digest, rest: &str, letters: usize) -> Result<Scheme, NoScheme> {
    let (rounds, rest) = match rest.strip_prefix("rounds=") {
        Some(rest) => {
            let (rounds, rest) = rest.split_once('$').ok_or(NoScheme::Malformed)?;
            // crypt(3) takes fewer as a thousand.
            (number(rounds)?.max(1_000), rest)
        }
        None => (SHA_CRYPT_ROUNDS, rest),
    };
    if rounds > SHA_CRYPT_ROUNDS_MAX {
        return Err(NoScheme::TooDear);
    }
    let (salt, hash) = rest.split_once('$').ok_or(NoScheme::Malformed)?;
    Ok(Scheme::ShaCrypt { kind, rounds, salt: crypt_salt(salt, 16)?, hash: crypt_hash(hash, letters)? })
}

fn bcrypt(text: &str) -> Result<Scheme, NoScheme> {
    let parts: bcrypt::HashParts = text.parse().map_err(|_| NoScheme::Malformed)?;
    match parts.get_cost() {
        4..=BCRYPT_COST_MAX => Ok(Scheme::Bcrypt),
        0..4 => Err(NoScheme::Malformed),
        _ => Err(NoScheme::TooDear),
    }
}

fn argon2id(text: &str) -> Result<Scheme, NoScheme> {
    match verifier::figures(text) {
        Some(figures) if verifier::is_dear(figures) => Err(NoScheme::TooDear),
        Some(_) => Ok(Scheme::Argon2id),
        None => Err(NoScheme::Malformed),
    }
}

fn number(text: &str) -> Result<u32, NoScheme> {
    text.parse().map_err(|_| NoScheme::Malformed)
}

fn crypt_salt(salt: &str, octets_max: usize) -> Result<String, NoScheme> {
    let sound = salt.len() <= octets_max && salt.bytes().all(|octet| octet.is_ascii_graphic() && octet != b':');
    if sound { Ok(salt.to_owned()) } else { Err(NoScheme::Malformed) }
}

fn crypt_hash(hash: &str, letters: usize) -> Result<String, NoScheme> {
    let sound = hash.len() == letters && hash.bytes().all(|o| o.is_ascii_alphanumeric() || o == b'.' || o == b'/');
    if sound { Ok(hash.to_owned()) } else { Err(NoScheme::Malformed) }
}

fn hexadecimal(text: &str) -> Result<Vec<u8>, NoScheme> {
    let digit = |octet: u8| char::from(octet).to_digit(16).ok_or(NoScheme::Malformed);
    if !text.len().is_multiple_of(2) {
        return Err(NoScheme::Malformed);
    }
    text.as_bytes().chunks(2).map(|pair| Ok((digit(pair[0])? << 4 | digit(pair[1])?) as u8)).collect()
}

fn passlib(text: &str) -> Result<Vec<u8>, NoScheme> {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./";
    decoded(&Alphabet::new(letters).map_err(|_| NoScheme::Malformed)?, text)
}
