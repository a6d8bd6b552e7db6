//! The whole disk: partition table, ESP with the boot loader and the kernel images, and the slots.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::description::Description;
use crate::fault::{Fault, Result};
use crate::layout::{Layout, Partition, SECTOR_OCTETS, Slot};
use crate::place;
use crate::root::Root;
use crate::tool::Tool;

/// What lies in a slot.
#[derive(Clone, Debug)]
pub struct System {
    pub version: String,
    pub root: Root,
    /// The kernel image that starts it.
    pub kernel: PathBuf,
}

/// No menu, nobody edits the command line, no key is enrolled by whoever puts a file on the ESP.
const LOADER: &str = "timeout 0\neditor no\nauto-entries no\nauto-firmware no\nsecure-boot-enroll off\n";

/// Writes a disk with these systems in its slots.
pub fn compose(
    description: &Description,
    boot_loader: &Path,
    slots: [Option<&System>; 2],
    folder: &Path,
    disk: &Path,
) -> Result<()> {
    let layout = &description.layout;
    place::remove(disk)?;
    let file = File::create(disk).map_err(Fault::at(disk))?;
    file.set_len(layout.disk_octets()).map_err(Fault::at(disk))?;
    drop(file);
    let table = table(description, slots)?;
    Tool::new("sfdisk", description.epoch)
        .args(["--quiet", "--no-tell-kernel", "--no-reread"])
        .arg(disk)
        .input(table)
        .run()?;
    for (slot, system) in Slot::BOTH.into_iter().zip(slots) {
        let Some(system) = system else { continue };
        let (root, verity) = layout.of(slot);
        place_at(disk, &root, &system.root.data)?;
        place_at(disk, &verity, &system.root.verity)?;
    }
    let esp = folder.join("esp.img");
    esp_image(description, boot_loader, slots, &esp)?;
    let partition = layout.partitions().remove(0);
    place_at(disk, &partition, &esp)?;
    place::remove(&esp)
}

/// The script sfdisk reads.
fn table(description: &Description, slots: [Option<&System>; 2]) -> Result<String> {
    let (layout, identity) = (&description.layout, &description.identity);
    let mut text = format!("label: gpt\nlabel-id: {}\nunit: sectors\n", identity.disk);
    let mut identities = vec![identity.esp.clone()];
    for (index, system) in slots.iter().enumerate() {
        match system {
            Some(system) => {
                let (root, verity) = Layout::identities(&system.root.hash)
                    .ok_or_else(|| Fault(format!("`{}` is no root hash", system.root.hash)))?;
                identities.extend([root, verity]);
            }
            None => identities.extend(identity.empty[index].clone()),
        }
    }
    for (partition, uuid) in layout.partitions().iter().zip(identities) {
        let Partition { label, kind, at, octets, .. } = partition;
        let (start, size) = (at / SECTOR_OCTETS, octets / SECTOR_OCTETS);
        text += &format!("start={start}, size={size}, type={kind}, uuid={uuid}, name={label}\n");
    }
    Ok(text)
}

/// Writes a file to a partition; blocks of zeros stay holes.
fn place_at(disk: &Path, partition: &Partition, from: &Path) -> Result<()> {
    const BLOCK: usize = 1 << 20;
    let mut source = File::open(from).map_err(Fault::at(from))?;
    let octets = source.metadata().map_err(Fault::at(from))?.len();
    if octets > partition.octets {
        let room = partition.octets;
        return Err(Fault(format!("{} has {octets} octets, and {} room for {room}", from.display(), partition.label)));
    }
    let mut target = OpenOptions::new().write(true).open(disk).map_err(Fault::at(disk))?;
    let mut block = Vec::with_capacity(BLOCK);
    let mut at = partition.at;
    loop {
        block.clear();
        let read = Read::by_ref(&mut source).take(BLOCK as u64).read_to_end(&mut block).map_err(Fault::at(from))?;
        if read == 0 {
            return Ok(());
        }
        if block.iter().any(|octet| *octet != 0) {
            target.seek(SeekFrom::Start(at)).and_then(|_| target.write_all(&block)).map_err(Fault::at(disk))?;
        }
        at += read as u64;
    }
}

/// The ESP as a file of its own.
fn esp_image(description: &Description, boot_loader: &Path, slots: [Option<&System>; 2], esp: &Path) -> Result<()> {
    place::remove(esp)?;
    File::create(esp).and_then(|file| file.set_len(description.layout.esp_octets)).map_err(Fault::at(esp))?;
    let mtools = |name: &str| Tool::new(name, description.epoch).env("MTOOLS_SKIP_CHECK", "1");
    let sectors = (description.layout.esp_octets / SECTOR_OCTETS).to_string();
    mtools("mformat")
        .arg("-i")
        .arg(esp)
        .args(["-F", "-T", &sectors, "-h", "64", "-s", "32", "-v", "ESP", "-N", &description.identity.esp_volume, "::"])
        .run()?;
    mtools("mmd").arg("-i").arg(esp).args(["::EFI", "::EFI/BOOT", "::EFI/systemd", "::EFI/Linux", "::loader"]).run()?;
    let loader = esp.with_extension("loader.conf");
    place::write(&loader, LOADER.as_bytes())?;
    let mut copies = vec![
        (boot_loader.to_path_buf(), "::EFI/BOOT/BOOTX64.EFI".to_owned()),
        (boot_loader.to_path_buf(), "::EFI/systemd/systemd-bootx64.efi".to_owned()),
        (loader.clone(), "::loader/loader.conf".to_owned()),
    ];
    for system in slots.into_iter().flatten() {
        let name = Layout::kernel_name(&system.version, &system.root.hash, Layout::TRIES);
        copies.push((system.kernel.clone(), format!("::{}/{name}", Layout::KERNELS)));
    }
    for (from, to) in copies {
        // mcopy -m takes the date of the file over.
        let dated = esp.with_extension("dated");
        place::copy(&from, &dated)?;
        Tool::new("touch", description.epoch).arg(format!("--date=@{}", description.epoch)).arg(&dated).run()?;
        mtools("mcopy").args(["-m", "-i"]).arg(esp).arg(&dated).arg(to).run()?;
        place::remove(&dated)?;
    }
    place::remove(&loader)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_each_partition_once() {
        let description = Description::parse(include_str!("../image.ron")).expect("our own description");
        let text = table(&description, [None, None]).expect("a table");
        let uuids: std::collections::BTreeSet<&str> =
            text.lines().filter_map(|line| line.split("uuid=").nth(1)?.split(',').next()).collect();
        assert_eq!(uuids.len(), 5, "{text}");
        assert!(uuids.iter().all(|uuid| uuid.len() == 36), "{text}");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let folder = std::env::temp_dir().join(format!("facteur-disk-{}", std::process::id()));
        place::fresh(&folder).expect("a folder");
        let (disk, big) = (folder.join("disk"), folder.join("big"));
        place::write(&disk, &[0; 64]).expect("written");
        place::write(&big, &[1; 33]).expect("written");
        let partition = Partition { number: 1, label: "esp", kind: "", at: 0, octets: 32 };
        let fault = place_at(&disk, &partition, &big).expect_err("too big");
        place::remove(&folder).expect("ours");
        assert!(fault.0.ends_with("big has 33 octets, and esp room for 32"), "{fault}");
    }
}
