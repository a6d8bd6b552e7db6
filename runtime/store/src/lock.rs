//! One process owns a data folder: flock on `DATA/lock`, the owner's pid inside.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;

use rustix::fs::FlockOperation;

use crate::error::OpenError;

/// Held until it is dropped; the kernel lets go when the process ends in any way.
pub(crate) struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone would not do while a process that was just forked has the file too, until it becomes another program.
        if let Err(error) = rustix::fs::flock(&self.file, FlockOperation::Unlock) {
            tracing::warn!("the data folder stays locked until the process ends: {error}");
        }
    }
}

impl Lock {
    pub(crate) fn take(data_dir: &Path) -> Result<Lock, OpenError> {
        let path = data_dir.join("lock");
        let io = |error| OpenError::Io { path: path.clone(), error };
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut text = String::new();
                // Whoever holds it may be about to write its pid: then it stays unnamed.
                let _ = (&mut file).take(32).read_to_string(&mut text);
                return Err(OpenError::Locked { pid: text.trim().parse().ok() });
            }
            Err(error) => return Err(io(error.into())),
        }
        let write = |file: &mut File| -> std::io::Result<()> {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        write(&mut file).map_err(io)?;
        Ok(Lock { file })
    }
}
