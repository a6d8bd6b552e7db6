//! Connections that ask the index. While it is being made anew nobody asks: everything is looked into instead.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};

use super::index::{connect, cursor, is_damage, remove_files};
use super::{Candidates, terms};
use crate::schema::{message_key, uid_of};

/// Connections kept for the next questions.
const IDLE_MAX: usize = 4;

pub(super) struct Readers {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: bool,
    /// A question found the file damaged.
    damaged: bool,
    /// Counts the files; a connection to an earlier one is not kept.
    file: u64,
    idle: Vec<Connection>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Readers {
        Readers { path, state: Mutex::default() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file is whole: it may be asked.
    pub(super) fn open(&self) {
        self.lock().open = true;
    }

    /// Nobody asks any more: the connection that writes is the last one, and empties the WAL when it goes.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.open = false;
        state.idle.clear();
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.lock().damaged
    }

    /// Deletes the file. Whoever asks it at this moment keeps what was opened, and then its connection goes.
    pub(super) fn remove(&self) -> std::io::Result<()> {
        let mut state = self.lock();
        *state = State { file: state.file + 1, ..State::default() };
        remove_files(&self.path)
    }

    /// Asks at one moment of the index for each of `texts`, which are folded.
    pub(super) fn candidates(&self, mailbox: u32, texts: &[String]) -> Vec<Candidates> {
        let found = self.ask(|db| ask(db, mailbox, texts));
        found.unwrap_or_else(|| vec![Candidates::default(); texts.len()])
    }

    /// Asks the file; `None` when it cannot be asked now.
    pub(super) fn ask<T>(&self, question: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Option<T> {
        let (idle, file) = {
            let mut state = self.lock();
            if !state.open {
                return None;
            }
            (state.idle.pop(), state.file)
        };
        let connection = idle.map_or_else(|| self.connect(), Ok);
        let found = connection.and_then(|mut db| {
            let found = question(&mut db)?;
            let mut state = self.lock();
            if state.open && state.file == file && state.idle.len() < IDLE_MAX {
                state.idle.push(db);
            }
            Ok(found)
        });
        match found {
            Ok(found) => Some(found),
            Err(error) => {
                tracing::warn!("the search index could not be asked: {error}");
                let mut state = self.lock();
                if is_damage(&error) && state.file == file {
                    (state.open, state.damaged) = (false, true);
                }
                None
            }
        }
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let db = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        db.pragma_update(None, "cache_size", -2_048)?;
        Ok(db)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// INVARIANT (never-too-little): the cursor and the rows are of one moment, and a row comes with the cursor that covers it.
fn ask(db: &mut Connection, mailbox: u32, texts: &[String]) -> rusqlite::Result<Vec<Candidates>> {
    let tx = db.transaction()?;
    let Some(cursor) = cursor(&tx, mailbox)? else { return Ok(vec![Candidates::default(); texts.len()]) };
    let (first, last) = (message_key(mailbox, 0), message_key(mailbox, cursor.uid));
    let uids = |query: &str, text: Option<&str>| -> rusqlite::Result<Vec<u32>> {
        let mut query = tx.prepare_cached(query)?;
        let read = |row: &rusqlite::Row| row.get(0).map(uid_of);
        match text {
            Some(text) => query.query_map((first, last, text), read)?.collect(),
            None => query.query_map((first, last), read)?.collect(),
        }
    };
    let unindexed = uids("SELECT id FROM unindexed WHERE id BETWEEN ?1 AND ?2 ORDER BY id", None)?;
    let mut found = Vec::with_capacity(texts.len());
    for text in texts {
        let Some(query) = terms::query(text) else {
            found.push(Candidates::default());
            continue;
        };
        let mut maybe =
            uids("SELECT rowid FROM message WHERE message MATCH ?3 AND rowid BETWEEN ?1 AND ?2", Some(&query))?;
        maybe.extend(&unindexed);
        maybe.sort_unstable();
        found.push(Candidates { known_to: cursor.uid, maybe });
    }
    Ok(found)
}
