//! `facteur status`: how the server does, on one screen. What is not as it should be comes first, with what to do.

use clap::Args;
use server::operate::{EngineNow, ListenerNow, Status, StatusNow, StoreNow};

use super::{Place, age, ask, counted, moment, number, say_json, size};
use crate::Exit;
use crate::cli::Format;

/// Lines of a terminal, and of each list in it.
const WIDTH: usize = 80;
const LISTENERS_SHOWN: usize = 6;
/// Who made a certificate may have said that it has no end.
const CENTURY_S: i64 = 36_500 * 86_400;
const WARNINGS_SHOWN: usize = 7;

#[derive(Args)]
pub struct StatusArgs {
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &StatusArgs) -> Exit {
    let now = match ask(&args.place, "status", Status {}) {
        Ok(now) => now,
        Err(exit) => return exit,
    };
    match args.place.format {
        Format::Human => screen(&now).iter().for_each(|line| say!("{line}")),
        Format::Json => say_json("status", &now),
    }
    if now.warnings.is_empty() { Exit::Fine } else { Exit::PolicyErrors }
}

/// At most 24 lines of 80 characters.
fn screen(now: &StatusNow) -> Vec<String> {
    let mut lines = vec![
        format!("{}  facteur {}, process {}", now.institution, now.version, now.pid),
        format!("plan {}{}, serving for {}", now.plan, plan_state(now), age(now.at_s - now.since_s)),
    ];
    if now.twin {
        lines[0].insert_str(0, "TEST PLATFORM, no mail leaves: ");
    }
    lines.extend(warnings(now));
    lines.extend(listeners(&now.listeners));
    lines.push(labelled("engines", &engines(&now.engines)));
    lines.push(labelled("queue", &queue(now)));
    lines.push(labelled("store", &store(now)));
    lines.push(labelled("backup", &backup(now)));
    lines.push(labelled("certificates", &certificates(now)));
    lines.extend(now.directory.as_ref().map(|directory| {
        let fresh =
            directory.fresh_at_s.map_or("never read".to_owned(), |at_s| format!("read {} ago", age(now.at_s - at_s)));
        let words = [(directory.is_stale, ", STALE"), (directory.is_stopped, ", a sync waits")];
        let more: String = words.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
        labelled("directory", &format!("{fresh}{more}; {} of {} servers up", directory.servers_up, directory.servers))
    }));
    let cases = match now.compromise_cases {
        0 => "no open case".to_owned(),
        open => counted(open as u64, "open case", "open cases"),
    };
    lines.push(labelled("compromise", &cases));
    lines.iter().map(|line| cut(line)).collect()
}

fn plan_state(now: &StatusNow) -> String {
    let serial = if now.serial == 0 { String::new() } else { format!(" number {}", now.serial) };
    match now.trial_until_s {
        None if now.plan_unsigned => format!("{serial} confirmed, unsigned"),
        None => format!("{serial} confirmed"),
        Some(until_s) => format!("{serial} ON TRIAL for {} more", age(until_s - now.at_s)),
    }
}

/// The whole of each warning over two lines where it needs them: what to do must not be cut off.
fn warnings(now: &StatusNow) -> Vec<String> {
    if now.warnings.is_empty() {
        return vec!["all is well".to_owned()];
    }
    let mut lines = Vec::new();
    for warning in &now.warnings {
        let mut whole: Vec<String> = vec![format!("! {warning}")];
        if warning.chars().count() + 2 > WIDTH
            && let Some((what, remedy)) = warning.split_once(" -> ")
        {
            whole = vec![format!("! {what}"), format!("    -> {remedy}")];
        }
        if lines.len() + whole.len() > WARNINGS_SHOWN {
            lines.push("! and more: facteur status --format json".to_owned());
            break;
        }
        lines.extend(whole);
    }
    lines
}

fn listeners(all: &[ListenerNow]) -> Vec<String> {
    let one = |listener: &ListenerNow| {
        let open = match (listener.open, listener.addresses.is_empty()) {
            (true, _) => "open",
            (false, true) => "not here",
            (false, false) => "CLOSED",
        };
        let at = listener.addresses.join(" ");
        format!(
            "  {:<12} {:<6} {open:<8} {:>6} connections  {at}",
            listener.name, listener.speaks, listener.connections
        )
    };
    let mut lines: Vec<String> = all.iter().take(LISTENERS_SHOWN).map(one).collect();
    if all.len() > LISTENERS_SHOWN {
        lines.push(format!("  and {} more listeners", all.len() - LISTENERS_SHOWN));
    }
    lines
}

fn engines(all: &[EngineNow]) -> String {
    let one = |engine: &EngineNow| {
        let signatures = engine.signatures_s.and_then(|s| i64::try_from(s).ok()).map(age);
        let signatures = signatures.map(|age| format!(", signatures {age} old")).unwrap_or_default();
        format!("{} {}{signatures}", engine.name, if engine.up { "up" } else { "DOWN" })
    };
    let told: Vec<String> = all.iter().map(one).collect();
    if told.is_empty() { "none".to_owned() } else { told.join("; ") }
}

fn queue(now: &StatusNow) -> String {
    let queue = &now.queue;
    let oldest = queue.oldest_s.map(|at_s| format!(", the oldest for {}", age(now.at_s - at_s))).unwrap_or_default();
    let (down, blocked) = (queue.destinations_down, queue.destinations_blocked);
    let destinations = format!("; destinations: {down} down, {blocked} refuse us");
    let waits = match queue.messages {
        0 => "nothing waits".to_owned(),
        1 => "1 waits".to_owned(),
        messages => format!("{} wait", number(messages)),
    };
    format!("{waits}{oldest}{}", if down + blocked > 0 { destinations } else { String::new() })
}

fn store(now: &StatusNow) -> String {
    let store = &now.store;
    let state = if store.read_only { "READ-ONLY, " } else { "" };
    let verified = match (store.findings, store.verified_s) {
        (0, Some(at_s)) => format!("found sound {} ago", age(now.at_s - at_s)),
        (0, None) => "never verified yet".to_owned(),
        (1, _) => "DAMAGED, 1 finding".to_owned(),
        (findings, _) => format!("DAMAGED, {} findings", number(findings)),
    };
    format!(
        "{state}{} free of {}, {verified}, format {}",
        size(store.free_octets),
        size(store.size_octets),
        store_format(store)
    )
}

/// Of the file, and what this program writes where that is another.
pub(super) fn store_format(store: &StoreNow) -> String {
    match (store.format, store.format_written) {
        (file, program) if file == program || program == 0 => file.to_string(),
        (file, program) => format!("{file} (program: {program})"),
    }
}

fn backup(now: &StatusNow) -> String {
    match (now.backup_wanted, now.backup_s) {
        (false, _) => "the plan wants none".to_owned(),
        (true, None) => "none yet".to_owned(),
        (true, Some(at_s)) => format!("{} ago, {}", age(now.at_s - at_s), moment(at_s)),
    }
}

fn certificates(now: &StatusNow) -> String {
    let one = |certificate: &server::operate::CertificateNow| {
        let own = if certificate.self_signed { " SELF-SIGNED" } else { "" };
        match certificate.until_s - now.at_s {
            CENTURY_S.. => format!("{} does not end{own}", certificate.name),
            left if left > 0 => format!("{} {} left{own}", certificate.name, age(left)),
            _ => format!("{} ENDED{own}", certificate.name),
        }
    };
    let mut all: Vec<_> = now.certificates.iter().collect();
    all.sort_by_key(|certificate| certificate.until_s);
    all.into_iter().map(one).collect::<Vec<_>>().join("; ")
}

fn labelled(label: &str, text: &str) -> String {
    format!("{label:<13}{text}")
}

/// What does not fit ends with `…`. Names come from the plan: a control character in one does nothing here.
fn cut(line: &str) -> String {
    let line: String = line.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    if line.chars().count() <= WIDTH {
        return line;
    }
    line.chars().take(WIDTH - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use server::operate::{CertificateNow, DirectoryNow, QueueNow};

    use super::*;

    fn busy() -> StatusNow {
        let listener = |name: String| ListenerNow {
            name,
            speaks: "smtp".to_owned(),
            addresses: vec!["192.0.2.25:25".to_owned(), "[2001:db8::25]:25".to_owned()],
            open: true,
            connections: 12_000,
        };
        StatusNow {
            version: "0.1.0".to_owned(),
            pid: 4_194_304,
            institution: "Université de Nantes".to_owned(),
            plan: "q7k3m2xw".to_owned(),
            serial: 12,
            trial_until_s: Some(1_000_060),
            since_s: 10,
            at_s: 1_000_000,
            listeners: (0..12).map(|number| listener(format!("listener-{number}"))).collect(),
            engines: vec![EngineNow {
                name: "clamav".to_owned(),
                up: false,
                signatures_s: Some(90_000),
                ..EngineNow::default()
            }],
            queue: QueueNow {
                messages: 12_345,
                oldest_s: Some(900_000),
                destinations_blocked: 2,
                destinations_down: 3,
            },
            store: StoreNow { free_octets: 7 << 30, size_octets: 1 << 40, format: 6, ..StoreNow::default() },
            backup_s: Some(900_000),
            backup_wanted: true,
            certificates: vec![CertificateNow { name: "default".to_owned(), until_s: 2_000_000, self_signed: true }],
            directory: Some(DirectoryNow { servers: 2, ..DirectoryNow::default() }),
            compromise_cases: 3,
            warnings: (0..20)
                .map(|n| format!("CRITICAL backup: number {n}, {} -> facteur backup now", "long ".repeat(15)))
                .collect(),
            ..StatusNow::default()
        }
    }

    #[test]
    fn the_worst_of_days_fits_on_a_terminal() {
        let lines = screen(&busy());
        assert!(lines.len() <= 24, "{}", lines.join("\n"));
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{}", lines.join("\n"));
        assert!(lines[1].starts_with("plan q7k3m2xw number 12 ON TRIAL for 60 s more"), "{}", lines[1]);
        assert!(
            lines[2].starts_with("! CRITICAL backup") && lines[3].ends_with("-> facteur backup now"),
            "{}",
            lines[2]
        );
        assert!(lines.iter().any(|line| line.starts_with("queue        12,345 wait, the oldest for 28 h")));
    }

    #[test]
    fn a_test_platform_a_later_format_and_a_certificate_without_end_are_told() {
        let mut now = busy();
        now.twin = true;
        now.store.format = 7;
        now.store.format_written = 6;
        now.certificates[0].until_s = 253_402_300_799;
        now.warnings.clear();
        let screen = screen(&now).join("\n");
        for words in ["TEST PLATFORM, no mail leaves: Univ", "format 7 (program: 6)", "default does not end"] {
            assert!(screen.contains(words), "{words}\n{screen}");
        }
        now.store.format = 6;
        assert_eq!(store_format(&now.store), "6");
    }

    #[test]
    fn names_do_nothing_to_the_terminal() {
        let mut now = busy();
        now.institution = "a\u{1b}[2Jb".to_owned();
        assert!(screen(&now).iter().all(|line| !line.chars().any(char::is_control)));
    }
}
