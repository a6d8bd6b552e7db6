//! E0719 to E0721: how a scanner is reached, what its exit codes mean, and how long and how often it is asked.

use plan::{Does, ExitMeans};

use super::mended;
use crate::check::{Subject, mending};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::scan::{At, Scanner};
use crate::syntax::Spanned;

/// A sending server waits 10 minutes for the reply to the final dot (RFC 5321 4.5.3.2.6).
const WITHIN_S: std::ops::RangeInclusive<u64> = 1..=600;
const AT_ONCE: std::ops::RangeInclusive<u32> = 1..=1_000;

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    for (name, scanner) in subject.policy.scanners.seen().into_iter().flat_map(|scanners| scanners.iter()) {
        let before = sink.len();
        kind(subject, name, scanner, sink);
        // What cannot be asked at all has no exit codes worth a word.
        if sink.len() == before {
            exits(subject, name, scanner, sink);
        }
        budget(subject, name, scanner, sink);
    }
}

/// E0721.
fn kind(subject: &Subject<'_>, name: &Spanned<String>, scanner: &Scanner, sink: &mut Vec<Diagnostic>) {
    let (word, scores, scans) = match scanner.at {
        At::Icap(_) => ("Icap", false, true),
        At::Clamd(_) => ("Clamd", false, true),
        At::Command(_) => ("Command", false, true),
        At::Rspamd(_) => ("Rspamd", true, false),
        At::Spamd(_) => ("Spamd", true, false),
        At::BuiltIn(_) => ("BuiltIn", true, false),
        At::Milter(_) => ("Milter", true, true),
    };
    let (can, what, other) = match scanner.does {
        Does::SpamScore => (scores, "score spam", "Antivirus"),
        Does::Antivirus => (scans, "find viruses", "SpamScore"),
    };
    if can {
        return;
    }
    let path = format!("scanners.{name}.does");
    let report = Diagnostic::new(Code::E0721, format!("\"{name}\" is reached as {word}, which cannot {what}"))
        .help("scores: Rspamd, Spamd, Milter, BuiltIn; viruses: Clamd, Icap, Command, Milter")
        .at(subject.place(&path), "")
        .rule(format!("scanners.{name}"));
    // A score of an engine that has none asks for `says` next.
    let whole = other == "Antivirus" || scanner.says.is_some() || matches!(scanner.at, At::BuiltIn(_));
    sink.push(if whole { mended(subject, report, &path, other) } else { report });
}

/// E0719.
fn exits(subject: &Subject<'_>, name: &Spanned<String>, scanner: &Scanner, sink: &mut Vec<Diagnostic>) {
    let path = format!("scanners.{name}");
    let is_command = matches!(scanner.at, At::Command(_));
    let report = |place, what: String| {
        Diagnostic::new(Code::E0719, format!("exit codes of \"{name}\" {what}"))
            .help("`exits: [(code: 0, means: Clean), (code: 13, means: Infected)]`, as the program documents; any other code is no verdict")
            .at(place, "")
            .rule(format!("{path}.exits"))
    };
    let Some(exits) = &scanner.exits else {
        if is_command {
            sink.push(report(subject.place(&path), "are not written: none means clean".to_owned()));
        }
        return;
    };
    if !is_command {
        sink.push(report(exits.span, "belong to no command".to_owned()));
        return;
    }
    let mut seen = std::collections::BTreeSet::new();
    for exit in exits.value.iter() {
        if !seen.insert(exit.value.code.value) {
            let again = report(exit.value.code.span, format!("say {} twice", exit.value.code.value));
            sink.push(mending::without_item(subject, again, exit.span));
        }
    }
    if !exits.value.values().any(|exit| exit.means == ExitMeans::Clean) {
        sink.push(report(exits.span, "name none that is clean".to_owned()));
    }
}

/// E0720.
fn budget(subject: &Subject<'_>, name: &Spanned<String>, scanner: &Scanner, sink: &mut Vec<Diagnostic>) {
    let mut wrong = |field: &str, message: String, help: &str, instead: &str| {
        let path = format!("scanners.{name}.{field}");
        let report = Diagnostic::new(Code::E0720, message).help(help).at(subject.place(&path), "").rule(path.as_str());
        sink.push(mended(subject, report, &path, instead));
    };
    if let Some(within) = &scanner.within
        && !WITHIN_S.contains(&within.value.0)
    {
        let message = format!("\"{name}\" has {} s for a message", within.value.0);
        wrong("within", message, "from 1 s to 10 min: a sending server waits no longer for the reply", "\"60 s\"");
    }
    if let Some(at_once) = &scanner.at_once
        && !AT_ONCE.contains(&at_once.value)
    {
        let message = format!("\"{name}\" looks at {} messages at once", at_once.value);
        wrong("at_once", message, "from 1 to 1000", "20");
    }
}
