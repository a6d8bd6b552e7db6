//! Who there is: people, addresses, the ledger.

use mail::{Address, Alias, AliasKind, Login, Person};
use rusqlite::{OptionalExtension, Row, Transaction};

use super::{Leads, PersonRow, Resolution};
use crate::error::ReadError;
use crate::given::{Origin, PersonSource};
use crate::store::Store;

pub(super) const PERSON: &str = "SELECT login, first, last, address, profile, unit, home, quota, verifier, source,
    foreign_id, registered, until, standing, due, secret FROM person";

impl Store {
    pub fn person(&self, login: &Login) -> Result<Option<PersonRow>, ReadError> {
        self.read_at_once(|tx| {
            tx.prepare_cached(&format!("{PERSON} WHERE login = ?1"))?
                .query_row([fold(login)], person_row)
                .optional()?
                .transpose()
        })
    }

    /// Up to `limit` people after `after`, in order of login.
    pub fn people(&self, after: Option<&Login>, limit: u32) -> Result<Vec<PersonRow>, ReadError> {
        let after = after.map(fold).unwrap_or_default();
        self.read(|tx| {
            let mut query = tx.prepare_cached(&format!("{PERSON} WHERE login > ?1 ORDER BY login LIMIT ?2"))?;
            query.query_map((after, limit), person_row)?.map(|row| row?).collect()
        })
    }

    pub fn people_count(&self) -> Result<u64, ReadError> {
        self.read(|tx| Ok(tx.query_row("SELECT count(*) FROM person", [], |row| row.get::<_, i64>(0))? as u64))
    }

    /// Where mail to `address` goes, in any case of its letters.
    pub fn resolve(&self, address: &Address) -> Result<Resolution, ReadError> {
        let folded = address.folded();
        self.read_at_once(|tx| {
            let person = tx
                .prepare_cached(&format!("{PERSON} WHERE folded = ?1"))?
                .query_row([&folded], person_row)
                .optional()?
                .transpose()?;
            if let Some(person) = person {
                return Ok(Resolution::Person(Box::new(person)));
            }
            let alias = alias(tx, &folded)?;
            Ok(alias.map_or(Resolution::Unknown, Resolution::Alias))
        })
    }

    /// May `login` write as `address`: is it the official address, an alias of this person alone or with others, or a
    /// functional address this person belongs to?
    pub fn owns(&self, login: &Login, address: &Address) -> Result<bool, ReadError> {
        let (folded, login) = (address.folded(), fold(login));
        self.read_at_once(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT EXISTS(SELECT 1 FROM person WHERE folded = ?1 AND login = ?2)
                     OR EXISTS(SELECT 1 FROM alias_member WHERE folded = ?1 AND login = ?2)",
            )?;
            Ok(query.query_row((folded, login), |row| row.get(0))?)
        })
    }

    /// Every alias and functional address `login` is a member of, in order of address.
    pub fn aliases_of(&self, login: &Login) -> Result<Vec<Alias>, ReadError> {
        let login = fold(login);
        self.read(|tx| {
            let mut query =
                tx.prepare_cached("SELECT DISTINCT folded FROM alias_member WHERE login = ?1 ORDER BY folded")?;
            let folded = query.query_map([login], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
            let aliases = folded.iter().map(|folded| alias(tx, folded)).collect::<Result<Vec<_>, _>>()?;
            Ok(aliases.into_iter().flatten().collect())
        })
    }

    /// The functional addresses `login` belongs to, in order of address, each with whether it has mailboxes of its own.
    pub fn functions_of(&self, login: &Login) -> Result<Vec<(Address, bool)>, ReadError> {
        let login = fold(login);
        self.read_at_once(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT DISTINCT a.folded, a.kind = 3 FROM alias_member m JOIN alias a ON a.folded = m.folded
                 WHERE m.login = ?1 AND a.kind IN (2, 3) ORDER BY a.folded",
            )?;
            let rows = query.query_map([login], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
            rows.map(|row| {
                let (address, has_mailboxes) = row?;
                Ok((address.parse().map_err(|_| ReadError::Damaged)?, has_mailboxes))
            })
            .collect()
        })
    }

    /// By which ways `address` leads to its people.
    pub fn leads(&self, address: &Address) -> Result<Leads, ReadError> {
        let follows = self.follow_rows("SELECT target FROM alias_follows WHERE folded = ?1 ORDER BY n", address)?;
        let own = self.read(|tx| {
            let statement = "SELECT login FROM alias_member WHERE folded = ?1 AND own = 1 ORDER BY n";
            let mut query = tx.prepare_cached(statement)?;
            let rows = query.query_map([address.folded()], |row| row.get::<_, String>(0))?;
            rows.map(|login| Login::new(&login?).ok_or(ReadError::Damaged)).collect()
        })?;
        Ok(Leads { own, follows })
    }

    /// The addresses that follow `address`, folded.
    pub fn followers(&self, address: &Address) -> Result<Vec<Address>, ReadError> {
        self.follow_rows("SELECT DISTINCT f.folded FROM alias_follows f JOIN alias a ON a.folded = f.folded WHERE f.target = ?1 ORDER BY f.folded", address)
    }

    fn follow_rows(&self, statement: &str, address: &Address) -> Result<Vec<Address>, ReadError> {
        self.read(|tx| {
            let mut query = tx.prepare_cached(statement)?;
            let rows = query.query_map([address.folded()], |row| row.get::<_, String>(0))?;
            rows.map(|row| row?.parse().map_err(|_| ReadError::Damaged)).collect()
        })
    }

    /// Was this login ever given to anybody?
    pub fn login_was_given(&self, login: &Login) -> Result<bool, ReadError> {
        let login = fold(login);
        self.read(|tx| {
            let mut query = tx.prepare_cached("SELECT EXISTS(SELECT 1 FROM given WHERE what = ?1)")?;
            Ok(query.query_row([login], |row| row.get(0))?)
        })
    }
}

/// The key of a login: logins that differ only in case would be one person to people.
pub(crate) fn fold(login: &Login) -> String {
    login.as_str().to_ascii_lowercase()
}

pub(super) fn person_row(row: &Row) -> rusqlite::Result<Result<PersonRow, ReadError>> {
    let (login, address): (String, String) = (row.get(0)?, row.get(3)?);
    let (Some(login), Ok(address)) = (Login::new(&login), address.parse()) else {
        return Ok(Err(ReadError::Damaged));
    };
    let person = Person {
        login,
        first: row.get(1)?,
        last: row.get(2)?,
        address,
        profile: row.get(4)?,
        unit: row.get(5)?,
        home: row.get(6)?,
        quota_octets: row.get::<_, i64>(7)? as u64,
    };
    let Some(source) = PersonSource::of_number(row.get(9)?) else { return Ok(Err(ReadError::Damaged)) };
    let origin = Origin { source, foreign_id: row.get(10)?, registered: row.get(11)?, until: row.get(12)? };
    let blob = |at| -> rusqlite::Result<Vec<u8>> { Ok(row.get::<_, Option<Vec<u8>>>(at)?.unwrap_or_default()) };
    let (standing, secret) = (blob(13)?, blob(15)?);
    Ok(Ok(PersonRow { person, verifier: row.get(8)?, origin, standing, due_s: row.get(14)?, secret }))
}

pub(super) fn alias(tx: &Transaction, folded: &str) -> Result<Option<Alias>, ReadError> {
    let row = tx
        .prepare_cached("SELECT address, kind, quota FROM alias WHERE folded = ?1")?
        .query_row([folded], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))
        .optional()?;
    let Some((address, kind, quota)) = row else { return Ok(None) };
    let mut query = tx.prepare_cached("SELECT login FROM alias_member WHERE folded = ?1 ORDER BY n")?;
    let members = query
        .query_map([folded], |row| row.get::<_, String>(0))?
        .map(|login| Login::new(&login?).ok_or(ReadError::Damaged))
        .collect::<Result<Vec<Login>, ReadError>>()?;
    let address = address.parse().map_err(|_| ReadError::Damaged)?;
    let kind = match kind {
        0 => AliasKind::Former,
        1 => AliasKind::Alias,
        2 => AliasKind::Function,
        3 => AliasKind::FunctionMailbox { quota_octets: quota as u64 },
        _ => return Err(ReadError::Damaged),
    };
    Ok(Some(Alias { address, members, kind }))
}
