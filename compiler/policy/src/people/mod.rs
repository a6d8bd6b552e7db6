//! `people.ron` beside a policy: logins and addresses derived as the plan's rules say, and E0712, E0801, E0803,
//! E0811 to E0818 and L0819 for what cannot be. Facts, never part of a plan: nothing here moves its hash.
//!
//! `postmaster@` and `abuse@` of the main domain (RFC 5321 4.5.1, RFC 2142) go where a function or alias says; without
//! one to the members of the function `mail-managers@`, and without that to the person registered first.

mod facts;
mod homonyms;
mod ledger;
mod roles;
mod stays;
mod targets;

use std::collections::{BTreeSet, HashMap};

use decide::{DomainKind, Tables, login};
use mail::{Address, Alias, AliasKind, Login, Person};
use plan::{HeldOnly, MailDomain, Plan};

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::people as written;
use crate::syntax::{Span, Spanned, near};
pub(crate) use facts::unknown;
pub(crate) use homonyms::check as homonyms;
use ledger::Ledger;

/// Who there is, ready for a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    /// In order of registration.
    pub people: Vec<Person>,
    /// Former addresses, aliases, functional addresses; each address once, folded, members never empty.
    pub aliases: Vec<Alias>,
    /// How each functional address and alias leads to its people: behind those it follows.
    pub leads: Vec<Lead>,
    /// One for each of `people`, in their order.
    pub stays: Vec<Stay>,
}

/// How an address leads to people: to its own, and to the members another address of the list has at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    pub address: Address,
    pub own: Vec<Login>,
    pub follows: Vec<Address>,
}

/// From when to when somebody is here, and where a copy of their mail goes meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    /// First day, `YYYY-MM-DD`.
    pub registered: String,
    /// Last day; empty where none is known.
    pub until: String,
    /// Allowed by `redirects`, or waiting for a grant.
    pub redirect: Option<Address>,
}

/// Derives the directory. With mistakes in the sink it is what could be seen.
pub(crate) fn derive(people: &written::People, plan: &Plan, places: &Places, sink: &mut Vec<Diagnostic>) -> Directory {
    // A plan that is no table was reported when it was proved.
    let Ok(tables) = Tables::new(plan.clone()) else { return Directory::default() };
    let mut derivation = Derivation {
        tables,
        ledger: Ledger::default(),
        directory: Directory::default(),
        official: BTreeSet::new(),
        next: HashMap::new(),
        sink,
    };
    let mut last: Option<(&written::Person, String)> = None;
    for (index, person) in people.people.seen().into_iter().flatten().enumerate() {
        let who = format!("{} {}", person.value.first, person.value.last);
        if let Some((before, before_who)) = &last
            && person.value.registered.value < before.registered.value
        {
            let message = format!("people are not in order of registration ({before_who} before {who})");
            let diagnostic = Diagnostic::new(Code::E0816, message)
                .help("order decides who keeps the plain login")
                .at(person.value.registered.span, "earlier than the one before")
                .also(before.registered.span, "")
                .rule(format!("people[{index}]"));
            derivation.sink.push(diagnostic);
        }
        derivation.person(&person.value, person.span, &who);
        last = Some((&person.value, who));
    }
    let Derivation { tables, ledger, mut directory, official: _, next: _, sink } = derivation;
    let mut targets = targets::Targets::new(&tables, ledger, &directory.people, sink);
    let (groups, leads) = targets.groups(people);
    directory.aliases.extend(groups);
    directory.leads.extend(leads);
    add_managers(plan, &mut directory);
    corrections(plan, &directory, places, sink);
    roles::check(plan, &directory, places, sink);
    facts::required(people, plan, &directory, places, sink);
    directory
}

/// E0712: people are told to send there what was tagged wrongly.
fn corrections(plan: &Plan, directory: &Directory, places: &Places, sink: &mut Vec<Diagnostic>) {
    let Some(corrections) = plan.antispam.as_ref().and_then(|antispam| antispam.corrections.as_ref()) else { return };
    let folded = corrections.to.folded();
    let exists = directory.aliases.iter().any(|alias| alias.address.folded() == folded)
        || directory.people.iter().any(|person| person.address.folded() == folded);
    if exists {
        return;
    }
    let diagnostic = Diagnostic::new(Code::E0712, format!("corrections mailbox {} does not exist", corrections.to))
        .help("create it; it is exempt from `Antispam`, never from `Antivirus`")
        .at(places.addresses, "not among these")
        .rule("antispam.corrections.to");
    sink.push(match places.corrections {
        Some(policy) => diagnostic.also(policy, "named here"),
        None => diagnostic,
    });
}

/// Places for what is missing.
pub(crate) struct Places {
    /// Where functional addresses stand in the people file, or people.
    pub addresses: Span,
    /// Where the policy names the mailbox for corrections.
    pub corrections: Option<Span>,
}

struct Derivation<'s> {
    tables: Tables,
    ledger: Ledger,
    directory: Directory,
    /// Folded official addresses of those before.
    official: BTreeSet<String>,
    /// From which number on a plain login, or a folded address, is tried: what is taken stays so.
    next: HashMap<String, u32>,
    sink: &'s mut Vec<Diagnostic>,
}

impl Derivation<'_> {
    fn plan(&self) -> &Plan {
        self.tables.plan()
    }

    fn person(&mut self, person: &written::Person, span: Span, who: &str) {
        let login = self.login(person, span, who);
        let address = self.address(person, span, who);
        let profile = self.profile(person, who);
        if let Some(home) = &person.home {
            let homes: Vec<String> = self.plan().routes.homes.keys().cloned().collect();
            self.known("home", home, &homes, who);
        }
        let stay = self.stay(person, who);
        let (Some(login), Some(address), Some(profile)) = (login, address, profile) else { return };
        self.former(person, span, who, &login);
        self.sink.extend(facts::grant(self.tables.plan(), login.as_str(), &profile, span));
        let granted = self.plan().mailboxes.grants.iter().find(|grant| grant.login == login.as_str());
        let floor = self.plan().mailboxes.profiles.get(&profile).map_or(0, |profile| profile.quota.floor_octets());
        let own = person.quota.as_ref().map(|quota| quota.value.0);
        let quota_octets = granted.map(|grant| grant.octets).or(own).unwrap_or(floor);
        self.directory.stays.push(stay);
        self.directory.people.push(Person {
            login,
            first: person.first.value.clone(),
            last: person.last.value.clone(),
            address,
            profile,
            unit: person.unit.as_ref().map(|unit| unit.value.clone()).unwrap_or_default(),
            home: person.home.as_ref().map(|home| home.value.clone()),
            quota_octets,
        });
    }

    /// The login that is given, else the first candidate nobody has.
    fn login(&mut self, person: &written::Person, span: Span, who: &str) -> Option<Login> {
        let (text, place) = match &person.login {
            Some(given) => (Some(given.value.clone()), given.span),
            None => {
                let rules = &self.tables.plan().identity.login;
                let plain = login::candidates(rules, &person.first, &person.last).next().unwrap_or_default();
                let next = self.next.entry(plain.clone()).or_default();
                let mut candidates = (*next..).map_while(|n| Some((n, login::candidate(rules, &plain, n)?)));
                let free = candidates.find(|(_, candidate)| !self.ledger.has_login(candidate));
                *next = free.as_ref().map_or(u32::MAX, |(n, _)| *n);
                (free.map(|(_, candidate)| candidate), span)
            }
        };
        let text = text.unwrap_or_default();
        let Some(login) = Login::new(&text) else {
            let message = format!("expected a login for {who}, found `{text}`");
            let help = "write `login: \"…\"`: letters, digits, `-` and `.`";
            self.sink.push(Diagnostic::new(Code::E0104, message).help(help).at(place, ""));
            return None;
        };
        self.take(text, place, false).then_some(login)
    }

    /// The official address that is given, else what the form makes of the name.
    fn address(&mut self, person: &written::Person, span: Span, who: &str) -> Option<Address> {
        let (address, place) = match &person.address {
            Some(given) => (given.value.0.clone(), given.span),
            None => {
                let text = login::official_address(&self.plan().identity, &person.first, &person.last);
                let Ok(address) = text.parse::<Address>() else {
                    let message = format!("expected an address for {who}, found `{text}`");
                    self.sink.push(Diagnostic::new(Code::E0104, message).help("write `address: \"…\"`").at(span, ""));
                    return None;
                };
                (self.without_homonym(address), span)
            }
        };
        self.is_held(&address, place, HeldOnly::Everything).then_some(())?;
        // Two people of one name are E0801 already.
        let is_new = self.official.insert(address.folded());
        if !is_new && person.address.is_none() {
            return None;
        }
        self.take(address.folded(), place, true).then_some(address)
    }

    /// `homonyms: Append(…)`: the first address nobody has.
    fn without_homonym(&mut self, address: Address) -> Address {
        let plan::Homonyms::Append { suffix, first } = &self.tables.plan().identity.address.homonyms else {
            return address;
        };
        let folded = address.folded();
        if !self.ledger.has_address(&folded) {
            return address;
        }
        let next = self.next.entry(folded).or_insert(*first);
        let mut numbered = (*next..first.saturating_add(10_000)).filter_map(|n| {
            let local = format!("{}{}", address.local(), suffix.replace("{n}", &n.to_string()));
            Some((n, Address::new(&local, address.domain().clone()).ok()?))
        });
        match numbered.find(|(_, numbered)| !self.ledger.has_address(&numbered.folded())) {
            Some((n, free)) => {
                *next = n;
                free
            }
            None => address,
        }
    }

    /// A profile of the plan: the one given, else the main domain's.
    fn profile(&mut self, person: &written::Person, who: &str) -> Option<String> {
        match &person.profile {
            Some(given) => {
                let profiles: Vec<String> = self.plan().mailboxes.profiles.keys().cloned().collect();
                self.known("profile", given, &profiles, who).then(|| given.value.clone())
            }
            None => match self.plan().domains.get(self.plan().institution.domain.as_str()) {
                Some(MailDomain::Held { profile, .. }) => Some(profile.clone()),
                Some(MailDomain::PassOn { .. } | MailDomain::AliasOf(_)) | None => {
                    Some(self.plan().mailboxes.otherwise.clone())
                }
            },
        }
    }

    /// Former local parts at the unit's domain; whole addresses as they are.
    fn former(&mut self, person: &written::Person, span: Span, who: &str, login: &Login) {
        for former in &person.former {
            let identity = &self.tables.plan().identity;
            let text = match &person.unit {
                _ if former.value.contains('@') => former.value.clone(),
                _ if identity.address.former.is_empty() => {
                    format!("{}@{}", former.value, self.plan().institution.domain)
                }
                None if identity.address.former.contains("{unit}") => {
                    let message = format!("{who} has a former address but no unit");
                    let help = "write `unit: \"…\"`, or the whole address";
                    self.sink.push(Diagnostic::new(Code::E0812, message).help(help).at(former.span, "").also(span, ""));
                    continue;
                }
                unit => {
                    let unit = unit.as_ref().map_or("", |unit| &unit.value);
                    login::former_address(identity, &former.value, unit)
                }
            };
            let Ok(address) = text.parse::<Address>() else {
                let message = format!("expected an address, found `{text}`");
                self.sink.push(Diagnostic::new(Code::E0104, message).at(former.span, ""));
                continue;
            };
            let held = self.is_held(&address, former.span, HeldOnly::FormerAddresses);
            if held && self.take(address.folded(), former.span, true) {
                self.directory.aliases.push(Alias { address, members: vec![login.clone()], kind: AliasKind::Former });
            }
        }
    }

    /// E0812.
    fn known(&mut self, kind: &str, name: &Spanned<String>, names: &[String], who: &str) -> bool {
        let known = names.contains(&name.value);
        if !known {
            let diagnostic = Diagnostic::new(Code::E0812, format!("{who} has unknown {kind} \"{name}\""))
                .help(near::help(name, names.iter().map(String::as_str)))
                .at(name.span, "");
            self.sink.push(match near::nearest(name, names.iter().map(String::as_str)) {
                Some(near) => diagnostic.edit(name.span, format!("{near:?}")),
                None => diagnostic,
            });
        }
        known
    }

    /// E0811.
    fn take(&mut self, text: String, place: Span, is_address: bool) -> bool {
        self.ledger.take(text, place, is_address).map_err(|diagnostic| self.sink.push(*diagnostic)).is_ok()
    }

    /// E0814. `wanted` is what the address is to be: people's own addresses stand in a domain that has them.
    fn is_held(&mut self, address: &Address, place: Span, wanted: HeldOnly) -> bool {
        held(&self.tables, address, place, wanted).map_err(|diagnostic| self.sink.push(*diagnostic)).is_ok()
    }
}

/// E0814.
fn held(tables: &Tables, address: &Address, place: Span, wanted: HeldOnly) -> Result<(), Box<Diagnostic>> {
    let message = match tables.domain(address.domain()) {
        DomainKind::Held { only, .. } | DomainKind::Unit { only, .. } => match (wanted, only) {
            (HeldOnly::Everything, HeldOnly::FormerAddresses) => {
                format!("{address} is in a domain for former addresses only")
            }
            (HeldOnly::FormerAddresses, _) | (HeldOnly::Everything, HeldOnly::Everything) => return Ok(()),
        },
        DomainKind::PassOn { .. } | DomainKind::NotOurs => {
            format!("{address} is in a domain that is not held here")
        }
    };
    let is_held = |(name, domain): (&String, &MailDomain)| match domain {
        MailDomain::Held { .. } => Some(name.clone()),
        MailDomain::PassOn { .. } | MailDomain::AliasOf(_) => None,
    };
    let held: Vec<String> = tables.plan().domains.iter().filter_map(is_held).collect();
    Err(Box::new(Diagnostic::new(Code::E0814, message).help(format!("held: {}", held.join(", "))).at(place, "")))
}

/// `postmaster@` and `abuse@` where nobody wrote them.
fn add_managers(plan: &Plan, directory: &mut Directory) {
    let Ok(managers) = Address::new("mail-managers", plan.institution.domain.clone()) else { return };
    let group = directory.aliases.iter().find(|alias| alias.address.folded() == managers.folded());
    let first = || directory.people.first().map(|person| vec![person.login.clone()]);
    let is_group = group.is_some();
    let Some(members) = group.map(|alias| alias.members.clone()).or_else(first) else { return };
    for role in ["postmaster", "abuse"] {
        let Ok(address) = Address::new(role, plan.institution.domain.clone()) else { continue };
        let folded = address.folded();
        let taken = directory.aliases.iter().any(|alias| alias.address.folded() == folded)
            || directory.people.iter().any(|person| person.address.folded() == folded);
        if taken {
            continue;
        }
        let (own, follows) =
            if is_group { (Vec::new(), vec![managers.clone()]) } else { (members.clone(), Vec::new()) };
        directory.leads.push(Lead { address: address.clone(), own, follows });
        directory.aliases.push(Alias { address, members: members.clone(), kind: AliasKind::Function });
    }
}
