//! People by other things than their login, what was given to whom, and how people logged in.

use mail::{Alias, Login};
use rusqlite::{OptionalExtension, Params, Row, Transaction};

use super::PersonRow;
use super::directory::{PERSON, alias, fold, person_row};
use crate::error::ReadError;
use crate::given::{Access, Given, GivenKind, WORD_OCTETS_MAX};
use crate::store::Store;

/// Words of a search that are looked at.
const TERMS: usize = 4;

impl Store {
    /// Up to `limit` people somebody has to look at, those due at `before_s` or earlier, the longest due first.
    pub fn people_due(&self, before_s: i64, limit: u32) -> Result<Vec<PersonRow>, ReadError> {
        self.read(|tx| rows(tx, "WHERE due <= ?1 ORDER BY due, login LIMIT ?2", (before_s, limit)))
    }

    /// The logins with a standing after `after`, in their order: up to `limit`.
    pub fn people_standing(&self, after: Option<&Login>, limit: u32) -> Result<Vec<(Login, Vec<u8>)>, ReadError> {
        let after = after.map(fold).unwrap_or_default();
        self.read(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT login, standing FROM person WHERE standing IS NOT NULL AND login > ?1 ORDER BY login LIMIT ?2",
            )?;
            let rows = query.query_map((after, limit), |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
            rows.map(|row| {
                let (login, standing) = row?;
                Ok((Login::new(&login).ok_or(ReadError::Damaged)?, standing))
            })
            .collect()
        })
    }

    /// The person with this id in their directory; the first by login where directories have the same ids.
    pub fn person_by_foreign(&self, foreign_id: &str) -> Result<Option<PersonRow>, ReadError> {
        if foreign_id.is_empty() {
            return Ok(None);
        }
        // The second condition lets SQLite use the index, which leaves out who has no id.
        let which = "WHERE foreign_id = ?1 AND foreign_id <> '' ORDER BY login LIMIT 1";
        self.read(|tx| Ok(rows(tx, which, [foreign_id])?.pop()))
    }

    /// Up to `limit` people of a unit after `after`, in order of login.
    pub fn people_of_unit(&self, unit: &str, after: Option<&Login>, limit: u32) -> Result<Vec<PersonRow>, ReadError> {
        let after = after.map(fold).unwrap_or_default();
        self.read(|tx| rows(tx, "WHERE unit = ?1 AND login > ?2 ORDER BY login LIMIT ?3", (unit, after, limit)))
    }

    /// The units people are in, as they are spelled, in order: up to `limit`.
    pub fn units(&self, limit: u32) -> Result<Vec<String>, ReadError> {
        self.read(|tx| {
            // One step of the index for each unit, however many people are in it.
            let mut query = tx.prepare_cached(
                "WITH RECURSIVE known(name) AS (SELECT min(unit) FROM person WHERE unit > '' UNION ALL
                 SELECT (SELECT min(unit) FROM person WHERE unit > known.name) FROM known WHERE known.name IS NOT NULL)
                 SELECT name FROM known WHERE name IS NOT NULL LIMIT ?1",
            )?;
            let rows = query.query_map([limit], |row| row.get(0))?;
            Ok(rows.collect::<Result<Vec<String>, _>>()?)
        })
    }

    /// Up to `limit` people, in order of login, of whom each word of `text` begins a part of the name, the login or the
    /// address, without case and accents. Nothing finds nobody.
    pub fn people_like(&self, text: &str, limit: u32) -> Result<Vec<PersonRow>, ReadError> {
        let folded = mail::fold(text);
        let mut terms: Vec<&str> = folded.split_whitespace().take(TERMS).collect();
        // The longest finds the fewest.
        terms.sort_by_key(|term| std::cmp::Reverse(term.len()));
        if terms.is_empty() {
            return Ok(Vec::new());
        }
        let term = |at: usize| {
            let term = terms.get(at).copied().unwrap_or_default();
            &term[..term.floor_char_boundary(WORD_OCTETS_MAX)]
        };
        let among = |n: usize| {
            format!(
                "AND (?{n} = '' OR EXISTS(SELECT 1 FROM person_word v WHERE v.login = w.login AND v.word >= ?{n}
                 AND v.word < ?{n} || char(1114111)))"
            )
        };
        let which = format!(
            "WHERE login IN (SELECT DISTINCT w.login FROM person_word w WHERE w.word >= ?1 AND w.word < ?1 || char(1114111)
             {} {} {} ORDER BY w.login LIMIT ?5) ORDER BY login",
            among(2),
            among(3),
            among(4)
        );
        self.read(|tx| rows(tx, &which, (term(0), term(1), term(2), term(3), limit)))
    }

    /// To whom a login (in small letters) or an address (folded) was given.
    pub fn given(&self, what: &str) -> Result<Option<Given>, ReadError> {
        self.read(|tx| {
            let mut query = tx.prepare_cached("SELECT kind, holder, at, freed_at FROM given WHERE what = ?1")?;
            let found =
                query.query_row([what], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).optional()?;
            let Some((kind, holder, at_s, freed_at_s)) = found else { return Ok(None) };
            let kind = GivenKind::of_number(kind).ok_or(ReadError::Damaged)?;
            Ok(Some(Given { what: what.to_owned(), kind, holder, at_s, freed_at_s }))
        })
    }

    /// The logins that were given to this holder, see [`crate::holder_of`], the shortest first; at most `limit`.
    pub fn logins_given_to(&self, holder: &str, limit: u32) -> Result<Vec<String>, ReadError> {
        self.read(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT what FROM given WHERE holder = ?1 AND kind = ?2 ORDER BY length(what), what LIMIT ?3",
            )?;
            let rows = query.query_map((holder, GivenKind::Login.number(), limit), |row| row.get(0))?;
            Ok(rows.collect::<Result<Vec<String>, _>>()?)
        })
    }

    /// The ledger behind `after`, in order of login or address; at most `limit` rows.
    pub fn given_list(&self, after: &str, limit: u32) -> Result<Vec<Given>, ReadError> {
        self.read(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT kind, holder, at, freed_at, what FROM given WHERE what > ?1 ORDER BY what LIMIT ?2",
            )?;
            let mut rows = query.query((after, limit))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let kind = GivenKind::of_number(row.get(0)?).ok_or(ReadError::Damaged)?;
                let (holder, what) = (row.get(1)?, row.get(4)?);
                found.push(Given { what, kind, holder, at_s: row.get(2)?, freed_at_s: row.get(3)? });
            }
            Ok(found)
        })
    }

    /// Every alias, former and functional address behind `after`, which is folded, in order of address; at most `limit`.
    pub fn aliases(&self, after: &str, limit: u32) -> Result<Vec<Alias>, ReadError> {
        self.read(|tx| {
            let mut query = tx.prepare_cached("SELECT folded FROM alias WHERE folded > ?1 ORDER BY folded LIMIT ?2")?;
            let folded = query.query_map((after, limit), |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
            let found = folded.iter().map(|folded| alias(tx, folded)).collect::<Result<Vec<_>, _>>()?;
            Ok(found.into_iter().flatten().collect())
        })
    }

    /// The ways people logged in at `since_s` or later, the last used first; at most `limit`.
    pub fn accesses_since(&self, since_s: i64, limit: u32) -> Result<Vec<Access>, ReadError> {
        self.read(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT how, first, last, times, login FROM access WHERE last >= ?1 ORDER BY last DESC LIMIT ?2",
            )?;
            let rows = query.query_map((since_s, limit), |row| Ok((row.get::<_, String>(4)?, access(row)?)))?;
            rows.map(|row| {
                let (login, access) = row?;
                Ok(access(Login::new(&login).ok_or(ReadError::Damaged)?))
            })
            .collect()
        })
    }

    /// How somebody logged in, the last used first; at most `limit`.
    pub fn accesses_of(&self, login: &Login, limit: u32) -> Result<Vec<Access>, ReadError> {
        self.read(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT how, first, last, times FROM access WHERE login = ?1 ORDER BY last DESC, how LIMIT ?2",
            )?;
            let found = query.query_map((fold(login), limit), |row| Ok(access(row)?(login.clone())))?;
            Ok(found.collect::<Result<_, _>>()?)
        })
    }
}

/// `how, first, last, times`, whosever it is.
fn access(row: &Row<'_>) -> rusqlite::Result<impl FnOnce(Login) -> Access + use<>> {
    let (how, first_s, last_s, times) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, i64>(3)? as u64);
    Ok(move |login| Access { login, how, first_s, last_s, times })
}

/// `which` is the end of the statement.
fn rows(tx: &Transaction, which: &str, of: impl Params) -> Result<Vec<PersonRow>, ReadError> {
    let mut query = tx.prepare_cached(&format!("{PERSON} {which}"))?;
    query.query_map(of, person_row)?.map(|row| row?).collect()
}
