//! `facteur alias` and `facteur function`: addresses that lead to people. What is written is whom an address reaches in the
//! end, so that no address leads back to itself and none leads nowhere.

use decide::{DomainKind, roles};
use mail::{Address, Alias, AliasKind, Login};
use serde::{Deserialize, Serialize};
use store::{Op, Resolution};

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
        let members = reached(context, &self.address, &self.to)?;
        write(context, Alias { address: self.address, members, kind: AliasKind::Alias })
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
        let members = reached(context, &self.address, &self.members)?;
        let had = function(context, &self.address)?.map(|alias| alias.kind);
        let kind = match self.quota_octets {
            Some(quota_octets) => AliasKind::FunctionMailbox { quota_octets },
            None => had.unwrap_or(AliasKind::Function),
        };
        write(context, Alias { address: self.address, members, kind })
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
        let Some(mut alias) = had else { return Err(refused(format!("{} is no function", self.address))) };
        if !self.add.is_empty() {
            let new = reached(context, &self.address, &self.add)?;
            alias.members.extend(new);
        }
        for login in &self.remove {
            let folded = login.to_ascii_lowercase();
            let members = alias.members.len();
            alias.members.retain(|member| member.as_str() != folded);
            if alias.members.len() == members {
                return Err(refused(format!("{login} is no member of {}", self.address)));
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        alias.members.retain(|member| seen.insert(member.clone()));
        if alias.members.is_empty() {
            return Err(refused(format!("{} would lead nowhere: remove it, or add somebody first", self.address)));
        }
        write(context, alias)
    }
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
        Ok(context.store.aliases(&self.after, PAGE_MAX)?.iter().map(listed).collect())
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

/// The people `to` leads to, each once. One that leads nowhere, or back to `address`, is refused.
fn reached(context: &Context, address: &Address, to: &[String]) -> Result<Vec<Login>, OperateError> {
    let live = context.live.as_ref().ok_or(OperateError::NoServer)?;
    let mut members: Vec<Login> = Vec::new();
    for target in to {
        let found = match Login::new(target) {
            Some(login) => context.store.person(&login)?.map(|row| vec![row.person.login]),
            None => at_address(context, live, address, target)?,
        };
        let Some(found) = found.filter(|found| !found.is_empty()) else {
            return Err(refused(format!("{target} leads to nobody: name a login, or an address of ours")));
        };
        for login in found {
            if !members.contains(&login) {
                members.push(login);
            }
        }
    }
    if members.is_empty() { Err(refused(format!("{address} would lead nowhere"))) } else { Ok(members) }
}

fn at_address(
    context: &Context,
    live: &Live,
    address: &Address,
    target: &str,
) -> Result<Option<Vec<Login>>, OperateError> {
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
        Resolution::Person(row) => Some(vec![row.person.login]),
        Resolution::Alias(alias) => Some(alias.members),
        Resolution::Unknown => None,
    })
}

/// Writes an address of ours that is nobody else's.
fn write(context: &Context, alias: Alias) -> Result<AddedAddress, OperateError> {
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
        [one] => context.store.person(one)?.map(|row| store::holder_of(&row.person, &row.origin)).unwrap_or_default(),
        _ => String::new(),
    };
    let given = context.store.given(&folded)?.filter(|given| ![&folded, &holder].contains(&&given.holder));
    let taken = given.is_some_and(|given| !known::is_free(given.freed_at_s, &plan.accounts.reuse_after));
    if taken && !is_ours {
        let why = format!("{address} was somebody else's, and is given to nobody before `reuse_after`");
        return Err(OperateError::Refused { why, rule: "accounts.reuse_after".to_owned() });
    }
    written(context, alias)
}

fn written(context: &Context, alias: Alias) -> Result<AddedAddress, OperateError> {
    let told = listed(&alias);
    context.store.commit_wait(vec![Op::UpsertAlias(Box::new(alias))])?;
    put::names_changed(context);
    audit(context, &format!("{} {} leads to {}", told.kind, told.address, told.members.join(", ")));
    Ok(told)
}

fn listed(alias: &Alias) -> ListedAddress {
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
    }
}
