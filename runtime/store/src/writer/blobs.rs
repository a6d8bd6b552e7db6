//! Rows of bodies and how many others point at them. A body nobody points at is freed space, for the sweep to come.

use super::Stop;
use super::group::Group;
use crate::body::BodyRef;
use crate::error::Refusal;
use crate::id::DeliveryId;
use crate::op::OpResult;

/// Rows one sweep removes, so that nobody waits long behind it.
const SWEPT_MAX: i64 = 2_000;

impl Group<'_> {
    /// The row of `body` with `uses` more references; made when no commit before had this body.
    pub(super) fn hold(&mut self, body: &BodyRef, uses: usize, delivery: Option<DeliveryId>) -> Result<i64, Stop> {
        let stored = &*body.0;
        let known = body.row_in(self.shard).or_else(|| self.blobs.get(&body.identity()).copied());
        if let Some(blob) = known {
            self.add_references(blob, uses)?;
            return Ok(blob);
        }
        let blob = self.tallies.counters.next_blob;
        let place = &stored.place;
        let delivery = delivery.unwrap_or(stored.delivery);
        self.db
            .prepare_cached(
                "INSERT INTO blob(id, seg, off, skip, len, crc, refs, delivery, email)
                 VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute((
                blob,
                place.segment,
                place.offset as i64,
                place.skip,
                place.len,
                place.crc,
                uses as i64,
                &delivery[..],
                stored.email.map(|email| email.0),
            ))?;
        self.tallies.counters.next_blob += 1;
        self.blobs.insert(body.identity(), blob);
        self.taken.push((body.clone(), blob));
        Ok(blob)
    }

    pub(super) fn add_references(&mut self, blob: i64, uses: usize) -> Result<(), Stop> {
        let found = self
            .db
            .prepare_cached("UPDATE blob SET refs = refs + ?2, freed_at = NULL WHERE id = ?1")?
            .execute((blob, uses as i64))?;
        if found == 1 { Ok(()) } else { Err(Refusal::BodyGone.into()) }
    }

    pub(super) fn drop_reference(&mut self, blob: i64) -> Result<(), Stop> {
        self.db
            .prepare_cached("UPDATE blob SET refs = refs - 1, freed_at = CASE WHEN refs = 1 THEN ?2 END WHERE id = ?1")?
            .execute((blob, self.now_s))?;
        Ok(())
    }

    /// Compaction wrote these bodies again: their rows point there, unless they moved or went meanwhile.
    pub(super) fn moved(&mut self, moves: &[(i64, BodyRef, BodyRef)]) -> Result<OpResult, Stop> {
        let mut update = self
            .db
            .prepare_cached("UPDATE blob SET seg = ?2, off = ?3, skip = ?4 WHERE id = ?1 AND seg = ?5 AND off = ?6")?;
        for (blob, from, to) in moves {
            let (from, place) = (&from.0.place, &to.0.place);
            let changed = update.execute((
                blob,
                place.segment,
                place.offset as i64,
                place.skip,
                from.segment,
                from.offset as i64,
            ))?;
            if changed == 1 {
                self.blobs.insert(to.identity(), *blob);
                self.taken.push((to.clone(), *blob));
            }
        }
        Ok(OpResult::Done)
    }

    /// Forgets bodies of these segments nobody points at since `before_s`.
    pub(super) fn sweep(&mut self, segments: &[u32], before_s: i64) -> Result<OpResult, Stop> {
        let mut removed = 0;
        for segment in segments {
            removed += self
                .db
                .prepare_cached(
                    "DELETE FROM blob WHERE id IN
                     (SELECT id FROM blob WHERE seg = ?1 AND refs = 0 AND freed_at <= ?2 LIMIT ?3)",
                )?
                .execute((segment, before_s, SWEPT_MAX))?;
        }
        Ok(OpResult::Trimmed(removed as u64))
    }
}
