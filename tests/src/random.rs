//! Numbers that look random and come again from the same seed, which every test prints.

/// xorshift64*.
pub struct Random(u64);

impl Random {
    /// From `FACTEUR_SEED`, else one that differs from run to run. Prints it.
    pub fn seeded(test: &str) -> Random {
        let given = std::env::var("FACTEUR_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| u64::from(std::process::id()) + 1);
        eprintln!("{test}: FACTEUR_SEED={seed}");
        Random::from(seed)
    }

    /// The same numbers each time.
    pub fn from(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).max(1))
    }

    /// Below `limit`, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16) % limit
    }
}
