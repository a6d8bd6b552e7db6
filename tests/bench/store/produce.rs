//! Producers that each wait for their delivery before the next one, for a time, and what that cost.

use std::time::{Duration, Instant};

use crate::load::Random;
use crate::measure::{Cost, forget_peak, peak_mib, percentile};

/// The thread of the search index follows behind, at the lowest priority; no delivery waits for it.
const SEARCH: &str = "store-search";

/// What a round gave.
pub struct Round {
    pub deliveries: f64,
    pub payload_octets: f64,
    pub elapsed_s: f64,
    /// Without the search index.
    cost: Cost,
    /// Of the search index, as far as it came.
    search: Cost,
    pub peak_mib: f64,
    /// Of each delivery, ascending.
    latencies_us: Vec<u32>,
}

impl Round {
    /// In milliseconds.
    pub fn latency_ms(&self, share: f64) -> f64 {
        percentile(&self.latencies_us, share) / 1e3
    }

    pub fn per_second(&self) -> f64 {
        self.deliveries / self.elapsed_s
    }

    pub fn cpu_us_each(&self) -> f64 {
        self.cost.cpu_us as f64 / self.deliveries
    }

    pub fn write_amplification(&self) -> f64 {
        self.cost.written_octets as f64 / self.payload_octets
    }

    pub fn search_cpu_us_each(&self) -> f64 {
        self.search.cpu_us as f64 / self.deliveries
    }

    pub fn search_write_amplification(&self) -> f64 {
        self.search.written_octets as f64 / self.payload_octets
    }
}

/// `deliver` gives the octets of the message it delivered.
pub fn produce(producers: u64, length: Duration, deliver: impl Fn(u64, &mut Random) -> usize + Sync) -> Round {
    // Touched before the clock starts.
    crate::load::text(1);
    forget_peak();
    let (before, search_before, started) = (Cost::of_process(), Cost::of_threads(SEARCH), Instant::now());
    let mut latencies_us = Vec::new();
    let mut payload = 0;
    std::thread::scope(|scope| {
        let deliver = &deliver;
        let one = |producer: u64| {
            let mut random = Random::anew(producer);
            let (mut latencies, mut octets) = (Vec::with_capacity(1 << 14), 0u64);
            while started.elapsed() < length {
                let begun = Instant::now();
                octets += deliver(producer, &mut random) as u64;
                latencies.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
            }
            (latencies, octets)
        };
        let threads: Vec<_> = (0..producers).map(|producer| scope.spawn(move || one(producer))).collect();
        for thread in threads {
            let (latencies, octets) = thread.join().expect("a producer");
            latencies_us.extend(latencies);
            payload += octets;
        }
    });
    let search = Cost::of_threads(SEARCH).since(search_before);
    let (elapsed, cost) = (started.elapsed(), Cost::of_process().since(before).since(search));
    latencies_us.sort_unstable();
    Round {
        deliveries: latencies_us.len() as f64,
        payload_octets: payload as f64,
        elapsed_s: elapsed.as_secs_f64(),
        cost,
        search,
        peak_mib: peak_mib(),
        latencies_us,
    }
}
