//! The whole store is verified by night, a share of it each night and slowly: all of it in a week. What is found is told; nothing
//! is mended or taken away.
//!
//! Where it is stands in the store, so that a restart goes on from there.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{Timestamp, ToSpan, Zoned};
use mail::Address;
use serde::{Deserialize, Serialize};
use store::{Finding, Interrupt, Op, ReadError, Report, Store, VerifyPart, VerifyPlace};
use tokio::sync::watch;

use crate::notices::Words;
use crate::operate::verify;
use crate::service::{Service, stopped};
use crate::{clock, durable, notices};

/// The setting that says where it is.
const PASS: &str = "store/verifying";
/// Nights of one pass at most, which leaves one of a week.
const NIGHTS: u64 = 6;
/// What a night reads at least: most stores are read whole.
const SHARE_MIN: u64 = 1 << 30;
/// Octets of one step, and of a second.
const STEP: u64 = 4 << 20;
const A_SECOND: u64 = 32 << 20;
/// A night begins so long after the minute of backups, and is so long.
const BEHIND_BACKUPS: i64 = 60;
const NIGHT_MIN: i64 = 300;
/// The hour of nights where there are no backups.
const MINUTE: u32 = 210;
const LOOK_EVERY: Duration = Duration::from_secs(300);
/// A restart does at most so much again.
const KEPT_EVERY: Duration = Duration::from_secs(30);
/// Findings that are told one by one, in a pass and in a notice.
const TOLD_MAX: usize = 100;
const IN_A_NOTICE: usize = 20;
/// Those of a step of which is told who has the body, which takes a look at all messages.
const NAMED_MAX: usize = 5;

/// How often a pass was forgotten since the start.
static FORGOTTEN: AtomicU64 = AtomicU64::new(0);

/// One look at the whole store, over nights.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Pass {
    shard: u8,
    part: String,
    after: i64,
    /// What it found, and when that was last.
    pub findings: u64,
    pub found_s: i64,
    /// The last night that was worked in, and octets read in it.
    night: String,
    tonight: u64,
    /// Nothing more is to be done in it.
    is_done: bool,
}

impl Pass {
    /// The one that goes on; a new one where there is none.
    pub fn load(store: &Store) -> Result<Pass, ReadError> {
        let kept = store.setting(PASS)?.and_then(|octets| serde_json::from_slice(&octets).ok());
        Ok(kept.unwrap_or_default())
    }

    fn op(&self) -> Op {
        Op::Setting { key: PASS.to_owned(), value: serde_json::to_vec(self).ok() }
    }

    fn place(&self) -> VerifyPlace {
        match VerifyPart::ALL.into_iter().find(|part| word(*part) == self.part) {
            Some(part) => VerifyPlace { shard: self.shard, part, after: self.after },
            None => VerifyPlace::START,
        }
    }

    fn goes_on_at(&mut self, place: VerifyPlace) {
        (self.shard, self.part, self.after) = (place.shard, word(place.part).to_owned(), place.after);
    }
}

fn word(part: VerifyPart) -> &'static str {
    match part {
        VerifyPart::Tables => "tables",
        VerifyPart::Mailboxes => "mailboxes",
        VerifyPart::References => "references",
        VerifyPart::Bodies => "bodies",
    }
}

/// Forgets a pass, for a commit: everything was verified otherwise. One that is worked on ends.
pub(crate) fn forget() -> Op {
    FORGOTTEN.fetch_add(1, Ordering::SeqCst);
    Op::Setting { key: PASS.to_owned(), value: None }
}

/// Verifies by night until the server stops.
pub async fn keep(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    loop {
        let now = Timestamp::now().to_zoned(service.time_zone.clone());
        if let Some(night) = night_of(&now, minute(&service)) {
            work(&service, &night).await;
        }
        if tokio::time::timeout(LOOK_EVERY, stopped(&mut stop)).await.is_ok() {
            return;
        }
    }
}

/// As the plan that runs now says: it may be another than an hour ago.
fn minute(service: &Arc<Service>) -> u32 {
    service.current().tables.plan().backup.as_ref().map_or(MINUTE, |backup| backup.every_night_at_min)
}

/// The night it is, by the day of its backup; `None` by day.
fn night_of(now: &Zoned, minute: u32) -> Option<String> {
    let of_day = i64::from(now.hour()) * 60 + i64::from(now.minute());
    let begins = (i64::from(minute) + BEHIND_BACKUPS) % 1_440;
    let since = (of_day - begins).rem_euclid(1_440);
    let began = now.saturating_sub((since + BEHIND_BACKUPS).minutes());
    (since < NIGHT_MIN).then(|| began.date().to_string())
}

/// Does tonight's share, or what is left of it.
async fn work(service: &Arc<Service>, night: &str) {
    let forgotten = FORGOTTEN.load(Ordering::SeqCst);
    let is_forgotten = || FORGOTTEN.load(Ordering::SeqCst) != forgotten;
    // A database that cannot be read is what is looked for.
    let read = durable_read(service, |store| Ok((Pass::load(store)?, store.body_octets().unwrap_or_default()))).await;
    let Some((mut pass, octets)) = read else { return };
    let share = (octets / NIGHTS).max(SHARE_MIN);
    if pass.night != night {
        (pass.night, pass.tonight, pass.is_done) = (night.to_owned(), 0, false);
    }
    let mut stop = service.stop.clone();
    let mut kept = Instant::now();
    while !pass.is_done {
        let began = Instant::now();
        let looked = step(service, pass.place(), &mut stop).await;
        if is_forgotten() {
            return;
        }
        let Some((report, next)) = looked else {
            return keep_pass(service, &pass).await;
        };
        // What could not be told is found again from where the pass was kept last.
        if !take(service, &mut pass, &report, next, share).await {
            return;
        }
        if pass.is_done || kept.elapsed() >= KEPT_EVERY {
            keep_pass(service, &pass).await;
            kept = Instant::now();
        }
        if pass.is_done {
            return;
        }
        let wait = pause(report.body_bytes, began.elapsed());
        let is_stopping = tokio::time::timeout(wait, stopped(&mut stop)).await.is_ok();
        let now = Timestamp::now().to_zoned(service.time_zone.clone());
        if is_forgotten() {
            return;
        }
        if is_stopping || night_of(&now, minute(service)).as_deref() != Some(night) {
            return keep_pass(service, &pass).await;
        }
    }
}

/// Looks at the next piece; `None` when it failed, or when the server stops, which waits for no large table.
async fn step(
    service: &Arc<Service>,
    place: VerifyPlace,
    stop: &mut watch::Receiver<bool>,
) -> Option<(Report, Option<VerifyPlace>)> {
    let running: Arc<Mutex<Option<Interrupt>>> = Arc::default();
    let begun = running.clone();
    let note = move |interrupt| *begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(interrupt);
    let store = service.store.clone();
    let mut looking = std::pin::pin!(durable::blocking(move || store.verify_step(place, STEP, &note)));
    let looked = tokio::select! {
        looked = &mut looking => looked?,
        () = stopped(stop) => {
            if let Some(interrupt) = &*running.lock().unwrap_or_else(PoisonError::into_inner) {
                interrupt.interrupt();
            }
            looking.await;
            return None;
        }
    };
    looked.inspect_err(|error| tracing::error!("the store cannot be verified: {error}")).ok()
}

/// No more octets a second than that, and for no more than half of the time.
fn pause(octets: u64, took: Duration) -> Duration {
    let whole = Duration::from_micros(octets.saturating_mul(1_000_000) / A_SECOND);
    whole.saturating_sub(took).max(took)
}

/// Notes what a step found and where the next begins. False when it could not be told.
async fn take(service: &Arc<Service>, pass: &mut Pass, report: &Report, next: Option<VerifyPlace>, share: u64) -> bool {
    pass.tonight += report.body_bytes;
    pass.is_done = next.is_none() || pass.tonight >= share;
    if !report.findings.is_empty() {
        let told_before = usize::try_from(pass.findings).unwrap_or(usize::MAX);
        pass.findings += report.findings.len() as u64;
        pass.found_s = clock::unix_s();
        let sentences = sentences(service, &report.findings, TOLD_MAX.saturating_sub(told_before)).await;
        sentences.iter().for_each(|what| tracing::error!("the store is damaged: {what}"));
        if let Some(place) = next {
            pass.goes_on_at(place);
        }
        if !alarm(&service.current(), pass, &sentences).await {
            return false;
        }
    }
    match next {
        Some(place) => pass.goes_on_at(place),
        None => {
            tracing::info!(findings = pass.findings, "the whole store was verified");
            let findings = pass.findings;
            let is_kept = durable_read(service, move |store| {
                verify::keep(store, findings);
                Ok(())
            });
            is_kept.await;
            // What it found stands in the result from now on.
            *pass = Pass { night: pass.night.clone(), tonight: pass.tonight, is_done: true, ..Pass::default() };
        }
    }
    true
}

/// The first `most` of what was found, in words. A server that stops waits for no look at all messages but the one that goes on.
async fn sentences(service: &Arc<Service>, findings: &[Finding], most: usize) -> Vec<String> {
    let (store, stop) = (service.store.clone(), service.stop.clone());
    let findings: Vec<Finding> = findings.iter().take(most).cloned().collect();
    let told = move || {
        let is_named = |number: usize| number < NAMED_MAX && !*stop.borrow();
        let told = findings.iter().enumerate();
        told.map(|(number, finding)| verify::sentence(&store, finding, is_named(number))).collect()
    };
    durable::blocking(told).await.unwrap_or_default()
}

/// Tells the managers, in the commit that notes what was found. False when the store did not take it.
async fn alarm(service: &Arc<Service>, pass: &Pass, sentences: &[String]) -> bool {
    if sentences.is_empty() {
        return true;
    }
    match Address::new("postmaster", service.tables.plan().institution.domain.clone()) {
        Ok(managers) => notices::tell(service, &managers, damaged(sentences), vec![pass.op()]).await,
        Err(_) => {
            tracing::error!("the managers have no address");
            true
        }
    }
}

fn damaged(sentences: &[String]) -> Words {
    let shown = sentences.iter().take(IN_A_NOTICE).map(|what| format!("- {what}\r\n")).collect::<String>();
    let (more_french, more_english) = match sentences.len().saturating_sub(IN_A_NOTICE) {
        0 => (String::new(), String::new()),
        1 => ("- et un autre, dans le journal\r\n".to_owned(), "- and one more, in the log\r\n".to_owned()),
        more => (format!("- et {more} autres, dans le journal\r\n"), format!("- and {more} more, in the log\r\n")),
    };
    Words {
        subject: "Courrier conservé : des données abîmées / Stored mail: damaged data".to_owned(),
        french: format!(
            "en relisant ce qui est conservé, le serveur a trouvé des données abîmées :\r\n\
             {shown}{more_french}\
             Rien n'a été changé. Cherchez la cause (disque, mémoire) avant de réparer ; un message revient d'une sauvegarde\r\n\
             par facteur restore, et facteur store verify relit tout."
        ),
        english: format!(
            "reading again what is stored, the server found damaged data:\r\n\
             {shown}{more_english}\
             Nothing was changed. Look for the cause (disk, memory) before you repair; a message comes back from a backup\r\n\
             with facteur restore, and facteur store verify reads everything again."
        ),
    }
}

async fn keep_pass(service: &Arc<Service>, pass: &Pass) {
    // It is done again from where it was kept last.
    if let Err(error) = durable::commit(&service.store, vec![pass.op()]).await {
        tracing::warn!("how far the store is verified cannot be kept: {error}");
    }
}

/// Reads on a thread that may wait; `None` after saying why that failed.
async fn durable_read<T: Send + 'static>(
    service: &Arc<Service>,
    read: impl FnOnce(&Store) -> Result<T, ReadError> + Send + 'static,
) -> Option<T> {
    let store = service.store.clone();
    match durable::blocking(move || read(&store)).await? {
        Ok(read) => Some(read),
        Err(error) => {
            tracing::error!("the store cannot be verified: {error}");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_is_named_by_the_day_of_its_backup() {
        let night = |now: &str, minute: u32| {
            let now: Zoned = format!("{now}[Europe/Paris]").parse().unwrap();
            night_of(&now, minute)
        };
        let named = |day: &str| Some(day.to_owned());
        assert_eq!(night("2026-11-30T03:29:00+01:00", 150), None);
        assert_eq!(night("2026-11-30T03:30:00+01:00", 150), named("2026-11-30"));
        assert_eq!(night("2026-11-30T08:29:00+01:00", 150), named("2026-11-30"));
        assert_eq!(night("2026-11-30T08:30:00+01:00", 150), None);
        // A backup late in the evening: its night goes over midnight.
        assert_eq!(night("2026-11-30T23:45:00+01:00", 1_350), named("2026-11-30"));
        assert_eq!(night("2026-12-01T02:00:00+01:00", 1_350), named("2026-11-30"));
        assert_eq!(night("2026-12-01T00:40:00+01:00", 1_410), named("2026-11-30"));
    }

    #[test]
    fn it_reads_slowly_and_rests_as_long_as_it_works() {
        let ms = Duration::from_millis;
        assert_eq!(pause(A_SECOND, ms(100)), ms(900));
        assert_eq!(pause(A_SECOND, ms(2_000)), ms(2_000));
        assert_eq!(pause(0, ms(30)), ms(30));
    }

    #[test]
    fn a_pass_is_written_and_read_back() {
        let mut pass = Pass { findings: 2, found_s: 7, night: "2026-11-30".to_owned(), ..Pass::default() };
        assert_eq!(pass.place(), VerifyPlace::START);
        for part in VerifyPart::ALL {
            let place = VerifyPlace { shard: 3, part, after: 1 << 40 };
            pass.goes_on_at(place);
            let Op::Setting { value: Some(octets), .. } = pass.op() else { panic!("no value") };
            let read: Pass = serde_json::from_slice(&octets).unwrap();
            assert_eq!((read.place(), &read), (place, &pass));
        }
        let many: Vec<String> = (0..IN_A_NOTICE + 3).map(|n| format!("body {n}")).collect();
        let words = damaged(&many);
        assert!(words.french.contains("et 3 autres") && words.english.contains("and 3 more"));
        assert!(!words.english.contains("body 20") && damaged(&many[..1]).french.contains("- body 0\r\nRien"));
    }
}
