//! The appliance as a disk image: `image.ron` in, a bootable and verified disk out, the same octets for the same input.
//!
//! ```text
//! package lock ─ mmdebstrap ─▶ base tree (cached) ─ files, units, removals ─▶ final tree ─ mkfs.erofs ─▶ root ─ veritysetup ─▶ root hash
//!                                   └ dracut ─▶ initrd (cached) ─────────────────────── systemd stub ─▶ kernel image ◀──────┘
//! ESP | root-A | verity-A | root-B | verity-B ─▶ disk ─ qemu-img, zstd ─▶ raw.zst, qcow2, vmdk, vhdx
//! ```
//!
//! The work is done by Debian's tools; here stand their order, their arguments, and what is checked of what they made.

pub mod audit;
mod base;
pub mod bundle;
pub mod convert;
mod cpio;
mod description;
mod disk;
mod fault;
pub mod inspect;
mod kernel;
mod layout;
mod lock;
mod make;
mod place;
mod root;
mod sbom;
mod signing;
pub mod slots;
mod tool;
mod tree;

pub use base::Sources;
pub use description::Description;
pub use disk::System;
pub use fault::Fault;
pub use layout::{Layout, Partition, SECTOR_OCTETS, Slot};
pub use lock::{Lock, Package};
pub use make::{Built, Order, build, with_both};
pub use root::Root;
pub use sbom::document;
pub use signing::SecureBoot;
