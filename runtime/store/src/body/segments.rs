//! Segment files `segments/NNNNNNNN.seg`: append-only, written at reserved offsets by many threads at once.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::record::{self, Codec, Header};
use super::{BodyRef, HEADER_BYTES, Inserted, Place, RecordEnvelope, Source, Spill, Stored};
use crate::error::{Fatal, PutError, ReadError};
use crate::id::{DeliveryId, ObjectId};
use crate::metrics::Metrics;
use crate::options::Fatally;
use crate::space::Space;

/// Bodies from this length on are flushed by the thread that wrote them.
const OWN_FLUSH_BYTES: u64 = 1 << 20;
/// Bodies up to this length are written together with their header: one call, at the price of a copy.
const JOINED_BYTES: u64 = 16 << 10;
/// Open files of closed segments; past it all are closed and opened again when needed.
const OPEN_FILES_MAX: usize = 256;

#[derive(Debug)]
pub(crate) struct Segments {
    folder: PathBuf,
    segment_bytes_max: u64,
    metrics: Arc<Metrics>,
    space: Arc<Space>,
    on_fatal: Arc<Fatally>,
    tail: Mutex<Tail>,
    /// Held while a record is written. The kernel lets one thread at a time write into a file, and those that wait for it
    /// there spin; here they sleep.
    writing: Mutex<()>,
    open: Mutex<HashMap<u32, Arc<File>>>,
    pins: Mutex<Pins>,
    /// Set after a failed flush: what is in the files is unknown.
    poisoned: AtomicBool,
}

/// What compaction must leave alone, and what it works on.
#[derive(Debug, Default)]
struct Pins {
    /// Bodies in somebody's hand that may have no row yet, by segment.
    held: HashMap<u32, usize>,
    compacting: BTreeSet<u32>,
}

/// Where the next record goes.
#[derive(Debug)]
struct Tail {
    segment: u32,
    offset: u64,
    file: Arc<File>,
}

impl Segments {
    /// Starts a segment of its own: the tail of an older one may be torn, and is never written again.
    pub(crate) fn open(
        data_dir: &Path,
        segment_bytes_max: u64,
        metrics: Arc<Metrics>,
        space: Arc<Space>,
        on_fatal: Arc<Fatally>,
    ) -> io::Result<Segments> {
        let folder = data_dir.join("segments");
        std::fs::create_dir_all(&folder)?;
        File::open(data_dir)?.sync_all()?;
        let newest = numbers(&folder)?.into_iter().max().unwrap_or(0);
        let unused = newest > 0 && std::fs::metadata(path(&folder, newest))?.len() == 0;
        let (segment, file) = if unused {
            (newest, File::options().read(true).write(true).open(path(&folder, newest))?)
        } else {
            let next = newest.checked_add(1).ok_or_else(|| io::Error::other("segment numbers are used up"))?;
            (next, create(&folder, next)?)
        };
        let file = Arc::new(file);
        let open = Mutex::new(HashMap::from([(segment, file.clone())]));
        let tail = Mutex::new(Tail { segment, offset: 0, file });
        Ok(Segments {
            folder,
            segment_bytes_max,
            metrics,
            space,
            on_fatal,
            tail,
            writing: Mutex::default(),
            open,
            pins: Mutex::default(),
            poisoned: AtomicBool::new(false),
        })
    }

    /// `head` is what we put in front of the content; the hash is of the content alone.
    pub(crate) fn put(
        self: &Arc<Self>,
        envelope: &RecordEnvelope,
        head: &[u8],
        content: &[&[u8]],
    ) -> Result<BodyRef, PutError> {
        let len = head.len() as u64 + content.iter().map(|part| part.len() as u64).sum::<u64>();
        let mut hasher = blake3::Hasher::new();
        let mut crc = crc32c::crc32c(head);
        for part in content {
            crc = crc32c::crc32c_append(crc, part);
            hasher.update(part);
        }
        let seal = Seal { len, crc, hash: Some(first_16(hasher.finalize().as_bytes())), email: None };
        if len <= JOINED_BYTES {
            let parts: Vec<&[u8]> = std::iter::once(head).chain(content.iter().copied()).collect();
            return self.write(envelope, &parts, &seal, |_, _| Ok(()));
        }
        self.write(envelope, &[head], &seal, |file, at| {
            let mut at = at;
            for part in content {
                file.write_all_at(part, at)?;
                at += part.len() as u64;
            }
            Ok(())
        })
    }

    pub(crate) fn put_spill(
        self: &Arc<Self>,
        envelope: &RecordEnvelope,
        head: &[u8],
        spill: &Spill,
    ) -> Result<BodyRef, PutError> {
        let crc = crc32c::crc32c_combine(crc32c::crc32c(head), spill.crc(), spill.len() as usize);
        let hash = Some(first_16(&spill.hash()));
        let seal = Seal { len: head.len() as u64 + spill.len(), crc, hash, email: None };
        self.write(envelope, &[head], &seal, |file, at| copy_range(spill.file(), 0..spill.len(), file, at))
    }

    /// The content with octets of ours inside; the hash is of the content without them.
    pub(crate) fn put_inserted(
        self: &Arc<Self>,
        envelope: &RecordEnvelope,
        head: &[u8],
        content: &Source<'_>,
        insertion: &Inserted<'_>,
    ) -> Result<BodyRef, PutError> {
        let (len, hash) = match content {
            Source::Octets(octets) => (octets.len() as u64, *blake3::hash(octets).as_bytes()),
            Source::Spill(spill) => (spill.len(), spill.hash()),
        };
        let at = insertion.at.min(len);
        let mut before = vec![0; usize::try_from(at).unwrap_or(usize::MAX)];
        match content {
            Source::Octets(octets) => before.copy_from_slice(&octets[..at as usize]),
            Source::Spill(spill) => spill.file().read_exact_at(&mut before, 0)?,
        }
        let front = [head, &before, insertion.octets].concat();
        let rest = (len - at) as usize;
        let crc_of_rest = match content {
            Source::Octets(octets) => crc32c::crc32c(&octets[before.len()..]),
            // The sum of the whole is that of its beginning moved up by the rest, and that of the rest: they are linear.
            Source::Spill(spill) => spill.crc() ^ crc32c::crc32c_combine(crc32c::crc32c(&before), 0, rest),
        };
        let crc = crc32c::crc32c_combine(crc32c::crc32c(&front), crc_of_rest, rest);
        let seal = Seal { len: front.len() as u64 + rest as u64, crc, hash: Some(first_16(&hash)), email: None };
        match content {
            Source::Octets(octets) if seal.len <= JOINED_BYTES => {
                self.write(envelope, &[&front, &octets[before.len()..]], &seal, |_, _| Ok(()))
            }
            Source::Octets(octets) => {
                self.write(envelope, &[&front], &seal, |file, to| file.write_all_at(&octets[before.len()..], to))
            }
            Source::Spill(spill) => {
                self.write(envelope, &[&front], &seal, |file, to| copy_range(spill.file(), at..len, file, to))
            }
        }
    }

    /// A body that has its EMAILID already.
    pub(crate) fn put_as(self: &Arc<Self>, email: ObjectId, content: &[u8]) -> Result<BodyRef, PutError> {
        let hash = Some(first_16(blake3::hash(content).as_bytes()));
        let seal = Seal { len: content.len() as u64, crc: crc32c::crc32c(content), hash, email: Some(email) };
        self.write(&RecordEnvelope::default(), &[], &seal, |file, at| file.write_all_at(content, at))
    }

    /// The same record once more, at the tail, its checksum verified.
    pub(crate) fn put_again(self: &Arc<Self>, from: &BodyRef) -> Result<BodyRef, PutError> {
        let place = &from.0.place;
        let (mut header, file) = ([0; HEADER_BYTES], self.file(place.segment)?);
        file.read_exact_at(&mut header, place.offset)?;
        let damaged = || PutError::Io(io::Error::new(io::ErrorKind::InvalidData, "a record is damaged"));
        let header = Header::decode(&header).ok_or_else(damaged)?;
        let mut tlv = vec![0; place.skip as usize - HEADER_BYTES];
        file.read_exact_at(&mut tlv, place.offset + HEADER_BYTES as u64)?;
        let octets = self.read(place).map_err(|_| damaged())?;
        let seal = Seal { len: u64::from(place.len), crc: place.crc, hash: None, email: from.0.email };
        self.write_record(header.delivery, &tlv, &[], &seal, |file, at| file.write_all_at(&octets, at))
    }

    /// `start` is the first part of the body, short enough to be written together with the header; `rest` writes what follows.
    fn write(
        self: &Arc<Self>,
        envelope: &RecordEnvelope,
        start: &[&[u8]],
        seal: &Seal,
        rest: impl FnOnce(&File, u64) -> io::Result<()>,
    ) -> Result<BodyRef, PutError> {
        if self.space.is_read_only() {
            return Err(PutError::Full);
        }
        self.write_record(envelope.delivery_id, &record::encode_envelope(envelope), start, seal, rest)
    }

    fn write_record(
        self: &Arc<Self>,
        delivery: DeliveryId,
        tlv: &[u8],
        start: &[&[u8]],
        seal: &Seal,
        rest: impl FnOnce(&File, u64) -> io::Result<()>,
    ) -> Result<BodyRef, PutError> {
        if self.poisoned.load(Ordering::Acquire) {
            return Err(PutError::Poisoned);
        }
        let bytes = record::record_bytes(tlv.len(), seal.len);
        let Ok(body_len) = u32::try_from(seal.len) else { return Err(PutError::TooLarge) };
        if bytes > self.segment_bytes_max {
            return Err(PutError::TooLarge);
        }
        let header = Header {
            codec: Codec::Plain,
            delivery,
            envelope_len: tlv.len() as u32,
            body_len,
            envelope_crc: crc32c::crc32c(tlv),
            body_crc: seal.crc,
        };
        let (segment, offset, file) = self.reserve(bytes)?;
        let skip = (HEADER_BYTES + tlv.len()) as u32;
        let front = [&[&header.encode()[..], tlv][..], start].concat().concat();
        let place = Place { segment, offset, skip, len: body_len, crc: seal.crc };
        // From here on a failure drops `stored`, which makes the record void.
        let mut stored = Stored {
            place,
            held: Mutex::default(),
            delivery,
            hash: seal.hash,
            email: seal.email,
            flushed: false,
            segments: Some(self.clone()),
        };
        {
            let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            let written = file.write_all_at(&front, offset).and_then(|()| rest(&file, offset + front.len() as u64));
            written.map_err(|error| self.space.judge(error))?;
        }
        Metrics::add(&self.metrics.body_bytes, bytes);
        self.space.wrote(bytes);
        if seal.len >= OWN_FLUSH_BYTES {
            if let Err(error) = file.sync_data() {
                self.poison();
                // The writers learn of it with their next group; nobody may wait for that.
                self.on_fatal.tell(&Fatal { what: format!("a segment could not be flushed: {error}") });
                return Err(PutError::Poisoned);
            }
            Metrics::add(&self.metrics.flushes_segment, 1);
            stored.flushed = true;
        }
        Ok(BodyRef(Arc::new(stored)))
    }

    /// A record never crosses a segment.
    fn reserve(&self, bytes: u64) -> Result<(u32, u64, Arc<File>), PutError> {
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.offset + bytes > self.segment_bytes_max {
            let segment = tail.segment.checked_add(1).ok_or(PutError::TooLarge)?;
            let file = Arc::new(create(&self.folder, segment).map_err(|error| self.space.judge(error))?);
            self.remember(segment, file.clone());
            *tail = Tail { segment, offset: 0, file };
        }
        let offset = tail.offset;
        tail.offset += bytes;
        // Under the lock of the tail: a segment that is no tail any more gets no new records.
        *self.pins.lock().unwrap_or_else(PoisonError::into_inner).held.entry(tail.segment).or_default() += 1;
        Ok((tail.segment, offset, tail.file.clone()))
    }

    /// Keeps compaction away from a segment; `false` when it works on it already.
    pub(crate) fn pin(&self, segment: u32) -> bool {
        let mut pins = self.pins.lock().unwrap_or_else(PoisonError::into_inner);
        if pins.compacting.contains(&segment) {
            return false;
        }
        *pins.held.entry(segment).or_default() += 1;
        true
    }

    pub(crate) fn unpin(&self, segment: u32) {
        let mut pins = self.pins.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = pins.held.get_mut(&segment) {
            *count -= 1;
            if *count == 0 {
                pins.held.remove(&segment);
            }
        }
    }

    /// Gives a segment to compaction, unless it still grows or a record of it may have no row yet.
    pub(crate) fn begin_compaction(&self, segment: u32) -> bool {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pins = self.pins.lock().unwrap_or_else(PoisonError::into_inner);
        segment != tail.segment && !pins.held.contains_key(&segment) && pins.compacting.insert(segment)
    }

    pub(crate) fn end_compaction(&self, segment: u32) {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner).compacting.remove(&segment);
    }

    /// The segment that grows now.
    pub(crate) fn tail(&self) -> u32 {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).segment
    }

    /// Numbers and octets of all segments.
    pub(crate) fn sizes(&self) -> io::Result<Vec<(u32, u64)>> {
        let mut sizes = Vec::new();
        for segment in numbers(&self.folder)? {
            sizes.push((segment, std::fs::metadata(path(&self.folder, segment))?.len()));
        }
        sizes.sort_unstable();
        Ok(sizes)
    }

    /// Removes a segment no row points at. A snapshot's link to it stays.
    pub(crate) fn remove(&self, segment: u32) -> io::Result<()> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&segment);
        std::fs::remove_file(path(&self.folder, segment))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Marks an abandoned record. Only for tidiness: no row points at it, so an error changes nothing. After a failed flush
    /// a row may: the group that nobody was told of can be in the WAL all the same.
    pub(crate) fn void(&self, place: &Place) {
        if self.poisoned.load(Ordering::Acquire) {
            return;
        }
        let header = Header {
            codec: Codec::Void,
            delivery: [0; 16],
            envelope_len: place.skip - HEADER_BYTES as u32,
            body_len: place.len,
            envelope_crc: 0,
            body_crc: place.crc,
        };
        if let Ok(file) = self.file(place.segment)
            && let Err(error) = file.write_all_at(&header.encode(), place.offset)
        {
            tracing::warn!("segment {}: abandoned record not marked: {error}", place.segment);
        }
    }

    /// `len` octets of a body from `offset`, fewer at its end.
    pub(crate) fn read_range(&self, place: &Place, offset: u64, len: u64) -> Result<Vec<u8>, ReadError> {
        let from = offset.min(u64::from(place.len));
        let len = len.min(u64::from(place.len) - from) as usize;
        let mut out = vec![0; len];
        let file = self.file(place.segment)?;
        match file.read_exact_at(&mut out, place.offset + u64::from(place.skip) + from) {
            Ok(()) => Ok(out),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ReadError::Damaged),
            Err(error) => Err(ReadError::Io(error)),
        }
    }

    /// The whole body, checked.
    pub(crate) fn read(&self, place: &Place) -> Result<Vec<u8>, ReadError> {
        let body = self.read_range(place, 0, u64::from(place.len))?;
        if crc32c::crc32c(&body) == place.crc { Ok(body) } else { Err(ReadError::Damaged) }
    }

    /// Header, place and checksum agree with what the row says.
    pub(crate) fn is_sound(&self, place: &Place) -> Result<bool, ReadError> {
        let mut bytes = [0; HEADER_BYTES];
        let file = match self.file(place.segment) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(ReadError::Io(error)),
        };
        match file.read_exact_at(&mut bytes, place.offset) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(ReadError::Io(error)),
        }
        let Some(header) = Header::decode(&bytes) else { return Ok(false) };
        let agrees = header.codec == Codec::Plain && header.body_len == place.len && header.body_crc == place.crc;
        match self.read(place) {
            Ok(_) => Ok(agrees),
            Err(ReadError::Damaged) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Flushes a segment; an error poisons. The system reports a failed flush once: the next one of the same file would
    /// succeed without what was lost.
    // INVARIANT (one-sync-error).
    pub(crate) fn flush(&self, segment: u32) -> io::Result<()> {
        if self.poisoned.load(Ordering::Acquire) {
            return Err(io::Error::other("an earlier flush of a segment failed"));
        }
        let done = self.file(segment).and_then(|file| file.sync_data());
        match &done {
            Ok(()) => Metrics::add(&self.metrics.flushes_segment, 1),
            Err(_) => self.poison(),
        }
        done
    }

    pub(crate) fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::Acquire)
    }

    pub(crate) fn poison(&self) {
        self.poisoned.store(true, Ordering::Release);
    }

    fn file(&self, segment: u32) -> io::Result<Arc<File>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = open.get(&segment) {
            return Ok(file.clone());
        }
        drop(open);
        // Written too, because a void may land in a segment that is closed by now.
        let file = Arc::new(File::options().read(true).write(true).open(path(&self.folder, segment))?);
        open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= OPEN_FILES_MAX {
            open.clear();
        }
        open.insert(segment, file.clone());
        Ok(file)
    }

    #[cfg(test)]
    pub(crate) fn forget_files(&self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn remember(&self, segment: u32, file: Arc<File>) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(segment, file);
    }
}

/// What a record says of its body.
struct Seal {
    len: u64,
    crc: u32,
    hash: Option<[u8; 16]>,
    email: Option<ObjectId>,
}

fn first_16(hash: &[u8; 32]) -> [u8; 16] {
    std::array::from_fn(|n| hash[n])
}

fn numbers(folder: &Path) -> io::Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        found.extend(name.to_str().and_then(|n| n.strip_suffix(".seg")).and_then(|n| n.parse::<u32>().ok()));
    }
    Ok(found)
}

fn path(folder: &Path, segment: u32) -> PathBuf {
    folder.join(format!("{segment:08}.seg"))
}

/// The folder is flushed too: a file nobody can find again is no durable file.
fn create(folder: &Path, segment: u32) -> io::Result<File> {
    let file = File::options().read(true).write(true).create_new(true).open(path(folder, segment))?;
    File::open(folder)?.sync_all()?;
    Ok(file)
}

/// Lets the file system share or copy the blocks; falls back to reading and writing.
fn copy_range(from: &File, range: Range<u64>, to: &File, at: u64) -> io::Result<()> {
    let (mut source, mut target) = (range.start, at);
    while source < range.end {
        let wanted = usize::try_from(range.end - source).unwrap_or(usize::MAX);
        match rustix::fs::copy_file_range(from, Some(&mut source), to, Some(&mut target), wanted) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    let mut buf = vec![0; if source < range.end { 1 << 18 } else { 0 }];
    while source < range.end {
        let read = from.read_at(&mut buf, source)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let read = read.min((range.end - source) as usize);
        to.write_all_at(&buf[..read], at + (source - range.start))?;
        source += read as u64;
    }
    Ok(())
}
