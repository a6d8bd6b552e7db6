//! Second looks. Messages that went on without an engine that was down are looked at again once it is back; where the plan
//! asks for it, delivered mail is when an engine's signatures were renewed.
//!
//! A setting `rescan/ID`, by the id of the delivery or of the message in the spool and in the same commit, names the engines
//! that owe a look. Beside it a row of its own kind keeps the body until they looked, wherever the message went meanwhile.
//!
//! INVARIANT (owed): the mark goes in the commit that ends what came of the look; whatever is done before that is done once
//! however often it is begun.

mod found;
mod pass;
mod renewed;
mod told;

use std::collections::BTreeMap;
use std::sync::Arc;

use decide::{ContentDirection, EngineResult};
use mail::{Address, ReversePath};
use serde::{Deserialize, Serialize};
use store::{BodyRef, Kept, NextHop, Op, Quarantined, QueueId, ReadError, Store};

use super::Look;
use super::engine::Engine;
use super::source::Source;
use crate::content::Content;
use crate::durable;
use crate::service::Service;

pub use pass::keep;

/// Where these settings begin.
pub const PREFIX: &str = "rescan/";
/// Octets of a body read at a time.
const PIECE_OCTETS: u64 = 64 * 1024;
/// Messages looked at again at a time, by all engines together.
const AT_ONCE: usize = 4;

/// Labels of the metric.
const WHY_OUTAGE: &str = "outage";
const WHY_SIGNATURES: &str = "signatures";

/// What is owed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// Names of engines, in the plan's order, never empty.
    pub engines: Vec<String>,
    /// When the message went on, Unix seconds.
    pub at_s: i64,
}

/// What the row beside the mark knows of the message, as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Facts {
    way: Way,
    /// Whose mailboxes it was put into.
    logins: Vec<String>,
    /// It was looked at when it came: newer signatures are why it is again.
    renewed: bool,
}

/// [`ContentDirection`], as it is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Way {
    #[default]
    Inbound,
    FromPerson,
    FromMachine,
}

impl Way {
    fn of(direction: ContentDirection) -> Way {
        match direction {
            ContentDirection::Inbound => Way::Inbound,
            ContentDirection::FromPerson => Way::FromPerson,
            ContentDirection::FromMachine => Way::FromMachine,
        }
    }

    fn direction(self) -> ContentDirection {
        match self {
            Way::Inbound => ContentDirection::Inbound,
            Way::FromPerson => ContentDirection::FromPerson,
            Way::FromMachine => ContentDirection::FromMachine,
        }
    }
}

/// The engines that did not look.
pub fn owed(results: &[(String, EngineResult)]) -> Vec<String> {
    let down = results.iter().filter(|(_, result)| matches!(result, EngineResult::Down { .. }));
    down.map(|(engine, _)| engine.clone()).collect()
}

/// The marks of all deliveries and messages of the spool in `ops`, for their commit; none where nothing is owed.
pub fn marks(ops: &[Op], engines: &[String], direction: ContentDirection, from: &ReversePath, at_s: i64) -> Vec<Op> {
    if engines.is_empty() {
        return Vec::new();
    }
    marks_of(ops, &Owed { engines: engines.to_vec(), at_s }, Way::of(direction), from)
}

/// The marks of what a message of the spool becomes, when it has one itself.
pub fn passed_on(store: &Store, queue_id: QueueId, ops: &[Op]) -> Result<Vec<Op>, ReadError> {
    let Some(owed) = store.setting(&key(queue_id))?.and_then(|octets| read(&octets)) else { return Ok(Vec::new()) };
    let kept = store.kept_one(kept_under(queue_id))?;
    let (way, from) = match &kept {
        Some(kept) => (queue::facts::read::<Facts>(&kept.facts).way, kept.reverse_path.clone()),
        None => (Way::default(), ReversePath::Null),
    };
    Ok(marks_of(ops, &owed, way, &from))
}

/// What is to be known of one id.
struct Going {
    body: BodyRef,
    logins: Vec<String>,
    /// Who gets it from the spool, without those it is spread over here.
    away: Vec<Address>,
}

fn marks_of(ops: &[Op], owed: &Owed, way: Way, from: &ReversePath) -> Vec<Op> {
    let mut all: BTreeMap<QueueId, Going> = BTreeMap::new();
    for op in ops {
        let (id, body) = match op {
            Op::Deliver(delivery) => (QueueId(delivery.delivery_id), &delivery.body),
            Op::Enqueue(message) => (message.queue_id, &message.body),
            _ => continue,
        };
        let new = || Going { body: body.clone(), logins: Vec::new(), away: Vec::new() };
        let going = all.entry(id).or_insert_with(new);
        match op {
            Op::Deliver(delivery) => {
                going.logins.extend(delivery.recipients.iter().map(|(login, _)| login.to_string()))
            }
            Op::Enqueue(message) => {
                let away = message.recipients.iter().filter(|recipient| recipient.next_hop != NextHop::Local);
                going.away.extend(away.map(|recipient| recipient.forward_path.clone()));
            }
            _ => {}
        }
    }
    let rows_of =
        |(id, Going { body, logins, away })| rows(id, body, away, &Facts { way, logins, renewed: false }, owed, from);
    all.into_iter().flat_map(rows_of).collect()
}

/// The mark and the row beside it.
fn rows(id: QueueId, body: BodyRef, away: Vec<Address>, facts: &Facts, owed: &Owed, from: &ReversePath) -> Vec<Op> {
    let Ok(value) = serde_json::to_vec(owed) else { return Vec::new() };
    let row = Quarantined {
        id: kept_under(id),
        kind: Kept::Owed,
        body,
        why: String::new(),
        engine: String::new(),
        signature: String::new(),
        reverse_path: from.clone(),
        recipients: away,
        facts: queue::facts::written(facts),
        at_s: owed.at_s,
    };
    vec![Op::Setting { key: key(id), value: Some(value) }, Op::Quarantine(Box::new(row))]
}

fn key(id: QueueId) -> String {
    format!("{PREFIX}{id}")
}

fn read(octets: &[u8]) -> Option<Owed> {
    serde_json::from_slice(octets).ok()
}

/// What the body is kept under until the look: another id than the message's own, in the same time.
fn kept_under(id: QueueId) -> QueueId {
    let mut under = id.0;
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"owed a look").update(&id.0);
    under[6..].copy_from_slice(&hasher.finalize().as_bytes()[..10]);
    QueueId(under)
}

/// A body of the store as engines read contents: in memory, or in an unlinked file.
async fn content_of(service: &Arc<Service>, body: BodyRef) -> Result<Arc<Content>, String> {
    let worker = service.clone();
    let read = move || {
        let mut content = Content::new(worker.store.clone(), worker.held.clone());
        let mut at = 0;
        while at < body.len() {
            let octets = PIECE_OCTETS.min(body.len() - at);
            let piece = worker.store.read_body_range(&body, at, octets).map_err(|error| error.to_string())?;
            if piece.is_empty() {
                return Err("the body is shorter than it says".to_owned());
            }
            at += piece.len() as u64;
            content.append(&piece).map_err(|error| error.to_string())?;
        }
        Ok(Arc::new(content))
    };
    durable::blocking(read).await.unwrap_or_else(|| Err("it cannot be read".to_owned()))
}

/// What second looks at one message came to.
#[derive(Default)]
struct Looks {
    /// Of all engines of the plan, those that were not asked being clean.
    results: Vec<(String, EngineResult)>,
    /// Engines that still owe one.
    left: Vec<String>,
    /// Engines that are well and do not look at this message.
    unlooked: Vec<String>,
}

/// Asks these engines, one after the other. Those that are not of the plan any more owe nothing.
async fn look(service: &Arc<Service>, content: &Arc<Content>, engines: &[String]) -> Looks {
    let mut looks = Looks::default();
    let source = Source::Content(content.clone());
    for engine in &service.engines {
        let mut result = EngineResult::Clean;
        if engines.contains(&engine.name) {
            match looked(service, engine, &source).await {
                Look::Clean => {}
                Look::Infected(name) => result = EngineResult::Infected(name),
                Look::Suspect(name) => result = EngineResult::Suspect(name),
                Look::Refused(why) => {
                    tracing::warn!(engine = engine.name, "does not look at a message that it owes a look: {why}");
                    looks.unlooked.push(engine.name.clone());
                }
                Look::Failed(_) | Look::Busy => looks.left.push(engine.name.clone()),
            }
        }
        looks.results.push((engine.name.clone(), result));
    }
    looks
}

async fn looked(service: &Service, engine: &Engine, source: &Source) -> Look {
    if !engine.is_well() {
        return Look::Busy;
    }
    let look = engine.look_again(source).await;
    service.metrics.scans.with_label_values(&[engine.name.as_str(), look.word()]).inc();
    look
}

#[cfg(test)]
mod tests {
    use store::{Enqueue, Options, QueueRecipient};

    use super::*;

    #[test]
    fn those_that_were_down_owe_a_look_and_the_mark_says_so() {
        let results =
            [("clamav".to_owned(), EngineResult::Clean), ("mcafee".to_owned(), EngineResult::Down { for_s: 20_000 })];
        let owed = owed(&results);
        assert_eq!(owed, ["mcafee"]);
        let folder =
            std::env::temp_dir().join(format!("facteur-owed-{:016x}", u64::from_le_bytes(crate::random::octets())));
        let store = Store::open(&folder, Options::default()).unwrap();
        let to = |address: &str, next_hop| QueueRecipient {
            forward_path: address.parse().unwrap(),
            next_hop,
            due_at_s: 1,
            facts: Vec::new(),
        };
        let ops = vec![Op::Enqueue(Box::new(Enqueue {
            queue_id: QueueId([7; 16]),
            body: store.put_body(&[b"Subject: x\r\n\r\n"]).unwrap(),
            reverse_path: ReversePath::Null,
            recipients: vec![to("a@elsewhere.example", NextHop::Mx), to("all@example.org", NextHop::Local)],
            plan: String::new(),
            accepted_at_s: 1,
            facts: Vec::new(),
        }))];
        let marks = marks(&ops, &owed, ContentDirection::FromPerson, &ReversePath::Null, 12);
        let [Op::Setting { key, value: Some(value) }, Op::Quarantine(kept)] = marks.as_slice() else {
            panic!("a setting and a row")
        };
        assert_eq!(*key, format!("rescan/{}", QueueId([7; 16])));
        assert_eq!(read(value), Some(Owed { engines: owed.clone(), at_s: 12 }));
        assert_eq!((kept.kind, kept.id), (Kept::Owed, kept_under(QueueId([7; 16]))));
        let away: Vec<String> = kept.recipients.iter().map(ToString::to_string).collect();
        assert_eq!(away, ["a@elsewhere.example"], "the others are spread here");
        store.commit_wait(ops.iter().cloned().chain(marks.iter().cloned()).collect()).unwrap();
        // What the message becomes is owed the same.
        let passed = passed_on(&store, QueueId([7; 16]), &ops).unwrap();
        let [_, Op::Quarantine(kept)] = passed.as_slice() else { panic!("a setting and a row") };
        assert_eq!(queue::facts::read::<Facts>(&kept.facts).way, Way::FromPerson);
        assert!(passed_on(&store, QueueId([8; 16]), &ops).unwrap().is_empty());
        assert!(super::marks(&ops, &[], ContentDirection::Inbound, &ReversePath::Null, 12).is_empty());
        drop(store);
        let _ = std::fs::remove_dir_all(&folder);
    }
}
