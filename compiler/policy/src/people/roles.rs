//! L0828: a portal in which nobody has a role.

use plan::Plan;

use super::{Directory, Places};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;

/// Each role of the portal has members.
pub(super) fn check(plan: &Plan, directory: &Directory, places: &Places, sink: &mut Vec<Diagnostic>) {
    if plan.portal.is_none() || directory.people.is_empty() {
        return;
    }
    let domain = &plan.institution.domain;
    let exists = |group: &String| {
        let address = format!("{group}@{domain}").to_lowercase();
        directory.aliases.iter().any(|alias| alias.address.folded() == address)
    };
    let roles = [("a mail manager", &plan.roles.managers), ("an administrator", &plan.roles.administrators)];
    for (role, groups) in roles.iter().filter(|(_, groups)| !groups.iter().any(exists)) {
        let named: Vec<String> = groups.iter().map(|group| format!("{group}@{domain}")).collect();
        let help = match named.as_slice() {
            [] => "name a functional address in `roles`".to_owned(),
            named => format!("write the function {} with members", named.join(" or ")),
        };
        let report = Diagnostic::new(Code::L0828, format!("nobody is {role}"))
            .help(help)
            .at(places.addresses, "not among these")
            .rule("roles");
        sink.push(report);
    }
}
