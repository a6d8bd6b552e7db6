//! A service under another plan: what its sections changed is made anew, all else is the same as before.

use std::collections::BTreeSet;
use std::sync::Arc;

use decide::Tables;
use plan::{Held, MailDomain, NextHop, PlanHash, Remote};

use super::PlanState;
use crate::ldap::Ldap;
use crate::scan;
use crate::service::Service;
use crate::signing::{Seal, Signing};
use crate::tokens::Tokens;

/// What names a plan that is to run.
#[derive(Clone, Copy)]
pub(crate) struct Named {
    pub hash: PlanHash,
    pub serial: u64,
    pub state: PlanState,
}

/// `old` under the plan of `tables`. Nothing that runs changes by this.
///
/// # Errors
/// Why this plan cannot be served here.
pub(crate) fn under(old: &Service, tables: Arc<Tables>, named: Named) -> Result<Service, String> {
    let (was, plan) = (old.tables.plan(), tables.plan());
    let mut new = old.clone();
    if was.institution.time_zone != plan.institution.time_zone {
        let name = &plan.institution.time_zone;
        new.time_zone = jiff::tz::TimeZone::get(name).map_err(|_| format!("no time zone is called {name}"))?;
        new.directory = Arc::new(old.directory.in_zone(new.time_zone.clone()));
    }
    let engines = scan::engines(&tables, &old.site, &old.store).map_err(|lines| lines.join("; "))?;
    let kept = |engine: Arc<scan::Engine>| {
        let same = was.scanners.get(&engine.name) == plan.scanners.get(&engine.name);
        old.engines.iter().find(|it| same && it.name == engine.name).cloned().unwrap_or(engine)
    };
    new.engines = engines.into_iter().map(kept).collect();
    if was.scanners != plan.scanners {
        new.scorers = Arc::new(scan::score::Scorers::of(plan, &old.site));
    }
    if (&was.signing, &was.domains, &was.institution.domain) != (&plan.signing, &plan.domains, &plan.institution.domain)
    {
        let seal = Seal::of(&old.site.data).map_err(|error| error.to_string())?;
        let signing = Signing::load(plan, &old.site, &old.store, seal).map_err(|error| error.to_string())?;
        new.signing = Arc::new(signing);
    }
    if was.identity.ldap != plan.identity.ldap {
        new.ldap = Ldap::load(plan, &old.site, &old.store)?.map(Arc::new);
    }
    if was.identity.oauth != plan.identity.oauth {
        new.tokens = Arc::new(Tokens::default());
    }
    if was.delivery.tls_always_to != plan.delivery.tls_always_to {
        new.world = Arc::new(old.world.under(plan));
    }
    new.spam = Arc::new(old.spam.under(&old.tables, &tables, &old.store).map_err(|error| error.to_string())?);
    new.records = old.records.keeping(plan.losses.record.clone());
    (new.plan, new.plan_full) = (named.hash.short(), named.hash.full());
    (new.serial, new.state) = (named.serial, named.state);
    new.tables = tables;
    Ok(new)
}

/// Hosts a plan hands mail to, `host:port`, but for those DNS names.
pub(crate) fn next_hops(plan: &plan::Plan) -> BTreeSet<String> {
    let place = |hop: &NextHop| match hop {
        NextHop::Lmtp(place) | NextHop::Smtp(place) => place.clone(),
    };
    let domains = plan.domains.values().filter_map(|domain| match domain {
        MailDomain::PassOn { next_hop, .. } => Some(place(next_hop)),
        MailDomain::Held { .. } | MailDomain::AliasOf(_) => None,
    });
    let held = match &plan.routes.held {
        Held::Lmtp(place) => Some(place.clone()),
        Held::Mailbox => None,
    };
    let remote = match &plan.routes.remote {
        Remote::Smarthost(place) => Some(place.clone()),
        Remote::DirectMx | Remote::Capture(_) => None,
    };
    domains.chain(plan.routes.homes.values().map(place)).chain(held).chain(remote).collect()
}
