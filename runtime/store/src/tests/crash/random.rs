//! Numbers that look random and come again from the same seed.

use std::io::Write;

/// xorshift64*.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn from(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).max(1))
    }

    /// Below `limit`, which is not 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16) % limit
    }

    pub(super) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of these, which are not none.
    pub(super) fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }
}

/// `FACTEUR_SEED`, else one that differs from run to run; printed either way.
pub(super) fn seed(test: &str) -> u64 {
    let given = std::env::var("FACTEUR_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| u64::from(std::process::id()) + 1);
    say(&format!("{test}: FACTEUR_SEED={seed}"));
    seed
}

/// The long form: more rounds, every call.
pub(super) fn is_long() -> bool {
    std::env::var("FACTEUR_LONG").is_ok()
}

/// A line for whoever runs the tests, also when all is well: figures, seeds.
pub(super) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
