//! What crypt(3) makes: `$1$` (MD5), `$5$` and `$6$` (SHA-crypt by Ulrich Drepper), as text without their beginning.

use md5::{Digest as _, Md5};

use super::Digest;

/// Letters of six bits each, the lowest first.
const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// So many letters of a number, the lowest six bits first.
fn letters(mut value: u32, count: usize, out: &mut String) {
    for _ in 0..count {
        out.push(char::from(LETTERS[(value & 63) as usize]));
        value >>= 6;
    }
}

/// Three octets of a hash, in the order crypt(3) takes them.
fn three(hash: &[u8], [a, b, c]: [usize; 3], out: &mut String) {
    let octet = |at: usize| u32::from(hash.get(at).copied().unwrap_or(0));
    letters(octet(a) << 16 | octet(b) << 8 | octet(c), 4, out);
}

/// The hash behind `$1$salt$`: 22 letters.
pub fn md5(secret: &[u8], salt: &[u8]) -> String {
    let inner = Md5::new().chain_update(secret).chain_update(salt).chain_update(secret).finalize();
    let mut start = Md5::new().chain_update(secret).chain_update(b"$1$").chain_update(salt);
    for begun in (0..secret.len()).step_by(16) {
        start.update(&inner[..(secret.len() - begun).min(16)]);
    }
    let mut bits = secret.len();
    while bits > 0 {
        start.update(if bits & 1 == 1 { &[0] } else { secret.get(..1).unwrap_or_default() });
        bits >>= 1;
    }
    let mut hash = start.finalize();
    for round in 0..1_000 {
        let mut next = Md5::new();
        next.update(if round % 2 == 1 { secret } else { &hash });
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(secret);
        }
        next.update(if round % 2 == 1 { &hash[..] } else { secret });
        hash = next.finalize();
    }
    let mut text = String::with_capacity(22);
    for octets in [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] {
        three(&hash, octets, &mut text);
    }
    letters(u32::from(hash[11]), 2, &mut text);
    text
}

/// The hash behind the salt of `$5$` or `$6$`: 43 or 86 letters. `None` for rounds there cannot be, and for SHA-1.
pub fn sha(kind: Digest, rounds: u32, secret: &[u8], salt: &[u8]) -> Option<String> {
    let params = sha_crypt::Params::new(rounds).ok()?;
    let mut text = String::with_capacity(86);
    match kind {
        Digest::Sha1 => return None,
        Digest::Sha256 => {
            let hash = sha_crypt::sha256_crypt(secret, salt, params);
            (0..10).for_each(|n| three(&hash, rotated([n, n + 10, n + 20], n % 3), &mut text));
            letters(u32::from(hash[31]) << 8 | u32::from(hash[30]), 3, &mut text);
        }
        Digest::Sha512 => {
            let hash = sha_crypt::sha512_crypt(secret, salt, params);
            (0..21).for_each(|n| three(&hash, rotated([n, n + 21, n + 42], (3 - n % 3) % 3), &mut text));
            letters(u32::from(hash[63]), 2, &mut text);
        }
    }
    Some(text)
}

/// The last `by` of three come first.
fn rotated(mut three: [usize; 3], by: usize) -> [usize; 3] {
    three.rotate_right(by);
    three
}
