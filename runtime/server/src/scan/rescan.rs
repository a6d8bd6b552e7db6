//! Messages that went on without an engine that was down: a setting `rescan/ID`, by the id of the delivery, in the same
//! commit, names the engines that still owe a look.

use decide::EngineResult;
use serde::{Deserialize, Serialize};
use store::{Op, QueueId};

/// Where these settings begin.
pub const PREFIX: &str = "rescan/";

/// What is owed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// Names of engines, in the plan's order, never empty.
    pub engines: Vec<String>,
    /// When the message went on, Unix seconds.
    pub at_s: i64,
}

/// The engines that did not look.
pub fn owed(results: &[(String, EngineResult)]) -> Vec<String> {
    let down = results.iter().filter(|(_, result)| matches!(result, EngineResult::Down { .. }));
    down.map(|(engine, _)| engine.clone()).collect()
}

/// The mark, for the commit of the delivery; nothing where nothing is owed.
pub fn mark(id: QueueId, engines: &[String], at_s: i64) -> Option<Op> {
    if engines.is_empty() {
        return None;
    }
    let value = serde_json::to_vec(&Owed { engines: engines.to_vec(), at_s }).ok()?;
    Some(Op::Setting { key: format!("{PREFIX}{id}"), value: Some(value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_were_down_owe_a_look_and_the_mark_says_so() {
        let results =
            [("clamav".to_owned(), EngineResult::Clean), ("mcafee".to_owned(), EngineResult::Down { for_s: 20_000 })];
        let owed = owed(&results);
        assert_eq!(owed, ["mcafee"]);
        let Some(Op::Setting { key, value: Some(value) }) = mark(QueueId([7; 16]), &owed, 12) else {
            panic!("a setting")
        };
        assert_eq!(key, format!("rescan/{}", QueueId([7; 16])));
        let read: Owed = serde_json::from_slice(&value).unwrap();
        assert_eq!(read, Owed { engines: owed, at_s: 12 });
        assert!(mark(QueueId([7; 16]), &[], 12).is_none());
    }
}
