//! Authentication of mail, filters, losses, redirects.

use super::list;
use crate::model;
use crate::model::steps::{Authenticate, DomainPattern, Filters, Losses, OwnDomains, Redirects};

pub(super) fn authenticate(authenticate: &Authenticate) -> plan::Authenticate {
    plan::Authenticate {
        own_domains_from_outside: match authenticate.own_domains_from_outside {
            OwnDomains::RequireAligned { else_ } => plan::OwnDomains::RequireAligned { else_ },
            OwnDomains::Ignore => plan::OwnDomains::Ignore,
        },
        trusted_sealers: super::domains(&authenticate.trusted_sealers),
        aggregate_reports: authenticate.aggregate_reports.unwrap_or(plan::Reports::Nothing),
    }
}

pub(super) fn filters(filters: &Filters) -> plan::Filters {
    plan::Filters { on: list(&filters.on), may: list(&filters.may) }
}

pub(super) fn losses(losses: &Losses) -> plan::Losses {
    plan::Losses { record: list(&losses.record) }
}

pub(super) fn redirects(redirects: &Redirects) -> plan::Redirects {
    plan::Redirects {
        asked_through: redirects.asked_through,
        allow: model::sorted(&redirects.allow, domain_pattern),
        on_grant: model::sorted(&redirects.on_grant, |grant| plan::OnGrant { to: grant.to, needs: list(&grant.needs) }),
        refused_examples: redirects.refused_examples.values().map(domain_pattern).collect(),
        otherwise: redirects.otherwise,
    }
}

pub(crate) fn domain_pattern(pattern: &DomainPattern) -> plan::DomainPattern {
    match pattern {
        DomainPattern::Suffix(domain) => plan::DomainPattern::Suffix(domain.0.clone()),
        DomainPattern::Exact(domain) => plan::DomainPattern::Exact(domain.0.clone()),
        DomainPattern::Brand(label) => plan::DomainPattern::Brand(label.clone()),
        DomainPattern::PublicProviders => plan::DomainPattern::PublicProviders,
    }
}
