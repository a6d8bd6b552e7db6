//! Functional addresses and aliases: whom they reach in the end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use decide::Tables;
use mail::{Address, Alias, AliasKind, Login, Person};
use plan::HeldOnly;

use super::ledger::Ledger;
use super::{Lead, held};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::people as written;
use crate::syntax::{Items, Span, Spanned, near};

/// One address of the file and what is written as its target.
struct Group<'f> {
    address: Spanned<Address>,
    to: &'f Items<String>,
    kind: AliasKind,
}

pub(super) struct Targets<'d> {
    tables: &'d Tables,
    ledger: Ledger,
    logins: BTreeSet<Login>,
    /// Folded official addresses.
    official: BTreeMap<String, Login>,
    sink: &'d mut Vec<Diagnostic>,
}

impl<'d> Targets<'d> {
    pub(super) fn new(
        tables: &'d Tables,
        ledger: Ledger,
        people: &[Person],
        sink: &'d mut Vec<Diagnostic>,
    ) -> Targets<'d> {
        Targets {
            tables,
            ledger,
            logins: people.iter().map(|person| person.login.clone()).collect(),
            official: people.iter().map(|person| (person.address.folded(), person.login.clone())).collect(),
            sink,
        }
    }

    /// Every functional address and alias with the people it reaches, and the ways of each.
    pub(super) fn groups(&mut self, people: &written::People) -> (Vec<Alias>, Vec<Lead>) {
        let groups = self.written(people);
        let by_address: BTreeMap<String, usize> =
            groups.iter().enumerate().map(|(index, group)| (group.address.value.folded(), index)).collect();
        let (mut reached, mut leads) = (Vec::new(), Vec::new());
        for group in &groups {
            let members = self.members(group, &groups, &by_address);
            if !members.is_empty() {
                leads.push(self.lead(group, &groups, &by_address));
                reached.push(Alias { address: group.address.value.clone(), members, kind: group.kind });
            }
        }
        (reached, followed_first(leads))
    }

    /// Its ways. One that follows no other group any more has to say so.
    fn lead(&self, group: &Group<'_>, groups: &[Group<'_>], by_address: &BTreeMap<String, usize>) -> Lead {
        let mut seen = BTreeSet::new();
        let own = group.to.iter().filter_map(|target| self.login(&target.value));
        let own: Vec<Login> = own.filter(|login| seen.insert(login.clone())).collect();
        let led = group.to.iter().filter(|target| self.login(&target.value).is_none());
        let folded = led.filter_map(|target| Some(target.value.parse::<Address>().ok()?.folded()));
        let follows: BTreeSet<usize> = folded.filter_map(|folded| by_address.get(&folded).copied()).collect();
        let follows: Vec<Address> = follows.into_iter().map(|index| groups[index].address.value.clone()).collect();
        Lead { address: group.address.value.clone(), own, follows }
    }

    /// With the quota of its own mailboxes, where it has some: the one given, else its profile's.
    fn kind(&mut self, function: &written::Function) -> AliasKind {
        let (address, plan) = (&function.address.value.0, self.tables.plan());
        if function.mailbox == written::FunctionMailbox::Members {
            let quota = function.quota.as_ref().map(|quota| ("quota", quota.span));
            if let Some((what, span)) = quota.or(function.profile.as_ref().map(|profile| ("profile", profile.span))) {
                let message = format!("expected no {what} for \"{address}\": its mail goes to its members");
                self.sink.push(Diagnostic::new(Code::E0104, message).help("write `mailbox: Own`").at(span, ""));
            }
            return AliasKind::Function;
        }
        if Login::of_function(address).is_none() {
            let message = format!("expected a shorter address for mailboxes of its own, found `{address}`");
            let help = "at most 63 octets, without quotes";
            self.sink.push(Diagnostic::new(Code::E0104, message).help(help).at(function.address.span, ""));
        }
        let name = function.profile.as_ref().map_or(&plan.mailboxes.otherwise, |profile| &profile.value);
        let floor = plan.mailboxes.profiles.get(name).map(|profile| profile.quota.floor_octets());
        if let (None, Some(profile)) = (floor, &function.profile) {
            let names = plan.mailboxes.profiles.keys().map(String::as_str);
            let diagnostic = Diagnostic::new(Code::E0812, format!("{address} has unknown profile \"{profile}\""))
                .help(near::help(profile, names))
                .at(profile.span, "");
            self.sink.push(diagnostic);
        }
        let quota_octets = function.quota.as_ref().map(|quota| quota.value.0).or(floor).unwrap_or(0);
        AliasKind::FunctionMailbox { quota_octets }
    }

    fn written<'f>(&mut self, people: &'f written::People) -> Vec<Group<'f>> {
        let functions = people.functions.seen().into_iter().flatten();
        let functions = functions.map(|f| (&f.value.address, &f.value.members, self.kind(&f.value), f.span));
        let functions: Vec<_> = functions.collect();
        let aliases = people.aliases.seen().into_iter().flatten();
        let aliases = aliases.map(|a| (&a.value.address, &a.value.to, AliasKind::Alias, a.span));
        let mut groups = Vec::new();
        for (address, to, kind, span) in functions.into_iter().chain(aliases) {
            let address = Spanned::new(address.value.0.clone(), address.span);
            if to.is_empty() {
                let diagnostic = Diagnostic::new(Code::E0813, format!("\"{address}\" has no members"))
                    .help("name a login")
                    .at(address.span, "")
                    .also(span, "");
                self.sink.push(diagnostic);
                continue;
            }
            let sound = held(self.tables, &address.value, address.span, HeldOnly::FormerAddresses)
                .and_then(|()| self.ledger.take(address.value.folded(), address.span, true));
            match sound {
                Ok(()) => groups.push(Group { address, to, kind }),
                Err(diagnostic) => self.sink.push(*diagnostic),
            }
        }
        groups
    }

    /// Logins a group reaches, through other groups if need be. A walk with its own stack: a long chain of aliases is
    /// no deep recursion.
    fn members(&mut self, group: &Group<'_>, groups: &[Group<'_>], by_address: &BTreeMap<String, usize>) -> Vec<Login> {
        let start = by_address.get(&group.address.value.folded()).copied();
        let mut members: Vec<Login> = Vec::new();
        let mut visited: BTreeSet<usize> = start.into_iter().collect();
        let mut pending: Vec<&Spanned<String>> = group.to.iter().rev().collect();
        // Mistakes further down are reported where they stand, when their own group is walked.
        let own: BTreeSet<Span> = group.to.iter().map(|target| target.span).collect();
        while let Some(target) = pending.pop() {
            if let Some(login) = self.login(&target.value) {
                if !members.contains(&login) {
                    members.push(login);
                }
                continue;
            }
            let folded = target.value.parse::<Address>().map(|address| address.folded());
            match folded.ok().and_then(|folded| by_address.get(&folded)) {
                Some(index) if Some(*index) == start => {
                    self.circle(group, target);
                    return Vec::new();
                }
                Some(index) if visited.insert(*index) => pending.extend(groups[*index].to.iter().rev()),
                Some(_) => {}
                None if own.contains(&target.span) => self.nobody(group, target),
                None => {}
            }
        }
        members
    }

    fn login(&self, target: &str) -> Option<Login> {
        if let Some(login) = Login::new(target).filter(|login| self.logins.contains(login)) {
            return Some(login);
        }
        let address = target.parse::<Address>().ok()?;
        self.official.get(&address.folded()).cloned()
    }

    /// E0815.
    fn circle(&mut self, group: &Group<'_>, target: &Spanned<String>) {
        let message = format!("alias {} leads back to itself", group.address);
        let diagnostic = Diagnostic::new(Code::E0815, message)
            .help(format!("break the circle at {target}"))
            .at(group.address.span, "")
            .also(target.span, "back to it");
        self.sink.push(diagnostic);
    }

    /// E0813.
    fn nobody(&mut self, group: &Group<'_>, target: &Spanned<String>) {
        let message = format!("\"{}\" points at nobody: \"{target}\"", group.address);
        let logins: Vec<&str> = self.logins.iter().map(Login::as_str).collect();
        let help = match near::nearest(target, logins) {
            Some(login) => format!("did you mean \"{login}\"?"),
            None => "name a login".to_owned(),
        };
        self.sink.push(Diagnostic::new(Code::E0813, message).help(help).at(target.span, ""));
    }
}

/// Each behind those it follows: a way that is turned round is no circle meanwhile. One in a circle, an error already, is left out.
fn followed_first(leads: Vec<Lead>) -> Vec<Lead> {
    let places = leads.iter().enumerate().map(|(index, lead)| (lead.address.folded(), index));
    let places: BTreeMap<String, usize> = places.collect();
    let (mut waits, mut followers) = (vec![0_usize; leads.len()], vec![Vec::new(); leads.len()]);
    for (index, lead) in leads.iter().enumerate() {
        for followed in lead.follows.iter().filter_map(|followed| places.get(&followed.folded())) {
            waits[index] += 1;
            followers[*followed].push(index);
        }
    }
    let mut ready: VecDeque<usize> = (0..leads.len()).filter(|index| waits[*index] == 0).collect();
    let (mut leads, mut ordered): (Vec<Option<Lead>>, _) = (leads.into_iter().map(Some).collect(), Vec::new());
    while let Some(index) = ready.pop_front() {
        ordered.extend(leads[index].take());
        for follower in &followers[index] {
            waits[*follower] -= 1;
            if waits[*follower] == 0 {
                ready.push_back(*follower);
            }
        }
    }
    ordered
}
