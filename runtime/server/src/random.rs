//! Octets nobody can guess: ids of deliveries and messages, salts, keys.

use ring::rand::{SecureRandom, SystemRandom};

/// Fills `out`. A system without randomness cannot run a mail server: ids would repeat, and mail be lost by it.
pub fn fill(out: &mut [u8]) {
    SystemRandom::new().fill(out).expect("the kernel gives random octets");
}

pub fn octets<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    fill(&mut out);
    out
}

/// An id that begins with the time, so that ids of one moment lie together in an index: 48 bits of Unix milliseconds,
/// 80 random bits.
pub fn timed_id(unix_ms: u64) -> [u8; 16] {
    let mut id: [u8; 16] = octets();
    id[..6].copy_from_slice(&unix_ms.to_be_bytes()[2..]);
    id
}

/// The time such an id begins with, in Unix milliseconds.
pub fn time_of_id(id: &[u8; 16]) -> u64 {
    id[..6].iter().fold(0, |time, octet| time << 8 | u64::from(*octet))
}
