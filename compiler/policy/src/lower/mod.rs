//! Model to Plan, one file per block with the names the Plan has. Nothing is judged here: `lower` runs on a policy
//! whose sections are all present and without mistakes, and anything else gives no plan.

mod account;
mod block;
mod compromise;
mod delivery;
mod directory;
mod domain;
mod guarantee;
mod identity;
mod mailboxes;
mod network;
mod response;
mod retention;
mod scan;
mod source_map;
mod steps;

use std::collections::BTreeMap;

use plan::{FORMAT, Institution, Pins, Plan};

use crate::model::network::{Everywhere, Names, Network};
use crate::model::{self, Policy, Switch};
use crate::syntax::{Items, WordOr};

pub(crate) use block::row;
pub(crate) use identity::{identity as identity_rules, login as login_rules};
pub(crate) use response::what as blocked_what;
pub(crate) use source_map::source_map;
pub(crate) use steps::domain_pattern;

/// What lowering a name needs.
struct Scope {
    /// Every network, sorted.
    networks: Vec<String>,
    /// Those that are not `Rest`, sorted.
    with_prefixes: Vec<String>,
    /// The profile of people nobody gave one.
    otherwise: String,
}

impl Scope {
    /// Network names, sorted and once each; `Everywhere` written out.
    fn networks(&self, names: &Names) -> Vec<String> {
        match names {
            WordOr::Word(Everywhere::Everywhere) => self.networks.clone(),
            WordOr::Value(names) => set(names),
        }
    }
}

/// Names, sorted and once each: their order in the policy means nothing.
fn set(names: &Items<String>) -> Vec<String> {
    let mut names: Vec<String> = names.values().cloned().collect();
    names.sort();
    names.dedup();
    names
}

/// Domains, sorted and once each.
fn domains(names: &Items<model::literal::DomainName>) -> Vec<mail::Domain> {
    let mut names: Vec<mail::Domain> = names.values().map(|name| name.0.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// Durations in seconds, the longest first.
fn descending(spans: &Items<model::literal::Span>) -> Vec<u64> {
    let mut seconds: Vec<u64> = spans.values().map(|span| span.0).collect();
    seconds.sort_by(|a, b| b.cmp(a));
    seconds.dedup();
    seconds
}

/// Values in the order written.
fn list<T: Clone>(items: &Items<T>) -> Vec<T> {
    items.values().cloned().collect()
}

/// The plan of a policy; `None` when a section is missing or has mistakes.
pub(crate) fn lower(policy: &Policy) -> Option<Plan> {
    let mut networks: Vec<String> = policy.networks.sound()?.keys().map(|name| name.value.clone()).collect();
    networks.sort();
    let is_rest = |name: &String| {
        policy.networks.seen().and_then(|all| all.get(name)).is_some_and(|network| network.value == Network::Rest)
    };
    let with_prefixes = networks.iter().filter(|name| !is_rest(name)).cloned().collect();
    let scope = Scope { networks, with_prefixes, otherwise: policy.mailboxes.sound()?.otherwise.value.clone() };
    Some(Plan {
        format: FORMAT,
        institution: institution(policy.institution.sound()?),
        domains: domain::domains(&scope, policy.domains.sound()?),
        identity: identity::identity(policy.identity.sound()?),
        accounts: account::accounts(policy.accounts.sound()?),
        roles: account::roles(policy.roles.sound()?),
        portal: account::portal(&scope, policy.portal.sound()?),
        networks: model::sorted(policy.networks.sound()?, network::network),
        gateways: model::sorted(policy.gateways.sound()?, network::gateway),
        tls: network::tls(policy.tls.sound()?)?,
        listeners: network::listeners(policy.listeners.sound()?)?,
        web: model::sorted(policy.web.sound()?, |url| url.0.clone()),
        never_reachable_beyond: model::sorted(policy.never_reachable_beyond.sound()?, |names| scope.networks(names)),
        may_send: block::may_send(&scope, policy.may_send.sound()?)?,
        may_receive: model::sorted(policy.may_receive.sound()?, |block| block::receive(&scope, block)),
        may_read: model::sorted(policy.may_read.sound()?, |block| block::read(&scope, block)),
        when_over: block::when_over(policy.when_over.sound()?),
        one_account_in_several_blocks: *policy.one_account_in_several_blocks.sound()?,
        limit_grants: policy.limit_grants.sound()?.values().map(block::limit_grant).collect(),
        senders: policy.senders.sound()?.on().map(block::senders),
        logins: block::logins(policy.logins.sound()?),
        compromise: compromise::compromise(policy.compromise.sound()?),
        strangers: block::strangers(policy.strangers.sound()?),
        dns_lists: model::sorted(policy.dns_lists.sound()?, delivery::dns_list),
        blocked: policy.blocked.sound()?.values().map(response::blocked).collect(),
        mailboxes: mailboxes::mailboxes(policy.mailboxes.sound()?),
        imap: imap(policy.imap.sound()?),
        reception: list(policy.reception.sound()?),
        sending: list(policy.sending.sound()?),
        authenticate: steps::authenticate(policy.authenticate.sound()?),
        scanners: model::sorted(policy.scanners.sound()?, scan::scanner),
        antivirus: policy.antivirus.sound()?.on().map(scan::antivirus),
        antispam: policy.antispam.sound()?.on().map(scan::antispam),
        filters: steps::filters(policy.filters.sound()?),
        losses: steps::losses(policy.losses.sound()?),
        response: response::response(policy.response.sound()?),
        redirects: steps::redirects(policy.redirects.sound()?),
        routes: domain::routes(policy.routes.sound()?),
        delivery: delivery::delivery(policy.delivery.sound()?),
        signing: policy.signing.sound()?.on().map(delivery::signing),
        retention: retention::retention(policy.retention.sound()?),
        deployment: deployment(policy.deployment.sound()?),
        backup: match policy.backup.sound()? {
            Switch::Off => None,
            Switch::On(backup) => Some(retention::backup(backup)),
        },
        guarantees: policy.guarantees.sound()?.values().map(guarantee::guarantee).collect(),
        waivers: policy.waivers.sound()?.values().map(guarantee::waiver).collect(),
        pins: Pins::of_this_build(),
    })
}

fn deployment(deployment: &model::deployment::Deployment) -> plan::Deployment {
    let guards = &deployment.guards;
    plan::Deployment {
        trial_s: deployment.trial.value.0,
        guards: plan::Guards {
            accounts_times: guards.accounts.times.value,
            accounts_floor: guards.accounts.floor.value,
            down_s: guards.down.value.0,
            queue: guards.queue.value,
        },
    }
}

fn imap(imap: &model::imap::Imap) -> plan::ImapRules {
    let spelled = |word: &String| plan::MASKABLE.iter().find(|known| known.eq_ignore_ascii_case(word));
    let mask = imap.mask.values().map(|mask| {
        let mut without: Vec<String> = mask.without.values().filter_map(spelled).map(|&word| word.to_owned()).collect();
        without.sort();
        without.dedup();
        plan::CapabilityMask { client: mask.client.value.clone(), without }
    });
    plan::ImapRules { mask: mask.collect() }
}

fn institution(institution: &model::Institution) -> Institution {
    Institution {
        name: institution.name.clone(),
        domain: institution.domain.value.0.clone(),
        time_zone: institution.time_zone.0.clone(),
        guide: institution.guide.clone(),
        contact: institution.contact.as_ref().map(|address| address.0.to_string()).unwrap_or_default(),
        pages: institution.pages,
    }
}

/// A sorted map of what may fail to lower.
fn try_sorted<V, W>(
    entries: &crate::syntax::Entries<V>,
    lower: impl Fn(&V) -> Option<W>,
) -> Option<BTreeMap<String, W>> {
    entries.iter().map(|(name, value)| Some((name.value.clone(), lower(&value.value)?))).collect()
}

/// The name of a guarantee as the policy writes it.
pub(crate) fn guarantee_name(guarantee: &model::guarantee::Guarantee) -> &'static str {
    guarantee::guarantee(guarantee).name()
}
