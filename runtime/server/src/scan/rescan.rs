//! Messages that went on without an engine that was down: a setting `rescan/ID`, by the id of the delivery, in the same
//! commit, names the engines that still owe a look.

use std::collections::BTreeSet;

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

/// The marks of all deliveries and messages of the spool in `ops`, for their commit; none where nothing is owed.
pub fn marks(ops: &[Op], engines: &[String], at_s: i64) -> Vec<Op> {
    let id = |op: &Op| match op {
        Op::Deliver(delivery) => Some(QueueId(delivery.delivery_id)),
        Op::Enqueue(message) => Some(message.queue_id),
        _ => None,
    };
    marks_of(&ops.iter().filter_map(id).collect(), engines, at_s)
}

fn marks_of(ids: &BTreeSet<QueueId>, engines: &[String], at_s: i64) -> Vec<Op> {
    if engines.is_empty() {
        return Vec::new();
    }
    let Ok(value) = serde_json::to_vec(&Owed { engines: engines.to_vec(), at_s }) else { return Vec::new() };
    ids.iter().map(|id| Op::Setting { key: format!("{PREFIX}{id}"), value: Some(value.clone()) }).collect()
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
        let ids = BTreeSet::from([QueueId([7; 16])]);
        let marks = marks_of(&ids, &owed, 12);
        let [Op::Setting { key, value: Some(value) }] = marks.as_slice() else { panic!("a setting") };
        assert_eq!(*key, format!("rescan/{}", QueueId([7; 16])));
        let read: Owed = serde_json::from_slice(value).unwrap();
        assert_eq!(read, Owed { engines: owed, at_s: 12 });
        assert!(marks_of(&ids, &[], 12).is_empty());
    }
}
