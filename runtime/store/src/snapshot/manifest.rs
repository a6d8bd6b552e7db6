//! The manifest of a snapshot, `NAME.snapshot`. Numbers are little-endian.
//!
//! | octets | what |
//! |---|---|
//! | 0–3 | magic `FcSn` |
//! | 4–5, 6–7 | version of the writer; floor: the oldest reader that understands it |
//! | 8–11 | octets of the head, its checksum included |
//! | … | page size (4), started and ended in seconds since 1970 (8, 8) |
//! | … | databases (2), each: length of its name (2), name, pages (4), seq, messages, octets, mailboxes (8 each) |
//! | … | packs named (4), each: number (4), slots it must have (4) |
//! | … | segments (4), each: number (4), generation (4), octets that belong to the snapshot (8) |
//! | … | BLAKE3 of the head so far (32) |
//! | … | each page of each database, in order: the first 16 octets of its BLAKE3, pack (4), slot (4) |
//! | … | BLAKE3 of the head's checksum and the pages (32) |
//!
//! The first 12 octets and the place of the head's checksum are the same in every version to come, so that a manifest
//! of a later version is told from a damaged one. The head alone says which files belong to a snapshot.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use super::error::{damaged, io_at};
use super::{Damage, PAGE_BYTES, SnapshotError};

const MAGIC: &[u8; 4] = b"FcSn";
const VERSION: u16 = 1;
const FLOOR: u16 = 1;
const FIXED_BYTES: usize = 12;
const CHECKSUM_BYTES: usize = 32;
const PAGE_AT_BYTES: usize = 24;
/// A head names some thousands of files; more is damage the checksum would find after the memory is gone.
const HEAD_BYTES_MAX: usize = 64 << 20;

/// The first octets of a page's BLAKE3. 128 bits: no two different pages meet by chance.
pub(super) type PageHash = [u8; 16];

pub(super) fn page_hash(page: &[u8]) -> PageHash {
    let mut hash = [0; 16];
    hash.copy_from_slice(&blake3::hash(page).as_bytes()[..16]);
    hash
}

/// Where a page lies and what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageAt {
    pub(super) hash: PageHash,
    pub(super) pack: u32,
    pub(super) slot: u32,
}

/// One database of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseCounts {
    /// `meta-00.db`.
    pub name: String,
    pub pages: u32,
    /// Number of its last group.
    pub seq: u64,
    pub messages: u64,
    /// Sum of RFC822.SIZE over the messages.
    pub octets: u64,
    pub mailboxes: u64,
}

/// A segment file a snapshot needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SegmentPart {
    pub(super) number: u32,
    /// Above 0 when the store used the number again, for another file.
    pub(super) generation: u32,
    pub(super) octets: u64,
}

/// All but the pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) started_s: i64,
    pub(super) ended_s: i64,
    pub(super) databases: Vec<DatabaseCounts>,
    /// Each pack with the number of slots it must have at least.
    pub(super) packs: BTreeMap<u32, u32>,
    pub(super) segments: Vec<SegmentPart>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) head: Head,
    /// Of all databases, one behind the other.
    pub(super) pages: Vec<PageAt>,
}

/// The packs these pages lie in.
pub(super) fn packs_of(pages: &[PageAt]) -> BTreeMap<u32, u32> {
    let mut packs = BTreeMap::new();
    for page in pages {
        let slots = packs.entry(page.pack).or_insert(0);
        *slots = page.slot.saturating_add(1).max(*slots);
    }
    packs
}

/// Only such names become files when a snapshot is materialised.
pub(super) fn is_database_name(name: &str) -> bool {
    let number = name.strip_prefix("meta-").and_then(|rest| rest.strip_suffix(".db"));
    number.is_some_and(|number| (2..=5).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()))
}

impl Head {
    pub(super) fn pages(&self) -> u64 {
        self.databases.iter().map(|database| u64::from(database.pages)).sum()
    }

    /// Checks the head's checksum and the length of the whole file, reads no page.
    pub(super) fn read(path: &Path) -> Result<Head, SnapshotError> {
        let (mut file, octets) = open(path)?;
        let (head, bytes) = read_head(path, &mut file)?;
        let expected = bytes.len() as u64 + head.pages() * PAGE_AT_BYTES as u64 + CHECKSUM_BYTES as u64;
        if octets == expected { Ok(head) } else { Err(damaged(path, Damage::Cut)) }
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4096);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&FLOOR.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&(PAGE_BYTES as u32).to_le_bytes());
        out.extend_from_slice(&self.started_s.to_le_bytes());
        out.extend_from_slice(&self.ended_s.to_le_bytes());
        out.extend_from_slice(&(self.databases.len() as u16).to_le_bytes());
        for database in &self.databases {
            out.extend_from_slice(&(database.name.len() as u16).to_le_bytes());
            out.extend_from_slice(database.name.as_bytes());
            out.extend_from_slice(&database.pages.to_le_bytes());
            for number in [database.seq, database.messages, database.octets, database.mailboxes] {
                out.extend_from_slice(&number.to_le_bytes());
            }
        }
        out.extend_from_slice(&(self.packs.len() as u32).to_le_bytes());
        for (pack, slots) in &self.packs {
            out.extend_from_slice(&pack.to_le_bytes());
            out.extend_from_slice(&slots.to_le_bytes());
        }
        out.extend_from_slice(&(self.segments.len() as u32).to_le_bytes());
        for segment in &self.segments {
            out.extend_from_slice(&segment.number.to_le_bytes());
            out.extend_from_slice(&segment.generation.to_le_bytes());
            out.extend_from_slice(&segment.octets.to_le_bytes());
        }
        let octets = (out.len() + CHECKSUM_BYTES) as u32;
        out[8..12].copy_from_slice(&octets.to_le_bytes());
        let checksum = blake3::hash(&out);
        out.extend_from_slice(checksum.as_bytes());
        out
    }

    /// `body` stands between the fixed octets and the checksum, which matched.
    fn decode(body: &[u8]) -> Option<Head> {
        let mut fields = Fields(body);
        if fields.u32()? as usize != PAGE_BYTES {
            return None;
        }
        let (started_s, ended_s) = (fields.u64()? as i64, fields.u64()? as i64);
        let mut databases = Vec::new();
        for _ in 0..fields.u16()? {
            let octets = fields.u16()?;
            let name = std::str::from_utf8(fields.take(usize::from(octets))?).ok()?.to_owned();
            if !is_database_name(&name) || databases.iter().any(|other: &DatabaseCounts| other.name == name) {
                return None;
            }
            let (pages, seq, messages) = (fields.u32()?, fields.u64()?, fields.u64()?);
            let (octets, mailboxes) = (fields.u64()?, fields.u64()?);
            databases.push(DatabaseCounts { name, pages, seq, messages, octets, mailboxes });
        }
        let mut packs = BTreeMap::new();
        for _ in 0..fields.u32()? {
            packs.insert(fields.u32()?, fields.u32()?);
        }
        let mut segments = Vec::new();
        for _ in 0..fields.u32()? {
            let (number, generation) = (fields.u32()?, fields.u32()?);
            segments.push(SegmentPart { number, generation, octets: fields.u64()? });
        }
        let ascending = segments.windows(2).all(|pair| pair[0].number < pair[1].number);
        (fields.0.is_empty() && ascending).then_some(Head { started_s, ended_s, databases, packs, segments })
    }
}

impl Manifest {
    /// Reads and checks everything.
    pub(super) fn read(path: &Path) -> Result<Manifest, SnapshotError> {
        let (mut file, octets) = open(path)?;
        let (head, head_bytes) = read_head(path, &mut file)?;
        let table_bytes = head.pages() * PAGE_AT_BYTES as u64;
        if octets != head_bytes.len() as u64 + table_bytes + CHECKSUM_BYTES as u64 {
            return Err(damaged(path, Damage::Cut));
        }
        let mut pages = Vec::with_capacity(head.pages() as usize);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&head_bytes[head_bytes.len() - CHECKSUM_BYTES..]);
        let mut buffer = vec![0; PAGE_AT_BYTES << 10];
        let mut left = table_bytes as usize;
        while left > 0 {
            let part = &mut buffer[..left.min(PAGE_AT_BYTES << 10)];
            read_exact(path, &mut file, part)?;
            hasher.update(part);
            pages.extend(part.chunks_exact(PAGE_AT_BYTES).map(page_at));
            left -= part.len();
        }
        let mut checksum = [0; CHECKSUM_BYTES];
        read_exact(path, &mut file, &mut checksum)?;
        if *hasher.finalize().as_bytes() != checksum {
            return Err(damaged(path, Damage::Checksum));
        }
        if packs_of(&pages) != head.packs {
            return Err(damaged(path, Damage::Nonsense));
        }
        Ok(Manifest { head, pages })
    }

    /// Writes a temporary file, flushes it and gives it its name last. The caller flushes the folder.
    pub(super) fn write(&self, path: &Path) -> Result<u64, SnapshotError> {
        let temporary = path.with_extension("snapshot.new");
        let mut file = File::create(&temporary).map_err(io_at(&temporary))?;
        let octets = self.write_to(&mut file).map_err(io_at(&temporary))?;
        file.sync_all().map_err(io_at(&temporary))?;
        std::fs::rename(&temporary, path).map_err(io_at(path))?;
        Ok(octets)
    }

    fn write_to(&self, file: &mut File) -> io::Result<u64> {
        let head = self.head.encode();
        let mut hasher = blake3::Hasher::new();
        hasher.update(&head[head.len() - CHECKSUM_BYTES..]);
        file.write_all(&head)?;
        for part in self.pages.chunks(1 << 10) {
            let mut bytes = Vec::with_capacity(part.len() * PAGE_AT_BYTES);
            for page in part {
                bytes.extend_from_slice(&page.hash);
                bytes.extend_from_slice(&page.pack.to_le_bytes());
                bytes.extend_from_slice(&page.slot.to_le_bytes());
            }
            hasher.update(&bytes);
            file.write_all(&bytes)?;
        }
        file.write_all(hasher.finalize().as_bytes())?;
        Ok((head.len() + self.pages.len() * PAGE_AT_BYTES + CHECKSUM_BYTES) as u64)
    }

    /// Each database with its pages.
    pub(super) fn databases(&self) -> impl Iterator<Item = (&DatabaseCounts, &[PageAt])> {
        let mut rest = &self.pages[..];
        self.head.databases.iter().map(move |database| {
            let (own, others) = rest.split_at((database.pages as usize).min(rest.len()));
            rest = others;
            (database, own)
        })
    }
}

fn open(path: &Path) -> Result<(File, u64), SnapshotError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(damaged(path, Damage::Missing)),
        Err(error) => return Err(io_at(path)(error)),
    };
    let octets = file.metadata().map_err(io_at(path))?.len();
    Ok((file, octets))
}

fn read_exact(path: &Path, file: &mut File, buffer: &mut [u8]) -> Result<(), SnapshotError> {
    file.read_exact(buffer).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => damaged(path, Damage::Cut),
        _ => io_at(path)(error),
    })
}

/// The head and its octets, checksum included.
fn read_head(path: &Path, file: &mut File) -> Result<(Head, Vec<u8>), SnapshotError> {
    let mut bytes = vec![0; FIXED_BYTES];
    read_exact(path, file, &mut bytes)?;
    if &bytes[..4] != MAGIC {
        return Err(damaged(path, Damage::Foreign));
    }
    let number = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let floor = number(6);
    let octets = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]) as usize;
    if !(FIXED_BYTES + CHECKSUM_BYTES..=HEAD_BYTES_MAX).contains(&octets) {
        return Err(damaged(path, Damage::Checksum));
    }
    let on_disk = file.metadata().map_err(io_at(path))?.len();
    if (octets as u64) > on_disk {
        return Err(damaged(path, Damage::Cut));
    }
    bytes.resize(octets, 0);
    read_exact(path, file, &mut bytes[FIXED_BYTES..])?;
    let (content, checksum) = bytes.split_at(octets - CHECKSUM_BYTES);
    if blake3::hash(content).as_bytes() != checksum {
        return Err(damaged(path, Damage::Checksum));
    }
    if floor > VERSION {
        return Err(SnapshotError::Newer { path: path.to_owned(), floor });
    }
    let Some(head) = Head::decode(&content[FIXED_BYTES..]) else { return Err(damaged(path, Damage::Nonsense)) };
    Ok((head, bytes))
}

fn page_at(bytes: &[u8]) -> PageAt {
    let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let mut hash = [0; 16];
    hash.copy_from_slice(&bytes[..16]);
    PageAt { hash, pack: number(16), slot: number(20) }
}

/// What is left to decode.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, octets: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(octets)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
}
