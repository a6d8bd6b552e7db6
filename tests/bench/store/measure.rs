//! What a process costs, as the kernel counts it, and how figures become one.

use std::time::{Duration, Instant};

/// What the process or a thread of it has cost so far, or between two moments.
#[derive(Clone, Copy, Default)]
pub struct Cost {
    /// User and system time; the kernel counts in hundredths of a second.
    pub cpu_us: u64,
    /// Octets it made the system write to devices.
    pub written_octets: u64,
}

impl Cost {
    pub fn of_process() -> Cost {
        Cost::of("/proc/self")
    }

    /// Of all threads with this name.
    pub fn of_threads(name: &str) -> Cost {
        let mut sum = Cost::default();
        for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
            let folder = task.path();
            if std::fs::read_to_string(folder.join("comm")).is_ok_and(|comm| comm.trim() == name) {
                let cost = Cost::of(&folder.to_string_lossy());
                sum.cpu_us += cost.cpu_us;
                sum.written_octets += cost.written_octets;
            }
        }
        sum
    }

    fn of(folder: &str) -> Cost {
        let stat = std::fs::read_to_string(format!("{folder}/stat")).unwrap_or_default();
        let after_name: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| after_name.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        let written_octets = field(&format!("{folder}/io"), "write_bytes:");
        Cost { cpu_us: (ticks(11) + ticks(12)) * 10_000, written_octets }
    }

    pub fn since(self, before: Cost) -> Cost {
        Cost {
            cpu_us: self.cpu_us.saturating_sub(before.cpu_us),
            written_octets: self.written_octets.saturating_sub(before.written_octets),
        }
    }
}

/// Begins a new peak of memory.
pub fn forget_peak() {
    // Where the kernel does not allow it, the peak is that of the whole run.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The most memory of this process since the peak was forgotten, in MiB.
pub fn peak_mib() -> f64 {
    field("/proc/self/status", "VmHWM:") as f64 / 1024.0
}

fn field(file: &str, key: &str) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The middle one; of an even number the mean of the two in the middle. 0 of none.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    match figures.len() {
        0 => 0.0,
        n if n % 2 == 1 => figures[n / 2],
        n => (figures[n / 2 - 1] + figures[n / 2]) / 2.0,
    }
}

/// `share` of the sorted figures are at most this.
pub fn percentile(sorted: &[u32], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().map_or(0.0, f64::from)
}

/// How long one call takes.
pub fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let started = Instant::now();
    let result = work();
    (started.elapsed(), result)
}

/// The median of `rounds` calls, in milliseconds.
pub fn median_ms(rounds: u64, mut work: impl FnMut()) -> f64 {
    median((0..rounds).map(|_| timed(&mut work).0.as_secs_f64() * 1e3).collect())
}
