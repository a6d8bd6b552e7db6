//! Which disk this machine runs from, and which root runs.

use std::path::{Path, PathBuf};

use clap::Args;
use image::Layout;
use image::slots::{Disk, Table, kernel};

use super::{Anything, named};

/// Where the EFI system partition may be mounted.
const MOUNTED: [&str; 3] = ["/efi", "/boot", "/boot/efi"];
/// Devices that hold no system: the names of disks in memory, of loops, of device mapper, of optical drives.
const NO_DISKS: [&str; 5] = ["ram", "loop", "dm-", "sr", "zram"];

#[derive(Args)]
pub struct MachineArgs {
    /// The disk with the slots [default: the one the running root is on]
    #[arg(long, value_name = "DEVICE")]
    disk: Option<PathBuf>,
    /// The folder of kernel images [default: EFI/Linux on the mounted EFI system partition]
    #[arg(long, value_name = "FOLDER")]
    kernels: Option<PathBuf>,
    /// The root hash that runs [default: of the kernel's command line]
    #[arg(long, value_name = "HASH")]
    running: Option<String>,
}

impl MachineArgs {
    /// To write to, and the root hash that runs.
    pub fn open(&self) -> Result<(Disk, String), Anything> {
        let (disk, kernels, running) = self.found()?;
        let machine = Disk::open(&disk, &kernels).map_err(|error| named(&disk, error))?;
        Ok((machine, running))
    }

    /// To look at.
    pub fn look(&self) -> Result<(Disk, String), Anything> {
        let (disk, kernels, running) = self.found()?;
        let machine = Disk::open_to_look(&disk, &kernels).map_err(|error| named(&disk, error))?;
        Ok((machine, running))
    }

    /// Of the root that runs.
    pub fn root_hash(&self) -> Result<String, Anything> {
        match &self.running {
            Some(running) => Ok(running.to_ascii_lowercase()),
            None => Ok(kernel::root_hash_on(&std::fs::read_to_string("/proc/cmdline")?)
                .ok_or("the kernel's command line has no root hash: this is no appliance; --running names one")?),
        }
    }

    fn found(&self) -> Result<(PathBuf, PathBuf, String), Anything> {
        let running = self.root_hash()?;
        let identities = Layout::identities(&running).ok_or("a root hash has 64 hexadecimal digits")?;
        let disk = match &self.disk {
            Some(disk) => disk.clone(),
            None => disk_with(&identities.0).ok_or("no disk has the root that runs; --disk names one")?,
        };
        let mut folders = MOUNTED.iter().map(|mounted| Path::new(mounted).join(Layout::KERNELS));
        let kernels = match &self.kernels {
            Some(kernels) => kernels.clone(),
            None => folders
                .find(|folder| folder.is_dir())
                .ok_or("no EFI system partition is mounted; --kernels names the folder")?,
        };
        Ok((disk, kernels, running))
    }
}

/// The disk with a partition of this identity.
fn disk_with(identity: &str) -> Option<PathBuf> {
    let mut names: Vec<String> = std::fs::read_dir("/sys/block")
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !NO_DISKS.iter().any(|prefix| name.starts_with(prefix)))
        .collect();
    names.sort();
    names.into_iter().map(|name| Path::new("/dev").join(name)).find(|device| {
        let table = Disk::open_read_only(device).ok().and_then(|disk| Table::read(&disk).ok());
        table.is_some_and(|table| table.partitions().iter().any(|it| it.identity == identity))
    })
}
