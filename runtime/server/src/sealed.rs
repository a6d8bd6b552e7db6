//! Bodies that are kept apart (quarantine, recalled, proposals, taught), encrypted at rest: who has the data folder without
//! `seal.key`, or a backup, reads nothing of them. What stands beside them in their rows is not: the envelope, and of proposals
//! and taught messages what lists of them show (Subject, From, Message-ID, hosts of links).
//!
//! | octets | what |
//! |---|---|
//! | 0–7 | `\0FcSeal1` |
//! | 8–23 | salt, drawn for each message |
//! | from 24 | pieces of 64 KiB, each with its tag of 16 octets; the last is shorter or as long |
//!
//! Each message has a key of its own, made of `seal.key`, the salt and the row's id (HKDF), so a body put under another id does
//! not open. The nonce of a piece is its number and whether it is the last (STREAM, Hoang, Reyhanitabar, Rogaway and Vizár
//! 2015): pieces that are missing, twice, or in another order do not open either. The cipher is ChaCha20-Poly1305 (RFC 8439).

use std::fmt;
use std::io::{self, Read};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce};
use store::{BodyRef, PutError, QueueId, ReadError, RecordEnvelope, Store};

use crate::random;
use crate::signing::Seal;

const MAGIC: &[u8; 8] = b"\0FcSeal1";
const SALT_OCTETS: usize = 16;
const HEAD_OCTETS: usize = MAGIC.len() + SALT_OCTETS;
/// Octets of a message in one piece.
const PIECE_OCTETS: usize = 64 * 1024;
/// Bodies up to this are written from memory, longer ones by way of an unlinked file that holds them sealed.
const MEMORY_OCTETS_MAX: usize = 256 * 1024;

/// Why a body that is kept apart cannot be read.
#[derive(Debug)]
pub enum OpenError {
    /// Changed since it was sealed, sealed for another message, or under another key.
    Tampered,
    Read(ReadError),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Tampered => f.write_str(
                "the sealed message does not open: it was changed, or it was sealed with another seal.key than this folder's",
            ),
            OpenError::Read(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OpenError {}

/// Makes octets sealed ones as they come, a piece at a time.
struct Sealing {
    key: LessSafeKey,
    number: u32,
    /// What comes next; sealed once it is known whether more follows.
    piece: Vec<u8>,
}

impl Sealing {
    /// With the head of the body.
    fn of(seal: &Seal, id: QueueId) -> Option<(Sealing, [u8; HEAD_OCTETS])> {
        let salt: [u8; SALT_OCTETS] = random::octets();
        let mut head = [0; HEAD_OCTETS];
        head[..MAGIC.len()].copy_from_slice(MAGIC);
        head[MAGIC.len()..].copy_from_slice(&salt);
        Some((Sealing { key: key(seal, id, &salt)?, number: 0, piece: Vec::new() }, head))
    }

    /// Seals what can be and hands it on.
    fn take(&mut self, mut octets: &[u8], to: &mut dyn FnMut(&[u8]) -> Result<(), PutError>) -> Result<(), PutError> {
        while !octets.is_empty() {
            if self.piece.len() == PIECE_OCTETS {
                self.hand_on(false, to)?;
            }
            let (now, later) = octets.split_at(octets.len().min(PIECE_OCTETS - self.piece.len()));
            self.piece.extend_from_slice(now);
            octets = later;
        }
        Ok(())
    }

    fn hand_on(&mut self, last: bool, to: &mut dyn FnMut(&[u8]) -> Result<(), PutError>) -> Result<(), PutError> {
        let nonce = Nonce::assume_unique_for_key(nonce(self.number, last));
        self.key.seal_in_place_append_tag(nonce, Aad::from(MAGIC), &mut self.piece).map_err(|_| PutError::TooLarge)?;
        to(&self.piece)?;
        self.piece.clear();
        self.number = self.number.checked_add(1).ok_or(PutError::TooLarge)?;
        Ok(())
    }
}

fn key(seal: &Seal, id: QueueId, salt: &[u8]) -> Option<LessSafeKey> {
    seal.key_about(&[b"sealed body", &id.0, salt])
}

/// The key is of one message, so that numbers are enough.
fn nonce(number: u32, last: bool) -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    nonce[7..11].copy_from_slice(&number.to_be_bytes());
    nonce[11] = u8::from(last);
    nonce
}

/// Writes `head` and everything `content` gives as one sealed body for the row `id`. Not for async threads.
pub fn put(
    store: &Store,
    seal: &Seal,
    id: QueueId,
    envelope: &RecordEnvelope,
    head: &[u8],
    content: &mut dyn Read,
) -> Result<BodyRef, PutError> {
    let (mut sealing, front) = Sealing::of(seal, id).ok_or(PutError::TooLarge)?;
    let (mut memory, mut spill) = (front.to_vec(), None);
    let mut keep = |octets: &[u8]| -> Result<(), PutError> {
        if memory.len() + octets.len() <= MEMORY_OCTETS_MAX && spill.is_none() {
            memory.extend_from_slice(octets);
            return Ok(());
        }
        if spill.is_none() {
            let mut file = store.spill().map_err(PutError::Io)?;
            file.append(&std::mem::take(&mut memory)).map_err(PutError::Io)?;
            spill = Some(file);
        }
        spill.as_mut().map_or(Ok(()), |file| file.append(octets)).map_err(PutError::Io)
    };
    sealing.take(head, &mut keep)?;
    let mut buffer = vec![0; PIECE_OCTETS];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => break,
            Ok(octets) => sealing.take(&buffer[..octets], &mut keep)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(PutError::Io(error)),
        }
    }
    sealing.hand_on(true, &mut keep)?;
    match &spill {
        Some(spill) => store.put_body_from_spill(envelope, b"", spill),
        None => store.put_body_for(envelope, b"", &[&memory]),
    }
}

/// A body that is kept apart, opened a piece at a time: nothing of a piece is shown before it proved to be right. One that an
/// earlier version kept without a seal is read as it is.
pub struct Opening<'a> {
    store: &'a Store,
    body: &'a BodyRef,
    /// `None` for a body without a seal.
    key: Option<LessSafeKey>,
    at: u64,
    number: u32,
}

impl<'a> Opening<'a> {
    pub fn of(store: &'a Store, seal: &Seal, id: QueueId, body: &'a BodyRef) -> Result<Opening<'a>, OpenError> {
        let head = store.read_body_range(body, 0, HEAD_OCTETS as u64).map_err(OpenError::Read)?;
        if !head.starts_with(MAGIC) {
            return Ok(Opening { store, body, key: None, at: 0, number: 0 });
        }
        let salt = head.get(MAGIC.len()..HEAD_OCTETS).ok_or(OpenError::Tampered)?;
        let key = Some(key(seal, id, salt).ok_or(OpenError::Tampered)?);
        Ok(Opening { store, body, key, at: HEAD_OCTETS as u64, number: 0 })
    }

    /// The next octets, `None` at the end.
    pub fn next_piece(&mut self) -> Result<Option<Vec<u8>>, OpenError> {
        let left = self.body.len().saturating_sub(self.at);
        let Some(key) = &self.key else {
            let piece = self.read(left.min(PIECE_OCTETS as u64))?;
            return Ok(Some(piece).filter(|piece| !piece.is_empty()));
        };
        let whole = (PIECE_OCTETS + CHACHA20_POLY1305.tag_len()) as u64;
        if left == 0 {
            // The last piece is always there, so only the end of it leads here.
            return if self.number == 0 { Err(OpenError::Tampered) } else { Ok(None) };
        }
        let nonce = Nonce::assume_unique_for_key(nonce(self.number, left <= whole));
        let octets = left.min(whole);
        let mut piece = self.store.read_body_range(self.body, self.at, octets).map_err(OpenError::Read)?;
        let plain = key.open_in_place(nonce, Aad::from(MAGIC), &mut piece).map_err(|_| OpenError::Tampered)?.len();
        piece.truncate(plain);
        self.at += octets;
        self.number = self.number.checked_add(1).ok_or(OpenError::Tampered)?;
        Ok(Some(piece))
    }

    fn read(&mut self, octets: u64) -> Result<Vec<u8>, OpenError> {
        let piece = self.store.read_body_range(self.body, self.at, octets).map_err(OpenError::Read)?;
        self.at += piece.len() as u64;
        Ok(piece)
    }
}

/// The whole of it. Bodies without a seal have their checksum verified instead.
pub fn whole(store: &Store, seal: &Seal, id: QueueId, body: &BodyRef) -> Result<Vec<u8>, OpenError> {
    let mut opening = Opening::of(store, seal, id, body)?;
    if opening.key.is_none() {
        return store.read_body(body).map_err(OpenError::Read);
    }
    let mut octets = Vec::with_capacity(usize::try_from(body.len()).unwrap_or(0));
    while let Some(piece) = opening.next_piece()? {
        octets.extend_from_slice(&piece);
    }
    Ok(octets)
}

/// A body of the store, read in order.
pub struct Plain<'a> {
    store: &'a Store,
    body: &'a BodyRef,
    at: u64,
}

impl<'a> Plain<'a> {
    pub fn of(store: &'a Store, body: &'a BodyRef) -> Plain<'a> {
        Plain { store, body, at: 0 }
    }
}

impl Read for Plain<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let octets = (buffer.len() as u64).min(self.body.len().saturating_sub(self.at));
        if octets == 0 {
            return Ok(0);
        }
        let piece = self.store.read_body_range(self.body, self.at, octets).map_err(io::Error::other)?;
        let octets = piece.len().min(buffer.len());
        buffer[..octets].copy_from_slice(&piece[..octets]);
        self.at += octets as u64;
        Ok(octets)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use store::{Kept, Op, Options, Quarantined};

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Folder {
            let name = format!("facteur-sealed-{:016x}", u64::from_le_bytes(random::octets()));
            Folder(std::env::temp_dir().join(name))
        }

        fn open(&self) -> Store {
            Store::open(&self.0, Options::default()).unwrap()
        }

        /// Is `phrase` anywhere in a file of the folder?
        fn says(&self, phrase: &[u8]) -> bool {
            let files = |folder: PathBuf| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            let all = files(self.0.clone()).chain(files(self.0.join("segments"))).filter(|path| path.is_file());
            let mut all = all.filter(|path| !path.ends_with("ballast"));
            all.any(|path| std::fs::read(path).unwrap().windows(phrase.len()).any(|octets| octets == phrase))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    const ID: QueueId = QueueId([5; 16]);

    fn keep(store: &Store, id: QueueId, body: BodyRef) {
        let quarantined = Quarantined {
            id,
            kind: Kept::Quarantine,
            body,
            why: String::new(),
            engine: String::new(),
            signature: String::new(),
            reverse_path: mail::ReversePath::Null,
            recipients: Vec::new(),
            facts: Vec::new(),
            at_s: 1,
        };
        store.commit_wait(vec![Op::Quarantine(Box::new(quarantined))]).unwrap();
    }

    fn content(octets: usize) -> Vec<u8> {
        b"the secret phrase of the message. ".iter().copied().cycle().take(octets).collect()
    }

    #[test]
    fn a_sealed_body_of_any_length_opens_and_the_folder_shows_nothing_of_it() {
        let (folder, seal) = (Folder::new(), Seal::unkept());
        let store = folder.open();
        let lengths = [0, 1, PIECE_OCTETS - 1, PIECE_OCTETS, PIECE_OCTETS + 1, 3 * PIECE_OCTETS, 5 * PIECE_OCTETS + 7];
        for (n, octets) in (0_u8..).zip(lengths) {
            let (id, content) = (QueueId([n; 16]), content(octets));
            let envelope = RecordEnvelope::default();
            let body = put(&store, &seal, id, &envelope, b"Head: line\r\n", &mut content.as_slice()).unwrap();
            keep(&store, id, body);
            let kept = store.kept_one(id).unwrap().unwrap();
            let expected = [b"Head: line\r\n", content.as_slice()].concat();
            assert_eq!(whole(&store, &seal, id, &kept.body).unwrap(), expected, "{octets}");
            assert!(store.read_body(&kept.body).unwrap().starts_with(MAGIC));
            let pieces = expected.len().div_ceil(PIECE_OCTETS) as u64;
            assert_eq!(kept.body.len(), (HEAD_OCTETS + expected.len()) as u64 + 16 * pieces);
        }
        assert_eq!(store.verify().unwrap().findings, []);
        store.compact(0, &mut |_| ()).unwrap();
        let kept = store.kept_one(QueueId([6; 16])).unwrap().unwrap();
        assert_eq!(whole(&store, &seal, kept.id, &kept.body).unwrap().len(), 12 + lengths[6]);
        assert!(!folder.says(b"secret phrase") && !folder.says(b"Head: line"));
        let plain = store.put_body(&[b"the secret phrase"]).unwrap();
        keep(&store, QueueId([99; 16]), plain);
        assert!(folder.says(b"secret phrase"), "the search finds what is not sealed");
    }

    #[test]
    fn what_was_changed_cut_or_moved_does_not_open() {
        let (folder, seal) = (Folder::new(), Seal::unkept());
        let store = folder.open();
        let content = content(2 * PIECE_OCTETS + 100);
        let body = put(&store, &seal, ID, &RecordEnvelope::default(), b"", &mut content.as_slice()).unwrap();
        let sealed = store.read_body(&body).unwrap();
        let opens = |octets: &[u8], id: QueueId, seal: &Seal| {
            let body = store.put_body(&[octets]).unwrap();
            whole(&store, seal, id, &body)
        };
        assert_eq!(opens(&sealed, ID, &seal).unwrap(), content);
        let piece = PIECE_OCTETS + 16;
        let second = HEAD_OCTETS + piece;
        let swapped = [&sealed[..HEAD_OCTETS], &sealed[second..second + piece], &sealed[HEAD_OCTETS..second]].concat();
        let cases: [(&str, Vec<u8>); 6] = [
            ("a piece short", sealed[..second].to_vec()),
            ("the last piece short", sealed[..second + piece].to_vec()),
            ("an octet short", sealed[..sealed.len() - 1].to_vec()),
            ("nothing but the head", sealed[..HEAD_OCTETS].to_vec()),
            ("pieces swapped", swapped),
            ("half a head", sealed[..12].to_vec()),
        ];
        for (what, octets) in cases {
            assert!(matches!(opens(&octets, ID, &seal), Err(OpenError::Tampered)), "{what}");
        }
        for at in [8, HEAD_OCTETS, second - 1, second + 5, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            let error = opens(&changed, ID, &seal).unwrap_err();
            assert!(error.to_string().contains("does not open"), "{at}: {error}");
        }
        assert!(matches!(opens(&sealed, QueueId([6; 16]), &seal), Err(OpenError::Tampered)), "another row");
        assert!(matches!(opens(&sealed, ID, &Seal::unkept()), Err(OpenError::Tampered)), "another key");
        assert_eq!(opens(b"Received: by an earlier version\r\n", ID, &seal).unwrap().len(), 33);
    }

    #[test]
    fn a_body_of_the_store_is_sealed_as_it_is_read() {
        let (folder, seal) = (Folder::new(), Seal::unkept());
        let store = folder.open();
        let content = content(300_000);
        let plain = store.put_body(&[&content]).unwrap();
        let body = put(&store, &seal, ID, &RecordEnvelope::default(), b"", &mut Plain::of(&store, &plain)).unwrap();
        assert_eq!(whole(&store, &seal, ID, &body).unwrap(), content);
    }
}
