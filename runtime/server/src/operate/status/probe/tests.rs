use super::*;
use crate::operate::status::{CertificateNow, DirectoryNow, EngineNow, ListenerNow, QueueNow, StoreNow, UnboundNow};

const NOW_S: i64 = 1_800_000_000;
const HOUR: i64 = 3_600;

/// A server with which all is well.
fn well() -> StatusNow {
    let listener = |name: &str, speaks: &str| ListenerNow {
        name: name.to_owned(),
        speaks: speaks.to_owned(),
        addresses: vec!["192.0.2.1:25".to_owned()],
        open: true,
        connections: 2,
    };
    StatusNow {
        plan: "q7k3m2xw".to_owned(),
        since_s: NOW_S - 10 * HOUR,
        at_s: NOW_S,
        listeners: vec![listener("mx", "smtp"), listener("imaps", "imaps")],
        engines: vec![EngineNow {
            name: "clamav".to_owned(),
            up: true,
            signatures_s: Some(3_600),
            ..EngineNow::default()
        }],
        store: StoreNow { free_octets: 60, size_octets: 100, ..StoreNow::default() },
        backup_s: Some(NOW_S - 5 * HOUR),
        backup_wanted: true,
        certificates: vec![CertificateNow {
            name: "default".to_owned(),
            until_s: NOW_S + 60 * 24 * HOUR,
            self_signed: false,
        }],
        ..StatusNow::default()
    }
}

fn line(probe: Probe, now: &StatusNow) -> String {
    judge(probe, now, probe.limits()).to_string()
}

#[test]
fn nothing_warns_of_a_server_with_which_all_is_well() {
    let now = well();
    assert_eq!(warnings(&now), Vec::<String>::new());
    assert_eq!(line(Probe::Backup, &now), "BACKUP OK - the newest is 5 h old | 'age'=18000s;93600;180000;0");
    assert_eq!(line(Probe::Disk, &now), "DISK OK - 60 % free | 'free'=60%;10;5;0 'free_octets'=60B;;;0");
}

type Change = fn(&mut StatusNow);

#[test]
fn each_trouble_has_its_level_and_its_words() {
    let table: [(Probe, Change, Level, &str); 19] = [
        (Probe::Smtp, |now| now.listeners[0].open = false, Level::Critical, "closed: mx"),
        (Probe::Imaps, |now| now.listeners[1].addresses.clear(), Level::Critical, "nothing listens"),
        (
            Probe::Queue,
            |now| now.queue = QueueNow { messages: 3, oldest_s: Some(NOW_S - 5 * HOUR), ..QueueNow::default() },
            Level::Warning,
            "3 messages wait, the oldest for 5 h",
        ),
        (Probe::Queue, |now| now.queue.destinations_blocked = 1, Level::Warning, "1 destinations refuse this server"),
        (
            Probe::Scanners,
            |now| {
                now.engines[0] =
                    EngineNow { name: "clamav".to_owned(), down_since_s: Some(NOW_S - 90), ..EngineNow::default() }
            },
            Level::Critical,
            "1 of 1 give no verdict: clamav for 90 s",
        ),
        (Probe::Signatures, |now| now.engines[0].signatures_s = Some(30 * 3_600), Level::Warning, "30 h old"),
        (
            Probe::Signatures,
            |now| now.engines[0].signatures_at_most_s = Some(60),
            Level::Warning,
            "older than the policy wants: clamav",
        ),
        (Probe::Backup, |now| now.backup_s = Some(NOW_S - 30 * HOUR), Level::Warning, "30 h old"),
        (
            Probe::Backup,
            |now| {
                now.backup_s = None;
                now.since_s = NOW_S - 60 * HOUR;
            },
            Level::Critical,
            "there is none yet",
        ),
        (Probe::Disk, |now| now.store.read_only = true, Level::Critical, "nothing new is taken"),
        (Probe::Disk, |now| now.store.free_octets = 7, Level::Warning, "7 % free"),
        (Probe::Certificate, |now| now.certificates[0].until_s = NOW_S - 1, Level::Critical, "default has ended"),
        (Probe::Certificate, |now| now.certificates[0].self_signed = true, Level::Warning, "self-signed: default"),
        (Probe::Plan, |now| now.trial_until_s = Some(NOW_S + 60), Level::Warning, "on trial for 60 s more"),
        (Probe::Plan, |now| now.plan_key_alarm = true, Level::Critical, "keys were replaced"),
        (Probe::Store, |now| now.store.findings = 2, Level::Critical, "2 findings"),
        (
            Probe::Directory,
            |now| now.directory = Some(DirectoryNow { is_stale: true, ..DirectoryNow::default() }),
            Level::Critical,
            "stale, nobody was ever read",
        ),
        (Probe::Compromise, |now| now.compromise_cases = 1, Level::Warning, "1 account looks stolen"),
        (Probe::Process, |now| now.loops_stopped = vec!["night".to_owned()], Level::Critical, "has ended: night"),
    ];
    table.into_iter().for_each(shown);
}

#[test]
fn a_plan_that_was_damaged_or_lost_its_signature_is_told() {
    let table: [(Probe, Change, Level, &str); 2] = [
        (
            Probe::Plan,
            |now| now.plans_damaged = vec!["plans/state.ron: damaged".to_owned()],
            Level::Critical,
            "plans were damaged: plans/state.ron",
        ),
        (Probe::Plan, |now| now.plan_signature = Some("E1001".to_owned()), Level::Critical, "do not hold: E1001"),
    ];
    table.into_iter().for_each(shown);
}

/// What a change shows, as a probe and as the one warning of the screen.
fn shown((probe, change, level, words): (Probe, Change, Level, &str)) {
    let mut now = well();
    change(&mut now);
    let probed = judge(probe, &now, probe.limits());
    assert_eq!(probed.level, level, "{probed}");
    assert!(probed.says.contains(words), "{probed}");
    let told = warnings(&now);
    assert_eq!(told.len(), 1, "one trouble, one warning: {told:?}");
    assert!(told[0].starts_with(level.word()) && told[0].contains(" -> "), "{told:?}");
}

#[test]
fn an_address_that_is_missing_is_told_with_its_listener_and_the_reason() {
    let mut now = well();
    now.unbound =
        vec![UnboundNow { listener: "portal".into(), address: "192.0.2.9:443".into(), why: "not here".into() }];
    let told = warnings(&now);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("CRITICAL addresses: portal cannot listen on 192.0.2.9:443: not here -> "), "{told:?}");
}

#[test]
fn a_certificate_made_not_to_end_does_not() {
    let mut now = well();
    now.certificates[0].until_s = 253_402_300_799;
    assert!(line(Probe::Certificate, &now).starts_with("CERTIFICATE OK - default does not end |"));
}

#[test]
fn secrets_that_do_not_open_are_told_with_what_to_do() {
    let mut now = well();
    now.secrets_closed = vec!["ldap".into(), "acme".into()];
    let told = warnings(&now);
    assert!(
        told.len() == 1 && told[0].starts_with("CRITICAL secrets: seal.key does not open ldap, acme -> "),
        "{told:?}"
    );
}

#[test]
fn the_worst_is_told_first() {
    let mut now = well();
    now.engines[0].signatures_s = Some(30 * 3_600);
    now.store.read_only = true;
    let told = warnings(&now);
    assert!(told[0].starts_with("CRITICAL disk") && told[1].starts_with("WARNING signatures"), "{told:?}");
}

#[test]
fn limits_of_whoever_asks_come_before_ours() {
    let now = well();
    let strict = Probe::Backup.limits().or(Limits { warn: Some(60.0), crit: Some(120.0) });
    assert_eq!(judge(Probe::Backup, &now, strict).level, Level::Critical);
    let lax = Probe::Disk.limits().or(Limits { warn: Some(70.0), crit: None });
    assert_eq!(judge(Probe::Disk, &now, lax).level, Level::Warning, "less is worse");
}

#[test]
fn words_cannot_end_the_line_or_begin_figures() {
    let probed = Probed {
        probe: Probe::Scanners,
        level: Level::Ok,
        says: "a|b\nc".to_owned(),
        figures: vec![Figure { name: "it's=x".to_owned(), value: 1.5, unit: String::new(), limits: Limits::default() }],
    };
    assert_eq!(probed.to_string(), "SCANNERS OK - a b c | 'itsx'=1.5;;;0");
}
