//! E0701: a virus engine the policy promises is not in the way of the mail. Told by the sections alone, where the line
//! to change is known; what is left to see in the table of decisions is E0901.

use plan::{Direction, Does, ReceptionStep, SendingStep};

use super::{extended, mended, placed_before};
use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::Switch;
use crate::model::guarantee::Guarantee;
use crate::model::scan::Antivirus;
use crate::syntax::{Items, Span, Spanned};

/// One promise: these engines look at mail of these directions.
struct Promise<'p> {
    /// Engines that are defined; the others are E0902.
    engines: Vec<&'p str>,
    on: &'p Items<Direction>,
    place: Span,
}

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let (Some(scanners), Some(antivirus)) = (subject.policy.scanners.seen(), subject.policy.antivirus.seen()) else {
        return;
    };
    for guarantee in subject.policy.guarantees.seen().into_iter().flatten() {
        let Guarantee::EveryMessageScanned { by, on, .. } = &guarantee.value else { continue };
        let mut engines: Vec<&str> = Vec::new();
        for name in by {
            match scanners.get(name.value.as_str()).map(|scanner| scanner.does) {
                Some(Does::Antivirus) => engines.push(&name.value),
                Some(Does::SpamScore) => sink.push(no_engine(name)),
                None => {}
            }
        }
        if engines.is_empty() {
            continue;
        }
        let promise = Promise { engines, on, place: guarantee.span };
        match antivirus {
            Switch::Off => switched_off(subject, &promise, sink),
            Switch::On(antivirus) => kept(subject, antivirus, &promise, sink),
        }
    }
}

fn no_engine(name: &Spanned<String>) -> Diagnostic {
    Diagnostic::new(Code::E0701, format!("mail is not scanned for viruses by \"{name}\", which scores spam"))
        .help("guarantee `EveryMessageScanned` names virus engines")
        .at(name.span, "")
        .rule("guarantees.EveryMessageScanned")
}

fn switched_off(subject: &Subject<'_>, promise: &Promise<'_>, sink: &mut Vec<Diagnostic>) {
    let place = if subject.is_written("antivirus") { subject.place("antivirus") } else { promise.place };
    let mut directions: Vec<&str> = promise.on.values().map(word).collect();
    directions.dedup();
    sink.push(broken(&directions.join(" and "), &promise.engines, promise, place, "no engine runs"));
}

fn kept(subject: &Subject<'_>, antivirus: &Antivirus, promise: &Promise<'_>, sink: &mut Vec<Diagnostic>) {
    for engine in promise.engines.iter().filter(|engine| !antivirus.engines.values().any(|name| name == *engine)) {
        let place = subject.place("antivirus.engines");
        let directions: Vec<&str> = promise.on.values().map(word).collect();
        let diagnostic = broken(&directions.join(" and "), &[engine], promise, place, "not among these engines");
        sink.push(extended(subject, diagnostic, "antivirus.engines", &format!("\"{engine}\"")));
    }
    let mut on: Vec<Direction> = promise.on.values().copied().collect();
    on.sort();
    on.dedup();
    for direction in on {
        if !antivirus.on.values().any(|other| *other == direction) {
            let place = subject.place("antivirus.on");
            let diagnostic = broken(word(&direction), &promise.engines, promise, place, "not on this direction");
            sink.push(extended(subject, diagnostic, "antivirus.on", &format!("{direction:?}")));
            continue;
        }
        let (path, list) = match direction {
            Direction::Inbound => (
                "reception",
                without_step(
                    &subject.policy.reception,
                    ReceptionStep::Antivirus,
                    &[
                        ReceptionStep::Accept,
                        ReceptionStep::Antispam,
                        ReceptionStep::Filters,
                        ReceptionStep::Redirect,
                        ReceptionStep::Deliver,
                    ],
                ),
            ),
            Direction::Outbound => (
                "sending",
                without_step(
                    &subject.policy.sending,
                    SendingStep::Antivirus,
                    &[SendingStep::Antispam, SendingStep::Accept, SendingStep::Route],
                ),
            ),
        };
        if let Some(list) = list {
            let text = "no step `Antivirus` here";
            let diagnostic = broken(word(&direction), &promise.engines, promise, subject.place(path), text);
            sink.push(mended(subject, diagnostic, path, &list));
        }
    }
}

/// The list of steps with the missing one put in; `None` when it is there or cannot be seen.
fn without_step<T: Copy + PartialEq + std::fmt::Debug>(
    steps: &crate::syntax::Decoded<Items<T>>,
    step: T,
    before: &[T],
) -> Option<String> {
    let steps = steps.sound()?;
    super::position(steps, step).is_none().then(|| placed_before(steps, step, before))
}

fn word(direction: &Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    }
}

fn broken(direction: &str, engines: &[&str], promise: &Promise<'_>, place: Span, why: &str) -> Diagnostic {
    let engines: Vec<String> = engines.iter().map(|engine| format!("\"{engine}\"")).collect();
    let diagnostic = Diagnostic::new(Code::E0701, format!("{direction} mail is not scanned by {}", engines.join(", ")))
        .help("guarantee `EveryMessageScanned` asks for it")
        .at(place, why)
        .rule("guarantees.EveryMessageScanned");
    if place == promise.place { diagnostic } else { diagnostic.also(promise.place, "promised here") }
}
