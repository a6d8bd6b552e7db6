//! Drives the schedule: reads the spool once, hears of what comes, starts what is due, and tells what came of it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use queue::schedule::{Down, Go, Said, Taken, Toward, Trouble as DownBy};
use queue::{Came, Tried};
use store::{QueueId, QueueItem, WaitingRecipient};
use tokio::task::JoinSet;

use super::attempt::{self, Next};
use super::blocks;
use super::hold::is_held;
use super::settle::{Trouble, settle};
use super::spool::toward;
use crate::service::{Service, stopped};
use crate::{clock, durable};

/// The clock of the machine may be set meanwhile: it is read again at least so often.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// After trouble with the store.
const TROUBLE_WAIT: Duration = Duration::from_secs(1);
/// The same, for one message, in seconds.
const TROUBLE_S: i64 = 30;
/// While there is traffic the spool is counted so often.
const COUNT_EVERY: Duration = Duration::from_secs(2);
/// Rows of the spool read at a time.
const PAGE: usize = 2_000;
/// Recipients of one handover: every server takes so many (RFC 5321 4.5.3.1.8).
const RECIPIENTS_AT_ONCE: usize = 100;

/// How a piece of work ended.
struct Ended {
    taken: Taken,
    next_s: Option<i64>,
    said: Said,
}

/// Works until the server stops, and lets handovers under way end.
pub async fn run(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    let mut working: JoinSet<()> = JoinSet::new();
    blocks::load(&service);
    let (mut all, mut counted) = (true, Counted { is_right: false, at: Instant::now() });
    while !service.stopping() {
        let service = service.current();
        let mut sound = Ok(());
        let news = service.spool.news();
        if all || news.all {
            sound = load(&service).await;
            all = sound.is_err();
        } else if !news.arrived.is_empty() || !news.changed.is_empty() {
            sound = hear(&service, news.arrived, news.changed).await;
            all = sound.is_err();
        }
        start(&service, &mut working);
        counted.look(&service);
        let wait = if sound.is_err() { TROUBLE_WAIT } else { until_next(&service) };
        tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            Some(_) = working.join_next(), if !working.is_empty() => while working.try_join_next().is_some() {},
            () = service.spool.wake.notified() => {}
            () = tokio::time::sleep(counted.wait(wait)) => continue,
        }
        counted.is_right = false;
        blocks::keep(&service).await;
    }
    while working.join_next().await.is_some() {}
}

fn until_next(service: &Service) -> Duration {
    let next_s = service.spool.schedule().next_s();
    let left = next_s.map(|next_s| u64::try_from(next_s - clock::unix_s()).unwrap_or(0).max(1));
    left.map_or(LOOK_EVERY, Duration::from_secs).min(LOOK_EVERY)
}

/// Starts what is due and has a place.
fn start(service: &Arc<Service>, working: &mut JoinSet<()>) {
    let now_s = clock::unix_s();
    loop {
        let Some(taken) = service.spool.schedule().take(now_s) else { break };
        let service = service.clone();
        // It gives its places back by itself: the loop may be another by then.
        let whole = tokio::spawn(async move {
            // A panic was counted; the message is tried again, and not forgotten.
            let lost = Ended { taken: taken.clone(), next_s: Some(now_s + TROUBLE_S), said: Said::Nothing };
            let worker = service.clone();
            let ended = tokio::spawn(async move { work(&worker, taken).await }).await.unwrap_or(lost);
            finished(&service, ended);
            service.spool.wake.notify_one();
        });
        // Only a runtime that ends cuts this task.
        working.spawn(async move { drop(whole.await) });
    }
}

/// The count of the spool: is it right, and when was it taken?
struct Counted {
    is_right: bool,
    at: Instant,
}

impl Counted {
    /// Counting takes a look at every message: not more often than so, and at once when nothing is under way.
    fn look(&mut self, service: &Service) {
        let is_idle = service.spool.schedule().in_flight() == 0;
        if !self.is_right && (is_idle || self.at.elapsed() >= COUNT_EVERY) {
            let waiting = service.store.queue_count().unwrap_or(0);
            service.metrics.queue_messages.set(i64::try_from(waiting).unwrap_or(i64::MAX));
            *self = Counted { is_right: true, at: Instant::now() };
        }
    }

    fn wait(&self, wait: Duration) -> Duration {
        if self.is_right { wait } else { wait.min(COUNT_EVERY) }
    }
}

fn finished(service: &Arc<Service>, Ended { taken, next_s, said }: Ended) {
    if let Said::Blocked { why } = &said {
        tracing::error!(destination = %taken.toward, "blocks this server: {why}");
    }
    let changed = service.spool.schedule().finish(&taken, next_s, said, clock::unix_s());
    if changed {
        service.spool.changed([taken.queue_id]);
    }
}

/// One message at one destination.
async fn work(service: &Arc<Service>, taken: Taken) -> Ended {
    let (next_s, said) = match tried(service, &taken).await {
        Ok(ended) => ended,
        Err(Trouble) => (Some(clock::unix_s() + TROUBLE_S), Said::Nothing),
    };
    Ended { taken, next_s, said }
}

/// Tries what is due of it; when more of it is due there, and what was learned of the destination.
async fn tried(service: &Arc<Service>, taken: &Taken) -> Result<(Option<i64>, Said), Trouble> {
    let now_s = clock::unix_s();
    let Some(item) = service.store.queue_item(taken.queue_id)? else { return Ok((None, Said::Nothing)) };
    if is_held(service, &queue::facts::read(&item.facts)) {
        return Ok((None, Said::Nothing));
    }
    let plan = service.tables.plan();
    let here = |it: &&WaitingRecipient| toward(plan, &it.next_hop, it.forward_path.domain()) == taken.toward;
    let due: Vec<&WaitingRecipient> = item.recipients.iter().filter(here).filter(|it| it.due_at_s <= now_s).collect();
    // Addresses that need SMTPUTF8 go by themselves: the others shall not fail at a next hop without it.
    let (plain, wide): (Vec<_>, Vec<_>) = due.into_iter().partition(|it| !it.forward_path.needs_utf8());
    let mut said = Said::Nothing;
    for recipients in plain.chunks(RECIPIENTS_AT_ONCE).chain(wide.chunks(RECIPIENTS_AT_ONCE)) {
        if service.stopping() {
            break;
        }
        let nexts = match &taken.go {
            Go::Share(down) => recipients.iter().map(|recipient| shared(recipient, down)).collect(),
            Go::Try => attempt::attempt(service, &item, &taken.toward.destination, recipients).await,
        };
        settle(service, item.queue_id, &nexts).await?;
        if taken.go == Go::Try {
            said = learned(&nexts);
        }
    }
    Ok((next_s(service, taken)?, said))
}

/// When it is due again at this destination; `None` when nothing of it waits there.
fn next_s(service: &Service, taken: &Taken) -> Result<Option<i64>, Trouble> {
    let Some(item) = service.store.queue_item(taken.queue_id)? else { return Ok(None) };
    Ok(waits(service, &item).remove(&taken.toward))
}

/// The destination is down: what it said, or did not say, to another message holds for this one.
fn shared(recipient: &WaitingRecipient, down: &Down) -> Next {
    let (came, status) = match down.trouble {
        DownBy::Unreachable => (Came::Unreachable, mail::EnhancedCode(4, 4, 1)),
        DownBy::Blocked => (Came::Blocked, mail::EnhancedCode(5, 7, 1)),
    };
    attempt::next(recipient, Tried { came, said: down.why.clone(), status, remote: None })
}

/// What the outcomes say of the destination.
fn learned(nexts: &[Next]) -> Said {
    let why = |came: Came| nexts.iter().find(|next| next.tried.came == came).map(|next| next.tried.said.clone());
    if let Some(why) = why(Came::Blocked) {
        return Said::Blocked { why };
    }
    let spoke = |next: &&Next| {
        matches!(next.tried.came, Came::Taken { .. } | Came::Placed | Came::Sunk)
            || (next.tried.remote.is_some() && next.tried.came != Came::Unreachable)
    };
    match (nexts.iter().find(spoke), why(Came::Unreachable)) {
        (Some(next), _) => Said::Alive { host: next.tried.remote.clone() },
        (None, Some(why)) => Said::Unreachable { why },
        (None, None) => Said::Nothing,
    }
}

/// Where a message waits, and from when on. Nowhere while it is held.
fn waits(service: &Service, item: &QueueItem) -> HashMap<Toward, i64> {
    let mut waits = HashMap::new();
    if is_held(service, &queue::facts::read(&item.facts)) {
        return waits;
    }
    for recipient in &item.recipients {
        let toward = toward(service.tables.plan(), &recipient.next_hop, recipient.forward_path.domain());
        let due_at_s: &mut i64 = waits.entry(toward).or_insert(i64::MAX);
        *due_at_s = recipient.due_at_s.min(*due_at_s);
    }
    waits
}

/// Puts what came, and what changed, where it waits now.
async fn hear(service: &Arc<Service>, arrived: Vec<QueueId>, changed: HashSet<QueueId>) -> Result<(), Trouble> {
    let reading = service.clone();
    let read = move || -> Result<(), Trouble> {
        let now_s = clock::unix_s();
        if !changed.is_empty() {
            reading.spool.schedule().forget(&changed, now_s);
        }
        for queue_id in arrived.into_iter().chain(changed) {
            let Some(item) = reading.store.queue_item(queue_id)? else { continue };
            for (toward, due_at_s) in waits(&reading, &item) {
                reading.spool.schedule().put(&toward, queue_id, due_at_s, now_s);
            }
        }
        Ok(())
    };
    durable::blocking(read).await.unwrap_or(Err(Trouble))
}

/// Puts the whole spool into the schedule, a page at a time. What waits there already stays as it is.
async fn load(service: &Arc<Service>) -> Result<(), Trouble> {
    let reading = service.clone();
    durable::blocking(move || load_pages(&reading)).await.unwrap_or(Err(Trouble))
}

fn load_pages(service: &Service) -> Result<(), Trouble> {
    let (plan, now_s) = (service.tables.plan(), clock::unix_s());
    let mut after = None;
    // A message may go over from one page to the next.
    let mut message: Option<(QueueId, HashMap<Toward, i64>)> = None;
    let put = |message: Option<(QueueId, HashMap<Toward, i64>)>| {
        let Some((queue_id, waits)) = message else { return };
        let mut schedule = service.spool.schedule();
        for (toward, due_at_s) in waits {
            schedule.put(&toward, queue_id, due_at_s, now_s);
        }
    };
    loop {
        let page = service.store.queue_waits(after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some((last.queue_id, last.number));
        for row in page {
            if message.as_ref().is_none_or(|(queue_id, _)| *queue_id != row.queue_id) {
                put(message.take());
            }
            let (_, waits) = message.get_or_insert_with(|| (row.queue_id, HashMap::new()));
            let due_at_s = waits.entry(toward(plan, &row.next_hop, row.forward_path.domain())).or_insert(i64::MAX);
            *due_at_s = row.due_at_s.min(*due_at_s);
        }
    }
    put(message);
    Ok(())
}
