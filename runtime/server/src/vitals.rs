//! Looks at how the server does now and then, for the metrics: what only the store, the disk or the certificates know.

use std::collections::BTreeSet;
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
    let mut named = Named::default();
    loop {
        let worker = service.clone();
        match durable::blocking(move || status::now(&worker, clock::unix_s())).await {
            Some(Ok(now)) => show(&service.metrics, &now, &mut named),
            Some(Err(error)) => tracing::warn!("how the server does cannot be read: {error}"),
            None => {}
        }
        if tokio::time::timeout(LOOK_EVERY, stopped(&mut stop)).await.is_ok() {
            return;
        }
    }
}

/// All that gauges were ever set for. What the plan that runs does not have is taken out of them: a value nobody sets any more
/// would stand for ever, and with it its alarm.
#[derive(Default)]
struct Named {
    listeners: BTreeSet<String>,
    engines: BTreeSet<String>,
}

/// Adds those of now; gives the others.
fn gone<'n>(ever: &mut BTreeSet<String>, now: impl Iterator<Item = &'n String>) -> Vec<String> {
    let now: BTreeSet<&String> = now.collect();
    ever.extend(now.iter().map(|name| (*name).clone()));
    ever.iter().filter(|name| !now.contains(name)).cloned().collect()
}

fn show(metrics: &Metrics, now: &StatusNow, named: &mut Named) {
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
    metrics.addresses_unbound.set(octets(now.unbound.len() as u64));
    // One that this site gives no address is closed for good, and no trouble.
    let here = || now.listeners.iter().filter(|one| !one.addresses.is_empty());
    for one in here() {
        metrics.listener_open.with_label_values(&[one.name.as_str()]).set(i64::from(one.open));
    }
    // That there is none to remove is no error.
    for name in gone(&mut named.listeners, here().map(|one| &one.name)) {
        let _ = metrics.listener_open.remove_label_values(&[name.as_str()]);
    }
    for name in gone(&mut named.engines, now.engines.iter().map(|one| &one.name)) {
        let _ = metrics.scanner_up.remove_label_values(&[name.as_str()]);
        let _ = metrics.signature_age.remove_label_values(&[name.as_str()]);
    }
    for one in probe::Probe::ALL {
        let level = probe::judge(one, now, one.limits()).level;
        metrics.probe_level.with_label_values(&[one.word()]).set(level as i64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operate::{EngineNow, ListenerNow};

    #[test]
    fn what_a_plan_no_longer_has_raises_no_alarm() {
        let (metrics, mut named) = (Metrics::new("q7k3m2xw"), Named::default());
        let listener =
            ListenerNow { name: "pop".into(), addresses: vec!["[::1]:110".into()], ..ListenerNow::default() };
        let engine = EngineNow { name: "clamav".into(), ..EngineNow::default() };
        let before = StatusNow { listeners: vec![listener], engines: vec![engine], ..StatusNow::default() };
        let is_told = |metrics: &Metrics| {
            let page = metrics.page(&store::MetricsNow::default());
            (page.contains("facteur_listener_open{listener=\"pop\"} 0"), page.contains("facteur_scanner_up{"))
        };
        metrics.scanner_up.with_label_values(&["clamav"]).set(0);
        show(&metrics, &before, &mut named);
        assert_eq!(is_told(&metrics), (true, true));
        show(&metrics, &StatusNow::default(), &mut named);
        assert_eq!(is_told(&metrics), (false, false));
        // A session under the former plan looked once more.
        metrics.scanner_up.with_label_values(&["clamav"]).set(0);
        show(&metrics, &StatusNow::default(), &mut named);
        assert_eq!(is_told(&metrics), (false, false));
        show(&metrics, &before, &mut named);
        assert!(is_told(&metrics).0);
    }
}
