//! Verifiers of passwords: PHC strings of argon2id (RFC 9106), and behind a semicolon that of SCRAM where the plan has people
//! log in by it. What can be guessed from that one is guessed sooner, so that no other plan keeps it.
//!
//! The blocks argon2 works in are kept and used again: freed and asked for anew, an allocator keeps a copy for each
//! thread that ever hashed. INVARIANT (bounded-blocks): at most one set of blocks per processor is kept.

use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use plan::{Mechanism, Plan};
use proto::sasl::Secret;

use crate::scram::Keys;

/// Memory of one hash in KiB, passes over it, and lanes: as strong against guessing as the 19 MiB and two passes that
/// OWASP recommends, with little memory where many people log in at once.
const MEMORY_KIB: u32 = 7 * 1024;
const PASSES: u32 = 5;
const LANES: u32 = 1;
/// A verifier that asks for more memory than this opens nothing: 64 MiB.
const MEMORY_KIB_MAX: u32 = 64 * 1024;
const PASSES_MAX: u32 = 16;
const OUTPUT_OCTETS: usize = 32;
/// Between the verifiers of one password.
const SEPARATOR: char = ';';

static BLOCKS: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

/// A verifier of `secret` as the store keeps it. Takes some 20 ms of a processor.
pub fn verifier(secret: &Secret) -> String {
    let salt: [u8; 16] = crate::random::octets();
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT_OCTETS)).expect("the figures above are in range");
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

/// A verifier of `secret` for all the ways `plan` lets it be sent.
pub fn verifier_of(plan: &Plan, secret: &Secret) -> String {
    let plain = verifier(secret);
    if !plan.identity.password.sent_as.contains(&Mechanism::ScramSha256) {
        return plain;
    }
    format!("{plain}{SEPARATOR}{}", Keys::of(secret).text())
}

/// Is nobody to log in by this verifier, whatever they have? It begins with `!`, as a locked password does in shadow(5).
pub fn is_locked(verifier: &str) -> bool {
    verifier.starts_with('!')
}

/// The keys of SCRAM in a verifier, if it has them.
pub fn scram_keys(verifier: &str) -> Option<Keys> {
    verifier.split(SEPARATOR).find_map(Keys::read)
}

/// Does `secret` open `verifier`? A verifier that is none, or costs more than we pay, opens to nobody.
pub fn opens(secret: &Secret, verifier: &str) -> bool {
    let verifier = verifier.split(SEPARATOR).next().unwrap_or_default();
    let Ok(kept) = PasswordHash::new(verifier) else { return false };
    let (Some(salt), Some(expected), Ok(params)) = (&kept.salt, &kept.hash, Params::try_from(&kept)) else {
        return false;
    };
    let version = kept.version == Some(Version::V0x13.into());
    let dear = params.m_cost() > MEMORY_KIB_MAX || params.t_cost() > PASSES_MAX;
    if kept.algorithm != ARGON2ID_IDENT || !version || dear {
        return false;
    }
    let mut output = vec![0; expected.len()];
    let filled = fill(params, secret, salt.as_ref(), &mut output);
    // `Output` compares in constant time.
    filled.is_ok() && Output::new(&output).is_ok_and(|output| output == *expected)
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
