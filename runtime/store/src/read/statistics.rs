//! What the spam filter learned, row by row.

use super::TokenCounts;
use crate::error::ReadError;
use crate::store::Store;

impl Store {
    /// At most `limit` tokens of a bucket behind `after`, with their counts; each token comes once.
    ///
    /// The order is that of the tokens as signed numbers, and means nothing else.
    pub fn statistics(
        &self,
        bucket: u32,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, TokenCounts)>, ReadError> {
        let first = match after {
            None => i64::MIN,
            Some(after) => match (after as i64).checked_add(1) {
                Some(first) => first,
                None => return Ok(Vec::new()),
            },
        };
        self.read(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT token, spam, ham FROM statistic WHERE bucket = ?1 AND token >= ?2 ORDER BY token LIMIT ?3",
            )?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = query.query_map((bucket, first, limit), |row| {
                let token: i64 = row.get(0)?;
                Ok((token as u64, TokenCounts { spam: row.get(1)?, ham: row.get(2)? }))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
