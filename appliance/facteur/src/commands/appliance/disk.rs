//! The data disk: formatted when it is blank, left alone when it is ours, refused when it is anything else.
//!
//! While it is formatted a mark stands in its last MiB, which the file system leaves out: a disk with the mark was blank when we
//! began, so a run that was killed begins again. A file system of ours that was ever mounted is never formatted, whatever stands there.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Command;

const MIB: u64 = 1 << 20;
/// A disk below this holds no mail.
const OCTETS_MIN: u64 = 64 * MIB;
/// What the image calls the disk.
pub const LABEL: &str = "appliance-data";
const MARK: &[u8] = b"facteur: being formatted, nothing else was here\n";
/// Of ext4: the superblock, when it was mounted, its magic number and its label (struct ext4_super_block).
const SUPERBLOCK: u64 = 1024;
const MOUNTED_AT: usize = 0x2c;
const MAGIC_AT: usize = 0x38;
const LABEL_AT: usize = 0x78;
const LABEL_OCTETS: usize = 16;

/// How a disk was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Ours, and whole.
    Ready,
    /// Ours, and half made.
    Begun,
    /// Nothing at all.
    Blank,
    /// Somebody's.
    Other,
}

/// Makes `device` ready and says how it was found.
pub fn prepare(device: &Path, mkfs: &Path) -> Result<Found, String> {
    let about = |error: std::io::Error| format!("{}: {error}", device.display());
    let mut disk = OpenOptions::new().read(true).write(true).open(device).map_err(about)?;
    let octets = disk.seek(SeekFrom::End(0)).map_err(about)?;
    if octets < OCTETS_MIN {
        return Err(format!("{}: {octets} octets are no data disk", device.display()));
    }
    let found = look(&mut disk, octets).map_err(about)?;
    match found {
        Found::Ready => return Ok(found),
        Found::Other => {
            return Err(format!(
                "{} IS NOT BLANK AND NOT OURS. It is left as it is. Give the machine an empty disk, or wipe this one elsewhere.",
                device.display()
            ));
        }
        Found::Blank | Found::Begun => {}
    }
    if known_to_blkid(device) && found == Found::Blank {
        return Err(format!("{}: blkid knows what is on it. It is left as it is.", device.display()));
    }
    mark(&mut disk, octets, MARK).map_err(about)?;
    format(device, octets, mkfs)?;
    disk.sync_all().map_err(about)?;
    mark(&mut disk, octets, &vec![0; MARK.len()]).map_err(about)?;
    match look(&mut disk, octets).map_err(about)? {
        Found::Ready => Ok(found),
        other => Err(format!("{}: after formatting it is {other:?}", device.display())),
    }
}

fn look(disk: &mut File, octets: u64) -> std::io::Result<Found> {
    let (first, last) = (piece(disk, 0)?, piece(disk, octets - MIB)?);
    let superblock = first.get(SUPERBLOCK as usize..).unwrap_or_default();
    let magic = superblock.get(MAGIC_AT..MAGIC_AT + 2) == Some(&[0x53, 0xef]);
    let label = superblock.get(LABEL_AT..LABEL_AT + LABEL_OCTETS).unwrap_or_default();
    let is_ours = magic && label.split(|octet| *octet == 0).next() == Some(LABEL.as_bytes());
    let was_mounted = superblock.get(MOUNTED_AT..MOUNTED_AT + 4).is_some_and(|time| time != [0; 4]);
    if last.starts_with(MARK) && !(is_ours && was_mounted) {
        return Ok(Found::Begun);
    }
    if is_ours {
        return Ok(Found::Ready);
    }
    // File systems, partition tables, LVM, RAID and LUKS all say in one of the two what they are.
    let is_blank = first.iter().chain(&last).all(|octet| *octet == 0);
    Ok(if is_blank { Found::Blank } else { Found::Other })
}

fn piece(disk: &mut File, at: u64) -> std::io::Result<Vec<u8>> {
    let mut octets = vec![0; MIB as usize];
    disk.seek(SeekFrom::Start(at))?;
    disk.read_exact(&mut octets)?;
    Ok(octets)
}

fn mark(disk: &mut File, octets: u64, words: &[u8]) -> std::io::Result<()> {
    disk.seek(SeekFrom::Start(octets - MIB))?;
    disk.write_all(words)?;
    disk.sync_all()
}

fn format(device: &Path, octets: u64, mkfs: &Path) -> Result<(), String> {
    let mut command = Command::new(mkfs);
    // -F: a whole disk without partitions is meant.
    command.args(["-q", "-F", "-L", LABEL]).arg(device).arg(format!("{}k", (octets - MIB) / 1024));
    let ran = command.output().map_err(|error| format!("{}: {error}", mkfs.display()))?;
    if !ran.status.success() {
        return Err(format!("{}: {}", mkfs.display(), String::from_utf8_lossy(&ran.stderr).trim()));
    }
    Ok(())
}

/// Does `blkid`, which knows more than we do, find something? Where it is missing our own look has to do.
fn known_to_blkid(device: &Path) -> bool {
    Command::new("blkid").arg("-p").arg(device).output().is_ok_and(|ran| ran.status.success())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    struct Disk(PathBuf);

    impl Disk {
        fn new(name: &str) -> Disk {
            let path = std::env::temp_dir().join(format!("facteur-disk-{name}-{}", std::process::id()));
            File::create(&path).unwrap().set_len(OCTETS_MIN).unwrap();
            Disk(path)
        }

        fn write(&self, at: u64, octets: &[u8]) {
            let mut disk = OpenOptions::new().write(true).open(&self.0).unwrap();
            disk.seek(SeekFrom::Start(at)).unwrap();
            disk.write_all(octets).unwrap();
        }

        fn found(&self) -> Found {
            look(&mut File::open(&self.0).unwrap(), OCTETS_MIN).unwrap()
        }
    }

    impl Drop for Disk {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    fn mkfs() -> Option<PathBuf> {
        ["/sbin/mkfs.ext4", "/usr/sbin/mkfs.ext4"].map(PathBuf::from).into_iter().find(|path| path.exists())
    }

    #[test]
    fn a_disk_with_anything_on_it_is_refused_and_not_touched() {
        for (name, at) in
            [("gpt", 512), ("iso", 32 * 1024), ("btrfs", 64 * 1024 + 64), ("raid", OCTETS_MIN - 64 * 1024)]
        {
            let disk = Disk::new(name);
            assert_eq!(disk.found(), Found::Blank);
            disk.write(at, b"EFI PART");
            assert_eq!(disk.found(), Found::Other, "{name}");
            let before = std::fs::read(&disk.0).unwrap();
            let refused = prepare(&disk.0, Path::new("/nonexistent/mkfs.ext4")).unwrap_err();
            assert!(refused.contains("NOT BLANK"), "{refused}");
            assert!(std::fs::read(&disk.0).unwrap() == before, "{name}");
        }
    }

    #[test]
    fn a_blank_disk_is_formatted_once_and_again_where_that_was_cut_short() {
        let Some(mkfs) = mkfs() else { return eprintln!("SKIP: no `mkfs.ext4` here (tests/packages)") };
        let disk = Disk::new("blank");
        assert_eq!(prepare(&disk.0, &mkfs), Ok(Found::Blank));
        assert_eq!(prepare(&disk.0, &mkfs), Ok(Found::Ready));
        // Somebody's mail may stand where the mark does, in a file system that was made larger.
        disk.write(OCTETS_MIN - MIB, MARK);
        assert_eq!(disk.found(), Found::Begun);
        disk.write(SUPERBLOCK + MOUNTED_AT as u64, &1_700_000_000_u32.to_le_bytes());
        assert_eq!(prepare(&disk.0, &mkfs), Ok(Found::Ready));
        // Killed after the mark, in the middle of it, and before the mark was taken away.
        for garbage in [None, Some((0, 4096)), Some((1024, 16))] {
            let disk = Disk::new("cut");
            disk.write(OCTETS_MIN - MIB, MARK);
            if let Some((at, octets)) = garbage {
                disk.write(at, &vec![0xa5; octets]);
            }
            assert_eq!(disk.found(), Found::Begun);
            assert_eq!(prepare(&disk.0, &mkfs), Ok(Found::Begun));
            assert_eq!(disk.found(), Found::Ready);
        }
        // A formatter that fails leaves the mark, so the next run goes on.
        let disk = Disk::new("fails");
        assert!(prepare(&disk.0, Path::new("/bin/false")).is_err());
        assert_eq!(prepare(&disk.0, &mkfs), Ok(Found::Begun));
    }
}
