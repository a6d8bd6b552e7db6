//! Guarantees that are a formula over the plan: redirects, equality, mail that stays, sums of windows.

use decide::{Cell, ClassId, ClassKind, Reachable, RecipientClass, RedirectVerdict, Tables, provider_of, redirect};
use mail::{Address, Domain};
use plan::{
    DomainPattern, EqualityExcept, FilterMay, GrantNeeds, Limits, MailDomain, Of, RedirectOtherwise, Remote, Via,
    Window,
};

use super::dialogue::{self, About};
use super::{Breach, Judged};
use crate::blast;
use crate::figures::grouped;

fn breach(message: impl Into<String>, help: &str, path: impl Into<String>) -> Breach {
    Breach { message: message.into(), help: help.to_owned(), path: path.into(), edits: Vec::new() }
}

/// `RedirectsStayProfessional`: a redirect leads to what `allow` names, or a person approved it; never to a public
/// provider or what the policy itself refuses.
pub(super) fn redirects(tables: &Tables) -> Judged {
    let rules = &tables.plan().redirects;
    let mut judged = Judged::of(String::new());
    let mut asked = 0;
    let providers = plan::PUBLIC_PROVIDERS.lines().filter(|line| !line.starts_with('#')).map(str::trim);
    let examples = rules.refused_examples.iter().filter_map(|pattern| match pattern {
        DomainPattern::Suffix(domain) | DomainPattern::Exact(domain) => Some(domain.as_str()),
        DomainPattern::Brand(_) | DomainPattern::PublicProviders => None,
    });
    for domain in providers.chain(examples).filter_map(|name| name.parse::<Domain>().ok()) {
        asked += 1;
        let Ok(target) = Address::new("someone", domain.clone()) else { continue };
        if let RedirectVerdict::Allowed { rule } = redirect(tables, &target) {
            let whose = if provider_of(&domain).is_some() { "a public provider" } else { "a refused example" };
            let help = "take it out of `redirects.allow`";
            judged.breaches.push(breach(format!("`{rule}` lets mail go to {domain}, {whose}"), help, rule));
        }
    }
    for (name, pattern) in &rules.allow {
        if matches!(pattern, DomainPattern::Brand(_) | DomainPattern::PublicProviders) {
            let message = format!("`redirects.allow.{name}` lets mail go to whoever has that name");
            judged.breaches.push(breach(message, "name the domain", format!("redirects.allow.{name}")));
        }
    }
    for (name, _) in rules.on_grant.iter().filter(|(_, grant)| !grant.needs.contains(&GrantNeeds::Approver)) {
        let path = format!("redirects.on_grant.{name}");
        judged.breaches.push(breach(format!("`{path}` needs no approver"), "`needs: [Approver, Reason]`", path));
    }
    if tables.plan().filters.may.contains(&FilterMay::Redirect) {
        let message = "people's filters may redirect, around `redirects`";
        judged.breaches.push(breach(message, "drop `Redirect` from `filters.may`", "filters.may"));
    }
    judged.visited = format!("{asked} providers and examples asked for");
    judged.remark = format!("{} entries allow, {} need a grant", rules.allow.len(), rules.on_grant.len());
    if rules.otherwise == RedirectOtherwise::Ask {
        judged.needs.push(("who approves redirects to other domains".to_owned(), "redirects.otherwise".to_owned()));
    }
    for (name, grant) in &rules.on_grant {
        if grant.to == plan::GrantTo::HomeInstitution {
            let fact = format!("the home institution of everybody with a grant \"{name}\"");
            judged.needs.push((fact, format!("redirects.on_grant.{name}")));
        }
    }
    judged
}

/// `SameServiceForAll`: no profile, grant or row makes a difference between people, except what is named.
pub(super) fn same_service(tables: &Tables, except: &[EqualityExcept]) -> Judged {
    let plan = tables.plan();
    let mut judged =
        Judged::of(format!("{} profiles, {} sending blocks", plan.mailboxes.profiles.len(), plan.may_send.len()));
    if !except.contains(&EqualityExcept::Quota) {
        let help = "give every profile one quota, or write `except: [Quota]`";
        let mut profiles = plan.mailboxes.profiles.iter();
        if let Some((first, one)) = profiles.next()
            && let Some((other, _)) = profiles.find(|(_, profile)| profile.quota != one.quota)
        {
            let message = format!("profiles \"{first}\" and \"{other}\" have different quotas");
            judged.breaches.push(breach(message, help, format!("mailboxes.profiles.{other}")));
        }
        if let Some(grant) = plan.mailboxes.grants.first() {
            let message = format!("{} has a quota of their own", grant.login);
            judged.breaches.push(breach(message, help, "mailboxes.grants"));
        }
    }
    if !except.contains(&EqualityExcept::Limits) {
        let help = "one row of limits for everybody, or write `except: [Limits]`";
        for (name, block) in plan.may_send.iter().filter(|(_, block)| !block.by_profile.is_empty()) {
            let profiles: Vec<&str> = block.by_profile.keys().map(String::as_str).collect();
            let message = format!("block \"{name}\" has other limits for {}", profiles.join(", "));
            judged.breaches.push(breach(message, help, format!("may_send.{name}.by_profile")));
        }
        for grant in &plan.limit_grants {
            let message = format!("{} has limits of their own in \"{}\"", grant.login, grant.block);
            judged.breaches.push(breach(message, help, "limit_grants"));
        }
    }
    judged
}

/// `NoMailLeaves`: no accepted recipient is handed to the network.
pub(super) fn no_mail_leaves(tables: &Tables) -> Judged {
    let plan = tables.plan();
    let captured = matches!(plan.routes.remote, Remote::Capture(_));
    let redirects = !plan.redirects.allow.is_empty()
        || !plan.redirects.on_grant.is_empty()
        || plan.redirects.otherwise == RedirectOtherwise::Ask;
    let passed_on = plan.domains.iter().find(|(_, domain)| matches!(domain, MailDomain::PassOn { .. }));
    let leaves = |cell: &Cell| {
        let away = match cell.recipient {
            RecipientClass::Remote => !captured,
            RecipientClass::Redirected => !captured && redirects,
            RecipientClass::PassedOn => passed_on.is_some() || !plan.routes.homes.is_empty(),
            RecipientClass::Local
            | RecipientClass::Full
            | RecipientClass::FullForLong
            | RecipientClass::Closed
            | RecipientClass::Unknown
            | RecipientClass::Unsure
            | RecipientClass::Malformed => false,
        };
        away && tables.reachable(*cell) == Reachable::Yes && tables.envelope(*cell).accepts()
    };
    let (of, broken) = (tables.cells().count(), tables.cells().filter(leaves).collect::<Vec<Cell>>());
    let mut judged = Judged::of(format!("{} envelope cases", grouped(of as u64)));
    let about =
        About { guarantee: "NoMailLeaves", cases: broken.len(), of, fault: "must not be accepted for the network" };
    // People's own addresses need no facts about others.
    let plain = broken.iter().min_by_key(|cell| (cell.recipient != RecipientClass::Remote, cell.auth, cell.sender));
    judged.counterexample = plain.map(|cell| dialogue::of_envelope(tables, *cell, about));
    if broken.iter().any(|cell| matches!(cell.recipient, RecipientClass::Remote | RecipientClass::Redirected)) {
        let message = "mail for other domains goes to the network";
        judged.breaches.push(breach(message, "`remote: Capture(\"…\")`", "routes.remote"));
    }
    if broken.iter().any(|cell| cell.recipient == RecipientClass::PassedOn) {
        let (message, path) = match passed_on {
            Some((name, _)) => (format!("mail for \"{name}\" goes to its next hop"), format!("domains.{name}")),
            None => ("mail for people who live elsewhere goes to their home".to_owned(), "routes.homes".to_owned()),
        };
        judged.breaches.push(breach(message, "hold the domain here", path));
    }
    judged
}

/// `AtMost`: arithmetic on windows (6.4), for accounts without a grant; who has one is named beside it.
pub(super) fn at_most(tables: &Tables, promised: Window, of: Of, via: &Via) -> Judged {
    let plan = tables.plan();
    let width = promised.width_name();
    let (who, rows) = match of {
        Of::Account => ("one account", accounts(tables, promised.width_s, via)),
        Of::ClientAddress => ("one client address", addresses(tables, promised.width_s, via)),
    };
    let mut judged = Judged::of("arithmetic on windows".to_owned());
    let listed: Vec<String> = rows.rows.iter().map(|(name, most)| format!("{name} {}", figure(*most))).collect();
    let sum = format!("{} = {}", listed.join(rows.joint), figure(rows.most));
    judged.remark = format!("{sum} recipients in {width}");
    if rows.most.is_none_or(|most| most > u64::from(promised.max)) {
        let reaches = rows.most.map_or("recipients without end".to_owned(), |most| format!("{most} recipients"));
        let message = format!("{who} reaches {reaches} in {width}, {} are promised", promised.max);
        let help = "lower the windows, `CountedTogether`, or promise what is true";
        judged.breaches.push(breach(message, help, rows.path));
        judged.notes.push(sum);
    }
    for grant in plan.limit_grants.iter().filter(|grant| of == Of::Account && passes(via, &grant.block)) {
        let most = blast::of_row(&grant.limits, promised.width_s);
        let until = &grant.until;
        judged.grants.push(format!(
            "{} in \"{}\": {} in {width}, until {until}",
            grant.login,
            grant.block,
            figure(most)
        ));
    }
    judged
}

fn figure(most: Option<u64>) -> String {
    most.map_or("without end".to_owned(), grouped)
}

fn passes(via: &Via, block: &str) -> bool {
    match via {
        Via::AnyBlock => true,
        Via::Block(name) => name == block,
    }
}

/// What each row allows and what they come to together.
struct Rows {
    rows: Vec<(String, Option<u64>)>,
    joint: &'static str,
    most: Option<u64>,
    path: String,
}

fn accounts(tables: &Tables, width_s: u32, via: &Via) -> Rows {
    let of = |keep: &dyn Fn(&str) -> bool| {
        let mut plan = tables.plan().clone();
        plan.may_send.retain(|name, _| keep(name));
        blast::recipients(&plan, width_s, false)
    };
    let names = tables.plan().may_send.keys().filter(|name| passes(via, name));
    let rows: Vec<(String, Option<u64>)> = names.map(|name| (name.clone(), of(&|it| it == name))).collect();
    let most = of(&|name| passes(via, name));
    let joint = match tables.plan().one_account_in_several_blocks {
        plan::SeveralBlocks::CountedSeparately => " + ",
        plan::SeveralBlocks::CountedTogether => " together with ",
    };
    let path = match via {
        Via::AnyBlock => "one_account_in_several_blocks".to_owned(),
        Via::Block(name) => format!("may_send.{name}"),
    };
    let rows = rows.into_iter().filter(|(_, most)| *most != Some(0)).collect();
    Rows { rows, joint, most, path }
}

/// Rows kept for a client address are kept by block, so an address adds up those of its network.
fn addresses(tables: &Tables, width_s: u32, via: &Via) -> Rows {
    let plan = tables.plan();
    let of_network = |network: &String| -> Vec<(String, Option<u64>)> {
        let blocks = plan.may_send.iter().filter(|(name, block)| passes(via, name) && block.from.contains(network));
        blocks
            .filter_map(|(name, block)| match &block.limits {
                Limits::EachClientAddress(row) => Some((name.clone(), blast::of_row(row, width_s))),
                Limits::EachAccount(_) => None,
            })
            .collect()
    };
    let sum = |rows: &[(String, Option<u64>)]| rows.iter().try_fold(0u64, |sum, (_, most)| sum.checked_add((*most)?));
    let networks = plan.networks.keys().map(of_network);
    // Without end is more than any figure.
    let widest = networks.max_by_key(|rows| sum(rows).unwrap_or(u64::MAX)).unwrap_or_default();
    let mut rows = Rows { most: sum(&widest), rows: widest, joint: " + ", path: "may_send".to_owned() };
    if let [(name, _)] = rows.rows.as_slice() {
        rows.path = format!("may_send.{name}");
    }
    for class in tables.classes().filter(|class| tables.class_kind(*class) == ClassKind::Application) {
        let own = of_application(tables, class, width_s, via);
        let most = sum(&own);
        if most.unwrap_or(u64::MAX) > rows.most.unwrap_or(u64::MAX) {
            let path = format!("senders.known.{}", tables.class_name(class));
            rows = Rows { rows: own, joint: " + ", most, path };
        }
    }
    rows
}

/// What an address of an application may send: its own row in each of the blocks `of`, and what its network has elsewhere.
fn of_application(tables: &Tables, class: ClassId, width_s: u32, via: &Via) -> Vec<(String, Option<u64>)> {
    let plan = tables.plan();
    let (name, network) = (tables.class_name(class), tables.class_name(tables.class_network(class)));
    let senders = plan.senders.as_ref();
    let application = senders.and_then(|senders| senders.known.get(name));
    let open = |block: &&plan::SendBlock| block.from.iter().any(|from| from == network);
    let blocks = plan.may_send.iter().filter(|(block_name, block)| passes(via, block_name) && open(block));
    let row = |(block_name, block): (&String, &plan::SendBlock)| {
        let Limits::EachClientAddress(row) = &block.limits else { return None };
        let own = application.filter(|_| senders.is_some_and(|senders| senders.of.contains(block_name)));
        Some(match own {
            Some(application) => (format!("{name} in {block_name}"), blast::of_row(&application.limits, width_s)),
            None => (block_name.clone(), blast::of_row(row, width_s)),
        })
    };
    blocks.filter_map(row).collect()
}
