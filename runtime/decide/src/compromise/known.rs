//! Whom an account wrote to before: 32 bits of a keyed hash for each address, in the order in which they came.
//!
//! With `n` addresses known, a new one is taken for known once in `2^32 / n` times: of the fullest account once in 262,144.
//! That hides one recipient from a detector that counts many. Whoever writes to more than [`KNOWN_MAX`] different people meets
//! the oldest of them as strangers again.

/// Addresses remembered of one account, four octets each.
pub const KNOWN_MAX: usize = 16_384;

/// The recipients of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known(Vec<u32>);

impl Known {
    /// As [`Known::octets`] wrote it; a piece that does not fit is left out.
    pub fn read(octets: &[u8]) -> Known {
        let (whole, _) = octets.as_chunks::<4>();
        let newest = whole.len().saturating_sub(KNOWN_MAX);
        Known(whole[newest..].iter().map(|piece| u32::from_le_bytes(*piece)).collect())
    }

    pub fn octets(&self) -> Vec<u8> {
        self.0.iter().flat_map(|hash| hash.to_le_bytes()).collect()
    }

    /// Remembers an address by the hash of its folded form; true when it is new.
    pub fn meet(&mut self, hash: u32) -> bool {
        if self.0.contains(&hash) {
            return false;
        }
        if self.0.len() >= KNOWN_MAX {
            // A tenth at a time, so that a full one does not move all of itself for each.
            self.0.drain(..KNOWN_MAX / 10);
        }
        self.0.push(hash);
        true
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_new_once() {
        let mut known = Known::default();
        assert!(known.meet(7) && !known.meet(7) && known.meet(8));
        assert_eq!(Known::read(&known.octets()), known);
        assert_eq!(Known::read(&[1, 0, 0, 0, 9]), Known(vec![1]), "a torn piece is left out");
    }

    #[test]
    fn a_full_account_forgets_the_oldest_and_keeps_the_newest() {
        let mut known = Known((0..KNOWN_MAX as u32).collect());
        assert!(known.meet(u32::MAX) && known.len() <= KNOWN_MAX);
        assert!(known.meet(0), "the oldest is a stranger again");
        assert!(!known.meet(KNOWN_MAX as u32 - 1) && !known.meet(u32::MAX));
        let long = [known.octets(), vec![0; 4 * KNOWN_MAX]].concat();
        assert_eq!(Known::read(&long).len(), KNOWN_MAX, "whatever the store says");
    }
}
