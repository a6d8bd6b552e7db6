//! How a snapshot keeps out of the way of deliveries: it works in short slices, rests after each, and its thread runs at
//! the lowest priority, so that a waiting thread of the server gets the processor first.

use std::fs::File;
use std::num::NonZeroU64;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::fs::Advice;

use super::{Progress, SnapshotError};

/// How much of the time a snapshot works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Of each hundred units of time, how many are work; 1 to 100.
    pub share_percent: u8,
    /// How long it works between two rests.
    pub slice: Duration,
    /// Octets it writes in a second at most, so that the device has time for others; 0 for no bound.
    pub write_bytes_per_s: u32,
}

impl Pace {
    /// For a server that works meanwhile. Not much gentler: while the read transaction is open the WAL cannot start afresh
    /// and grows. What deliveries notice of it is not measured soundly yet.
    pub const GENTLE: Pace = Pace { share_percent: 60, slice: Duration::from_millis(1), write_bytes_per_s: 64 << 20 };
    /// For a store nobody else uses.
    pub const FULL: Pace = Pace { share_percent: 100, slice: Duration::from_millis(2), write_bytes_per_s: 0 };
}

/// A flush on a busy device may take long; nobody is helped by a rest of minutes after it.
const REST_MAX: Duration = Duration::from_millis(500);

/// Rests when it is time to.
pub(super) struct Pacer {
    pace: Pace,
    since: Instant,
    /// Written and not rested for.
    written: u64,
}

impl Pacer {
    /// For the thread that works from now on.
    pub(super) fn start(pace: Pace) -> Pacer {
        Pacer { pace, since: Instant::now(), written: 0 }
    }

    /// Octets that are on their way to the device.
    pub(super) fn wrote(&mut self, octets: u64) {
        self.written += octets;
    }

    /// Called between small pieces of work.
    pub(super) fn rest(&mut self) {
        let share = u32::from(self.pace.share_percent.clamp(1, 100));
        let worked = self.since.elapsed();
        let owed = match self.pace.write_bytes_per_s {
            0 => Duration::ZERO,
            rate => Duration::from_micros(self.written.saturating_mul(1_000_000) / u64::from(rate)),
        };
        if worked < self.pace.slice && owed < self.pace.slice {
            return;
        }
        let idle = (worked * (100 - share) / share).max(owed.saturating_sub(worked));
        if !idle.is_zero() {
            std::thread::sleep(idle.min(REST_MAX));
        }
        self.since = Instant::now();
        self.written = 0;
    }
}

/// Runs `work` on a thread of the lowest priority. `progress` is called on the caller's thread, and waited for.
pub(super) fn apart<T: Send>(
    work: impl FnOnce(&mut dyn FnMut(Progress)) -> Result<T, SnapshotError> + Send,
    progress: &mut dyn FnMut(Progress),
) -> Result<T, SnapshotError> {
    let (sender, reports) = mpsc::sync_channel(0);
    std::thread::scope(|scope| {
        let work = move || {
            lower_priority();
            work(&mut |report| {
                // Somebody who listens no more does not stop the work.
                let _ = sender.send(report);
            })
        };
        let thread = std::thread::Builder::new().name("store-snapshot".to_owned()).spawn_scoped(scope, work);
        let thread = thread.map_err(|error| SnapshotError::Thread { error })?;
        reports.into_iter().for_each(progress);
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Lets the system write these octets of a file to the device by and by, so that the flush at the end finds little to do and is
/// short for others who flush. Says nothing about durability, so an error changes nothing.
pub(super) fn send_off(file: &File, from: u64, octets: u64) {
    if let Err(error) = rustix::fs::fadvise(file, from, NonZeroU64::new(octets), Advice::DontNeed) {
        tracing::debug!("written octets wait for their flush: {error}");
    }
}

/// Linux keeps this number for each thread. It cannot be raised again without a privilege, so the thread ends after.
fn lower_priority() {
    const LOWEST: i32 = 19;
    if let Err(error) = rustix::process::setpriority_process(None, LOWEST) {
        tracing::warn!("the snapshot runs at the priority of deliveries: {error}");
    }
}
