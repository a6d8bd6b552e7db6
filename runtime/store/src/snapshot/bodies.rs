//! Reads bodies from a folder of segments nobody writes.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::SnapshotError;
use super::error::io_at;
use super::segments::segment_path;
use crate::body::{Codec, HEADER_BYTES, Header, Place};

/// Segments open at once.
const OPEN_MAX: usize = 64;

pub(super) struct Bodies {
    folder: PathBuf,
    open: HashMap<u32, File>,
}

impl Bodies {
    /// Of a data folder.
    pub(super) fn of(data_dir: &Path) -> Bodies {
        Bodies { folder: data_dir.join("segments"), open: HashMap::new() }
    }

    /// The body, when its record's header and checksum are those of the row; `None` when it is damaged or gone.
    pub(super) fn read(&mut self, place: &Place) -> Result<Option<Vec<u8>>, SnapshotError> {
        let path = segment_path(&self.folder, place.segment, 0);
        if !self.open.contains_key(&place.segment) {
            if self.open.len() >= OPEN_MAX {
                self.open.clear();
            }
            match File::open(&path) {
                Ok(file) => self.open.insert(place.segment, file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(io_at(&path)(error)),
            };
        }
        let Some(file) = self.open.get(&place.segment) else { return Ok(None) };
        let octets = file.metadata().map_err(io_at(&path))?.len();
        let (skip, len) = (place.skip as usize, place.len as usize);
        // A row of a damaged database may ask for anything; nothing is allocated that the file does not have.
        let end = place.offset.checked_add((skip + len) as u64);
        if skip < HEADER_BYTES || end.is_none_or(|end| end > octets) {
            return Ok(None);
        }
        let mut record = vec![0; skip + len];
        match file.read_exact_at(&mut record, place.offset) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(io_at(&path)(error)),
        }
        let header = record.first_chunk().and_then(Header::decode);
        let agrees = header.is_some_and(|header| {
            header.codec == Codec::Plain && header.body_len == place.len && header.body_crc == place.crc
        });
        if !agrees || crc32c::crc32c(&record[skip..]) != place.crc {
            return Ok(None);
        }
        Ok(Some(record.split_off(skip)))
    }
}
