//! What a disk image holds, read from the image alone.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::Value;

use crate::fault::{Fault, Result};
use crate::kernel;
use crate::layout::{Layout, SECTOR_OCTETS};
use crate::tool::Tool;
use crate::{place, tree};

/// A partition as the table of the disk has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub label: String,
    pub uuid: String,
    pub at: u64,
    pub octets: u64,
}

/// A kernel image on the ESP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelFound {
    pub name: String,
    pub version: String,
    pub plan_hash: String,
    pub root_hash: String,
    pub linux: String,
    /// Label of the partition whose root it starts, if one has it.
    pub slot: Option<String>,
}

/// Everything.
#[derive(Debug)]
pub struct Inspected {
    pub partitions: Vec<Found>,
    pub kernels: Vec<KernelFound>,
    /// Name and version of each part of the system of the first kernel.
    pub parts: Vec<(String, String)>,
}

/// Reads a raw disk. `work` is a folder for what is unpacked on the way.
pub fn inspect(disk: &Path, work: &Path) -> Result<Inspected> {
    let partitions = partitions(disk)?;
    let esp = partitions.iter().find(|it| it.label == Layout::ESP_LABEL);
    let esp = esp.ok_or_else(|| Fault(format!("{}: no partition `{}`", disk.display(), Layout::ESP_LABEL)))?;
    let at = format!("{}@@{}", disk.display(), esp.at);
    let names = Tool::new("mdir", 0).args(["-b", "-i", &at, &format!("::{}", Layout::KERNELS)]).text()?;
    let mut kernels = Vec::new();
    for path in names.lines().filter(|line| line.to_ascii_lowercase().ends_with(".efi")) {
        let image = Tool::new("mtype", 0).args(["-i", &at, path]).run()?;
        kernels.push(kernel_found(path, &image, &partitions)?);
    }
    let first = kernels.iter().find_map(|it| it.slot.clone());
    let parts = match first.and_then(|label| partitions.iter().find(|it| it.label == label)) {
        Some(root) => parts(disk, root, work)?,
        None => Vec::new(),
    };
    Ok(Inspected { partitions, kernels, parts })
}

fn kernel_found(path: &str, image: &[u8], partitions: &[Found]) -> Result<KernelFound> {
    let text = |name: &str| -> Result<String> {
        let contents = kernel::section(image, name)?.ok_or_else(|| Fault(format!("{path}: no section {name}")))?;
        Ok(String::from_utf8_lossy(contents).into_owned())
    };
    let (release, command_line) = (text(".osrel")?, text(".cmdline")?);
    let of = |key: &str| {
        let value = release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        value.unwrap_or_default().trim_matches('"').to_owned()
    };
    let root_hash = command_line.split_whitespace().find_map(|word| word.strip_prefix("roothash=")).unwrap_or_default();
    let identity = Layout::identities(root_hash).map(|(root, _)| root);
    let slot = partitions.iter().find(|it| Some(&it.uuid) == identity.as_ref()).map(|it| it.label.clone());
    Ok(KernelFound {
        name: path.rsplit('/').next().unwrap_or(path).to_owned(),
        version: of("IMAGE_VERSION"),
        plan_hash: of("FACTEUR_PLAN"),
        root_hash: root_hash.to_owned(),
        linux: text(".uname")?,
        slot,
    })
}

/// The list of parts inside a root.
fn parts(disk: &Path, root: &Found, work: &Path) -> Result<Vec<(String, String)>> {
    let (image, out) = (work.join("inspected.erofs"), work.join("inspected"));
    let mut source = File::open(disk).map_err(Fault::at(disk))?;
    source.seek(SeekFrom::Start(root.at)).map_err(Fault::at(disk))?;
    let mut target = File::create(&image).map_err(Fault::at(&image))?;
    std::io::copy(&mut source.take(root.octets), &mut target).map_err(Fault::at(&image))?;
    place::remove(&out)?;
    Tool::new("fsck.erofs", 0).arg(format!("--extract={}", out.display())).arg(&image).run()?;
    let list = out.join(tree::SBOM);
    let text = std::fs::read_to_string(&list).map_err(Fault::at(&list))?;
    place::remove(&out)?;
    place::remove(&image)?;
    let document: Value = serde_json::from_str(&text).map_err(|error| Fault(format!("{}: {error}", tree::SBOM)))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = document["components"].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(all.iter().map(|part| (text(&part["name"]), text(&part["version"]))).collect())
}

/// The partition table (UEFI 2.10, 5.3): header in the second sector, entries where it says.
pub fn partitions(disk: &Path) -> Result<Vec<Found>> {
    const ENTRIES_MAX: usize = 256;
    let mut file = File::open(disk).map_err(Fault::at(disk))?;
    let mut read = |at: u64, octets: usize| -> Result<Vec<u8>> {
        let mut buffer = vec![0; octets];
        file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut buffer)).map_err(Fault::at(disk))?;
        Ok(buffer)
    };
    let header = read(SECTOR_OCTETS, 92)?;
    if !header.starts_with(b"EFI PART") {
        return Err(Fault(format!("{}: no GUID partition table", disk.display())));
    }
    let (count, octets) = (u32_at(&header, 80) as usize, u32_at(&header, 84) as usize);
    let at = u64_at(&header, 72).checked_mul(SECTOR_OCTETS);
    let Some(at) = at.filter(|_| (128..=4096).contains(&octets) && count <= ENTRIES_MAX) else {
        return Err(Fault(format!("{}: an odd partition table", disk.display())));
    };
    let table = read(at, count * octets)?;
    let used = table.chunks(octets).filter(|entry| entry[..16].iter().any(|octet| *octet != 0));
    Ok(used.map(partition).collect())
}

fn partition(entry: &[u8]) -> Found {
    let (first, last) = (u64_at(entry, 32), u64_at(entry, 40));
    let units: Vec<u16> = entry[56..128].chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let label = String::from_utf16_lossy(&units);
    let sectors = last.saturating_sub(first).saturating_add(1);
    Found {
        label: label.trim_end_matches('\0').to_owned(),
        uuid: uuid(&entry[16..32]),
        at: first.saturating_mul(SECTOR_OCTETS),
        octets: sectors.saturating_mul(SECTOR_OCTETS),
    }
}

/// The first three groups are little-endian (UEFI 2.10, Appendix A).
fn uuid(octets: &[u8]) -> String {
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let hex: String = order.iter().map(|at| format!("{:02x}", octets[*at])).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn u32_at(octets: &[u8], at: usize) -> u32 {
    octets[at..at + 4].iter().rev().fold(0, |value, octet| value << 8 | u32::from(*octet))
}

fn u64_at(octets: &[u8], at: usize) -> u64 {
    octets[at..at + 8].iter().rev().fold(0, |value, octet| value << 8 | u64::from(*octet))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_read_from_its_entry() {
        let mut entry = vec![0; 128];
        for (index, octet) in entry[16..32].iter_mut().enumerate() {
            *octet = index as u8;
        }
        entry[32] = 8;
        entry[40] = 9;
        entry[56] = b'e';
        let found = partition(&entry);
        assert_eq!((found.label.as_str(), found.at, found.octets), ("e", 4096, 1024));
        assert_eq!(found.uuid, "03020100-0504-0706-0809-0a0b0c0d0e0f");
    }

    #[test]
    fn what_is_no_disk_is_refused() {
        let path = std::env::temp_dir().join(format!("facteur-no-disk-{}", std::process::id()));
        for octets in [&b"short"[..], &[0; 4096]] {
            place::write(&path, octets).expect("written");
            assert!(partitions(&path).is_err());
        }
        place::remove(&path).expect("ours");
    }
}
