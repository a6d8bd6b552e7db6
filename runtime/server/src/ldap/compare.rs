//! Everybody in a directory beside everybody here: who is new, who changed, who is gone. Nothing is written.

use std::collections::HashSet;

use jiff::tz::TimeZone;
use plan::LdapAttributes;
use store::{PersonRow, PersonSource, ReadError};
use tokio::sync::mpsc::Receiver;

use super::entry::Entry;
use super::facts::{Facts, Mapping};
use super::guard::Extent;
use super::state::{REPORTS_MAX, Report};
use super::step::{Desk, Known, NoStep};

/// People of the store that are read at a time.
const PAGE: u32 = 1_000;

/// What a sync would do.
#[derive(Default)]
pub struct Comparison {
    pub extent: Extent,
    /// In the order they are given logins and addresses.
    pub new: Vec<Facts>,
    pub changed: Vec<Facts>,
    pub gone: Vec<PersonRow>,
    pub refused: u64,
    pub left_out: u64,
    pub reports: Vec<Report>,
}

impl Comparison {
    /// An entry that is nobody here.
    pub fn refuse(&mut self, dn: &str, says: impl Into<String>) {
        self.refused += 1;
        self.report(dn, says);
    }

    /// Something of an entry that could not be used.
    pub fn leave_out(&mut self, dn: &str, says: impl Into<String>) {
        self.left_out += 1;
        self.report(dn, says);
    }

    fn report(&mut self, dn: &str, says: impl Into<String>) {
        if self.reports.len() < REPORTS_MAX {
            self.reports.push(Report::new(dn, says));
        }
    }
}

/// What was met on the way.
#[derive(Default)]
struct Met {
    /// Hashes of ids, sixteen octets each: a million people are no more.
    ids: HashSet<[u8; 16]>,
    /// Who an entry without an id is, nobody knows: it could be anybody who is missed.
    nameless: bool,
    /// Entries with the login and the name of somebody who has another id: the name of the entry, and that id.
    under_another_id: Vec<(String, Facts, String)>,
}

/// Compares what comes until the sender is gone. Blocks. Whoever sends has to know that it was everybody.
pub fn compare(
    desk: &Desk,
    attributes: &LdapAttributes,
    time_zone: &TimeZone,
    mut entries: Receiver<Entry>,
) -> Result<Comparison, ReadError> {
    let mapping = Mapping { attributes, tables: &desk.tables, time_zone };
    let mut comparison = Comparison::default();
    let mut met = Met::default();
    while let Some(entry) = entries.blocking_recv() {
        comparison.extent.entries += 1;
        match mapping.facts(&entry) {
            Ok(facts) if !met.ids.insert(key(&facts.foreign_id)) => comparison.refuse(&entry.dn, "its id stands twice"),
            Ok(facts) => one(desk, entry.dn, facts, &mut comparison, &mut met)?,
            Err(wrong) => {
                // Refused or not, they are there: nobody leaves because of a slip of the pen.
                match mapping.id(&entry) {
                    Some(id) => drop(met.ids.insert(key(&id))),
                    None => met.nameless = true,
                }
                comparison.refuse(&entry.dn, wrong.to_string());
            }
        }
    }
    for (dn, facts, other_id) in std::mem::take(&mut met.under_another_id) {
        // An entry that was removed and made anew is the same person; one beside the other is not.
        match met.ids.insert(key(&other_id)) {
            true => known(desk, &dn, facts, true, &mut comparison)?,
            false => comparison.refuse(&dn, "its login is that of another entry"),
        }
    }
    comparison.new.sort_by(|one, other| order(one).cmp(&order(other)));
    gone(desk, &met.ids, &mut comparison)?;
    if met.nameless {
        comparison.gone.clear();
    }
    comparison.extent.changed = comparison.changed.len() as u64;
    comparison.extent.gone = comparison.gone.len() as u64;
    Ok(comparison)
}

fn one(desk: &Desk, dn: String, facts: Facts, comparison: &mut Comparison, met: &mut Met) -> Result<(), ReadError> {
    for wrong in &facts.left_out {
        comparison.leave_out(&dn, wrong.to_string());
    }
    match desk.known(&facts) {
        // Whom nobody here is like gets login and address in the order of all who are new.
        Ok(Known::Nobody) => comparison.new.push(facts),
        Ok(Known::Same(_)) => known(desk, &dn, facts, false, comparison)?,
        Ok(Known::UnderAnotherId(row)) => met.under_another_id.push((dn, facts, row.origin.foreign_id)),
        Err(NoStep::Read(error)) => return Err(error),
        Err(NoStep::Says(says)) => comparison.refuse(&dn, says),
        Err(NoStep::NoAccount) => {}
    }
    Ok(())
}

/// Somebody who is here: is there anything to change?
fn known(desk: &Desk, dn: &str, facts: Facts, same_login: bool, comparison: &mut Comparison) -> Result<(), ReadError> {
    match desk.step(&facts, same_login) {
        Ok(step) => {
            step.said.into_iter().for_each(|says| comparison.leave_out(dn, says));
            if !step.ops.is_empty() {
                comparison.changed.push(facts);
            }
        }
        Err(NoStep::Read(error)) => return Err(error),
        Err(NoStep::NoAccount) => {}
        Err(NoStep::Says(says)) => comparison.refuse(dn, says),
    }
    Ok(())
}

/// Who registered first comes first; whoever has no day, or the same one, by name and id, so that the order in which a
/// directory gives them leaves no trace.
fn order(facts: &Facts) -> (bool, &str, &str, &str, &str) {
    (facts.registered.is_empty(), &facts.registered, &facts.last, &facts.first, &facts.foreign_id)
}

fn gone(desk: &Desk, seen: &HashSet<[u8; 16]>, comparison: &mut Comparison) -> Result<(), ReadError> {
    let mut after = None;
    loop {
        let page = desk.store.people(after.as_ref(), PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.person.login.clone());
        let theirs = page.into_iter().filter(|row| row.origin.source == PersonSource::Ldap);
        for row in theirs {
            let is_seen = seen.contains(&key(&row.origin.foreign_id));
            let has_left = !row.origin.until.is_empty() && row.origin.until <= desk.today;
            if is_seen || !has_left {
                comparison.extent.known += 1;
            }
            if !is_seen && !has_left {
                comparison.gone.push(row);
            }
        }
    }
}

fn key(foreign_id: &str) -> [u8; 16] {
    let hash = blake3::hash(foreign_id.as_bytes());
    let mut key = [0; 16];
    key.copy_from_slice(&hash.as_bytes()[..16]);
    key
}
