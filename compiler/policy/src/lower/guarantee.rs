//! Guarantees and waivers, as written.

use super::list;
use crate::model::guarantee::{Guarantee, Via, Waiver};

pub(super) fn guarantee(guarantee: &Guarantee) -> plan::Guarantee {
    match guarantee {
        Guarantee::NoOpenRelay => plan::Guarantee::NoOpenRelay,
        Guarantee::NobodyPosesAsUs { from } => plan::Guarantee::NobodyPosesAsUs { from: list(from) },
        Guarantee::NoClearPassword { from } => plan::Guarantee::NoClearPassword { from: list(from) },
        Guarantee::NotReachable { what, from } => plan::Guarantee::NotReachable { what: list(what), from: list(from) },
        Guarantee::OnlyFrom(networks) => plan::Guarantee::OnlyFrom(list(networks)),
        Guarantee::EveryMessageScanned { by, on, before, late } => {
            plan::Guarantee::EveryMessageScanned { by: list(by), on: list(on), before: *before, late: *late }
        }
        Guarantee::VirusIsSilent { on } => plan::Guarantee::VirusIsSilent { on: list(on) },
        Guarantee::SpamIsAlwaysDelivered => plan::Guarantee::SpamIsAlwaysDelivered,
        Guarantee::EveryLossIsRecorded => plan::Guarantee::EveryLossIsRecorded,
        Guarantee::RedirectsStayProfessional => plan::Guarantee::RedirectsStayProfessional,
        Guarantee::SameServiceForAll { except } => plan::Guarantee::SameServiceForAll { except: list(except) },
        Guarantee::AtMost { recipients, of, via } => plan::Guarantee::AtMost {
            recipients: recipients.0,
            of: *of,
            via: match via {
                Via::AnyBlock => plan::Via::AnyBlock,
                Via::Block(name) => plan::Via::Block(name.value.clone()),
            },
        },
        Guarantee::NoMailLeaves => plan::Guarantee::NoMailLeaves,
    }
}

pub(super) fn waiver(waiver: &Waiver) -> plan::Waiver {
    plan::Waiver {
        lint: waiver.lint.value.clone(),
        at: waiver.at.clone(),
        because: waiver.because.clone(),
        until: waiver.until.0.clone(),
    }
}
