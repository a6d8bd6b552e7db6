//! A change of the keys: a file that names the state it is about, what is to change and why, and the signatures of those whose
//! plans are taken now. Pure.

use std::fmt;

use plan::signed::{self, BadSignature, OneSignature, PublicKey, statement};
use serde::{Deserialize, Serialize};

use super::judge::signers;
use super::{KEYS_MAX, NotSigned, TrustedKey, TrustedKeys};

/// What a signature of a change begins with.
const CHANGE_DOMAIN: &str = "facteur key change 1";

/// `NAME.request.ron`, in canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRequest {
    /// [`TrustedKeys::digest`] of the state that is to change.
    pub state: String,
    pub change: KeyChange,
    pub author: String,
    /// As in a signature of a plan.
    pub at: String,
    pub reason: String,
    pub signatures: Vec<OneSignature>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum KeyChange {
    Enroll { name: String, public: String },
    Remove { id: String },
    Needed(u8),
}

/// Why the keys cannot be changed like this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadChange {
    Public(String),
    /// A key of this name or of these octets is enrolled.
    Enrolled(String),
    TooMany,
    NoSuchKey(String),
    /// So many would be left, and more have to sign.
    TooFewLeft {
        left: usize,
        needed: u8,
    },
    /// Nobody would have to sign, or more than there are keys.
    Needed {
        needed: u8,
        keys: usize,
    },
    /// No key is enrolled: there is nothing to sign it with.
    NoKeys,
}

/// Why a request is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotApplied {
    /// Made for another state of the keys, or for another appliance.
    OtherState,
    NotSigned(NotSigned),
    Bad(BadChange),
}

impl fmt::Display for KeyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyChange::Enroll { name, public } => write!(f, "enrol the key {name} {public}"),
            KeyChange::Remove { id } => write!(f, "remove the key {id}"),
            KeyChange::Needed(needed) => write!(f, "have {needed} keys sign"),
        }
    }
}

impl fmt::Display for BadChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadChange::Public(why) => f.write_str(why),
            BadChange::Enrolled(name) => write!(f, "a key {name}, or this key under another name, is enrolled"),
            BadChange::TooMany => write!(f, "{KEYS_MAX} keys are enrolled, which is as many as there may be"),
            BadChange::NoSuchKey(id) => write!(f, "no key {id} is enrolled"),
            BadChange::TooFewLeft { left, needed } => {
                write!(f, "{left} keys would be left, and {needed} have to sign")
            }
            BadChange::Needed { needed, keys } => {
                write!(f, "{needed} cannot have to sign where {keys} keys are enrolled")
            }
            BadChange::NoKeys => f.write_str("no key is enrolled; `facteur key enroll` enrols the first"),
        }
    }
}

impl fmt::Display for NotApplied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotApplied::OtherState => {
                f.write_str("the request is about another state of the keys than the present one: propose it again")
            }
            NotApplied::NotSigned(NotSigned::Wrong(name)) => {
                write!(f, "the signature of {name} does not hold: the request was changed")
            }
            NotApplied::NotSigned(NotSigned::TooFew { by, needed }) => {
                let by = if by.is_empty() { "nobody".to_owned() } else { by.join(", ") };
                write!(f, "{needed} enrolled keys have to sign this, and {by} did; `facteur key sign`")
            }
            NotApplied::NotSigned(why) => why.fmt(f),
            NotApplied::Bad(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for BadChange {}
impl std::error::Error for NotApplied {}

impl KeyChange {
    /// The fields that are signed: no two changes have the same.
    fn fields(&self) -> [String; 3] {
        match self {
            KeyChange::Enroll { name, public } => ["enroll".to_owned(), name.clone(), public.clone()],
            KeyChange::Remove { id } => ["remove".to_owned(), id.clone(), String::new()],
            KeyChange::Needed(needed) => ["needed".to_owned(), needed.to_string(), String::new()],
        }
    }
}

/// What each key signs of a request.
pub fn request_octets(request: &KeyRequest) -> Vec<u8> {
    let [kind, one, two] = request.change.fields();
    let KeyRequest { state, author, at, reason, .. } = request;
    statement(CHANGE_DOMAIN, &[state, &kind, &one, &two, author, at, reason])
}

/// Reads a request: only its canonical text.
pub fn read_request(text: &str) -> Result<KeyRequest, BadSignature> {
    let request: KeyRequest = signed::read_canonical(text)?;
    signed::check(&request.author, &request.at, &request.reason, &request.signatures)?;
    Ok(request)
}

/// The keys after a change, whoever asks for it.
pub fn changed(trusted: &TrustedKeys, change: &KeyChange) -> Result<TrustedKeys, BadChange> {
    let mut after = TrustedKeys { serial: trusted.serial.saturating_add(1), ..trusted.clone() };
    match change {
        KeyChange::Enroll { name, public } => {
            let key = PublicKey::of(name, public).map_err(|why| BadChange::Public(why.to_string()))?;
            let key = TrustedKey::from(&key);
            let same = |other: &TrustedKey| other.id == key.id || other.name.eq_ignore_ascii_case(&key.name);
            if after.keys.iter().any(same) {
                return Err(BadChange::Enrolled(key.name));
            }
            if after.keys.len() >= KEYS_MAX {
                return Err(BadChange::TooMany);
            }
            after.keys.push(key);
        }
        KeyChange::Remove { id } => {
            let at = after.keys.iter().position(|key| key.id == *id);
            after.keys.remove(at.ok_or_else(|| BadChange::NoSuchKey(id.clone()))?);
            // The last one stays: without any every plan would be taken.
            if after.keys.len() < usize::from(after.needed.max(1)) {
                return Err(BadChange::TooFewLeft { left: after.keys.len(), needed: after.needed.max(1) });
            }
        }
        KeyChange::Needed(needed) => {
            if *needed == 0 || usize::from(*needed) > after.keys.len() {
                return Err(BadChange::Needed { needed: *needed, keys: after.keys.len() });
            }
            after.needed = *needed;
        }
    }
    Ok(after)
}

/// The keys after a request, and who signed it.
pub fn applied(trusted: &TrustedKeys, request: &KeyRequest) -> Result<(TrustedKeys, Vec<String>), NotApplied> {
    if trusted.is_empty() {
        return Err(NotApplied::Bad(BadChange::NoKeys));
    }
    if request.state != trusted.digest() {
        return Err(NotApplied::OtherState);
    }
    let by = signers(trusted, &request_octets(request), &request.signatures).map_err(NotApplied::NotSigned)?;
    let needed = trusted.needed.max(1);
    if by.len() < usize::from(needed) {
        return Err(NotApplied::NotSigned(NotSigned::TooFew { by, needed }));
    }
    Ok((changed(trusted, &request.change).map_err(NotApplied::Bad)?, by))
}
