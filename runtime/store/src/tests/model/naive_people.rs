//! Who there is, in the model.

use mail::{Address, Alias, AliasKind, Login, Person};

use super::naive::{Changed, Human, Naive, Origin, Refused, Step, fold, no};

/// Members of an alias, octets of what is kept as it is.
const MEMBERS_MAX: usize = 100_000;

impl Naive {
    pub(super) fn people_step(&mut self, step: &Step) -> Changed {
        match step {
            Step::Alias(alias) => self.alias(alias)?,
            Step::NoAlias(address) => {
                if self.aliases.remove(&address.folded()).is_some() {
                    self.freed(&address.folded());
                }
            }
            Step::Claim(login) if self.given.contains_key(&fold(login)) => {
                return Err(("LoginTaken", login.to_string()));
            }
            Step::Claim(login) => drop(self.given.insert(fold(login), (String::new(), true, false))),
            Step::Given(what, login, holder, freed) => {
                self.given.insert(what.clone(), (holder.clone(), *login, freed.is_some()));
            }
            Step::Verifier(login, verifier) => self.human(login)?.verifier = Some(verifier.clone()),
            Step::Standing(login, standing, due_s) => {
                let human = self.human(login)?;
                (human.standing, human.due_s) = (standing.clone(), *due_s);
            }
            Step::Secret(login, secret) => self.human(login)?.secret.clone_from(secret),
            Step::Erase(login) => {
                self.human(login)?;
                let place = self.place(&fold(login));
                self.erase_account(login, place);
                self.erase_directory(login)?;
            }
            Step::EraseAccount(login, place) => self.erase_account(login, *place),
            Step::EraseDirectory(login) => self.erase_directory(login)?,
            Step::Access(login, how, at_s, times) => {
                let now = (*at_s, *at_s, 0);
                let it = self.accesses.entry((fold(login), how.clone())).or_insert(now);
                *it = (it.0.min(*at_s), it.1.max(*at_s), it.2 + times);
            }
            other => self.record(other)?,
        }
        Ok(())
    }

    fn human(&mut self, login: &Login) -> Result<&mut Human, Refused> {
        self.people.get_mut(&fold(login)).ok_or(("NoSuchLogin", login.to_string()))
    }

    pub(super) fn directory(&mut self, person: &Person, verifier: &Option<String>, origin: &Option<Origin>) -> Changed {
        let (login, folded) = (fold(&person.login), person.address.folded());
        let has = |human: &Human| human.person.address.folded() == folded;
        let other = self.people.iter().any(|(other, human)| *other != login && has(human));
        let member = self.aliases.get(&folded).is_some_and(|alias| alias.members.iter().any(|m| fold(m) != login));
        if other || member {
            return Err(("AddressTaken", person.address.to_string()));
        }
        self.aliases.remove(&folded);
        let human = match self.people.remove(&login) {
            Some(before) => {
                self.freed(&before.person.address.folded());
                let verifier = verifier.clone().or(before.verifier.clone());
                let origin = origin.clone().unwrap_or(before.origin.clone());
                let due_s = if origin[2..] == before.origin[2..] { before.due_s } else { Some(0) };
                Human { person: person.clone(), verifier, origin, due_s, ..before }
            }
            None => Human {
                person: person.clone(),
                verifier: verifier.clone(),
                origin: origin.clone().unwrap_or_default(),
                standing: Vec::new(),
                due_s: origin.as_ref().filter(|origin| !origin[2..].iter().all(String::is_empty)).map(|_| 0),
                secret: Vec::new(),
            },
        };
        let holder = holder(&human);
        self.people.insert(login.clone(), human);
        self.given.insert(login, (holder.clone(), true, false));
        self.given.insert(folded, (holder, false, false));
        Ok(())
    }

    fn alias(&mut self, alias: &Alias) -> Changed {
        if alias.members.len() > MEMBERS_MAX {
            return Err(no("TooLarge"));
        }
        let folded = alias.address.folded();
        if self.people.values().any(|human| human.person.address.folded() == folded) {
            return Err(("AddressTaken", alias.address.to_string()));
        }
        self.aliases.insert(folded.clone(), alias.clone());
        let one = match (&alias.members[..], alias.kind) {
            ([one], AliasKind::Former | AliasKind::Alias) => self.people.get(&fold(one)).map(holder),
            _ => None,
        };
        self.given.insert(folded.clone(), (one.unwrap_or(folded), false, false));
        Ok(())
    }

    fn freed(&mut self, what: &str) {
        self.given.entry(what.to_owned()).and_modify(|held| held.2 = true);
    }

    fn erase_account(&mut self, login: &Login, place: u8) {
        let folded = fold(login);
        let places = self.places.clone();
        if self.place(&folded) == place && self.accounts.remove(&folded).is_some() {
            self.mailboxes.iter_mut().filter(|mailbox| mailbox.account == folded).for_each(|it| it.alive = false);
        }
        let here = |account: &str| places.get(account).copied().unwrap_or(0) == place;
        for mailbox in self.mailboxes.iter_mut().filter(|mailbox| mailbox.alive && here(&mailbox.account)) {
            mailbox.grants.retain(|grant| grant.identifier.grantee.to_string() != folded);
        }
    }

    fn erase_directory(&mut self, login: &Login) -> Changed {
        let address: Address = self.human(login)?.person.address.clone();
        let folded = fold(login);
        self.people.remove(&folded);
        self.freed(&folded);
        self.freed(&address.folded());
        let mut lost = Vec::new();
        for (address, alias) in &mut self.aliases {
            let members = alias.members.len();
            alias.members.retain(|member| fold(member) != folded);
            let left = alias.members.len();
            if left == 0 && members > 0 && matches!(alias.kind, AliasKind::Former | AliasKind::Alias) {
                lost.push(address.clone());
            }
        }
        for address in lost {
            self.aliases.remove(&address);
            self.freed(&address);
        }
        self.accesses.retain(|(login, _), _| *login != folded);
        Ok(())
    }
}

/// Whose something is: the id in the directory, else the name and the first day.
fn holder(human: &Human) -> String {
    let [_, foreign, registered, _] = &human.origin;
    let Human { person, .. } = human;
    if foreign.is_empty() {
        format!("{} {} {registered}", mail::fold(&person.first), mail::fold(&person.last))
    } else {
        foreign.clone()
    }
}
