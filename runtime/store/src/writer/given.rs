//! The ledger: to whom logins and addresses were given. And the ways people logged in.

use mail::{Alias, AliasKind, Login, Person};
use rusqlite::OptionalExtension;

use super::Stop;
use super::group::Group;
use crate::error::Refusal;
use crate::given::{Access, Given, GivenKind, Origin, PersonSource, holder, words_of};
use crate::op::OpResult;
use crate::read::fold;

/// Ways of one login that are kept; of more those that were used last.
const ACCESSES_OF_ONE_MAX: i64 = 200;

impl Group<'_> {
    pub(super) fn claim_login(&mut self, login: &Login, at_s: i64) -> Result<OpResult, Stop> {
        let fresh = self
            .db
            .prepare_cached("INSERT OR IGNORE INTO given(what, kind, holder, at) VALUES(?1, ?2, '', ?3)")?
            .execute((fold(login), GivenKind::Login.number(), at_s))?;
        if fresh == 1 { Ok(OpResult::Done) } else { Err(Refusal::LoginTaken(login.clone()).into()) }
    }

    pub(super) fn note_given(&mut self, given: &[Given]) -> Result<OpResult, Stop> {
        let mut put = self.db.prepare_cached(
            "INSERT OR REPLACE INTO given(what, kind, holder, at, freed_at) VALUES(?1, ?2, ?3, ?4, ?5)",
        )?;
        for it in given {
            put.execute((&it.what, it.kind.number(), &it.holder, it.at_s, it.freed_at_s))?;
        }
        Ok(OpResult::Done)
    }

    /// From now on it is in the hands of `holder`. Who had it before keeps the moment they got it.
    pub(super) fn hand_over(&mut self, what: &str, kind: GivenKind, holder: &str) -> Result<(), Stop> {
        self.db
            .prepare_cached(
                "INSERT INTO given(what, kind, holder, at) VALUES(?1, ?2, ?3, ?4) ON CONFLICT(what) DO UPDATE SET
                 at = CASE WHEN holder IN ('', excluded.holder) THEN at ELSE excluded.at END,
                 kind = excluded.kind, holder = excluded.holder, freed_at = NULL",
            )?
            .execute((what, kind.number(), holder, self.now_s))?;
        Ok(())
    }

    pub(super) fn free(&mut self, what: &str) -> Result<(), Stop> {
        self.db
            .prepare_cached("UPDATE given SET freed_at = ?2 WHERE what = ?1 AND freed_at IS NULL")?
            .execute((what, self.now_s))?;
        Ok(())
    }

    /// An alias of one person is that person's; what leads to several belongs to nobody but itself.
    pub(super) fn give_alias(&mut self, alias: &Alias, folded: &str) -> Result<(), Stop> {
        let holder = match (&alias.members[..], alias.kind) {
            ([one], AliasKind::Former | AliasKind::Alias) => self.holder_at(&fold(one))?,
            _ => None,
        };
        self.hand_over(folded, GivenKind::Address, holder.as_deref().unwrap_or(folded))
    }

    /// The address leads nowhere any more.
    pub(super) fn free_alias(&mut self, folded: &str) -> Result<(), Stop> {
        let there: bool = self
            .db
            .prepare_cached("SELECT EXISTS(SELECT 1 FROM alias WHERE folded = ?1)")?
            .query_row([folded], |row| row.get(0))?;
        if there { self.free(folded) } else { Ok(()) }
    }

    fn holder_at(&mut self, login: &str) -> Result<Option<String>, Stop> {
        let names: Option<(String, String)> = self
            .db
            .prepare_cached("SELECT first, last FROM person WHERE login = ?1")?
            .query_row([login], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((first, last)) = names else { return Ok(None) };
        Ok(Some(holder(&first, &last, &self.origin_of(login)?)))
    }

    pub(super) fn origin_of(&mut self, login: &str) -> Result<Origin, Stop> {
        let mut query =
            self.db.prepare_cached("SELECT source, foreign_id, registered, until FROM person WHERE login = ?1")?;
        Ok(query.query_row([login], |row| {
            let source = PersonSource::of_number(row.get(0)?).unwrap_or_default();
            Ok(Origin { source, foreign_id: row.get(1)?, registered: row.get(2)?, until: row.get(3)? })
        })?)
    }

    /// What the person is looked for by.
    pub(super) fn name_words(&mut self, login: &str, person: &Person) -> Result<(), Stop> {
        self.db.prepare_cached("DELETE FROM person_word WHERE login = ?1")?.execute([login])?;
        let mut insert = self.db.prepare_cached("INSERT OR IGNORE INTO person_word(word, login) VALUES(?1, ?2)")?;
        for word in words_of(login, &person.first, &person.last, &person.address.to_string()) {
            insert.execute((word, login))?;
        }
        Ok(())
    }

    pub(super) fn note_accesses(&mut self, accesses: &[Access]) -> Result<OpResult, Stop> {
        let mut note = self.db.prepare_cached(
            "INSERT INTO access(login, how, first, last, times) VALUES(?1, ?2, ?3, ?4, ?5)
             ON CONFLICT(login, how) DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last),
             times = times + excluded.times",
        )?;
        for access in accesses {
            let times = i64::from(u32::try_from(access.times).unwrap_or(u32::MAX));
            note.execute((fold(&access.login), &access.how, access.first_s, access.last_s, times))?;
        }
        let mut bound = self.db.prepare_cached(
            "DELETE FROM access WHERE login = ?1 AND how IN
             (SELECT how FROM access WHERE login = ?1 ORDER BY last DESC, how LIMIT -1 OFFSET ?2)",
        )?;
        let logins: std::collections::BTreeSet<String> = accesses.iter().map(|access| fold(&access.login)).collect();
        for login in logins {
            bound.execute((login, ACCESSES_OF_ONE_MAX))?;
        }
        Ok(OpResult::Done)
    }
}
