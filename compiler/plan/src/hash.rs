//! The name of a plan: BLAKE3 of its canonical text.

use std::fmt;

/// Full hash of a plan's text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlanHash([u8; 32]);

/// Crockford's base 32, lower case.
const CROCKFORD: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Hash of canonical plan text.
pub fn hash(canonical: &str) -> PlanHash {
    PlanHash(*blake3::hash(canonical.as_bytes()).as_bytes())
}

impl PlanHash {
    /// The first 40 bits in eight characters, as replies and logs show it.
    pub fn short(&self) -> String {
        let bits = self.0[..5].iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        (0..8).rev().map(|i| char::from(CROCKFORD[(bits >> (5 * i)) as usize & 31])).collect()
    }

    /// Back from all 256 bits in hexadecimal; `None` where the text is no hash.
    pub fn of_full(full: &str) -> Option<PlanHash> {
        let digits: Vec<u8> = full.chars().map(|digit| digit.to_digit(16).map(|it| it as u8)).collect::<Option<_>>()?;
        let octets: Vec<u8> =
            digits.chunks(2).map(|pair| pair.iter().fold(0, |octet, digit| octet << 4 | digit)).collect();
        if digits.len() == 64 { <[u8; 32]>::try_from(octets).ok().map(PlanHash) } else { None }
    }

    /// All 256 bits in hexadecimal.
    pub fn full(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for PlanHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

impl fmt::Display for PlanHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn the_short_name_is_the_first_forty_bits() {
        let of_nothing = hash("");
        // BLAKE3 of nothing begins with af1349b9f5.
        assert!(of_nothing.full().starts_with("af1349b9f5"));
        assert_eq!(of_nothing.short(), "nw9mkefn");
        assert_eq!(super::PlanHash::of_full(&of_nothing.full()), Some(of_nothing));
        assert_eq!(super::PlanHash::of_full("af13"), None);
    }
}
