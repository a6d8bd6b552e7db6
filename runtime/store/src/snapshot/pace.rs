//! How a snapshot keeps out of the way of deliveries: it works in short slices, rests after each, and its thread runs at
//! the lowest priority, so that a waiting thread of the server gets the processor first.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::{Progress, SnapshotError};

/// How much of the time a snapshot works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Of each hundred units of time, how many are work; 1 to 100.
    pub share_percent: u8,
    /// How long it works between two rests.
    pub slice: Duration,
}

impl Pace {
    /// For a server that works meanwhile.
    pub const GENTLE: Pace = Pace { share_percent: 25, slice: Duration::from_millis(2) };
    /// For a store nobody else uses.
    pub const FULL: Pace = Pace { share_percent: 100, slice: Duration::from_millis(2) };
}

/// A flush on a busy device may take long; nobody is helped by a rest of minutes after it.
const REST_MAX: Duration = Duration::from_millis(500);

/// Rests when it is time to.
pub(super) struct Pacer {
    pace: Pace,
    since: Instant,
}

impl Pacer {
    /// For the thread that works from now on.
    pub(super) fn start(pace: Pace) -> Pacer {
        Pacer { pace, since: Instant::now() }
    }

    /// Called between small pieces of work.
    pub(super) fn rest(&mut self) {
        let share = u32::from(self.pace.share_percent.clamp(1, 100));
        let worked = self.since.elapsed();
        if share == 100 || worked < self.pace.slice {
            return;
        }
        std::thread::sleep((worked * (100 - share) / share).min(REST_MAX));
        self.since = Instant::now();
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

/// Linux keeps this number for each thread. It cannot be raised again without a privilege, so the thread ends after.
fn lower_priority() {
    const LOWEST: i32 = 19;
    if let Err(error) = rustix::process::setpriority_process(None, LOWEST) {
        tracing::warn!("the snapshot runs at the priority of deliveries: {error}");
    }
}
