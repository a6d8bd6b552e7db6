//! Detectors of stolen accounts.

use std::collections::BTreeMap;

use crate::model::compromise::{Detector, Reaction, Sign};
use crate::model::{self, Named, Switch};

pub(super) fn compromise(detectors: &Switch<Named<Detector>>) -> BTreeMap<String, plan::Detector> {
    detectors.on().map(|detectors| model::sorted(detectors, detector)).unwrap_or_default()
}

fn detector(detector: &Detector) -> plan::Detector {
    let mut then: Vec<plan::Reaction> = detector.then.value.values().map(reaction).collect();
    then.sort();
    then.dedup();
    plan::Detector { when: sign(&detector.when.value), then }
}

fn sign(sign: &Sign) -> plan::Sign {
    match sign {
        Sign::LimitTrips(rate) => plan::Sign::LimitTrips(rate.0),
        Sign::RefusedRecipients { share, of_at_least, within } => {
            plan::Sign::RefusedRecipients { share_percent: share.0, of_at_least: *of_at_least, within_s: within.0 }
        }
        Sign::FirstTimeRecipients(rate) => plan::Sign::FirstTimeRecipients(rate.0),
        Sign::NewExternalRedirect => plan::Sign::NewExternalRedirect,
        Sign::Bounces(rate) => plan::Sign::Bounces(rate.0),
        Sign::Networks(rate) => plan::Sign::Networks(rate.0),
    }
}

fn reaction(reaction: &Reaction) -> plan::Reaction {
    match reaction {
        Reaction::Alert => plan::Reaction::Alert,
        Reaction::HoldOutgoing { for_ } => plan::Reaction::HoldOutgoing { for_s: for_.0 },
        Reaction::LockSending { for_ } => plan::Reaction::LockSending { for_s: for_.0 },
        Reaction::EndSessions => plan::Reaction::EndSessions,
    }
}
