//! What a status means to each probe.

use super::{Figure, Level, Limits, Probe, Probed};
use crate::operate::status::{EngineNow, ListenerNow, StatusNow};

const DAY_S: f64 = 86_400.0;

/// What `probe` makes of `now` by `limits`.
pub fn judge(probe: Probe, now: &StatusNow, limits: Limits) -> Probed {
    let seen = match probe {
        Probe::Smtp => listening(now, &["smtp", "smtps", "lmtp"]),
        Probe::Imaps => listening(now, &["imap", "imaps", "pop3", "pop3s"]),
        Probe::Queue => queue(now),
        Probe::Scanners => scanners(now),
        Probe::Signatures => signatures(now),
        Probe::Backup => backup(now),
        Probe::Disk => disk(now),
        Probe::Certificate => certificate(now),
        Probe::Plan => plan(now),
        Probe::Store => store(now),
        Probe::Directory => directory(now),
        Probe::Compromise => compromise(now),
        Probe::Process => process(now),
    };
    let of_limits = seen.judged.as_ref().map(|figure| limits.level(figure.value, probe.less_is_worse()));
    let level = seen.level.max(of_limits.unwrap_or(Level::Ok));
    let judged = seen.judged.map(|figure| Figure { limits, ..figure });
    Probed { probe, level, says: seen.says, figures: judged.into_iter().chain(seen.others).collect() }
}

/// What was seen: as bad as it is whatever the limits say, and the figure those are about.
struct Seen {
    level: Level,
    says: String,
    judged: Option<Figure>,
    others: Vec<Figure>,
}

impl Seen {
    fn new(level: Level, says: impl Into<String>) -> Seen {
        Seen { level, says: says.into(), judged: None, others: Vec::new() }
    }

    fn by(self, judged: Figure) -> Seen {
        Seen { judged: Some(judged), ..self }
    }

    fn with(mut self, figure: Figure) -> Seen {
        self.others.push(figure);
        self
    }
}

fn figure(name: &str, value: f64, unit: &str) -> Figure {
    Figure { name: name.to_owned(), value, unit: unit.to_owned(), limits: Limits::default() }
}

fn age(now: &StatusNow, at_s: i64) -> f64 {
    now.at_s.saturating_sub(at_s).max(0) as f64
}

/// `45 s`, `12 min`, `31 h`, `9 days`.
pub(in crate::operate::status) fn told(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        s if s < 2.0 * DAY_S => format!("{:.0} h", s / 3_600.0),
        s => format!("{:.0} days", s / DAY_S),
    }
}

fn listening(now: &StatusNow, speaks: &[&str]) -> Seen {
    let all: Vec<&ListenerNow> = now.listeners.iter().filter(|one| speaks.contains(&one.speaks.as_str())).collect();
    // One without an address is not of this site.
    let here: Vec<&&ListenerNow> = all.iter().filter(|one| !one.addresses.is_empty()).collect();
    let closed: Vec<&str> = here.iter().filter(|one| !one.open).map(|one| one.name.as_str()).collect();
    let connections: u64 = here.iter().map(|one| one.connections).sum();
    let seen = match (here.is_empty(), closed.is_empty()) {
        (true, _) if all.is_empty() => Seen::new(Level::Ok, "the plan has no such listener"),
        (true, _) => Seen::new(Level::Critical, "nothing listens"),
        (false, true) => Seen::new(Level::Ok, format!("{} open, {connections} connections", here.len())),
        (false, false) => Seen::new(Level::Critical, format!("closed: {}", closed.join(", "))),
    };
    seen.with(figure("connections", connections as f64, ""))
}

fn queue(now: &StatusNow) -> Seen {
    let queue = &now.queue;
    let oldest = queue.oldest_s.map_or(0.0, |at_s| age(now, at_s));
    let says = match queue.messages {
        0 => "nothing waits".to_owned(),
        messages => format!("{messages} messages wait, the oldest for {}", told(oldest)),
    };
    let level = if queue.destinations_blocked > 0 { Level::Warning } else { Level::Ok };
    let says = match queue.destinations_blocked {
        0 => says,
        blocked => format!("{says}; {blocked} destinations refuse this server"),
    };
    Seen::new(level, says)
        .by(figure("oldest", oldest, "s"))
        .with(figure("messages", queue.messages as f64, ""))
        .with(figure("blocked", queue.destinations_blocked as f64, ""))
        .with(figure("down", queue.destinations_down as f64, ""))
}

fn scanners(now: &StatusNow) -> Seen {
    let down: Vec<&EngineNow> = now.engines.iter().filter(|engine| !engine.up).collect();
    let one = |engine: &&EngineNow| match engine.down_since_s {
        Some(since_s) => format!("{} for {}", engine.name, told(age(now, since_s))),
        None => engine.name.clone(),
    };
    let says = match (now.engines.len(), down.len()) {
        (0, _) => "the plan has no engine".to_owned(),
        (all, 0) => format!("{all} give verdicts"),
        (all, some) => {
            let names: Vec<String> = down.iter().map(one).collect();
            format!("{some} of {all} give no verdict: {}", names.join(", "))
        }
    };
    Seen::new(Level::Ok, says).by(figure("down", down.len() as f64, ""))
}

/// The policy may say how old signatures may grow: older is a warning whatever the limits are.
fn signatures(now: &StatusNow) -> Seen {
    let known: Vec<(&EngineNow, u64)> =
        now.engines.iter().filter_map(|engine| Some((engine, engine.signatures_s?))).collect();
    let late = |(engine, age_s): &&(&EngineNow, u64)| engine.signatures_at_most_s.is_some_and(|most| *age_s > most);
    let late: Vec<&str> = known.iter().filter(late).map(|(engine, _)| engine.name.as_str()).collect();
    let Some((oldest, age_s)) = known.iter().max_by_key(|(_, age_s)| *age_s) else {
        return Seen::new(Level::Ok, "no engine says how old they are");
    };
    let says = format!("the oldest are those of {}, {} old", oldest.name, told(*age_s as f64));
    let seen = match late.is_empty() {
        true => Seen::new(Level::Ok, says),
        false => Seen::new(Level::Warning, format!("{says}; older than the policy wants: {}", late.join(", "))),
    };
    known.iter().fold(seen.by(figure("oldest", *age_s as f64, "s")), |seen, (engine, age_s)| {
        seen.with(figure(&engine.name, *age_s as f64, "s"))
    })
}

fn backup(now: &StatusNow) -> Seen {
    if !now.backup_wanted {
        return Seen::new(Level::Ok, "the plan wants none");
    }
    match now.backup_s {
        Some(at_s) => Seen::new(Level::Ok, format!("the newest is {} old", told(age(now, at_s)))).by(figure(
            "age",
            age(now, at_s),
            "s",
        )),
        // The first one is made by night.
        None => Seen::new(Level::Ok, "there is none yet").by(figure("age", age(now, now.since_s), "s")),
    }
}

fn disk(now: &StatusNow) -> Seen {
    let store = &now.store;
    let free = figure("free_octets", store.free_octets as f64, "B");
    if store.read_only {
        return Seen::new(Level::Critical, "the device is full: nothing new is taken").with(free);
    }
    if store.size_octets == 0 {
        return Seen::new(Level::Unknown, "the file system does not say").with(free);
    }
    let percent = (store.free_octets as f64 / store.size_octets as f64 * 1_000.0).round() / 10.0;
    Seen::new(Level::Ok, format!("{percent} % free")).by(figure("free", percent, "%")).with(free)
}

/// A certificate made here may say that it has no end (RFC 5280 4.1.2.5).
const CENTURY_DAYS: f64 = 36_500.0;

fn certificate(now: &StatusNow) -> Seen {
    let Some(first) = now.certificates.iter().min_by_key(|one| one.until_s) else {
        return Seen::new(Level::Ok, "there is none");
    };
    let days = (first.until_s.saturating_sub(now.at_s) as f64 / DAY_S * 10.0).round() / 10.0;
    let says = match days {
        CENTURY_DAYS.. => format!("{} does not end", first.name),
        _ if days > 0.0 => format!("{} ends in {days} days", first.name),
        _ => format!("{} has ended", first.name),
    };
    let own: Vec<&str> = now.certificates.iter().filter(|one| one.self_signed).map(|one| one.name.as_str()).collect();
    let seen = match own.is_empty() {
        true => Seen::new(Level::Ok, says),
        false => Seen::new(Level::Warning, format!("{says}; self-signed: {}", own.join(", "))),
    };
    seen.by(figure("days", days, ""))
}

fn plan(now: &StatusNow) -> Seen {
    let name = match now.serial {
        0 => now.plan.clone(),
        serial => format!("{}, number {serial}", now.plan),
    };
    if now.plan_key_alarm {
        return Seen::new(
            Level::Critical,
            format!("{name}; its keys were replaced at the console: facteur key acknowledge"),
        );
    }
    if let Some(line) = now.plans_damaged.first() {
        let more = now.plans_damaged.iter().skip(1).map(|line| format!("; {line}")).collect::<String>();
        let says =
            format!("{name} is executed because plans were damaged: {line}{more}; see whether it is the right one");
        return Seen::new(Level::Critical, says);
    }
    if let Some(why) = &now.plan_signature {
        let says = format!("{name} is executed, and its signatures do not hold: {why}; deploy it signed again");
        return Seen::new(Level::Critical, says);
    }
    let taken = if now.plan_unsigned { "; plans are taken without a signature" } else { "" };
    match now.trial_until_s {
        None => Seen::new(Level::Ok, format!("{name} is executed{taken}")),
        Some(until_s) => {
            let left = until_s.saturating_sub(now.at_s).max(0) as f64;
            Seen::new(Level::Warning, format!("{name} is on trial for {} more", told(left))).with(figure(
                "trial_left",
                left,
                "s",
            ))
        }
    }
}

fn store(now: &StatusNow) -> Seen {
    let store = &now.store;
    if store.findings > 0 {
        let findings = if store.findings == 1 { "finding" } else { "findings" };
        return Seen::new(Level::Critical, format!("its verification has {} {findings}", store.findings)).with(figure(
            "findings",
            store.findings as f64,
            "",
        ));
    }
    match store.verified_s {
        Some(at_s) => Seen::new(Level::Ok, format!("found sound {} ago", told(age(now, at_s)))).by(figure(
            "verified",
            age(now, at_s),
            "s",
        )),
        // A server that begins has its first week.
        None => Seen::new(Level::Ok, "never verified yet").by(figure("verified", age(now, now.since_s), "s")),
    }
}

fn directory(now: &StatusNow) -> Seen {
    let Some(directory) = &now.directory else { return Seen::new(Level::Ok, "none is asked") };
    let fresh = directory.fresh_at_s.map(|at_s| age(now, at_s));
    let read = fresh.map_or_else(|| "nobody was ever read".to_owned(), |age_s| format!("read {} ago", told(age_s)));
    let up = format!("{} of {} servers without trouble", directory.servers_up, directory.servers);
    let seen = match (directory.is_stale, directory.is_stopped) {
        (true, _) => Seen::new(Level::Critical, format!("stale, {read}; {up}")),
        (false, true) => Seen::new(Level::Warning, format!("a sync waits for an operator; {up}")),
        (false, false) if directory.servers_up < directory.servers => {
            Seen::new(Level::Warning, format!("{read}; {up}"))
        }
        (false, false) => Seen::new(Level::Ok, format!("{read}; {up}")),
    };
    match fresh {
        Some(age_s) => seen.by(figure("age", age_s, "s")),
        None => seen,
    }
}

fn compromise(now: &StatusNow) -> Seen {
    let says = match now.compromise_cases {
        0 => "no case is open".to_owned(),
        1 => "1 account looks stolen".to_owned(),
        cases => format!("{cases} accounts look stolen"),
    };
    Seen::new(Level::Ok, says).by(figure("cases", now.compromise_cases as f64, ""))
}

fn process(now: &StatusNow) -> Seen {
    let panics = figure("panics", now.panics as f64, "");
    if !now.loops_stopped.is_empty() {
        let names = now.loops_stopped.join(", ");
        return Seen::new(Level::Critical, format!("work in the background has ended: {names}")).by(panics);
    }
    let says = match now.panics {
        0 => format!("runs for {}", told(age(now, now.since_s))),
        1 => "1 panic since it started".to_owned(),
        panics => format!("{panics} panics since it started"),
    };
    Seen::new(Level::Ok, says).by(panics).with(figure("running", age(now, now.since_s), "s"))
}
