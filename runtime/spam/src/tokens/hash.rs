//! SipHash-2-4 (Aumasson and Bernstein 2012) with a fixed key: the name of a token must be the same for ever, on every
//! machine, and no sender should find words whose names collide with those of good mail by arithmetic alone.

const KEY: (u64, u64) = (0x6661_6374_6575_7220, 0x746f_6b65_6e73_2031);

/// A hash that was begun: what is fed stands behind each other, however it is cut.
#[derive(Clone, Copy)]
pub struct Hash {
    state: State,
    /// What does not fill eight octets yet, from the lowest on.
    word: u64,
    /// Octets so far.
    length: u64,
}

impl Hash {
    pub fn begin() -> Hash {
        Hash::keyed(KEY)
    }

    fn keyed(key: (u64, u64)) -> Hash {
        let state = State {
            v0: key.0 ^ 0x736f_6d65_7073_6575,
            v1: key.1 ^ 0x646f_7261_6e64_6f6d,
            v2: key.0 ^ 0x6c79_6765_6e65_7261,
            v3: key.1 ^ 0x7465_6462_7974_6573,
        };
        Hash { state, word: 0, length: 0 }
    }

    pub fn feed(&mut self, piece: &[u8]) {
        let mut eights = piece.chunks_exact(8);
        for eight in &mut eights {
            let octets = eight.iter().rev().fold(0, |word, octet| word << 8 | u64::from(*octet));
            self.push(octets, 8);
        }
        let rest = eights.remainder();
        if !rest.is_empty() {
            let octets = rest.iter().rev().fold(0, |word, octet| word << 8 | u64::from(*octet));
            self.push(octets, rest.len() as u64);
        }
    }

    /// One to eight octets, in the lowest of `octets`.
    fn push(&mut self, octets: u64, count: u64) {
        let filled = self.length % 8;
        self.word |= octets << (8 * filled);
        self.length = self.length.wrapping_add(count);
        if filled + count >= 8 {
            self.state.take(self.word);
            self.word = if filled == 0 { 0 } else { octets >> (8 * (8 - filled)) };
        }
    }

    pub fn end(mut self) -> u64 {
        self.state.take(self.word | self.length << 56);
        self.state.v2 ^= 0xff;
        for _ in 0..4 {
            self.state.round();
        }
        self.state.v0 ^ self.state.v1 ^ self.state.v2 ^ self.state.v3
    }
}

#[derive(Clone, Copy)]
struct State {
    v0: u64,
    v1: u64,
    v2: u64,
    v3: u64,
}

impl State {
    fn take(&mut self, word: u64) {
        self.v3 ^= word;
        self.round();
        self.round();
        self.v0 ^= word;
    }

    fn round(&mut self) {
        self.v0 = self.v0.wrapping_add(self.v1);
        self.v2 = self.v2.wrapping_add(self.v3);
        self.v1 = self.v1.rotate_left(13) ^ self.v0;
        self.v3 = self.v3.rotate_left(16) ^ self.v2;
        self.v0 = self.v0.rotate_left(32);
        self.v2 = self.v2.wrapping_add(self.v1);
        self.v0 = self.v0.wrapping_add(self.v3);
        self.v1 = self.v1.rotate_left(17) ^ self.v2;
        self.v3 = self.v3.rotate_left(21) ^ self.v0;
        self.v2 = self.v2.rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_authors() {
        // Appendix A of the paper, and the first of the vectors beside its reference implementation.
        let key = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
        let octets: Vec<u8> = (0..15).collect();
        let keyed = |pieces: &[&[u8]]| {
            let mut hash = Hash::keyed(key);
            pieces.iter().for_each(|piece| hash.feed(piece));
            hash.end()
        };
        assert_eq!(keyed(&[&octets]), 0xa129_ca61_49be_45e5);
        assert_eq!(keyed(&[&[]]), 0x726f_db47_dd0e_0e31);
        for first in 0..octets.len() {
            for second in first..octets.len() {
                let pieces = [&octets[..first], &octets[first..second], &octets[second..]];
                assert_eq!(keyed(&pieces), 0xa129_ca61_49be_45e5, "cut at {first} and {second}");
            }
        }
    }
}
