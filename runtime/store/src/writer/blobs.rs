//! Rows of bodies and how many others point at them. A body nobody points at is freed space, for the sweep to come.

use std::sync::atomic::Ordering;

use super::Stop;
use super::group::Group;
use crate::body::BodyRef;
use crate::id::DeliveryId;

impl Group<'_> {
    /// The row of `body` with `uses` more references; made when no commit before had this body.
    pub(super) fn hold(&mut self, body: &BodyRef, uses: usize, delivery: Option<DeliveryId>) -> Result<i64, Stop> {
        let stored = &*body.0;
        let committed = stored.blob.load(Ordering::Acquire);
        let known = if committed != 0 { Some(committed) } else { self.blobs.get(&stored.place).copied() };
        if let Some(blob) = known {
            self.add_references(blob, uses)?;
            return Ok(blob);
        }
        let blob = self.tallies.counters.next_blob;
        let place = &stored.place;
        let delivery = delivery.unwrap_or(stored.delivery);
        self.db
            .prepare_cached(
                "INSERT INTO blob(id, seg, off, skip, len, crc, refs, delivery) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
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
            ))?;
        self.tallies.counters.next_blob += 1;
        self.blobs.insert(*place, blob);
        self.taken.push((body.clone(), blob));
        Ok(blob)
    }

    pub(super) fn add_references(&mut self, blob: i64, uses: usize) -> Result<(), Stop> {
        let found = self
            .db
            .prepare_cached("UPDATE blob SET refs = refs + ?2, freed_at = NULL WHERE id = ?1")?
            .execute((blob, uses as i64))?;
        if found == 1 { Ok(()) } else { Err(Stop::Sql(rusqlite::Error::QueryReturnedNoRows)) }
    }

    pub(super) fn drop_reference(&mut self, blob: i64) -> Result<(), Stop> {
        self.db
            .prepare_cached("UPDATE blob SET refs = refs - 1, freed_at = CASE WHEN refs = 1 THEN ?2 END WHERE id = ?1")?
            .execute((blob, self.now_s))?;
        Ok(())
    }
}
