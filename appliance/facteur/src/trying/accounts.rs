//! The people of `try`, with printed passwords. A data folder that is used again keeps them.

use plan::Plan;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use decide::Tables;
use mail::Person;
use policy::people::Directory;
use proto::sasl::Secret;
use ring::rand::{SecureRandom, SystemRandom};
use store::{Op, PersonRow, Store};

use super::Anything;
use super::describe::PersonView;

/// Passwords of an earlier run in the same folder: login to password.
const FILE: &str = "try-passwords.json";
/// The password of numbered people.
const NUMBERED_PASSWORD: &str = "pass";

/// A verifier no secret opens: it is no hash.
const NOBODYS: &str = "!";
/// People read and locked at a time.
const PAGE: u32 = 200;

/// Creates everybody; the people of the policy come first, in order of registration.
pub fn create(
    store: &Store,
    tables: &Tables,
    directory: Option<&Directory>,
    numbered: u32,
    data: &Path,
) -> Result<Vec<PersonView>, Anything> {
    let plan = tables.plan();
    let people: &[Person] = directory.map_or(&[], |directory| &directory.people);
    let mut passwords = earlier(data)?;
    passwords.retain(|login, _| people.iter().any(|person| person.login.as_str() == login));
    let fresh: Vec<&Person> = people.iter().filter(|p| !passwords.contains_key(p.login.as_str())).collect();
    for person in &fresh {
        passwords.insert(person.login.to_string(), password()?);
    }
    let known = people.iter().filter(|p| !fresh.iter().any(|f| f.login == p.login));
    let mut all: Vec<(Person, Option<String>)> = known.map(|person| (person.clone(), None)).collect();
    all.extend(hashed(plan, &fresh, &passwords));
    crate::people::create(store, plan, &all)?;
    write(data, &passwords)?;
    lock_others(store, people)?;
    if let Some(directory) = directory {
        store.commit_wait(crate::people::addresses(directory))?;
    }
    let mut views: Vec<PersonView> = people.iter().map(|person| view(person, &passwords)).collect();
    if numbered > 0 {
        let verifier = server::verifier_of(plan, &Secret::new(NUMBERED_PASSWORD.to_owned()));
        let more = crate::people::numbered(plan, numbered, &verifier)?;
        crate::people::create(store, plan, &more)?;
        let password = NUMBERED_PASSWORD.to_owned();
        views.extend(
            more.iter().map(|(person, _)| PersonView { password: password.clone(), ..view(person, &passwords) }),
        );
    }
    Ok(views)
}

/// People of an earlier run whom nobody names any more keep their mail and can log in no longer. Numbered people that
/// are asked for get their verifier afterwards.
fn lock_others(store: &Store, people: &[Person]) -> Result<(), Anything> {
    let named: BTreeSet<&str> = people.iter().map(|person| person.login.as_str()).collect();
    let mut after = None;
    loop {
        let rows = store.people(after.as_ref(), PAGE)?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.person.login.clone());
        let open = |row: &&PersonRow| row.verifier.as_deref() != Some(NOBODYS);
        let others = rows.iter().filter(|row| !named.contains(row.person.login.as_str())).filter(open);
        let lock = |row: &PersonRow| Op::SetVerifier { login: row.person.login.clone(), verifier: NOBODYS.to_owned() };
        store.commit_wait(others.map(lock).collect())?;
    }
}

fn view(person: &Person, passwords: &BTreeMap<String, String>) -> PersonView {
    PersonView {
        login: person.login.to_string(),
        address: person.address.to_string(),
        password: passwords.get(person.login.as_str()).cloned().unwrap_or_default(),
        profile: person.profile.clone(),
    }
}

fn earlier(data: &Path) -> Result<BTreeMap<String, String>, Anything> {
    match std::fs::read(data.join(FILE)) {
        Ok(octets) => Ok(serde_json::from_slice(&octets)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error.into()),
    }
}

fn write(data: &Path, passwords: &BTreeMap<String, String>) -> Result<(), Anything> {
    let text = serde_json::to_string(passwords)?;
    Ok(crate::files::write_whole(&data.join(FILE), &text)?)
}

/// Hashing is slow on purpose: all processors share it.
fn hashed(plan: &Plan, people: &[&Person], passwords: &BTreeMap<String, String>) -> Vec<(Person, Option<String>)> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = people.len().div_ceil(threads).max(1);
    let hash = |part: &[&Person]| -> Vec<(Person, Option<String>)> {
        let secret = |person: &Person| Secret::new(passwords.get(person.login.as_str()).cloned().unwrap_or_default());
        part.iter().map(|person| ((*person).clone(), Some(server::verifier_of(plan, &secret(person))))).collect()
    };
    std::thread::scope(|scope| {
        let parts: Vec<_> = people.chunks(share).map(|part| scope.spawn(move || hash(part))).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
    })
}

/// Four groups of four letters and digits nobody confuses: 20 bits each.
fn password() -> Result<String, Anything> {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut octets = [0; 16];
    SystemRandom::new().fill(&mut octets).map_err(|_| "the system gives no random octets")?;
    let letters: Vec<char> = octets.iter().map(|octet| char::from(ALPHABET[usize::from(octet & 31)])).collect();
    Ok(letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-"))
}
