//! The looks that are owed, round by round, until the server stops.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use decide::AntivirusVerdict;
use store::{Op, Quarantined, QueueId};
use tokio::task::JoinSet;

use super::found::{self, Case, ShutAway};
use super::{
    AT_ONCE, Facts, Owed, PREFIX, WHY_OUTAGE, WHY_SIGNATURES, content_of, kept_under, key, look, read, renewed, told,
};
use crate::service::{Service, stopped};
use crate::{clock, durable};

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(5);
/// Marks read at a time.
const PAGE: usize = 100;
/// A message an engine gave no verdict on is not shown to it again for so long, each time for twice as long.
const AGAIN_FIRST: Duration = Duration::from_secs(30);
const AGAIN_LAST: Duration = Duration::from_secs(3_600);
/// What is owed for longer is told, once in as long.
const LATE_S: i64 = 86_400;
/// When that was told, Unix seconds as eight octets.
const LATE_TOLD: &str = "rescans.late_told";

/// Why, for people.
const OUTAGE_WORDS: &str = "second look after an outage of an engine";
const RENEWED_WORDS: &str = "second look with new signatures";

/// Looks again until the server stops.
pub async fn keep(service: Arc<Service>) {
    if service.engines.is_empty() {
        return;
    }
    let mut stop = service.stop.clone();
    let mut failed = Failed::default();
    loop {
        let turn = async {
            round(&service, &mut failed).await;
            renewed::round(&service).await;
            tokio::time::sleep(EVERY).await;
        };
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = turn => {}
        }
    }
}

/// Messages engines gave no verdict on: a bad one must not be what brings an engine down again and again.
#[derive(Default)]
struct Failed(BTreeMap<QueueId, (Instant, Duration)>);

impl Failed {
    fn is_early(&self, id: QueueId, now: Instant) -> bool {
        self.0.get(&id).is_some_and(|(at, _)| now < *at)
    }

    fn again(&mut self, id: QueueId, now: Instant) {
        let wait = self.0.get(&id).map_or(AGAIN_FIRST, |(_, wait)| (*wait * 2).min(AGAIN_LAST));
        self.0.insert(id, (now + wait, wait));
    }
}

/// What a round saw.
#[derive(Default)]
struct Seen {
    owed: u64,
    late: u64,
    late_engines: BTreeSet<String>,
    /// Those of them that wait because an engine failed on them.
    failed: BTreeSet<QueueId>,
}

async fn round(service: &Arc<Service>, failed: &mut Failed) {
    let (mut after, mut seen) = (String::new(), Seen::default());
    let now_s = clock::unix_s();
    loop {
        let (worker, from) = (service.clone(), after.clone());
        let page = durable::blocking(move || worker.store.settings(PREFIX, &from, PAGE)).await;
        let page = match page {
            Some(Ok(page)) => page,
            Some(Err(error)) => return tracing::error!("what is owed a second look cannot be read: {error}"),
            None => return,
        };
        let Some((last, _)) = page.last() else { break };
        after.clone_from(last);
        let marks: Vec<(QueueId, Owed)> = page.iter().filter_map(|(key, value)| mark(key, value)).collect();
        seen.owed += marks.len() as u64;
        for (_, owed) in marks.iter().filter(|(_, owed)| now_s.saturating_sub(owed.at_s) > LATE_S) {
            seen.late += 1;
            seen.late_engines.extend(owed.engines.iter().cloned());
        }
        let ids: Vec<QueueId> = marks.iter().map(|(id, _)| *id).collect();
        seen.owed -= some(service, marks, failed).await.min(seen.owed);
        seen.failed.extend(ids.into_iter().filter(|id| failed.0.contains_key(id)));
    }
    service.metrics.rescans_owed.set(i64::try_from(seen.owed).unwrap_or(i64::MAX));
    failed.0.retain(|id, _| seen.failed.contains(id));
    if seen.late > 0 {
        late(service, &seen, now_s).await;
    }
}

fn mark(key: &str, value: &[u8]) -> Option<(QueueId, Owed)> {
    let id = key.strip_prefix(PREFIX).and_then(crate::operate::parse_id);
    let found = id.zip(read(value));
    if found.is_none() {
        tracing::error!(key, "a mark of a second look cannot be read");
    }
    found
}

/// Told once a day while it lasts.
async fn late(service: &Arc<Service>, seen: &Seen, now_s: i64) {
    let last = service.store.setting(LATE_TOLD).ok().flatten().and_then(|octets| <[u8; 8]>::try_from(octets).ok());
    if last.is_some_and(|last| now_s.saturating_sub(i64::from_le_bytes(last)) < LATE_S) {
        return;
    }
    let engines: Vec<&str> = seen.late_engines.iter().map(String::as_str).collect();
    let note = Op::Setting { key: LATE_TOLD.to_owned(), value: Some(now_s.to_le_bytes().to_vec()) };
    told::alarm(service, told::waiting(seen.late, &engines.join(", ")), vec![note]).await;
}

/// What one look came to.
enum End {
    /// Nothing is owed any more, and nobody has to hear of it.
    Clean,
    /// Some engines still owe it, less than before or not.
    Later {
        tried: bool,
    },
    Stopped(Box<ShutAway>),
    /// It cannot be looked at, for the reason given.
    Unlooked(String),
}

/// Looks at these, a few at a time; how many are owed nothing any more.
async fn some(service: &Arc<Service>, marks: Vec<(QueueId, Owed)>, failed: &mut Failed) -> u64 {
    let is_well = |name: &String| service.engines.iter().all(|engine| engine.name != *name || engine.is_well());
    let now = Instant::now();
    let due = marks.into_iter().filter(|(id, owed)| owed.engines.iter().any(is_well) && !failed.is_early(*id, now));
    let (mut looks, mut ends, mut waiting) = (JoinSet::new(), Vec::new(), due.collect::<Vec<_>>().into_iter());
    loop {
        while looks.len() < AT_ONCE
            && let Some((id, owed)) = waiting.next()
        {
            let worker = service.clone();
            looks.spawn(async move { again(&worker, id, owed).await });
        }
        match looks.join_next().await {
            None => break,
            Some(Ok(end)) => ends.push(end),
            // It panicked, which was counted; the mark is still there.
            Some(Err(_)) => {}
        }
    }
    settle(service, ends, failed).await
}

async fn settle(
    service: &Arc<Service>,
    ends: Vec<(QueueId, &'static str, Result<End, String>)>,
    failed: &mut Failed,
) -> u64 {
    let (mut gone, mut unlooked, mut ended) = (News::default(), News::default(), 0);
    for (id, why, end) in ends {
        let word = match end {
            Ok(End::Clean) => "clean",
            Ok(End::Later { tried }) => {
                if tried {
                    failed.again(id, Instant::now());
                }
                "later"
            }
            Ok(End::Stopped(shut)) => {
                let line = format!("{id}: {}", shut.out_of_reach.join(", "));
                if shut.out_of_reach.is_empty() {
                    commit(service, shut.ops).await;
                } else {
                    gone.add(line, shut.ops);
                }
                "infected"
            }
            Ok(End::Unlooked(because)) => {
                match found::ended(service, id) {
                    Ok(ops) => unlooked.add(format!("{id}: {because}"), ops),
                    Err(error) => tracing::error!(queue_id = %id, "a second look cannot end: {error}"),
                }
                "refused"
            }
            Err(because) => {
                tracing::error!(queue_id = %id, "a second look waits: {because}");
                failed.again(id, Instant::now());
                "later"
            }
        };
        ended += u64::from(word != "later");
        service.metrics.rescans.with_label_values(&[why, word]).inc();
    }
    if !gone.lines.is_empty() {
        told::alarm(service, told::out_of_reach(&gone.lines), gone.ops).await;
    }
    if !unlooked.lines.is_empty() {
        told::alarm(service, told::unlooked(&unlooked.lines), unlooked.ops).await;
    }
    ended
}

/// What one notice tells of many messages, and the ops that go with it.
#[derive(Default)]
struct News {
    lines: Vec<String>,
    ops: Vec<Op>,
}

impl News {
    fn add(&mut self, line: String, ops: Vec<Op>) {
        self.lines.push(line);
        self.ops.extend(ops);
    }
}

async fn commit(service: &Arc<Service>, ops: Vec<Op>) {
    if let Err(error) = durable::commit(&service.store, ops).await {
        tracing::error!("a second look cannot end: {error}");
    }
}

/// With why it was looked at.
async fn again(service: &Arc<Service>, id: QueueId, owed: Owed) -> (QueueId, &'static str, Result<End, String>) {
    let kept = match service.store.kept_one(kept_under(id)) {
        Ok(Some(kept)) => kept,
        Ok(None) => return (id, WHY_OUTAGE, Ok(End::Unlooked("the message is gone".to_owned()))),
        Err(error) => return (id, WHY_OUTAGE, Err(error.to_string())),
    };
    let renewed = queue::facts::read::<Facts>(&kept.facts).renewed;
    let why = if renewed { WHY_SIGNATURES } else { WHY_OUTAGE };
    (id, why, at(service, id, owed, kept).await)
}

async fn at(service: &Arc<Service>, id: QueueId, owed: Owed, kept: Quarantined) -> Result<End, String> {
    let content = content_of(service, kept.body.clone()).await?;
    let looks = look(service, &content, &owed.engines).await;
    let facts: Facts = queue::facts::read(&kept.facts);
    if let AntivirusVerdict::Stop(fate) = decide::antivirus(&service.tables, facts.way.direction(), &looks.results) {
        let case = Case {
            id,
            way: facts.way,
            reverse_path: kept.reverse_path,
            logins: facts.logins,
            away: kept.recipients,
            fate,
            why: if facts.renewed { RENEWED_WORDS } else { OUTAGE_WORDS },
        };
        let worker = service.clone();
        let shut = durable::blocking(move || {
            let mut shut = found::shut_away(&worker, &case).map_err(|error| error.to_string())?;
            shut.ops.extend(found::ended(&worker, id).map_err(|error| error.to_string())?);
            Ok::<_, String>(shut)
        });
        return Ok(End::Stopped(Box::new(shut.await.ok_or("it cannot be taken away")??)));
    }
    if !looks.unlooked.is_empty() && looks.left.is_empty() {
        return Ok(End::Unlooked(format!("{} does not take it", looks.unlooked.join(", "))));
    }
    let left: Vec<String> = looks.left.into_iter().chain(looks.unlooked).collect();
    if left.is_empty() {
        let worker = service.clone();
        let end = durable::blocking(move || found::end(&worker, id)).await;
        end.ok_or("it cannot end")?.map_err(|error| error.to_string())?;
        return Ok(End::Clean);
    }
    if left.len() < owed.engines.len() {
        let less = Owed { engines: left, at_s: owed.at_s };
        let value = serde_json::to_vec(&less).map_err(|error| error.to_string())?;
        commit(service, vec![Op::Setting { key: key(id), value: Some(value) }]).await;
        return Ok(End::Later { tried: false });
    }
    Ok(End::Later { tried: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_an_engine_fails_on_waits_longer_each_time() {
        let (mut failed, start) = (Failed::default(), Instant::now());
        let (id, mut now, mut waits) = (QueueId([7; 16]), start, Vec::new());
        assert!(!failed.is_early(id, now));
        for _ in 0..9 {
            failed.again(id, now);
            let wait = failed.0[&id].1;
            assert!(failed.is_early(id, now + wait - Duration::from_secs(1)) && !failed.is_early(id, now + wait));
            waits.push(wait.as_secs());
            now += wait;
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
    }

    #[test]
    fn a_mark_is_read_or_left_alone() {
        let value = br#"{"engines":["mcafee"],"at_s":12}"#;
        let (id, owed) = mark(&key(QueueId([7; 16])), value).unwrap();
        assert_eq!((id, owed), (QueueId([7; 16]), Owed { engines: vec!["mcafee".to_owned()], at_s: 12 }));
        assert!(mark("rescan/x", value).is_none() && mark(&key(QueueId([7; 16])), b"{").is_none());
    }
}
