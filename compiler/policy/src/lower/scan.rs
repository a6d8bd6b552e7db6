//! Scanners, antivirus, antispam.

use super::{list, set};
use crate::model::scan::{Antispam, Antivirus, At, EngineDown, Scanner, TagWhen, Updates};

pub(super) fn scanner(scanner: &Scanner) -> plan::Scanner {
    plan::Scanner {
        does: scanner.does,
        at: match &scanner.at {
            At::Icap(endpoint) => plan::At::Icap(endpoint.0.clone()),
            At::Clamd(place) => plan::At::Clamd(place.clone()),
            At::Command(program) => plan::At::Command(program.clone()),
            At::Rspamd(endpoint) => plan::At::Rspamd(endpoint.0.clone()),
            At::Spamd(endpoint) => plan::At::Spamd(endpoint.0.clone()),
            At::Milter(endpoint) => plan::At::Milter(endpoint.0.clone()),
            At::BuiltIn(pass) => plan::At::BuiltIn(*pass),
        },
        updates_at_least: scanner.updates.as_ref().map(|Updates::AtLeast(rate)| rate.0),
        // Inside, low is spam.
        says: scanner.says.unwrap_or(plan::ScoreSign::NegativeIsSpam),
    }
}

pub(super) fn antivirus(antivirus: &Antivirus) -> plan::Antivirus {
    let mut on = list(&antivirus.on);
    on.sort();
    on.dedup();
    let EngineDown::TryLater { for_, then } = antivirus.engine_down;
    plan::Antivirus {
        engines: set(&antivirus.engines),
        on,
        infected_when: antivirus.infected_when,
        inbound: antivirus.inbound.clone(),
        outbound_from_person: antivirus.outbound_from_person.clone(),
        outbound_from_machine: antivirus.outbound_from_machine.clone(),
        engine_down: plan::EngineDown::TryLater {
            for_s: for_.map_or(0, |span| span.0),
            then: then.map(|then| plan::ContinueWith {
                at_least: then.at_least,
                rescan: then.rescan,
                alarm: then.alarm,
            }),
        },
    }
}

pub(super) fn antispam(antispam: &Antispam) -> plan::Antispam {
    let tag_when = antispam.tag_when.value;
    let refuse_when = antispam.refuse_when.as_ref().map_or(tag_when, |when| when.value);
    plan::Antispam {
        passes: list(&antispam.passes),
        total: antispam.total,
        tag_below_thousandths: thousandths(tag_when),
        tag: antispam.tag.clone(),
        always: antispam.always,
        refuse_below_thousandths: match antispam.always {
            plan::SpamAction::Deliver => None,
            plan::SpamAction::Refuse => Some(thousandths(refuse_when)),
        },
        taught_by: set(&antispam.taught_by),
        corrections: antispam
            .corrections
            .as_ref()
            .map(|corrections| plan::Corrections { to: corrections.to.value.0.clone(), accepts: corrections.accepts }),
    }
}

fn thousandths(TagWhen::ScoreBelow(points): TagWhen) -> i64 {
    i64::from(points) * 1_000
}
