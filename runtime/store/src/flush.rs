//! The thread that flushes segments while SQLite writes and flushes the WAL of the same group.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::JoinHandle;

use crate::body::Segments;

/// The writer's end.
pub(crate) struct Flusher {
    wanted: SyncSender<BTreeSet<u32>>,
    flushed: Receiver<io::Result<()>>,
    segments: Arc<Segments>,
}

/// A flush on its way.
pub(crate) struct Flushing<'a> {
    flushed: Option<&'a Receiver<io::Result<()>>>,
}

impl Flusher {
    /// Ends when the flusher is dropped.
    pub(crate) fn spawn(segments: Arc<Segments>) -> io::Result<(Flusher, JoinHandle<()>)> {
        let (wanted, requests) = mpsc::sync_channel::<BTreeSet<u32>>(1);
        let (answers, flushed) = mpsc::sync_channel(1);
        let files = segments.clone();
        let thread = std::thread::Builder::new().name("store-flush".to_owned()).spawn(move || {
            while let Ok(wanted) = requests.recv() {
                let done = wanted.into_iter().try_for_each(|segment| files.flush(segment));
                if answers.send(done).is_err() {
                    break;
                }
            }
        })?;
        Ok((Flusher { wanted, flushed, segments }, thread))
    }

    /// Starts flushing; the bodies were written before their commit was queued. Nothing to flush costs nothing.
    pub(crate) fn start(&self, segments: BTreeSet<u32>) -> Flushing<'_> {
        if segments.is_empty() {
            return Flushing { flushed: None };
        }
        // A flusher that is gone shows when its answer is awaited.
        let _ = self.wanted.send(segments);
        Flushing { flushed: Some(&self.flushed) }
    }

    /// Did a flush of a segment fail, here or in the thread of a long body?
    pub(crate) fn is_poisoned(&self) -> bool {
        self.segments.is_poisoned()
    }

    pub(crate) fn poison(&self) {
        self.segments.poison();
    }
}

impl Flushing<'_> {
    pub(crate) fn wait(self) -> io::Result<()> {
        let Some(flushed) = self.flushed else { return Ok(()) };
        flushed.recv().unwrap_or_else(|_| Err(io::Error::other("the flushing thread is gone")))
    }
}
