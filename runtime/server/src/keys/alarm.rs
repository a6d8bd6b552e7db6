//! What somebody has to look at: the keys were replaced without the signatures of those that were enrolled. It stands until
//! somebody says they saw it.

use serde::{Deserialize, Serialize};
use store::{Op, Store};

use crate::operate::OperateError;

/// The setting that holds it as JSON; none while nothing is to be looked at.
const SETTING: &str = "plans.key_alarm";

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// Unix seconds.
    pub at_s: i64,
    pub who: String,
    pub what: String,
}

/// The one that stands. One that cannot be read stands, too.
pub fn load(store: &Store) -> Result<Option<Alarm>, OperateError> {
    let Some(octets) = store.setting(SETTING)? else { return Ok(None) };
    let unreadable = |error: serde_json::Error| Alarm {
        at_s: 0,
        who: "unknown".to_owned(),
        what: format!("the alarm about the plan keys cannot be read: {error}"),
    };
    Ok(Some(serde_json::from_slice(&octets).unwrap_or_else(unreadable)))
}

/// The change of the store that sets it, or takes it away.
pub fn op(alarm: Option<&Alarm>) -> Op {
    // INVARIANT: strings and numbers always have a JSON form.
    let value = alarm.map(|alarm| serde_json::to_vec(alarm).unwrap_or_default());
    Op::Setting { key: SETTING.to_owned(), value }
}
