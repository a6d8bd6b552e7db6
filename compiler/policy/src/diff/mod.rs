//! What differs between two plans, fact by fact, and what each difference does (policy-language.md 8, diff). Facts are
//! compared in the plans' texts; what a fact decides, in the tables of `decide`, cell by cell.

mod alone;
mod cells;
mod changes;
mod class;
mod content;
mod lints;
mod members;
mod render;
mod way;
mod windows;

use plan::{Network, Plan, SourceMap};

use crate::blast::BlastRadius;
use crate::diagnostic::Diagnostic;
use crate::verify::{Fault, decode::decode, text::read};

pub use cells::Cells;
pub use render::{human, json, markdown};

/// One side: canonical plan text, and what is known beside it.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    pub text: &'a str,
    pub map: Option<&'a SourceMap>,
    /// What compiling found; absent where the side is a plan.
    pub found: Option<&'a [Diagnostic]>,
}

/// What a change does to those who send, receive and read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Less is allowed than before, or sooner refused.
    Tighter,
    Looser,
    Different,
    /// No decision rests on it.
    Text,
}

impl Class {
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Tighter => "TIGHTER",
            Class::Looser => "LOOSER",
            Class::Different => "DIFFERENT",
            Class::Text => "TEXT",
        }
    }

    /// The class of the same change made backwards.
    pub(crate) fn opposite(self) -> Class {
        match self {
            Class::Tighter => Class::Looser,
            Class::Looser => Class::Tighter,
            Class::Different | Class::Text => self,
        }
    }
}

/// One fact that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The rule id.
    pub rule: String,
    /// What stands in front of it when it is shown: of an entry, the map it is in.
    pub path: String,
    /// Absent where the fact is new.
    pub old: Option<String>,
    /// Absent where the fact is gone.
    pub new: Option<String>,
    /// Both in as few words as tell them apart: `500 → 250 per 1 h`, `+ "cea": Suffix("cea.fr")`.
    pub shown: String,
    pub class: Class,
    /// Of the new policy, or of the old one where the fact is gone; where a map is known.
    pub place: Option<(String, u32)>,
    pub notes: Vec<String>,
    /// Whom it touches, where somebody counted: `who: …`, `replay: …`.
    pub effects: Vec<String>,
}

/// Everything that differs between two plans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Short hashes.
    pub old: String,
    pub new: String,
    /// In the order of the plan.
    pub changes: Vec<Change>,
    /// Both tables, compared; absent where one of the plans has no sound table.
    pub cells: Option<Cells>,
    pub blast: (BlastRadius, BlastRadius),
    /// Lints that came and went, where both sides were compiled: code and rule.
    pub lints_new: Vec<String>,
    pub lints_gone: Vec<String>,
    /// Listeners that must be bound anew.
    pub restart: Vec<String>,
    /// Listeners that are opened and closed; the others go on.
    pub opened: Vec<String>,
    pub closed: Vec<String>,
    /// What only another image can follow.
    pub image: Vec<String>,
}

/// Compares two plans.
///
/// # Errors
/// What is wrong with the text of a side, and which: `true` for the new one.
pub fn diff(old: Side<'_>, new: Side<'_>) -> Result<Difference, (bool, Fault)> {
    let old_tree = read(old.text).map_err(|fault| (false, fault))?;
    let new_tree = read(new.text).map_err(|fault| (true, fault))?;
    let old_plan: Plan = decode(&old_tree).map_err(|fault| (false, fault))?;
    let new_plan: Plan = decode(&new_tree).map_err(|fault| (true, fault))?;
    let blast = (BlastRadius::of(&old_plan), BlastRadius::of(&new_plan));
    let (lints_new, lints_gone) = lints::moved(old.found, new.found);
    let (restart, opened, closed) = listeners(&old_plan, &new_plan);
    let image = [(old_plan.format != new_plan.format, "plan format"), (old_plan.pins != new_plan.pins, "pinned lists")];
    let image = image.iter().filter(|(differs, _)| *differs).map(|(_, what)| (*what).to_owned()).collect();
    let found = changes::between(&old_tree, &new_tree);
    let mut judge = class::Judge::new((&old_tree, &new_tree), (old_plan, new_plan), old.text.len() + new.text.len());
    let single = found.len() == 1;
    let changes = found.iter().map(|raw| judge.change(raw, (old, new), single)).collect();
    Ok(Difference {
        old: plan::hash(old.text).short(),
        new: plan::hash(new.text).short(),
        changes,
        cells: judge.cells(),
        blast,
        lints_new,
        lints_gone,
        restart,
        opened,
        closed,
        image,
    })
}

impl Difference {
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Rules that are looser than before (L1007).
    pub fn loosened(&self) -> Vec<&str> {
        let looser = self.changes.iter().filter(|change| change.class == Class::Looser);
        looser.map(|change| change.rule.as_str()).collect()
    }
}

/// Listeners to restart, opened and closed (policy-language.md 9: host, port, protocol, implicit TLS or STARTTLS).
fn listeners(old: &Plan, new: &Plan) -> (Vec<String>, Vec<String>, Vec<String>) {
    let implicit = |tls| matches!(tls, plan::TlsMode::Implicit);
    let restart = new.listeners.iter().filter(|(name, now)| {
        old.listeners.get(*name).is_some_and(|was| {
            (&was.host, was.port, was.speaks, implicit(was.tls)) != (&now.host, now.port, now.speaks, implicit(now.tls))
        })
    });
    let restart = restart.map(|(name, _)| name.clone()).collect();
    let only =
        |a: &Plan, b: &Plan| a.listeners.keys().filter(|name| !b.listeners.contains_key(*name)).cloned().collect();
    (restart, only(new, old), only(old, new))
}

/// The place of a rule, or of what is around it.
pub fn lookup<'m>(map: &'m SourceMap, place: &str) -> Option<&'m plan::Place> {
    map.find(place).or_else(|| map.find(place.split('[').next()?))
}

/// The addresses a client class holds, by its name.
fn prefixes<'p>(plan: &'p Plan, class: &str) -> &'p [plan::Prefix] {
    let application = plan.senders.as_ref().and_then(|senders| senders.known.get(class));
    let known = plan.networks.get(class).map(Network::prefixes);
    known
        .or_else(|| plan.gateways.get(class).map(|gateway| gateway.from.as_slice()))
        .or_else(|| application.map(|application| application.from.as_slice()))
        .unwrap_or_default()
}
