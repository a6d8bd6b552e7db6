//! Verdicts on content: what the antivirus engines said, and what becomes of the message.

use mail::reply;
use plan::{ContinueWith, Direction, EngineDown, InfectedWhen, Keep, Loss, OnInfection, ReplyTo, ScanDirection, Tell};

use crate::class::Block;
use crate::reason::{Reason, Refusal};
use crate::tables::Tables;

/// Where a message comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContentDirection {
    Inbound,
    FromPerson,
    FromMachine,
}

impl ContentDirection {
    pub const ALL: [ContentDirection; 3] =
        [ContentDirection::Inbound, ContentDirection::FromPerson, ContentDirection::FromMachine];

    /// The direction of a message that came through this block; `logged_in`: a person handed it in.
    pub fn of(block: Block, logged_in: bool) -> ContentDirection {
        match block {
            Block::Receive(_) | Block::Read(_) => ContentDirection::Inbound,
            Block::Send(_) if logged_in => ContentDirection::FromPerson,
            Block::Send(_) => ContentDirection::FromMachine,
        }
    }
}

/// What one engine said. The text is the signature's name, for the quarantine and the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineResult {
    Clean,
    Suspect(String),
    Infected(String),
    /// No verdict; for so many seconds the engine has given none. Never "infected", never "clean".
    Down {
        for_s: u64,
    },
}

/// What becomes of a message after the step `Antivirus`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AntivirusVerdict {
    /// Goes on; with `rescan` it is owed a second look by the engines that were down. `tell`: who hears what was found.
    Pass { rescan: bool, tell: Tell },
    /// Ends here.
    Stop(Fate),
}

/// A message that is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// Kept in quarantine, or not at all.
    pub quarantine: bool,
    /// `None`: answered 250.
    pub refusal: Option<Refusal>,
    /// Answered as if nothing were: no notification follows, whatever was asked for.
    pub silent: bool,
    pub tell: Tell,
    pub loss: Loss,
    pub reason: Reason,
    /// The rule that decided.
    pub rule: String,
    /// The engine and the signature, for the record.
    pub found: String,
}

/// The message goes on and nobody hears of it.
const PASS: AntivirusVerdict = AntivirusVerdict::Pass { rescan: false, tell: Tell::Nobody };

/// Do the engines look at messages of this direction?
pub fn is_scanned(tables: &Tables, direction: ContentDirection) -> bool {
    let way = match direction {
        ContentDirection::Inbound => Direction::Inbound,
        ContentDirection::FromPerson | ContentDirection::FromMachine => Direction::Outbound,
    };
    tables.plan().antivirus.as_ref().is_some_and(|antivirus| antivirus.on.contains(&way))
}

/// Judges the engines' results. A plan without `antivirus` passes everything.
pub fn antivirus(tables: &Tables, direction: ContentDirection, results: &[(String, EngineResult)]) -> AntivirusVerdict {
    let Some(rules) = &tables.plan().antivirus else { return PASS };
    let (path, answers) = match direction {
        ContentDirection::Inbound => ("antivirus.inbound", &rules.inbound),
        ContentDirection::FromPerson => ("antivirus.outbound_from_person", &rules.outbound_from_person),
        ContentDirection::FromMachine => ("antivirus.outbound_from_machine", &rules.outbound_from_machine),
    };
    let looked = results.iter().filter(|(_, r)| !matches!(r, EngineResult::Down { .. })).count();
    let infected: Vec<String> = named(results, |r| match r {
        EngineResult::Infected(name) => Some(name),
        EngineResult::Clean | EngineResult::Suspect(_) | EngineResult::Down { .. } => None,
    });
    let is_infected = match rules.infected_when {
        InfectedWhen::AnyEngine => !infected.is_empty(),
        InfectedWhen::EveryEngine => !infected.is_empty() && infected.len() == looked,
    };
    if is_infected {
        return stop(path, answers, "infected", infected.join(", "));
    }
    // An infection that not every engine saw is at least suspect.
    let suspect = named(results, |r| match r {
        EngineResult::Infected(name) | EngineResult::Suspect(name) => Some(name),
        EngineResult::Clean | EngineResult::Down { .. } => None,
    });
    let mut told = Tell::Nobody;
    if !suspect.is_empty() {
        match stop(path, answers, "suspect", suspect.join(", ")) {
            AntivirusVerdict::Stop(fate) => return AntivirusVerdict::Stop(fate),
            AntivirusVerdict::Pass { tell, .. } => told = tell,
        }
    }
    if looked == results.len() {
        return AntivirusVerdict::Pass { rescan: false, tell: told };
    }
    while_down(&rules.engine_down, looked, results, told)
}

fn named(results: &[(String, EngineResult)], pick: impl Fn(&EngineResult) -> Option<&String>) -> Vec<String> {
    results.iter().filter_map(|(engine, r)| pick(r).map(|name| format!("{engine}: {name}"))).collect()
}

fn stop(path: &str, answers: &ScanDirection, what: &str, found: String) -> AntivirusVerdict {
    let infected = what == "infected";
    let answer: OnInfection = if infected { answers.infected } else { answers.suspect };
    if answer.keep == Keep::Deliver && answer.reply != ReplyTo::Refuse {
        return AntivirusVerdict::Pass { rescan: false, tell: answer.tell };
    }
    let rule = format!("{path}.{what}");
    let reason = if infected { Reason::Infected } else { Reason::Suspect };
    let refusal = match answer.reply {
        ReplyTo::AcceptSilently | ReplyTo::Accept => None,
        ReplyTo::Refuse => {
            let text = "the message was stopped by a virus scanner";
            Some(Refusal::new(reply::CONTENT_REFUSED, reason, rule.clone(), text))
        }
    };
    AntivirusVerdict::Stop(Fate {
        quarantine: answer.keep == Keep::Quarantine,
        refusal,
        silent: answer.reply == ReplyTo::AcceptSilently,
        tell: answer.tell,
        loss: Loss::Virus,
        reason,
        rule,
        found,
    })
}

fn while_down(rules: &EngineDown, looked: usize, results: &[(String, EngineResult)], tell: Tell) -> AntivirusVerdict {
    let EngineDown::TryLater { for_s, then } = rules;
    let all_down_past = results.iter().all(|(_, r)| match r {
        EngineResult::Down { for_s: down_s } => down_s >= for_s,
        EngineResult::Clean | EngineResult::Suspect(_) | EngineResult::Infected(_) => true,
    });
    if let Some(ContinueWith { at_least, rescan, .. }) = then
        // While no engine looks, always 451.
        && looked >= (*at_least as usize).max(1)
        && all_down_past
    {
        return AntivirusVerdict::Pass { rescan: *rescan, tell };
    }
    let rule = "antivirus.engine_down".to_owned();
    let text = "the message cannot be checked now, try later";
    AntivirusVerdict::Stop(Fate {
        quarantine: false,
        refusal: Some(Refusal::new(reply::SCANNER_DOWN, Reason::ScannerDown, rule.clone(), text)),
        silent: false,
        tell: Tell::Nobody,
        loss: Loss::NotDelivered,
        reason: Reason::ScannerDown,
        rule,
        found: String::new(),
    })
}
