//! Making a bundle: from the parts of a built disk, or from what the caller read of one.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use ring::digest::{Context, SHA256};

use super::seal::SigningKey;
use super::{BundleError, HEADER_OCTETS_MAX, Header, KERNEL_OCTETS_MAX, MAGIC, Part, StoreFormats};
use crate::layout::{Layout, Slot};
use crate::slots::{Disk, Machine, Table, kernel};

/// Octets read at once.
const BLOCK_OCTETS: u64 = 1 << 20;
/// Blocks of a hash tree, and the digests in one.
const TREE_BLOCK: u64 = 4096;
const DIGESTS_IN_BLOCK: u64 = TREE_BLOCK / 32;

/// A slot of a disk with the kernel image that starts it.
pub struct Content {
    pub disk: Disk,
    /// Offset and length in octets.
    pub root: (u64, u64),
    pub verity: (u64, u64),
    pub kernel: Vec<u8>,
    /// What the kernel image says.
    pub root_hash: String,
    pub version: String,
    pub variant: String,
}

/// Why there is no bundle.
#[derive(Debug)]
pub enum PackError {
    Io(io::Error),
    /// The disk is not one of ours, or its parts do not belong together.
    Disk(String),
    Bundle(BundleError),
}

impl fmt::Display for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PackError::Io(error) => error.fmt(f),
            PackError::Disk(why) => f.write_str(why),
            PackError::Bundle(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PackError {}

impl From<io::Error> for PackError {
    fn from(error: io::Error) -> PackError {
        PackError::Io(error)
    }
}

/// The slot of a raw disk image that `kernel` starts. Its root is as long as its hash tree says, not as the partition is.
pub fn content_of_disk(image: &Path, kernel_image: Vec<u8>) -> Result<Content, PackError> {
    let disk = Disk::open_read_only(image)?;
    let wrong = |why: &str| PackError::Disk(format!("{}: {why}", image.display()));
    let root_hash = kernel::root_hash(&kernel_image).ok_or_else(|| wrong("the kernel image names no root hash"))?;
    let version = kernel::version(&kernel_image).ok_or_else(|| wrong("the kernel image names no version"))?;
    let variant = kernel::variant(&kernel_image);
    let identities = Layout::identities(&root_hash).ok_or_else(|| wrong("the kernel image names no root hash"))?;
    let table = Table::read(&disk).map_err(|error| wrong(&error.to_string()))?;
    let partitions = table.partitions();
    let labelled = |labels: [&str; 2], identity: &str| {
        let mut all = partitions.iter().filter(|it| labels.contains(&it.label.as_str()));
        all.find(|it| it.identity == identity).ok_or_else(|| wrong("no slot has what the kernel image starts"))
    };
    let root = labelled(Slot::BOTH.map(Slot::root_label), &identities.0)?;
    let verity = labelled(Slot::BOTH.map(Slot::verity_label), &identities.1)?;
    let mut head = vec![0; 2 * TREE_BLOCK as usize];
    disk.read(verity.at, &mut head)?;
    let tree = Tree::read(&head).ok_or_else(|| wrong("the hash tree is none of this program's form"))?;
    if tree.data_octets() > root.octets || tree.octets() > verity.octets {
        return Err(wrong("the hash tree is of more than its partition holds"));
    }
    if tree.root_hash(&head[TREE_BLOCK as usize..]) != root_hash {
        return Err(wrong("the hash tree has another root hash than the kernel image"));
    }
    let (root, verity) = ((root.at, tree.data_octets()), (verity.at, tree.octets()));
    Ok(Content { disk, root, verity, kernel: kernel_image, root_hash, version, variant })
}

/// Writes a bundle of `content`, signed by each of `keys`.
pub fn pack(
    content: &Content,
    plan: (u32, u32),
    store: StoreFormats,
    keys: &[SigningKey],
    to: &mut dyn Write,
) -> Result<Header, PackError> {
    if content.kernel.len() as u64 > KERNEL_OCTETS_MAX {
        return Err(PackError::Disk(format!("the kernel image is larger than {KERNEL_OCTETS_MAX} octets")));
    }
    let kernel =
        Part { octets: content.kernel.len() as u64, blake3: blake3::hash(&content.kernel).to_hex().to_string() };
    let header = Header {
        version: content.version.clone(),
        variant: content.variant.clone(),
        root_hash: content.root_hash.clone(),
        plan,
        store,
        root: part_of(content, content.root, &mut io::sink())?,
        verity: part_of(content, content.verity, &mut io::sink())?,
        kernel,
    };
    write_head(&header, keys, to)?;
    part_of(content, content.root, to)?;
    part_of(content, content.verity, to)?;
    to.write_all(&content.kernel)?;
    to.flush()?;
    Ok(header)
}

/// What stands in front of the parts.
pub(super) fn write_head(header: &Header, keys: &[SigningKey], to: &mut dyn Write) -> Result<(), PackError> {
    let text = header.text();
    Header::read(&text).map_err(PackError::Bundle)?;
    let signatures = plan::emit(&keys.iter().map(|key| key.sign(&text)).collect::<Vec<_>>());
    to.write_all(MAGIC)?;
    for text in [&text, &signatures] {
        let length = u32::try_from(text.len()).ok().filter(|_| text.len() <= HEADER_OCTETS_MAX);
        let length = length.ok_or_else(|| PackError::Disk("there are too many signatures".to_owned()))?;
        to.write_all(&length.to_be_bytes())?;
        to.write_all(text.as_bytes())?;
    }
    Ok(())
}

/// Copies a piece of the disk; its length and digest.
fn part_of(content: &Content, (at, octets): (u64, u64), to: &mut dyn Write) -> io::Result<Part> {
    let mut digest = blake3::Hasher::new();
    let mut block = vec![0; BLOCK_OCTETS as usize];
    let mut done = 0;
    while done < octets {
        let piece = &mut block[..(octets - done).min(BLOCK_OCTETS) as usize];
        content.disk.read(at + done, piece)?;
        digest.update(piece);
        to.write_all(piece)?;
        done += piece.len() as u64;
    }
    Ok(Part { octets, blake3: digest.finalize().to_hex().to_string() })
}

/// What a verity superblock says (cryptsetup's on-disk format, version 1, SHA-256, blocks of 4 KiB).
struct Tree {
    data_blocks: u64,
    salt: Vec<u8>,
}

impl Tree {
    fn read(head: &[u8]) -> Option<Tree> {
        let number = |at: usize, length: usize| {
            head.get(at..at + length)
                .map(|octets| octets.iter().rev().fold(0u64, |sum, octet| sum << 8 | u64::from(*octet)))
        };
        let algorithm = head.get(32..64)?;
        let sound = head.starts_with(b"verity\0\0")
            && number(8, 4)? == 1
            && number(12, 4)? == 1
            && algorithm.starts_with(b"sha256\0")
            && number(64, 4)? == TREE_BLOCK
            && number(68, 4)? == TREE_BLOCK;
        let salt = head.get(88..88 + (number(80, 2)? as usize).min(256))?.to_vec();
        let data_blocks = number(72, 8)?;
        (sound && (1..=1 << 32).contains(&data_blocks)).then_some(Tree { data_blocks, salt })
    }

    fn data_octets(&self) -> u64 {
        self.data_blocks * TREE_BLOCK
    }

    /// Superblock and every level.
    fn octets(&self) -> u64 {
        let (mut blocks, mut level) = (1, self.data_blocks);
        while level > 1 {
            level = level.div_ceil(DIGESTS_IN_BLOCK);
            blocks += level;
        }
        blocks * TREE_BLOCK
    }

    /// Of the topmost block, which is the first behind the superblock.
    fn root_hash(&self, top: &[u8]) -> String {
        let mut context = Context::new(&SHA256);
        context.update(&self.salt);
        context.update(top);
        context.finish().as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_as_long_as_its_levels() {
        let octets = |data_blocks| Tree { data_blocks, salt: Vec::new() }.octets() / TREE_BLOCK;
        // veritysetup writes the same: 1 superblock, then 1 block, 1 + 2, 1 + 2 + 129 and so on.
        assert_eq!([2, 128, 129, 16_384, 16_385].map(octets), [2, 2, 4, 130, 133]);
    }

    #[test]
    fn what_is_no_superblock_is_no_tree() {
        assert!(Tree::read(&[0; 8192]).is_none());
        assert!(Tree::read(b"verity\0\0").is_none());
    }
}
