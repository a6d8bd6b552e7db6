//! Which rules of a plan no test ever made decide.

use std::collections::{BTreeMap, BTreeSet};

use decide::Tables;
use plan::{
    EmptySender, ListenerAuth, Loss, OwnDomains, Plan, ReceptionStep, Row, SendingStep, SpamAction, Speaks, TlsMode,
    To, Windows,
};

/// Lines of rules a report lists before it only counts.
const LISTED_MAX: usize = 12;

/// Every rule id a decision can name.
pub(super) fn rules(tables: &Tables) -> BTreeSet<String> {
    let plan = tables.plan();
    let mut rules = BTreeSet::new();
    blocks(plan, &mut rules);
    strangers(plan, &mut rules);
    for (name, listener) in &plan.listeners {
        let mail = matches!(listener.speaks, Speaks::Smtp | Speaks::Lmtp);
        if mail && listener.tls == TlsMode::Required {
            rules.insert(format!("listeners.{name}.tls"));
        }
        if mail && listener.auth == ListenerAuth::Required {
            rules.insert(format!("listeners.{name}.auth"));
        }
        let away = |class| tables.listener(name).is_some_and(|id| tables.block(id, class).is_none());
        if tables.classes().any(away) {
            rules.insert(format!("listeners.{name}"));
        }
    }
    if plan.reception.contains(&ReceptionStep::KnownRecipient) {
        rules.insert("reception.KnownRecipient".to_owned());
    }
    rules.insert("mailboxes.when_full".to_owned());
    rules.insert("mailboxes.message_size".to_owned());
    content(plan, &mut rules);
    for name in plan.redirects.allow.keys() {
        rules.insert(format!("redirects.allow.{name}"));
    }
    rules.extend(plan.redirects.on_grant.keys().map(|name| format!("redirects.on_grant.{name}")));
    if !plan.redirects.refused_examples.is_empty() {
        rules.insert("redirects.refused_examples".to_owned());
    }
    rules.insert("redirects.otherwise".to_owned());
    rules
}

fn blocks(plan: &Plan, rules: &mut BTreeSet<String>) {
    for (name, block) in &plan.may_send {
        let path = format!("may_send.{name}");
        row(&path, block.limits.row(), rules);
        for (profile, of_profile) in &block.by_profile {
            row(&format!("{path}.by_profile.{profile}"), of_profile, rules);
        }
        if block.as_ != plan::As::AnyAddress {
            rules.insert(format!("{path}.as"));
        }
        if block.empty_sender == EmptySender::ReportsOnly || block.empty_sender == EmptySender::Refuse {
            rules.insert(format!("{path}.empty_sender"));
        }
        if block.to == To::OurAddresses {
            rules.insert(format!("{path}.to"));
        }
        rules.insert(path);
    }
    for grant in &plan.limit_grants {
        row(&format!("limit_grants.{}.{}", grant.login, grant.block), &grant.limits, rules);
    }
    for (name, application) in plan.senders.iter().flat_map(|senders| &senders.known) {
        row(&format!("senders.{name}"), &application.limits, rules);
    }
    for (name, block) in &plan.may_receive {
        rules.insert(format!("may_receive.{name}"));
        if block.to == To::OurAddresses {
            rules.insert(format!("may_receive.{name}.to"));
        }
    }
}

fn row(path: &str, row: &Row, rules: &mut BTreeSet<String>) {
    rules.insert(format!("{path}.recipients_in_one_message"));
    windows(&format!("{path}.messages_attempted"), &row.messages_attempted, rules);
    windows(&format!("{path}.messages_accepted"), &row.messages_accepted, rules);
    windows(&format!("{path}.recipients_attempted"), &row.recipients_attempted, rules);
    windows(&format!("{path}.recipients_accepted"), &row.recipients_accepted, rules);
}

fn windows(path: &str, windows: &Windows, rules: &mut BTreeSet<String>) {
    rules.extend(windows.list().iter().map(|window| format!("{path}/{}", window.width_name())));
}

fn strangers(plan: &Plan, rules: &mut BTreeSet<String>) {
    windows("logins.each_account_and_network.failed", &plan.logins.each_account_and_network, rules);
    windows("logins.each_client_address.failed", &plan.logins.each_client_address, rules);
    if plan.may_receive.is_empty() {
        return;
    }
    let strangers = &plan.strangers;
    rules.insert("strangers.connections_at_once".to_owned());
    rules.insert("strangers.recipients_in_one_message".to_owned());
    windows("strangers.connections_attempted", &strangers.connections_attempted, rules);
    windows("strangers.messages_attempted", &strangers.messages_attempted, rules);
    windows("strangers.unknown_recipients_attempted", &strangers.unknown_recipients_attempted, rules);
}

fn content(plan: &Plan, rules: &mut BTreeSet<String>) {
    let authenticates = plan.reception.contains(&ReceptionStep::Authenticate);
    if authenticates && plan.authenticate.own_domains_from_outside != OwnDomains::Ignore {
        rules.insert("authenticate.own_domains_from_outside".to_owned());
    }
    let scored = plan.reception.contains(&ReceptionStep::Antispam) || plan.sending.contains(&SendingStep::Antispam);
    match plan.antispam.as_ref().filter(|_| scored).map(|antispam| antispam.always) {
        Some(SpamAction::Deliver) => drop(rules.insert("antispam.tag_when".to_owned())),
        Some(SpamAction::Refuse) => drop(rules.insert("antispam.always".to_owned())),
        None => {}
    }
    let Some(antivirus) = &plan.antivirus else { return };
    let inbound = antivirus.on.contains(&plan::Direction::Inbound).then_some("inbound");
    let outbound = antivirus.on.contains(&plan::Direction::Outbound);
    let outbound = ["outbound_from_person", "outbound_from_machine"].into_iter().filter(|_| outbound);
    for direction in inbound.into_iter().chain(outbound) {
        rules.insert(format!("antivirus.{direction}.infected"));
        rules.insert(format!("antivirus.{direction}.suspect"));
    }
    if plan.losses.record.contains(&Loss::Virus) || !antivirus.engines.is_empty() {
        rules.insert("antivirus.engine_down".to_owned());
    }
}

/// Rules for a sentence: each by itself while they are few, else by section and member with their number.
pub(super) fn listed(rules: &BTreeSet<String>) -> Vec<String> {
    if rules.len() <= LISTED_MAX {
        return rules.iter().cloned().collect();
    }
    let mut groups: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for rule in rules {
        let ends = rule.match_indices('.').map(|(at, _)| at).nth(1).unwrap_or(rule.len());
        let group = groups.entry(&rule[..ends]).or_insert((0, rule));
        group.0 += 1;
    }
    let shown = |(group, (count, only)): (&&str, &(usize, &str))| match count {
        1 => (*only).to_owned(),
        count => format!("{group} ({count})"),
    };
    let mut listed: Vec<String> = groups.iter().take(2 * LISTED_MAX).map(shown).collect();
    let left: usize = groups.values().skip(2 * LISTED_MAX).map(|(count, _)| count).sum();
    if left > 0 {
        listed.push(format!("and {left} more"));
    }
    listed
}
