//! Whose plans this server takes. Public keys are enrolled data of the store: while there are none every plan is taken, which is
//! said wherever somebody looks; from the first on a plan, and every change of the keys themselves, has to be signed by as many
//! of them as the store says.
//!
//! INVARIANT (nobody's word): a setting that cannot be read is trouble, never "no key is enrolled".

mod admit;
pub mod alarm;
mod change;
mod judge;
mod signing;
mod still;

use plan::signed::PublicKey;
use serde::{Deserialize, Serialize};
use store::{Op, Store};

use crate::operate::OperateError;

pub use admit::{Admitted, admit, moment};
pub use change::{BadChange, KeyChange, KeyRequest, NotApplied, applied, changed, read_request, request_octets};
pub use judge::{NotSigned, judge, judge_newer};
pub use signing::{BadKeyFile, SigningKey};
pub(crate) use still::{broken, signed_today};

/// The setting that holds [`TrustedKeys`] as JSON.
const SETTING: &str = "plans.trusted_keys";
/// Keys that may be enrolled at a time.
pub const KEYS_MAX: usize = 32;

/// Keys whose signatures count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedKeys {
    /// Drawn with the first key: what was signed for another appliance is not for this one.
    pub origin: String,
    /// Changes so far: what was signed for an earlier state is not for a later one that looks the same.
    pub serial: u64,
    /// So many different keys have to sign. At least 1 once there are keys.
    pub needed: u8,
    pub keys: Vec<TrustedKey>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedKey {
    /// `plan::signed::key_id` of the public half.
    pub id: String,
    pub name: String,
    /// 32 octets in base 64.
    pub public: String,
}

impl From<&PublicKey> for TrustedKey {
    fn from(key: &PublicKey) -> TrustedKey {
        TrustedKey { id: key.id(), name: key.name.clone(), public: key.base64() }
    }
}

impl TrustedKeys {
    /// These and no state of an appliance: for whoever checks a signature elsewhere.
    pub fn of(keys: &[PublicKey], needed: u8) -> TrustedKeys {
        TrustedKeys { needed, keys: keys.iter().map(TrustedKey::from).collect(), ..TrustedKeys::default() }
    }

    /// Is nothing asked for?
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub fn of_id(&self, id: &str) -> Option<&TrustedKey> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// The name of this state, which requests to change it are about: BLAKE3 of its canonical text, in hexadecimal.
    pub fn digest(&self) -> String {
        let text = format!("facteur trusted keys 1\n{}", plan::emit(self));
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }
}

/// What the store has.
pub fn load(store: &Store) -> Result<TrustedKeys, OperateError> {
    let Some(octets) = store.setting(SETTING)? else { return Ok(TrustedKeys::default()) };
    serde_json::from_slice(&octets)
        .map_err(|error| OperateError::Store { why: format!("the trusted keys cannot be read: {error}") })
}

/// The change of the store that puts these in place.
pub fn op(keys: &TrustedKeys) -> Result<Op, OperateError> {
    let value = serde_json::to_vec(keys).map_err(|error| OperateError::Store { why: error.to_string() })?;
    Ok(Op::Setting { key: SETTING.to_owned(), value: Some(value) })
}

/// The state after the first key was enrolled.
pub fn first(key: &PublicKey) -> TrustedKeys {
    let keys = vec![TrustedKey::from(key)];
    TrustedKeys { origin: origin(), serial: 1, needed: 1, keys }
}

/// The state after all keys were replaced by these, whatever there was.
pub fn replaced(keys: &[PublicKey], needed: u8, serial: u64) -> Result<TrustedKeys, BadChange> {
    let empty = TrustedKeys { origin: origin(), serial, ..TrustedKeys::default() };
    let enrolled = keys.iter().try_fold(empty, |before, key| {
        changed(&before, &KeyChange::Enroll { name: key.name.clone(), public: key.base64() })
    })?;
    changed(&enrolled, &KeyChange::Needed(needed))
}

fn origin() -> String {
    crate::random::octets::<16>().iter().map(|octet| format!("{octet:02x}")).collect()
}

/// What an operator should see to, a line each.
pub fn warnings(store: &Store) -> Vec<String> {
    let mut lines = Vec::new();
    match load(store) {
        Ok(trusted) if trusted.is_empty() => {
            lines.push("no plan key is enrolled: plans are taken without a signature -> facteur key enroll".to_owned());
        }
        Ok(_) => {}
        Err(error) => lines.push(error.to_string()),
    }
    match alarm::load(store) {
        Ok(Some(alarm)) => lines.push(format!("{}, by {} (`facteur key acknowledge`)", alarm.what, alarm.who)),
        Ok(None) => {}
        Err(error) => lines.push(error.to_string()),
    }
    lines
}

/// Says them at the start of a server.
pub(crate) fn say(service: &crate::service::Service) {
    warnings(&service.store).iter().for_each(|line| tracing::warn!("{line}"));
    if let Some(why) = broken(service) {
        tracing::error!(plan = service.plan, "the signatures of the plan that is served do not hold: {why}");
    }
}

/// Sets the gauges.
pub(crate) fn count(store: &Store, metrics: &crate::metrics::Metrics) {
    let is_unsigned = load(store).is_ok_and(|trusted| trusted.is_empty());
    metrics.plan_unsigned.set(i64::from(is_unsigned));
    metrics.plan_key_alarm.set(i64::from(!matches!(alarm::load(store), Ok(None))));
}

#[cfg(test)]
mod tests;
