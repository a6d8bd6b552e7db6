//! The machine and the data folder, looked at from here while the server works: clock, disk, permissions, limits.

use std::fs::{self, read_to_string};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use server::operate::{Status, StatusNow};
use server::zone::{Finding, Standing};

use crate::commands::live::called;
use crate::commands::unix_s;

/// Files for every connection the server may have, and its own.
const FILES_WANTED: u64 = 12_256;
/// Connections the kernel keeps for a listener.
const BACKLOG_WANTED: u64 = 1_024;
/// Before this program was written no clock is right (2026-01-01).
const CLOCK_FLOOR_S: i64 = 1_767_225_600;
const MEMORY_WANTED_KIB: u64 = 256 * 1_024;

/// Everything that is looked at.
pub fn findings(data: &Path) -> Vec<Finding> {
    let status = called(data, Status {});
    let mut findings = of_machine(data, status.as_ref().ok());
    if let Ok(now) = &status {
        let warning = |warning: &String| {
            let (what, says) = warning.split_once(": ").unwrap_or(("server", warning));
            // The level is said by the standing.
            let levels = ["WARNING ", "CRITICAL ", "UNKNOWN "];
            let what = levels.iter().find_map(|level| what.strip_prefix(level)).unwrap_or(what);
            Finding::new(Standing::Bad, what.to_owned(), says.to_owned())
        };
        findings.extend(now.warnings.iter().map(warning));
    }
    findings
}

/// What is seen from here, without what the server says of itself: that may name people.
pub fn of_machine(data: &Path, now: Option<&StatusNow>) -> Vec<Finding> {
    let mut findings = vec![clock(), zone(), kept_clock()];
    findings.extend(folder(data));
    findings.push(owner(data, now));
    findings.extend(disk(data));
    findings.extend(now.map(|now| limits(now.pid)).unwrap_or_default());
    findings.extend([backlog(), memory(), journal()]);
    findings
}

/// `BAD  what: why`.
pub fn line(finding: &Finding) -> String {
    let word = match finding.standing {
        Standing::Ok => "ok",
        Standing::Missing => "MISSING",
        Standing::Different => "DIFFERENT",
        Standing::Bad => "BAD",
        Standing::Unknown => "UNKNOWN",
    };
    match finding.says.as_str() {
        "" => format!("{word:<9} {}", finding.what),
        says => format!("{word:<9} {}: {says}", finding.what),
    }
}

fn bad(what: &str, says: impl Into<String>) -> Finding {
    Finding::new(Standing::Bad, what, says)
}

fn judged(what: &str, well: bool, says: impl FnOnce() -> String) -> Finding {
    if well { Finding::ok(what) } else { bad(what, says()) }
}

fn clock() -> Finding {
    judged("clock", unix_s() >= CLOCK_FLOOR_S, || format!("it says {}, before this program was written", unix_s()))
}

/// The program brings its own time zones: nights and days of a plan are reckoned by them.
fn zone() -> Finding {
    match jiff::tz::TimeZone::get("Europe/Paris") {
        Ok(_) => Finding::ok("time zones"),
        Err(error) => bad("time zones", error.to_string()),
    }
}

/// Does anybody set the clock?
fn kept_clock() -> Finding {
    let signs = ["/run/systemd/timesync/synchronized", "/run/chrony/chronyd.pid", "/run/chronyd.pid", "/run/ntpd.pid"];
    if signs.iter().any(|sign| Path::new(sign).exists()) {
        return Finding::ok("clock is kept");
    }
    let says = "no sign of systemd-timesyncd, chrony or ntpd; fine where the hypervisor keeps it";
    Finding::new(Standing::Unknown, "clock is kept", says)
}

/// Mail, keys and the socket are the server's alone.
fn folder(data: &Path) -> Vec<Finding> {
    let what = data.display().to_string();
    let folder = match fs::metadata(data) {
        Ok(folder) => folder,
        Err(error) => return vec![Finding::new(Standing::Missing, what, error.to_string())],
    };
    let mut findings = vec![private(&what, &folder)];
    for name in ["seal.key", "control.sock", "lock", "segments", "snapshots"] {
        let path = data.join(name);
        let Ok(file) = fs::metadata(&path) else { continue };
        let what = path.display().to_string();
        if file.uid() != folder.uid() {
            findings.push(bad(&what, format!("of uid {}, the folder of uid {}", file.uid(), folder.uid())));
        }
        // In a folder others cannot enter, only these would still do harm after a copy.
        if matches!(name, "seal.key" | "control.sock") {
            findings.push(private(&what, &file));
        }
    }
    findings
}

fn private(what: &str, file: &fs::Metadata) -> Finding {
    let mode = file.permissions().mode() & 0o777;
    judged(&format!("permissions of {what}"), mode & 0o077 == 0, || format!("mode {mode:o}: others may enter"))
}

/// Who has the folder, and does it answer?
fn owner(data: &Path, now: Option<&StatusNow>) -> Finding {
    let what = "server answers";
    if now.is_some() {
        return Finding::ok(what);
    }
    let pid = read_to_string(data.join("lock")).ok().and_then(|text| text.trim().parse::<u32>().ok());
    let Some(pid) = pid else { return Finding::new(Standing::Missing, what, "none runs on this folder") };
    if Path::new(&format!("/proc/{pid}")).exists() {
        return bad(what, format!("process {pid} has the folder and does not answer this user, or has not begun to"));
    }
    let socket =
        if data.join("control.sock").exists() { " and left its socket; the next start replaces both" } else { "" };
    Finding::new(Standing::Missing, what, format!("none runs: process {pid} had the folder last{socket}"))
}

fn disk(data: &Path) -> Vec<Finding> {
    let Ok(stat) = rustix::fs::statvfs(data) else { return Vec::new() };
    let percent = |free: u64, all: u64| free.saturating_mul(100).checked_div(all);
    // What is kept for root is nobody's here.
    let usable = stat.f_blocks.saturating_sub(stat.f_bfree).saturating_add(stat.f_bavail);
    let room = percent(stat.f_bavail, usable).unwrap_or(100);
    // Some file systems make files as they are needed, and count none.
    let files = percent(stat.f_favail, stat.f_files).unwrap_or(100);
    vec![
        judged("room on the device", room >= 10, || format!("{room} % is free")),
        judged("files on the device", files >= 5, || format!("{files} % of the inodes are free")),
    ]
}

/// What the system lets the process do.
fn limits(pid: u32) -> Vec<Finding> {
    let limits = read_to_string(format!("/proc/{pid}/limits")).unwrap_or_default();
    let of = |name: &str| {
        let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().next().map(str::to_owned)
    };
    let number = |text: String| if text == "unlimited" { u64::MAX } else { text.parse().unwrap_or(0) };
    let Some(files) = of("Max open files").map(number) else {
        return vec![Finding::new(Standing::Unknown, "limits of the server", "the system does not show them")];
    };
    let core = of("Max core file size").map_or(0, number);
    vec![
        judged("open files", files >= FILES_WANTED, || {
            format!("{files} are allowed, {FILES_WANTED} would not bound connections: LimitNOFILE of the unit")
        }),
        judged("core files", core == 0, || "one would have mail and keys in it: LimitCORE=0 in the unit".to_owned()),
    ]
}

fn backlog() -> Finding {
    let kept = number_in("/proc/sys/net/core/somaxconn");
    judged("net.core.somaxconn", kept.is_none_or(|kept| kept >= BACKLOG_WANTED), || {
        format!("{} connections wait at most, {BACKLOG_WANTED} are wanted", kept.unwrap_or(0))
    })
}

fn memory() -> Finding {
    let text = read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let available = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok());
    judged("memory", available.is_none_or(|kib| kib >= MEMORY_WANTED_KIB), || {
        format!("{} MiB are available", available.unwrap_or(0) / 1_024)
    })
}

fn journal() -> Finding {
    let what = "journal";
    if Path::new("/run/systemd/journal/socket").exists() {
        return Finding::ok(what);
    }
    Finding::new(Standing::Unknown, what, "none on this machine: log lines go to standard error")
}

fn number_in(path: &str) -> Option<u64> {
    read_to_string(path).ok()?.trim().parse().ok()
}

/// Facts of this machine, a line each.
pub fn machine(data: &Path) -> String {
    let read = |path: &str| read_to_string(path).unwrap_or_default().trim().replace('\n', "; ");
    let mut text = format!("facteur {}\nexecutable built for {}\n", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    for path in [
        "/proc/sys/kernel/osrelease",
        "/proc/uptime",
        "/proc/loadavg",
        "/proc/pressure/io",
        "/proc/pressure/memory",
        "/proc/sys/fs/file-nr",
        "/proc/sys/net/core/somaxconn",
        "/proc/sys/net/ipv4/ip_local_port_range",
        "/proc/sys/net/ipv4/tcp_max_syn_backlog",
        "/proc/sys/vm/overcommit_memory",
        "/proc/sys/vm/swappiness",
        "/proc/sys/kernel/core_pattern",
    ] {
        text += &format!("{path}: {}\n", read(path));
    }
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    text += &format!("processors: {processors}\n");
    for line in read_to_string("/proc/meminfo").unwrap_or_default().lines().take(6) {
        text += &format!("{line}\n");
    }
    if let Ok(stat) = rustix::fs::statvfs(data) {
        text += &format!(
            "data folder: {} of {} blocks of {} octets free, {} of {} inodes free\n",
            stat.f_bavail, stat.f_blocks, stat.f_frsize, stat.f_favail, stat.f_files
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_others_may_enter_and_one_that_is_not_there_are_found() {
        let folder = std::env::temp_dir().join(format!("facteur-doctor-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("seal.key"), b"k").unwrap();
        let standings = |mode: u32| {
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
            fs::set_permissions(folder.join("seal.key"), fs::Permissions::from_mode(mode)).unwrap();
            super::folder(&folder).into_iter().map(|finding| finding.standing).collect::<Vec<_>>()
        };
        assert_eq!(standings(0o700), [Standing::Ok, Standing::Ok]);
        assert_eq!(standings(0o750), [Standing::Bad, Standing::Bad]);
        fs::write(folder.join("lock"), format!("{}\n", std::process::id())).unwrap();
        assert!(owner(&folder, None).says.contains("does not answer"));
        fs::write(folder.join("lock"), "4194399\n").unwrap();
        assert!(owner(&folder, None).says.starts_with("none runs: process 4194399"));
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(super::folder(&folder)[0].standing, Standing::Missing);
    }

    #[test]
    fn this_process_has_limits_and_this_machine_facts() {
        assert_eq!(limits(std::process::id()).len(), 2);
        assert!(machine(Path::new("/")).contains("/proc/sys/kernel/osrelease: "));
    }
}
