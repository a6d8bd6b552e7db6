//! One person of a list, as it travels from a file to the server.

use std::fmt;

use decide::people::Wanted;
use serde::{Deserialize, Serialize};

/// See [`Wanted`]; what is not said is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WantedPerson {
    /// Where it stands in its file, from 1.
    pub line: u32,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    pub first: String,
    pub last: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_octets: Option<u64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub registered: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<String>,
    /// What another server kept of the password; no file that is written has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<PasswordHash>,
}

/// A hash such as `{SSHA}…`, as [`crate::schemes`] reads it. It is shown to nobody.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

impl From<WantedPerson> for Wanted {
    fn from(person: WantedPerson) -> Wanted {
        let WantedPerson { line, id, login, first, last, address, profile, unit, home, quota_octets, .. } = person;
        let WantedPerson { registered, until, former, aliases, functions, .. } = person;
        let foreign_id = id;
        Wanted {
            line,
            foreign_id,
            login,
            first,
            last,
            address,
            profile,
            unit,
            home,
            quota_octets,
            registered,
            until,
            former,
            aliases,
            functions,
        }
    }
}

/// A line of a file that cannot be read, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadLine {
    pub line: u32,
    pub what: String,
}

/// The columns and attributes a person has in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Id,
    Login,
    First,
    Last,
    Address,
    Profile,
    Unit,
    Home,
    Quota,
    Registered,
    Until,
    Former,
    Aliases,
    Functions,
    Password,
}

impl Field {
    pub(super) const ALL: [(Field, &str, &str); 15] = [
        (Field::Id, "id", "entryUUID"),
        (Field::Login, "login", "uid"),
        (Field::First, "first", "givenName"),
        (Field::Last, "last", "sn"),
        (Field::Address, "address", "mail"),
        (Field::Profile, "profile", "employeeType"),
        (Field::Unit, "unit", "ou"),
        (Field::Home, "home", "mailHost"),
        (Field::Quota, "quota", "mailQuota"),
        (Field::Registered, "registered", "facteurRegistered"),
        (Field::Until, "until", "facteurUntil"),
        (Field::Former, "former", "mailLocalAddress"),
        (Field::Aliases, "aliases", "mailAlternateAddress"),
        (Field::Functions, "functions", "facteurFunction"),
        (Field::Password, "password", "userPassword"),
    ];

    /// Those of files that are written: all but the password.
    pub(super) fn written() -> impl Iterator<Item = (Field, &'static str, &'static str)> {
        Field::ALL.into_iter().filter(|(field, ..)| *field != Field::Password)
    }

    /// Of a field that is a list; `None` for the others.
    pub(super) fn list(self, person: &WantedPerson) -> Option<&[String]> {
        match self {
            Field::Former => Some(&person.former),
            Field::Aliases => Some(&person.aliases),
            Field::Functions => Some(&person.functions),
            _ => None,
        }
    }

    pub(super) fn set(self, person: &mut WantedPerson, text: &str) -> Result<(), String> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(());
        }
        let some = Some(text.to_owned());
        let words = || text.split_whitespace().map(str::to_owned);
        match self {
            Field::Id => person.id = text.to_owned(),
            Field::Login => person.login = some,
            Field::First => person.first = text.to_owned(),
            Field::Last => person.last = text.to_owned(),
            Field::Address => person.address = some,
            Field::Profile => person.profile = some,
            Field::Unit => person.unit = some,
            Field::Home => person.home = some,
            Field::Quota => {
                let octets = octets(text).ok_or_else(|| format!("{text:?} is no quota: write 500 MiB, or octets"))?;
                person.quota_octets = Some(octets);
            }
            Field::Registered => person.registered = text.to_owned(),
            Field::Until => person.until = some,
            Field::Former => person.former.extend(words()),
            Field::Aliases => person.aliases.extend(words()),
            Field::Functions => person.functions.extend(words()),
            Field::Password => person.password = Some(PasswordHash(text.to_owned())),
        }
        Ok(())
    }

    /// Nothing for what the person has not.
    pub(super) fn of(self, person: &WantedPerson) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        match self {
            Field::Id => person.id.clone(),
            Field::Login => text(&person.login),
            Field::First => person.first.clone(),
            Field::Last => person.last.clone(),
            Field::Address => text(&person.address),
            Field::Profile => text(&person.profile),
            Field::Unit => text(&person.unit),
            Field::Home => text(&person.home),
            Field::Quota => person.quota_octets.map(|octets| octets.to_string()).unwrap_or_default(),
            Field::Registered => person.registered.clone(),
            Field::Until => text(&person.until),
            Field::Former | Field::Aliases | Field::Functions => self.list(person).unwrap_or_default().join(" "),
            Field::Password => person.password.as_ref().map(|hash| hash.reveal().to_owned()).unwrap_or_default(),
        }
    }
}

/// `500 MiB`, `2GB`, or octets.
fn octets(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 9] = [
        ("", 1),
        ("kib", 1 << 10),
        ("mib", 1 << 20),
        ("gib", 1 << 30),
        ("tib", 1 << 40),
        ("kb", 1_000),
        ("mb", 1_000_000),
        ("gb", 1_000_000_000),
        ("tb", 1_000_000_000_000),
    ];
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit = text[digits..].trim().to_ascii_lowercase();
    let (_, octets) = UNITS.iter().find(|(name, _)| *name == unit)?;
    text[..digits].parse::<u64>().ok()?.checked_mul(*octets)
}

/// But for their lines and passwords, and for what nobody can be: people without a name are skipped.
pub(super) fn assert_reads_back(
    mut people: Vec<WantedPerson>,
    again: impl Fn(&[WantedPerson]) -> Result<Vec<WantedPerson>, BadLine>,
) {
    people.retain(|person| !person.last.is_empty());
    people.iter_mut().for_each(|person| (person.line, person.password) = (0, None));
    let Ok(mut read) = again(&people) else { return };
    read.iter_mut().for_each(|person| person.line = 0);
    assert_eq!(read, people);
}
