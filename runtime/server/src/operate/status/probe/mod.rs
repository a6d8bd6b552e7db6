//! Probes: what a monitoring system asks one at a time, and what warnings are made of. Pure: a status in, a verdict out.

mod judge;
#[cfg(test)]
mod tests;

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

use super::StatusNow;

pub use judge::judge;

/// How bad it is; the number is the exit code of a plugin (Monitoring Plugins Development Guidelines, 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Ok = 0,
    Warning = 1,
    Critical = 2,
    Unknown = 3,
}

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probe {
    Smtp,
    Imaps,
    Queue,
    Scanners,
    Signatures,
    Backup,
    Disk,
    Certificate,
    Plan,
    Store,
    Directory,
    Compromise,
    Process,
}

/// From where on it is a warning, and critical; `None` where it never is. In the unit of the probe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    pub warn: Option<f64>,
    pub crit: Option<f64>,
}

/// A figure with its limits, as plugins print it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    pub name: String,
    pub value: f64,
    /// `s`, `B`, `%`, or nothing.
    pub unit: String,
    pub limits: Limits,
}

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probed {
    pub probe: Probe,
    pub level: Level,
    pub says: String,
    pub figures: Vec<Figure>,
}

const HOUR_S: f64 = 3_600.0;
const DAY_S: f64 = 24.0 * HOUR_S;

impl Probe {
    pub const ALL: [Probe; 13] = [
        Probe::Smtp,
        Probe::Imaps,
        Probe::Queue,
        Probe::Scanners,
        Probe::Signatures,
        Probe::Backup,
        Probe::Disk,
        Probe::Certificate,
        Probe::Plan,
        Probe::Store,
        Probe::Directory,
        Probe::Compromise,
        Probe::Process,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Probe::Smtp => "smtp",
            Probe::Imaps => "imaps",
            Probe::Queue => "queue",
            Probe::Scanners => "scanners",
            Probe::Signatures => "signatures",
            Probe::Backup => "backup",
            Probe::Disk => "disk",
            Probe::Certificate => "certificate",
            Probe::Plan => "plan",
            Probe::Store => "store",
            Probe::Directory => "directory",
            Probe::Compromise => "compromise",
            Probe::Process => "process",
        }
    }

    pub fn of(word: &str) -> Option<Probe> {
        Probe::ALL.into_iter().find(|probe| probe.word() == word)
    }

    /// What is looked at, and what the limits are about.
    pub fn about(self) -> &'static str {
        match self {
            Probe::Smtp => "listeners that take mail are open; limits: seconds to the greeting",
            Probe::Imaps => "listeners mail is read at are open; limits: seconds to the greeting",
            Probe::Queue => "what waits for other servers; limits: age of the oldest message in seconds",
            Probe::Scanners => "antivirus engines give verdicts; limits: engines that do not",
            Probe::Signatures => "signatures of the engines; limits: age of the oldest in seconds",
            Probe::Backup => "backups; limits: age of the newest in seconds",
            Probe::Disk => "room for the data folder; limits: percent that is free",
            Probe::Certificate => "certificates; limits: days until the first ends",
            Probe::Plan => "the plan that runs; limits: none, a trial is a warning",
            Probe::Store => "the store; limits: seconds since everything was recounted",
            Probe::Directory => "the directory people are read from; limits: seconds since everybody was read",
            Probe::Compromise => "accounts that look stolen; limits: cases that are open",
            Probe::Process => "the process; limits: panics since it started",
        }
    }

    /// What holds where nobody says otherwise.
    pub fn limits(self) -> Limits {
        let both = |warn: f64, crit: f64| Limits { warn: Some(warn), crit: Some(crit) };
        let warn = |warn: f64| Limits { warn: Some(warn), crit: None };
        match self {
            Probe::Smtp | Probe::Imaps => both(2.0, 10.0),
            Probe::Queue => both(4.0 * HOUR_S, 24.0 * HOUR_S),
            Probe::Scanners => both(1.0, 1.0),
            Probe::Signatures => both(DAY_S, 3.0 * DAY_S),
            Probe::Backup => both(26.0 * HOUR_S, 50.0 * HOUR_S),
            Probe::Disk => both(10.0, 5.0),
            Probe::Certificate => both(14.0, 3.0),
            Probe::Plan | Probe::Directory => Limits::default(),
            // By night all of it is read in a week.
            Probe::Store => warn(10.0 * DAY_S),
            Probe::Compromise | Probe::Process => warn(1.0),
        }
    }

    /// Is less worse?
    pub(super) fn less_is_worse(self) -> bool {
        matches!(self, Probe::Disk | Probe::Certificate)
    }

    /// What to do about it.
    pub fn remedy(self) -> &'static str {
        match self {
            Probe::Smtp | Probe::Imaps => "see the log for why the listener is closed",
            Probe::Queue => "facteur queue list",
            Probe::Scanners => "restart the engine; mail waits or passes as antivirus.engine_down says",
            Probe::Signatures => "see why the engine gets no updates (freshclam, proxy)",
            Probe::Backup => "facteur backup now; its error is in the log",
            Probe::Disk => "give the device room; full, nothing new is taken",
            Probe::Certificate => "renew it, or name another in site.ron",
            Probe::Plan => "facteur confirm; a plan on trial is undone by itself otherwise",
            Probe::Store => "facteur store verify",
            Probe::Directory => "facteur directory status",
            Probe::Compromise => "facteur compromise list",
            Probe::Process => "facteur doctor bundle FILE, restart, report it",
        }
    }
}

impl Level {
    pub fn word(self) -> &'static str {
        match self {
            Level::Ok => "OK",
            Level::Warning => "WARNING",
            Level::Critical => "CRITICAL",
            Level::Unknown => "UNKNOWN",
        }
    }
}

impl Limits {
    /// Where `value` stands. `less` is worse where that is said.
    pub fn level(self, value: f64, less: bool) -> Level {
        let beyond = |limit: Option<f64>| limit.is_some_and(|limit| if less { value <= limit } else { value >= limit });
        match (beyond(self.crit), beyond(self.warn)) {
            (true, _) => Level::Critical,
            (false, true) => Level::Warning,
            (false, false) => Level::Ok,
        }
    }

    /// Those of somebody who says them, else these.
    #[must_use]
    pub fn or(self, said: Limits) -> Limits {
        Limits { warn: said.warn.or(self.warn), crit: said.crit.or(self.crit) }
    }
}

/// What is not as it should be by the usual limits, the worst first, each with what to do.
pub fn warnings(now: &StatusNow) -> Vec<String> {
    let mut found: Vec<Probed> = Probe::ALL.into_iter().map(|probe| judge(probe, now, probe.limits())).collect();
    found.retain(|probed| matches!(probed.level, Level::Warning | Level::Critical));
    found.sort_by(|a, b| b.level.cmp(&a.level).then(a.probe.cmp(&b.probe)));
    let line = |probed: &Probed| {
        format!("{} {}: {} -> {}", probed.level.word(), probed.probe.word(), probed.says, probed.probe.remedy())
    };
    let unbound = now.unbound.iter().map(|it| {
        let (name, address, why) = (&it.listener, &it.address, &it.why);
        format!("CRITICAL addresses: {name} cannot listen on {address}: {why} -> give this machine the address, or mend site.ron")
    });
    let closed = now.secrets_closed.join(", ");
    let closed = (!closed.is_empty()).then(|| {
        format!(
            "CRITICAL secrets: seal.key does not open {closed} -> put the seal.key they were sealed with back and restart, or give \
             them again (console 5)"
        )
    });
    closed.into_iter().chain(unbound).chain(found.iter().map(line)).collect()
}

impl fmt::Display for Probed {
    /// One line with performance data behind a bar (guidelines 2.6).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let says: String = self.says.chars().map(|c| if c == '|' || c.is_control() { ' ' } else { c }).collect();
        write!(f, "{} {} - {says}", self.probe.word().to_uppercase(), self.level.word())?;
        let mut figures = String::new();
        for figure in &self.figures {
            let limit = |limit: Option<f64>| limit.map(|limit| limit.to_string()).unwrap_or_default();
            let (warn, crit) = (limit(figure.limits.warn), limit(figure.limits.crit));
            // A label with a blank, quote or equals sign has to be quoted; ours are names of the plan at most.
            let label: String = figure.name.chars().filter(|c| !matches!(c, '\'' | '=' | '|')).collect();
            let _ = write!(figures, " '{label}'={}{};{warn};{crit};0", figure.value, figure.unit);
        }
        if figures.is_empty() { Ok(()) } else { write!(f, " |{figures}") }
    }
}
