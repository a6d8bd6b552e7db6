//! Milters: the protocol of Sendmail's content filters, version 6, as a mail server speaks it to one (libmilter's
//! `mfdef.h`; its documents say nothing of the wire).
//!
//! A packet is a length of four octets in network order, a command of one octet, and its data. A filter is told the
//! session, the header fields and the body, answers each or as it negotiated, and says at the end what it wants changed.
//! Nothing of that is done: only fields that say what it found, its reason for quarantine and its verdict are kept. It is
//! offered all changes that filters ask for at their start, for most will not work without.

mod conversation;
mod filter;
mod finding;
mod law;
mod packet;
mod section;
#[cfg(test)]
mod tests;

pub use conversation::{Conversation, Outcome, QUIT, Saw, Step, Told, Verdict};
pub use filter::{Event, Filter};
pub use finding::{Infection, Score};
pub use law::fuzz;
pub use packet::{BadReply, Reply};
pub use section::{Section, section};

pub const VERSION: u32 = 6;

/// Changes a filter may ask for (`SMFIF_*`): add, change, body, add and delete recipients, quarantine, sender, recipients
/// with parameters.
pub const ACTIONS: u32 = 0xff;

/// What a filter does not want, and what it will not answer (`SMFIP_*`).
pub mod protocol {
    pub const NO_CONNECT: u32 = 0x1;
    pub const NO_HELO: u32 = 0x2;
    pub const NO_MAIL: u32 = 0x4;
    pub const NO_RCPT: u32 = 0x8;
    pub const NO_BODY: u32 = 0x10;
    pub const NO_FIELDS: u32 = 0x20;
    pub const NO_END_OF_HEADER: u32 = 0x40;
    pub const SILENT_FIELDS: u32 = 0x80;
    pub const NO_UNKNOWN: u32 = 0x100;
    pub const NO_DATA: u32 = 0x200;
    /// It may say that it needs no more of the body.
    pub const SKIP: u32 = 0x400;
    pub const SILENT_CONNECT: u32 = 0x1000;
    pub const SILENT_HELO: u32 = 0x2000;
    pub const SILENT_MAIL: u32 = 0x4000;
    pub const SILENT_RCPT: u32 = 0x8000;
    pub const SILENT_DATA: u32 = 0x1_0000;
    pub const SILENT_UNKNOWN: u32 = 0x2_0000;
    pub const SILENT_END_OF_HEADER: u32 = 0x4_0000;
    pub const SILENT_BODY: u32 = 0x8_0000;

    /// All of these.
    pub const OFFERED: u32 = 0xf_f7ff;
}

/// Longest chunk of a body, and of the data of any packet, in octets.
pub const CHUNK_OCTETS_MAX: usize = 65_535;
