//! Reports about mail: what we count for others and send them, what others send us, and the table of who sends as us.
//!
//! All of it is kept as settings of the store: `dmarc/DAY/DOMAIN` what came in, `sends-as-us/DOMAIN/ADDRESS` what reports
//! say of our domains, `tls-reports/DAY/ORGANISATION` what they say of TLS on the way to us.

mod incoming;
mod send;
mod tally;

use std::net::IpAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use plan::Reports;
use store::{Op, Store};

use crate::authenticate::Results;
use crate::durable;
use crate::service::{Service, stopped};

pub use incoming::{SendsAsUs, TlsReported, take};
pub use tally::{OfDomain, Tally};

/// Tallies are written so often.
const WRITE_EVERY: Duration = Duration::from_secs(60);
/// And reports of days gone by looked for.
const SEND_EVERY: Duration = Duration::from_secs(1_800);
/// Days the tallies are kept.
const KEPT_DAYS: i64 = 31;
/// Settings read at a time.
const SLICE: usize = 500;

/// Where the tallies are.
pub const TALLIES: &str = "dmarc/";
/// Where the table of who sends as us is.
pub const SENDERS: &str = "sends-as-us/";
/// Where the summaries of TLS reports are.
pub const TLS: &str = "tls-reports/";

/// A day of the calendar in UTC, so many days from now.
fn day(from_now: i64) -> String {
    let now = Timestamp::now().to_zoned(TimeZone::UTC).date();
    now.saturating_add(from_now.days()).to_string()
}

/// Counts a message that came in, where the plan wants it.
pub fn count(service: &Service, source: IpAddr, results: &Results, refused: bool) {
    if service.tables.plan().authenticate.aggregate_reports == Reports::Nothing {
        return;
    }
    let mut tally = service.tally.lock().unwrap_or_else(PoisonError::into_inner);
    tally.count(&day(0), source, results, refused);
}

/// Every setting under a prefix, in order of key, at most `most`.
pub fn all(store: &Store, prefix: &str, most: usize) -> Result<Vec<(String, Vec<u8>)>, store::ReadError> {
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    while all.len() < most {
        let after = all.last().map_or("", |(key, _)| key.as_str());
        let slice = store.settings(prefix, after, SLICE.min(most - all.len()))?;
        if slice.is_empty() {
            break;
        }
        all.extend(slice);
    }
    Ok(all)
}

/// Writes tallies and sends reports until the server stops.
pub async fn keep(service: Arc<Service>) {
    let wanted = service.tables.plan().authenticate.aggregate_reports;
    if wanted == Reports::Nothing {
        return;
    }
    restore(&service).await;
    let mut stop = service.stop.clone();
    let mut send_in = Duration::ZERO;
    loop {
        if wanted == Reports::Send && send_in.is_zero() {
            send::send(&service).await;
            send_in = SEND_EVERY;
        }
        let stopping = tokio::time::timeout(WRITE_EVERY, stopped(&mut stop)).await.is_ok();
        send_in = send_in.saturating_sub(WRITE_EVERY);
        write(&service).await;
        if stopping {
            return;
        }
        trim(&service).await;
    }
}

/// Today's tallies, as they were when the server stopped.
async fn restore(service: &Arc<Service>) {
    let today = day(0);
    if service.tally.lock().unwrap_or_else(PoisonError::into_inner).is_read {
        return;
    }
    let (store, prefix) = (service.store.clone(), format!("{TALLIES}{today}/"));
    let kept = durable::blocking({
        let prefix = prefix.clone();
        move || all(&store, &prefix, usize::MAX)
    });
    let Some(Ok(kept)) = kept.await else { return tracing::error!("the tallies of today cannot be read") };
    let mut tally = service.tally.lock().unwrap_or_else(PoisonError::into_inner);
    for (key, value) in kept {
        if let (Some(domain), Ok(of)) = (key.strip_prefix(&prefix), serde_json::from_slice(&value)) {
            tally.restore(&today, domain, of);
        }
    }
    tally.is_read = true;
}

async fn write(service: &Arc<Service>) {
    let taken = service.tally.lock().unwrap_or_else(PoisonError::into_inner).take_unwritten(&day(0));
    for (day, domain, of) in taken {
        let Ok(value) = serde_json::to_vec(&of) else { continue };
        let op = Op::Setting { key: format!("{TALLIES}{day}/{domain}"), value: Some(value) };
        if let Err(error) = durable::commit(&service.store, vec![op]).await {
            tracing::error!("a tally was not written: {error}");
            service.tally.lock().unwrap_or_else(PoisonError::into_inner).not_written(&day, &domain, of);
        }
    }
}

/// Removes tallies that are too old.
async fn trim(service: &Arc<Service>) {
    let (store, oldest) = (service.store.clone(), format!("{TALLIES}{}", day(-KEPT_DAYS)));
    let old = durable::blocking(move || store.settings(TALLIES, "", SLICE)).await;
    let Some(Ok(old)) = old else { return };
    let gone = old.into_iter().map(|(key, _)| key).take_while(|key| *key < oldest);
    let ops: Vec<Op> = gone.map(|key| Op::Setting { key, value: None }).collect();
    if !ops.is_empty()
        && let Err(error) = durable::commit(&service.store, ops).await
    {
        tracing::error!("old tallies were not removed: {error}");
    }
}
