//! E0705, E0706 and L0711: each scanner on its own, and against the others.

use std::collections::BTreeMap;

use plan::{Does, Window};

use super::extended;
use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::Switch;
use crate::model::scan::{At, Scanner, Updates};
use crate::syntax::{Entries, Spanned};

/// Signatures may be this old before somebody is warned: `AtLeast("2 / 1 day")`.
const AGE_S_MAX: u64 = 43_200;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(scanners) = subject.policy.scanners.seen() else { return };
    twins(subject, scanners, sink);
    for (name, scanner) in scanners.iter() {
        direction_of_score(subject, name, scanner, sink);
    }
    let antivirus = subject.policy.antivirus.seen().and_then(Switch::on);
    for engine in antivirus.into_iter().flat_map(|antivirus| antivirus.engines.iter()) {
        if let Some(scanner) = scanners.get(engine.value.as_str()).filter(|scanner| scanner.does == Does::Antivirus) {
            age(subject, engine, scanner, sink);
        }
    }
}

/// How a scanner is reached: the word and the address.
fn door(at: &At) -> (&'static str, String) {
    match at {
        At::Icap(endpoint) => ("Icap", endpoint.0.clone()),
        At::Clamd(place) => ("Clamd", place.trim().to_owned()),
        At::Command(program) => ("Command", program.trim().to_owned()),
        At::Rspamd(endpoint) => ("Rspamd", endpoint.0.clone()),
        At::Spamd(endpoint) => ("Spamd", endpoint.0.clone()),
        At::Milter(endpoint) => ("Milter", endpoint.0.clone()),
        At::BuiltIn(pass) => ("BuiltIn", format!("{pass:?}")),
    }
}

/// E0705.
fn twins(subject: &Subject<'_>, scanners: &Entries<Scanner>, sink: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<(bool, &str, String), &Spanned<String>> = BTreeMap::new();
    for (name, scanner) in scanners.iter() {
        let (word, address) = door(&scanner.at);
        let key = (scanner.does == Does::Antivirus, word, address);
        let Some(first) = seen.get(&key) else {
            seen.insert(key, name);
            continue;
        };
        let message = format!("\"{first}\" and \"{name}\" are the same engine at the same address");
        let diagnostic = Diagnostic::new(Code::E0705, message)
            .help("two opinions need two engines")
            .at(subject.place(&format!("scanners.{name}.at")), "again here")
            .also(subject.place(&format!("scanners.{first}.at")), "first here")
            .rule(format!("scanners.{name}"));
        sink.push(diagnostic);
    }
}

/// E0706: a score that runs the other way would tag what is good.
fn direction_of_score(
    subject: &Subject<'_>,
    name: &Spanned<String>,
    scanner: &Spanned<Scanner>,
    sink: &mut Vec<Diagnostic>,
) {
    if scanner.does != Does::SpamScore || scanner.says.is_some() {
        return;
    }
    let usual = match scanner.at {
        At::BuiltIn(_) => return,
        // Both give high scores to spam, and so do the fields milters write.
        At::Rspamd(_) | At::Spamd(_) | At::Milter(_) => Some("says: PositiveIsSpam"),
        At::Icap(_) | At::Clamd(_) | At::Command(_) => None,
    };
    let path = format!("scanners.{name}");
    let message = format!("external scanner \"{name}\" does not say which way its score runs");
    let diagnostic = Diagnostic::new(Code::E0706, message)
        .help("`says: PositiveIsSpam` or `NegativeIsSpam`")
        .at(subject.place(&path), "")
        .rule(path.as_str());
    sink.push(match usual {
        Some(field) => extended(subject, diagnostic, &path, field),
        None => diagnostic,
    });
}

/// L0711.
fn age(subject: &Subject<'_>, name: &Spanned<String>, scanner: &Spanned<Scanner>, sink: &mut Vec<Diagnostic>) {
    let unseen = matches!(scanner.at, At::Command(_));
    let age = match &scanner.updates {
        // A program says nothing of its signatures: what is promised cannot be watched.
        _ if unseen => "of any age".to_owned(),
        None => "of any age".to_owned(),
        Some(Updates::AtLeast(rate)) => match interval_s(rate.0) {
            None => "of any age".to_owned(),
            Some(interval_s) if interval_s <= AGE_S_MAX => return,
            Some(interval_s) => format!("{} old", span(interval_s)),
        },
    };
    let path = format!("scanners.{name}");
    let updates = format!("{path}.updates");
    let help = match unseen {
        true => "no command says how old its signatures are: watch it otherwise, and waive this with the reason",
        false => "ask for `AtLeast(\"2 / 1 day\")` or more",
    };
    let diagnostic =
        Diagnostic::new(Code::L0711, format!("signatures of \"{name}\" may be {age} before anyone is warned"))
            .help(help)
            .at(subject.place(&updates), "")
            .rule(updates.as_str());
    if unseen {
        sink.push(diagnostic);
        return;
    }
    let wanted = "AtLeast(\"2 / 1 day\")";
    sink.push(match subject.is_written(&updates) {
        true => super::mended(subject, diagnostic, &updates, wanted),
        false => extended(subject, diagnostic, &path, &format!("updates: {wanted}")),
    });
}

/// The time between two updates; `None` when none is promised.
fn interval_s(Window { max, width_s }: Window) -> Option<u64> {
    u64::from(width_s).checked_div(u64::from(max))
}

fn span(seconds: u64) -> String {
    match seconds {
        s if s > 86_400 && s.is_multiple_of(86_400) => format!("{} days", s / 86_400),
        86_400 => "1 day".to_owned(),
        s => format!("{} h", s.div_ceil(3_600)),
    }
}
