//! The windows' rings between memory and store: loaded at start, what changed flushed every few seconds and at the end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use decide::Rings;
use store::{CommitError, Op, ReadError, Ring, Store};

use crate::durable;
use crate::service::{Service, stopped};

/// A crash forgets at most this much of the windows.
const FLUSH_EVERY: Duration = Duration::from_secs(5);
/// Flushes between two sweeps of rings whose events are all past.
const SWEEP_EVERY: u32 = 12;
/// Rings of one commit.
const COMMIT_MAX: usize = 1_000;

/// All rings the store has. One that cannot be read is left out and said.
pub fn load(store: &Store) -> Result<Rings, ReadError> {
    let mut rings = Rings::default();
    for Ring { key, ticks } in store.load_rings()? {
        match (std::str::from_utf8(&key), read(&ticks)) {
            (Ok(key), Some(ticks)) => rings.load(key, &ticks),
            _ => tracing::error!("a ring in the store is damaged and was left out"),
        }
    }
    Ok(rings)
}

/// Flushes until the server stops.
pub async fn keep(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    let mut waiting = BTreeMap::new();
    for turn in 1_u32.. {
        if tokio::time::timeout(FLUSH_EVERY, stopped(&mut stop)).await.is_ok() {
            return;
        }
        if turn.is_multiple_of(SWEEP_EVERY) {
            let now = service.clock.now();
            service.rings().sweep(now);
        }
        if let Err(error) = flush(&service, &mut waiting).await {
            tracing::error!("the windows could not be kept: {error}");
        }
    }
}

/// Writes what changed. What could not be written stays in `waiting` for the next time.
pub async fn flush(service: &Service, waiting: &mut BTreeMap<String, Vec<u32>>) -> Result<(), CommitError> {
    waiting.extend(service.rings().drain_dirty());
    while !waiting.is_empty() {
        let keys: Vec<String> = waiting.keys().take(COMMIT_MAX).cloned().collect();
        let ring = |key: &String| Ring { key: key.clone().into_bytes(), ticks: written(&waiting[key]) };
        let op = Op::FlushRings(keys.iter().map(ring).collect());
        durable::commit(&service.store, vec![op]).await?;
        keys.iter().for_each(|key| drop(waiting.remove(key)));
    }
    Ok(())
}

fn written(ticks: &[u32]) -> Vec<u8> {
    ticks.iter().flat_map(|tick| tick.to_le_bytes()).collect()
}

fn read(octets: &[u8]) -> Option<Vec<u32>> {
    let (ticks, rest) = octets.as_chunks::<4>();
    rest.is_empty().then(|| ticks.iter().map(|tick| u32::from_le_bytes(*tick)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_written_and_read_back() {
        let ticks = [0, 1, 9_000, u32::MAX];
        assert_eq!(read(&written(&ticks)), Some(ticks.to_vec()));
        assert_eq!(read(&[1, 2, 3]), None);
    }
}
