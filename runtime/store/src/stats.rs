//! How much of everything there is, for operators.

use crate::error::ReadError;
use crate::store::Store;

/// Bodies counted between two transactions, so that no transaction lasts.
const SLICE: i64 = 200_000;

/// What the segments hold and what the database is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Of the database, see `OpenError::Newer`.
    pub format: i64,
    pub shards: u8,
    /// Bodies something points at. One that two shards hold counts twice.
    pub bodies: u64,
    /// Octets of them in segments, with what stands in front of each.
    pub live_octets: u64,
    /// Messages in the spool, not delivered or handed over yet.
    pub spooled: u64,
    pub quarantined: u64,
}

impl Store {
    /// Counts; the work grows with the number of bodies.
    pub fn amounts(&self) -> Result<Amounts, ReadError> {
        let mut amounts = self.read(|tx| {
            let number = |sql: &str| tx.query_row(sql, [], |row| row.get::<_, i64>(0));
            Ok(Amounts {
                format: number("PRAGMA user_version")?,
                shards: self.shard_numbers().end,
                spooled: number("SELECT count(*) FROM spool")? as u64,
                quarantined: number("SELECT count(*) FROM quarantine WHERE kind = 0")? as u64,
                ..Amounts::default()
            })
        })?;
        for shard in self.shard_numbers() {
            self.count_bodies(shard, &mut amounts)?;
        }
        Ok(amounts)
    }

    fn count_bodies(&self, shard: u8, amounts: &mut Amounts) -> Result<(), ReadError> {
        let mut after = 0;
        loop {
            // Records begin at multiples of eight octets.
            let (last, bodies, octets): (Option<i64>, i64, i64) = self.read_in(shard, |tx| {
                let mut query = tx.prepare_cached(
                    "SELECT max(id), count(*) FILTER (WHERE refs > 0),
                     ifnull(sum((len + skip + 7) / 8 * 8) FILTER (WHERE refs > 0), 0)
                     FROM (SELECT id, refs, len, skip FROM blob WHERE id > ?1 ORDER BY id LIMIT ?2)",
                )?;
                Ok(query.query_row([after, SLICE], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
            })?;
            amounts.bodies += bodies as u64;
            amounts.live_octets += octets as u64;
            match last {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
    }
}
