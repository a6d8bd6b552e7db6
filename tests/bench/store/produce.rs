//! Producers that each wait for their delivery before the next one, for a time, and what that cost.

use std::time::{Duration, Instant};

use crate::load::Random;
use crate::measure::{cpu_us, forget_peak, peak_mib, percentile, written_octets};

/// What a round gave.
pub struct Round {
    pub deliveries: f64,
    pub payload_octets: f64,
    pub elapsed_s: f64,
    pub cpu_us: f64,
    pub written_octets: f64,
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
        self.cpu_us / self.deliveries
    }

    pub fn write_amplification(&self) -> f64 {
        self.written_octets / self.payload_octets
    }
}

/// `deliver` gives the octets of the message it delivered.
pub fn produce(producers: u64, length: Duration, deliver: impl Fn(u64, &mut Random) -> usize + Sync) -> Round {
    // Touched before the clock starts.
    crate::load::text(1);
    forget_peak();
    let (cpu_before, written_before, started) = (cpu_us(), written_octets(), Instant::now());
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
    let (elapsed, cpu, written) = (started.elapsed(), cpu_us() - cpu_before, written_octets() - written_before);
    latencies_us.sort_unstable();
    Round {
        deliveries: latencies_us.len() as f64,
        payload_octets: payload as f64,
        elapsed_s: elapsed.as_secs_f64(),
        cpu_us: cpu as f64,
        written_octets: written as f64,
        peak_mib: peak_mib(),
        latencies_us,
    }
}
