//! E0513, E0509 of actual persons, and the note E0903 that says what nobody can check without a people file.

use mail::Address;
use plan::{MailDomain, Plan, Quota};

use super::{Directory, Places};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::figures::size;
use crate::model::people as written;
use crate::syntax::Span;

/// E0513: where nobody is registered, nobody reads postmaster and abuse (RFC 5321 4.5.1, RFC 2142). Somebody registered
/// with a mistake is reported for that.
pub(super) fn required(
    people: &written::People,
    plan: &Plan,
    directory: &Directory,
    places: &Places,
    sink: &mut Vec<Diagnostic>,
) {
    let here = matches!(plan.domains.get(plan.institution.domain.as_str()), Some(MailDomain::Held { .. }));
    let nobody = people.people.sound().is_some_and(|people| people.iter().next().is_none());
    if !here || !nobody {
        return;
    }
    let missing = |role: &str| {
        let address = Address::new(role, plan.institution.domain.clone()).ok()?;
        let folded = address.folded();
        let known = directory.aliases.iter().any(|alias| alias.address.folded() == folded);
        (!known).then_some(address)
    };
    for address in ["postmaster", "abuse"].into_iter().filter_map(missing) {
        let report = Diagnostic::new(Code::E0513, format!("{address} is not deliverable"))
            .help("both are required of any mail domain; register somebody, or write a function with members")
            .at(places.addresses, "nobody reads it")
            .rule("functions");
        sink.push(report);
    }
}

/// E0509: a grant that gives this person no more than their profile does anyway. Grants that are too small for every
/// profile are reported where they are written.
pub(super) fn grant(plan: &Plan, login: &str, profile: &str, place: Span) -> Option<Diagnostic> {
    let rules = &plan.mailboxes;
    let grant = rules.grants.iter().find(|grant| grant.login == login)?;
    let quota = rules.profiles.get(profile)?.quota;
    let floor = match quota {
        Quota::OnRequest { above_octets } => above_octets,
        // Less than the profile's is allowed: it is a figure of one's own.
        Quota::Fixed { .. } => return None,
    };
    let least = rules.profiles.values().map(|profile| profile.quota.floor_octets()).min()?;
    if grant.octets > floor || grant.octets <= least {
        return None;
    }
    let near = rules.profiles.iter().filter(|(_, other)| matches!(other.quota, Quota::Fixed { .. }));
    let near = near.min_by_key(|(_, other)| other.quota.floor_octets().abs_diff(grant.octets)).map(|(name, _)| name);
    let help = match near {
        Some(near) => format!("give more, or put the person in \"{near}\""),
        None => "give more".to_owned(),
    };
    let message = format!(
        "the grant to {login} gives {}, profile \"{profile}\" requires more than {}",
        size(grant.octets),
        size(floor)
    );
    Some(Diagnostic::new(Code::E0509, message).help(help).at(place, "has that profile").rule("mailboxes.grants"))
}

/// E0903 for a policy without people beside it. `place`: the institution's domain.
pub(crate) fn unknown(place: Span) -> Diagnostic {
    Diagnostic::new(Code::E0903, "delivery to postmaster and abuse needs a fact outside the policy (who there is)")
        .help("a people file beside the policy can check it; it is not proved")
        .at(place, "")
        .rule("people")
        .as_note()
}
