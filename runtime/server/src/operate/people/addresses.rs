//! `facteur alias` and `facteur function`: addresses that lead to people, by themselves or by way of other addresses whose
//! members they have at any time. No address leads back to itself, and none leads nowhere.

use std::collections::BTreeSet;

use decide::{DomainKind, roles};
use mail::{Address, Alias, AliasKind, Login};
use serde::{Deserialize, Serialize};
use store::{Leads, Op, Resolution};

use super::super::{Context, Live, OperateError, Operation, Progress, audit};
use super::{known, put};

/// The section of a policy that says which domains are held.
const RULE: &str = "domains";
/// Addresses of one answer.
const PAGE_MAX: u32 = 2_000;

/// `POST /alias/add`: to logins or addresses of people, aliases, functions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddAlias {
    pub address: Address,
    pub to: Vec<String>,
}

/// `POST /function/set`: makes it, or gives it these members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetFunction {
    pub address: Address,
    pub members: Vec<String>,
    /// Mailboxes of its own; `None` leaves what is there, or gives each member a copy.
    pub quota_octets: Option<u64>,
}

/// `POST /function/members`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeMembers {
    pub address: Address,
    pub add: Vec<String>,
    pub remove: Vec<String>,
}

/// `POST /address/remove`: an alias or a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveAddress {
    pub address: Address,
    pub is_function: bool,
}

/// `POST /address/list`, in order of address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListAddresses {
    pub after: String,
}

/// An address and the logins it leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedAddress {
    pub address: String,
    pub members: Vec<String>,
    /// `former`, `alias`, `function`, `function with mailboxes`.
    pub kind: String,
    /// Addresses whose members are among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follows: Vec<String>,
}

pub type AddedAddress = ListedAddress;

impl Operation for AddAlias {
    type Response = AddedAddress;
    const PATH: &'static str = "/alias/add";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::ChangePeople
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<AddedAddress, OperateError> {
        let _desk = known::desk();
        let ways = ways(context, &self.address, &self.to)?;
        write(context, self.address, AliasKind::Alias, ways)
    }
}

impl Operation for SetFunction {
    type Response = AddedAddress;
    const PATH: &'static str = "/function/set";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::ChangeFunctions
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<AddedAddress, OperateError> {
        let _desk = known::desk();
        let ways = ways(context, &self.address, &self.members)?;
        let had = function(context, &self.address)?.map(|alias| alias.kind);
        let kind = match self.quota_octets {
            Some(quota_octets) => AliasKind::FunctionMailbox { quota_octets },
            None => had.unwrap_or(AliasKind::Function),
        };
        write(context, self.address, kind, ways)
    }
}

impl Operation for ChangeMembers {
    type Response = AddedAddress;
    const PATH: &'static str = "/function/members";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::ChangeFunctions
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<AddedAddress, OperateError> {
        let _desk = known::desk();
        let had = function(context, &self.address)?;
        let Some(alias) = had else { return Err(refused(format!("{} is no function", self.address))) };
        let mut leads = context.store.leads(&alias.address)?;
        for target in &self.remove {
            remove(&mut leads, &alias, target)?;
        }
        let new = if self.add.is_empty() { Ways::default() } else { ways(context, &self.address, &self.add)? };
        let mut all = Ways { own: leads.own, follows: leads.follows, reached: Vec::new() };
        for address in &all.follows {
            all.reached.extend(members_of(context, address)?);
        }
        all.add(new);
        if all.reached.is_empty() && all.own.is_empty() {
            return Err(refused(format!("{} would lead nowhere: remove it, or add somebody first", self.address)));
        }
        write(context, alias.address, alias.kind, all)
    }
}

/// Takes a login, or an address it follows, out of what leads to `alias`.
fn remove(leads: &mut Leads, alias: &Alias, target: &str) -> Result<(), OperateError> {
    let login = target.to_ascii_lowercase();
    let ways = leads.own.len() + leads.follows.len();
    leads.own.retain(|member| member.as_str() != login);
    let folded = target.parse::<Address>().map(|address| address.folded());
    leads.follows.retain(|followed| folded.as_ref() != Ok(&followed.folded()));
    if leads.own.len() + leads.follows.len() < ways {
        return Ok(());
    }
    let address = &alias.address;
    let by: Vec<String> = leads.follows.iter().map(Address::to_string).collect();
    let is_led = alias.members.iter().any(|member| member.as_str() == login) && !by.is_empty();
    Err(refused(match is_led {
        true => format!("{target} is a member of {address} by way of {}", by.join(", ")),
        false => format!("{target} is no member of {address}"),
    }))
}

impl Operation for RemoveAddress {
    type Response = bool;
    const PATH: &'static str = "/address/remove";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        if self.is_function { roles::Act::ChangeFunctions } else { roles::Act::ChangePeople }
    }

    /// Says whether it was there.
    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<bool, OperateError> {
        let _desk = known::desk();
        let Resolution::Alias(alias) = context.store.resolve(&self.address)? else { return Ok(false) };
        if is_function(alias.kind) != self.is_function {
            let what = if self.is_function { "no function" } else { "a function, no alias" };
            return Err(refused(format!("{} is {what}", self.address)));
        }
        let followers = context.store.followers(&self.address)?;
        if !followers.is_empty() {
            let by: Vec<String> = followers.iter().map(Address::to_string).collect();
            return Err(refused(format!("{} leads to {}: change or remove it first", by.join(", "), self.address)));
        }
        context.store.commit_wait(vec![Op::RemoveAlias(self.address.clone())])?;
        put::names_changed(context);
        audit(context, &format!("address {} removed", self.address));
        Ok(true)
    }
}

impl Operation for ListAddresses {
    type Response = Vec<ListedAddress>;
    const PATH: &'static str = "/address/list";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::SeePerson
    }

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<Vec<ListedAddress>, OperateError> {
        let aliases = context.store.aliases(&self.after, PAGE_MAX)?;
        aliases.iter().map(|alias| Ok(listed(alias, &context.store.leads(&alias.address)?.follows))).collect()
    }
}

fn refused(why: String) -> OperateError {
    OperateError::Refused { why, rule: RULE.to_owned() }
}

fn is_function(kind: AliasKind) -> bool {
    matches!(kind, AliasKind::Function | AliasKind::FunctionMailbox { .. })
}

fn function(context: &Context, address: &Address) -> Result<Option<Alias>, OperateError> {
    Ok(match context.store.resolve(address)? {
        Resolution::Alias(alias) if is_function(alias.kind) => Some(alias),
        _ => None,
    })
}

/// How an address leads to people.
#[derive(Default)]
struct Ways {
    own: Vec<Login>,
    follows: Vec<Address>,
    /// Whoever `follows` lead to now.
    reached: Vec<Login>,
}

impl Ways {
    /// Each once.
    fn add(&mut self, more: Ways) {
        self.own.extend(more.own);
        self.follows.extend(more.follows);
        self.reached.extend(more.reached);
        let mut seen = BTreeSet::new();
        self.own.retain(|login| seen.insert(login.to_string()));
        self.follows.retain(|address| seen.insert(address.folded()));
    }

    /// All of them, each once.
    fn members(&self) -> Vec<Login> {
        let mut seen = BTreeSet::new();
        self.own.iter().chain(&self.reached).filter(|login| seen.insert(login.as_str())).cloned().collect()
    }
}

/// What `to` leads to. One that leads nowhere, or back to `address`, is refused.
fn ways(context: &Context, address: &Address, to: &[String]) -> Result<Ways, OperateError> {
    let live = context.live.as_ref().ok_or(OperateError::NoServer)?;
    let mut all = Ways::default();
    for target in to {
        let found = match Login::new(target) {
            Some(login) => {
                context.store.person(&login)?.map(|row| Ways { own: vec![row.person.login], ..Ways::default() })
            }
            None => at_address(context, live, address, target)?,
        };
        let Some(found) = found.filter(|found| !found.members().is_empty()) else {
            return Err(refused(format!("{target} leads to nobody: name a login, or an address of ours")));
        };
        all.add(found);
    }
    if all.members().is_empty() { Err(refused(format!("{address} would lead nowhere"))) } else { Ok(all) }
}

fn at_address(context: &Context, live: &Live, address: &Address, target: &str) -> Result<Option<Ways>, OperateError> {
    let Ok(target) = target.parse::<Address>() else { return Ok(None) };
    if target.folded() == address.folded() {
        return Err(refused(format!("{address} would lead back to itself")));
    }
    // A domain that is another name of one of ours has the people of that one.
    let target = match live.tables.domain(target.domain()) {
        DomainKind::Held { canonical, .. } | DomainKind::Unit { canonical, .. } => {
            Address::new(target.local(), canonical).unwrap_or(target)
        }
        DomainKind::PassOn { .. } | DomainKind::NotOurs => return Ok(None),
    };
    Ok(match context.store.resolve(&target)? {
        Resolution::Person(row) => Some(Ways { own: vec![row.person.login], ..Ways::default() }),
        Resolution::Alias(alias) if alias.kind == AliasKind::Former => {
            Some(Ways { own: alias.members, ..Ways::default() })
        }
        Resolution::Alias(alias) => {
            no_circle(context, address, &alias.address)?;
            Some(Ways { own: Vec::new(), follows: vec![alias.address], reached: alias.members })
        }
        Resolution::Unknown => None,
    })
}

/// Nothing `target` follows is `address`.
fn no_circle(context: &Context, address: &Address, target: &Address) -> Result<(), OperateError> {
    let (folded, mut seen, mut waiting) = (address.folded(), BTreeSet::new(), vec![target.clone()]);
    while let Some(next) = waiting.pop() {
        if next.folded() == folded {
            return Err(refused(format!("{address} would lead back to itself, by way of {target}")));
        }
        if seen.insert(next.folded()) {
            waiting.extend(context.store.leads(&next)?.follows);
        }
    }
    Ok(())
}

fn members_of(context: &Context, address: &Address) -> Result<Vec<Login>, OperateError> {
    Ok(match context.store.resolve(address)? {
        Resolution::Person(row) => vec![row.person.login],
        Resolution::Alias(alias) => alias.members,
        Resolution::Unknown => Vec::new(),
    })
}

/// Writes an address of ours that is nobody else's.
fn write(context: &Context, address: Address, kind: AliasKind, ways: Ways) -> Result<AddedAddress, OperateError> {
    let alias = Alias { address, members: ways.members(), kind };
    let live = context.live.as_ref().ok_or(OperateError::NoServer)?;
    let plan = live.tables.plan();
    let address = &alias.address;
    match live.tables.domain(address.domain()) {
        DomainKind::Held { .. } | DomainKind::Unit { .. } => {}
        DomainKind::PassOn { .. } | DomainKind::NotOurs => {
            return Err(refused(format!("{address} is in a domain that is not held here")));
        }
    }
    let folded = address.folded();
    let is_ours = match context.store.resolve(address)? {
        Resolution::Person(row) => {
            return Err(refused(format!("{address} is the address of {}", row.person.login)));
        }
        Resolution::Alias(had) if is_function(had.kind) != is_function(alias.kind) => {
            let what = if is_function(had.kind) { "a function" } else { "an alias" };
            return Err(refused(format!("{address} is {what} already: remove it first")));
        }
        Resolution::Alias(_) => true,
        Resolution::Unknown => false,
    };
    // What somebody had lately is theirs to get again, and nobody else's, nor several people's.
    let holder = match &alias.members[..] {
        [one] if ways.follows.is_empty() => {
            context.store.person(one)?.map(|row| store::holder_of(&row.person, &row.origin)).unwrap_or_default()
        }
        _ => String::new(),
    };
    let given = context.store.given(&folded)?.filter(|given| ![&folded, &holder].contains(&&given.holder));
    let taken = given.is_some_and(|given| !known::is_free(given.freed_at_s, &plan.accounts.reuse_after));
    if taken && !is_ours {
        let why = format!("{address} was somebody else's, and is given to nobody before `reuse_after`");
        return Err(OperateError::Refused { why, rule: "accounts.reuse_after".to_owned() });
    }
    written(context, alias, ways)
}

fn written(context: &Context, alias: Alias, Ways { own, follows, .. }: Ways) -> Result<AddedAddress, OperateError> {
    let told = listed(&alias, &follows);
    let lead = Op::LeadAlias { address: alias.address.clone(), own, follows };
    context.store.commit_wait(vec![Op::UpsertAlias(Box::new(alias)), lead])?;
    put::names_changed(context);
    audit(context, &format!("{} {} leads to {}", told.kind, told.address, told.members.join(", ")));
    Ok(told)
}

fn listed(alias: &Alias, follows: &[Address]) -> ListedAddress {
    let kind = match alias.kind {
        AliasKind::Former => "former",
        AliasKind::Alias => "alias",
        AliasKind::Function => "function",
        AliasKind::FunctionMailbox { .. } => "function with mailboxes",
    };
    ListedAddress {
        address: alias.address.to_string(),
        members: alias.members.iter().map(Login::to_string).collect(),
        kind: kind.to_owned(),
        follows: follows.iter().map(Address::to_string).collect(),
    }
}
