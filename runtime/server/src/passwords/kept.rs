//! Remembered logins between memory and store: their key sealed once, their rows loaded at start, what changed written every
//! few seconds and at the end.
//!
//! Who has the store alone, for instance a backup, learns nothing: names are hashes under a key that `seal.key` seals, and
//! rows are sealed under another one made of it, so that one somebody changed, or moved to another place, is forgotten.
//! Who has the store and `seal.key` can try guesses against the names of the last day much faster than against verifiers,
//! but has nothing to log in with before one fits. That is the price of a restart without hashes: `seal.key` belongs in no
//! backup of the store.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use store::{CommitError, Op, ReadError, Store};

use super::Passwords;
use super::remembered::{NoRow, Row};
use crate::durable;
use crate::service::{Service, stopped};
use crate::signing::Seal;
use crate::verifier::Making;

/// The setting that keeps the key, sealed.
const KEY: &str = "logins.remembered_key";
/// Settings of rows: this and the number of the row.
const PREFIX: &str = "logins.remembered/";
/// A crash forgets at most this much.
const FLUSH_EVERY: Duration = Duration::from_secs(5);
/// Flushes between two sweeps of what has ended.
const SWEEP_EVERY: u32 = 120;
/// Rows of one commit, some 12 KB each.
const COMMIT_MAX: usize = 32;
const ROWS: usize = 256;

/// Passwords that remember what an earlier run did. Without the key of that run a new one is made, and all is forgotten.
pub async fn load(store: &Store, seal: &Seal, making: Making) -> Result<Passwords, LoadError> {
    let kept = store.setting(KEY)?;
    let opened = kept.and_then(|sealed| <[u8; 32]>::try_from(seal.open(KEY, &sealed)?).ok());
    let key = match opened {
        Some(key) => key,
        None => {
            let key: [u8; 32] = crate::random::octets();
            let op = Op::Setting { key: KEY.to_owned(), value: seal.seal(KEY, &key) };
            durable::commit(store, vec![op]).await?;
            key
        }
    };
    let passwords = Passwords::new(&key, making);
    let rows = store.settings(PREFIX, "", ROWS)?;
    load_rows(&passwords, &rows);
    Ok(passwords)
}

fn load_rows(passwords: &Passwords, rows: &[(String, Vec<u8>)]) {
    let now = passwords.now();
    let mut remembered = passwords.remembered();
    let (mut damaged, mut from_later) = (0_u32, 0_u32);
    for (setting, sealed) in rows {
        let row = setting.strip_prefix(PREFIX).and_then(|row| Row::from_str_radix(row, 16).ok());
        let opened = passwords.rows.open(setting, sealed);
        let loaded = row.zip(opened).map(|(row, octets)| remembered.load(row, &octets, now));
        match loaded {
            Some(Ok(())) => continue,
            Some(Err(NoRow::FromLater)) => from_later += 1,
            Some(Err(NoRow::Damaged)) | None => damaged += 1,
        }
        remembered.unwritten(row);
    }
    passwords.kept.store(remembered.len(), Ordering::Relaxed);
    if damaged > 0 {
        tracing::warn!(damaged, "remembered logins are damaged or sealed with another key: they are forgotten");
    }
    if from_later > 0 {
        tracing::warn!(from_later, "the clock was set back: remembered logins from later are forgotten");
    }
}

/// Writes what changed until the server stops.
pub async fn keep(service: Arc<Service>) {
    let mut stop = service.stop.clone();
    for turn in 1_u32.. {
        if tokio::time::timeout(FLUSH_EVERY, stopped(&mut stop)).await.is_ok() {
            return;
        }
        if turn.is_multiple_of(SWEEP_EVERY) {
            let now = service.passwords.now();
            service.passwords.remembered().sweep(now);
        }
        flush(&service).await;
    }
}

/// Writes what logins left: successes, the days app passwords were used, verifiers that were made anew.
pub async fn flush(service: &Arc<Service>) {
    write(&service.passwords, &service.store).await;
    let worker = service.clone();
    // A panic was counted, and the next flush writes what this one did not.
    let flush = move || {
        worker.app_passwords.flush(&worker.store);
        worker.passwords.renewals.flush(&worker.store, &worker.passwords);
    };
    let _ = durable::blocking(flush).await;
}

/// Writes what changed. What could not be written is tried again the next time.
async fn write(passwords: &Passwords, store: &Store) {
    let now = passwords.now();
    let (mut rows, entries) = {
        let mut remembered = passwords.remembered();
        (remembered.changed(now), remembered.len())
    };
    while !rows.is_empty() {
        let batch: Vec<_> = rows.drain(..rows.len().min(COMMIT_MAX)).collect();
        let ops = batch.iter().map(|(row, octets)| op(&passwords.rows, *row, octets)).collect();
        if let Err(error) = durable::commit(store, ops).await {
            tracing::warn!("remembered logins could not be kept: {error}");
            passwords.remembered().unwritten(batch.into_iter().chain(rows).map(|(row, _)| row));
            return;
        }
    }
    passwords.kept.store(entries, Ordering::Relaxed);
}

fn op(seal: &Seal, row: Row, octets: &[u8]) -> Op {
    let key = format!("{PREFIX}{row:02x}");
    let value = if octets.is_empty() { None } else { seal.seal(&key, octets) };
    Op::Setting { key, value }
}

/// Why nothing could be loaded.
#[derive(Debug)]
pub enum LoadError {
    Read(ReadError),
    Commit(CommitError),
}

impl From<ReadError> for LoadError {
    fn from(error: ReadError) -> LoadError {
        LoadError::Read(error)
    }
}

impl From<CommitError> for LoadError {
    fn from(error: CommitError) -> LoadError {
        LoadError::Commit(error)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use mail::Login;
    use proto::sasl::Secret;

    use super::super::{Attempt, Checked, How};
    use super::*;
    use crate::verifier::verifier;

    struct Folder(PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn folder(name: &str) -> Folder {
        Folder(std::env::temp_dir().join(format!("facteur-remembered-{name}-{}", std::process::id())))
    }

    async fn check(passwords: &Passwords, verifier: &str) -> Checked {
        let secret = Secret::new("correct horse");
        let attempt = Attempt { login: "toto-j", secret: &secret, verifier: Some(verifier), address: "192.0.2.1" };
        passwords.check(attempt, || Ok(())).await.unwrap()
    }

    const MAKING: Making = Making { cost: crate::verifier::COST, scram: false };
    const HASHED: Checked = Checked::Judged { right: true, how: How::Hashed };
    const REMEMBERED: Checked = Checked::Judged { right: true, how: How::Remembered };

    #[tokio::test]
    async fn a_success_survives_a_restart_until_the_password_changes() {
        let folder = folder("restart");
        let store = Store::open(&folder.0, store::Options::default()).unwrap();
        let (seal, first) = (Seal::of(&folder.0).unwrap(), verifier(&Secret::new("correct horse")));
        let passwords = load(&store, &seal, MAKING).await.unwrap();
        assert_eq!(check(&passwords, &first).await, HASHED);
        write(&passwords, &store).await;
        let again = load(&store, &seal, MAKING).await.unwrap();
        assert_eq!(check(&again, &first).await, REMEMBERED);
        again.forget(&Login::new("toto-j").unwrap());
        assert_eq!(again.remembered().len(), 0);
        write(&again, &store).await;
        assert_eq!(store.settings(PREFIX, "", 9).unwrap(), []);
        // The same password set anew has another verifier.
        assert_eq!(
            check(&load(&store, &seal, MAKING).await.unwrap(), &verifier(&Secret::new("correct horse"))).await,
            HASHED
        );
    }

    #[tokio::test]
    async fn rows_that_were_changed_or_sealed_elsewhere_are_forgotten() {
        let folder = folder("changed");
        let store = Store::open(&folder.0, store::Options::default()).unwrap();
        let (seal, kept) = (Seal::unkept(), verifier(&Secret::new("correct horse")));
        let passwords = load(&store, &seal, MAKING).await.unwrap();
        check(&passwords, &kept).await;
        write(&passwords, &store).await;
        let (setting, sealed) = store.settings(PREFIX, "", 9).unwrap().remove(0);
        for at in [0, 12, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            let op = Op::Setting { key: setting.clone(), value: Some(changed) };
            durable::commit(&store, vec![op]).await.unwrap();
            let again = load(&store, &seal, MAKING).await.unwrap();
            assert_eq!(again.remembered().len(), 0, "octet {at}");
            write(&again, &store).await;
            assert_eq!(store.settings(PREFIX, "", 9).unwrap(), [], "it is removed");
        }
        let op = Op::Setting { key: setting.clone(), value: Some(sealed) };
        durable::commit(&store, vec![op]).await.unwrap();
        assert_eq!(check(&load(&store, &seal, MAKING).await.unwrap(), &kept).await, REMEMBERED);
        assert_eq!(check(&load(&store, &Seal::unkept(), MAKING).await.unwrap(), &kept).await, HASHED);
    }
}
