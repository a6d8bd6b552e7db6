//! Protocols of content scanners, without I/O.

pub mod clamd;
pub mod report;
pub mod spamc;
