//! The root file system: EROFS that only reads, and the tree of hashes that the kernel checks each block with.

use std::path::{Path, PathBuf};

use crate::description::Description;
use crate::fault::{Fault, Result};
use crate::place;
use crate::tool::Tool;

/// A root and its hashes, as files.
#[derive(Clone, Debug)]
pub struct Root {
    pub data: PathBuf,
    pub verity: PathBuf,
    /// SHA-256 of the top of the tree of hashes, 64 lower-case hexadecimal digits: it vouches for every octet.
    pub hash: String,
}

/// Packs a tree into `folder`.
pub fn pack(description: &Description, tree: &Path, folder: &Path) -> Result<Root> {
    let (data, verity, hash_file) = (folder.join("root.erofs"), folder.join("root.verity"), folder.join("root.hash"));
    for old in [&data, &verity, &hash_file] {
        place::remove(old)?;
    }
    let identity = &description.identity;
    Tool::new("mkfs.erofs", description.epoch)
        .args(["--quiet", "-zlz4hc,9", "-C65536", "--all-root"])
        .arg(format!("-T{}", description.epoch))
        .arg(format!("-U{}", identity.root))
        .arg(&data)
        .arg(tree)
        .run()?;
    Tool::new("veritysetup", description.epoch)
        .arg("format")
        .arg(format!("--salt={}", identity.verity_salt))
        .arg(format!("--uuid={}", identity.verity))
        .arg(format!("--root-hash-file={}", hash_file.display()))
        .arg(&data)
        .arg(&verity)
        .run()?;
    let hash = std::fs::read_to_string(&hash_file).map_err(Fault::at(&hash_file))?.trim().to_owned();
    Ok(Root { data, verity, hash })
}
