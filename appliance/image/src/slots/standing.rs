//! Where the two slots stand: what lies in each, what starts it, and which of them runs.

use std::io;

use super::choice::{self, EntryName};
use super::disk::Machine;
use super::gpt::{Found, Table};
use super::{SlotError, kernel};
use crate::layout::{Layout, Slot};

/// Both slots, and kernel images that start neither.
#[derive(Clone, Debug)]
pub struct Standing {
    pub running: SlotNow,
    pub other: SlotNow,
    /// Files in the folder of kernel images that belong to no slot: leftovers of an update that was cut.
    pub strays: Vec<String>,
    /// What the loader would start next.
    pub next: Option<EntryName>,
}

/// One slot.
#[derive(Clone, Debug)]
pub struct SlotNow {
    pub slot: Slot,
    pub root: Found,
    pub verity: Found,
    /// The kernel images that start what lies in it: one, or two when a change of name was cut.
    pub entries: Vec<EntryName>,
    /// As the loader reads it from its kernel image.
    pub version: Option<String>,
    /// The overlay it says it was built with.
    pub variant: String,
}

impl SlotNow {
    /// The root hash its partitions are found by.
    pub fn root_hash(&self) -> String {
        [&self.root.identity, &self.verity.identity].map(|half| half.replace('-', "")).concat()
    }

    /// The entry the loader takes of it.
    pub fn entry(&self) -> Option<&EntryName> {
        self.entries.iter().min_by(|a, b| choice::order(a, b))
    }

    /// Is there something in it that the loader would choose before it gives up?
    pub fn can_start(&self) -> bool {
        self.entry().is_some_and(|entry| !entry.is_bad())
    }

    /// Was it found healthy since it was last started?
    pub fn is_confirmed(&self) -> bool {
        self.entry().is_some_and(|entry| entry.counter.is_none_or(|counter| counter.left >= Layout::TRIES))
    }
}

/// Looks at a machine whose running root has this hash.
pub fn look(machine: &dyn Machine, running_root_hash: &str) -> Result<Standing, SlotError> {
    let table = Table::read(machine)?;
    let partitions = table.partitions();
    let labelled = |label: &str| {
        let found = partitions.iter().find(|it| it.label == label).cloned();
        found.ok_or_else(|| SlotError::NoSlots(label.to_owned()))
    };
    let mut slots = Vec::new();
    for slot in Slot::BOTH {
        let (root, verity) = (labelled(slot.root_label())?, labelled(slot.verity_label())?);
        slots.push(SlotNow { slot, root, verity, entries: Vec::new(), version: None, variant: String::new() });
    }
    let files = machine.files()?;
    let mut strays = Vec::new();
    for file in &files {
        match owner(machine, file, &mut slots)? {
            Some((slot, entry, image)) => {
                slot.entries.push(entry);
                (slot.version, slot.variant) = (kernel::version(&image), kernel::variant(&image));
            }
            None => strays.push(file.clone()),
        }
    }
    let running = slots.iter().position(|slot| slot.root_hash() == running_root_hash);
    let running = running.map(|index| slots.remove(index)).ok_or(SlotError::NotRunning)?;
    let other = slots.remove(0);
    let next = choice::choice(files.iter().map(String::as_str));
    Ok(Standing { running, other, strays, next })
}

type Owned<'a> = (&'a mut SlotNow, EntryName, Vec<u8>);

/// The slot a file starts, with the file, when it is a kernel image that starts one.
fn owner<'a>(machine: &dyn Machine, file: &str, slots: &'a mut [SlotNow]) -> io::Result<Option<Owned<'a>>> {
    let Some(entry) = EntryName::parse(file) else { return Ok(None) };
    let image = machine.read_file(file)?;
    let Some(hash) = kernel::root_hash(&image) else { return Ok(None) };
    Ok(slots.iter_mut().find(|slot| slot.root_hash() == hash).map(|slot| (slot, entry, image)))
}

/// The running version was found healthy: it has all its tries again.
pub fn confirm(machine: &mut dyn Machine, running_root_hash: &str) -> Result<EntryName, SlotError> {
    let standing = look(machine, running_root_hash)?;
    let entry = standing.running.entry().ok_or(SlotError::NoEntry)?;
    rename(machine, entry, &entry.rearmed(), &standing.running.entries)
}

/// Gives the running version up: the other slot is started next.
pub fn roll_back(machine: &mut dyn Machine, running_root_hash: &str) -> Result<EntryName, SlotError> {
    let standing = look(machine, running_root_hash)?;
    let entry = standing.running.entry().ok_or(SlotError::NoEntry)?;
    let other = standing.other.entry().filter(|other| !other.is_bad());
    let other = other.cloned().ok_or(SlotError::NothingToGoBackTo)?;
    rename(machine, entry, &entry.given_up(), &standing.running.entries)?;
    Ok(other)
}

/// One entry of a slot stays, under its new name.
fn rename(
    machine: &mut dyn Machine,
    from: &EntryName,
    to: &EntryName,
    all: &[EntryName],
) -> Result<EntryName, SlotError> {
    if from != to {
        machine.rename_file(&from.to_string(), &to.to_string())?;
        machine.settle_files()?;
    }
    // A second name of the same image is what a cut left.
    for more in all.iter().filter(|more| *more != from && *more != to) {
        machine.remove_file(&more.to_string())?;
        machine.settle_files()?;
    }
    Ok(to.clone())
}

/// Is this root hash on the disk, with something that starts it?
pub(super) fn holder<'a>(standing: &'a Standing, root_hash: &str) -> Option<&'a SlotNow> {
    let identities = Layout::identities(root_hash)?;
    [&standing.running, &standing.other].into_iter().find(|slot| {
        let same = slot.root.identity == identities.0 || slot.verity.identity == identities.1;
        same && (!slot.entries.is_empty() || slot.slot == standing.running.slot)
    })
}
