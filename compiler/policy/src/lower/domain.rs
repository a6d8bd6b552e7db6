//! Domains and routes.

use std::collections::BTreeMap;

use super::Scope;
use crate::model::domain::{Held, MailDomain, NextHop, PassOnRecipients, Remote, Routes};
use crate::model::{self, literal::DomainKey};
use crate::syntax::Entries;

pub(super) fn domains(scope: &Scope, domains: &Entries<MailDomain, DomainKey>) -> BTreeMap<String, plan::MailDomain> {
    domains.iter().map(|(key, value)| (key.value.0.clone(), domain(scope, value))).collect()
}

fn domain(scope: &Scope, domain: &MailDomain) -> plan::MailDomain {
    match domain {
        MailDomain::Held { profile, only } => plan::MailDomain::Held {
            profile: profile.as_ref().map_or_else(|| scope.otherwise.clone(), |profile| profile.value.clone()),
            only: only.unwrap_or(plan::HeldOnly::Everything),
        },
        MailDomain::PassOn { next_hop: hop, recipients } => plan::MailDomain::PassOn {
            next_hop: next_hop(hop),
            recipients: match recipients {
                PassOnRecipients::Directory => plan::PassOnRecipients::Directory,
                PassOnRecipients::AskThere { cache } => plan::PassOnRecipients::AskThere { cache_s: cache.0 },
                PassOnRecipients::Any => plan::PassOnRecipients::Any,
            },
        },
        MailDomain::AliasOf(other) => plan::MailDomain::AliasOf(other.value.0.clone()),
    }
}

fn next_hop(hop: &NextHop) -> plan::NextHop {
    match hop {
        NextHop::Lmtp(endpoint) => plan::NextHop::Lmtp(endpoint.0.clone()),
        NextHop::Smtp(endpoint) => plan::NextHop::Smtp(endpoint.0.clone()),
    }
}

pub(super) fn routes(routes: &Routes) -> plan::Routes {
    plan::Routes {
        held: match &routes.held {
            Held::Mailbox => plan::Held::Mailbox,
            Held::Lmtp(endpoint) => plan::Held::Lmtp(endpoint.0.clone()),
        },
        remote: match &routes.remote {
            Remote::DirectMx => plan::Remote::DirectMx,
            Remote::Smarthost(endpoint) => plan::Remote::Smarthost(endpoint.0.clone()),
            Remote::Capture(address) => plan::Remote::Capture(address.0.clone()),
        },
        remote_login: routes.remote_login.as_ref().map(|known| plan::RemoteLogin {
            login: known.login.clone(),
            secret: super::directory::secret_name(&known.password),
        }),
        homes: model::sorted(&routes.homes, next_hop),
    }
}
