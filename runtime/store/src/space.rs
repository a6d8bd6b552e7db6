//! Room on the device. A full one makes the store read-only: what frees room or ends work already accepted still goes
//! through, with a ballast file given up for it; everything else is told to come later. When there is room again the
//! ballast is laid down anew and the store goes on, without a restart.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::FallocateFlags;

use crate::error::PutError;
use crate::op::Op;

/// The device is looked at after so many octets of bodies, before it tells by an error.
const LOOK_BYTES: u64 = 16 << 20;
/// A read-only store looks for room at most so often.
const LOOK_EVERY: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(crate) struct Space {
    data_dir: PathBuf,
    /// Room below which nothing new is taken.
    reserve_bytes: u64,
    ballast_bytes: u64,
    read_only: AtomicBool,
    since_look_bytes: AtomicU64,
    looked: Mutex<Option<Instant>>,
}

impl Space {
    /// Lays the ballast when there is room for it.
    pub(crate) fn open(data_dir: &Path, reserve_bytes: u64, ballast_bytes: u64) -> Space {
        let space = Space {
            data_dir: data_dir.to_owned(),
            reserve_bytes,
            ballast_bytes,
            read_only: AtomicBool::new(false),
            since_look_bytes: AtomicU64::new(0),
            looked: Mutex::new(None),
        };
        space.look();
        space
    }

    /// Octets other programs of this user may still write; `None` when the file system does not say.
    pub(crate) fn free_bytes(&self) -> Option<u64> {
        rustix::fs::statvfs(&self.data_dir).ok().map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Octets of the device as this user sees it; `None` when the file system does not say.
    pub(crate) fn device_bytes(&self) -> Option<u64> {
        let stat = rustix::fs::statvfs(&self.data_dir).ok()?;
        // What is kept for root is nobody's here.
        let usable = stat.f_blocks.saturating_sub(stat.f_bfree).saturating_add(stat.f_bavail);
        Some(usable.saturating_mul(stat.f_frsize))
    }

    /// Is nothing new taken now? Looks for room again while that is so.
    pub(crate) fn is_read_only(&self) -> bool {
        if !self.read_only.load(Ordering::Acquire) {
            return false;
        }
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            *looked = Some(Instant::now());
            drop(looked);
            self.look();
        }
        self.read_only.load(Ordering::Acquire)
    }

    /// Does this commit go through although nothing new is taken?
    pub(crate) fn admits(ops: &[Op]) -> bool {
        ops.iter().all(Op::frees_room)
    }

    /// Counts octets that were written, and looks at the device now and then.
    pub(crate) fn wrote(&self, bytes: u64) {
        if self.since_look_bytes.fetch_add(bytes, Ordering::Relaxed) >= LOOK_BYTES {
            self.since_look_bytes.store(0, Ordering::Relaxed);
            if self.free_bytes().is_some_and(|free| free < self.reserve_bytes) {
                self.trouble();
            }
        }
    }

    /// A write found no room: the store is read-only from here on, and the ballast goes.
    pub(crate) fn trouble(&self) {
        if !self.read_only.swap(true, Ordering::AcqRel) {
            tracing::error!("no room on the device of {}: nothing new is taken", self.data_dir.display());
        }
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        if let Ok(file) = File::options().write(true).open(self.ballast()) {
            // Whether it helps shows at the next write.
            let _ = file.set_len(0);
        }
    }

    /// What a failed write of a body means.
    pub(crate) fn judge(&self, error: io::Error) -> PutError {
        if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            self.trouble();
            return PutError::Full;
        }
        PutError::Io(error)
    }

    fn look(&self) {
        let laid = std::fs::metadata(self.ballast()).is_ok_and(|ballast| ballast.len() >= self.ballast_bytes);
        let missing = if laid { 0 } else { self.ballast_bytes };
        // One ballast above the reserve, so that the store does not go back and forth.
        let wanted = self.reserve_bytes + missing + self.ballast_bytes;
        if self.free_bytes().is_some_and(|free| free < wanted) {
            let lacking = self.free_bytes().is_some_and(|free| free < self.reserve_bytes);
            if lacking {
                self.read_only.store(true, Ordering::Release);
            }
            return;
        }
        if !laid && let Err(error) = self.lay() {
            tracing::warn!("{}: {error}", self.ballast().display());
            return;
        }
        if self.read_only.swap(false, Ordering::AcqRel) {
            tracing::info!("there is room again on the device of {}", self.data_dir.display());
        }
    }

    fn lay(&self) -> io::Result<()> {
        let file = File::options().write(true).create(true).truncate(false).open(self.ballast())?;
        if self.ballast_bytes > 0 {
            rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, self.ballast_bytes)?;
        }
        Ok(())
    }

    fn ballast(&self) -> PathBuf {
        self.data_dir.join("ballast")
    }
}
