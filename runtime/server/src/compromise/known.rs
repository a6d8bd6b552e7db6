//! Whom each account wrote to before, for those that write now: read from the store when an account first names somebody,
//! written behind. An account the store has nothing of begins with whom it wrote to and heard from by its mailboxes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use decide::compromise::Known;
use mail::mime::SummaryParts;
use mail::{Login, SpecialUse};
use store::{MailboxId, Op, ReadError, Store, UidSet};

use crate::durable;
use crate::service::Service;

/// Keys are this and the login.
const PREFIX: &str = "compromise/known/";
/// Accounts in memory; those that were quiet the longest go.
const ACCOUNTS_MAX: usize = 1_000;
/// Rows of one commit.
const COMMIT_MAX: usize = 50;
/// Messages of a mailbox an account without a row begins with, the newest, read so many at a time.
const LEARNED_FROM: u32 = 2_000;
const PAGE: usize = 500;

/// Of accounts that write now.
#[derive(Default)]
pub struct KnownOf {
    accounts: Mutex<Accounts>,
}

#[derive(Default)]
struct Accounts {
    by_login: HashMap<String, Account>,
    turn: u64,
}

struct Account {
    known: Known,
    is_changed: bool,
    /// When it was last asked.
    turn: u64,
}

impl KnownOf {
    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers an address; true when it is new, `None` when the account is not in memory.
    fn meet(&self, login: &str, hash: u32) -> Option<bool> {
        let mut accounts = self.accounts();
        accounts.turn += 1;
        let turn = accounts.turn;
        let account = accounts.by_login.get_mut(login)?;
        let is_new = account.known.meet(hash);
        (account.turn, account.is_changed) = (turn, account.is_changed || is_new);
        Some(is_new)
    }

    fn put(&self, login: &str, known: Known, is_changed: bool) {
        let mut accounts = self.accounts();
        if accounts.by_login.len() >= ACCOUNTS_MAX {
            // What is not written yet stays: it is few, and soon written.
            let quiet = accounts.by_login.iter().filter(|(_, it)| !it.is_changed).min_by_key(|(_, it)| it.turn);
            if let Some(quiet) = quiet.map(|(login, _)| login.clone()) {
                accounts.by_login.remove(&quiet);
            }
        }
        let turn = accounts.turn;
        accounts.by_login.entry(login.to_owned()).or_insert(Account { known, is_changed, turn });
    }

    /// Rows to write.
    fn changed(&self) -> BTreeMap<String, Vec<u8>> {
        let accounts = self.accounts();
        let changed = accounts.by_login.iter().filter(|(_, it)| it.is_changed).take(COMMIT_MAX);
        changed.map(|(login, it)| (login.clone(), it.known.octets())).collect()
    }

    fn written(&self, rows: &BTreeMap<String, Vec<u8>>) {
        let mut accounts = self.accounts();
        for (login, octets) in rows {
            if let Some(account) = accounts.by_login.get_mut(login) {
                account.is_changed = account.known.octets() != *octets;
            }
        }
    }
}

fn key(login: &str) -> String {
    format!("{PREFIX}{login}")
}

/// 32 bits of a hash under a key of this store.
fn hash(service: &Service, folded: &str) -> u32 {
    let hash = blake3::keyed_hash(&service.compromise.key, folded.as_bytes());
    let [a, b, c, d, ..] = *hash.as_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Does `login` write to this address for the first time? Trouble is no: nobody is suspected for it.
pub async fn is_new(service: &std::sync::Arc<Service>, login: &Login, folded: &str) -> bool {
    let (name, hash) = (mail::fold(login.as_str()), hash(service, folded));
    if let Some(is_new) = service.compromise.known.meet(&name, hash) {
        return is_new;
    }
    let (worker, owner) = (service.clone(), login.clone());
    let read = durable::blocking(move || load(&worker, &owner)).await;
    match read {
        Some(Ok((known, is_changed))) => service.compromise.known.put(&name, known, is_changed),
        Some(Err(error)) => {
            tracing::error!("whom {login} wrote to cannot be read: {error}");
            return false;
        }
        None => return false,
    }
    service.compromise.known.meet(&name, hash).unwrap_or(false)
}

/// What the store has; else what the mailboxes show.
fn load(service: &Service, login: &Login) -> Result<(Known, bool), ReadError> {
    if let Some(octets) = service.store.setting(&key(&mail::fold(login.as_str())))? {
        return Ok((Known::read(&octets), false));
    }
    let mut known = Known::default();
    for address in correspondents(&service.store, login)? {
        known.meet(hash(service, &address));
    }
    Ok((known, true))
}

/// To and Cc of what the account sent, and From of what it got.
fn correspondents(store: &Store, login: &Login) -> Result<BTreeSet<String>, ReadError> {
    let mut folded = BTreeSet::new();
    for mailbox in store.mailboxes(login)? {
        let is_sent = mailbox.special_use == Some(SpecialUse::Sent);
        if !is_sent && !mailbox.name.is_inbox() {
            continue;
        }
        let parts = if is_sent { SummaryParts::TO.with(SummaryParts::CC) } else { SummaryParts::FROM };
        let first = mailbox.uidnext.saturating_sub(LEARNED_FROM).max(1);
        learn(store, mailbox.id, first..mailbox.uidnext, parts, &mut folded)?;
    }
    Ok(folded)
}

fn learn(
    store: &Store,
    mailbox: MailboxId,
    mut uids: std::ops::Range<u32>,
    parts: SummaryParts,
    folded: &mut BTreeSet<String>,
) -> Result<(), ReadError> {
    while !uids.is_empty() {
        let page = store.summaries(mailbox, &UidSet::from_ranges([uids.start..=uids.end - 1]), parts, PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        uids.start = last.saturating_add(1);
        for (_, summary) in &page {
            let texts = [&summary.to, &summary.cc, &summary.from];
            folded.extend(texts.into_iter().flat_map(|text| addresses(text)));
        }
    }
    Ok(())
}

/// Addresses in the text of a header field, folded. What is none is passed over: this is a memory, not a parser.
fn addresses(text: &str) -> impl Iterator<Item = String> {
    let words = text.split([',', ';', '<', '>', ' ', '\t', '"', '(', ')']);
    words.filter(|word| word.contains('@')).filter_map(|word| Some(word.parse::<mail::Address>().ok()?.folded()))
}

/// Writes what changed. What could not be written waits on.
pub async fn flush(service: &Service) {
    loop {
        let rows = service.compromise.known.changed();
        if rows.is_empty() {
            return;
        }
        let op = |(login, octets): (&String, &Vec<u8>)| Op::Setting { key: key(login), value: Some(octets.clone()) };
        if let Err(error) = durable::commit(&service.store, rows.iter().map(op).collect()).await {
            return tracing::error!("whom people wrote to could not be kept: {error}");
        }
        service.compromise.known.written(&rows);
    }
}

/// Forgets what is kept of logins nobody has any more.
pub fn forget_gone(store: &Store) -> Result<(), ReadError> {
    let mut after = String::new();
    loop {
        let page = store.settings(PREFIX, &after, PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after.clone_from(last);
        for (key, _) in page {
            let login = key.strip_prefix(PREFIX).and_then(Login::new);
            let is_gone = login.map(|login| store.person(&login)).transpose()?.flatten().is_none();
            if is_gone && let Err(error) = store.commit_wait(vec![Op::Setting { key, value: None }]) {
                tracing::error!("what is too old stays: {error}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_the_text_of_a_field() {
        let text = "\"Dupont, Anne\" <Anne.Dupont@Univ-Nantes.FR>, bob@b.example (Bob); junk@, @x, c@c.example";
        let found: Vec<String> = addresses(text).collect();
        assert_eq!(found, ["anne.dupont@univ-nantes.fr", "bob@b.example", "c@c.example"].map(str::to_owned));
    }

    #[test]
    fn accounts_in_memory_are_bounded_and_unwritten_ones_stay() {
        let known = KnownOf::default();
        assert_eq!(known.meet("a", 1), None, "not in memory");
        for number in 0..ACCOUNTS_MAX + 20 {
            known.put(&format!("user{number}"), Known::default(), false);
        }
        assert_eq!(known.accounts().by_login.len(), ACCOUNTS_MAX);
        let last = format!("user{}", ACCOUNTS_MAX + 19);
        assert_eq!((known.meet(&last, 1), known.meet(&last, 1)), (Some(true), Some(false)));
        let rows = known.changed();
        assert_eq!(rows.keys().collect::<Vec<_>>(), [&last]);
        known.written(&rows);
        assert!(known.changed().is_empty());
    }
}
