//! Is a plan signed by those whose plans are taken here? Pure.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plan::signed::{BadSignature, OneSignature, Signature, read_signature, signed_octets};
use ring::signature::{ED25519, UnparsedPublicKey};

use super::TrustedKeys;

/// Why a plan is not taken: E1001.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotSigned {
    /// There is no file of signatures.
    Nothing,
    Unreadable(BadSignature),
    /// The file is of another plan; its full hash.
    OtherPlan(String),
    /// The signature of a key that is enrolled does not hold: something was changed. The key's name.
    Wrong(String),
    /// Fewer keys than have to be.
    TooFew {
        by: Vec<String>,
        needed: u8,
    },
    /// A plan that was signed later was taken before: E1006.
    Older {
        at: String,
        newest: String,
    },
    /// Signed at a moment that has not come.
    Future {
        at: String,
    },
}

impl fmt::Display for NotSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !matches!(self, NotSigned::Older { .. }) {
            f.write_str("E1001: plan is not signed by a key enrolled here: ")?;
        }
        match self {
            NotSigned::Nothing => f.write_str("it has no signature; `compile --sign`, or use a development image"),
            NotSigned::Unreadable(why) => write!(f, "the file of its signatures cannot be used, {why}"),
            NotSigned::OtherPlan(plan) => write!(f, "these are the signatures of plan {plan}"),
            NotSigned::Wrong(name) => {
                write!(f, "the signature of {name} does not hold: the plan or what is said of it was changed")
            }
            NotSigned::TooFew { by, needed } if by.is_empty() => {
                write!(f, "of {needed} signatures that are needed it has none; `compile --sign`")
            }
            NotSigned::TooFew { by, needed } => {
                write!(f, "of {needed} signatures that are needed it has those of {}; `compile --sign`", by.join(", "))
            }
            NotSigned::Older { at, newest } => write!(
                f,
                "it was signed at {at}, which is before the newest one taken ({newest}): sign it again; `rollback` says so explicitly"
            ),
            NotSigned::Future { at } => write!(f, "it says it was signed at {at}, which has not come yet"),
        }
    }
}

impl std::error::Error for NotSigned {}

/// Whose signatures `octets` has, by name and each key once. A wrong signature of a key that is enrolled is an error, those of
/// keys nobody enrolled are not looked at.
pub(super) fn signers(
    trusted: &TrustedKeys,
    octets: &[u8],
    signatures: &[OneSignature],
) -> Result<Vec<String>, NotSigned> {
    let mut by: Vec<(&str, &str)> = Vec::new();
    for one in signatures {
        let Some(key) = trusted.of_id(&one.key) else { continue };
        let decoded = (STANDARD.decode(&key.public), STANDARD.decode(&one.ed25519));
        let (Ok(public), Ok(signature)) = decoded else { return Err(NotSigned::Wrong(key.name.clone())) };
        if UnparsedPublicKey::new(&ED25519, &public).verify(octets, &signature).is_err() {
            return Err(NotSigned::Wrong(key.name.clone()));
        }
        if !by.iter().any(|(id, _)| *id == key.id) {
            by.push((&key.id, &key.name));
        }
    }
    Ok(by.into_iter().map(|(_, name)| name.to_owned()).collect())
}

/// Those who signed the plan of this full hash; nobody has to where no key is enrolled. `signature` is the text of its
/// file of signatures.
pub fn judge(trusted: &TrustedKeys, plan_hash: &str, signature: Option<&str>) -> Result<Vec<String>, NotSigned> {
    judged(trusted, plan_hash, signature).map(|(by, _)| by)
}

/// The same, with the file.
pub(super) fn judged(
    trusted: &TrustedKeys,
    plan_hash: &str,
    signature: Option<&str>,
) -> Result<(Vec<String>, Option<Signature>), NotSigned> {
    let read = signature.map(read_signature).transpose();
    if trusted.is_empty() {
        // Nothing is asked for; what is said of the plan is still kept, where it can be read and is of this plan.
        let said = read.ok().flatten().filter(|said| said.plan == plan_hash);
        return Ok((Vec::new(), said));
    }
    let signature = read.map_err(NotSigned::Unreadable)?.ok_or(NotSigned::Nothing)?;
    if signature.plan != plan_hash {
        return Err(NotSigned::OtherPlan(signature.plan));
    }
    let by = signers(trusted, &signed_octets(&signature), &signature.signatures)?;
    if by.len() < usize::from(trusted.needed.max(1)) {
        return Err(NotSigned::TooFew { by, needed: trusted.needed.max(1) });
    }
    Ok((by, Some(signature)))
}

/// Is a plan signed at `at` to replace one signed at `newest`, at a moment before `latest`? All three in the form of
/// [`Signature::at`], which compares as text. The same moment is no step back: a plan that was rolled back is tried again.
pub fn judge_newer(at: &str, newest: Option<&str>, latest: &str) -> Result<(), NotSigned> {
    if at > latest {
        return Err(NotSigned::Future { at: at.to_owned() });
    }
    match newest {
        Some(newest) if at < newest => Err(NotSigned::Older { at: at.to_owned(), newest: newest.to_owned() }),
        _ => Ok(()),
    }
}
