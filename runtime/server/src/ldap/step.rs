//! What has to change here so that one person is as the directory has them.
//!
//! The directory adds addresses and never takes one away: what was somebody's is given to nobody else by a slip of the pen. A
//! login stays for life. What cannot be is left as it is here, and said.

use std::sync::Arc;

use decide::{AccountState, Tables};
use mail::{Address, Alias, AliasKind, Login, Person};
use plan::{Homonyms, Life, Plan};
use store::{DefaultMailbox, Op, Origin, PersonRow, PersonSource, ReadError, Resolution, Store, holder_of};

use super::facts::Facts;
use crate::redirects::{self, Redirect, Redirects};

/// Who set a redirect that stands in the directory.
pub const DIRECTORY: &str = "directory";
/// Numbers behind an address that homonyms have: more are a mistake.
const HOMONYMS_MAX: usize = 1_000;

/// What a step is judged by.
pub struct Desk {
    pub store: Arc<Store>,
    pub tables: Arc<Tables>,
    pub redirects: Arc<Redirects>,
    /// `YYYY-MM-DD` in the institution's time zone.
    pub today: String,
    pub at_s: i64,
    /// The mailboxes a new account starts with.
    pub mailboxes: Vec<DefaultMailbox>,
}

/// What changes for one person.
#[derive(Debug, Default)]
pub struct Step {
    /// Of the person.
    pub login: Option<Login>,
    /// They were not known here before.
    pub is_new: bool,
    /// One commit; nothing where all is as it should be.
    pub ops: Vec<Op>,
    /// What the redirect becomes, where that changes.
    pub redirect: Option<Option<Redirect>>,
    /// What stays as it is here though the directory says otherwise.
    pub said: Vec<String>,
}

/// Whom facts are about.
#[derive(Debug)]
pub enum Known {
    Nobody,
    /// By the id; or somebody of the same login and name whom no directory had until now.
    Same(Box<PersonRow>),
    /// Of the same login and name.
    UnderAnotherId(Box<PersonRow>),
}

/// Why an entry is nobody here.
#[derive(Debug)]
pub enum NoStep {
    Read(ReadError),
    Says(String),
    /// They left long ago, or come long from now: they have no account today.
    NoAccount,
}

impl From<ReadError> for NoStep {
    fn from(error: ReadError) -> NoStep {
        NoStep::Read(error)
    }
}

impl Desk {
    fn plan(&self) -> &Plan {
        self.tables.plan()
    }

    /// The person these facts are about, where we know them.
    pub fn known(&self, facts: &Facts) -> Result<Known, NoStep> {
        if let Some(row) = self.store.person_by_foreign(&facts.foreign_id)? {
            return Ok(Known::Same(Box::new(row)));
        }
        let Some(login) = &facts.login else { return Ok(Known::Nobody) };
        let Some(row) = self.store.person(login)? else { return Ok(Known::Nobody) };
        let same = |one: &str, other: &str| mail::fold(one) == mail::fold(other);
        if !(same(&row.person.last, &facts.last) && same(&row.person.first, &facts.first)) {
            return Err(NoStep::Says(format!("its login {login} is somebody else's here")));
        }
        let row = Box::new(row);
        Ok(if row.origin.foreign_id.is_empty() { Known::Same(row) } else { Known::UnderAnotherId(row) })
    }

    /// What has to change for the person of `facts`. `same_login` takes an entry that was made anew, with another id, for the
    /// person it had before: right only where the old entry is gone.
    pub fn step(&self, facts: &Facts, same_login: bool) -> Result<Step, NoStep> {
        let origin = Origin {
            source: PersonSource::Ldap,
            foreign_id: facts.foreign_id.clone(),
            registered: facts.registered.clone(),
            until: facts.until.clone(),
        };
        match self.known(facts)? {
            Known::Same(row) => self.of_known(facts, &row, origin),
            Known::UnderAnotherId(row) if same_login => self.of_known(facts, &row, origin),
            Known::UnderAnotherId(row) => {
                Err(NoStep::Says(format!("its login {} has another id here", row.person.login)))
            }
            Known::Nobody if !self.has_account(facts) => Err(NoStep::NoAccount),
            Known::Nobody => self.of_new(facts, origin),
        }
    }

    fn has_account(&self, facts: &Facts) -> bool {
        let state = decide::state_on(&self.plan().accounts, &facts.registered, &facts.until, &self.today);
        !matches!(state, AccountState::Closed | AccountState::Erased)
    }

    /// The directory has this person no more: today is their last day, and the life of the account goes on from there.
    pub fn gone(&self, row: &PersonRow) -> Vec<Op> {
        let origin = Origin { until: self.today.clone(), ..row.origin.clone() };
        vec![upsert(row.person.clone(), origin, Vec::new())]
    }

    fn of_known(&self, facts: &Facts, row: &PersonRow, origin: Origin) -> Result<Step, NoStep> {
        let before = &row.person;
        let mut step = Step { login: Some(before.login.clone()), ..Step::default() };
        if let Some(login) = facts.login.as_ref().filter(|login| !same_login(login, &before.login)) {
            step.said.push(format!("its login is {login} now; here it stays {}", before.login));
        }
        let mut address = before.address.clone();
        if let Some(mail) = facts.mail.as_ref().filter(|mail| **mail != before.address) {
            match self.is_free(mail, Some(&before.login), &holder_of(before, &row.origin))? {
                true => address = mail.clone(),
                false => step.said.push(format!("its address {mail} is somebody else's here")),
            }
        }
        let person = Person {
            login: before.login.clone(),
            address,
            quota_octets: self.quota(facts, before.login.as_str(), Some(before)),
            ..person(facts, before.login.clone(), before.address.clone())
        };
        let was = before.address.clone();
        let moved = was.folded() != person.address.folded();
        if person != *before || origin != row.origin {
            step.ops.push(upsert(person.clone(), origin, Vec::new()));
        }
        if moved {
            let members = vec![before.login.clone()];
            step.ops.push(Op::UpsertAlias(Box::new(Alias { address: was, members, kind: AliasKind::Former })));
        }
        self.aliases(facts, &person, &mut step)?;
        self.redirect(facts, &person.login, &mut step);
        Ok(step)
    }

    fn of_new(&self, facts: &Facts, origin: Origin) -> Result<Step, NoStep> {
        // Whose a login was does not depend on which of them it was.
        let holder = facts.foreign_id.as_str();
        let login = self.new_login(facts, holder)?;
        let address = self.new_address(facts, holder)?;
        let quota_octets = self.quota(facts, login.as_str(), None);
        let person = Person { quota_octets, ..person(facts, login.clone(), address) };
        let ops = vec![upsert(person.clone(), origin, self.mailboxes.clone())];
        let mut step = Step { login: Some(login), is_new: true, ops, ..Step::default() };
        self.aliases(facts, &person, &mut step)?;
        self.redirect(facts, &person.login, &mut step);
        Ok(step)
    }

    fn new_login(&self, facts: &Facts, holder: &str) -> Result<Login, NoStep> {
        if let Some(login) = &facts.login {
            return match self.may_have(&login.as_str().to_ascii_lowercase(), holder)? {
                true => Ok(login.clone()),
                false => Err(NoStep::Says(format!("its login {login} was somebody else's, and is not free again yet"))),
            };
        }
        for text in decide::login::candidates(&self.plan().identity.login, &facts.first, &facts.last) {
            let Some(login) = Login::new(&text) else { continue };
            if self.store.person(&login)?.is_none() && self.may_have(&text.to_ascii_lowercase(), holder)? {
                return Ok(login);
            }
        }
        Err(NoStep::Says("the policy makes no login of its name".to_owned()))
    }

    fn new_address(&self, facts: &Facts, holder: &str) -> Result<Address, NoStep> {
        if let Some(mail) = &facts.mail {
            return match self.is_free(mail, None, holder)? {
                true => Ok(mail.clone()),
                false => Err(NoStep::Says(format!("its address {mail} is, or was, somebody else's here"))),
            };
        }
        let identity = &self.plan().identity;
        let text = decide::login::official_address(identity, &facts.first, &facts.last);
        let none = || NoStep::Says("it has no address, and the policy makes none of its name".to_owned());
        let plain: Address = text.parse().map_err(|_| none())?;
        if self.is_free(&plain, None, holder)? {
            return Ok(plain);
        }
        let Homonyms::Append { suffix, first } = &identity.address.homonyms else {
            return Err(NoStep::Says(format!("{plain} is a homonym's: the directory has to say its address")));
        };
        for n in decide::login::numbers(*first).take(HOMONYMS_MAX) {
            let local = format!("{}{}", plain.local(), suffix.replace("{n}", &n.to_string()));
            let Ok(address) = Address::new(&local, plain.domain().clone()) else { continue };
            if self.is_free(&address, None, holder)? {
                return Ok(address);
            }
        }
        Err(none())
    }

    /// Leads the address nowhere, or to this person alone, and was it never anybody else's?
    fn is_free(&self, address: &Address, login: Option<&Login>, holder: &str) -> Result<bool, ReadError> {
        let mine = |other: &Login| login.is_some_and(|login| same_login(login, other));
        let free = match self.store.resolve(address)? {
            Resolution::Unknown => return self.may_have(&address.folded(), holder),
            Resolution::Person(row) => mine(&row.person.login),
            Resolution::Alias(alias) => match (&alias.members[..], alias.kind) {
                ([one], AliasKind::Former | AliasKind::Alias) => mine(one),
                _ => false,
            },
        };
        Ok(free)
    }

    /// May what the ledger calls `what` be given to `holder`? The same person gets theirs again at any time.
    fn may_have(&self, what: &str, holder: &str) -> Result<bool, ReadError> {
        let Some(given) = self.store.given(what)? else { return Ok(true) };
        if given.holder == holder {
            return Ok(true);
        }
        let Life::For { s } = self.plan().accounts.reuse_after else { return Ok(false) };
        let after_s = i64::try_from(s).unwrap_or(i64::MAX);
        Ok(given.freed_at_s.is_some_and(|freed_at_s| self.at_s.saturating_sub(freed_at_s) >= after_s))
    }

    /// A grant of the policy, what the directory says, what they have, what the profile gives: the first there is.
    fn quota(&self, facts: &Facts, login: &str, before: Option<&Person>) -> u64 {
        let rules = &self.plan().mailboxes;
        let granted = rules.grants.iter().find(|grant| grant.login == login).map(|grant| grant.octets);
        let kept = before.filter(|before| before.profile == facts.profile).map(|before| before.quota_octets);
        let of_profile = || rules.profiles.get(&facts.profile).map_or(0, |profile| profile.quota.floor_octets());
        granted.or(facts.quota_octets).or(kept).unwrap_or_else(of_profile)
    }

    fn aliases(&self, facts: &Facts, person: &Person, step: &mut Step) -> Result<(), ReadError> {
        for address in &facts.aliases {
            if address.folded() == person.address.folded() {
                continue;
            }
            let has = match self.store.resolve(address)? {
                Resolution::Alias(alias) => alias.members.iter().any(|member| same_login(member, &person.login)),
                Resolution::Person(row) => same_login(&row.person.login, &person.login),
                Resolution::Unknown => false,
            };
            if has {
                continue;
            }
            if !self.is_free(address, Some(&person.login), &facts.foreign_id)? {
                step.said.push(format!("its alias {address} is, or was, somebody else's here"));
                continue;
            }
            let (members, kind) = (vec![person.login.clone()], AliasKind::Alias);
            step.ops.push(Op::UpsertAlias(Box::new(Alias { address: address.clone(), members, kind })));
        }
        Ok(())
    }

    /// The directory sets and ends what it set itself, and what nobody set; the policy judges it as anybody's.
    fn redirect(&self, facts: &Facts, login: &Login, step: &mut Step) {
        let now = self.redirects.of(login);
        if now.as_ref().is_some_and(|redirect| redirect.set_by != DIRECTORY) {
            return;
        }
        let is_there = now.as_ref().map(|redirect| &redirect.to) == facts.redirect.as_ref();
        let wanted = facts.redirect.as_ref().map(|to| Redirect {
            to: to.clone(),
            keeps_copy: true,
            approval: None,
            set_by: DIRECTORY.to_owned(),
            set_at_s: self.at_s,
        });
        let stop = wanted.as_ref().and_then(|redirect| redirect.holds(&self.tables, &self.today).err());
        if let (Some(redirect), Some(stop)) = (&wanted, &stop) {
            step.said.push(format!("no mail goes on to {}: {}", redirect.to, redirects::words(stop)));
        }
        let wanted = wanted.filter(|_| stop.is_none());
        if (is_there && stop.is_none()) || (now.is_none() && wanted.is_none()) {
            return;
        }
        step.ops.push(redirects::op(login, wanted.as_ref()));
        step.redirect = Some(wanted);
    }
}

fn upsert(person: Person, origin: Origin, mailboxes: Vec<DefaultMailbox>) -> Op {
    Op::UpsertPerson { person: Box::new(person), verifier: None, mailboxes, origin: Some(origin) }
}

fn person(facts: &Facts, login: Login, address: Address) -> Person {
    Person {
        login,
        first: facts.first.clone(),
        last: facts.last.clone(),
        address,
        profile: facts.profile.clone(),
        unit: facts.unit.clone(),
        home: facts.home.clone(),
        quota_octets: 0,
    }
}

fn same_login(one: &Login, other: &Login) -> bool {
    one.as_str().eq_ignore_ascii_case(other.as_str())
}
