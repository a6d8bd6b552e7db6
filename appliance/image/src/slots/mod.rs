//! Two slots for systems and what chooses between them. systemd-boot counts tries in the names of kernel images
//! ([`choice`]); an update is written into the slot that does not run ([`apply`]); a healthy start gives its entry all tries
//! back ([`confirm`]), so that a version that was good and breaks later falls back, too.

mod apply;
pub mod choice;
mod disk;
mod gpt;
pub mod kernel;
mod standing;
pub mod version;

use std::fmt;
use std::io;

pub use apply::{Applied, Running, apply, judge};
pub use disk::{Disk, Machine};
pub use gpt::{Found, Table, TableError};
pub use standing::{SlotNow, Standing, confirm, look, roll_back};

use crate::bundle::BundleError;
use crate::layout::Slot;

/// Why slots are not what was asked.
#[derive(Debug)]
pub enum SlotError {
    Io(io::Error),
    Table(TableError),
    Bundle(BundleError),
    Refused(Refusal),
    /// No partition has this label.
    NoSlots(String),
    /// No slot has the root that runs.
    NotRunning,
    /// No kernel image starts the running slot.
    NoEntry,
    NothingToGoBackTo,
    /// This part is another one on the device than it was sent.
    ReadBack(&'static str),
    /// The kernel image says another one of these than the header.
    Kernel(&'static str),
}

/// Why an update is not taken; nothing was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its root is on the disk.
    There {
        slot: Slot,
        runs: bool,
    },
    /// What runs may still have to be fallen back from: its fallback is not overwritten.
    Unconfirmed,
    NotNewer {
        version: String,
        running: String,
    },
    /// It is of another overlay: a test platform stays one, and the machine it is a test of does not become one.
    Variant {
        variant: String,
        running: String,
    },
    /// What it writes could not be served after a fallback.
    Floor {
        writes: i64,
        served_by: i64,
        running: i64,
    },
    /// It cannot read the store that is there.
    CannotLead {
        from: i64,
        to: i64,
        running: i64,
    },
    /// It does not serve the plan that is served.
    Plan {
        from: u32,
        to: u32,
        running: u32,
    },
    TooLarge {
        partition: String,
        octets: u64,
        room: u64,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::There { runs: true, .. } => f.write_str("this update is what runs"),
            Refusal::There { slot, runs: false } => write!(f, "this update is on the disk already, in slot {slot:?}"),
            Refusal::Unconfirmed => f.write_str(
                "the running version is not confirmed yet, and the other slot is what it falls back to: wait for its health \
                 check, or confirm it",
            ),
            Refusal::NotNewer { version, running } => write!(
                f,
                "{version} is not newer than {running}, which runs: the loader would not start it; to go back, roll back"
            ),
            Refusal::Variant { variant, running } => {
                let named = |name: &str| if name.is_empty() { "no overlay".to_owned() } else { format!("overlay `{name}`") };
                write!(f, "this update is of {}, and what runs is of {}", named(variant), named(running))
            }
            Refusal::Floor { writes, served_by, running } => write!(
                f,
                "format floor: this update writes store format {writes}, which versions of format {served_by} and later serve; \
                 the running version is of {running} and could not go on with it after a fallback: update first to a version \
                 between"
            ),
            Refusal::CannotLead { from, to, running } => write!(
                f,
                "this update reads stores of format {from} to {to}; the running version is of {running}: update first to a \
                 version between"
            ),
            Refusal::Plan { from, to, running } => write!(
                f,
                "this update serves plans of format {from} to {to}; the served one is of {running}: deploy a newer plan first"
            ),
            Refusal::TooLarge { partition, octets, room } => {
                write!(f, "{partition} has room for {room} octets and the update needs {octets}")
            }
        }
    }
}

impl fmt::Display for SlotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SlotError::Io(error) => error.fmt(f),
            SlotError::Table(error) => error.fmt(f),
            SlotError::Bundle(error) => error.fmt(f),
            SlotError::Refused(why) => why.fmt(f),
            SlotError::NoSlots(label) => write!(f, "the disk has no partition {label}: it is no disk of an appliance"),
            SlotError::NotRunning => f.write_str("no slot of the disk has the root that runs"),
            SlotError::NoEntry => f.write_str("no kernel image starts the running slot"),
            SlotError::NothingToGoBackTo => f.write_str("the other slot has nothing that can be started"),
            SlotError::ReadBack(part) => {
                write!(f, "the {part} that is read back is not what was written: the disk cannot be trusted")
            }
            SlotError::Kernel(what) => write!(f, "the kernel image has another {what} than the header"),
        }
    }
}

impl std::error::Error for SlotError {}

impl From<io::Error> for SlotError {
    fn from(error: io::Error) -> SlotError {
        SlotError::Io(error)
    }
}

impl From<TableError> for SlotError {
    fn from(error: TableError) -> SlotError {
        SlotError::Table(error)
    }
}

impl From<BundleError> for SlotError {
    fn from(error: BundleError) -> SlotError {
        SlotError::Bundle(error)
    }
}

impl From<Refusal> for SlotError {
    fn from(why: Refusal) -> SlotError {
        SlotError::Refused(why)
    }
}

#[cfg(test)]
pub(crate) mod simulated;
#[cfg(test)]
mod tests;
