//! From a description to the files of an image.

use std::path::{Path, PathBuf};

use crate::base::{Base, Sources, base, kernel_release};
use crate::description::Description;
use crate::disk::{self, System};
use crate::fault::{Fault, Result};
use crate::kernel::{self, Section};
use crate::signing::SecureBoot;
use crate::tree::{self, Ours};
use crate::{audit, place, root, sbom};

/// What is built besides the description.
pub struct Order<'a> {
    pub sources: Sources<'a>,
    /// The program `facteur`.
    pub daemon: &'a Path,
    /// Canonical text of the plan that runs until another one is deployed.
    pub plan: &'a str,
    /// Name of a variant.
    pub overlay: Option<&'a str>,
    /// Nobody signs where nothing is said.
    pub secure_boot: Option<SecureBoot<'a>>,
    /// Folder for everything that is made; what a former build left is replaced.
    pub out: &'a Path,
}

/// What was built.
#[derive(Debug)]
pub struct Built {
    /// The whole disk, with the system in slot A.
    pub disk: PathBuf,
    pub system: System,
    pub sbom: PathBuf,
    pub lock: crate::lock::Lock,
    pub plan_hash: String,
}

/// Builds everything into the folder of the order: `facteur.raw`, `root.erofs`, `root.verity`, `kernel.efi`, `sbom.json`.
pub fn build(description: &Description, order: &Order<'_>) -> Result<Built> {
    let (_, hash) = plan::read(order.plan).map_err(|error| Fault(format!("the plan: {error}")))?;
    std::fs::create_dir_all(order.out).map_err(Fault::at(order.out))?;
    let base = base(description, &order.sources)?;
    let (system, sbom) = system(description, order, &base, &hash.full())?;
    let disk = order.out.join("facteur.raw");
    let boot_loader = boot_loader(description, order, &base)?;
    disk::compose(description, &boot_loader, [Some(&system), None], order.out, &disk)?;
    Ok(Built { disk, system, sbom, lock: base.lock, plan_hash: hash.full() })
}

/// A disk with a newer system in slot B beside the one in slot A, as an update leaves it.
pub fn with_both(description: &Description, order: &Order<'_>, a: &System, b: &System, to: &Path) -> Result<()> {
    let base = base(description, &order.sources)?;
    let boot_loader = boot_loader(description, order, &base)?;
    disk::compose(description, &boot_loader, [Some(a), Some(b)], order.out, to)
}

fn boot_loader(description: &Description, order: &Order<'_>, base: &Base) -> Result<PathBuf> {
    let plain = base.tree.join("usr/lib/systemd/boot/efi/systemd-bootx64.efi");
    SecureBoot::boot_loader(order.secure_boot.as_ref(), &plain, order.out, description.epoch)
}

/// Root, hashes and kernel image in the folder of the order.
fn system(description: &Description, order: &Order<'_>, base: &Base, plan_hash: &str) -> Result<(System, PathBuf)> {
    let parts = sbom::document(description, &base.lock)?;
    let sbom = order.out.join("sbom.json");
    place::write(&sbom, parts.as_bytes())?;
    let work = order.out.join("tree");
    let ours = Ours { daemon: order.daemon, plan: order.plan, plan_hash, sbom: &parts, overlay: order.overlay };
    tree::assemble(description, &base.tree, &ours, &work)?;
    let units: Vec<&str> =
        description.wanted.values().chain(description.required.values()).flatten().map(String::as_str).collect();
    let faults = audit::faults(&work, &units)?;
    if !faults.is_empty() {
        return Err(Fault(format!("the tree is not fit for an image:\n  {}", faults.join("\n  "))));
    }
    let root = root::pack(description, &work, order.out)?;
    let kernel = order.out.join("kernel.efi");
    place::write(&kernel, &kernel_image(description, base, &work, &root.hash)?)?;
    if let Some(by) = &order.secure_boot {
        by.sign(&kernel, &kernel, description.epoch)?;
    }
    place::remove(&work)?;
    Ok((System { version: description.version.clone(), root, kernel }, sbom))
}

fn kernel_image(description: &Description, base: &Base, tree: &Path, root_hash: &str) -> Result<Vec<u8>> {
    let read = |path: &Path| std::fs::read(path).map_err(Fault::at(path));
    let release = kernel_release(&base.tree)?;
    let linux = read(&base.tree.join(format!("boot/vmlinuz-{release}")))?;
    let stub = read(&base.tree.join("usr/lib/systemd/boot/efi/linuxx64.efi.stub"))?;
    let initrd = read(&base.initrd)?;
    let command_line = format!("roothash={root_hash} root=/dev/mapper/root {}", description.command_line.join(" "));
    let os_release = read(&tree.join(tree::RELEASE))?;
    kernel::assemble(
        &stub,
        &[
            Section { name: ".osrel", contents: &os_release },
            Section { name: ".cmdline", contents: command_line.as_bytes() },
            Section { name: ".uname", contents: release.as_bytes() },
            Section { name: ".initrd", contents: &initrd },
            Section { name: ".linux", contents: &linux },
        ],
    )
}
