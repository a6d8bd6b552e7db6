//! The way out, signatures, lists at the door.

use super::{block, set, steps};
use crate::model::delivery::{Delivery, DnsList, Provider, Signing};
use crate::model::{self};
use crate::syntax::WordOr;

const DAY_S: u64 = 86_400;

pub(super) fn delivery(delivery: &Delivery) -> plan::Delivery {
    plan::Delivery {
        retry_s: delivery.retry.value.values().map(|span| span.0).collect(),
        warn_after_s: match &delivery.warn_after.value {
            WordOr::Word(_) => 0,
            WordOr::Value(span) => span.0,
        },
        connections_at_once: delivery.connections_at_once.value,
        providers: model::sorted(&delivery.providers, provider),
        dane: delivery.dane,
        mta_sts: delivery.mta_sts,
        tls_always_to: delivery.tls_always_to.values().map(steps::domain_pattern).collect(),
        tls_reports: delivery.tls_reports,
    }
}

fn provider(provider: &Provider) -> plan::Provider {
    plan::Provider {
        mx: provider.mx.values().map(steps::domain_pattern).collect(),
        connections_at_once: provider.connections_at_once.value,
        messages: block::windows(&provider.messages),
    }
}

pub(super) fn signing(signing: &Signing) -> plan::Signing {
    let mut algorithms: Vec<_> = signing.algorithms.values().copied().collect();
    algorithms.sort();
    algorithms.dedup();
    let rotate_every_days = match &signing.rotate_every {
        WordOr::Word(_) => 0,
        WordOr::Value(span) => u32::try_from(span.value.0 / DAY_S).unwrap_or(u32::MAX),
    };
    plan::Signing { algorithms, rotate_every_days }
}

pub(super) fn dns_list(list: &DnsList) -> plan::DnsList {
    let mut answers: Vec<_> = list.answers.values().map(|prefix| prefix.0).collect();
    answers.sort();
    plan::DnsList { zone: list.zone.0.clone(), on: set(&list.on), answers, then: list.then }
}
