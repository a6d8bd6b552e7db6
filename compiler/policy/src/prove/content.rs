//! Guarantees about what happens to a message: one predicate each, asked of every cell of the content table in one
//! pass (policy-language.md 6.5).

use decide::{
    ContentCell, ContentDirection, ContentVerdict, Ending, EngineState, FromClaim, Notify, Score, Step, Tables, steps,
};
use plan::{Direction, Guarantee, Tell};

use super::dialogue::{self, About};
use super::{Breach, Judged};
use crate::figures::grouped;

/// What the pass found about one guarantee.
struct Found {
    /// Its place in the plan's list.
    index: usize,
    cases: usize,
    /// The plainest cell that breaks it.
    worst: Option<(usize, ContentCell, ContentVerdict)>,
}

/// Is it decided by the content table?
fn is_about_content(guarantee: &Guarantee) -> bool {
    match guarantee {
        Guarantee::NobodyPosesAsUs { .. }
        | Guarantee::EveryMessageScanned { .. }
        | Guarantee::VirusIsSilent { .. }
        | Guarantee::SpamIsAlwaysDelivered => true,
        Guarantee::NoOpenRelay
        | Guarantee::NoClearPassword { .. }
        | Guarantee::NotReachable { .. }
        | Guarantee::OnlyFrom(_)
        | Guarantee::EveryLossIsRecorded
        | Guarantee::RedirectsStayProfessional
        | Guarantee::SameServiceForAll { .. }
        | Guarantee::AtMost { .. }
        | Guarantee::NoMailLeaves => false,
    }
}

/// Judges those of `guarantees` that the content table decides, by their places in the list.
pub(super) fn judge(tables: &Tables, guarantees: &[Guarantee]) -> Vec<(usize, Judged)> {
    let wanted = guarantees.iter().enumerate().filter(|(_, guarantee)| is_about_content(guarantee));
    let mut found: Vec<Found> = wanted.map(|(index, _)| Found { index, cases: 0, worst: None }).collect();
    if found.is_empty() {
        return Vec::new();
    }
    let open: Vec<bool> = ContentDirection::ALL
        .into_iter()
        .map(|direction| dialogue::carrier(tables, direction, None).is_some())
        .collect();
    let mut visited = 0;
    for cell in tables.content_cells() {
        visited += 1;
        if !open[cell.direction as usize] {
            continue;
        }
        let verdict = tables.content(cell);
        for one in &mut found {
            let breaks = guarantees.get(one.index).is_some_and(|it| breaks(tables, it, cell, &verdict));
            if !breaks {
                continue;
            }
            one.cases += 1;
            let weight = weight(tables, cell);
            if one.worst.as_ref().is_none_or(|(least, ..)| weight < *least) {
                one.worst = Some((weight, cell, verdict.clone()));
            }
        }
    }
    found
        .into_iter()
        .filter_map(|one| Some((one.index, judged(tables, guarantees.get(one.index)?, one, visited))))
        .collect()
}

fn judged(tables: &Tables, guarantee: &Guarantee, found: Found, visited: usize) -> Judged {
    let mut judged = Judged::of(format!("{} content cases", grouped(visited as u64)));
    let from = match guarantee {
        Guarantee::NobodyPosesAsUs { from } => Some(from.as_slice()),
        _ => None,
    };
    let Some((_, cell, verdict)) = found.worst else { return judged };
    let Some(carrier) = dialogue::carrier(tables, cell.direction, from) else {
        judged.remark = "no message comes in from there".to_owned();
        return judged;
    };
    let (fault, help, path) = wording(tables, guarantee, cell, &verdict);
    let about = About { guarantee: guarantee.name(), cases: found.cases, of: visited, fault: &fault };
    judged.counterexample = Some(dialogue::of_content(tables, carrier, cell, &verdict, about));
    judged.breaches.push(Breach { message: message(guarantee, cell, &verdict), help, path, edits: Vec::new() });
    judged
}

/// How much of a cell is out of the ordinary: a counterexample should be about one thing.
fn weight(tables: &Tables, cell: ContentCell) -> usize {
    let odd = [
        cell.notify != Notify::Absent,
        cell.score != Score::Zero,
        !cell.fits,
        cell.from != FromClaim::Another,
        tables.engine_states(cell).any(|(_, state)| state != EngineState::Clean),
    ];
    odd.into_iter().filter(|odd| *odd).count() + 2 * dialogue::given(tables, cell).len()
}

fn concerns(on: &[Direction], direction: ContentDirection) -> bool {
    match direction {
        ContentDirection::Inbound => on.contains(&Direction::Inbound),
        ContentDirection::FromPerson | ContentDirection::FromMachine => on.contains(&Direction::Outbound),
    }
}

fn breaks(tables: &Tables, guarantee: &Guarantee, cell: ContentCell, verdict: &ContentVerdict) -> bool {
    match guarantee {
        // A registered application has its own block and is not judged here.
        Guarantee::NobodyPosesAsUs { .. } => {
            cell.direction == ContentDirection::Inbound
                && cell.from == FromClaim::OursNotAligned
                && verdict.is_delivered()
                && verdict.tagged.is_none()
        }
        Guarantee::EveryMessageScanned { by, on, before, late } => {
            concerns(on, cell.direction)
                && verdict.is_delivered()
                && !is_scanned(tables, by, Step::from(*before), *late, cell, verdict)
        }
        // What is decided before an engine looked says nothing about viruses.
        Guarantee::VirusIsSilent { on } => {
            let infected = tables.engine_states(cell).any(|(_, state)| state == EngineState::Infected);
            concerns(on, cell.direction) && infected && verdict.scanned_at.is_some() && is_heard(verdict)
        }
        // The same message with a good score is the measure.
        Guarantee::SpamIsAlwaysDelivered => {
            cell.score == Score::Negative
                && !verdict.is_delivered()
                && tables.content(ContentCell { score: Score::Positive, ..cell }).is_delivered()
        }
        _ => false,
    }
}

/// Did each named engine look before that step? Up to `late` of them may have been down for long if a rescan is owed.
fn is_scanned(
    tables: &Tables,
    by: &[String],
    before: Step,
    late: u32,
    cell: ContentCell,
    verdict: &ContentVerdict,
) -> bool {
    let Some(scanned_at) = verdict.scanned_at else { return by.is_empty() };
    let list = steps(tables.plan(), cell.direction);
    if list.iter().position(|step| *step == before).is_some_and(|at| at < scanned_at) {
        return false;
    }
    let mut missed = 0;
    for name in by {
        match tables.engine_states(cell).find(|(engine, _)| engine == name).map(|(_, state)| state) {
            Some(EngineState::Clean | EngineState::Suspect | EngineState::Infected) => {}
            Some(EngineState::DownPast) if verdict.rescan => missed += 1,
            Some(EngineState::DownPast | EngineState::Down) | None => return false,
        }
    }
    missed <= late
}

/// Does anybody hear of it: by a message, a notification, or a refusal?
fn is_heard(verdict: &ContentVerdict) -> bool {
    let refused = match &verdict.ending {
        Ending::Refused(refusal) => !refusal.code.is_temporary(),
        Ending::Delivered | Ending::Quarantined | Ending::Dropped => false,
    };
    refused || verdict.dsn.is_some() || verdict.tell != Tell::Nobody
}

fn words(direction: ContentDirection) -> &'static str {
    match direction {
        ContentDirection::Inbound => "a message that comes in",
        ContentDirection::FromPerson => "a message a person sends",
        ContentDirection::FromMachine => "a message a machine sends",
    }
}

fn message(guarantee: &Guarantee, cell: ContentCell, verdict: &ContentVerdict) -> String {
    let what = words(cell.direction);
    match guarantee {
        Guarantee::NobodyPosesAsUs { .. } => {
            format!("{what} and only says that it is from us is delivered without a tag")
        }
        Guarantee::EveryMessageScanned { by, before, .. } => {
            format!("{what} is delivered although {} did not all look before {before:?}", by.join(", "))
        }
        Guarantee::VirusIsSilent { .. } => match (&verdict.ending, verdict.dsn) {
            (Ending::Refused(refusal), _) => format!("{what} with a virus is answered {}", refusal.code),
            (_, Some(_)) => format!("{what} with a virus causes a notification to its sender"),
            (_, None) => format!("{what} with a virus causes a message to {:?}", verdict.tell),
        },
        _ => format!("{what} and is spam is not delivered"),
    }
}

/// Why the answer is wrong, what to write, and the policy path that causes it.
fn wording(
    tables: &Tables,
    guarantee: &Guarantee,
    cell: ContentCell,
    verdict: &ContentVerdict,
) -> (String, String, String) {
    let list = if cell.direction == ContentDirection::Inbound { "reception" } else { "sending" };
    match guarantee {
        Guarantee::NobodyPosesAsUs { .. } => {
            let step = steps(tables.plan(), cell.direction).contains(&Step::Authenticate);
            let path = if step { "authenticate.own_domains_from_outside" } else { "reception" };
            let help = "`RequireAligned(else: Refuse)` or `RequireAligned(else: Tag)`, with the step `Authenticate`";
            ("must be refused or tagged".to_owned(), help.to_owned(), path.to_owned())
        }
        Guarantee::EveryMessageScanned { by, .. } => {
            let engines = tables.plan().antivirus.as_ref().map(|antivirus| antivirus.engines.as_slice());
            let missing = by.iter().find(|name| !engines.unwrap_or_default().contains(name));
            let path = match (missing, verdict.scanned_at) {
                (Some(_), _) => "antivirus.engines",
                (None, Some(_)) if verdict.rescan => "antivirus.engine_down",
                (None, Some(_)) => list,
                (None, None) if steps(tables.plan(), cell.direction).contains(&Step::Antivirus) => "antivirus.on",
                (None, None) => list,
            };
            let help = match missing {
                Some(name) => format!("name \"{name}\" in `antivirus.engines`, or change the promise"),
                None => "scan in this direction before that step, or change the promise".to_owned(),
            };
            let unseen = |name: &&String| {
                let state = tables.engine_states(cell).find(|(engine, _)| engine == *name);
                verdict.scanned_at.is_none() || !state.is_some_and(|(_, state)| state.looked())
            };
            let name = by.iter().find(unseen).or(by.first()).cloned().unwrap_or_default();
            (format!("must not be accepted before \"{name}\" looked"), help, path.to_owned())
        }
        Guarantee::VirusIsSilent { .. } => {
            let help = "`keep: Quarantine, reply: AcceptSilently, tell: Nobody`, or promise less";
            ("must be 250, and nobody may hear of it".to_owned(), help.to_owned(), verdict_path(cell, verdict))
        }
        _ => {
            let path = if verdict.rule.is_empty() { list.to_owned() } else { verdict.rule.clone() };
            ("must be delivered".to_owned(), "`always: Deliver`".to_owned(), path)
        }
    }
}

fn verdict_path(cell: ContentCell, verdict: &ContentVerdict) -> String {
    if !verdict.rule.is_empty() {
        return verdict.rule.clone();
    }
    let direction = match cell.direction {
        ContentDirection::Inbound => "inbound",
        ContentDirection::FromPerson => "outbound_from_person",
        ContentDirection::FromMachine => "outbound_from_machine",
    };
    format!("antivirus.{direction}.infected")
}
