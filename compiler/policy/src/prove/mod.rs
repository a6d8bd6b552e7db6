//! Guarantees decided by visiting every cell of the table the runtime uses (policy-language.md 6). The proof is about
//! the program: both call `decide`, and what holds here holds there.

mod counterexample;
mod open_relay;
mod reach;

use decide::{Reachable, Tables};
use plan::{Guarantee, Plan};

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Sources};
use crate::syntax::{PathSpans, Span};

pub(crate) use counterexample::address_of;
pub use counterexample::{Counterexample, Line};

/// What was proved, and what was not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProofReport {
    /// Cells of the envelope table, all of them visited; 0 when no proof could run.
    pub cells_visited: usize,
    /// Of those, cells a client can bring about.
    pub cells_reachable: usize,
    /// Guarantees of the policy this build decides, in the order written.
    pub decided: Vec<Decided>,
    /// Names of guarantees that are kept in the plan and that this build does not decide.
    pub not_decided: Vec<&'static str>,
    /// Names of guarantees this build would decide if the sections they read had no mistakes.
    pub not_judged: Vec<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    pub name: &'static str,
    pub holds: bool,
    /// What the proof found worth saying: cells that relay without a login, and where.
    pub remark: String,
}

/// Places in the policy, by path.
pub(crate) struct Places<'p> {
    pub sources: &'p Sources,
    pub spans: &'p PathSpans,
    /// The place of each guarantee, as in the plan's list.
    pub guarantees: Vec<Span>,
    /// Where to point when nothing better is known.
    pub otherwise: Span,
}

impl Places<'_> {
    /// The place of the first of these paths that is written.
    fn first(&self, paths: &[String]) -> Span {
        paths.iter().find_map(|path| self.spans.get(path)).copied().unwrap_or(self.otherwise)
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

/// Can this build decide it?
fn is_decided_here(guarantee: &Guarantee) -> bool {
    match guarantee {
        Guarantee::NoOpenRelay
        | Guarantee::NoClearPassword { .. }
        | Guarantee::NotReachable { .. }
        | Guarantee::OnlyFrom(_)
        | Guarantee::AtMost { of: plan::Of::Account, via: plan::Via::AnyBlock, .. } => true,
        Guarantee::AtMost { .. }
        | Guarantee::NobodyPosesAsUs { .. }
        | Guarantee::EveryMessageScanned { .. }
        | Guarantee::VirusIsSilent { .. }
        | Guarantee::SpamIsAlwaysDelivered
        | Guarantee::EveryLossIsRecorded
        | Guarantee::RedirectsStayProfessional
        | Guarantee::SameServiceForAll { .. }
        | Guarantee::NoMailLeaves => false,
    }
}

/// The report when the sections proofs read have mistakes.
pub(crate) fn not_judged(guarantees: &[&'static str]) -> ProofReport {
    ProofReport { not_judged: guarantees.to_vec(), ..ProofReport::default() }
}

/// Proves what this build decides on a draft of the plan.
pub(crate) fn prove(plan: Plan, places: &Places<'_>) -> Proofs {
    let mut proofs = Proofs::default();
    let tables = match Tables::new(plan) {
        Ok(tables) => tables,
        Err(unsound) => {
            // Checks before this found nothing, so only the size of the table is left.
            let diagnostic = Diagnostic::new(Code::E0207, unsound.to_string())
                .help("fewer networks, gateways, applications or listeners")
                .at(places.otherwise, "");
            proofs.diagnostics.push(diagnostic);
            return proofs;
        }
    };
    proofs.report.cells_visited = tables.cells().count();
    proofs.report.cells_reachable = tables.cells().filter(|cell| tables.reachable(*cell) == Reachable::Yes).count();
    // Judged whether or not it is promised: no plan of ours is an open relay.
    let relay = open_relay::judge(&tables, places, &mut proofs);
    let guarantees = tables.plan().guarantees.clone();
    for (index, guarantee) in guarantees.iter().enumerate() {
        if !is_decided_here(guarantee) {
            proofs.report.not_decided.push(guarantee.name());
            continue;
        }
        let place = places.guarantees.get(index).copied().unwrap_or(places.otherwise);
        let decided = match guarantee {
            Guarantee::NoOpenRelay => relay.clone(),
            guarantee => reach::judge(&tables, guarantee, place, places, &mut proofs.diagnostics),
        };
        proofs.report.decided.push(decided);
    }
    proofs
}
