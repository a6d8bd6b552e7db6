//! Rows of proposals and of taught messages.

use mail::ReversePath;
use store::{BodyRef, Kept, PutError, Quarantined, QueueId, ReadError, RecordEnvelope, Store};

use super::cases::Waiting;
use super::facts::{self, Octets};
use super::row_id;
use crate::sealed::{self, OpenError};
use crate::signing::Seal;

/// Rows read at a time.
const PAGE: usize = 200;

/// Writes the body of the row `id`, sealed.
pub fn body(store: &Store, seal: &Seal, id: QueueId, mut octets: &[u8]) -> Result<BodyRef, PutError> {
    sealed::put(store, seal, id, &RecordEnvelope::default(), b"", &mut octets)
}

/// The octets that [`body`] wrote for the row.
pub fn read_body(store: &Store, seal: &Seal, row: &Quarantined) -> Result<Vec<u8>, OpenError> {
    sealed::whole(store, seal, row.id, &row.body)
}

/// A row whose words are all in its facts.
pub fn row(id: QueueId, kind: Kept, body: BodyRef, facts: Vec<u8>, at_s: i64) -> Quarantined {
    Quarantined {
        id,
        kind,
        body,
        why: String::new(),
        engine: String::new(),
        signature: String::new(),
        reverse_path: ReversePath::Null,
        recipients: Vec::new(),
        facts,
        at_s,
    }
}

/// Every proposal; what this build cannot read is left out.
pub fn proposals(store: &Store) -> Result<Vec<Waiting>, ReadError> {
    let mut waiting = Vec::new();
    each(store, Kept::Proposal, |row| -> Result<(), ReadError> {
        if let Some(facts) = facts::read(&row.facts) {
            waiting.push(Waiting { id: row.id, at_s: row.at_s, facts });
        }
        Ok(())
    })?;
    Ok(waiting)
}

/// Calls `take` with every row of a kind.
pub fn each<E: From<ReadError>>(
    store: &Store,
    kind: Kept,
    mut take: impl FnMut(Quarantined) -> Result<(), E>,
) -> Result<(), E> {
    let mut after = None;
    loop {
        let page = store.kept(kind, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id);
        page.into_iter().try_for_each(&mut take)?;
    }
}

/// The row of a message once it is taught. A message is taught once, whoever proposed it.
pub fn taught_id(hash: &Octets) -> QueueId {
    row_id(&[b"taught", &hash.0])
}
