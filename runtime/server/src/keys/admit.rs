//! A plan that was brought here, judged by what the store knows.

use plan::signed::Signature;
use store::{Op, Store};

use super::{NotSigned, judge_newer, load};
use crate::operate::OperateError;

/// The setting that holds when the newest plan that was taken had been signed.
const NEWEST: &str = "plans.newest_signature";
/// Clocks of who signs may be ahead of ours by so much.
const AHEAD_S: i64 = 86_400;

/// What is known of a plan that may be taken.
#[derive(Debug)]
pub struct Admitted {
    /// Names of the keys that signed; empty where no key is enrolled.
    pub by: Vec<String>,
    /// What its file of signatures says.
    pub said: Option<Signature>,
    /// For the commit that takes the plan: from then on none that was signed before is.
    pub ops: Vec<Op>,
}

/// May the plan of this full hash be taken now? E1001 else, and E1006 for one that was signed before the newest one taken. Going
/// back to a plan that ran here is not asked of this.
pub fn admit(store: &Store, plan_hash: &str, signature: Option<&str>, now_s: i64) -> Result<Admitted, OperateError> {
    let trusted = load(store)?;
    let (by, said) = super::judge::judged(&trusted, plan_hash, signature)?;
    let Some(at) = said.as_ref().map(|said| said.at.clone()).filter(|_| !trusted.is_empty()) else {
        return Ok(Admitted { by, said, ops: Vec::new() });
    };
    let newest = store.setting(NEWEST)?.and_then(|octets| String::from_utf8(octets).ok());
    judge_newer(&at, newest.as_deref(), &moment(now_s.saturating_add(AHEAD_S)))?;
    let newest = Op::Setting { key: NEWEST.to_owned(), value: Some(at.into_bytes()) };
    Ok(Admitted { by, said, ops: vec![newest] })
}

impl From<NotSigned> for OperateError {
    fn from(why: NotSigned) -> OperateError {
        match why {
            NotSigned::Older { .. } => OperateError::Refused { why: why.to_string(), rule: "E1006".to_owned() },
            why => OperateError::NotSigned { why: why.to_string() },
        }
    }
}

/// In the form of [`Signature::at`].
pub fn moment(unix_s: i64) -> String {
    jiff::Timestamp::from_second(unix_s).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
