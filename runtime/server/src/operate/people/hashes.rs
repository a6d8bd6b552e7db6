//! Password hashes of a list: what another server kept of people who have no password here yet. One that was set or renewed here
//! is never put back to what a list says.

use std::collections::HashMap;

use decide::people::{Mistake, Outcome};
use mail::Login;
use store::PersonRow;

use super::super::{Context, OperateError};
use super::import::{BATCH, ImportedPeople};
use super::wanted::{BadLine, PasswordHash, WantedPerson};
use crate::drive::login::is_of_directory;
use crate::passwords;
use crate::schemes::{self, Imported, NoScheme};

/// Those of a list, by index in it.
pub(super) struct Hashes(HashMap<usize, PasswordHash>);

/// What becomes of them.
#[derive(Default)]
pub(super) struct JudgedHashes {
    taken: Vec<(Login, Imported)>,
    kept: u64,
    left: Vec<BadLine>,
}

impl Hashes {
    /// Apart from the people, so that nothing that judges these ever holds them.
    pub(super) fn of(mut people: Vec<WantedPerson>) -> (Hashes, Vec<WantedPerson>) {
        let with = people.iter_mut().enumerate();
        let hashes = with.filter_map(|(index, person)| Some((index, person.password.take()?))).collect();
        (Hashes(hashes), people)
    }

    /// A damaged hash is a mistake; one that is sound and opens nothing here keeps nobody out of the list.
    pub(super) fn judged(
        &self,
        context: &Context,
        outcome: &mut Outcome,
        rows: &[PersonRow],
        lines: &[u32],
    ) -> JudgedHashes {
        // Whose password a directory server keeps has one.
        let of_directory = |row: &PersonRow| context.server.as_ref().is_some_and(|it| is_of_directory(it, row));
        let has_one = |row: &PersonRow| row.verifier.is_some() || of_directory(row);
        let mut judged = JudgedHashes::default();
        if self.0.is_empty() {
            return judged;
        }
        for person in &mut outcome.people {
            let Some(hash) = self.0.get(&person.row) else { continue };
            if person.was.is_some_and(|index| has_one(&rows[index])) {
                judged.kept += 1;
                continue;
            }
            let login = &person.person.login;
            let line = lines[person.row];
            match schemes::read(hash.reveal()) {
                Ok(imported) => {
                    judged.taken.push((login.clone(), imported));
                    person.changes.push("password");
                }
                Err(why @ NoScheme::Malformed) => {
                    outcome.mistakes.push(Mistake { line, what: format!("the password of {login} is {why}") });
                }
                Err(why) => judged.left.push(BadLine { line, what: format!("the password of {login} is {why}") }),
            }
        }
        judged
    }
}

impl JudgedHashes {
    pub(super) fn told(&self, answer: &mut ImportedPeople) {
        answer.passwords = self.taken.len() as u64;
        answer.passwords_kept = self.kept;
        answer.passwords_left.clone_from(&self.left);
    }

    pub(super) fn commit(&self, context: &Context) -> Result<(), OperateError> {
        for batch in self.taken.chunks(BATCH) {
            context.go_on()?;
            passwords::import_where_none(context, batch)?;
        }
        Ok(())
    }
}
