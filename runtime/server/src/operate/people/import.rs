//! `facteur person import`: a list judged by the rules of the plan, and taken over as a whole or not at all.

use std::collections::HashMap;

use decide::people::{Extent, Judged, Led, Mistake, Outcome, Present, Settled, judge, led, too_much};
use decide::roles;
use mail::{Alias, AliasKind};
use serde::{Deserialize, Serialize};
use store::{DefaultMailbox, Op, Origin, PersonRow, PersonSource};

use super::super::progress::{Throttled, Unit};
use super::super::{Context, Live, OperateError, Operation, Progress, audit};
use super::hashes::Hashes;
use super::wanted::{BadLine, WantedPerson};
use super::{known, put};

/// People of one commit.
pub(super) const BATCH: usize = 200;

/// `POST /person/import`. Who is in the list and not here is new, who is here changes; who was in a list before and is not in
/// this one is left alone, or leaves today when `missing_leave` says so. Nobody is erased.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportPeople {
    pub people: Vec<WantedPerson>,
    pub missing_leave: bool,
    /// Changes and leavings that may happen at once, exactly; above the policy's own bound somebody has to name them.
    pub allow_mass_change: Option<u64>,
    /// Only say what would happen.
    pub dry_run: bool,
}

/// What became of one of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedPerson {
    pub line: u32,
    pub login: String,
    pub name: String,
    pub address: String,
    pub state: PersonState,
    /// What changes of somebody who was here.
    pub changes: Vec<String>,
    /// Logins and addresses that somebody else has, with what this person got instead.
    pub instead_of: Vec<(String, String)>,
    pub profile: String,
    pub quota_octets: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonState {
    New,
    Changed,
    Same,
}

/// Somebody the list has no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeavingPerson {
    pub login: String,
    pub name: String,
}

/// The whole of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedPeople {
    /// In the order of the list, without those that have a mistake.
    pub people: Vec<ImportedPerson>,
    /// Who leaves today, or would with `missing_leave`.
    pub missing: Vec<LeavingPerson>,
    pub mistakes: Vec<BadLine>,
    pub new: u64,
    pub changed: u64,
    pub same: u64,
    /// Everybody who was here.
    pub known: u64,
    /// Password hashes that are taken over: those of people who have no password here yet.
    pub passwords: u64,
    /// Of people who have one here, which they keep.
    pub passwords_kept: u64,
    /// Hashes that open nothing here, and why: these people need a new password.
    pub passwords_left: Vec<BadLine>,
    /// Aliases that are new, or lead to somebody new.
    pub aliases: u64,
    /// Functional addresses that are new, or have somebody new among their members.
    pub functions: u64,
    /// More changes at once than this need somebody's word: nothing was written.
    pub more_than: Option<u64>,
    /// In the store.
    pub is_written: bool,
}

impl Operation for ImportPeople {
    type Response = ImportedPeople;
    const PATH: &'static str = "/person/import";
    const LONG: bool = true;
    const OCTETS_MAX: usize = 4 * super::FILE_OCTETS_MAX;

    fn act(&self) -> roles::Act {
        roles::Act::ChangePeople
    }

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<ImportedPeople, OperateError> {
        let live = context.live.as_ref().ok_or(OperateError::NoServer)?;
        let (hashes, wanted) = Hashes::of(self.people);
        let wanted: Vec<_> = wanted.into_iter().map(Into::into).collect();
        let _desk = known::desk();
        let everybody = known::everybody(&context.store)?;
        let ledger = known::ledger(&context.store, &live.tables.plan().accounts.reuse_after)?;
        let mut outcome = judge(&live.tables, &wanted, &everybody.present, &ledger, &live.today);
        let aliases = known::aliases(&context.store)?;
        let mut led = led(&live.tables, &wanted, &outcome, &everybody.present, &ledger, &aliases);
        let lines: Vec<u32> = wanted.iter().map(|one| one.line).collect();
        let hashes = hashes.judged(context, &mut outcome, &everybody.rows, &lines);
        outcome.mistakes.append(&mut led.mistakes);
        for (index, word) in led.gains.drain(..) {
            outcome.people[index].changes.push(word);
        }
        let mut answer = told(&outcome, &everybody.present, &lines);
        hashes.told(&mut answer);
        led_told(&led, &mut answer);
        let leaving = if self.missing_leave { outcome.missing.len() as u64 } else { 0 };
        let extent = Extent { leaving, changed: answer.changed, known: answer.known };
        answer.more_than = too_much(live.tables.plan().accounts.mass_change, extent, self.allow_mass_change);
        if self.dry_run || !answer.mistakes.is_empty() || answer.more_than.is_some() {
            return Ok(answer);
        }
        let missing = if self.missing_leave { &outcome.missing[..] } else { &[] };
        let leaving = missing.iter().map(|index| leaves(&everybody.rows[*index], &live.today));
        let changed = outcome.people.iter().filter(|judged| judged.was.is_none() || !judged.changes.is_empty());
        let source = PersonSource::File;
        let of = |judged: &Judged| {
            let is_unheard = !ledger.contains_key(judged.person.login.as_str());
            ops(live, judged, &everybody.rows, is_unheard, source)
        };
        let ops = changed.map(of).chain(leaving);
        commit(context, ops.collect(), tell)?;
        // Whom they belong to is there now.
        hashes.commit(context)?;
        let led = led.changed.into_iter().map(|alias| vec![Op::UpsertAlias(Box::new(alias))]);
        commit(context, led.collect(), tell)?;
        answer.is_written = true;
        let ImportedPeople { new, changed, passwords, aliases, functions, .. } = &answer;
        let leaving = missing.len();
        let more = format!("{passwords} password hashes, {aliases} aliases, {functions} functions");
        audit(context, &format!("{new} people imported, {changed} changed, {leaving} leave; {more}"));
        Ok(answer)
    }
}

fn led_told(led: &Led, answer: &mut ImportedPeople) {
    let functions = led.changed.iter().filter(|alias| alias.kind != AliasKind::Alias).count();
    answer.functions = functions as u64;
    answer.aliases = (led.changed.len() - functions) as u64;
}

/// Some hundred people in one commit: who stops it may begin again, and finds the first ones as they are.
fn commit(context: &Context, people: Vec<Vec<Op>>, tell: &mut dyn FnMut(Progress)) -> Result<(), OperateError> {
    let total = people.len() as u64;
    let mut throttled = Throttled::new(tell);
    let mut done = 0;
    let mut people = people.into_iter().peekable();
    while people.peek().is_some() {
        context.go_on()?;
        let batch: Vec<Vec<Op>> = people.by_ref().take(BATCH).collect();
        done += batch.len() as u64;
        context.store.commit_wait(batch.into_iter().flatten().collect())?;
        throttled.tell(Progress { on: "people".to_owned(), done, total: Some(total), unit: Unit::Accounts });
    }
    put::names_changed(context);
    Ok(())
}

/// What writes one of them. `is_unheard` says that nobody ever had the login.
pub(super) fn ops(live: &Live, judged: &Judged, rows: &[PersonRow], is_unheard: bool, source: PersonSource) -> Vec<Op> {
    let row = judged.was.map(|index| &rows[index]);
    let login = &judged.person.login;
    let mut ops = Vec::new();
    // What nobody ever had is claimed, so that no other way of making people can give it meanwhile.
    if row.is_none() && is_unheard {
        ops.push(Op::ClaimLogin { login: login.clone(), at_s: crate::clock::unix_s() });
    }
    let mailboxes: Vec<DefaultMailbox> = match row {
        Some(_) => Vec::new(),
        None => crate::default_mailboxes(live.tables.plan().institution.pages),
    };
    let origin = Origin {
        source: row.map_or(source, |row| row.origin.source),
        foreign_id: judged.foreign_id.clone(),
        registered: judged.registered.clone(),
        until: judged.until.clone(),
    };
    let person = Box::new(judged.person.clone());
    ops.push(Op::UpsertPerson { person, verifier: None, mailboxes, origin: Some(origin) });
    ops.extend(judged.former.iter().map(|address| {
        let (address, members) = (address.clone(), vec![login.clone()]);
        Op::UpsertAlias(Box::new(Alias { address, members, kind: AliasKind::Former }))
    }));
    ops
}

/// Today is the last day.
fn leaves(row: &PersonRow, today: &str) -> Vec<Op> {
    let origin = Origin { until: today.to_owned(), ..row.origin.clone() };
    let person = Box::new(row.person.clone());
    vec![Op::UpsertPerson { person, verifier: None, mailboxes: Vec::new(), origin: Some(origin) }]
}

fn told(outcome: &Outcome, present: &[Present], lines: &[u32]) -> ImportedPeople {
    let people: Vec<ImportedPerson> = outcome.people.iter().map(|judged| said(judged, lines[judged.row])).collect();
    let mut counts: HashMap<u8, u64> = HashMap::new();
    people.iter().for_each(|person| *counts.entry(person.state as u8).or_default() += 1);
    let count = |state: PersonState| counts.get(&(state as u8)).copied().unwrap_or(0);
    let mut mistakes: Vec<&Mistake> = outcome.mistakes.iter().collect();
    mistakes.sort();
    let missing = |index: &usize| {
        let person = &present[*index].person;
        LeavingPerson { login: person.login.to_string(), name: format!("{} {}", person.first, person.last) }
    };
    ImportedPeople {
        new: count(PersonState::New),
        changed: count(PersonState::Changed),
        same: count(PersonState::Same),
        known: present.len() as u64,
        missing: outcome.missing.iter().map(missing).collect(),
        mistakes: mistakes.into_iter().map(|it| BadLine { line: it.line, what: it.what.clone() }).collect(),
        people,
        ..ImportedPeople::default()
    }
}

pub(super) fn said(judged: &Judged, line: u32) -> ImportedPerson {
    let person = &judged.person;
    let state = match (judged.was, judged.changes.is_empty()) {
        (None, _) => PersonState::New,
        (Some(_), false) => PersonState::Changed,
        (Some(_), true) => PersonState::Same,
    };
    let instead = |Settled { wanted, given }: &Settled| (wanted.clone(), given.clone());
    ImportedPerson {
        line,
        login: person.login.to_string(),
        name: format!("{} {}", person.first, person.last),
        address: person.address.to_string(),
        state,
        changes: judged.changes.iter().map(|change| (*change).to_owned()).collect(),
        instead_of: judged.settled.iter().map(instead).collect(),
        profile: person.profile.clone(),
        quota_octets: person.quota_octets,
    }
}
