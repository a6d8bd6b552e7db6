//! The work of the night (guide §5): the backup at the hour the plan says, what is too old goes, and the store gives back the
//! room of freed bodies. A night the server slept through is made up for when it starts again.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use plan::Life;
use store::snapshot::Snapshots;
use store::{Op, OpResult};

use crate::operate::{BackupNow, Compact, Operation, Who, door};
use crate::service::{Service, stopped};
use crate::{clock, compromise, durable, left, quarantine, recall, teaching};

/// The clock of the machine may be set meanwhile: it is read again at least so often.
const LOOK_EVERY: Duration = Duration::from_secs(300);
/// A body freed so little before the night stays: somebody may be reading it.
const FREED_KEPT_S: u64 = 3_600;

/// Works each night until the server stops.
pub async fn keep(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    let Some(minute) = service.tables.plan().backup.as_ref().map(|backup| backup.every_night_at_min) else {
        // Without backups the store is tidied at an hour when little happens.
        return nights(&service, 210, &mut stop, false).await;
    };
    nights(&service, minute, &mut stop, true).await;
}

async fn nights(service: &Arc<Service>, minute: u32, stop: &mut tokio::sync::watch::Receiver<bool>, backup: bool) {
    let now = || Timestamp::now().to_zoned(service.time_zone.clone());
    let mut next = if backup && missed(service, minute).await { now() } else { night_after(&now(), minute) };
    loop {
        while now() < next {
            let left = u64::try_from(next.timestamp().as_second() - clock::unix_s()).unwrap_or(0);
            let wait = Duration::from_secs(left.max(1)).min(LOOK_EVERY);
            if tokio::time::timeout(wait, stopped(stop)).await.is_ok() {
                return;
            }
        }
        let worker = service.clone();
        // A panic was counted, and the next night comes.
        let _ = durable::blocking(move || work(&worker, backup)).await;
        next = night_after(&now(), minute);
        if *stop.borrow() {
            return;
        }
    }
}

/// Is there a backup, and none since the last night there should have been one? A store without any has its first by night.
async fn missed(service: &Arc<Service>, minute: u32) -> bool {
    let now = Timestamp::now().to_zoned(service.time_zone.clone());
    let last_s = night_after(&(&now - 1.day()), minute).timestamp().as_second();
    let folder = service.site.snapshots(service.tables.plan().backup.as_ref());
    let newest =
        durable::blocking(move || Snapshots::open(folder).and_then(|all| all.newest_until(i64::MAX)).ok()).await;
    newest.flatten().flatten().is_some_and(|name| name.seconds() < last_s)
}

/// The first moment after `now` at `minute` after midnight, by the clock on the wall. Where that minute is left out in spring
/// it is the one an hour later.
fn night_after(now: &Zoned, minute: u32) -> Zoned {
    let hour = i8::try_from(minute / 60 % 24).unwrap_or(0);
    let time = Time::constant(hour, (minute % 60) as i8, 0, 0);
    let zone: TimeZone = now.time_zone().clone();
    for days in 0..=2 {
        let at = now.date().saturating_add(days.days()).to_datetime(time).to_zoned(zone.clone());
        if let Ok(at) = at
            && at > *now
        {
            return at;
        }
    }
    // Only at the end of time is there no tomorrow.
    now.saturating_add(1.day())
}

fn work(service: &Arc<Service>, backup: bool) {
    let context = door::context(service, Who::this_process(), Arc::new(AtomicBool::new(false)));
    if backup {
        match (BackupNow {}).perform(&context, &mut |_| ()) {
            Ok(taken) => {
                service.metrics.backup_last.set(clock::unix_s());
                if let Some(why) = &taken.not_removed {
                    tracing::error!("old backups could not go: {why}");
                }
                tracing::info!(name = %taken.name, messages = taken.messages, removed = taken.removed.len(), "backed up");
            }
            Err(error) => {
                service.metrics.backups_failed.inc();
                tracing::error!("the backup of tonight failed: {error}");
            }
        }
    }
    trim(service);
    if let Err(error) = service.blocks.sweep(&service.store, clock::unix_s()) {
        tracing::error!("blocks that ended could not go: {error}");
    }
    match (Compact { keep_s: FREED_KEPT_S }).perform(&context, &mut |_| ()) {
        Ok(done) => tracing::info!(segments = done.segments_removed, octets = done.octets_freed, "compacted"),
        Err(error) => tracing::error!("the store could not be compacted: {error}"),
    }
}

/// What the plan says ends: losses, decisions, and the delivery index, which lives as long as the decisions it helps to
/// explain.
fn trim(service: &Service) {
    let retention = &service.tables.plan().retention;
    let now_s = clock::unix_s();
    let before_s = |life: Life| match life {
        Life::For { s } => Some(now_s.saturating_sub(i64::try_from(s).unwrap_or(i64::MAX))),
        Life::WhileAccountLives | Life::Forever => None,
    };
    if let Some(before_s) = before_s(retention.quarantine) {
        quarantine::forget(service, before_s);
        recall::old::forget(service, before_s, now_s);
    }
    left::forget(service, retention, now_s);
    if let Some(before_s) = before_s(retention.training) {
        teaching::old::purge(service, before_s);
    }
    if let Some(before_s) = before_s(retention.accesses) {
        until_none_is_left(service, &Op::TrimAccesses { before_s });
    }
    if let Some(before_s) = before_s(retention.audit) {
        let gone = until_none_is_left(service, &Op::TrimAudit { before_s });
        if gone > 0 {
            audit_trimmed(service, gone, before_s, now_s);
        }
    }
    if let Some(before_s) = before_s(retention.losses) {
        until_none_is_left(service, &Op::TrimLosses { before_s });
    }
    if let Some(before_s) = before_s(retention.decisions) {
        until_none_is_left(service, &Op::TrimDecisions { before_s });
        compromise::forget(service, before_s);
        let before_ms = u64::try_from(before_s).unwrap_or(0).saturating_mul(1_000);
        until_none_is_left(service, &Op::TrimDeliveries { before_ms });
    }
}

/// Some thousand rows at a time, so that mail goes on meanwhile. Says how many went.
fn until_none_is_left(service: &Service, op: &Op) -> u64 {
    let mut gone = 0;
    loop {
        match service.store.commit_wait(vec![op.clone()]).as_deref() {
            Ok([OpResult::Trimmed(rows)]) if *rows > 0 => gone += *rows,
            Ok(_) => return gone,
            Err(error) => {
                tracing::error!("what is too old stays: {error}");
                return gone;
            }
        }
    }
}

/// The record says that it has a beginning.
fn audit_trimmed(service: &Service, gone: u64, before_s: i64, at_s: i64) {
    let before = Timestamp::from_second(before_s).unwrap_or_default();
    let what = format!("{gone} entries from before {before} are gone, by retention.audit");
    tracing::info!("audit: {what}");
    let op = Op::Audit { at_s, who: Who::this_process().to_string(), what };
    if let Err(error) = service.store.commit_wait(vec![op]) {
        tracing::error!("the audit does not say that old entries went: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(now: &str, minute: u32) -> String {
        let now: Zoned = now.parse().unwrap();
        night_after(&now, minute).to_string()
    }

    #[test]
    fn the_night_is_by_the_clock_on_the_wall_also_when_it_is_set() {
        let paris = |now: &str| after(&format!("{now}[Europe/Paris]"), 150);
        assert_eq!(paris("2026-11-30T02:29:59+01:00"), "2026-11-30T02:30:00+01:00[Europe/Paris]");
        assert_eq!(paris("2026-11-30T02:30:00+01:00"), "2026-12-01T02:30:00+01:00[Europe/Paris]");
        // That night has no half past two, and this one has two.
        assert_eq!(paris("2026-03-28T12:00:00+01:00"), "2026-03-29T03:30:00+02:00[Europe/Paris]");
        assert_eq!(paris("2026-10-24T12:00:00+02:00"), "2026-10-25T02:30:00+02:00[Europe/Paris]");
        assert_eq!(paris("2026-10-25T02:30:00+02:00"), "2026-10-26T02:30:00+01:00[Europe/Paris]");
    }
}
