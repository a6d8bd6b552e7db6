//! Scanners, antivirus, antispam.

use super::{list, set};
use crate::model::scan::{Antispam, Antivirus, At, EngineDown, Rescan, Scanner, TagWhen, Updates};

/// Seconds an engine has for one message where the policy does not say.
const ENGINE_WITHIN_S: u64 = 60;
/// As much for a score.
const SCORE_WITHIN_S: u64 = 10;
/// Messages a scanner looks at at the same time where the policy does not say.
const AT_ONCE: u32 = 20;

pub(super) fn scanner(scanner: &Scanner) -> plan::Scanner {
    let within_s = match scanner.does {
        plan::Does::Antivirus => ENGINE_WITHIN_S,
        plan::Does::SpamScore => SCORE_WITHIN_S,
    };
    let exits = scanner.exits.iter().flat_map(|exits| exits.value.values());
    let mut exits: Vec<plan::Exit> =
        exits.map(|exit| plan::Exit { code: exit.code.value, means: exit.means }).collect();
    exits.sort();
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
        deadline_s: scanner.within.as_ref().map_or(within_s, |within| within.value.0),
        at_once: scanner.at_once.as_ref().map_or(AT_ONCE, |at_once| at_once.value),
        exits,
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
        rescan_within_s: match antivirus.rescan.as_ref().map(|rescan| rescan.value) {
            Some(Rescan::Within(span)) => Some(span.0),
            Some(Rescan::Never) | None => None,
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
