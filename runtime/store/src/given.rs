//! Where people come from, and the ledger: to whom a login or an address was ever given.

use mail::{Login, Person};
use rusqlite::Connection;

/// Octets of one word people are looked for by.
pub(crate) const WORD_OCTETS_MAX: usize = 64;
/// Words of one person.
const WORDS_MAX: usize = 16;

/// Which directory a person is from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PersonSource {
    /// Made here by command.
    #[default]
    BuiltIn,
    /// A file that was imported.
    File,
    /// An LDAP directory.
    Ldap,
}

impl PersonSource {
    pub const ALL: [PersonSource; 3] = [PersonSource::BuiltIn, PersonSource::File, PersonSource::Ldap];

    pub(crate) fn number(self) -> i64 {
        self as i64
    }

    pub(crate) fn of_number(number: i64) -> Option<PersonSource> {
        PersonSource::ALL.into_iter().find(|source| source.number() == number)
    }
}

/// Where a person comes from and how long they stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    pub source: PersonSource,
    /// Their id in that directory; empty for none.
    pub foreign_id: String,
    /// The first day, as `YYYY-MM-DD`; empty when nobody said.
    pub registered: String,
    /// The last day; empty for no end.
    pub until: String,
}

/// The stable key of a person: the id in their directory, else name and first day.
#[must_use]
pub fn holder_of(person: &Person, origin: &Origin) -> String {
    holder(&person.first, &person.last, origin)
}

pub(crate) fn holder(first: &str, last: &str, origin: &Origin) -> String {
    mail::holder(first, last, &origin.foreign_id, &origin.registered)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GivenKind {
    Login,
    Address,
}

impl GivenKind {
    pub(crate) fn number(self) -> i64 {
        self as i64
    }

    pub(crate) fn of_number(number: i64) -> Option<GivenKind> {
        [GivenKind::Login, GivenKind::Address].into_iter().find(|kind| kind.number() == number)
    }
}

/// A row of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// A login in small letters, or an address as `Address::folded` gives it.
    pub what: String,
    pub kind: GivenKind,
    /// Whose it is or was last, see [`holder_of`]; empty when nobody knows.
    pub holder: String,
    /// When they got it, in Unix seconds.
    pub at_s: i64,
    /// When nobody used it any more; `None` while somebody does.
    pub freed_at_s: Option<i64>,
}

/// A way somebody logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    pub login: Login,
    /// A key of the caller: protocol, network, client.
    pub how: String,
    pub first_s: i64,
    pub last_s: i64,
    pub times: u64,
}

/// What people are looked for by, folded: the parts of the names, the login, the address.
pub(crate) fn words_of(login: &str, first: &str, last: &str, address: &str) -> Vec<String> {
    let names = format!("{first} {last}");
    let names = mail::fold(&names);
    let parts = names.split(|c: char| !c.is_alphanumeric());
    let parts = names.split_whitespace().chain(parts).map(str::to_owned);
    let whole = [login.to_ascii_lowercase(), mail::fold(address)];
    let mut words: Vec<String> = whole.into_iter().chain(parts).filter(|word| !word.is_empty()).collect();
    words.iter_mut().for_each(|word| word.truncate(word.floor_char_boundary(WORD_OCTETS_MAX)));
    let mut seen = std::collections::BTreeSet::new();
    words.retain(|word| seen.insert(word.clone()));
    words.truncate(WORDS_MAX);
    words
}

/// For people who were written before there were words, and what they hold on the ledger.
pub(crate) fn fill_in(db: &Connection) -> rusqlite::Result<()> {
    let mut query = db.prepare("SELECT login, first, last, address, folded FROM person")?;
    let mut word = db.prepare("INSERT OR IGNORE INTO person_word(word, login) VALUES(?1, ?2)")?;
    let mut given = db.prepare(
        "INSERT INTO given(what, kind, holder, at) VALUES(?1, ?2, ?3, 0)
         ON CONFLICT(what) DO UPDATE SET holder = excluded.holder",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let text = |at| row.get::<_, String>(at);
        let (login, first, last) = (text(0)?, text(1)?, text(2)?);
        for it in words_of(&login, &first, &last, &text(3)?) {
            word.execute((it, &login))?;
        }
        let holder = holder(&first, &last, &Origin::default());
        given.execute((&login, GivenKind::Login.number(), &holder))?;
        given.execute((text(4)?, GivenKind::Address.number(), &holder))?;
    }
    // An alias of one person is theirs; what leads to several belongs to itself.
    let aliases = "INSERT OR IGNORE INTO given(what, kind, holder, at)
         SELECT a.folded, 1, ifnull((SELECT g.holder FROM alias_member m JOIN given g ON g.what = m.login
            WHERE m.folded = a.folded AND a.kind < 2
            AND NOT EXISTS(SELECT 1 FROM alias_member o WHERE o.folded = a.folded AND o.login <> m.login)), a.folded), 0
         FROM alias a";
    db.execute(aliases, []).map(|_| ())
}
