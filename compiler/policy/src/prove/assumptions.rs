//! What a proof takes for granted (policy-language.md 6.3): always said, never judged.

use plan::{Guarantee, Network, Plan};

/// A fact about the world that no compiler can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assumption {
    Address,
    Carried,
    Prefixes,
    Classes,
    Person,
}

impl Assumption {
    pub const ALL: [Assumption; 5] =
        [Assumption::Address, Assumption::Carried, Assumption::Prefixes, Assumption::Classes, Assumption::Person];

    /// `A1′`.
    pub fn name(self) -> &'static str {
        match self {
            Assumption::Address => "A1",
            Assumption::Carried => "A1′",
            Assumption::Prefixes => "A2",
            Assumption::Classes => "A3",
            Assumption::Person => "A4",
        }
    }

    pub fn text(self) -> &'static str {
        match self {
            Assumption::Address => "the address in a TCP connection is the client's",
            Assumption::Carried => {
                "a gateway or a front tells the truth about the client it speaks for; limits and alignment rest on it, \
                 relaying never does"
            }
            Assumption::Prefixes => "the prefixes are truly the institution's",
            Assumption::Classes => {
                "addresses are put into the right classes; each cell a client can bring about is tried over the wire"
            }
            Assumption::Person => "a session with a login is the person's; limits are there for when it is not",
        }
    }
}

/// What the proof of a guarantee rests on.
pub(super) fn of(plan: &Plan, guarantee: &Guarantee) -> Vec<Assumption> {
    let clients = [Assumption::Address, Assumption::Carried, Assumption::Prefixes, Assumption::Classes];
    let mut rests_on: Vec<Assumption> = match guarantee {
        Guarantee::NoOpenRelay | Guarantee::NobodyPosesAsUs { .. } => clients.to_vec(),
        Guarantee::NoClearPassword { .. } | Guarantee::NotReachable { .. } | Guarantee::OnlyFrom(_) => {
            vec![Assumption::Address, Assumption::Prefixes]
        }
        Guarantee::EveryMessageScanned { .. }
        | Guarantee::VirusIsSilent { .. }
        | Guarantee::SpamIsAlwaysDelivered
        | Guarantee::EveryLossIsRecorded
        | Guarantee::RedirectsStayProfessional
        | Guarantee::NoMailLeaves => vec![Assumption::Classes],
        Guarantee::SameServiceForAll { .. } => Vec::new(),
        Guarantee::AtMost { of: plan::Of::Account, .. } => vec![Assumption::Person],
        Guarantee::AtMost { of: plan::Of::ClientAddress, .. } => vec![Assumption::Address, Assumption::Carried],
    };
    if carriers(plan).is_empty() {
        rests_on.retain(|one| *one != Assumption::Carried);
    }
    rests_on
}

/// Gateways and fronts: who tells us whom they speak for.
pub(super) fn carriers(plan: &Plan) -> Vec<String> {
    let fronts = plan.networks.iter().filter(|(_, network)| matches!(network, Network::Front(_)));
    plan.gateways.keys().chain(fronts.map(|(name, _)| name)).cloned().collect()
}
