//! Looks at how the server does now and then, for the metrics: what only the store, the disk or the certificates know.

use std::sync::Arc;
use std::time::Duration;

use crate::metrics::Metrics;
use crate::operate::StatusNow;
use crate::operate::status::{self, probe};
use crate::service::{Service, stopped};
use crate::{clock, durable};

const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Looks until the server stops.
pub async fn keep(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    loop {
        let worker = service.clone();
        match durable::blocking(move || status::now(&worker, clock::unix_s())).await {
            Some(Ok(now)) => show(&service.metrics, &now),
            Some(Err(error)) => tracing::warn!("how the server does cannot be read: {error}"),
            None => {}
        }
        if tokio::time::timeout(LOOK_EVERY, stopped(&mut stop)).await.is_ok() {
            return;
        }
    }
}

fn show(metrics: &Metrics, now: &StatusNow) {
    let octets = |octets: u64| i64::try_from(octets).unwrap_or(i64::MAX);
    metrics.plan_serial.set(octets(now.serial));
    metrics.trial_until.set(now.trial_until_s.unwrap_or(0));
    metrics.queue_oldest.set(now.queue.oldest_s.unwrap_or(0));
    metrics.destinations_down.set(octets(now.queue.destinations_down as u64));
    metrics.store_size.set(octets(now.store.size_octets));
    metrics.store_verified.set(now.store.verified_s.unwrap_or(0));
    metrics.store_findings.set(octets(now.store.findings));
    metrics.backup_wanted.set(i64::from(now.backup_wanted));
    metrics.backup_last.set(now.backup_s.unwrap_or(0));
    metrics.compromise_open.set(octets(now.compromise_cases as u64));
    for one in &now.listeners {
        metrics.listener_open.with_label_values(&[one.name.as_str()]).set(i64::from(one.open));
    }
    for one in probe::Probe::ALL {
        let level = probe::judge(one, now, one.limits()).level;
        metrics.probe_level.with_label_values(&[one.word()]).set(level as i64);
    }
}
