//! Who somebody is: by name, login or address.

use mail::{AliasKind, Person};

use super::Explanation;
use crate::figures::octets;
use crate::people::Directory;
use plan::Plan;

/// Most people one answer lists.
const PEOPLE_MAX: usize = 20;

/// Everybody a text may mean; empty when nobody.
pub fn who(plan: &Plan, directory: &Directory, text: &str) -> Vec<Explanation> {
    let wanted = text.trim().to_lowercase();
    let is = |person: &&Person| {
        let name = format!("{} {}", person.first, person.last).to_lowercase();
        let other = format!("{} {}", person.last, person.first).to_lowercase();
        let address = person.address.to_string().to_lowercase();
        [name, other, address].contains(&wanted)
            || person.login.as_str() == wanted
            || leads_to(directory, &wanted, person)
    };
    directory.people.iter().filter(is).take(PEOPLE_MAX).map(|person| one(plan, directory, person)).collect()
}

fn leads_to(directory: &Directory, wanted: &str, person: &Person) -> bool {
    let alias = directory.aliases.iter().find(|alias| alias.address.to_string().to_lowercase() == wanted);
    alias.is_some_and(|alias| alias.members.contains(&person.login))
}

fn one(plan: &Plan, directory: &Directory, person: &Person) -> Explanation {
    let title = format!("{}, {}, {}", person.login, person.address, octets(person.quota_octets));
    let mut explanation = Explanation::new(title).fact(format!("{} {}", person.first, person.last));
    let label = plan.mailboxes.profiles.get(&person.profile).map_or("", |profile| profile.label.as_str());
    explanation.facts.push(format!("profile {}: {label}", person.profile));
    if !person.unit.is_empty() {
        explanation.facts.push(format!("unit {}", person.unit));
    }
    if let Some(home) = &person.home {
        explanation.facts.push(format!("the mailbox lives at \"{home}\""));
    }
    for (kind, what) in [
        (AliasKind::Former, "former addresses"),
        (AliasKind::Alias, "aliases"),
        (AliasKind::Function, "functional addresses"),
    ] {
        let mine = directory.aliases.iter().filter(|alias| alias.kind == kind && alias.members.contains(&person.login));
        let addresses: Vec<String> = mine.map(|alias| alias.address.to_string()).collect();
        if !addresses.is_empty() {
            explanation.facts.push(format!("{what}: {}", addresses.join(", ")));
        }
    }
    for alias in directory.aliases.iter().filter(|alias| alias.members.contains(&person.login)) {
        if let AliasKind::FunctionMailbox { quota_octets } = alias.kind {
            let quota = octets(quota_octets);
            explanation.facts.push(format!("shares the mailboxes of {}, {quota}", alias.address));
        }
    }
    for grant in plan.limit_grants.iter().filter(|grant| grant.login == person.login.as_str()) {
        explanation.facts.push(format!("limit grant in \"{}\" until {}: {}", grant.block, grant.until, grant.because));
    }
    explanation
}
