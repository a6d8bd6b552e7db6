//! The store from async code: commits that wake the task when they are durable, and work that may block.

use store::{CommitError, Op, OpResult, Store};
use tokio::sync::oneshot;

/// Commits `ops` and waits until they are durable or refused.
pub async fn commit(store: &Store, ops: Vec<Op>) -> Result<Vec<OpResult>, CommitError> {
    let (sender, receiver) = oneshot::channel();
    let done = move |result| {
        // Whoever asked may be gone; the commit holds or not all the same.
        let _ = sender.send(result);
    };
    store.commit(ops, Box::new(done));
    receiver.await.unwrap_or(Err(CommitError::Closed))
}

/// Runs what may wait for the disk on a thread that may. `None` when it panicked, which the panic hook counted.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
