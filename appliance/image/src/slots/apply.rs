//! Writing a bundle into the slot that does not run.
//!
//! | step | a power cut after it leaves |
//! |---|---|
//! | signature, versions, formats and sizes are judged; every part is read to its end | nothing was written |
//! | kernel images of the other slot go | the running one, alone |
//! | the other slot's partitions get names nobody looks for | the same |
//! | root and hash tree are written, flushed, read back and compared | the same |
//! | the partitions get the halves of the root hash as identities | the same |
//! | the kernel image is written as `….part`, flushed, read back and compared | the same: the loader sees `.efi` only |
//! | it is renamed to its name with three tries, flushed | the new one is tried three times, and the running one after it |
//!
//! INVARIANT (fallback-stays): what cannot be taken whole is refused before the first change, so that it costs no fallback.
//! INVARIANT (running-stays): no step writes to a partition or a kernel image of the running slot.

use std::io::{self, Read, Seek};

use super::choice::EntryName;
use super::disk::Machine;
use super::gpt::{Found, Table};
use super::standing::{SlotNow, Standing, holder, look};
use super::{Refusal, SlotError, kernel, version};
use crate::bundle::{Header, Part, Reader, StoreFormats, Trusted};
use crate::layout::{Layout, Slot};

/// Octets read back at once.
const BLOCK_OCTETS: u64 = 1 << 20;
/// What the name of a kernel image that is not whole ends with.
const UNFINISHED: &str = ".part";

/// What runs, as far as an update has to suit it.
#[derive(Clone, Copy, Debug)]
pub struct Running<'a> {
    pub root_hash: &'a str,
    /// Of the plan that is served; `None` when none is.
    pub plan_format: Option<u32>,
    pub store: StoreFormats,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub slot: Slot,
    pub entry: EntryName,
    /// Names of the keys that signed.
    pub signed_by: Vec<String>,
}

/// Verifies a whole bundle, then writes it. `tell` hears how far the writing is: octets done, of all.
pub fn apply<R: Read + Seek>(
    machine: &mut dyn Machine,
    bundle: &mut Reader<R>,
    trusted: &Trusted,
    running: &Running<'_>,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<Applied, SlotError> {
    let signed_by = bundle.judge(trusted)?;
    let header = bundle.header().clone();
    let standing = look(machine, running.root_hash)?;
    judge(&header, &standing, running)?;
    let identities = Layout::identities(&header.root_hash).ok_or(SlotError::Kernel("root hash"))?;
    has_room(machine, &header, &standing)?;
    suits(&bundle.check()?, &header)?;
    clear(machine, &standing)?;
    let other = &standing.other;
    identify(machine, other, &nobodys(other.slot))?;
    let all = header.octets();
    let mut done = 0;
    {
        let mut at = other.root.at;
        bundle.root(&mut |octets| place(machine, &mut at, octets, &mut done, &mut |done| tell(done, all)))?;
        let mut at = other.verity.at;
        bundle.verity(&mut |octets| place(machine, &mut at, octets, &mut done, &mut |done| tell(done, all)))?;
    }
    machine.settle()?;
    compare(machine, &other.root, &header.root, "root")?;
    compare(machine, &other.verity, &header.verity, "hash tree")?;
    identify(machine, other, &identities)?;
    let entry = start_with(machine, bundle, &header)?;
    tell(all, all);
    Ok(Applied { slot: other.slot, entry, signed_by })
}

/// May this update be written here now?
pub fn judge(header: &Header, standing: &Standing, running: &Running<'_>) -> Result<(), Refusal> {
    let now = &standing.running;
    if let Some(holder) = holder(standing, &header.root_hash) {
        return Err(Refusal::There { slot: holder.slot, runs: holder.slot == now.slot });
    }
    if header.variant != now.variant {
        return Err(Refusal::Variant { variant: header.variant.clone(), running: now.variant.clone() });
    }
    if !now.is_confirmed() {
        return Err(Refusal::Unconfirmed);
    }
    let newer =
        |slot: &SlotNow| slot.version.as_deref().is_none_or(|its| version::compare(&header.version, its).is_gt());
    if !newer(now) {
        let version = now.version.clone().unwrap_or_default();
        return Err(Refusal::NotNewer { version: header.version.clone(), running: version });
    }
    let (store, its) = (&running.store, &header.store);
    if its.served_by > store.writes {
        return Err(Refusal::Floor { writes: its.writes, served_by: its.served_by, running: store.writes });
    }
    if its.leads_from > store.writes || its.writes < store.served_by {
        return Err(Refusal::CannotLead { from: its.leads_from, to: its.writes, running: store.writes });
    }
    if let Some(format) = running.plan_format.filter(|format| !(header.plan.0..=header.plan.1).contains(format)) {
        return Err(Refusal::Plan { from: header.plan.0, to: header.plan.1, running: format });
    }
    for (part, place) in [(&header.root, &standing.other.root), (&header.verity, &standing.other.verity)] {
        if part.octets > place.octets {
            return Err(Refusal::TooLarge { partition: place.label.clone(), octets: part.octets, room: place.octets });
        }
    }
    Ok(())
}

/// Kernel images that make room: those of the other slot, and what is left of an update that was cut.
fn gone(standing: &Standing) -> Vec<String> {
    let leftover = |name: &&String| EntryName::parse(name).is_some() || name.ends_with(UNFINISHED);
    let entries = standing.other.entries.iter().map(ToString::to_string);
    entries.chain(standing.strays.iter().filter(leftover).cloned()).collect()
}

/// Will the kernel image fit beside the running one?
fn has_room(machine: &dyn Machine, header: &Header, standing: &Standing) -> Result<(), SlotError> {
    let mut room = machine.files_room()?;
    for name in gone(standing) {
        room = room.saturating_add(machine.file_octets(&name)?);
    }
    if header.kernel.octets <= room {
        return Ok(());
    }
    let partition = Layout::ESP_LABEL.to_owned();
    Err(Refusal::TooLarge { partition, octets: header.kernel.octets, room }.into())
}

/// Does the kernel image start what the header says?
fn suits(image: &[u8], header: &Header) -> Result<(), SlotError> {
    if kernel::root_hash(image).as_deref() != Some(&header.root_hash) {
        return Err(SlotError::Kernel("root hash"));
    }
    if kernel::version(image).as_deref() != Some(&header.version) {
        return Err(SlotError::Kernel("version"));
    }
    if kernel::variant(image) != header.variant {
        return Err(SlotError::Kernel("variant"));
    }
    Ok(())
}

/// From here on only the running version can be started.
fn clear(machine: &mut dyn Machine, standing: &Standing) -> Result<(), SlotError> {
    let gone = gone(standing);
    for name in &gone {
        machine.remove_file(name)?;
    }
    if !gone.is_empty() {
        machine.settle_files()?;
    }
    Ok(())
}

fn identify(machine: &mut dyn Machine, slot: &SlotNow, identities: &(String, String)) -> Result<(), SlotError> {
    let mut table = Table::read(machine)?;
    if !table.identify(&slot.root, &identities.0) || !table.identify(&slot.verity, &identities.1) {
        return Err(SlotError::Kernel("root hash"));
    }
    Ok(table.write(machine)?)
}

/// Identities of a slot that is being written: no root hash has them.
fn nobodys(slot: Slot) -> (String, String) {
    let of = |label: &str| {
        let hash = blake3::hash(format!("facteur: {label} is being written").as_bytes()).to_hex();
        format!("{}-{}-4{}-8{}-{}", &hash[..8], &hash[8..12], &hash[12..15], &hash[15..18], &hash[18..30])
    };
    (of(slot.root_label()), of(slot.verity_label()))
}

fn place(
    machine: &mut dyn Machine,
    at: &mut u64,
    octets: &[u8],
    done: &mut u64,
    tell: &mut dyn FnMut(u64),
) -> io::Result<()> {
    machine.write(*at, octets)?;
    *at += octets.len() as u64;
    *done += octets.len() as u64;
    tell(*done);
    Ok(())
}

/// Is on the device what was sent?
fn compare(machine: &dyn Machine, partition: &Found, part: &Part, what: &'static str) -> Result<(), SlotError> {
    let mut digest = blake3::Hasher::new();
    let mut block = vec![0; BLOCK_OCTETS as usize];
    let mut done = 0;
    while done < part.octets {
        let piece = &mut block[..(part.octets - done).min(BLOCK_OCTETS) as usize];
        machine.read(partition.at + done, piece)?;
        digest.update(piece);
        done += piece.len() as u64;
    }
    if digest.finalize().to_hex().as_str() == part.blake3 { Ok(()) } else { Err(SlotError::ReadBack(what)) }
}

/// Writes the kernel image beside its name, and gives it its name when it is read back whole.
fn start_with<R: Read>(
    machine: &mut dyn Machine,
    bundle: &mut Reader<R>,
    header: &Header,
) -> Result<EntryName, SlotError> {
    let name = Layout::kernel_name(&header.version, &header.root_hash, Layout::TRIES);
    let unfinished = format!("{name}{UNFINISHED}");
    machine.create_file(&unfinished)?;
    bundle.kernel(&mut |octets| machine.append_file(&unfinished, octets))?;
    machine.settle_files()?;
    let image = machine.read_file(&unfinished)?;
    if blake3::hash(&image).to_hex().as_str() != header.kernel.blake3 {
        return Err(SlotError::ReadBack("kernel image"));
    }
    machine.rename_file(&unfinished, &name)?;
    machine.settle_files()?;
    EntryName::parse(&name).ok_or(SlotError::Kernel("name"))
}
