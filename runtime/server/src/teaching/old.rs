//! What the plan's `retention.training` ends: the text of messages taught long ago, and proposals nobody decided.
//!
//! What was counted of a message stays counted, and its tokens stay in its row, so that it can still be forgotten. Only a
//! later version of the tokens cannot be made of it any more.

use store::{Kept, Op, Quarantined, ReadError};

use super::facts::{Taught, read, written};
use super::kept;
use crate::service::Service;

/// Works through all rows; what fails is tried again the next night.
pub fn purge(service: &Service, before_s: i64) {
    let store = &service.store;
    let proposals = kept::each(store, Kept::Proposal, |row| {
        if row.at_s < before_s {
            commit(service, vec![Op::ReleaseQuarantined { id: row.id }]);
        }
        Ok::<(), ReadError>(())
    });
    service.teaching.decided();
    let taught = kept::each(store, Kept::Taught, |row| {
        if row.at_s < before_s {
            let _alone = service.teaching.decide();
            commit(service, without_text(service, &row));
        }
        Ok::<(), ReadError>(())
    });
    if let Some(error) = proposals.err().or(taught.err()) {
        tracing::error!("what was taught long ago stays: {error}");
    }
}

fn without_text(service: &Service, row: &Quarantined) -> Vec<Op> {
    // It may have been forgotten, or taught again, since it was read.
    let Ok(Some(row)) = service.store.kept_one(row.id) else { return Vec::new() };
    let Some(taught) = read::<Taught>(&row.facts).filter(|taught| !taught.purged) else { return Vec::new() };
    let facts = written(&Taught { purged: true, ..taught });
    match kept::body(&service.store, &service.signing.seal, row.id, b"") {
        Ok(body) => {
            let row = kept::row(row.id, Kept::Taught, body, facts, row.at_s);
            vec![Op::ReleaseQuarantined { id: row.id }, Op::Quarantine(Box::new(row))]
        }
        Err(error) => {
            tracing::error!("the text of a taught message stays: {error}");
            Vec::new()
        }
    }
}

fn commit(service: &Service, ops: Vec<Op>) {
    if !ops.is_empty()
        && let Err(error) = service.store.commit_wait(ops)
    {
        tracing::error!("what was taught long ago stays: {error}");
    }
}
