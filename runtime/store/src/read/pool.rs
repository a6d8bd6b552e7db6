//! Reading connections, and the rule that nothing unpublished leaves the store.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Transaction};

use crate::error::ReadError;
use crate::publish::Published;
use crate::schema::{self, Purpose};

/// How long a read waits for a connection.
const WAIT: Duration = Duration::from_secs(5);

pub(crate) struct Pool {
    database: PathBuf,
    readers_max: usize,
    published: Arc<Published>,
    idle: Mutex<Idle>,
    freed: Condvar,
}

struct Idle {
    connections: Vec<Connection>,
    lent: usize,
}

impl Pool {
    pub(crate) fn new(database: PathBuf, readers_max: usize, published: Arc<Published>) -> Pool {
        let idle = Mutex::new(Idle { connections: Vec::new(), lent: 0 });
        Pool { database, readers_max: readers_max.max(1), published, idle, freed: Condvar::new() }
    }

    /// Runs `work` in a read transaction. What it saw may be flushed only by half: SQLite shows a group when its WAL is
    /// durable, the segments may not be yet. So the answer is held back until its group is published.
    // INVARIANT (publish-after-both).
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Transaction) -> Result<T, ReadError>) -> Result<T, ReadError> {
        let (seq, answer) = self.look(|tx| {
            let seq: i64 =
                tx.prepare_cached("SELECT value FROM meta WHERE key = 'seq'")?.query_row([], |row| row.get(0))?;
            Ok((seq, work(tx)?))
        })?;
        if self.published.wait_for(seq as u64) { Ok(answer) } else { Err(ReadError::Poisoned) }
    }

    /// The same for rows that lead to no segment. The WAL alone makes them durable, so nobody who asks for them waits for
    /// the flush of other people's bodies.
    pub(crate) fn read_at_once<T>(
        &self,
        work: impl FnOnce(&Transaction) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        if self.published.is_poisoned() { Err(ReadError::Poisoned) } else { self.look(work) }
    }

    fn look<T>(&self, work: impl FnOnce(&Transaction) -> Result<T, ReadError>) -> Result<T, ReadError> {
        let mut connection = self.take()?;
        let answer = connection.transaction().map_err(ReadError::from).and_then(|tx| work(&tx));
        self.give_back(connection);
        answer
    }

    fn take(&self) -> Result<Connection, ReadError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |idle: &mut Idle| idle.connections.is_empty() && idle.lent >= self.readers_max;
        let (mut idle, timeout) =
            self.freed.wait_timeout_while(idle, WAIT, full).unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() && full(&mut idle) {
            return Err(ReadError::Busy);
        }
        idle.lent += 1;
        if let Some(connection) = idle.connections.pop() {
            return Ok(connection);
        }
        drop(idle);
        schema::connect(&self.database, Purpose::Read).map_err(|error| {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).lent -= 1;
            self.freed.notify_one();
            error.into()
        })
    }

    fn give_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.lent -= 1;
        idle.connections.push(connection);
        drop(idle);
        self.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn what_is_in_the_wal_but_not_published_is_held_back() {
        let folder = std::env::temp_dir().join(format!("facteur-store-pool-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let database = folder.join("meta-00.db");
        let mut db = schema::connect(&database, Purpose::Write).unwrap();
        schema::prepare(&mut db, 0, 1).unwrap();
        db.execute("UPDATE meta SET value = 5 WHERE key = 'seq'", []).unwrap();
        let published = Arc::new(Published::new(4));
        let pool = Pool::new(database, 2, published.clone());
        let flushed = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (sender, reading) = mpsc::channel();
            let (pool, flushed) = (&pool, &flushed);
            let reader = scope.spawn(move || {
                pool.read(|_| {
                    sender.send(()).unwrap();
                    Ok(())
                })
                .unwrap();
                flushed.load(Ordering::SeqCst)
            });
            reading.recv().unwrap();
            assert!(!reader.is_finished());
            flushed.store(true, Ordering::SeqCst);
            pool.read_at_once(|_| Ok(())).unwrap();
            published.publish(5);
            assert!(reader.join().unwrap(), "the read answered before the segments were flushed");
        });
        published.poison();
        assert!(matches!(pool.read(|_| Ok(())), Err(ReadError::Poisoned)));
        assert!(matches!(pool.read_at_once(|_| Ok(())), Err(ReadError::Poisoned)));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
