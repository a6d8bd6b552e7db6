//! Names, bounds and blocks of a plan: what every reader of a plan takes for granted, checked anew.

use std::collections::{BTreeMap, BTreeSet};

use plan::{Limits, MailDomain, Network, Plan, Prefix, RECIPIENTS_CEILING, Row, Speaks, Windows};

use super::Faults;

/// Widest window in seconds.
const WIDTH_S_MAX: u32 = 86_400;

pub(super) fn judge(plan: &Plan, faults: &mut Faults<'_, '_>) {
    let known = Known::of(plan);
    networks(plan, faults);
    blocks(plan, &known, faults);
    limits(plan, &known, faults);
    mail(plan, &known, faults);
    scanning(plan, &known, faults);
}

/// Names that are defined.
struct Known<'p> {
    networks: BTreeSet<&'p str>,
    listeners: BTreeSet<&'p str>,
    profiles: BTreeSet<&'p str>,
    sending: BTreeSet<&'p str>,
    scanners: BTreeSet<&'p str>,
}

impl<'p> Known<'p> {
    fn of(plan: &'p Plan) -> Known<'p> {
        Known {
            networks: plan.networks.keys().map(String::as_str).collect(),
            listeners: plan.listeners.keys().map(String::as_str).collect(),
            profiles: plan.mailboxes.profiles.keys().map(String::as_str).collect(),
            sending: plan.may_send.keys().map(String::as_str).collect(),
            scanners: plan.scanners.keys().map(String::as_str).collect(),
        }
    }
}

/// Each of `names` is defined.
fn all_known(faults: &mut Faults<'_, '_>, path: &[&str], names: &[String], known: &BTreeSet<&str>, what: &str) {
    for name in names.iter().filter(|name| !known.contains(name.as_str())) {
        faults.at(path, format!("`{name}` is no {what} of this plan"));
    }
}

/// One `Rest`, and no prefix of two networks.
fn networks(plan: &Plan, faults: &mut Faults<'_, '_>) {
    let rest = plan.networks.values().filter(|network| matches!(network, Network::Rest)).count();
    if rest != 1 {
        faults.at(&["networks"], format!("{rest} networks are `Rest`, and exactly one must be"));
    }
    let mut owners: BTreeMap<&Prefix, &str> = BTreeMap::new();
    for (name, network) in &plan.networks {
        if network.prefixes().is_empty() && !matches!(network, Network::Rest) {
            faults.at(&["networks", name], "a network without a prefix");
        }
        for prefix in network.prefixes() {
            if let Some(other) = owners.insert(prefix, name) {
                faults.at(&["networks", name], format!("{prefix} belongs to \"{other}\" too"));
            }
        }
    }
}

/// References of blocks, and that no pair of listener and network has two.
fn blocks(plan: &Plan, known: &Known<'_>, faults: &mut Faults<'_, '_>) {
    let sends = plan.may_send.iter().map(|(name, block)| ("may_send", name, &block.connecting_to, &block.from));
    let receives =
        plan.may_receive.iter().map(|(name, block)| ("may_receive", name, &block.connecting_to, &block.from));
    let reads = plan.may_read.iter().map(|(name, block)| ("may_read", name, &block.connecting_to, &block.from));
    let mut owners: BTreeMap<(&str, &str), String> = BTreeMap::new();
    for (section, name, listeners, networks) in sends.chain(receives).chain(reads) {
        all_known(faults, &[section, name, "connecting_to"], listeners, &known.listeners, "listener");
        all_known(faults, &[section, name, "from"], networks, &known.networks, "network");
        if listeners.is_empty() || networks.is_empty() {
            faults.at(&[section, name], "a block that serves nobody");
        }
        for listener in listeners {
            let speaks = plan.listeners.get(listener).map(|rules| rules.speaks);
            let reads = matches!(speaks, Some(Speaks::Imap | Speaks::Pop));
            if speaks.is_some() && reads != (section == "may_read") {
                faults.at(&[section, name, "connecting_to"], format!("`{listener}` speaks another protocol"));
            }
            for network in networks {
                if let Some(other) = owners.insert((listener, network), format!("{section}.{name}")) {
                    faults.at(&[section, name], format!("`{listener}` × `{network}` is served by `{other}` too"));
                }
            }
        }
    }
    for (service, networks) in &plan.never_reachable_beyond {
        let service = format!("{service:?}");
        all_known(faults, &["never_reachable_beyond", &service], networks, &known.networks, "network");
    }
    for (name, gateway) in &plan.gateways {
        all_known(faults, &["gateways", name, "on"], &gateway.on, &known.listeners, "listener");
    }
}

fn limits(plan: &Plan, known: &Known<'_>, faults: &mut Faults<'_, '_>) {
    for (name, block) in &plan.may_send {
        let (Limits::EachAccount(own) | Limits::EachClientAddress(own)) = &block.limits;
        row(faults, &["may_send", name, "limits"], own);
        for (profile, own) in &block.by_profile {
            if !known.profiles.contains(profile.as_str()) {
                faults
                    .at(&["may_send", name, "by_profile", profile], format!("`{profile}` is no profile of this plan"));
            }
            row(faults, &["may_send", name, "by_profile", profile], own);
        }
        if block.warn_at_percent > 100 {
            faults.at(&["may_send", name, "warn_at_percent"], "more than 100 %");
        }
    }
    for grant in &plan.limit_grants {
        if !known.sending.contains(grant.block.as_str()) {
            faults.at(&["limit_grants"], format!("`{}` is no sending block of this plan", grant.block));
        }
        row(faults, &["limit_grants"], &grant.limits);
    }
    if let Some(senders) = &plan.senders {
        all_known(faults, &["senders", "of"], &senders.of, &known.sending, "sending block");
        for (name, application) in &senders.known {
            row(faults, &["senders", "known", name, "limits"], &application.limits);
        }
    }
    windows(faults, &["logins", "each_account_and_network"], &plan.logins.each_account_and_network);
    windows(faults, &["logins", "each_client_address"], &plan.logins.each_client_address);
    windows(faults, &["strangers", "connections_attempted"], &plan.strangers.connections_attempted);
    windows(faults, &["strangers", "messages_attempted"], &plan.strangers.messages_attempted);
    windows(faults, &["strangers", "unknown_recipients_attempted"], &plan.strangers.unknown_recipients_attempted);
    all_known(faults, &["strangers", "not_for"], &plan.strangers.not_for, &known.networks, "network");
}

fn row(faults: &mut Faults<'_, '_>, path: &[&str], row: &Row) {
    if row.recipients_in_one_message == 0 || row.recipients_in_one_message > RECIPIENTS_CEILING {
        let what = format!(
            "{} recipients in one message, 1 to {RECIPIENTS_CEILING} are possible",
            row.recipients_in_one_message
        );
        faults.at(&[path, &["recipients_in_one_message"]].concat(), what);
    }
    for (field, kept) in [
        ("messages_attempted", &row.messages_attempted),
        ("messages_accepted", &row.messages_accepted),
        ("recipients_attempted", &row.recipients_attempted),
        ("recipients_accepted", &row.recipients_accepted),
    ] {
        windows(faults, &[path, &[field]].concat(), kept);
    }
    if let Some(observed) = &row.observed {
        let path = [path, &["observed"]].concat();
        if observed.recipients_in_one_message.is_some_and(|most| most == 0 || most > RECIPIENTS_CEILING) {
            faults.at(&path, format!("1 to {RECIPIENTS_CEILING} recipients in one message are possible"));
        }
        for (field, kept) in observed.windows() {
            windows(faults, &[&path, &[field][..]].concat(), kept);
        }
    }
    let silent = |a: &Windows, b: &Windows| *a == Windows::NotCounted && *b == Windows::NotCounted;
    if silent(&row.messages_attempted, &row.messages_accepted)
        || silent(&row.recipients_attempted, &row.recipients_accepted)
    {
        faults.at(path, "an event that nothing counts and nobody called unlimited");
    }
}

/// The shortest first, each width once, none wider than a day, none of nothing.
fn windows(faults: &mut Faults<'_, '_>, path: &[&str], windows: &Windows) {
    let Windows::Within(list) = windows else { return };
    if list.is_empty() {
        faults.at(path, "a list of windows without a window");
    }
    for window in list {
        if window.max == 0 || window.width_s == 0 || window.width_s > WIDTH_S_MAX {
            faults.at(path, format!("{} in {} s is a window no ring can keep", window.max, window.width_s));
        }
    }
    if !list.windows(2).all(|pair| pair[0].width_s < pair[1].width_s) {
        faults.at(path, "windows are not in the order of their widths");
    }
}

fn mail(plan: &Plan, known: &Known<'_>, faults: &mut Faults<'_, '_>) {
    if !plan.domains.contains_key(plan.institution.domain.as_str()) {
        faults.at(&["institution", "domain"], "the main domain is no entry of `domains`");
    }
    for (name, domain) in &plan.domains {
        match domain {
            MailDomain::Held { profile, .. } if !known.profiles.contains(profile.as_str()) => {
                faults.at(&["domains", name], format!("`{profile}` is no profile of this plan"));
            }
            MailDomain::AliasOf(other)
                if matches!(plan.domains.get(other.as_str()), None | Some(MailDomain::AliasOf(_))) =>
            {
                faults.at(&["domains", name], format!("`{other}` is no domain this can be another name of"));
            }
            MailDomain::Held { .. } | MailDomain::PassOn { .. } | MailDomain::AliasOf(_) => {}
        }
    }
    if !known.profiles.contains(plan.mailboxes.otherwise.as_str()) {
        faults.at(&["mailboxes", "otherwise"], format!("`{}` is no profile of this plan", plan.mailboxes.otherwise));
    }
    if plan.mailboxes.message_size_octets == 0 {
        faults.at(&["mailboxes", "message_size_octets"], "no message fits");
    }
    if plan.mailboxes.when_full.warn_at_percent.iter().any(|share| *share > 100) {
        faults.at(&["mailboxes", "when_full", "warn_at_percent"], "more than 100 %");
    }
    all_known(
        faults,
        &["identity", "password", "change_from"],
        &plan.identity.password.change_from,
        &known.networks,
        "network",
    );
    if let Some(backup) = &plan.backup {
        if backup.every_night_at_min >= 24 * 60 {
            faults.at(&["backup", "every_night_at_min"], "no time of a day");
        }
        if backup.keep_at_least_s > backup.keep_at_most_s {
            faults.at(&["backup", "keep_at_least_s"], "kept longer than `keep_at_most_s`");
        }
    }
}

fn scanning(plan: &Plan, known: &Known<'_>, faults: &mut Faults<'_, '_>) {
    let accepts = plan.reception.iter().filter(|step| **step == plan::ReceptionStep::Accept).count();
    if accepts != 1 {
        faults.at(&["reception"], format!("{accepts} steps accept, and exactly one must"));
    }
    let accepts = plan.sending.iter().filter(|step| **step == plan::SendingStep::Accept).count();
    if accepts != 1 {
        faults.at(&["sending"], format!("{accepts} steps accept, and exactly one must"));
    }
    if let Some(antivirus) = &plan.antivirus {
        all_known(faults, &["antivirus", "engines"], &antivirus.engines, &known.scanners, "scanner");
    }
    if let Some(antispam) = &plan.antispam {
        all_known(faults, &["antispam", "passes"], &antispam.passes, &known.scanners, "scanner");
    }
    for (name, scanner) in &plan.scanners {
        if scanner.at_once == 0 || scanner.deadline_s == 0 {
            faults.at(&["scanners", name], "a scanner that never has the time to look");
        }
        let is_command = matches!(scanner.at, plan::At::Command(_));
        if is_command != scanner.exits.iter().any(|exit| exit.means == plan::ExitMeans::Clean) {
            faults.at(&["scanners", name, "exits"], "exit codes belong to commands, and one of them is clean");
        }
        if !scanner.exits.windows(2).all(|pair| pair[0].code < pair[1].code) {
            faults.at(&["scanners", name, "exits"], "exit codes are not in their order, each once");
        }
    }
    let is_hash = |hash: &String| {
        hash.len() == 64 && hash.bytes().all(|octet| octet.is_ascii_digit() || (b'a'..=b'f').contains(&octet))
    };
    for blocked in &plan.blocked {
        if matches!(&blocked.what, plan::BlockedWhat::Attachment(hash) if !is_hash(hash)) {
            faults.at(&["blocked"], "an attachment that is no SHA-256");
        }
    }
}
