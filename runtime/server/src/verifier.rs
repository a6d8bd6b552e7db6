//! Verifiers of passwords: PHC strings of argon2id (RFC 9106), and behind a semicolon that of SCRAM where the plan has people
//! log in by it. What can be guessed from that one is guessed sooner, so that no other plan keeps it. What other servers
//! kept opens by its own scheme ([`crate::schemes`]) until it is renewed.
//!
//! The blocks argon2 works in are kept and used again: freed and asked for anew, an allocator keeps a copy for each
//! thread that ever hashed. INVARIANT (bounded-blocks): at most one set of blocks per processor is kept.

use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use plan::{HashCost, Mechanism, Plan};
use proto::sasl::Secret;

use crate::schemes;
use crate::scram::Keys;

/// What a plan says that says nothing: as strong against guessing as the 19 MiB and two passes that OWASP recommends, with
/// little memory where many people log in at once.
pub const COST: HashCost = HashCost { memory_kib: 7 * 1024, passes: 5, lanes: 1 };
/// A verifier that asks for more memory than this opens nothing: 64 MiB.
const MEMORY_KIB_MAX: u32 = 64 * 1024;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 16;
const OUTPUT_OCTETS: usize = 32;
/// Between the verifiers of one password.
const SEPARATOR: char = ';';

static BLOCKS: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

/// What verifiers are made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Making {
    pub cost: HashCost,
    /// Do people log in by SCRAM?
    pub scram: bool,
}

impl Making {
    pub fn of(plan: &Plan) -> Making {
        let rules = &plan.identity.password;
        Making { cost: rules.hash, scram: rules.sent_as.contains(&Mechanism::ScramSha256) }
    }

    /// A verifier of `secret`. Takes some 20 ms of a processor with the figures of [`COST`].
    pub fn verifier(self, secret: &Secret) -> String {
        let plain = hashed(self.cost, secret);
        if self.scram { format!("{plain}{SEPARATOR}{}", Keys::of(secret).text()) } else { plain }
    }

    /// Is a secret checked against `verifier` with the figures of today?
    pub fn costs_as(self, verifier: &str) -> bool {
        figures(plain(verifier)) == Some(self.cost)
    }

    /// Is `verifier` as it would be made today? One that is not is made anew when the secret is known.
    pub fn made(self, verifier: &str) -> bool {
        let plain = plain(verifier);
        figures(plain) == Some(self.cost) && scram_keys(verifier).is_some() == self.scram
    }
}

/// A verifier of `secret` as the store keeps it, for a house without a plan.
pub fn verifier(secret: &Secret) -> String {
    Making { cost: COST, scram: false }.verifier(secret)
}

/// A verifier of `secret` for all the ways `plan` lets it be sent.
pub fn verifier_of(plan: &Plan, secret: &Secret) -> String {
    Making::of(plan).verifier(secret)
}

fn hashed(cost: HashCost, secret: &Secret) -> String {
    let salt: [u8; 16] = crate::random::octets();
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(OUTPUT_OCTETS))
        .expect("the compiler refuses other figures");
    let mut output = [0; OUTPUT_OCTETS];
    fill(params.clone(), secret, &salt, &mut output).expect("16 octets of salt and 32 of output suit argon2");
    let hash = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).expect("three numbers fit"),
        salt: Some(Salt::new(&salt).expect("16 octets are a salt")),
        hash: Some(Output::new(&output).expect("32 octets are an output")),
    };
    hash.to_string()
}

/// Is nobody to log in by this verifier, whatever they have? It begins with `!`, as a locked password does in shadow(5).
pub fn is_locked(verifier: &str) -> bool {
    verifier.starts_with('!')
}

/// The keys of SCRAM in a verifier, if it has them.
pub fn scram_keys(verifier: &str) -> Option<Keys> {
    verifier.split(SEPARATOR).find_map(Keys::read)
}

/// The first verifier of several, against which a secret is checked that is sent as it is.
fn plain(verifier: &str) -> &str {
    verifier.split(SEPARATOR).next().unwrap_or_default()
}

/// Is it argon2id, of whatever figures?
pub fn is_own(verifier: &str) -> bool {
    plain(verifier).starts_with("$argon2id$")
}

/// Does `secret` open `verifier`? A verifier that is none, or costs more than we pay, opens to nobody.
pub fn opens(secret: &Secret, verifier: &str) -> bool {
    let verifier = plain(verifier);
    if !is_own(verifier) {
        return !is_locked(verifier) && schemes::read(verifier).is_ok_and(|imported| imported.opens(secret));
    }
    let Some((kept, params)) = argon2id(verifier) else { return false };
    let (Some(salt), Some(expected)) = (&kept.salt, &kept.hash) else { return false };
    if is_dear(cost_of(&params)) {
        return false;
    }
    let mut output = vec![0; expected.len()];
    let filled = fill(params, secret, salt.as_ref(), &mut output);
    // `Output` compares in constant time.
    filled.is_ok() && Output::new(&output).is_ok_and(|output| output == *expected)
}

/// The figures of a verifier of argon2id that is whole.
pub fn figures(verifier: &str) -> Option<HashCost> {
    let (kept, params) = argon2id(verifier)?;
    (kept.salt.is_some() && kept.hash.is_some()).then(|| cost_of(&params))
}

/// Does a verifier of these figures cost more than we pay for a login?
pub fn is_dear(cost: HashCost) -> bool {
    cost.memory_kib > MEMORY_KIB_MAX || cost.passes > PASSES_MAX || cost.lanes > LANES_MAX
}

fn argon2id(verifier: &str) -> Option<(PasswordHash, Params)> {
    let kept = PasswordHash::new(verifier).ok()?;
    let params = Params::try_from(&kept).ok()?;
    let version = kept.version == Some(Version::V0x13.into());
    (kept.algorithm == ARGON2ID_IDENT && version).then_some((kept, params))
}

fn cost_of(params: &Params) -> HashCost {
    HashCost { memory_kib: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() }
}

fn fill(params: Params, secret: &Secret, salt: &[u8], output: &mut [u8]) -> Result<(), argon2::Error> {
    let count = params.block_count();
    let kept = BLOCKS.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut blocks = kept.unwrap_or_default();
    blocks.resize(count.max(blocks.len()), Block::default());
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let filled = argon2.hash_password_into_with_memory(secret.reveal().as_bytes(), salt, output, &mut blocks[..count]);
    let mut pool = BLOCKS.lock().unwrap_or_else(PoisonError::into_inner);
    // INVARIANT (bounded-blocks)
    if pool.len() < std::thread::available_parallelism().map_or(1, usize::from) {
        pool.push(blocks);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_opens_to_its_secret_alone() {
        let secret = Secret::new("correct horse");
        let made = verifier(&secret);
        assert!(made.starts_with("$argon2id$v=19$m=7168,t=5,p=1$"), "{made}");
        assert!(opens(&secret, &made));
        assert!(!opens(&Secret::new("correct hors"), &made));
        assert_ne!(made, verifier(&secret), "each has its salt");
    }

    #[test]
    fn what_is_no_verifier_or_too_dear_opens_to_nobody() {
        let secret = Secret::new("x");
        let made = verifier(&secret);
        for bad in ["", "x", "$argon2id$", &made.replace("m=7168", "m=99999999"), &made.replace("t=5", "t=99")] {
            assert!(!opens(&secret, bad), "{bad:?}");
        }
        assert!(!opens(&secret, &made.replace("argon2id", "argon2d")));
    }

    #[test]
    fn a_verifier_is_made_anew_when_its_figures_or_ways_are_not_those_of_the_plan() {
        let small = HashCost { memory_kib: 64, passes: 1, lanes: 1 };
        let (made, with) = (Making { cost: small, scram: false }, Making { cost: small, scram: true });
        let (plain, both) = (made.verifier(&Secret::new("x")), with.verifier(&Secret::new("x")));
        assert!(made.made(&plain) && with.made(&both));
        assert!(!with.made(&plain), "people log in by SCRAM now");
        assert!(!made.made(&both), "nobody does any more, and what is guessed sooner goes");
        let dearer = Making { cost: HashCost { passes: 2, ..small }, scram: false };
        assert!(!dearer.made(&plain) && opens(&Secret::new("x"), &plain));
        for other in ["", "!", "{SSHA}xxx", "$6$a$b"] {
            assert!(!made.made(other), "{other}");
        }
    }

    #[test]
    fn a_verifier_of_scram_stands_beside_and_opens_nothing_by_itself() {
        let secret = Secret::new("correct horse");
        let (plain, scram) = (verifier(&secret), Keys::of(&secret).text());
        let both = format!("{plain};{scram}");
        assert!(opens(&secret, &both) && !opens(&Secret::new("correct hors"), &both));
        assert!(scram_keys(&both).is_some_and(|keys| keys.text() == scram));
        assert!(scram_keys(&plain).is_none() && !opens(&secret, &scram) && !opens(&secret, &format!("!;{scram}")));
    }

    #[test]
    fn verifiers_of_other_figures_still_open() {
        // Made by the argon2 crate with its defaults, 19 MiB and two passes.
        use argon2::password_hash::PasswordHasher;
        let made: PasswordHash = Argon2::default().hash_password_with_salt(b"x", b"0123456789abcdef").unwrap();
        assert!(opens(&Secret::new("x"), &made.to_string()));
    }
}
