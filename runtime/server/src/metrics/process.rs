//! Metrics of the process as Linux tells them, and of what is counted without a server. Zeros where there is no `/proc`.

use std::fs::read_to_string;

use crate::logs;

type Read = fn() -> f64;

/// Name, type, help, value.
pub(super) const PROCESS: [(&str, &str, &str, Read); 12] = [
    ("facteur_panics_total", "counter", "Panics of this process.", || super::panics() as f64),
    ("facteur_syslog_sent_total", "counter", "Log lines handed to the syslog server.", || logs::counts().sent as f64),
    (
        "facteur_syslog_dropped_total",
        "counter",
        "Log lines the syslog server did not get, because too many waited for it.",
        || logs::counts().dropped as f64,
    ),
    ("facteur_syslog_up", "gauge", "1 while there is a connection to the syslog server.", || {
        f64::from(u8::from(logs::counts().up))
    }),
    ("facteur_journal_dropped_total", "counter", "Log lines the journal did not take.", || {
        logs::counts().journal_dropped as f64
    }),
    ("process_resident_memory_bytes", "gauge", "Memory in use.", || status_octets("VmRSS:")),
    ("facteur_resident_memory_peak_bytes", "gauge", "Most memory ever in use.", || status_octets("VmHWM:")),
    ("process_virtual_memory_bytes", "gauge", "Address space in use.", || status_octets("VmSize:")),
    ("process_open_fds", "gauge", "Files that are open.", open_files),
    ("process_max_fds", "gauge", "Files that may be open.", files_max),
    ("process_cpu_seconds_total", "counter", "Time on processors, of user and system.", cpu_s),
    ("process_start_time_seconds", "gauge", "When the process began.", started_s),
];

/// `/proc` counts in hundredths of a second, on every Linux (USER_HZ).
const TICKS_PER_S: f64 = 100.0;

fn status_octets(field: &str) -> f64 {
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field));
    let kib = line.and_then(|line| line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0);
    (kib * 1_024) as f64
}

fn open_files() -> f64 {
    std::fs::read_dir("/proc/self/fd").map_or(0.0, |files| files.count() as f64)
}

fn files_max() -> f64 {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current.map_or(0.0, |max| max as f64)
}

/// A field of `/proc/self/stat` as proc(5) counts them; the name of the program, with whatever is in it, is the second.
fn stat(field: usize) -> f64 {
    let stat = read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, after)| after);
    after_name.split_ascii_whitespace().nth(field - 3).and_then(|text| text.parse().ok()).unwrap_or(0.0)
}

fn cpu_s() -> f64 {
    (stat(14) + stat(15)) / TICKS_PER_S
}

fn started_s() -> f64 {
    let system = read_to_string("/proc/stat").unwrap_or_default();
    let booted = system.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<f64>().ok());
    booted.map_or(0.0, |booted| booted + stat(22) / TICKS_PER_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_of_this_process() {
        assert!(status_octets("VmRSS:") > 1e6 && status_octets("VmHWM:") >= status_octets("VmRSS:") * 0.5);
        assert!(open_files() >= 3.0 && files_max() >= open_files());
        let now_s = crate::clock::unix_s() as f64;
        assert!((now_s - 86_400.0..=now_s + 5.0).contains(&started_s()), "{} of {now_s}", started_s());
        assert!(cpu_s() < 86_400.0);
    }
}
