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

    /// The hash of its full text.
    pub fn from_full(text: &str) -> Option<PlanHash> {
        let digits = text.as_bytes();
        let digit = |octet: u8| char::from(octet).to_digit(16).filter(|_| !octet.is_ascii_uppercase());
        let mut hash = [0; 32];
        for (octet, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            *octet = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
        }
        (digits.len() == 64).then_some(PlanHash(hash))
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
    use super::{PlanHash, hash};

    #[test]
    fn a_hash_is_read_from_its_full_text_alone() {
        let hash = hash("a plan");
        assert_eq!(PlanHash::from_full(&hash.full()), Some(hash));
        let (short, upper) = (hash.short(), hash.full().to_uppercase());
        for text in ["", &short, &upper, &hash.full()[1..], &format!("{}0", hash.full()), &"é".repeat(32)] {
            assert_eq!(PlanHash::from_full(text), None, "{text}");
        }
    }

    #[test]
    fn the_short_name_is_the_first_forty_bits() {
        let of_nothing = hash("");
        // BLAKE3 of nothing begins with af1349b9f5.
        assert!(of_nothing.full().starts_with("af1349b9f5"));
        assert_eq!(of_nothing.short(), "nw9mkefn");
    }
}
