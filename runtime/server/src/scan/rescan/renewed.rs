//! Mail that was delivered before its signature existed: where the plan has `antivirus.rescan`, an engine whose signatures were
//! renewed looks again at what was delivered within that time, the newest first, by the delivery index.
//!
//! A setting `renewed/ENGINE` says for which signatures it did and how far it came. It moves on with each page. A message the
//! engine found something in, or gave no verdict on, is marked as owed a look in the same commit: what follows from that is the
//! business of those looks.

use std::collections::BTreeMap;
use std::sync::Arc;

use decide::AntivirusVerdict;
use mail::Login;
use serde::{Deserialize, Serialize};
use store::{BodyRef, Delivery, DeliveryId, Op, QueueId, ReadError, Store};
use tokio::task::JoinSet;

use super::{AT_ONCE, Facts, Owed, WHY_SIGNATURES, Way, content_of, key as mark_key, look, read, rows};
use crate::scan::engine::Engine;
use crate::service::Service;
use crate::{clock, durable, taken};

/// Deliveries of one page.
const PAGE: usize = 50;
/// Pages of one engine in a round.
const PAGES_AT_ONCE: usize = 20;
/// One engine begins anew at most once in so long.
const BEGINS_EVERY_S: i64 = 3_600;

/// How far an engine came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sweep {
    /// The signatures.
    identity: String,
    /// Unix seconds; 0 when none was made yet.
    began_s: i64,
    /// The next deliveries are those before this id and not before that one, as 32 hexadecimal digits; `None` at the end.
    between: Option<(String, String)>,
}

/// What is to be done now.
#[derive(Debug, PartialEq, Eq)]
enum Due {
    Nothing,
    /// The first signatures that were ever seen: mail before them was looked at with them or without us.
    Note(Sweep),
    Page(Sweep),
}

impl Sweep {
    fn due(kept: Option<Sweep>, identity: &str, within_s: u64, now_s: i64) -> Due {
        let Some(kept) = kept else {
            return Due::Note(Sweep { identity: identity.to_owned(), ..Sweep::default() });
        };
        if kept.between.is_some() {
            return Due::Page(kept);
        }
        if kept.identity == identity || now_s.saturating_sub(kept.began_s) < BEGINS_EVERY_S {
            return Due::Nothing;
        }
        let since_s = now_s.saturating_sub(i64::try_from(within_s).unwrap_or(i64::MAX));
        let since = first_of(since_s);
        let between = Some((QueueId([0xff; 16]).to_string(), QueueId(since).to_string()));
        Due::Page(Sweep { identity: identity.to_owned(), began_s: now_s, between })
    }

    /// Before which id, and not before which.
    fn between(&self) -> Option<(DeliveryId, DeliveryId)> {
        let (before, since) = self.between.as_ref()?;
        Some((crate::operate::parse_id(before)?.0, crate::operate::parse_id(since)?.0))
    }

    fn op(&self, engine: &str) -> Option<Op> {
        Some(Op::Setting { key: key(engine), value: Some(serde_json::to_vec(self).ok()?) })
    }
}

fn key(engine: &str) -> String {
    format!("renewed/{engine}")
}

/// The first id of a second.
fn first_of(seconds: i64) -> DeliveryId {
    let ms = u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000);
    let mut id = [0; 16];
    id[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
    id
}

/// One page of each engine that has something to look at.
pub async fn round(service: &Arc<Service>) {
    let within_s = service.tables.plan().antivirus.as_ref().and_then(|antivirus| antivirus.rescan_within_s);
    let Some(within_s) = within_s else { return };
    for engine in &service.engines {
        // As long as there is something to do; what is owed comes first again after so many pages.
        for _ in 0..PAGES_AT_ONCE {
            let identity = engine.state().signatures.identity.clone();
            if identity.is_empty() || !engine.is_well() {
                break;
            }
            let kept = match service.store.setting(&key(&engine.name)) {
                Ok(kept) => kept.and_then(|octets| serde_json::from_slice(&octets).ok()),
                Err(error) => return tracing::error!("how far an engine came cannot be read: {error}"),
            };
            let done = match Sweep::due(kept, &identity, within_s, clock::unix_s()) {
                Due::Nothing => break,
                Due::Note(sweep) => note(service, engine, &sweep, Vec::new()).await,
                Due::Page(sweep) => page(service, engine, sweep).await,
            };
            if let Err(why) = done {
                tracing::error!(engine = engine.name, "looking again with new signatures waits: {why}");
                break;
            }
        }
    }
}

async fn note(service: &Arc<Service>, engine: &Engine, sweep: &Sweep, mut ops: Vec<Op>) -> Result<(), String> {
    ops.extend(sweep.op(&engine.name));
    durable::commit(&service.store, ops).await.map(drop).map_err(|error| error.to_string())
}

/// A delivery that still has copies.
struct Found {
    id: DeliveryId,
    logins: Vec<String>,
    body: BodyRef,
}

async fn page(service: &Arc<Service>, engine: &Engine, sweep: Sweep) -> Result<(), String> {
    let Some((before, since)) = sweep.between() else { return Err("its bounds cannot be read".to_owned()) };
    let worker = service.clone();
    let found = durable::blocking(move || copies(&worker.store, before, since)).await;
    let (found, next) = found.ok_or("it cannot be read")?.map_err(|error| error.to_string())?;
    let (mut looks, mut waiting, mut ops) = (JoinSet::new(), found.into_iter(), Vec::new());
    loop {
        while looks.len() < AT_ONCE
            && let Some(found) = waiting.next()
        {
            let (worker, name) = (service.clone(), engine.name.clone());
            looks.spawn(async move { again(&worker, &name, found).await });
        }
        match looks.join_next().await {
            None => break,
            Some(Ok(Ok(owed))) => ops.extend(owed),
            Some(Ok(Err(why))) => tracing::error!(engine = engine.name, "a message is not looked at again: {why}"),
            // It panicked, which was counted; the others go on.
            Some(Err(_)) => {}
        }
    }
    if !engine.is_well() {
        // It went down meanwhile: the page comes again.
        return Ok(());
    }
    let between = next.map(|next| (QueueId(next).to_string(), QueueId(since).to_string()));
    let sweep = Sweep { between, ..sweep };
    if sweep.between.is_none() {
        tracing::info!(engine = engine.name, identity = sweep.identity, "looked again with new signatures");
    }
    note(service, engine, &sweep, ops).await
}

/// The newest deliveries in these bounds that still have copies, and before which id to go on.
fn copies(store: &Store, before: DeliveryId, since: DeliveryId) -> Result<(Vec<Found>, Option<DeliveryId>), ReadError> {
    let mut rows: BTreeMap<DeliveryId, Vec<Delivery>> = BTreeMap::new();
    for shard in store.shard_numbers() {
        for row in store.deliveries_before(shard, before, since, PAGE)? {
            rows.entry(row.id).or_default().push(row);
        }
    }
    let newest: Vec<(DeliveryId, Vec<Delivery>)> = rows.into_iter().rev().take(PAGE).collect();
    let next = newest.last().map(|(id, _)| *id).filter(|_| newest.len() == PAGE);
    let ids: Vec<DeliveryId> = newest.iter().map(|(id, _)| *id).collect();
    let copies = store.copies_of(&ids)?;
    let mut found = Vec::new();
    for (id, rows) in newest {
        let Some(copy) = copies.iter().find(|copy| copy.delivery == id) else { continue };
        let uids = [copy.uid].into_iter().collect();
        // Moved this very moment: it is a new delivery's business, or that of the next signatures.
        let Some((_, body)) = store.bodies_of(copy.mailbox, &uids)?.pop() else { continue };
        let mut logins: Vec<String> = Vec::new();
        for (mailbox, _) in rows.iter().flat_map(|row| &row.placed) {
            logins.extend(store.account_of(*mailbox)?.as_ref().map(Login::to_string));
        }
        logins.sort();
        logins.dedup();
        found.push(Found { id, logins, body });
    }
    Ok((found, next))
}

/// What is to be owed of one message: nothing where the engine finds nothing.
async fn again(service: &Arc<Service>, engine: &str, found: Found) -> Result<Vec<Op>, String> {
    let content = content_of(service, found.body.clone()).await?;
    let looks = look(service, &content, &[engine.to_owned()]).await;
    let direction = Way::Inbound.direction();
    let is_found = matches!(decide::antivirus(&service.tables, direction, &looks.results), AntivirusVerdict::Stop(_));
    if !is_found && looks.left.is_empty() {
        let word = if looks.unlooked.is_empty() { "clean" } else { "refused" };
        service.metrics.rescans.with_label_values(&[WHY_SIGNATURES, word]).inc();
        return Ok(Vec::new());
    }
    let (worker, engine) = (service.clone(), engine.to_owned());
    let owed = durable::blocking(move || owes(&worker, engine, found)).await;
    owed.ok_or("it cannot be marked")?.map_err(|error| error.to_string())
}

/// The mark that this engine owes it a look.
fn owes(service: &Service, engine: String, found: Found) -> Result<Vec<Op>, ReadError> {
    let id = QueueId(found.id);
    let before = service.store.setting(&mark_key(id))?.and_then(|octets| read(&octets));
    if let Some(mut owed) = before {
        if !owed.engines.contains(&engine) {
            owed.engines.push(engine);
        }
        let value = serde_json::to_vec(&owed).ok();
        return Ok(value.map(|value| Op::Setting { key: mark_key(id), value: Some(value) }).into_iter().collect());
    }
    let from = taken::reverse_path(service, &found.body)?;
    let facts = Facts { way: Way::Inbound, logins: found.logins, renewed: true };
    let owed = Owed { engines: vec![engine], at_s: clock::unix_s() };
    Ok(rows(id, found.body, Vec::new(), &facts, &owed, &from))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_S: u64 = 86_400;
    const NOW_S: i64 = 1_800_000_000;

    #[test]
    fn new_signatures_begin_at_the_newest_mail_at_most_once_an_hour_and_each_once() {
        let Due::Note(first) = Sweep::due(None, "1", DAY_S, NOW_S) else { panic!("the first are noted") };
        assert_eq!(Sweep::due(Some(first.clone()), "1", DAY_S, NOW_S), Due::Nothing);
        let Due::Page(begun) = Sweep::due(Some(first), "2", DAY_S, NOW_S) else { panic!("the second begin") };
        let (before, since) = begun.between().unwrap();
        assert_eq!((before, since), ([0xff; 16], first_of(NOW_S - DAY_S as i64)));
        // Where it was cut short it goes on, whatever came meanwhile.
        assert_eq!(Sweep::due(Some(begun.clone()), "3", DAY_S, NOW_S + 5), Due::Page(begun.clone()));
        let ended = Sweep { between: None, ..begun };
        assert_eq!(Sweep::due(Some(ended.clone()), "2", DAY_S, NOW_S + 9_000), Due::Nothing);
        assert_eq!(Sweep::due(Some(ended.clone()), "3", DAY_S, NOW_S + 3_599), Due::Nothing);
        assert!(matches!(Sweep::due(Some(ended), "3", DAY_S, NOW_S + 3_600), Due::Page(_)));
    }

    #[test]
    fn ids_of_a_time_lie_behind_its_first() {
        let id = crate::random::timed_id(1_800_000_000_123);
        assert!(id > first_of(1_800_000_000) && id < first_of(1_800_000_001));
        assert_eq!(first_of(-5), [0; 16]);
    }
}
