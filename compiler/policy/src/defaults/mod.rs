//! What fills the sections a policy does not write (policy-language.md 4.2). The fixed part is `defaults.ron`, read by
//! the same parser; what depends on the policy is put in here. A section with mistakes is never filled: a default in
//! its place would hide the mistake.

mod blocks;

use crate::diagnostic::{Diagnostic, Sources};
use crate::model::guarantee::Guarantee;
use crate::model::literal::DomainKey;
use crate::model::network::Certificate;
use crate::model::{Policy, Switch};
use crate::model::{domain::MailDomain, network::Network};
use crate::syntax::{Decoded, Document, Entries, Items, Spanned, read};
pub(crate) use blocks::service;

/// The text of the defaults.
pub const TEXT: &str = include_str!("defaults.ron");
/// The name diagnostics and source maps show for it.
pub const FILE_NAME: &str = "defaults of language 1";

/// The defaults, read. `file` is where `TEXT` was added to the sources.
pub(crate) fn document(sources: &mut Sources) -> (Document, Policy) {
    let file = sources.add(FILE_NAME, TEXT);
    let mut sink: Vec<Diagnostic> = Vec::new();
    let document = read(file, TEXT, &mut sink);
    let policy = Policy::decode(&document, &mut sink);
    // A test holds that our own file has no mistake; if it had one, the sections in question would stay absent.
    (document, policy)
}

/// Sections that have no default.
pub const REQUIRED: [&str; 4] = ["language", "institution", "networks", "listeners"];

/// Each section of this name, where it is absent.
macro_rules! or_each {
    ($policy:ident; $($name:ident),*) => { $(or(&mut $policy.$name, $name);)* };
}

/// Fills what is absent. `given` is the policy as written.
pub(crate) fn fill(policy: &mut Policy, defaults: Policy) {
    made_from_others(policy, &defaults);
    let Policy {
        language: _,
        institution: _,
        include: _,
        locked: _,
        networks: _,
        listeners: _,
        domains: _,
        identity: _,
        tls: _,
        never_reachable_beyond: _,
        may_send: _,
        may_receive: _,
        may_read: _,
        strangers: _,
        reception: _,
        sending: _,
        scanners: _,
        guarantees: _,
        accounts,
        roles,
        portal,
        compromise,
        gateways,
        web,
        when_over,
        one_account_in_several_blocks,
        limit_grants,
        senders,
        counters,
        logins,
        dns_lists,
        blocked,
        mailboxes,
        imap,
        authenticate,
        antivirus,
        antispam,
        filters,
        losses,
        response,
        redirects,
        routes,
        delivery,
        signing,
        retention,
        backup,
        deployment,
        waivers,
    } = defaults;
    or_each!(policy;
        accounts, roles, portal, compromise, gateways, web, when_over, one_account_in_several_blocks, limit_grants, senders, counters, logins,
        dns_lists, blocked, mailboxes, imap, authenticate, antivirus, antispam, filters, losses, response,
        redirects, routes, delivery, signing, retention, backup, deployment, waivers
    );
}

/// Sections that depend on what the policy says elsewhere.
fn made_from_others(policy: &mut Policy, defaults: &Policy) {
    blocks::fill(policy, defaults);
    fill_institution(policy, defaults);
    fill_steps(policy, defaults);
    fill_guarantees(policy, defaults);
    fill_strangers(policy, defaults);
}

fn or<T>(section: &mut Decoded<T>, default: Decoded<T>) {
    if section.is_absent() {
        *section = default;
    }
}

/// Sections made from the institution's own domain.
fn fill_institution(policy: &mut Policy, defaults: &Policy) {
    let Some(institution) = policy.institution.seen() else { return };
    let domain = institution.domain.clone();
    let name = domain.value.0.as_str().to_owned();
    if policy.domains.is_absent() {
        let held = MailDomain::Held { profile: None, only: None };
        let mut domains = Entries::default();
        domains.push(Spanned::new(DomainKey(name.clone()), domain.span), Spanned::new(held, domain.span));
        policy.domains = Decoded::Whole(domains);
    }
    if policy.identity.is_absent()
        && let Some(mut identity) = defaults.identity.sound().cloned()
    {
        identity.address.official.value.push('@');
        identity.address.official.value.push_str(&name);
        policy.identity = Decoded::Whole(identity);
    }
    if policy.tls.is_absent()
        && let Some(mut tls) = defaults.tls.sound().cloned()
    {
        if let Certificate::Acme(contact) = &mut tls.certificate {
            contact.push('@');
            contact.push_str(&name);
        }
        policy.tls = Decoded::Whole(tls);
    }
}

/// Steps for the scanners there are; built-in passes where the antispam defaults need them.
fn fill_steps(policy: &mut Policy, defaults: &Policy) {
    let scans_viruses = policy.antivirus.has_mistakes() || policy.antivirus.seen().is_some_and(|a| a.on().is_some());
    let scores_spam = !matches!(policy.antispam.seen(), Some(Switch::Off));
    if policy.reception.is_absent()
        && let Some(steps) = defaults.reception.sound()
    {
        policy.reception = Decoded::Whole(steps_for(steps, |step| match step {
            plan::ReceptionStep::Antivirus => scans_viruses,
            plan::ReceptionStep::Antispam => scores_spam,
            _ => true,
        }));
    }
    if policy.sending.is_absent()
        && let Some(steps) = defaults.sending.sound()
    {
        policy.sending =
            Decoded::Whole(steps_for(steps, |step| *step != plan::SendingStep::Antivirus || scans_viruses));
    }
    if policy.scanners.is_absent() {
        policy.scanners = Decoded::Whole(Entries::default());
    }
    if policy.antispam.is_absent()
        && let (Decoded::Whole(scanners), Some(built_in)) = (&mut policy.scanners, defaults.scanners.sound())
    {
        for (name, scanner) in built_in.iter() {
            if scanners.get(name.value.as_str()).is_none() {
                scanners.push(name.clone(), scanner.clone());
            }
        }
    }
}

fn steps_for<T: Clone>(steps: &Items<T>, keep: impl Fn(&T) -> bool) -> Items<T> {
    steps.iter().filter(|step| keep(&step.value)).cloned().collect()
}

/// The default guarantees speak of the network that is `Rest`.
fn fill_guarantees(policy: &mut Policy, defaults: &Policy) {
    let (true, Some(networks)) = (policy.guarantees.is_absent(), policy.networks.seen()) else { return };
    let rest = networks.iter().find(|(_, network)| network.value == Network::Rest);
    let Some(rest) = rest.map(|(name, _)| name.clone()) else { return };
    let Some(mut guarantees) = defaults.guarantees.sound().cloned() else { return };
    for guarantee in &mut guarantees.0 {
        if let Guarantee::NobodyPosesAsUs { from } | Guarantee::NoClearPassword { from } = &mut guarantee.value {
            from.0 = vec![rest.clone()];
        }
    }
    policy.guarantees = Decoded::Whole(guarantees);
}

/// Strangers are those of `Rest`.
fn fill_strangers(policy: &mut Policy, defaults: &Policy) {
    let (true, Some(networks)) = (policy.strangers.is_absent(), policy.networks.seen()) else { return };
    let Some(mut strangers) = defaults.strangers.sound().cloned() else { return };
    let named = networks.iter().filter(|(_, network)| network.value != Network::Rest);
    strangers.not_for = named.map(|(name, _)| name.clone()).collect();
    policy.strangers = Decoded::Whole(strangers);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_defaults_have_no_mistake_and_lack_only_what_is_required() {
        let mut sources = Sources::new();
        let file = sources.add(FILE_NAME, TEXT);
        let mut sink = Vec::new();
        let document = read(file, TEXT, &mut sink);
        let policy = Policy::decode(&document, &mut sink);
        assert_eq!(sink, []);
        assert!(policy.broken().is_empty());
        let written: Vec<&str> = document.sections().map(|section| section.name).collect();
        for section in crate::model::SECTIONS {
            let derived = ["domains", "never_reachable_beyond", "include", "locked"].contains(section);
            assert_eq!(written.contains(section), !REQUIRED.contains(section) && !derived, "{section}");
        }
    }
}
