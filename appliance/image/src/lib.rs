//! The appliance as a disk image: `image.ron` in, a bootable and verified disk out, the same octets for the same input.
//!
//! ```text
//! package lock ─ mmdebstrap ─▶ base tree (cached) ─ files, units, removals ─▶ final tree ─ mkfs.erofs ─▶ root ─ veritysetup ─▶ root hash
//!                                   └ dracut ─▶ initrd (cached) ─────────────────────── systemd stub ─▶ kernel image ◀──────┘
//! ESP | root-A | verity-A | root-B | verity-B ─▶ disk ─ qemu-img, zstd ─▶ raw.zst, qcow2, vmdk, vhdx
//! ```
//!
//! The work is done by Debian's tools; here stand their order, their arguments, and what is checked of what they made.

pub mod bundle;
mod layout;
pub mod slots;

pub use layout::{Layout, Partition, SECTOR_OCTETS, Slot};
