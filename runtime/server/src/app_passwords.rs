//! App passwords: secrets of one mail program each, drawn by us, shown once, revoked one by one.
//!
//! They have 140 random bits, so that a fast hash keeps them: nobody guesses them, whoever steals the store included. They
//! stand in settings of their own, one for each login, and not in the verifier: a changed password leaves them, a last use
//! is not a new verifier, and the accounts without any cost nothing. Last uses are kept by day and written behind the reply.
//!
//! INVARIANT (no-oracle): a secret that is no app password is hashed like any wrong one, and a login nobody has is looked up
//! like any other.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mail::Login;
use proto::sasl::Secret;
use serde::{Deserialize, Serialize};
use store::{CommitError, Op, ReadError, Store};

/// Settings: this and the login.
const PREFIX: &str = "app-passwords/";
/// App passwords of one person.
pub const OF_ONE_MAX: usize = 32;
/// Letters and digits nobody confuses: five bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Letters of a secret, in groups of four: 140 bits.
const LETTERS: usize = 28;
const GROUP: usize = 4;
/// Last uses of one commit.
const COMMIT_MAX: usize = 128;

/// An app password as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppPassword {
    pub name: String,
    /// Unix seconds.
    pub created_s: i64,
    /// The day of the last login in the institution's time zone, `YYYY-MM-DD`.
    pub used_on: Option<String>,
    /// From where, and by which protocol.
    #[serde(default)]
    pub used_from: Option<String>,
    /// Of login and secret, in hexadecimal digits.
    hash: String,
}

impl AppPassword {
    /// A new one of `login`, and its secret, which is nowhere else.
    pub fn draw(login: &Login, name: &str, created_s: i64) -> (AppPassword, String) {
        // 256 is a multiple of the 32 letters: each is as likely as any other.
        let letters = crate::random::octets::<LETTERS>().map(|octet| ALPHABET[usize::from(octet) % ALPHABET.len()]);
        let groups: Vec<_> = letters.chunks(GROUP).map(String::from_utf8_lossy).collect();
        let hash = hash(login, &String::from_utf8_lossy(&letters)).to_hex().to_string();
        (AppPassword { name: name.to_owned(), created_s, used_on: None, used_from: None, hash }, groups.join("-"))
    }

    /// Compares in constant time.
    fn is(&self, hash: blake3::Hash) -> bool {
        blake3::Hash::from_hex(&self.hash).is_ok_and(|kept| kept == hash)
    }
}

/// A hash of this kind alone, so that it means nothing elsewhere.
fn hash(login: &Login, letters: &str) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_derive_key("facteur 2026 app passwords");
    hasher.update(login.as_str().as_bytes()).update(b"\0").update(letters.as_bytes());
    hasher.finalize()
}

/// The letters of what may be an app password: hyphens and spaces may be left out, and capitals typed.
fn letters(secret: &Secret) -> Option<String> {
    let typed = secret.reveal().chars().filter(|typed| !matches!(typed, '-' | ' '));
    let letters: String = typed.take(LETTERS + 1).map(|letter| letter.to_ascii_lowercase()).collect();
    (letters.len() == LETTERS && letters.bytes().all(|letter| ALPHABET.contains(&letter))).then_some(letters)
}

/// A use of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// `YYYY-MM-DD` in the institution's time zone.
    pub on: String,
    /// From where, and by which protocol.
    pub from: String,
}

/// Changes of app passwords, one after the other, and their last uses that are not written yet.
#[derive(Debug, Default)]
pub struct AppPasswords {
    /// Held from reading a login's app passwords until they are written.
    changing: Mutex<()>,
    /// Login and hash to their last use.
    used: Mutex<BTreeMap<(String, String), Used>>,
}

impl AppPasswords {
    /// Does `secret` open `login`? Then it was used like that.
    pub fn opens(&self, store: &Store, login: &Login, secret: &Secret, used: &Used) -> Result<bool, ReadError> {
        // INVARIANT (no-oracle)
        let kept = of(store, login)?;
        let Some(letters) = letters(secret) else { return Ok(false) };
        let hash = hash(login, &letters);
        let Some(found) = kept.into_iter().find(|kept| kept.is(hash)) else { return Ok(false) };
        // A telephone between two networks is written once a day, not at each step.
        if found.used_on.as_deref() != Some(&used.on) {
            self.used().insert((login.to_string(), found.hash), used.clone());
        }
        Ok(true)
    }

    /// Is `secret` an app password of `login`? For who wants another secret of them; it is not used by this.
    pub fn is_one(&self, store: &Store, login: &Login, secret: &Secret) -> Result<bool, ReadError> {
        let kept = of(store, login)?;
        let Some(letters) = letters(secret) else { return Ok(false) };
        let hash = hash(login, &letters);
        Ok(kept.iter().any(|kept| kept.is(hash)))
    }

    /// Changes the app passwords of a login, in order of creation. An error of `change` changes nothing.
    pub fn change<T, E: From<ReadError> + From<CommitError>>(
        &self,
        store: &Store,
        login: &Login,
        change: impl FnOnce(&mut Vec<AppPassword>) -> Result<T, E>,
    ) -> Result<T, E> {
        let _changing = self.changing();
        let before = of(store, login)?;
        let mut after = before.clone();
        let changed = change(&mut after)?;
        if after != before {
            store.commit_wait(vec![op(login, &after)])?;
        }
        Ok(changed)
    }

    /// Writes last uses. Blocks. What could not be written is tried again the next time.
    pub fn flush(&self, store: &Store) {
        loop {
            let _changing = self.changing();
            let mut batch = BTreeMap::new();
            let mut used = self.used();
            while batch.len() < COMMIT_MAX
                && let Some((key, day)) = used.pop_first()
            {
                batch.insert(key, day);
            }
            drop(used);
            if batch.is_empty() {
                return;
            }
            if let Err(error) = write(store, &batch) {
                tracing::warn!("last uses of app passwords could not be kept: {error}");
                let mut used = self.used();
                for (key, day) in batch {
                    used.entry(key).or_insert(day);
                }
                return;
            }
        }
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn used(&self) -> MutexGuard<'_, BTreeMap<(String, String), Used>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The app passwords of a login, in order of creation.
pub fn of(store: &Store, login: &Login) -> Result<Vec<AppPassword>, ReadError> {
    let Some(octets) = store.setting(&format!("{PREFIX}{login}"))? else { return Ok(Vec::new()) };
    Ok(serde_json::from_slice(&octets).unwrap_or_else(|error| {
        tracing::error!("the app passwords of {login} cannot be read, none of them opens: {error}");
        Vec::new()
    }))
}

pub(crate) fn op(login: &Login, all: &[AppPassword]) -> Op {
    // INVARIANT: strings and numbers always have a JSON form.
    let value = (!all.is_empty()).then(|| serde_json::to_vec(all).unwrap_or_default());
    Op::Setting { key: format!("{PREFIX}{login}"), value }
}

/// Sets the days of those that are still there.
fn write(store: &Store, batch: &BTreeMap<(String, String), Used>) -> Result<(), Box<dyn std::error::Error>> {
    let mut ops = BTreeMap::new();
    for ((login, hash), day) in batch {
        let Some(login) = Login::new(login) else { continue };
        let all = match ops.remove(&login) {
            Some(all) => all,
            None => of(store, &login)?,
        };
        let dated = |kept: AppPassword| {
            if kept.hash != *hash {
                return kept;
            }
            AppPassword { used_on: Some(day.on.clone()), used_from: Some(day.from.clone()), ..kept }
        };
        let all: Vec<AppPassword> = all.into_iter().map(dated).collect();
        if !all.is_empty() {
            ops.insert(login, all);
        }
    }
    store.commit_wait(ops.iter().map(|(login, all)| op(login, all)).collect())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct House {
        folder: std::path::PathBuf,
        store: Store,
        all: AppPasswords,
    }

    impl House {
        fn new(name: &str) -> House {
            let folder = std::env::temp_dir().join(format!("facteur-app-passwords-{name}-{}", std::process::id()));
            let store = Store::open(&folder, store::Options::default()).unwrap();
            House { folder, store, all: AppPasswords::default() }
        }

        fn add(&self, login: &Login, name: &str) -> String {
            let (one, secret) = AppPassword::draw(login, name, 7);
            let add = |all: &mut Vec<AppPassword>| {
                all.push(one);
                Ok::<_, crate::operate::OperateError>(())
            };
            self.all.change(&self.store, login, add).unwrap();
            secret
        }

        fn remove(&self, login: &Login, name: &str) {
            let remove = |all: &mut Vec<AppPassword>| {
                all.retain(|one| one.name != name);
                Ok::<_, crate::operate::OperateError>(())
            };
            self.all.change(&self.store, login, remove).unwrap();
        }

        fn opens(&self, login: &Login, secret: &str) -> bool {
            let used = Used { on: "2026-11-30".to_owned(), from: "imap from 192.0.2.0/24".to_owned() };
            self.all.opens(&self.store, login, &Secret::new(secret), &used).unwrap()
        }
    }

    impl Drop for House {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }

    #[test]
    fn an_app_password_opens_its_login_however_it_is_typed_until_it_is_removed() {
        let house = House::new("typed");
        let (toto, other) = (Login::new("toto-j").unwrap(), Login::new("toto-jp").unwrap());
        let (phone, laptop) = (house.add(&toto, "phone"), house.add(&toto, "laptop"));
        assert_eq!((phone.len(), phone.matches('-').count()), (34, 6));
        assert_ne!(phone, laptop);
        let cases = [
            (phone.clone(), true),
            (phone.replace('-', ""), true),
            (phone.replace('-', " ").to_uppercase(), true),
            (laptop.clone(), true),
            (format!("{phone}a"), false),
            (phone[1..].to_owned(), false),
            (phone[5..].to_owned() + &laptop[..5], false),
            (String::new(), false),
            ("é".repeat(14), false),
        ];
        for (typed, opens) in cases {
            assert_eq!(house.opens(&toto, &typed), opens, "{typed}");
            assert!(!house.opens(&other, &typed));
        }
        house.remove(&toto, "phone");
        assert!(!house.opens(&toto, &phone) && house.opens(&toto, &laptop));
        house.remove(&toto, "laptop");
        assert_eq!(house.store.settings(PREFIX, "", 9).unwrap(), [], "nothing is left");
    }

    #[test]
    fn last_uses_are_written_once_a_day_and_bring_nothing_back() {
        let house = House::new("used");
        let toto = Login::new("toto-j").unwrap();
        let (phone, laptop) = (house.add(&toto, "phone"), house.add(&toto, "laptop"));
        assert!(house.opens(&toto, &phone) && house.opens(&toto, &phone) && house.opens(&toto, &laptop));
        assert_eq!(house.all.used().len(), 2);
        house.remove(&toto, "laptop");
        house.all.flush(&house.store);
        let kept = of(&house.store, &toto).unwrap();
        let used: Vec<_> =
            kept.iter().map(|one| (&*one.name, one.used_on.as_deref(), one.used_from.as_deref())).collect();
        assert_eq!(used, [("phone", Some("2026-11-30"), Some("imap from 192.0.2.0/24"))]);
        let commits = house.store.metrics().now().commits;
        assert!(house.opens(&toto, &phone));
        house.all.flush(&house.store);
        assert_eq!(house.store.metrics().now().commits, commits, "one commit a day");
    }

    #[test]
    fn rows_that_cannot_be_read_open_to_nobody() {
        let house = House::new("damaged");
        let toto = Login::new("toto-j").unwrap();
        let phone = house.add(&toto, "phone");
        let op = Op::Setting { key: format!("{PREFIX}toto-j"), value: Some(b"[{".to_vec()) };
        house.store.commit_wait(vec![op]).unwrap();
        assert!(!house.opens(&toto, &phone));
    }
}
