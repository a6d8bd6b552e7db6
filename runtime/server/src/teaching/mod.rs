//! Teaching the spam filter (guide §4): people report what was judged wrongly, managers decide, and only what they accept is
//! learned.
//!
//! A report is mail to `antispam.corrections`. The commit that delivers it leaves a mark, [`keep`] reads what is attached and
//! puts one proposal for each original into the store, in the commit that takes the mark away: a crash at any point loses
//! none and doubles none. Keywords set over IMAP become proposals in the same queue ([`keywords`]). Who reports hears
//! nothing.

pub mod cases;
pub mod facts;
pub mod find;
pub mod kept;
mod keywords;
pub mod learned;
pub mod old;
mod open;
pub mod report;
pub mod shown;

use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mail::original::Ours;
use store::QueueId;
use tokio::sync::Notify;

use crate::durable;
use crate::service::{Service, stopped};

pub use keywords::marked;
pub use report::mark;

/// What a report could not be read for now is tried again after so long.
const AGAIN: Duration = Duration::from_secs(60);
/// Marks read at a time.
const MARKS: usize = 100;

/// What teaching keeps in memory.
#[derive(Default)]
pub struct Teaching {
    /// A report was delivered, or a keyword set.
    arrived: Notify,
    /// Keywords that wait until the person seems to have decided.
    marked: Mutex<keywords::Marked>,
    /// How much waits, and from whom.
    open: Mutex<open::Open>,
    /// Held by whatever changes what is learned.
    deciding: Mutex<()>,
}

impl Teaching {
    /// Wakes the reader.
    pub fn arrived(&self) {
        self.arrived.notify_one();
    }

    /// Alone with what is learned.
    pub fn decide(&self) -> MutexGuard<'_, ()> {
        self.deciding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Proposals were decided.
    pub fn decided(&self) {
        self.open().forget();
    }

    fn withdrawn(&self, id: QueueId) {
        self.open().withdraw(id);
    }

    /// Asked by async threads, which do not wait while the store is read.
    fn may_withdraw(&self, login: &mail::Login) -> bool {
        self.open.try_lock().map_or(true, |open| open.may_withdraw(login.as_str())) || !self.marked().is_empty()
    }

    fn open(&self) -> MutexGuard<'_, open::Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn marked(&self) -> MutexGuard<'_, keywords::Marked> {
        self.marked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How this server is known in what it writes into messages.
pub fn ours(service: &Service) -> Ours {
    let tag = service.tables.plan().antispam.as_ref().map(|antispam| antispam.tag.subject.clone());
    Ours {
        hosts: service.tables.listeners().map(|(_, _, rules)| rules.host.clone()).collect(),
        tag: tag.unwrap_or_default(),
    }
}

/// Reads reports and keywords until the server stops, one after the other. Those a crash left come first.
pub async fn keep(service: Arc<Service>) {
    if service.tables.plan().antispam.is_none() {
        return;
    }
    let mut stop = service.stop.clone();
    loop {
        let again = reports(&service).await;
        let due = keywords::settle(&service).await;
        let wait = [again.then_some(AGAIN), due].into_iter().flatten().min().unwrap_or(Duration::MAX);
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = service.teaching.arrived.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Reads all reports that wait; true when one could not be read now.
async fn reports(service: &Arc<Service>) -> bool {
    let (mut after, mut again) = (String::new(), false);
    loop {
        let worker = service.clone();
        let from = after.clone();
        let marks = durable::blocking(move || worker.store.settings(report::MARKS, &from, MARKS)).await;
        let marks = match marks {
            Some(Ok(marks)) if !marks.is_empty() => marks,
            Some(Ok(_)) => return again,
            Some(Err(_)) | None => return true,
        };
        for (key, mark) in marks {
            let (worker, of) = (service.clone(), key.clone());
            // One that made us panic, which is counted, stays for the next start.
            match durable::blocking(move || report::take(&worker, &of, &mark)).await {
                Some(Ok(())) | None => {}
                Some(Err(why)) => {
                    tracing::error!("a report of spam waits: {why}");
                    again = true;
                }
            }
            if service.stopping() {
                return again;
            }
            after = key;
        }
    }
}

/// A number of our own making that names a row: the same parts give the same one.
fn row_id(parts: &[&[u8]]) -> QueueId {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let whole = hasher.finalize();
    QueueId(std::array::from_fn(|at| whole.as_bytes()[at]))
}
