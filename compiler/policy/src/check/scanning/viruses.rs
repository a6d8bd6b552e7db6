//! L0703, E0704, L0713, L0715, L0716 and E0722: what the answers to a virus, and to an engine that is down, do to people.

use plan::{Direction, Keep, OnInfection, ReplyTo, Tell};

use super::{extended, mended};
use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::Switch;
use crate::model::guarantee::Guarantee;
use crate::model::scan::{Antivirus, ContinueWith, EngineDown, Rescan};

const GOES_ON: &str = "ContinueWith(at_least: 1, rescan: true, alarm: true)";

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(antivirus) = subject.policy.antivirus.seen() else { return };
    let antivirus = match antivirus {
        Switch::On(antivirus) if !antivirus.engines.is_empty() => antivirus,
        Switch::On(_) => return no_engine(subject, "antivirus.engines", sink),
        Switch::Off => return no_engine(subject, "antivirus", sink),
    };
    if antivirus.on.values().any(|on| *on == Direction::Inbound) {
        answered_to_the_forged(subject, antivirus.inbound.infected, sink);
    }
    if antivirus.on.values().any(|on| *on == Direction::Outbound) {
        let answers = &antivirus.outbound_from_person;
        sender_not_told(subject, "infected", answers.infected, sink);
        sender_not_told(subject, "suspect", answers.suspect, sink);
    }
    engine_down(subject, antivirus, sink);
    rescan(subject, antivirus, sink);
}

/// E0722.
fn rescan(subject: &Subject<'_>, antivirus: &Antivirus, sink: &mut Vec<Diagnostic>) {
    let Some(Rescan::Within(_)) = antivirus.rescan.as_ref().map(|rescan| rescan.value) else { return };
    if antivirus.inbound.infected.keep == Keep::Quarantine {
        return;
    }
    let message = "`rescan` takes infected mail out of mailboxes, and it would be kept nowhere";
    let diagnostic = Diagnostic::new(Code::E0722, message)
        .help("`keep: Quarantine` for what is infected inbound; `rescan: Never` looks once")
        .at(subject.place("antivirus.rescan"), "")
        .also(subject.place("antivirus.inbound.infected.keep"), "kept here")
        .rule("antivirus.rescan");
    sink.push(mended(subject, diagnostic, "antivirus.inbound.infected.keep", "Quarantine"));
}

/// L0713.
fn no_engine(subject: &Subject<'_>, path: &str, sink: &mut Vec<Diagnostic>) {
    let diagnostic = Diagnostic::new(Code::L0713, "no virus engine")
        .help("add one under `scanners`, or waive this with the reason")
        .at(subject.place(path), "")
        .rule("antivirus");
    sink.push(diagnostic);
}

/// L0703.
fn answered_to_the_forged(subject: &Subject<'_>, answer: OnInfection, sink: &mut Vec<Diagnostic>) {
    if answer.reply != ReplyTo::Refuse || answer.tell != Tell::Nobody {
        return;
    }
    let path = "antivirus.inbound.infected";
    let reply = format!("{path}.reply");
    let diagnostic = Diagnostic::new(Code::L0703, "infected inbound mail is answered `Refuse` while `tell: Nobody`")
        .help("the sending server will tell the forged sender; `AcceptSilently`, or accept that")
        .at(subject.place(&reply), "")
        .rule(path);
    let diagnostic = mended(subject, diagnostic, &reply, "AcceptSilently");
    sink.push(match answer.keep {
        Keep::Quarantine => diagnostic,
        // Taken in silence and not kept would be lost, taken and delivered would infect.
        Keep::Nothing | Keep::Deliver => mended(subject, diagnostic, &format!("{path}.keep"), "Quarantine"),
    });
}

/// L0715.
fn sender_not_told(subject: &Subject<'_>, what: &str, answer: OnInfection, sink: &mut Vec<Diagnostic>) {
    // A refusal tells; what is delivered was not stopped.
    if answer.reply == ReplyTo::Refuse || answer.keep == Keep::Deliver {
        return;
    }
    let path = format!("antivirus.outbound_from_person.{what}");
    let diagnostic = Diagnostic::new(Code::L0715, "a logged-in sender is not told that the message was stopped")
        .help("the sender is not forged; `reply: Refuse, tell: Sender` in `outbound_from_person`")
        .at(subject.place(&path), "")
        .rule(path.as_str());
    // Where silence is promised, telling would break the promise.
    let silent = subject.policy.guarantees.seen().into_iter().flatten().any(|guarantee| match &guarantee.value {
        Guarantee::VirusIsSilent { on } => on.values().any(|on| *on == Direction::Outbound),
        _ => false,
    });
    sink.push(match silent {
        true => diagnostic,
        false => {
            let diagnostic = mended(subject, diagnostic, &format!("{path}.reply"), "Refuse");
            mended(subject, diagnostic, &format!("{path}.tell"), "Sender")
        }
    });
}

/// E0704 and L0716.
fn engine_down(subject: &Subject<'_>, antivirus: &Antivirus, sink: &mut Vec<Diagnostic>) {
    let EngineDown::TryLater { for_: _, then } = antivirus.engine_down;
    let path = "antivirus.engine_down";
    let at_least = "antivirus.engine_down.then.at_least";
    if let Some(ContinueWith { at_least: 0, .. }) = then {
        let diagnostic = Diagnostic::new(Code::E0704, "`engine_down` lets mail through that no engine looked at")
            .help("`at_least: 1`; with none, the sender's queue keeps it")
            .at(subject.place(at_least), "")
            .rule(path);
        sink.push(mended(subject, diagnostic, at_least, "1"));
        return;
    }
    let engines = antivirus.engines.len();
    let goes_on = then.is_some_and(|then| (then.at_least as usize) < engines);
    if goes_on {
        return;
    }
    let help = match engines {
        1 => format!("a second engine, and `then: {GOES_ON}`"),
        _ => format!("a licence lapses one day; `then: {GOES_ON}`"),
    };
    let place = if then.is_some() { at_least } else { path };
    let diagnostic = Diagnostic::new(Code::L0716, "one engine that stays down stops all mail")
        .help(help)
        .at(subject.place(place), "")
        .rule(path);
    sink.push(match then {
        // Without an engine that looks nothing goes on.
        _ if engines < 2 => diagnostic,
        Some(_) => mended(subject, diagnostic, at_least, "1"),
        None if subject.is_written("antivirus.engine_down.for") => {
            extended(subject, diagnostic, path, &format!("then: {GOES_ON}"))
        }
        None => mended(subject, diagnostic, path, &format!("TryLater(for: \"4 h\", then: {GOES_ON})")),
    });
}
