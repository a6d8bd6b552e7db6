//! How many connections there may be: in all, per client address, and under COMPRESS. A place is given back when it is
//! dropped.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections at a time over all listeners, if the process may have that many files: 10,000 that wait for mail, and those
/// that bring it.
const CONNECTIONS_MAX: u64 = 12_000;
/// Files kept for everything that is no client: the store, scanners, spill files, HTTP.
const FILES_RESERVED: u64 = 256;
/// Part of all places one client address may hold where the policy says nothing of it: submission and reading. A
/// webmail in front of everybody needs many, one address must not have all.
const PART_PER_ADDRESS: u32 = 4;

/// What the addresses' counts are kept apart for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Receiving blocks, judged by the policy's `strangers`.
    Receiving,
    /// The portal, which bounds each address itself.
    Portal,
    /// The control channel, which bounds each address itself.
    Control,
    /// Everything else.
    Own,
}

/// Connections under COMPRESS at a time: each holds a window of some 43 KiB.
const COMPRESSED_MAX: usize = 1_000;

#[derive(Debug)]
pub struct Admission {
    max: u32,
    compressed: Arc<Semaphore>,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    open: u32,
    by_address: HashMap<(Kind, IpAddr), u32>,
}

/// A connection's place.
#[derive(Debug)]
pub struct Place {
    admission: Arc<Admission>,
    kind: Kind,
    address: IpAddr,
    /// Connections of this kind and address, this one included, when it came.
    pub at_once: u32,
}

/// A compressed connection's place among those.
pub type CompressedPlace = OwnedSemaphorePermit;

/// There is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Admission {
    /// Raises the limit on open files as far as the system lets us, takes what fits, and says what that is.
    pub fn new() -> Arc<Admission> {
        let files = files_max();
        let max = places(files);
        tracing::info!("{files} open files are allowed: {max} connections at once");
        if u64::from(max) < CONNECTIONS_MAX {
            let wanted = CONNECTIONS_MAX + FILES_RESERVED;
            tracing::warn!("the system's limit on open files bounds the connections; {wanted} files would not");
        }
        Admission::with_places(max)
    }

    fn with_places(max: u32) -> Arc<Admission> {
        let compressed = Arc::new(Semaphore::new(COMPRESSED_MAX));
        Arc::new(Admission { max, compressed, counts: Mutex::new(Counts::default()) })
    }

    pub fn open(&self) -> u64 {
        u64::from(self.counts().open)
    }

    pub fn enter(self: &Arc<Admission>, kind: Kind, address: IpAddr) -> Result<Place, Full> {
        let mut counts = self.counts();
        let open_of_address = counts.by_address.get(&(kind, address)).copied().unwrap_or(0);
        let too_many = kind == Kind::Own && open_of_address >= self.max / PART_PER_ADDRESS;
        if counts.open >= self.max || too_many {
            return Err(Full);
        }
        counts.open += 1;
        counts.by_address.insert((kind, address), open_of_address + 1);
        Ok(Place { admission: self.clone(), kind, address, at_once: open_of_address + 1 })
    }

    /// A place under COMPRESS.
    pub fn compress(&self) -> Result<CompressedPlace, Full> {
        self.compressed.clone().try_acquire_owned().map_err(|_| Full)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.admission.counts();
        counts.open -= 1;
        if let Some(open) = counts.by_address.get_mut(&(self.kind, self.address)) {
            *open -= 1;
            if *open == 0 {
                counts.by_address.remove(&(self.kind, self.address));
            }
        }
    }
}

/// Connections for which so many files are enough. Some are served whatever the system says.
fn places(files: u64) -> u32 {
    let places = CONNECTIONS_MAX.min(files.saturating_sub(FILES_RESERVED)).max(16);
    u32::try_from(places).unwrap_or(u32::MAX)
}

/// Files this process may open, after asking for as many as it may ask for.
fn files_max() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = CONNECTIONS_MAX * 2 + FILES_RESERVED;
    let possible = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let now = limit.current.unwrap_or(wanted);
    if now < possible && setrlimit(Resource::Nofile, Rlimit { current: Some(possible), ..limit }).is_ok() {
        return possible;
    }
    now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_connections_as_there_are_files_for() {
        for (files, expected) in [(20_000, 12_000), (12_256, 12_000), (1_024, 768), (256, 16), (0, 16)] {
            assert_eq!(places(files), expected, "{files} files");
        }
    }

    #[test]
    fn compressed_connections_are_counted() {
        let admission = Admission::with_places(8);
        let mut places: Vec<CompressedPlace> = (0..COMPRESSED_MAX).map(|_| admission.compress().unwrap()).collect();
        assert_eq!(admission.compress().unwrap_err(), Full);
        places.pop();
        assert!(admission.compress().is_ok());
    }

    #[test]
    fn places_end_and_come_back() {
        let admission = Admission::with_places(8);
        let address = |n: u8| IpAddr::from([192, 0, 2, n]);
        let strangers: Vec<Place> = (0..4).map(|_| admission.enter(Kind::Receiving, address(1)).unwrap()).collect();
        assert_eq!(strangers[3].at_once, 4, "the policy judges these");
        let _own: Vec<Place> = (0..2).map(|_| admission.enter(Kind::Own, address(1)).unwrap()).collect();
        assert_eq!(admission.enter(Kind::Own, address(1)).unwrap_err(), Full, "a quarter for one address");
        let _more: Vec<Place> = (0..2).map(|_| admission.enter(Kind::Own, address(2)).unwrap()).collect();
        assert_eq!(admission.enter(Kind::Receiving, address(3)).unwrap_err(), Full, "eight in all");
        drop(strangers);
        assert_eq!(admission.open(), 4);
        assert_eq!(admission.enter(Kind::Receiving, address(1)).unwrap().at_once, 1);
    }
}
