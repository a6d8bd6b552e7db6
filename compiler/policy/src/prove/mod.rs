//! Guarantees decided by visiting every cell of the tables the runtime uses (policy-language.md 6). The proof is about
//! the program: both call `decide`, and what holds here holds there.
//!
//! Each guarantee is one function that gives a [`Judged`]; nothing else knows its wording.

mod assumptions;
mod content;
mod counterexample;
mod dialogue;
mod formulas;
mod losses;
mod open_relay;
mod overlay;
mod reach;

use std::collections::BTreeMap;

use decide::{Reachable, Tables};
use plan::{Guarantee, Plan};

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Sources};
use crate::syntax::{PathSpans, Span};

pub use assumptions::Assumption;
pub(crate) use dialogue::address_of;

pub use counterexample::{Answer, Counterexample, Holds, Line, Message, Protocol};

/// What was proved, and what was not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProofReport {
    pub cells: Cells,
    /// Guarantees of the policy that were decided, in the order written.
    pub decided: Vec<Decided>,
    /// Names of guarantees that would be decided if the sections they read had no mistakes.
    pub not_judged: Vec<&'static str>,
    /// Gateways and fronts, whom A1′ is about.
    pub carriers: Vec<String>,
}

/// How many cells the tables have; all 0 when no proof could run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    pub envelope: usize,
    /// Of the envelope cells, those a client can bring about.
    pub reachable: usize,
    pub content: usize,
    pub reading: usize,
}

impl Cells {
    /// All cells of all tables.
    pub fn all(&self) -> usize {
        self.envelope + self.content + self.reading
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    pub name: &'static str,
    pub holds: bool,
    /// What was visited: `4 800 envelope cases`.
    pub visited: String,
    /// What the proof found worth saying: cells that relay without a login, and where. May be empty.
    pub remark: String,
    /// Who is left out because of a grant.
    pub grants: Vec<String>,
    pub assumes: Vec<Assumption>,
}

/// Places in the policy, by path.
pub(crate) struct Places<'p> {
    pub sources: &'p Sources,
    pub spans: &'p PathSpans,
    /// The place of each guarantee, as in the plan's list.
    pub guarantees: Vec<Span>,
    /// Where to point when nothing better is known.
    pub otherwise: Span,
    /// Sections with mistakes that were replaced by their defaults.
    pub mistaken: &'p [&'static str],
}

impl Places<'_> {
    /// The place of the first of these paths that is written.
    fn first(&self, paths: &[String]) -> Span {
        paths.iter().find_map(|path| self.spans.get(path)).copied().unwrap_or(self.otherwise)
    }

    /// The place of a path, or of the nearest thing around it that is written.
    fn around(&self, path: &str) -> Option<Span> {
        let mut path = path;
        loop {
            if let Some(span) = self.spans.get(path) {
                return Some(*span);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }
}

/// What proving gives.
#[derive(Debug, Default)]
pub(crate) struct Proofs {
    pub report: ProofReport,
    pub diagnostics: Vec<Diagnostic>,
    pub counterexamples: Vec<Counterexample>,
    /// Policy paths of blocks that are open relays; their E0205 says nothing more.
    pub relays: Vec<String>,
}

/// What the proof of one guarantee found.
#[derive(Debug, Default)]
struct Judged {
    visited: String,
    remark: String,
    /// Empty when it holds.
    breaches: Vec<Breach>,
    counterexample: Option<Counterexample>,
    /// Facts outside the policy, with the path that asks for them (E0903).
    needs: Vec<(String, String)>,
    /// Figures below the message.
    notes: Vec<String>,
    grants: Vec<String>,
}

impl Judged {
    fn of(visited: String) -> Judged {
        Judged { visited, ..Judged::default() }
    }
}

/// One way a guarantee is broken.
#[derive(Debug)]
struct Breach {
    message: String,
    help: String,
    /// The policy path that breaks it.
    path: String,
    edits: Vec<(Span, String)>,
}

/// Sections a guarantee reads beside those the tables of envelopes are built from.
fn also_reads(guarantee: &Guarantee) -> &'static [&'static str] {
    match guarantee {
        Guarantee::NoOpenRelay
        | Guarantee::NoClearPassword { .. }
        | Guarantee::NotReachable { .. }
        | Guarantee::OnlyFrom(_) => &[],
        Guarantee::NobodyPosesAsUs { .. } => &["reception", "authenticate", "antispam"],
        Guarantee::EveryMessageScanned { .. } | Guarantee::VirusIsSilent { .. } => {
            &["reception", "sending", "antivirus", "scanners"]
        }
        Guarantee::SpamIsAlwaysDelivered => &["reception", "sending", "antispam"],
        Guarantee::EveryLossIsRecorded => &["reception", "sending", "antivirus", "losses", "when_over", "strangers"],
        Guarantee::RedirectsStayProfessional => &["redirects", "filters"],
        Guarantee::SameServiceForAll { .. } => &["mailboxes", "limit_grants"],
        Guarantee::AtMost { .. } => &["limit_grants"],
        Guarantee::NoMailLeaves => &["redirects"],
    }
}

/// The report when the sections every proof reads have mistakes.
pub(crate) fn not_judged(guarantees: &[&'static str]) -> ProofReport {
    ProofReport { not_judged: guarantees.to_vec(), ..ProofReport::default() }
}

/// Proves the guarantees of a draft of the plan.
pub(crate) fn prove(plan: Plan, places: &Places<'_>) -> Proofs {
    let mut proofs = Proofs::default();
    let tables = match Tables::new(plan) {
        Ok(tables) => tables,
        Err(unsound) => {
            // Checks before this found nothing, so only the size of the table is left.
            let diagnostic = Diagnostic::new(Code::E0207, unsound.to_string())
                .help("fewer networks, gateways, applications, listeners or virus engines")
                .at(places.otherwise, "");
            proofs.diagnostics.push(diagnostic);
            return proofs;
        }
    };
    proofs.report.cells = Cells {
        envelope: tables.cells().count(),
        reachable: tables.cells().filter(|cell| tables.reachable(*cell) == Reachable::Yes).count(),
        content: tables.content_cells().count(),
        reading: tables.reading_cells().count(),
    };
    proofs.report.carriers = assumptions::carriers(tables.plan());
    // Judged whether or not it is promised: no plan of ours is an open relay.
    let relay = open_relay::judge(&tables, places, &mut proofs);
    let guarantees = tables.plan().guarantees.clone();
    let mut of_content: BTreeMap<usize, Judged> = content::judge(&tables, &guarantees).into_iter().collect();
    for (index, guarantee) in guarantees.iter().enumerate() {
        if also_reads(guarantee).iter().any(|section| places.mistaken.contains(section)) {
            proofs.report.not_judged.push(guarantee.name());
            continue;
        }
        if *guarantee == Guarantee::NoOpenRelay {
            proofs.report.decided.push(relay.clone());
            continue;
        }
        let place = places.guarantees.get(index).copied().unwrap_or(places.otherwise);
        let judged = match of_content.remove(&index) {
            Some(judged) => judged,
            None => judge(&tables, guarantee, place, places),
        };
        said(&tables, guarantee, judged, place, places, &mut proofs);
    }
    proofs
}

/// Guarantees that are not about content.
fn judge(tables: &Tables, guarantee: &Guarantee, place: Span, places: &Places<'_>) -> Judged {
    match guarantee {
        Guarantee::NoClearPassword { from } => reach::clear_passwords(tables, from),
        Guarantee::NotReachable { what, from } => reach::not_reachable(tables, what, from),
        Guarantee::OnlyFrom(networks) => reach::only_from(tables, networks, place, places),
        Guarantee::EveryLossIsRecorded => losses::judge(tables),
        Guarantee::RedirectsStayProfessional => formulas::redirects(tables),
        Guarantee::SameServiceForAll { except } => formulas::same_service(tables, except),
        Guarantee::AtMost { recipients, of, via } => formulas::at_most(tables, *recipients, *of, via),
        Guarantee::NoMailLeaves => formulas::no_mail_leaves(tables),
        // Decided before: the relay for every plan, these by the content table.
        Guarantee::NoOpenRelay
        | Guarantee::NobodyPosesAsUs { .. }
        | Guarantee::EveryMessageScanned { .. }
        | Guarantee::VirusIsSilent { .. }
        | Guarantee::SpamIsAlwaysDelivered => Judged::default(),
    }
}

/// Puts what was found into the report and, where it is broken, into a diagnostic.
fn said(tables: &Tables, guarantee: &Guarantee, judged: Judged, place: Span, places: &Places<'_>, proofs: &mut Proofs) {
    let name = guarantee.name();
    for (fact, path) in &judged.needs {
        let note = Diagnostic::new(Code::E0903, format!("{name} needs a fact outside the policy ({fact})"))
            .help("people or the directory can say it; it is not proved")
            .at(places.around(path).unwrap_or(place), "asked for here")
            .also(place, "promised here")
            .rule(format!("guarantees.{name}"))
            .as_note();
        proofs.diagnostics.push(note);
    }
    let holds = judged.breaches.is_empty();
    if !holds {
        proofs.diagnostics.push(broken(name, &judged, place, places));
        proofs.counterexamples.extend(judged.counterexample);
    }
    proofs.report.decided.push(Decided {
        name,
        holds,
        visited: judged.visited,
        remark: judged.remark,
        grants: judged.grants,
        assumes: assumptions::of(tables.plan(), guarantee),
    });
}

fn broken(name: &str, judged: &Judged, place: Span, places: &Places<'_>) -> Diagnostic {
    let first = judged.breaches.first();
    let message = first.map_or("", |first| first.message.as_str());
    let mut diagnostic = Diagnostic::new(Code::E0901, format!("guarantee {name} is broken: {message}"))
        .at(place, "promised here")
        .rule(format!("guarantees.{name}"));
    if let Some(first) = first {
        diagnostic = diagnostic.help(first.help.as_str());
    }
    for (index, breach) in judged.breaches.iter().enumerate() {
        if let Some(span) = places.around(&breach.path) {
            diagnostic = diagnostic.also(span, "broken here");
        }
        if index > 0 {
            diagnostic = diagnostic.note(format!("also {}", breach.message));
        }
        for (span, text) in &breach.edits {
            diagnostic = diagnostic.edit(*span, text.as_str());
        }
    }
    for note in &judged.notes {
        diagnostic = diagnostic.note(note.as_str());
    }
    for note in judged.counterexample.iter().flat_map(Counterexample::notes) {
        diagnostic = diagnostic.note(note);
    }
    diagnostic
}
