//! L0502, E0509, E0510, L0512, L0514: profiles, grants, the size of messages, full mailboxes.

use crate::check::{Subject, mending};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::figures::{size, size_literal};
use crate::model::mailboxes::{Full, Mailboxes, Profile, Quota, QuotaGrant};

/// Beginnings of words that say that somebody is here for a while, folded. Language 1 has no field for it: profiles say
/// it in their name or label.
const TEMPORARY: &[&str] =
    &["contractuel", "guest", "intern", "invit", "passage", "stagiaire", "tempora", "trainee", "vacataire", "visit"];

pub(super) fn check(subject: &Subject<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(mailboxes) = subject.policy.mailboxes.seen() else { return };
    roomy_guests(subject, mailboxes, sink);
    for (index, grant) in mailboxes.grants.iter().enumerate() {
        let path = format!("mailboxes.grants[{index}]");
        too_small(subject, mailboxes, &grant.value, &path, sink);
        incomplete(subject, &grant.value, &path, sink);
    }
    on_the_wire(subject, mailboxes, sink);
    first_byte(subject, mailboxes, sink);
}

fn floor(profile: &Profile) -> u64 {
    match profile.quota {
        Quota::Fixed(quota) | Quota::OnRequest { above: quota } => quota.0,
    }
}

/// L0502.
fn roomy_guests(subject: &Subject<'_>, mailboxes: &Mailboxes, sink: &mut Vec<Diagnostic>) {
    let default_name = mailboxes.otherwise.value.as_str();
    let Some(default) = mailboxes.profiles.get(default_name) else { return };
    for (name, profile) in mailboxes.profiles.iter() {
        let Quota::Fixed(quota) = &profile.quota else { continue };
        let is_default = name.value == default_name;
        if is_default || quota.0 <= floor(&default.value) || !is_temporary(name, &profile.label) {
            continue;
        }
        let path = format!("mailboxes.profiles.{name}");
        let default_path = format!("mailboxes.profiles.{default_name}");
        let message = format!("profile \"{name}\" (temporary) has more room than \"{default_name}\" (default)");
        let mut report = Diagnostic::new(Code::L0502, message)
            .help("confirm with a waiver or swap")
            .at(subject.place(&path), size(quota.0))
            .also(subject.place(&default_path), size(floor(&default.value)))
            .rule(path.clone());
        let (here, there) = (format!("{path}.quota"), format!("{default_path}.quota"));
        if let (Some(first), Some(second)) = (subject.spans.get(&here), subject.spans.get(&there)) {
            report = report.edit(*first, subject.sources.slice(*second)).edit(*second, subject.sources.slice(*first));
        }
        sink.push(report);
    }
}

fn is_temporary(name: &str, label: &str) -> bool {
    let folded = format!("{name} {label}").to_lowercase();
    let mut words = folded.split(|c: char| !c.is_alphanumeric());
    words.any(|word| TEMPORARY.iter().any(|beginning| word.starts_with(beginning)))
}

/// E0509, as far as it can be told without knowing who has which profile: a grant that is more than no profile's room.
/// `people` judges the others.
fn too_small(subject: &Subject<'_>, mailboxes: &Mailboxes, grant: &QuotaGrant, path: &str, sink: &mut Vec<Diagnostic>) {
    let Some((name, profile)) = mailboxes.profiles.iter().min_by_key(|(_, profile)| {
        let on_request = matches!(profile.quota, Quota::OnRequest { .. });
        (floor(profile), !on_request)
    }) else {
        return;
    };
    if grant.quota.0 > floor(profile) {
        return;
    }
    let fixed = mailboxes.profiles.iter().filter(|(_, profile)| matches!(profile.quota, Quota::Fixed(_)));
    let near = fixed.min_by_key(|(_, profile)| floor(profile).abs_diff(grant.quota.0)).map_or(name, |(name, _)| name);
    let message = format!(
        "the grant to {} gives {}, profile \"{name}\" requires more than {}",
        grant.login,
        size(grant.quota.0),
        size(floor(profile))
    );
    let quota = format!("{path}.quota");
    let report = Diagnostic::new(Code::E0509, message)
        .help(format!("give more, or put the person in \"{near}\""))
        .at(subject.place(&quota), "no more than without a grant")
        .also(subject.place(&format!("mailboxes.profiles.{name}")), "")
        .rule("mailboxes.grants");
    sink.push(mending::value(subject, report, &quota, &size_literal(floor(profile).saturating_mul(2))));
}

/// E0510.
fn incomplete(subject: &Subject<'_>, grant: &QuotaGrant, path: &str, sink: &mut Vec<Diagnostic>) {
    let report = |message: String, field: &str| {
        Diagnostic::new(Code::E0510, message)
            .help("fill `because`, renew `until`, or delete the grant")
            .at(subject.place(field), "")
            .rule("mailboxes.grants")
    };
    if grant.because.trim().is_empty() {
        sink.push(report(format!("the grant to {} has no reason", grant.login), &format!("{path}.because")));
    }
    if subject.has_passed(&grant.until) {
        let field = format!("{path}.until");
        let ended = report(format!("the grant to {} ended on {}", grant.login, grant.until.0), &field);
        let renewed = subject.a_year_from_now().map(|day| format!("\"{day}\"")).unwrap_or_default();
        sink.push(mending::value(subject, ended, &field, &renewed));
    }
}

/// L0512: what base64 in lines of 76 leaves of a message (RFC 2045 6.8): 57 octets in 78.
fn on_the_wire(subject: &Subject<'_>, mailboxes: &Mailboxes, sink: &mut Vec<Diagnostic>) {
    // The default is nobody's promise of a size.
    let Some(place) = subject.spans.get("mailboxes.message_size") else { return };
    let octets = mailboxes.message_size.value.0;
    let attached = u64::try_from(u128::from(octets) * 73 / 100).unwrap_or(octets);
    let (wire, attached) = (size(octets), size(attached));
    let message = format!("\"{wire}\" on the wire carries about {attached} of attachments");
    let report = Diagnostic::new(Code::L0512, message)
        .help(format!("{wire} lets through {attached}; say which one you mean on the page"))
        .at(*place, "")
        .rule("mailboxes.message_size");
    sink.push(report);
}

/// L0514.
fn first_byte(subject: &Subject<'_>, mailboxes: &Mailboxes, sink: &mut Vec<Diagnostic>) {
    let when_full = &mailboxes.when_full;
    let Full::TryLater { for_ } = &when_full.full;
    let refuses = match when_full.then {
        plan::Then::Refuse => true,
        plan::Then::TryLater => false,
    };
    if when_full.grace.0 > 0 || for_.0 > 0 || !refuses {
        return;
    }
    let report = Diagnostic::new(Code::L0514, "a full mailbox refuses for good at the first byte")
        .help("lists unsubscribe people on holiday; `grace`, then `TryLater` for some days")
        .at(subject.place("mailboxes.when_full"), "")
        .rule("mailboxes.when_full");
    let report = mending::value(subject, report, "mailboxes.when_full.grace", "\"10 %\"");
    sink.push(mending::value(subject, report, "mailboxes.when_full.full", "TryLater(for: \"3 days\")"));
}
