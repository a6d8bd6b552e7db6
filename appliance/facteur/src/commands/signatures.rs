//! The file of signatures beside a plan.

use std::path::{Path, PathBuf};

use clap::Args;
use plan::PlanHash;
use plan::signed::{Signature, check, read_signature, signed_octets};
use server::keys::{TrustedKeys, judge, moment};

use crate::files::write_whole;
use crate::key_files;

#[derive(Args)]
pub struct SignArgs {
    /// Sign the plan with this private key (`facteur key new`): NAME.sig.ron beside it. Another key adds its signature to the file
    #[arg(long, value_name = "KEY")]
    pub sign: Option<PathBuf>,
    /// Why this plan, for the first signature
    #[arg(long, value_name = "TEXT", requires = "sign")]
    pub reason: Option<String>,
    /// Who made it, for the first signature
    #[arg(long, value_name = "NAME", requires = "sign")]
    pub author: Option<String>,
}

/// Adds the signature of a key to the file; says what was signed.
pub fn sign(args: &SignArgs, key: &Path, path: &Path, hash: &PlanHash) -> Result<String, String> {
    let key = key_files::private(key)?;
    let kept = match path.exists() {
        true => Some(read_signature(&key_files::text(path)?).map_err(|error| format!("{}: {error}", path.display()))?),
        false => None,
    };
    // The file of another plan makes way: its signatures are worth nothing here.
    let kept = kept.filter(|kept| kept.plan == hash.full());
    let mut signature = statement(args, kept, path, hash)?;
    let one = key.sign(&signed_octets(&signature));
    signature.signatures.retain(|other| other.key != one.key);
    signature.signatures.push(one);
    check(&signature.author, &signature.at, &signature.reason, &signature.signatures).map_err(|bad| bad.to_string())?;
    write_whole(path, &plan::emit(&signature)).map_err(|error| format!("{}: {error}", path.display()))?;
    let Signature { author, at, reason, signatures, .. } = &signature;
    let count = signatures.len();
    Ok(format!("{} {at} {author}: {reason} ({count} of them, the last by {})", path.display(), key.public().name))
}

/// What is signed: as the first who signed said it.
fn statement(args: &SignArgs, kept: Option<Signature>, path: &Path, hash: &PlanHash) -> Result<Signature, String> {
    let Some(kept) = kept else {
        let (Some(reason), Some(author)) = (args.reason.clone(), args.author.clone()) else {
            return Err("the first signature says --reason and --author".to_owned());
        };
        let at = moment(super::unix_s());
        return Ok(Signature { plan: hash.full(), author, at, reason, signatures: Vec::new() });
    };
    let differs = |given: &Option<String>, said: &String| given.as_ref().is_some_and(|given| given != said);
    if differs(&args.reason, &kept.reason) || differs(&args.author, &kept.author) {
        return Err(format!(
            "{}: signed already as the plan of {}, because {}: leave --author and --reason out to sign the same, or remove the file",
            path.display(),
            kept.author,
            kept.reason
        ));
    }
    Ok(kept)
}

/// Who signed a plan of this hash, of these public keys. The error says which signature is missing or does not hold.
pub fn verified(file: &Path, keys: &[PathBuf], needed: u8, hash: &PlanHash) -> Result<Vec<String>, String> {
    let keys = keys.iter().map(|path| key_files::public(path)).collect::<Result<Vec<_>, String>>()?;
    let trusted = TrustedKeys::of(&keys, needed);
    judge(&trusted, &hash.full(), Some(&key_files::text(file)?)).map_err(|why| why.to_string())
}
