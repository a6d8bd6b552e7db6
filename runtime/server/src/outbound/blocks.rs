//! Destinations that block this server are remembered over a restart, counted, and shown.

use std::sync::Arc;

use queue::Destination;
use queue::schedule::{Down, Toward, Trouble};
use serde::{Deserialize, Serialize};
use store::Op;

use crate::service::Service;
use crate::{clock, durable};

/// The setting that keeps them.
const SETTING: &str = "queue.blocked";
/// So many are remembered; more are found again by their first message.
const KEPT_MAX: usize = 1_000;

#[derive(Serialize, Deserialize)]
struct Kept {
    /// `mx`, `smtp`, `lmtp`.
    by: String,
    name: String,
    why: String,
    since_s: i64,
    until_s: i64,
}

/// What was blocked when the server last ran.
pub fn load(service: &Service) {
    let kept = service.store.setting(SETTING).ok().flatten().unwrap_or_default();
    let kept: Vec<Kept> = serde_json::from_slice(&kept).unwrap_or_default();
    let mut schedule = service.spool.schedule();
    for Kept { by, name, why, since_s, until_s } in kept {
        let toward = match by.as_str() {
            "mx" => Toward { destination: Destination::Mx, domain: Some(name) },
            "smtp" => Toward { destination: Destination::Smtp(name), domain: None },
            "lmtp" => Toward { destination: Destination::Lmtp(name), domain: None },
            _ => continue,
        };
        let down = Down { trouble: Trouble::Blocked, why, since_s, until_s, failures: 1 };
        schedule.remember_blocked(&toward, down, clock::unix_s());
    }
}

/// Keeps them when they changed.
pub async fn keep(service: &Arc<Service>) {
    let down = {
        let mut schedule = service.spool.schedule();
        if !schedule.blocks_changed() {
            return;
        }
        schedule.down()
    };
    let blocked = down.into_iter().filter(|(_, down, _)| down.trouble == Trouble::Blocked);
    let kept: Vec<Kept> = blocked.filter_map(|(toward, down, _)| kept(toward, down)).collect();
    service.metrics.destinations_blocked.set(i64::try_from(kept.len()).unwrap_or(i64::MAX));
    let value = serde_json::to_vec(&kept[..kept.len().min(KEPT_MAX)]).unwrap_or_default();
    let op = Op::Setting { key: SETTING.to_owned(), value: (!kept.is_empty()).then_some(value) };
    if let Err(error) = durable::commit(&service.store, vec![op]).await {
        tracing::error!("blocked destinations could not be kept: {error}");
    }
}

fn kept(toward: Toward, down: Down) -> Option<Kept> {
    let (by, name) = match toward.destination {
        Destination::Mx => ("mx", toward.domain?),
        Destination::Smtp(host) => ("smtp", host),
        Destination::Lmtp(host) => ("lmtp", host),
        Destination::Local | Destination::Capture(_) | Destination::Gone => return None,
    };
    Some(Kept { by: by.to_owned(), name, why: down.why, since_s: down.since_s, until_s: down.until_s })
}
